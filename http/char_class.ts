// This module is sans-I/O.

/**
 * Character classes of RFC 9110 and RFC 9112 as 256-entry tables: one load and
 * one test per byte. An entry is 1 where the byte belongs to the class.
 */

const TAB = 0x09;

function table(member: (byte: number) => boolean): Uint8Array {
  const entries = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    if (member(byte)) entries[byte] = 1;
  }
  return entries;
}

function isAlphaOrDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a);
}

function isOneOf(characters: string): (byte: number) => boolean {
  return (byte) => characters.includes(String.fromCharCode(byte));
}

function isVisible(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

const isTokenMark = isOneOf("!#$%&'*+-.^_`|~");
const isUnsafeInPath = isOneOf('"#<>\\');
const isHostMark = isOneOf("-._~!$&'()*+,;=%");

/** `tchar` of RFC 9110 section 5.6.2: what names and methods are made of. */
export const TOKEN: Uint8Array = table((byte) => isAlphaOrDigit(byte) || isTokenMark(byte));

/** `field-vchar`, SP and HTAB of RFC 9110 section 5.5, with obs-text. */
export const FIELD_VALUE: Uint8Array = table((byte) =>
  byte === TAB || byte === 0x20 || isVisible(byte) || byte >= 0x80
);

/**
 * What a request target may hold before its `?`. RFC 3986 section 3.3 less
 * strictly: `^`, `|` and their like are sent by clients in the wild and harm
 * nobody, while backslash and `#` are read as something else further on.
 */
export const TARGET_PATH: Uint8Array = table((byte) => isVisible(byte) && !isUnsafeInPath(byte));

/** What a request target may hold after its `?`: all that is visible but `#`. */
export const TARGET_QUERY: Uint8Array = table((byte) => isVisible(byte) && byte !== 0x23);

/**
 * `reg-name` of RFC 3986 section 3.2.2, with IPv4 addresses; without the comma,
 * which in a Host field is the mark of two fields joined by somebody.
 */
export const HOST: Uint8Array = table((byte) =>
  byte !== 0x2c && (isAlphaOrDigit(byte) || isHostMark(byte))
);

/** `qdtext` of RFC 9110 section 5.6.4: the inside of a quoted string. */
export const QUOTED_TEXT: Uint8Array = table((byte) =>
  FIELD_VALUE[byte] === 1 && byte !== 0x22 && byte !== 0x5c
);

/** Value of a hexadecimal digit; 255 for every other byte. */
export const HEX_VALUE: Uint8Array = table(() => true).map((_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return byte >= 0x41 && lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 255;
});

/** Whether every character of `text` is in the class. False for no characters. */
export function consistsOf(text: string, characterClass: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff || characterClass[code] !== 1) return false;
  }
  return text.length > 0;
}
