// This module is sans-I/O.

/**
 * IPv4 and IPv6 addresses as text and as bytes.
 *
 * Strict on the way in: only the forms of RFC 4291 section 2.2 and dotted
 * decimal with four parts and no leading zero. What older parsers make of
 * `127.1`, `0177.0.0.1` or `2130706433` differs between them, and a filter that
 * reads such a text one way while the system reads it another way is a hole.
 * One form on the way out: that of RFC 5952.
 *
 * @module
 */

/** An address, taken apart. */
export interface IpAddress {
  /** 4 for IPv4, 6 for IPv6. */
  readonly family: 4 | 6;
  /** The 4 or 16 bytes, in network order. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The zone of an IPv6 address (`eth0` in `fe80::1%eth0`); `undefined` without one. */
  readonly zone: string | undefined;
}

const DOT = 0x2e;
const COLON = 0x3a;

/** The characters RFC 6874 section 2 has without escapes; the bound is ours. */
const ZONE = /^[0-9A-Za-z._~-]{1,63}$/;

/**
 * Parses an address of either family. Stops at the first character that does
 * not fit, so a long text costs no more than a short one.
 *
 * @param text The address, for IPv6 with an optional zone (RFC 4007 section
 * 11), without brackets.
 * @returns Its parts; `undefined` if `text` is no address.
 *
 * @example An address, a scoped one, and a name
 * ```ts
 * import { parseIpAddress } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseIpAddress("192.0.2.1")?.bytes, new Uint8Array([192, 0, 2, 1]));
 * assertEquals(parseIpAddress("fe80::1%eth0")?.zone, "eth0");
 * assertEquals(parseIpAddress("example.com"), undefined);
 * ```
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const percent = text.indexOf("%");
  const zone = percent === -1 ? undefined : text.slice(percent + 1);
  if (zone !== undefined && !ZONE.test(zone)) return undefined;
  const ipv6 = parseIpv6(zone === undefined ? text : text.slice(0, percent));
  if (ipv6 !== undefined) return { family: 6, bytes: ipv6, zone };
  const ipv4 = zone === undefined ? parseIpv4(text) : undefined;
  return ipv4 && { family: 4, bytes: ipv4, zone };
}

/**
 * Formats an address so that two texts are equal exactly if the addresses are.
 *
 * @param address Its parts.
 * @returns Dotted decimal, or the form of RFC 5952 with the zone, if any, behind `%`.
 * @throws {RangeError} If `bytes` is not as long as the family wants.
 *
 * @example The one form of an address
 * ```ts
 * import { formatIpAddress, parseIpAddress } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const address = parseIpAddress("2001:DB8:0:0::0001");
 * assertEquals(address && formatIpAddress(address), "2001:db8::1");
 * ```
 */
export function formatIpAddress(address: IpAddress): string {
  if (address.family === 4) return formatIpv4(address.bytes);
  const text = formatIpv6(address.bytes);
  return address.zone === undefined ? text : `${text}%${address.zone}`;
}

/**
 * Parses four decimal numbers of 0 to 255 with dots between them, without
 * leading zeros.
 *
 * @param text The address.
 * @returns Its four bytes; `undefined` if `text` is no IPv4 address.
 *
 * @example Nothing but the full form
 * ```ts
 * import { parseIpv4 } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseIpv4("192.0.2.1"), new Uint8Array([192, 0, 2, 1]));
 * assertEquals(parseIpv4("192.0.513"), undefined);
 * assertEquals(parseIpv4("192.0.2.01"), undefined);
 * ```
 */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(4);
  return readIpv4(text, 0, bytes, 0) ? bytes : undefined;
}

/** Reads the rest of `text`, from `index` on, as an IPv4 address into `bytes`. */
function readIpv4(text: string, index: number, bytes: Uint8Array, offset: number): boolean {
  let partCount = 0;
  let digitCount = 0;
  let part = 0;
  for (let i = index; i <= text.length; i++) {
    // The end closes a part as a dot does.
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (digitCount === 0 || partCount === 4) return false;
      bytes[offset + partCount++] = part;
      part = digitCount = 0;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9) return false;
    // A leading zero is octal to some and nothing to others.
    if (digitCount > 0 && part === 0) return false;
    part = part * 10 + digit;
    if (part > 255) return false;
    digitCount++;
  }
  return partCount === 4;
}

