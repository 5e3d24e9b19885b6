// This module is sans-I/O.

import { type IpAddress, parseIpAddress } from "../nbio/ip_address.ts";
import { QUOTED_TEXT, TOKEN } from "./char_class.ts";

/**
 * What proxies say about the client: `Forwarded` (RFC 7239) and the older
 * `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`. Anybody can send
 * these fields: which of them to believe is another matter, see
 * `trustedProxy()`. Nothing here ever throws.
 */

/** A party to a request, as a proxy names it (RFC 7239 section 6). */
export interface ForwardedNode {
  /** Its address; `undefined` where the proxy does not tell it. */
  readonly address: IpAddress | undefined;
  /** Its port; `undefined` where it is not told, or only under a name. */
  readonly port: number | undefined;
  /** What stood there: an address, `unknown`, or a name that begins with `_`. */
  readonly name: string;
}

/** What one proxy says: one element of `Forwarded`. */
export interface ForwardedElement {
  /** Who sent the request to the proxy. */
  readonly for: ForwardedNode | undefined;
  /** Where the proxy took it. */
  readonly by: ForwardedNode | undefined;
  /** The `Host` of the request that the proxy got. */
  readonly host: string | undefined;
  /** The scheme by which it came, in lower case. */
  readonly proto: string | undefined;
}

/** Bounds of what is parsed. */
export interface ForwardedOptions {
  /**
   * Elements that are kept, 1 to 10,000: those furthest right, which were added
   * last and so tell of the nearest proxies.
   *
   * @default {64}
   */
  readonly maxElementCount?: number;
}

const DEFAULT_ELEMENTS = 64;
const MOST_ELEMENTS = 10_000;
/** A longer value is malformed, whatever it holds. */
const MAX_VALUE_LENGTH = 64 * 1024;
/** Parameters of one element, the extensions of RFC 7239 section 5.5 among them. */
const MAX_PARAMETERS = 16;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OBFUSCATED = /^_[0-9A-Za-z._-]{1,255}$/;
const SCHEME = /^[a-z][0-9a-z+.-]{0,31}$/;

/**
 * Parses the value of one `Forwarded` field line. Blanks around `;` are
 * tolerated, all else is by the grammar: a parameter that occurs twice, or a
 * node that is none, makes the value malformed.
 *
 * @param value The value.
 * @param options Bounds.
 * @returns The elements in order, or `undefined` for a malformed value.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Two proxies
 * ```ts
 * import { parseForwarded } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const elements = parseForwarded('for="[2001:db8::1]:4711";proto=https, for=192.0.2.1');
 * assertEquals(elements?.map((element) => element.for?.name), ["2001:db8::1", "192.0.2.1"]);
 * assertEquals([elements?.[0]?.for?.port, elements?.[0]?.proto], [4711, "https"]);
 * assertEquals(parseForwarded('for="192.0.2.1'), undefined);
 * ```
 */
export function parseForwarded(
  value: string,
  options: ForwardedOptions = {},
): ForwardedElement[] | undefined {
  const keep = keptElements(options);
  if (value.length > MAX_VALUE_LENGTH) return undefined;
  const elements = new LastElements<ForwardedElement>(keep);
  for (let at = 0; at <= value.length; at++) {
    const parameters = new Map<string, string>();
    at = readElement(value, at, parameters);
    if (at < 0) return undefined;
    // RFC 9110 section 5.6.1.2: empty elements of a list do not count.
    if (parameters.size === 0) continue;
    const element = toElement(parameters);
    if (element === undefined) return undefined;
    elements.push(element);
  }
  return elements.toArray();
}

/**
 * Parses the value of one `X-Forwarded-For` field line: addresses with commas
 * between, an IPv6 one in brackets or not, with a port where it is in brackets or
 * of IPv4.
 *
 * @param value The value.
 * @param options Bounds.
 * @returns The nodes in order, `undefined` in the place of one that is
 * malformed: what stands to the right of it was added later, and is not touched
 * by it.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A client that claims to be somebody
 * ```ts
 * import { parseForwardedFor } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const nodes = parseForwardedFor("nonsense!, 192.0.2.1:4711, 2001:db8::1");
 * assertEquals(nodes.map((node) => node?.name), [undefined, "192.0.2.1", "2001:db8::1"]);
 * ```
 */
