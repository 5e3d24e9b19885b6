// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { decodeLatin1 } from "./ascii.ts";
import { HEX_VALUE } from "./char_class.ts";
import { HttpProtocolError } from "./errors.ts";
import { resolveBound } from "./limits.ts";

const PERCENT = 0x25;
const PLUS = 0x2b;
const SP = 0x20;
const NOT_HEX = 255;

/** Options of {@linkcode parseFormUrlEncoded}. */
export interface FormUrlEncodedOptions {
  /**
   * Fields of the form; more are refused with 413. 0 or Infinity for no bound.
   *
   * @default {1000}
   */
  readonly maxFields?: number;
  /**
   * Charset of the bytes, where it is not UTF-8: any name that `TextDecoder` takes.
   *
   * @default {"utf-8"}
   */
  readonly charset?: string;
}

/**
 * Parses `application/x-www-form-urlencoded`, strictly: every `%` is followed by
 * two hexadecimal digits, and what comes out is text of the charset. Where a URL
 * parser would guess, this one throws.
 *
 * @param bytes The whole form.
 * @param options Bounds and charset.
 * @returns Names and values in order; a name without `=` has an empty value.
 * @throws {HttpProtocolError} If the form is malformed.
 * @throws {LimitExceededError} If it has too many fields.
 * @throws {RangeError} If the charset is unknown or `maxFields` out of its range.
 *
 * @example Two fields
 * ```ts
 * import { parseFormUrlEncoded } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("name=Ada+L%C3%B6we&subscribe");
 * assertEquals(parseFormUrlEncoded(bytes), [["name", "Ada Löwe"], ["subscribe", ""]]);
 * ```
 */
export function parseFormUrlEncoded(
  bytes: Uint8Array,
  options: FormUrlEncodedOptions = {},
): [name: string, value: string][] {
  const maxFields = resolveBound("maxFields", options.maxFields ?? 1_000);
  const decoder = new TextDecoder(options.charset ?? "utf-8", { fatal: true, ignoreBOM: true });
  // The characters of a form's syntax are single bytes in every charset of the web
  // but UTF-16, which TextDecoder would take for garbage here.
  const decode = decoder.encoding === "utf-8" ? decodeUtf8 : decodeWith(decoder);
  const text = decoder.encoding === "utf-8" ? wholeText(decoder, bytes) : latin1(bytes);
  const fields: [name: string, value: string][] = [];
  for (let start = 0; start <= text.length;) {
    let end = text.indexOf("&", start);
    if (end < 0) end = text.length;
    if (end > start) {
      if (fields.length === maxFields) throw tooManyFields(maxFields);
      fields.push(parseField(text.slice(start, end), decode));
    }
    start = end + 1;
  }
  return fields;
}

function parseField(text: string, decode: (text: string) => string): [string, string] {
  const equals = text.indexOf("=");
  if (equals < 0) return [decode(text), ""];
  return [decode(text.slice(0, equals)), decode(text.slice(equals + 1))];
}

function wholeText(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw badForm(cause);
  }
}

function decodeUtf8(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch (cause) {
    throw badForm(cause);
  }
}

function decodeWith(decoder: TextDecoder): (text: string) => string {
  return (text) => {
    try {
      return decoder.decode(percentDecode(text));
    } catch (cause) {
      throw cause instanceof HttpProtocolError ? cause : badForm(cause);
    }
  };
}

/** The bytes of a text in which each character stands for one byte. */
function percentDecode(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === PERCENT) {
      const high = hexAt(text, ++at);
      bytes[count++] = high * 16 + hexAt(text, ++at);
    } else {
      bytes[count++] = code === PLUS ? SP : code;
    }
  }
  return bytes.subarray(0, count);
}

function hexAt(text: string, at: number): number {
  const value = at < text.length ? HEX_VALUE[text.charCodeAt(at)]! : NOT_HEX;
  if (value === NOT_HEX) throw badForm();
  return value;
}

function badForm(cause?: unknown): HttpProtocolError {
  return new HttpProtocolError(
    "ERR_HTTP_BAD_FORM",
    "Cannot parse form: it is not percent-encoded text of its charset",
    { cause },
  );
}

function tooManyFields(max: number): LimitExceededError {
  return new LimitExceededError(`Cannot parse form: it has more than ${max} fields`, {
    limit: "maxFields",
    max,
    statusHint: 413,
  });
}

function latin1(bytes: Uint8Array): string {
  return decodeLatin1(bytes, 0, bytes.length);
}
