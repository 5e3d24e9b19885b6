// This module is sans-I/O.

/**
 * Domain names between text and wire, byte by byte: what names, the reader and the writer share.
 */

/** RFC 1035 section 2.3.4: bytes of a name on the wire, with the root. */
export const MAX_NAME_BYTES = 255;
/** RFC 1035 section 2.3.4: bytes of a label. */
export const MAX_LABEL_BYTES = 63;

export const DOT = 0x2e;
export const BACKSLASH = 0x5c;

const fromCharCode = String.fromCharCode;

/** How each byte of a label stands in text. */
const BYTE_TEXT: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x21 || byte > 0x7e) return `\\${String(byte).padStart(3, "0")}`;
  const text = fromCharCode(byte);
  return '.\\";()@$'.includes(text) ? `\\${text}` : text;
});

/** 1 for a byte that stands for itself in text. */
export const PLAIN: Uint8Array = Uint8Array.from(BYTE_TEXT, (text) => text.length === 1 ? 1 : 0);

/**
 * The text of a label with a dot behind it. The plain ones are made of as few pieces as possible:
 * of all that a message costs, its names cost the most (`tests/bench/dns`).
 */
export function formatLabel(bytes: Uint8Array, start: number, end: number): string {
  let plain = 1;
  for (let at = start; at < end; at++) plain &= PLAIN[bytes[at]!]!;
  if (plain === 0) return escapeLabel(bytes, start, end);
  const b = bytes;
  let text = "";
  let i = start;
  for (; end - i >= 8; i += 8) {
    text += fromCharCode(
      b[i]!,
      b[i + 1]!,
      b[i + 2]!,
      b[i + 3]!,
      b[i + 4]!,
      b[i + 5]!,
      b[i + 6]!,
      b[i + 7]!,
    );
  }
  return text + formatFew(b, i, end - i);
}

/** The text of fewer than eight plain bytes, with a dot behind them. */
function formatFew(b: Uint8Array, i: number, count: number): string {
  switch (count) {
    case 0:
      return ".";
    case 1:
      return fromCharCode(b[i]!, DOT);
    case 2:
      return fromCharCode(b[i]!, b[i + 1]!, DOT);
    case 3:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, DOT);
    case 4:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, DOT);
    case 5:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, DOT);
    case 6:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, DOT);
    default:
      return fromCharCode(
        b[i]!,
        b[i + 1]!,
        b[i + 2]!,
        b[i + 3]!,
        b[i + 4]!,
        b[i + 5]!,
        b[i + 6]!,
        DOT,
      );
  }
}

function escapeLabel(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) text += BYTE_TEXT[bytes[at]!]!;
  return `${text}.`;
}

/** Says what is wrong with a text, at which index of it. */
export type FailName = (text: string, reason: string, index: number) => never;

/**
 * Writes the wire form of a name, uncompressed, to `out`, which has room for 256 bytes more.
 * Without a final dot the name is taken as absolute nevertheless.
 *
 * @returns The offset behind it.
 */
export function writeNameWire(text: string, out: Uint8Array, at: number, fail: FailName): number {
  if (text === ".") {
    out[at] = 0;
    return at + 1;
  }
  const end = text.length;
  const limit = at + MAX_NAME_BYTES;
  let lengthAt = at;
  let to = at + 1;
  for (let index = 0; index < end; index++) {
    let code = text.charCodeAt(index);
    if (code === DOT) {
      const length = to - lengthAt - 1;
      if (length === 0 || length > MAX_LABEL_BYTES) failLabel(text, length, index, fail);
      out[lengthAt] = length;
      lengthAt = to++;
    } else {
      if (code === BACKSLASH) {
        code = readEscape(text, index + 1, fail);
        index += isDigit(text.charCodeAt(index + 1)) ? 3 : 1;
      } else if (code > 0x7f) {
        fail(text, "a character beyond ASCII needs an escape or IDNA", index);
      }
      out[to++] = code;
    }
    if (to > limit) fail(text, "it has more than 255 bytes", index);
  }
  const length = to - lengthAt - 1;
  if (length > 0) {
    if (length > MAX_LABEL_BYTES) failLabel(text, length, end, fail);
    out[lengthAt] = length;
    lengthAt = to;
  } else if (end === 0) {
    fail(text, "it is empty; the root is a dot", 0);
  }
  if (lengthAt >= limit) fail(text, "it has more than 255 bytes", end);
  out[lengthAt] = 0;
  return lengthAt + 1;
}

function failLabel(text: string, length: number, index: number, fail: FailName): never {
  return fail(
    text,
    length === 0 ? "a label is empty" : `a label has ${length} bytes, more than 63`,
    index,
  );
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The byte that the escape stands for whose backslash is in front of `index`. */
function readEscape(text: string, index: number, fail: FailName): number {
  const first = text.charCodeAt(index);
  if (!isDigit(first)) {
    if (first >= 0x20 && first <= 0x7e) return first;
    return fail(text, "nothing that can be escaped follows a backslash", index);
  }
  const second = text.charCodeAt(index + 1);
  const third = text.charCodeAt(index + 2);
  const byte = first * 100 + second * 10 + third - 0x30 * 111;
  // Past the end there is NaN, which is no digit.
  if (isDigit(second) && isDigit(third) && byte <= 0xff) return byte;
  return fail(text, "an escape by number has three digits and is at most 255", index);
}

/** A text for messages of errors, quoted and cut. */
export function quoteName(text: string): string {
  return JSON.stringify(text.length > 32 ? `${text.slice(0, 32)}…` : text);
}
