// This module is sans-I/O.

import { canonicalName, nameToWire } from "./name.ts";
import type { Nsec3ParamData } from "./record_data.ts";

/** What {@linkcode nsec3Hash} does with the owner. */
export type Nsec3HashOptions = Pick<Nsec3ParamData, "salt" | "iterations"> & {
  /**
   * Rounds that are done at all, 0 to 65,535: work a stranger's record asks for.
   *
   * @default {500}
   */
  readonly maxIterations?: number;
};

const DEFAULT_MAX_ITERATIONS = 500;

/**
 * Hashes the owner of a name for NSEC3 (RFC 5155 section 5).
 *
 * @param owner The name.
 * @param sha1 SHA-1 of its argument: the only hash NSEC3 has.
 * @param options Salt, rounds and their bound.
 * @returns The hash, twenty bytes.
 * @throws {RangeError} If the rounds are more than `maxIterations`, which is then to be treated as
 * if the zone were not signed (RFC 9276 section 3.2), or one of both is out of its range.
 *
 * @example An example of RFC 5155 appendix A
 * ```ts
 * import { createHash } from "node:crypto";
 * import { encodeBase32Hex, nsec3Hash } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const sha1 = (bytes: Uint8Array) => new Uint8Array(createHash("sha1").update(bytes).digest());
 * const salt = new Uint8Array([0xaa, 0xbb, 0xcc, 0xdd]);
 * const hash = nsec3Hash("example", sha1, { salt, iterations: 12 });
 * assertEquals(encodeBase32Hex(hash), "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM");
 * ```
 */
export function nsec3Hash(
  owner: string,
  sha1: (bytes: Uint8Array) => Uint8Array,
  options: Nsec3HashOptions,
): Uint8Array {
  const { salt, iterations } = options;
  const max = options.maxIterations ?? DEFAULT_MAX_ITERATIONS;
  if (!Number.isInteger(max) || max < 0 || max > 0xffff) {
    throw new RangeError(`Cannot use maxIterations ${max}: expected an integer from 0 to 65535`);
  }
  if (!Number.isInteger(iterations) || iterations < 0 || iterations > max) {
    throw new RangeError(`Cannot hash ${iterations} times: expected an integer from 0 to ${max}`);
  }
  let hash = nameToWire(canonicalName(owner)) as Uint8Array;
  for (let round = 0; round <= iterations; round++) {
    const input = new Uint8Array(hash.length + salt.length);
    input.set(hash);
    input.set(salt, hash.length);
    hash = sha1(input);
  }
  return hash;
}
