// This module is sans-I/O.

import { LimitExceededError, NetError } from "../nbio/errors.ts";
import { formatIpAddress, formatIpv4, formatIpv6, parseIpAddress } from "../nbio/ip_address.ts";
import { decodeLatin1 } from "./ascii.ts";

/** Every way in which a PROXY header can be refused. Stable. */
export type ProxyProtocolErrorCode =
  /** The bytes do not begin with a PROXY header. */
  | "ERR_PROXY_NO_HEADER"
  /** The header breaks the grammar of its version. */
  | "ERR_PROXY_BAD_HEADER"
  /** A version, command, family or transport that is not known here. */
  | "ERR_PROXY_UNSUPPORTED_HEADER"
  /** The checksum in the header does not fit. */
  | "ERR_PROXY_BAD_CHECKSUM"
  /** Whoever connected is not one of the trusted senders. */
  | "ERR_PROXY_UNTRUSTED_SENDER";

/**
 * A connection that should begin with a PROXY header does not, or not with one
 * that can be believed. It has to be closed: who the client is, is unknown.
 *
 * @example Reading the code
 * ```ts
 * import { parseProxyHeader, ProxyProtocolError } from "@nbio/net/http";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("GET / HTTP/1.1\r\n");
 * const error = assertThrows(() => parseProxyHeader(bytes), ProxyProtocolError);
 * assertEquals(error.code, "ERR_PROXY_NO_HEADER");
 * ```
 */
export class ProxyProtocolError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: ProxyProtocolErrorCode;

  /**
   * Makes the error.
   *
   * @param code What was wrong.
   * @param message The action and the reason.
   * @param options The cause.
   */
  constructor(code: ProxyProtocolErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** One end of a connection as a PROXY header tells it. */
export type ProxyAddress =
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly transport: "unix"; readonly path: string };

/** A field behind the addresses of version 2 (section 2.2 of the specification). */
export interface ProxyTlv {
  /** Its type; see {@linkcode ProxyTlvType}. */
  readonly type: number;
  /** Its value: bytes of its own. */
  readonly value: Uint8Array<ArrayBuffer>;
}

/** The registered types of {@linkcode ProxyTlv}. */
export const ProxyTlvType = {
  /** Protocol chosen by ALPN. */
  ALPN: 0x01,
  /** Name that the client asked for, by SNI. */
  AUTHORITY: 0x02,
  /** CRC-32C of the header; it is checked. */
  CRC32C: 0x03,
  /** Padding. */
  NOOP: 0x04,
  /** Id of the connection, up to 128 bytes. */
  UNIQUE_ID: 0x05,
  /** What is known of TLS. */
  SSL: 0x20,
  /** Name of the network namespace. */
  NETNS: 0x30,
} as const;

/** A PROXY header, taken apart. */
export interface ProxyHeader {
  /** Version of the protocol. */
  readonly version: 1 | 2;
  /** `"local"` where the proxy speaks for itself, as in a health check. */
  readonly command: "proxy" | "local";
  /** Where the client connected from; `undefined` where the proxy does not tell. */
  readonly source: ProxyAddress | undefined;
  /** Where the client connected to; `undefined` where the proxy does not tell. */
  readonly destination: ProxyAddress | undefined;
  /** Whether the client came by TLS; `undefined` where the proxy does not tell. */
  readonly isTls: boolean | undefined;
  /** Further fields, in order; none in version 1. */
  readonly tlvs: readonly ProxyTlv[];
  /** Bytes of the header: what comes behind belongs to the client. */
  readonly length: number;
}

/** Bounds of {@linkcode parseProxyHeader}. */
export interface ProxyHeaderOptions {
  /**
   * Bytes of a header, 232 to 65,551. Version 1 never has more than 107, version
   * 2 has 232 and less without further fields.
   *
   * @default {4096}
   */
  readonly maxHeaderBytes?: number;
}