export function parseForwardedFor(
  value: string,
  options: ForwardedOptions = {},
): (ForwardedNode | undefined)[] {
  return parseForwardedList(value, options).map((text) => parseNode(text, true));
}

/**
 * Takes a value with commas apart, as that of `X-Forwarded-Proto` and
 * `X-Forwarded-Host`. What the elements mean is not looked at.
 *
 * @param value The value.
 * @param options Bounds.
 * @returns The elements in order, without empty ones and blanks around them.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example The schemes of two hops
 * ```ts
 * import { parseForwardedList } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseForwardedList("https,, http"), ["https", "http"]);
 * ```
 */
export function parseForwardedList(value: string, options: ForwardedOptions = {}): string[] {
  const keep = keptElements(options);
  const elements: string[] = [];
  // From the right: what is not kept is not looked at.
  for (let end = value.length; end >= 0 && elements.length < keep;) {
    const comma = end === 0 ? -1 : value.lastIndexOf(",", end - 1);
    const element = value.slice(comma + 1, end).trim();
    if (element !== "") elements.push(element);
    end = comma;
  }
  return elements.reverse();
}

/**
 * Parses a scheme as proxies tell it.
 *
 * @param text What stood there.
 * @returns The scheme in lower case, or `undefined` for what is none.
 */
export function parseForwardedProto(text: string): string | undefined {
  const scheme = text.toLowerCase();
  return SCHEME.test(scheme) ? scheme : undefined;
}

/**
 * Parses an authority as proxies tell it: what can stand in `Host`, but not the
 * empty one (RFC 9110 section 7.2).
 *
 * @param text What stood there.
 * @returns The same text, or `undefined` for what is none.
 */
