import { assert, assertEquals } from "@std/assert";
import { everySplit } from "../../nbio/testing_split.ts";

function lengthsOf(bytes: Uint8Array): string[] {
  return [...everySplit(bytes)].map((chunks) => chunks.map(({ length }) => length).join());
}

Deno.test("everySplit() cuts three bytes in every way", () => {
  assertEquals(lengthsOf(new Uint8Array(3)), ["3", "1,1,1", "1,2", "2,1", "1,0,2", "1,1,1"]);
});

for (const length of [0, 1, 2, 47, 48, 49, 300]) {
  Deno.test(`everySplit() gives chunks that add up to an input of ${length} bytes`, () => {
    const bytes = Uint8Array.from({ length }, (_, index) => index);
    let count = 0;
    for (const chunks of everySplit(bytes)) {
      assertEquals(chunks.flatMap((chunk) => [...chunk]), [...bytes]);
      count++;
    }
    const cuts = Math.max(0, length - 1);
    assertEquals(count, 3 + cuts + (length <= 48 ? cuts * Math.max(0, cuts - 1) / 2 : 0));
  });
}

Deno.test("everySplit() gives chunks that share no memory", () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  for (const chunks of everySplit(bytes)) {
    const buffers = new Set(chunks.map(({ buffer }) => buffer));
    assertEquals(buffers.size, chunks.length);
    for (const chunk of chunks) chunk.fill(0xff);
  }
  assertEquals([...bytes], [1, 2, 3, 4]);
  assert(![...everySplit(bytes)].flat().some(({ buffer }) => buffer === bytes.buffer));
});
