// This module is sans-I/O.

import { type DerReader, DerTag } from "./der_reader.ts";

/**
 * The types of strings that names are made of: what their bytes may be, and what
 * they mean.
 */

/** X.680 section 41.4: what a PrintableString consists of. */
const PRINTABLE: Uint8Array = (() => {
  const table = new Uint8Array(256);
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?";
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
})();

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Holds that the string which was just read is one of its type. Whatever is no
 * string passes.
 *
 * @param reader Behind the string.
 * @param tag Its tag.
 * @throws {CertificateError} If a byte of it cannot occur in such a string.
 */
export function checkDerString(reader: DerReader, tag: number): void {
  const { bytes, contentStart, contentEnd } = reader;
  const fault = findStringFault(bytes, tag, contentStart, contentEnd);
  if (fault < 0) return;
  throw reader.error("a string is not of its type", fault, "ERR_X509_BAD_NAME");
}

/**
 * Decodes a string.
 *
 * @param tag Its tag.
 * @param content Its bytes, which {@linkcode checkDerString} has seen.
 * @returns The text, `undefined` if the tag is not that of a string.
 */
export function decodeDerString(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case DerTag.PRINTABLE_STRING:
    case DerTag.IA5_STRING:
    case DerTag.NUMERIC_STRING:
    case DerTag.VISIBLE_STRING:
    case DerTag.TELETEX_STRING:
      // Nobody writes T.61: what calls itself so is Latin-1.
      return latin1(content);
    case DerTag.UTF8_STRING:
      return isAscii(content) ? latin1(content) : strictUtf8.decode(content);
    case DerTag.BMP_STRING:
      return wideText(content, 2);
    case DerTag.UNIVERSAL_STRING:
      return wideText(content, 4);
    default:
      return undefined;
  }
}

/**
 * Looks for what cannot occur in a string of a type.
 *
 * @param bytes Buffer with the string.
 * @param tag Its tag; there is nothing wrong with what is no string.
 * @param start Offset of its first byte.
 * @param end Offset behind its last byte.
 * @returns Offset of the first wrong byte, -1 if all is well.
 */
export function findStringFault(
  bytes: Uint8Array,
  tag: number,
  start: number,
  end: number,
): number {
  switch (tag) {
    case DerTag.PRINTABLE_STRING:
      for (let i = start; i < end; i++) if (PRINTABLE[bytes[i]!] === 0) return i;
      return -1;
    case DerTag.UTF8_STRING:
      return findBadUtf8(bytes, start, end);
    case DerTag.IA5_STRING:
      return findOutside(bytes, start, end, 0x00, 0x7f);
    case DerTag.VISIBLE_STRING:
      return findOutside(bytes, start, end, 0x20, 0x7e);
    case DerTag.NUMERIC_STRING:
      for (let i = start; i < end; i++) {
        const byte = bytes[i]!;
        if (byte !== 0x20 && (byte < 0x30 || byte > 0x39)) return i;
      }
      return -1;
    case DerTag.BMP_STRING:
      return findBadWide(bytes, start, end, 2);
    case DerTag.UNIVERSAL_STRING:
      return findBadWide(bytes, start, end, 4);
    default:
      return -1;
  }
}

function findOutside(
  bytes: Uint8Array,
  start: number,
  end: number,
  low: number,
  high: number,
): number {
  for (let i = start; i < end; i++) if (bytes[i]! < low || bytes[i]! > high) return i;
  return -1;
}

function findBadUtf8(bytes: Uint8Array, start: number, end: number): number {
  const first = findOutside(bytes, start, end, 0x00, 0x7f);
  if (first < 0) return -1;
  try {
    strictUtf8.decode(bytes.subarray(first, end));
    return -1;
  } catch {
    return first;
  }
}

/** A BMPString has no surrogates (X.680 section 41.15), and neither has the other. */
function findBadWide(bytes: Uint8Array, start: number, end: number, width: 2 | 4): number {
  if ((end - start) % width !== 0) return end;
  for (let i = start; i < end; i += width) {
    const code = wideCode(bytes, i, width);
    if (code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) return i;
  }
  return -1;
}

function wideCode(bytes: Uint8Array, at: number, width: 2 | 4): number {
  let code = 0;
  for (let i = at; i < at + width; i++) code = code * 256 + bytes[i]!;
  return code;
}

function wideText(content: Uint8Array, width: 2 | 4): string {
  let text = "";
  for (let i = 0; i < content.length; i += width) {
    text += String.fromCodePoint(wideCode(content, i, width));
  }
  return text;
}

function isAscii(content: Uint8Array): boolean {
  return findOutside(content, 0, content.length, 0x00, 0x7f) < 0;
}

function latin1(content: Uint8Array): string {
  let text = "";
  for (let i = 0; i < content.length; i++) text += String.fromCharCode(content[i]!);
  return text;
}
