/**
 * {@linkcode toSendError}: why a datagram did not leave, in the same classes
 * whichever way it took.
 *
 * @module
 */

import { toSystemError } from "./system_error.ts";

/** A datagram that did not leave. */
export interface FailedDatagram {
  /** Bytes in it. */
  readonly byteCount: number;
  /** Address of its destination. */
  readonly hostname: string;
  /** Port of its destination. */
  readonly port: number;
}

/**
 * Makes what a `send` rejects with of what the runtime said.
 *
 * @param error What the runtime said.
 * @param datagram What did not leave.
 * @returns A `RangeError` if it was too large, `Deno.errors.NotCapable` if the
 * destination is not permitted, else the error in the class of the system.
 */
export function toSendError(error: unknown, datagram: FailedDatagram): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // Less than a datagram can be may be too much, too: IPv4 through an IPv6
  // socket, a smaller limit of the system.
  if (code === "EMSGSIZE") return tooLargeError(datagram.byteCount, error);
  // node:dgram keeps the reason to itself; for this one there is a way to find out.
  if (code === "UNKNOWN" && !isPermitted(datagram)) {
    return new Deno.errors.NotCapable(
      `Cannot send: requires --allow-net for "${hostOf(datagram)}"`,
      { cause: error },
    );
  }
  return toSystemError(error);
}

/**
 * The error for a datagram that is larger than one can be.
 *
 * @param byteCount Its size.
 * @param cause What the runtime said, if it was asked.
 * @returns The error.
 */
export function tooLargeError(byteCount: number, cause?: unknown): RangeError {
  const options = cause === undefined ? {} : { cause };
  return new RangeError(`Cannot send: ${byteCount} bytes are too many for a datagram`, options);
}

function isPermitted(datagram: FailedDatagram): boolean {
  return Deno.permissions.querySync({ name: "net", host: hostOf(datagram) }).state === "granted";
}

/** Address and port as `--allow-net` takes them; it knows of no zones. */
function hostOf({ hostname, port }: FailedDatagram): string {
  const host = hostname.replace(/%.*$/, "");
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
