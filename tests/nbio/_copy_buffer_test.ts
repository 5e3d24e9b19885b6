import { assert, assertEquals } from "@std/assert";
import { CopyBuffer } from "../../nbio/_copy_buffer.ts";

/** Sizes of the space before each of some reads that fill a part of it, and after the last. */
function sizes(buffer: CopyBuffer, fractions: readonly number[]): number[] {
  const lengths = fractions.map((fraction) => {
    const { length } = buffer.space();
    buffer.chunk(Math.floor(length * fraction));
    return length;
  });
  return [...lengths, buffer.space().length];
}

for (
  const { maxBytes, expected } of [
    { maxBytes: 1, expected: [1, 1, 1] },
    { maxBytes: 16_383, expected: [16_383, 16_383, 16_383] },
    { maxBytes: 16_384, expected: [16_384, 16_384, 16_384] },
    { maxBytes: 16_385, expected: [16_384, 16_385, 16_385] },
    { maxBytes: 65_537, expected: [16_384, 65_536, 65_537] },
    { maxBytes: 262_144, expected: [16_384, 65_536, 262_144] },
  ]
) {
  Deno.test(`CopyBuffer of ${maxBytes} bytes grows as reads fill it, and no further`, () => {
    assertEquals(sizes(new CopyBuffer(maxBytes), [1, 1]), expected);
  });
}

Deno.test("CopyBuffer stays as it is while reads nearly fill it", () => {
  assertEquals(new Set(sizes(new CopyBuffer(262_144), Array(100).fill(0.99))).size, 1);
});

Deno.test("CopyBuffer becomes small after 16 short reads in a row, step by step", () => {
  const buffer = new CopyBuffer(262_144);
  sizes(buffer, [1, 1]);
  const lengths = sizes(buffer, Array(40).fill(0.01));
  assertEquals(lengths.slice(0, 16), Array(16).fill(262_144));
  assertEquals(lengths.slice(16, 32), Array(16).fill(65_536));
  assertEquals(lengths.slice(32), Array(9).fill(16_384));
});

Deno.test("CopyBuffer stays large while one read in 16 needs it", () => {
  const buffer = new CopyBuffer(262_144);
  sizes(buffer, [1, 1]);
  const mixed = Array.from({ length: 160 }, (_, index) => index % 16 === 15 ? 0.5 : 0);
  assertEquals(new Set(sizes(buffer, mixed)), new Set([262_144]));
});

Deno.test("CopyBuffer.chunk() is a view of what came", () => {
  const buffer = new CopyBuffer(100);
  const space = buffer.space();
  space.set([1, 2, 3]);
  const chunk = buffer.chunk(3);
  assertEquals([...chunk], [1, 2, 3]);
  assert(chunk.buffer === space.buffer);
  assertEquals(buffer.chunk(0).length, 0);
  assert(buffer.chunk(100) === space);
});
