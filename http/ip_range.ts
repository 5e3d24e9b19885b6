// This module is sans-I/O.

import { type IpAddress, parseIpAddress } from "../nbio/ip_address.ts";

/** Ranges of one set: each lookup goes through all of them. */
const MAX_RANGES = 10_000;
/** Where an IPv4 address begins in one that is mapped (RFC 4291 section 2.5.5.2). */
const MAPPED_OFFSET = 12;
const MAPPED_BITS = 96;

interface Range {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * A set of addresses, given as single ones and as CIDR ranges (RFC 4632, RFC
 * 4291 section 2.3). An IPv4 address and the same one mapped into IPv6, as a
 * socket that listens on both families shows it, are one address.
 *
 * @example Who counts as our own
 * ```ts
 * import { IpRangeSet } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const own = new IpRangeSet(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);
 * assertEquals(own.has("10.1.2.3"), true);
 * assertEquals(own.has("::ffff:192.0.2.1"), true);
 * assertEquals(own.has("2001:db9::1"), false);
 * assertEquals(own.has("example.com"), false);
 * ```
 */
export class IpRangeSet {
  readonly #ranges: readonly Range[];

  /**
   * Makes a set that does not change any more.
   *
   * @param ranges Addresses and ranges, at most 10,000. A range whose address
   * has bits behind its prefix, as `10.0.0.1/8`, is refused: it says two things.
   * @throws {RangeError} If a text is neither address nor range, or there are
   * too many.
   */
  constructor(ranges: Iterable<string>) {
    const parsed: Range[] = [];
    for (const text of ranges) {
      if (parsed.length === MAX_RANGES) {
        throw new RangeError(`Cannot make set of ranges: there are more than ${MAX_RANGES}`);
      }
      parsed.push(parseRange(text));
    }
    this.#ranges = parsed;
  }

  /** Number of addresses and ranges it was made from. */
  get size(): number {
    return this.#ranges.length;
  }

  /**
   * Whether an address is in the set; a zone does not count.
   *
   * @param address The address, as text or taken apart.
   * @returns Whether it is; false for what is no address.
   */
  has(address: string | IpAddress): boolean {
    const parsed = typeof address === "string" ? parseIpAddress(address) : address;
    if (parsed === undefined) return false;
    const bytes = unmappedBytes(parsed);
    return this.#ranges.some((range) => isWithin(bytes, range));
  }
}

/**
 * The bytes of an address: of a mapped IPv4 address, those of the IPv4 one.
 *
 * @param address The address.
 * @returns 4 or 16 bytes.
 */
export function unmappedBytes(address: IpAddress): Uint8Array<ArrayBuffer> {
  const { bytes } = address;
  return isMapped(bytes) ? bytes.subarray(MAPPED_OFFSET) : bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  for (let at = 0; at < 10; at++) {
    if (bytes[at] !== 0) return false;
  }
  return true;
}

function isWithin(bytes: Uint8Array, range: Range): boolean {
  if (bytes.length !== range.bytes.length) return false;
  const whole = range.bits >> 3;
  for (let at = 0; at < whole; at++) {
    if (bytes[at] !== range.bytes[at]) return false;
  }
  const rest = range.bits & 7;
  return rest === 0 || (bytes[whole]! ^ range.bytes[whole]!) >> (8 - rest) === 0;
}

function parseRange(text: string): Range {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined || address.zone !== undefined) throw badRange(text, "no address");
  const { bytes } = address;
  const bits = slash < 0 ? bytes.length * 8 : parseBits(text, slash + 1, bytes.length * 8);
  if (hasHostBits(bytes, bits)) throw badRange(text, "an address with bits behind its prefix");
  // A range that is larger than what is mapped stays one of IPv6.
  if (!isMapped(bytes) || bits < MAPPED_BITS) return { bytes, bits };
  return { bytes: bytes.subarray(MAPPED_OFFSET), bits: bits - MAPPED_BITS };
}

function parseBits(text: string, start: number, most: number): number {
  const digits = text.slice(start);
  // No leading zeros, no sign: only one way to write it.
  const bits = /^(0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : Infinity;
  if (bits > most) throw badRange(text, "a prefix of no such length");
  return bits;
}

function hasHostBits(bytes: Uint8Array, bits: number): boolean {
  return bytes.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    return (byte & (0xff >> kept)) !== 0;
  });
}

function badRange(text: string, what: string): RangeError {
  const shown = JSON.stringify(text.slice(0, 48));
  return new RangeError(`Cannot use range ${shown}: it has ${what}, expected as 192.0.2.0/24`);
}
