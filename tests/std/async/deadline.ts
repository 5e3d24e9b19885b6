/** Options for {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Rejects the promise early, with the reason of the signal. */
  signal?: AbortSignal;
}

/**
 * Settles as `promise` does, or rejects with a `TimeoutError` `DOMException` after `ms`.
 *
 * The promise itself is not cancelled.
 */
export async function deadline<T>(
  promise: Promise<T>,
  ms: number,
  options: DeadlineOptions = {},
): Promise<T> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => reject(new DOMException("Signal timed out.", "TimeoutError")), ms);
  try {
    return await Promise.race([promise, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
