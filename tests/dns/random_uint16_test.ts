import { assert, assertEquals } from "@std/assert";
import { randomUint16 } from "../../dns/random_uint16.ts";

Deno.test("randomUint16() gives integers of the whole range, and does not repeat its batches", () => {
  const batches = Array.from({ length: 4 }, () => Array.from({ length: 1_024 }, randomUint16));
  const words = batches.flat();
  assert(words.every((word) => Number.isInteger(word) && word >= 0 && word <= 65_535));
  // 4,096 of 65,536 repeat about 125 times; each 16th of the range has about 256 of them.
  assert(new Set(words).size > 3_800);
  const shares = new Set(words.map((word) => word >> 12));
  assertEquals(shares.size, 16);
  assert(batches[0]!.some((word, index) => word !== batches[1]![index]));
});
