// This module is sans-I/O.

import { encodeAscii } from "./ascii.ts";
import { checkMethod, checkReason, checkStatus, checkTarget } from "./field_text.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { reasonPhrase } from "./status.ts";

/**
 * Start lines on their way out. Field lines are written by
 * {@linkcode OutputBuffer.writeField}; no other way leads into a head, so
 * nothing that could end a line early gets there.
 */

const LOWEST_STATUS = 100;
/** Status lines that were asked for, with the registered reason phrases. */
const statusLines: (Uint8Array | undefined)[] = [];

/**
 * Writes a request line.
 *
 * @param out Where to.
 * @param method Method: a token.
 * @param target Request target in one of the forms of RFC 9112 section 3.2.
 * @throws {TypeError} If method or target cannot stand in a request line.
 */
export function writeRequestLine(out: OutputBuffer, method: string, target: string): void {
  checkMethod(method);
  checkTarget(target);
  out.writeText(`${method} ${target} HTTP/1.1\r\n`);
}

/**
 * Writes a status line.
 *
 * @param out Where to.
 * @param status Status code, 100 to 999.
 * @param reason Reason phrase; by default the registered one.
 * @throws {RangeError} If the status is not an integer from 100 to 999.
 * @throws {TypeError} If the reason phrase cannot stand in a status line.
 */
export function writeStatusLine(out: OutputBuffer, status: number, reason?: string): void {
  if (reason !== undefined) {
    checkStatus(status, LOWEST_STATUS);
    checkReason(reason);
    out.writeText(`HTTP/1.1 ${status} ${reason}\r\n`);
    return;
  }
  out.writeBytes(statusLines[status] ?? makeStatusLine(status));
}

function makeStatusLine(status: number): Uint8Array {
  checkStatus(status, LOWEST_STATUS);
  const text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  const line = encodeAscii(text);
  statusLines[status] = line;
  return line;
}
