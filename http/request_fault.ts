/**
 * Errors that are about what a client of this server has sent. A handler may meet
 * errors of the same classes elsewhere: an upstream of its own that stalls, or sends
 * too much, is no fault of the client that waits for the answer.
 */
const faults = new WeakSet<object>();

/**
 * Notes that an error is about the request. Whoever reads requests calls it where
 * the error leaves for the handler.
 *
 * @param error What is thrown.
 * @returns The same.
 */
export function requestFault<T>(error: T): T {
  if (typeof error === "object" && error !== null) faults.add(error);
  return error;
}

/**
 * Notes the same of whatever reading fails with. Nobody has to wait for it: a handler
 * may begin to read, and do something else first. If the client breaks off then, its
 * error must not end the process as one that nobody has handled.
 *
 * @param reading What the handler is given.
 * @returns The same.
 */
export function faultOf<T>(reading: Promise<T>): Promise<T> {
  // In front of whatever the handler does about it.
  reading.catch(requestFault);
  return reading;
}

/**
 * Whether an error is about the request, and not about something that the handler
 * did for it.
 *
 * @param error What was thrown.
 */
export function isRequestFault(error: object): boolean {
  return faults.has(error);
}
