import { assert, assertEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { everySplit, randomSplit } from "../../nbio/testing_split.ts";

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

Deno.test("randomSplit() gives chunks that add up, within their sizes, the same per seed", () => {
  const bytes = new SeededRandom(1).bytes(3_000);
  const seen = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const chunks = randomSplit(bytes, { seed, maxChunkBytes: 200 });
    assertEquals(chunks.flatMap((chunk) => [...chunk]), [...bytes]);
    assert(chunks.every(({ length }) => length >= 1 && length <= 200));
    assertEquals(randomSplit(bytes, { seed, maxChunkBytes: 200 }), chunks);
    seen.add(chunks.map(({ length }) => length).join());
  }
  assertEquals(seen.size, 50);
});

Deno.test("randomSplit() goes on with the generator it is given", () => {
  const random = new SeededRandom(2);
  const bytes = new Uint8Array(1_000);
  const lengths = [1, 2].map(() =>
    randomSplit(bytes, { seed: random, maxChunkBytes: 50 }).map(({ length }) => length).join()
  );
  assert(lengths[0] !== lengths[1]);
});

Deno.test("randomSplit() puts empty chunks in between", () => {
  const chunks = randomSplit(new Uint8Array(500), { maxChunkBytes: 5, emptyChance: 0.5 });
  const emptyCount = chunks.filter(({ length }) => length === 0).length;
  assert(emptyCount > 50 && chunks.reduce((sum, { length }) => sum + length, 0) === 500);
});

Deno.test("randomSplit() gives no chunk of nothing, and copies", () => {
  assertEquals(randomSplit(new Uint8Array(0)), []);
  const bytes = new Uint8Array([1, 2, 3]);
  for (const chunk of randomSplit(bytes)) chunk.fill(9);
  assertEquals([...bytes], [1, 2, 3]);
});

for (
  const options of [
    { maxChunkBytes: 0 },
    { maxChunkBytes: 1.5 },
    { maxChunkBytes: NaN },
    { emptyChance: -1 },
    { emptyChance: 2 },
  ]
) {
  Deno.test(`randomSplit() throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => randomSplit(new Uint8Array(8), options), RangeError);
  });
}
