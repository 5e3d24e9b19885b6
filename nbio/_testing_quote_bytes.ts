// This module is sans-I/O.

/**
 * {@linkcode quoteBytes}: bytes of a peer in a message for people.
 *
 * @module
 */

/** Most bytes of a peer that appear in a message. */
const MAX_QUOTED_BYTES = 32;

const ESCAPES: Readonly<Record<number, string>> = {
  0x09: "\\t",
  0x0a: "\\n",
  0x0d: "\\r",
  0x22: '\\"',
  0x5c: "\\\\",
};

/**
 * Bytes as a quoted string in ASCII, cut at 32, with dots where something is
 * missing.
 *
 * @param bytes What to show.
 * @param start Where to begin.
 * @returns For example `..."lo\r\n"` or `nothing`.
 */
export function quoteBytes(bytes: Uint8Array, start = 0): string {
  const shown = bytes.subarray(start, start + MAX_QUOTED_BYTES);
  if (bytes.length === 0) return "nothing";
  let text = start > 0 ? '..."' : '"';
  for (const byte of shown) {
    const isPlain = byte >= 0x20 && byte < 0x7f;
    text += ESCAPES[byte] ??
      (isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`);
  }
  return text + (start + shown.length < bytes.length ? '"...' : '"');
}
