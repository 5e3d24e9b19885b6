// This module is sans-I/O.

import { isBlank } from "../http/ascii.ts";
import { consistsOf, QUOTED_TEXT, TOKEN } from "../http/char_class.ts";

/**
 * `Sec-WebSocket-Extensions` (RFC 6455 section 9.1): a list of extensions, each with parameters, in
 * order of preference. What the parameters mean is the business of the extension.
 */

/** A parameter of an extension. */
export interface WebSocketExtensionParameter {
  /** Its name, as spelled: names of parameters are case-sensitive. */
  readonly name: string;
  /** Its value without quotes, always a token; `undefined` where none was given. */
  readonly value: string | undefined;
}

/** An extension that is offered or accepted. */
export interface WebSocketExtension {
  /** Its registered name, as spelled. */
  readonly name: string;
  /** Its parameters in order; a name may occur again. */
  readonly parameters: readonly WebSocketExtensionParameter[];
}

/** Bounds of {@linkcode parseWebSocketExtensions}. */
export interface WebSocketExtensionsOptions {
  /**
   * Extensions that are looked at, 1 to 1,000; those behind them count as one malformed one.
   *
   * @default {16}
   */
  readonly maxExtensionCount?: number;
  /**
   * Parameters of one extension, 1 to 1,000; with more it is malformed.
   *
   * @default {16}
   */
  readonly maxParameterCount?: number;
}

const DEFAULT_COUNT = 16;
const MOST_COUNT = 1_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/**
 * Parses the values of all `Sec-WebSocket-Extensions` fields of a message, which are one list
 * (RFC 9110 section 5.3). Takes time linear in their length.
 *
 * A server passes over what is malformed, as over any offer it has no use for; a client fails the
 * connection.
 *
 * @param values Value of each field line, in order.
 * @param options Bounds.
 * @returns The extensions in order, `undefined` in the place of a malformed one.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example An offer with an alternative
 * ```ts
 * import { parseWebSocketExtensions } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const [first, second, third] = parseWebSocketExtensions([
 *   'permessage-deflate; server_max_window_bits="10", permessage-deflate',
 *   "foo;=",
 * ]);
 * assertEquals(first?.parameters, [{ name: "server_max_window_bits", value: "10" }]);
 * assertEquals(second, { name: "permessage-deflate", parameters: [] });
 * assertEquals(third, undefined);
 * ```
 */
export function parseWebSocketExtensions(
  values: readonly string[],
  options: WebSocketExtensionsOptions = {},
): (WebSocketExtension | undefined)[] {
  const maxExtensionCount = checkCount("maxExtensionCount", options.maxExtensionCount);
  const maxParameterCount = checkCount("maxParameterCount", options.maxParameterCount);
  const extensions: (WebSocketExtension | undefined)[] = [];
  for (const value of values) {
    for (let start = 0; start <= value.length;) {
      const end = endOfElement(value, start);
      const first = skipBlanks(value, start, end);
      start = end + 1;
      // RFC 9110 section 5.6.1.2: empty elements of a list do not count.
      if (first === end) continue;
      if (extensions.length === maxExtensionCount) return [...extensions, undefined];
      extensions.push(parseExtension(value, first, end, maxParameterCount));
    }
  }
  return extensions;
}

/**
 * Formats extensions as the value of one `Sec-WebSocket-Extensions` field.
 *
 * @param extensions The extensions in order of preference.
 * @returns The value; the empty string for no extension.
 * @throws {TypeError} If a name or a value is not a token.
 *
 * @example Offering with a hint
 * ```ts
 * import { formatWebSocketExtensions } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const value = formatWebSocketExtensions([
 *   { name: "permessage-deflate", parameters: [{ name: "client_max_window_bits", value: undefined }] },
 * ]);
 * assertEquals(value, "permessage-deflate; client_max_window_bits");
 * ```
 */
export function formatWebSocketExtensions(extensions: readonly WebSocketExtension[]): string {
  return extensions.map(formatExtension).join(", ");
}

function formatExtension({ name, parameters }: WebSocketExtension): string {
  let text = checkToken(name);
  for (const parameter of parameters) {
    text += `; ${checkToken(parameter.name)}`;
    if (parameter.value !== undefined) text += `=${checkToken(parameter.value)}`;
  }
  return text;
}

/** Offset of the comma that ends the element at `start`, or of the end of it all. */
function endOfElement(text: string, start: number): number {
  let isQuoted = false;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (code === BACKSLASH && isQuoted) at++;
    else if (code === COMMA && !isQuoted) return at;
  }
  return text.length;
}

function parseExtension(
  text: string,
  start: number,
  end: number,
  maxParameterCount: number,
): WebSocketExtension | undefined {
  const nameEnd = endOfToken(text, start, end);
  if (nameEnd === start) return undefined;
  const name = text.slice(start, nameEnd);
  const parameters: WebSocketExtensionParameter[] = [];
  let at = skipBlanks(text, nameEnd, end);
  while (at < end) {
    if (text.charCodeAt(at) !== SEMICOLON || parameters.length === maxParameterCount) {
      return undefined;
    }
    const parameter = parseParameter(text, skipBlanks(text, at + 1, end), end);
    if (parameter === undefined) return undefined;
    parameters.push({ name: parameter.name, value: parameter.value });
    at = skipBlanks(text, parameter.end, end);
  }
  return { name, parameters };
}

interface ParsedParameter extends WebSocketExtensionParameter {
  /** Offset behind it. */
  readonly end: number;
}

function parseParameter(text: string, start: number, end: number): ParsedParameter | undefined {
  const nameEnd = endOfToken(text, start, end);
  if (nameEnd === start) return undefined;
  const name = text.slice(start, nameEnd);
  const equals = skipBlanks(text, nameEnd, end);
  if (text.charCodeAt(equals) !== EQUALS) {
    return { name, value: undefined, end: nameEnd };
  }
  const valueStart = skipBlanks(text, equals + 1, end);
  if (text.charCodeAt(valueStart) === QUOTE) return parseQuoted(text, name, valueStart + 1, end);
  const valueEnd = endOfToken(text, valueStart, end);
  if (valueEnd === valueStart) return undefined;
  return { name, value: text.slice(valueStart, valueEnd), end: valueEnd };
}

/** RFC 6455 section 9.1: what is left of a quoted string without its escapes must be a token. */
function parseQuoted(
  text: string,
  name: string,
  start: number,
  end: number,
): ParsedParameter | undefined {
  let value = "";
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      return consistsOf(value, TOKEN) ? { name, value, end: at + 1 } : undefined;
    }
    if (code === BACKSLASH) at++;
    else if (QUOTED_TEXT[code] !== 1) return undefined;
    value += text.charAt(at);
  }
  return undefined;
}

function endOfToken(text: string, start: number, end: number): number {
  let at = start;
  // Above 0xff the table has no entry.
  while (at < end && TOKEN[text.charCodeAt(at)] === 1) at++;
  return at;
}

function skipBlanks(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  return at;
}

function checkToken(text: string): string {
  if (consistsOf(text, TOKEN)) return text;
  throw new TypeError(`Cannot format extension: ${JSON.stringify(text.slice(0, 32))} is no token`);
}

function checkCount(name: string, value: number = DEFAULT_COUNT): number {
  if (Number.isInteger(value) && value >= 1 && value <= MOST_COUNT) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from 1 to ${MOST_COUNT}`);
}