export function parseForwardedHost(text: string): string | undefined {
  if (text.length > 255 + ":65535".length) return undefined;
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|[0-9A-Za-z\-._~!$&'()*+;=%]+)(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  if (match[1] !== undefined && parseIpAddress(match[1])?.family !== 6) return undefined;
  return Number(match[2] ?? 0) <= 65_535 ? text : undefined;
}

function keptElements({ maxElementCount = DEFAULT_ELEMENTS }: ForwardedOptions): number {
  const isInRange = Number.isInteger(maxElementCount) && maxElementCount >= 1 &&
    maxElementCount <= MOST_ELEMENTS;
  if (isInRange) return maxElementCount;
  throw new RangeError(
    `Cannot use option maxElementCount: ${maxElementCount} is not an integer from 1 to ${MOST_ELEMENTS}`,
  );
}

/** The last of what was pushed. */
class LastElements<T> {
  readonly #elements: T[] = [];
  readonly #keep: number;
  #count = 0;

  constructor(keep: number) {
    this.#keep = keep;
  }

  push(element: T): void {
    this.#elements[this.#count++ % this.#keep] = element;
  }

  toArray(): T[] {
    const oldest = this.#count > this.#keep ? this.#count % this.#keep : 0;
    return [...this.#elements.slice(oldest), ...this.#elements.slice(0, oldest)];
  }
}

/**
 * Reads the parameters of one element.
 *
 * @returns The index of the comma or end behind it, or -1.
 */
function readElement(value: string, start: number, parameters: Map<string, string>): number {
  for (let at = start;;) {
    at = skipBlanks(value, at);
    const nameEnd = endOfToken(value, at);
    if (nameEnd > at) {
      if (value[nameEnd] !== "=") return -1;
      const name = value.slice(at, nameEnd).toLowerCase();
      at = readValue(value, nameEnd + 1, name, parameters);
      if (at < 0) return -1;
    }
    at = skipBlanks(value, at);
    if (at === value.length || value[at] === ",") return at;
    if (value[at] !== ";") return -1;
    at++;
  }
}

/** Reads a token or quoted string; the index behind it, or -1. */
function readValue(
  value: string,
  start: number,
  name: string,
  parameters: Map<string, string>,
): number {
  // RFC 7239 section 4: a parameter occurs at most once in an element.
  if (parameters.has(name) || parameters.size === MAX_PARAMETERS) return -1;
  if (value.charCodeAt(start) !== QUOTE) {
    const end = endOfToken(value, start);
    if (end === start) return -1;
    parameters.set(name, value.slice(start, end));
    return end;
  }
  const end = endOfQuoted(value, start + 1);
  if (end < 0) return -1;
  parameters.set(name, value.slice(start + 1, end).replaceAll(/\\(.)/g, "$1"));
  return end + 1;
}

function endOfToken(value: string, start: number): number {
  let at = start;
  while (at < value.length && TOKEN[value.charCodeAt(at)] === 1) at++;
  return at;
}

/** The index of the quote that ends a quoted string (RFC 9110 section 5.6.4), or -1. */
function endOfQuoted(value: string, start: number): number {
  for (let at = start; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) {
      const next = value.charCodeAt(++at);
      if (next !== QUOTE && next !== BACKSLASH && QUOTED_TEXT[next] !== 1) return -1;
    } else if (QUOTED_TEXT[code] !== 1) return -1;
  }
  return -1;
}

function skipBlanks(value: string, start: number): number {
  let at = start;
  while (value[at] === " " || value[at] === "\t") at++;
  return at;
}

function toElement(parameters: ReadonlyMap<string, string>): ForwardedElement | undefined {
  const known = { for: parameters.get("for"), by: parameters.get("by") };
  const nodes = { for: node(known.for), by: node(known.by) };
  const proto = parameters.get("proto");
  const host = parameters.get("host");
  const scheme = proto === undefined ? undefined : parseForwardedProto(proto);
  const authority = host === undefined ? undefined : parseForwardedHost(host);
  const isMalformed = (known.for !== undefined && nodes.for === undefined) ||
    (known.by !== undefined && nodes.by === undefined) ||
    (proto !== undefined && scheme === undefined) ||
    (host !== undefined && authority === undefined);
  return isMalformed ? undefined : { ...nodes, host: authority, proto: scheme };
}

function node(text: string | undefined): ForwardedNode | undefined {
  return text === undefined ? undefined : parseNode(text, false);
}

/** RFC 7239 section 6; `X-Forwarded-For` has IPv6 addresses without brackets too. */
function parseNode(text: string, allowsBareIpv6: boolean): ForwardedNode | undefined {
  if (allowsBareIpv6) {
    const bare = parseIpAddress(text);
    if (bare !== undefined) return { address: bare, port: undefined, name: text };
  }
  const { name, port } = splitPort(text);
  if (port === undefined) return undefined;
  const number = port === "" || port.startsWith("_") ? undefined : Number(port);
  if (name === "unknown" || OBFUSCATED.test(name)) {
    return { address: undefined, port: number, name };
  }
  const isBracketed = name.startsWith("[");
  const plain = isBracketed ? name.slice(1, -1) : name;
  const address = parseIpAddress(plain);
  if (address?.family !== (isBracketed ? 6 : 4)) return undefined;
  return { address, port: number, name: plain };
}

/** The port is `""` where there is none and `undefined` where it is malformed. */
function splitPort(text: string): { name: string; port: string | undefined } {
  const nameEnd = text.startsWith("[") ? text.indexOf("]") + 1 : text.indexOf(":");
  if (nameEnd < 0) return { name: text, port: "" };
  const port = text.slice(nameEnd);
  const name = text.slice(0, nameEnd);
  if (nameEnd > 0 && port === "") return { name, port };
  const isPort = /^:\d{1,5}$/.test(port) && Number(port.slice(1)) <= 65_535;
  const isNamed = port.startsWith(":") && OBFUSCATED.test(port.slice(1));
  return { name, port: isPort || isNamed ? port.slice(1) : undefined };
}