const LEAST_HEADER_BYTES = 232;
const MOST_HEADER_BYTES = 16 + 0xffff;
/** Section 2.1: the longest line of version 1, line end included. */
const MAX_LINE_BYTES = 107;
const CR = 0x0d;
const LF = 0x0a;
const V1_SIGNATURE = Uint8Array.from("PROXY ", (character) => character.charCodeAt(0));
const V2_SIGNATURE = Uint8Array.from(
  "\r\n\r\n\0\r\nQUIT\n",
  (character) => character.charCodeAt(0),
);
const V2_FIXED_BYTES = 16;
const LINE = /^PROXY (TCP4|TCP6) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
const UNKNOWN_LINE = /^PROXY UNKNOWN(?: .*)?$/s;
/** Bit of the SSL field that says so. */
const CLIENT_SSL = 0x01;
const NO_ADDRESSES = { source: undefined, destination: undefined } as const;

/**
 * Checks the option of that name.
 *
 * @param maxHeaderBytes What the caller gave.
 * @returns The bound.
 * @throws {RangeError} If it is out of its range.
 */
export function checkMaxHeaderBytes(maxHeaderBytes: number = 4096): number {
  const isInRange = Number.isInteger(maxHeaderBytes) && maxHeaderBytes >= LEAST_HEADER_BYTES &&
    maxHeaderBytes <= MOST_HEADER_BYTES;
  if (isInRange) return maxHeaderBytes;
  throw new RangeError(
    `Cannot use option maxHeaderBytes: ${maxHeaderBytes} is not an integer from ${LEAST_HEADER_BYTES} to ${MOST_HEADER_BYTES}`,
  );
}

/**
 * Whether bytes begin with a PROXY header, of either version.
 *
 * @param bytes What has come so far.
 * @returns Whether they do; `undefined` while that is open. No request of HTTP
 * begins like one.
 *
 * @example A request, and something that is not decided yet
 * ```ts
 * import { startsWithProxyHeader } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * assertEquals(startsWithProxyHeader(encode("GET / HTTP/1.1")), false);
 * assertEquals(startsWithProxyHeader(encode("PRO")), undefined);
 * assertEquals(startsWithProxyHeader(encode("PROXY UNKNOWN")), true);
 * ```
 */
export function startsWithProxyHeader(bytes: Uint8Array): boolean | undefined {
  const first = matchStart(bytes, V1_SIGNATURE);
  return first === false ? matchStart(bytes, V2_SIGNATURE) : first;
}

/**
 * Parses the header that a proxy sends ahead of the client's bytes: the PROXY
 * protocol of haproxy, versions 1 and 2. To be called with all that has come,
 * again and again, until it gives a header.
 *
 * Strict: addresses of the family that was named, ports without leading zeros,
 * fields that fill their space exactly. Datagrams are refused, since this came
 * by a stream.
 *
 * @param bytes What has come so far, from the first byte on. Nothing in the
 * result refers to them.
 * @param options Bounds.
 * @returns The header, or `undefined` while it is not complete.
 * @throws {ProxyProtocolError} If the bytes cannot become a header.
 * @throws {LimitExceededError} If the header is longer than allowed.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Version 1, and what follows it
 * ```ts
 * import { parseProxyHeader } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET /";
 * const bytes = new TextEncoder().encode(text);
 * const header = parseProxyHeader(bytes);
 * assertEquals(header?.source, { transport: "tcp", hostname: "192.0.2.1", port: 56324 });
 * assertEquals(new TextDecoder().decode(bytes.subarray(header?.length)), "GET /");
 * assertEquals(parseProxyHeader(bytes.subarray(0, 20)), undefined);
 * ```
 */
