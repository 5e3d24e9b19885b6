// This module is sans-I/O.

import { decodeBase64, encodeBase64 } from "@std/encoding";
import { LimitExceededError } from "../nbio/errors.ts";
import { CertificateError } from "./certificate_errors.ts";

/** One block of a PEM text. */
export interface PemBlock {
  /** What it is, for example `CERTIFICATE` or `PRIVATE KEY`. */
  readonly label: string;
  /** Header fields in front of the data (RFC 1421), in order; mostly none. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The data. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Bounds of {@linkcode parsePemBlocks}. */
export interface ParsePemOptions {
  /**
   * Most bytes of the data of one block, 1 to 2^30.
   *
   * @default {16_777_216}
   */
  readonly maxBlockBytes?: number;
  /**
   * Most blocks of a text, 1 to 1,000,000.
   *
   * @default {10_000}
   */
  readonly maxBlockCount?: number;
}

const DEFAULT_MAX_BYTES = 2 ** 24;
const MOST_BYTES = 2 ** 30;
const DEFAULT_MAX_COUNT = 10_000;
const MOST_COUNT = 1_000_000;

const BEGIN = "-----BEGIN ";
const END = "-----END ";
const DASHES = "-----";
/** RFC 7468 section 3: upper-case words; digits and dashes between them occur. */
const LABEL = /^[A-Z0-9](?:[A-Z0-9]|[ -](?=[A-Z0-9])){0,63}$/;
const HEADER = /^([!-9;-~]+):[ \t]*(.*)$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Parses the blocks of a PEM text (RFC 7468) in order. What stands between them
 * is passed over, as RFC 7468 section 2 has it; inside of one only header fields
 * with an empty line behind them, and base64 in lines, are taken.
 *
 * The work is linear in the length of the text; a block is decoded when the
 * iterator comes to it.
 *
 * @param text The text; lines end with LF, CRLF or CR.
 * @param options Bounds.
 * @returns The blocks.
 * @throws {CertificateError} If a block has no end or another one, or is no base64.
 * @throws {LimitExceededError} If a bound is passed.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A block with text in front
 * ```ts
 * import { parsePemBlocks } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const [block] = parsePemBlocks("A key:\n-----BEGIN X-----\nAQID\n-----END X-----\n");
 * assertEquals(block, { label: "X", headers: [], bytes: new Uint8Array([1, 2, 3]) });
 * ```
 */
export function* parsePemBlocks(
  text: string,
  options: ParsePemOptions = {},
): Generator<PemBlock, void, undefined> {
  const { maxBlockBytes = DEFAULT_MAX_BYTES, maxBlockCount = DEFAULT_MAX_COUNT } = options;
  checkOption("maxBlockBytes", maxBlockBytes, MOST_BYTES);
  checkOption("maxBlockCount", maxBlockCount, MOST_COUNT);
  let count = 0;
  let position = 0;
  while ((position = findBegin(text, position)) >= 0) {
    if (++count > maxBlockCount) throw tooMuch("maxBlockCount", maxBlockCount);
    const start = position;
    const bodyStart = endOfLine(text, start);
    const label = text.slice(start + BEGIN.length, bodyStart).trimEnd().slice(0, -DASHES.length);
    if (!LABEL.test(label)) throw badPem("a block has no label", start);
    const bodyEnd = text.indexOf(DASHES, bodyStart);
    if (bodyEnd < 0) throw badPem("a block has no end", start);
    const endLine = text.slice(bodyEnd, endOfLine(text, bodyEnd)).trimEnd();
    if (endLine !== `${END}${label}${DASHES}`) throw badPem("a block has another end", bodyEnd);
    const { headers, dataStart } = parseHeaders(text, bodyStart, bodyEnd);
    // Four characters are three bytes; line ends are not counted twice.
    if (bodyEnd - dataStart > maxBlockBytes * 2) throw tooMuch("maxBlockBytes", maxBlockBytes);
    const bytes = decode(text, dataStart, bodyEnd);
    if (bytes.length > maxBlockBytes) throw tooMuch("maxBlockBytes", maxBlockBytes);
    yield { label, headers, bytes };
    position = bodyEnd + endLine.length;
  }
}

function checkOption(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`Cannot parse PEM: ${name} ${value} is not from 1 to ${max}`);
}

