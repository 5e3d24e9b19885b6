/**
 * {@linkcode toSystemError}: one set of error classes, whichever door of the
 * runtime an error came through.
 *
 * @module
 */

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/**
 * Classes of the runtime for the codes of the system that sockets and files
 * give. What is not here, `EHOSTUNREACH` and `EMFILE` for example, is a plain
 * `Error` with a `code` from `Deno.*` too.
 */
const CLASSES: Readonly<Record<string, ErrorClass>> = {
  EACCES: Deno.errors.PermissionDenied,
  EADDRINUSE: Deno.errors.AddrInUse,
  EADDRNOTAVAIL: Deno.errors.AddrNotAvailable,
  ECANCELED: Deno.errors.Interrupted,
  ECONNABORTED: Deno.errors.ConnectionAborted,
  ECONNREFUSED: Deno.errors.ConnectionRefused,
  ECONNRESET: Deno.errors.ConnectionReset,
  EEXIST: Deno.errors.AlreadyExists,
  EINTR: Deno.errors.Interrupted,
  EISDIR: Deno.errors.IsADirectory,
  ELOOP: Deno.errors.FilesystemLoop,
  ENETUNREACH: Deno.errors.NetworkUnreachable,
  ENOENT: Deno.errors.NotFound,
  ENOTCONN: Deno.errors.NotConnected,
  ENOTDIR: Deno.errors.NotADirectory,
  ENOTFOUND: Deno.errors.NotFound,
  ENOTSUP: Deno.errors.NotSupported,
  EOPNOTSUPP: Deno.errors.NotSupported,
  EPERM: Deno.errors.PermissionDenied,
  EPIPE: Deno.errors.BrokenPipe,
  ETIMEDOUT: Deno.errors.TimedOut,
};

/**
 * Turns an error of a `node:` module into the class that `Deno.*` throws for
 * the same thing. Anything else is given back untouched.
 *
 * A name that does not exist becomes `Deno.errors.NotFound`, as it is for
 * `Deno.resolveDns`.
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
  // An error of the runtime's own, or of a library, has its class already.
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code !== "string") return error;
  const errorClass = classOf(code, syscall);
  if (errorClass === undefined) return error;
  return Object.assign(new errorClass(error.message, { cause: error }), { code });
}

function classOf(code: string, syscall: unknown): ErrorClass | undefined {
  // A look-up asks the system for no permission, so it is the runtime that refused.
  if (code === "EPERM" && syscall === "getaddrinfo") return Deno.errors.NotCapable;
  return Object.hasOwn(CLASSES, code) ? CLASSES[code] : undefined;
}