export function parseProxyHeader(
  bytes: Uint8Array,
  options: ProxyHeaderOptions = {},
): ProxyHeader | undefined {
  const maxHeaderBytes = checkMaxHeaderBytes(options.maxHeaderBytes);
  const starts = startsWithProxyHeader(bytes);
  if (starts === undefined) return undefined;
  if (!starts) {
    throw new ProxyProtocolError(
      "ERR_PROXY_NO_HEADER",
      "Cannot parse PROXY header: the connection does not begin with one",
    );
  }
  return bytes[0] === CR ? parseV2(bytes, maxHeaderBytes) : parseV1(bytes);
}

function matchStart(bytes: Uint8Array, signature: Uint8Array): boolean | undefined {
  const count = Math.min(bytes.length, signature.length);
  for (let at = 0; at < count; at++) {
    if (bytes[at] !== signature[at]) return false;
  }
  return count === signature.length ? true : undefined;
}

function parseV1(bytes: Uint8Array): ProxyHeader | undefined {
  const most = Math.min(bytes.length, MAX_LINE_BYTES);
  let end = V1_SIGNATURE.length;
  while (end < most && bytes[end] !== CR && bytes[end] !== LF) end++;
  if (end + 1 >= MAX_LINE_BYTES) throw badHeader("its line has more than 107 bytes");
  if (end >= bytes.length) return undefined;
  if (bytes[end] === LF) throw badHeader("its line ends without CR");
  if (end + 1 === bytes.length) return undefined;
  if (bytes[end + 1] !== LF) throw badHeader("its line has a CR without LF");
  const line = decodeLatin1(bytes, 0, end);
  const common = { version: 1, command: "proxy", isTls: undefined, tlvs: [] } as const;
  const addresses = UNKNOWN_LINE.test(line) ? NO_ADDRESSES : parseLine(line);
  return { ...common, ...addresses, length: end + 2 };
}

function parseLine(line: string): Pick<ProxyHeader, "source" | "destination"> {
  const match = LINE.exec(line);
  if (match === null) throw badHeader("its line is not five words behind PROXY");
  const family = match[1] === "TCP4" ? 4 : 6;
  const address = (text: string, port: string): ProxyAddress => {
    const parsed = parseIpAddress(text);
    const isWanted = parsed?.family === family && parsed.zone === undefined;
    if (!isWanted) throw badHeader(`it has an address that is not of IPv${family}`);
    if (Number(port) > 0xffff) throw badHeader(`it has port ${port}, expected at most 65535`);
    return { transport: "tcp", hostname: formatIpAddress(parsed), port: Number(port) };
  };
  return {
    source: address(match[2]!, match[4]!),
    destination: address(match[3]!, match[5]!),
  };
}

