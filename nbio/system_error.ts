/**
 * {@linkcode toSystemError}: one set of error classes, whichever door of the
 * runtime an error came through.
 *
 * @module
 */

/** Classes of the runtime for the codes of the system that sockets and files give. */
const CLASSES: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = {
  EACCES: Deno.errors.PermissionDenied,
  EADDRINUSE: Deno.errors.AddrInUse,
  EADDRNOTAVAIL: Deno.errors.AddrNotAvailable,
  EAI_AGAIN: Deno.errors.NotFound,
  ECONNABORTED: Deno.errors.ConnectionAborted,
  ECONNREFUSED: Deno.errors.ConnectionRefused,
  ECONNRESET: Deno.errors.ConnectionReset,
  EEXIST: Deno.errors.AlreadyExists,
  ENETUNREACH: Deno.errors.NetworkUnreachable,
  ENOENT: Deno.errors.NotFound,
  ENOTCONN: Deno.errors.NotConnected,
  ENOTFOUND: Deno.errors.NotFound,
  EPERM: Deno.errors.NotCapable,
  EPIPE: Deno.errors.BrokenPipe,
  ETIMEDOUT: Deno.errors.TimedOut,
};

/**
 * Turns an error of a `node:` module into the class that `Deno.*` throws for
 * the same thing. Anything else is given back untouched.
 *
 * @param error What was thrown, with the `code` of the system on it.
 * @returns An error of `Deno.errors` with the same message and `code`, and
 * `error` as its cause; or `error` itself.
 *
 * @example A taken port, seen through node:dgram
 * ```ts
 * import { toSystemError } from "@nbio/net/nbio";
 * import { assert } from "@std/assert";
 *
 * const error = Object.assign(new Error("bind EADDRINUSE"), { code: "EADDRINUSE" });
 * assert(toSystemError(error) instanceof Deno.errors.AddrInUse);
 * ```
 */
export function toSystemError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const code = String(error.code);
  // An error of the runtime's own has its class already.
  if (!Object.hasOwn(CLASSES, code) || error.constructor !== Error) return error;
  return Object.assign(new CLASSES[code]!(error.message, { cause: error }), { code });
}