function tooMuch(limit: string, max: number): LimitExceededError {
  return new LimitExceededError(`Cannot parse PEM: it passes ${limit} ${max}`, { limit, max });
}

function badPem(reason: string, offset: number): CertificateError {
  const message = `Cannot parse PEM: ${reason} at character ${offset}`;
  return new CertificateError("ERR_X509_BAD_PEM", message, { offset });
}

/** Start of the next line that begins a block. */
function findBegin(text: string, from: number): number {
  let position = text.indexOf(BEGIN, from);
  while (position > 0 && !isLineEnd(text, position - 1)) {
    position = text.indexOf(BEGIN, position + BEGIN.length);
  }
  return position;
}

function isLineEnd(text: string, position: number): boolean {
  const code = text.charCodeAt(position);
  return code === 0x0a || code === 0x0d;
}

function endOfLine(text: string, from: number): number {
  let position = from;
  while (position < text.length && !isLineEnd(text, position)) position++;
  return position;
}

/** RFC 1421 section 4.6: header fields, an empty line, data. */
function parseHeaders(
  text: string,
  start: number,
  end: number,
): { headers: [string, string][]; dataStart: number } {
  const headers: [string, string][] = [];
  let position = skipLineEnd(text, start);
  for (;;) {
    const lineEnd = Math.min(endOfLine(text, position), end);
    const line = text.slice(position, lineEnd);
    const match = HEADER.exec(line);
    if (match !== null) headers.push([match[1]!, match[2]!.trimEnd()]);
    else if (headers.length === 0) return { headers, dataStart: start };
    else if (line.trim() === "") return { headers, dataStart: lineEnd };
    // A folded line goes on with the value before it.
    else if (/^[ \t]/.test(line)) headers.at(-1)![1] += line.trim();
    else throw badPem("data follows header fields without an empty line", position);
    position = skipLineEnd(text, lineEnd);
    if (position >= end) throw badPem("a block has header fields only", start);
  }
}

function skipLineEnd(text: string, position: number): number {
  const isPair = text.charCodeAt(position) === 0x0d && text.charCodeAt(position + 1) === 0x0a;
  return isPair ? position + 2 : Math.min(position + 1, text.length);
}

function decode(text: string, start: number, end: number): Uint8Array<ArrayBuffer> {
  const base64 = text.slice(start, end).replaceAll(/[ \t\r\n]+/g, "");
  // Strict: the right number of characters, and no bits left over (RFC 4648 section 3.5).
  if (base64.length % 4 !== 0 || !BASE64.test(base64)) throw badPem("data is no base64", start);
  const bytes = decodeBase64(base64);
  const last = base64.slice(-4);
  if (encodeBase64(bytes.subarray(bytes.length - 1 - (bytes.length + 2) % 3)) !== last) {
    throw badPem("data has bits left over", start);
  }
  return bytes;
}

/**
 * Formats a block of PEM (RFC 7468): lines of 64 characters, with LF.
 *
 * @param label What it is, for example `CERTIFICATE`.
 * @param bytes The data.
 * @returns The block with a line end behind it.
 * @throws {TypeError} If the label is not one of RFC 7468.
 *
 * @example Three bytes
 * ```ts
 * import { formatPem } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const text = formatPem("X", new Uint8Array([1, 2, 3]));
 * assertEquals(text, "-----BEGIN X-----\nAQID\n-----END X-----\n");
 * ```
 */
export function formatPem(label: string, bytes: Uint8Array): string {
  if (!LABEL.test(label)) {
    throw new TypeError(`Cannot format PEM: ${JSON.stringify(label.slice(0, 32))} is no label`);
  }
  const lines = encodeBase64(bytes).replaceAll(/.{64}(?!$)/g, "$&\n");
  const data = lines === "" ? "" : `${lines}\n`;
  return `${BEGIN}${label}${DASHES}\n${data}${END}${label}${DASHES}\n`;
}
