import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HeadSlab } from "../../http/_head_slab.ts";

Deno.test("HeadSlab.store() never overwrites what was stored", () => {
  const slab = new HeadSlab();
  const stored: { bytes: Uint8Array; start: number; length: number; fill: number }[] = [];
  for (let round = 0; round < 400; round++) {
    const length = (round * 37) % 900;
    const fill = round & 0xff;
    slab.store(new Uint8Array(length + 2).fill(fill), 1, length);
    stored.push({ bytes: slab.bytes, start: slab.start, length, fill });
  }
  for (const { bytes, start, length, fill } of stored) {
    assertEquals(bytes.slice(start, start + length), new Uint8Array(length).fill(fill));
  }
});

Deno.test("HeadSlab.store() shares memory among the small, and not with the large", () => {
  const slab = new HeadSlab();
  slab.store(new Uint8Array(10), 0, 10);
  const shared = slab.bytes;
  slab.store(new Uint8Array(10), 0, 10);
  assertStrictEquals(slab.bytes, shared);
  assertEquals(slab.start, 10);
  slab.store(new Uint8Array(20_000), 0, 20_000);
  assert(slab.bytes !== shared);
  assertEquals([slab.bytes.length, slab.start], [20_000, 0]);
  slab.store(new Uint8Array(1), 0, 1);
  assertEquals([slab.bytes.length, slab.start], [16_384, 0]);
});
