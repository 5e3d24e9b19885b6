// This module is sans-I/O.

import { canonicalName, nameToWire } from "./name.ts";
import { encodeRdata } from "./rdata.ts";
import type { DnskeyData } from "./record_data.ts";

const RSAMD5 = 1;

/**
 * Computes the tag of a key (RFC 4034 appendix B), by which DS and RRSIG refer to it. Two keys may
 * have one tag.
 *
 * @param key Data of a DNSKEY, CDNSKEY or KEY.
 * @returns 0 to 65,535.
 * @throws {DnsMessageError} If a value does not fit the wire.
 *
 * @example A short key
 * ```ts
 * import { keyTag } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const publicKey = new Uint8Array([1, 2, 3]);
 * assertEquals(keyTag({ flags: 257, protocol: 3, algorithm: 13, publicKey }), 2064);
 * ```
 */
export function keyTag(key: DnskeyData): number {
  const bytes = encodeRdata("DNSKEY", key);
  // RFC 4034 appendix B.1: from the end of the modulus.
  if (key.algorithm === RSAMD5) {
    return bytes.length < 7 ? 0 : bytes.at(-3)! << 8 | bytes.at(-2)!;
  }
  let sum = 0;
  bytes.forEach((byte, index) => sum += index & 1 ? byte : byte << 8);
  return (sum + (sum >> 16)) & 0xffff;
}

/**
 * Gives what the digest of a DS is over (RFC 4034 section 5.1.4): the owner in canonical form and
 * the RDATA of the key.
 *
 * @param owner Owner of the key.
 * @param key Data of its DNSKEY.
 * @returns The bytes to digest.
 * @throws {DnsMessageError} If a value does not fit the wire.
 *
 * @example Owner, flags, protocol, algorithm and key
 * ```ts
 * import { dsDigestInput } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const key = { flags: 257, protocol: 3, algorithm: 13, publicKey: new Uint8Array([9]) };
 * assertEquals(dsDigestInput("A.", key), new Uint8Array([1, 0x61, 0, 1, 1, 3, 13, 9]));
 * ```
 */
export function dsDigestInput(owner: string, key: DnskeyData): Uint8Array<ArrayBuffer> {
  const name = nameToWire(canonicalName(owner));
  const rdata = encodeRdata("DNSKEY", key);
  const bytes = new Uint8Array(name.length + rdata.length);
  bytes.set(name);
  bytes.set(rdata, name.length);
  return bytes;
}