/** Bytes of the two addresses, by family and transport: none, TCP over IPv4 and IPv6, Unix. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

function parseV2(bytes: Uint8Array, maxHeaderBytes: number): ProxyHeader | undefined {
  const command = bytes[12];
  if (command === undefined) return undefined;
  // Version 2 in the upper half, LOCAL or PROXY in the lower.
  if (command !== 0x20 && command !== 0x21) {
    throw unsupported(`version and command 0x${command.toString(16)}`);
  }
  if (bytes.length < V2_FIXED_BYTES) return undefined;
  const family = bytes[13]!;
  const length = V2_FIXED_BYTES + (bytes[14]! << 8 | bytes[15]!);
  if (length > maxHeaderBytes) {
    throw new LimitExceededError(
      `Cannot parse PROXY header: ${length} bytes exceed ${maxHeaderBytes}`,
      { limit: "maxHeaderBytes", max: maxHeaderBytes },
    );
  }
  const isLocal = command === 0x20;
  const addressBytes = ADDRESS_BYTES.get(family);
  if (addressBytes === undefined && !isLocal) {
    throw unsupported(`family and transport 0x${family.toString(16)}`);
  }
  if (bytes.length < length) return undefined;
  const common = { version: 2, length } as const;
  // Section 2.2: with LOCAL the receiver skips whatever else there is.
  if (isLocal) return { ...common, command: "local", ...NO_ADDRESSES, isTls: undefined, tlvs: [] };
  const start = V2_FIXED_BYTES + addressBytes!;
  if (start > length) throw badHeader("it is too short for its addresses");
  // With UNSPEC nobody knows how long the addresses are, so no field can be found.
  const tlvs = family === 0 ? [] : parseTlvs(bytes, start, length);
  return {
    ...common,
    command: "proxy",
    ...parseAddresses(bytes, family),
    isTls: readTls(tlvs),
    tlvs,
  };
}

function parseAddresses(
  bytes: Uint8Array,
  family: number,
): Pick<ProxyHeader, "source" | "destination"> {
  if (family === 0) return NO_ADDRESSES;
  if (family === 0x31) {
    return { source: readPath(bytes, 16), destination: readPath(bytes, 16 + 108) };
  }
  const size = family === 0x11 ? 4 : 16;
  const format = family === 0x11 ? formatIpv4 : formatIpv6;
  const address = (index: number): ProxyAddress => {
    const at = V2_FIXED_BYTES + index * size;
    const port = V2_FIXED_BYTES + 2 * size + 2 * index;
    return {
      transport: "tcp",
      hostname: format(bytes.subarray(at, at + size)),
      port: bytes[port]! << 8 | bytes[port + 1]!,
    };
  };
  return { source: address(0), destination: address(1) };
}

function readPath(bytes: Uint8Array, start: number): ProxyAddress {
  const field = bytes.subarray(start, start + 108);
  const zero = field.indexOf(0);
  return { transport: "unix", path: decodeLatin1(field, 0, zero < 0 ? field.length : zero) };
}

function parseTlvs(bytes: Uint8Array, start: number, end: number): ProxyTlv[] {
  const tlvs: ProxyTlv[] = [];
  for (let at = start; at < end;) {
    const valueStart = at + 3;
    if (valueStart > end) throw badHeader("it ends within a field");
    const valueEnd = valueStart + (bytes[at + 1]! << 8 | bytes[at + 2]!);
    if (valueEnd > end) throw badHeader("it ends within a field");
    const type = bytes[at]!;
    if (type === ProxyTlvType.CRC32C) {
      checkCrc(new Uint8Array(bytes.subarray(0, end)), valueStart, valueEnd);
    }
    if (type !== ProxyTlvType.NOOP) {
      tlvs.push({ type, value: new Uint8Array(bytes.subarray(valueStart, valueEnd)) });
    }
    at = valueEnd;
  }
  return tlvs;
}

function readTls(tlvs: readonly ProxyTlv[]): boolean | undefined {
  const ssl = tlvs.find(({ type }) => type === ProxyTlvType.SSL);
  if (ssl === undefined) return undefined;
  // One byte of flags, four that tell whether the client's certificate holds.
  if (ssl.value.length < 5) throw badHeader("its SSL field is too short");
  return (ssl.value[0]! & CLIENT_SSL) !== 0;
}

/** Section 2.2.4: counted with zeros in the place of the checksum itself. */
function checkCrc(header: Uint8Array, start: number, end: number): void {
  if (end - start !== 4) throw badHeader("its checksum has not four bytes");
  const wanted = new DataView(header.buffer, start, 4).getUint32(0);
  header.fill(0, start, end);
  if (crc32c(header) === wanted) return;
  throw new ProxyProtocolError(
    "ERR_PROXY_BAD_CHECKSUM",
    "Cannot parse PROXY header: its checksum does not fit",
  );
}

/** CRC-32C (RFC 9260 appendix A), bit by bit: headers are short. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0x82f63b78);
  }
  return ~crc >>> 0;
}

function badHeader(reason: string): ProxyProtocolError {
  return new ProxyProtocolError("ERR_PROXY_BAD_HEADER", `Cannot parse PROXY header: ${reason}`);
}

function unsupported(what: string): ProxyProtocolError {
  return new ProxyProtocolError(
    "ERR_PROXY_UNSUPPORTED_HEADER",
    `Cannot parse PROXY header: ${what} is not known`,
  );
}
