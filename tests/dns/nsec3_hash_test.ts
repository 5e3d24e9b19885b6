import { createHash } from "node:crypto";
import { assertEquals, assertThrows } from "@std/assert";
import { encodeBase32Hex } from "../../dns/base32hex.ts";
import { nsec3Hash } from "../../dns/nsec3_hash.ts";

function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

const SALT = new Uint8Array([0xaa, 0xbb, 0xcc, 0xdd]);

// RFC 5155 appendix A.
for (
  const [owner, hash] of [
    ["example.", "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM"],
    ["A.Example", "35MTHGPGCU1QG68FAB165KLNSNK3DPVL"],
    ["*.w.example.", "R53BQ7CC2UVMUBFU5OCMM6PERS9TK9EN"],
  ] as const
) {
  Deno.test(`nsec3Hash() gives the hash of ${owner}`, () => {
    assertEquals(encodeBase32Hex(nsec3Hash(owner, sha1, { salt: SALT, iterations: 12 })), hash);
  });
}

Deno.test("nsec3Hash() does as many rounds as it is told to, and no more than its bound", () => {
  const rounds = (iterations: number, maxIterations?: number): number => {
    let count = 0;
    const counting = (bytes: Uint8Array): Uint8Array => (count++, bytes.slice(0, 20));
    const bound = maxIterations === undefined ? {} : { maxIterations };
    nsec3Hash("a.", counting, { salt: SALT, iterations, ...bound });
    return count;
  };
  assertEquals([rounds(0), rounds(500), rounds(5, 5), rounds(0, 0)], [1, 501, 6, 1]);
  for (const wrong of [[501], [6, 5], [1, 0], [-1], [0.5], [1, -1], [1, 65_536], [1, NaN]]) {
    assertThrows(() => rounds(wrong[0]!, wrong[1]), RangeError);
  }
});