/**
 * Parses an IPv6 address without a zone, in any form of RFC 4291 section 2.2.
 *
 * @param text The address.
 * @returns Its sixteen bytes; `undefined` if `text` is no IPv6 address.
 *
 * @example A mapped address and a malformed one
 * ```ts
 * import { parseIpv6 } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseIpv6("::ffff:192.0.2.1")?.subarray(10), new Uint8Array([255, 255, 192, 0, 2, 1]));
 * assertEquals(parseIpv6("1::2::3"), undefined);
 * ```
 */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(16);
  let byteCount = 0;
  // Where "::" stands, in bytes.
  let gap = -1;
  let index = 0;
  if (text.startsWith("::")) {
    gap = 0;
    index = 2;
  }
  while (index < text.length) {
    const end = endOfGroup(text, index);
    if (text.charCodeAt(end) === DOT) {
      if (byteCount > 12 || !readIpv4(text, index, bytes, byteCount)) return undefined;
      byteCount += 4;
      break;
    }
    if (end === index || byteCount === 16) return undefined;
    const group = parseInt(text.slice(index, end), 16);
    bytes[byteCount++] = group >> 8;
    bytes[byteCount++] = group;
    if (end === text.length) break;
    if (text.charCodeAt(end) !== COLON) return undefined;
    index = end + 1;
    if (text.charCodeAt(index) === COLON) {
      if (gap !== -1) return undefined;
      gap = byteCount;
      index++;
    } else if (index === text.length) {
      return undefined;
    }
  }
  return openGap(bytes, byteCount, gap);
}

/** The index after the hexadecimal digits, at most four, that begin at `index`. */
function endOfGroup(text: string, index: number): number {
  let end = index;
  while (end < index + 4 && isHexDigit(text.charCodeAt(end))) end++;
  return end;
}

function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** Puts the zeros of "::" where they belong. */
function openGap(
  bytes: Uint8Array<ArrayBuffer>,
  byteCount: number,
  gap: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (gap === -1) return byteCount === 16 ? bytes : undefined;
  // RFC 4291 section 2.2: "::" stands for one group of zeros at least.
  if (byteCount === 16) return undefined;
  const tail = 16 - (byteCount - gap);
  bytes.copyWithin(tail, gap, byteCount);
  return bytes.fill(0, gap, tail);
}

/**
 * Formats an IPv4 address.
 *
 * @param bytes Its four bytes.
 * @returns Dotted decimal.
 * @throws {RangeError} If there are not four.
 *
 * @example From a DNS record
 * ```ts
 * import { formatIpv4 } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatIpv4(new Uint8Array([192, 0, 2, 1])), "192.0.2.1");
 * ```
 */
export function formatIpv4(bytes: Uint8Array): string {
  checkLength(bytes, 4);
  return bytes.join(".");
}

/**
 * Formats an IPv6 address as RFC 5952 wants it: lower case, no leading zeros,
 * the longest run of zero groups as `::`. The last four bytes are dotted
 * decimal where a prefix of RFC 4291 section 2.5.5 says that they are an IPv4
 * address (`::ffff:192.0.2.1`, `::192.0.2.1`), as systems print them.
 *
 * @param bytes Its sixteen bytes.
 * @returns The text.
 * @throws {RangeError} If there are not sixteen.
 *
 * @example From a DNS record
 * ```ts
 * import { formatIpv6 } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array(16);
 * bytes.set([0x20, 0x01, 0x0d, 0xb8], 0);
 * bytes[15] = 1;
 * assertEquals(formatIpv6(bytes), "2001:db8::1");
 * ```
 */
export function formatIpv6(bytes: Uint8Array): string {
  checkLength(bytes, 16);
  const groups = Array.from({ length: 8 }, (_, i) => bytes[2 * i]! << 8 | bytes[2 * i + 1]!);
  const { start, length } = longestZeroRun(groups);
  if (start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff))) {
    return `${length === 6 ? "::" : "::ffff:"}${bytes.subarray(12).join(".")}`;
  }
  const hex = groups.map((group) => group.toString(16));
  // RFC 5952 section 4.2.2: a single group of zeros is written out.
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** RFC 5952 section 4.2.3: of several runs of one length the first counts. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  });
  return longest;
}

function checkLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length === expected) return;
  throw new RangeError(
    `Cannot format address: it has ${bytes.length} bytes, expected ${expected}`,
  );
}
