// This module is sans-I/O.

import { type ControlFields, TransferCoding } from "./control_fields.ts";
import { HttpProtocolError } from "./errors.ts";

/**
 * How a body ends where its length is not a number of bytes known beforehand.
 * A framing is a plain number, so that deciding it costs no object: 0 and more
 * is a length in bytes, below 0 is one of these.
 */
export const Framing = {
  /** With the last chunk (RFC 9112 section 7.1). */
  CHUNKED: -1,
  /** When the connection ends; responses only. */
  UNTIL_CLOSE: -2,
  /** There is no body: the connection is a tunnel from here on. */
  TUNNEL: -3,
} as const;

/** What the framing of a message depends on. */
export interface FramingInput {
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** Status of a response; 0 for a request. */
  readonly status: number;
  /** The fields of the message. */
  readonly control: ControlFields;
}

/**
 * Decides how the body of a message ends, for both directions. The rules are
 * those of RFC 9112 section 6.3, in its order; where it leaves a choice that
 * has been used for request smuggling, the message is refused.
 *
 * @param message The message; a completed head parser is one.
 * @param requestMethod Method of the request, also where the message is the
 * response to it.
 * @returns The length in bytes, or one of {@linkcode Framing}.
 * @throws {HttpProtocolError} If the framing is faulty.
 */
export function decideFraming(message: FramingInput, requestMethod: string): number {
  const { status, control } = message;
  const isResponse = status !== 0;
  // Rule 1: no body whatever the fields say.
  if (isResponse && !mayHaveBody(status, requestMethod)) return 0;
  // Rule 2: a tunnel.
  if (isResponse && requestMethod === "CONNECT" && status < 300) return Framing.TUNNEL;
  if (control.transferCoding !== TransferCoding.ABSENT) {
    checkTransferCoding(message);
    // Rule 4: chunked is the last coding, and the only one known.
    return Framing.CHUNKED;
  }
  // Rule 5 (an invalid Content-Length) was settled when the fields were read.
  // Rule 6: a length in bytes.
  if (control.contentLength >= 0) return control.contentLength;
  // Rule 7: a request without either has no body. Rule 8: a response ends with
  // its connection.
  return isResponse ? Framing.UNTIL_CLOSE : 0;
}

function checkTransferCoding({ minorVersion, control }: FramingInput): void {
  // RFC 9112 section 6.1: HTTP/1.0 knows no transfer coding.
  if (minorVersion === 0) {
    throw new HttpProtocolError(
      "ERR_HTTP_BAD_TRANSFER_ENCODING",
      "Cannot use Transfer-Encoding: the message is HTTP/1.0",
    );
  }
  // Rule 3 lets Transfer-Encoding win; whoever sends both is refused.
  if (control.contentLength >= 0) {
    throw new HttpProtocolError(
      "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
      "Cannot frame message: it has Content-Length and Transfer-Encoding",
    );
  }
  if (control.transferCoding === TransferCoding.UNKNOWN) {
    throw new HttpProtocolError(
      "ERR_HTTP_UNKNOWN_TRANSFER_CODING",
      "Cannot frame message: a transfer coding is not chunked",
      { statusHint: 501 },
    );
  }
}

/**
 * Whether a response may carry a body at all: never to HEAD, never with 1xx,
 * 204 or 304 (RFC 9110 section 6.4.1).
 *
 * @param status Status of the response.
 * @param requestMethod Method it answers.
 */
export function mayHaveBody(status: number, requestMethod: string): boolean {
  return requestMethod !== "HEAD" && status >= 200 && status !== 204 && status !== 304;
}

/**
 * Whether the connection may be used again after this message (RFC 9112
 * section 9.3).
 *
 * @param minorVersion 0 for HTTP/1.0, 1 for HTTP/1.1.
 * @param control The fields of the message.
 */
export function isPersistent(minorVersion: number, control: ControlFields): boolean {
  if (control.hasClose) return false;
  return minorVersion === 1 || control.hasKeepAlive;
}
