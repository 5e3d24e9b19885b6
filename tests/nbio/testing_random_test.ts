import { assert, assertEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";

Deno.test("SeededRandom repeats the sequence of a seed", () => {
  const [first, second, other] = [new SeededRandom(1), new SeededRandom(1), new SeededRandom(2)];
  assertEquals(first.bytes(100), second.bytes(100));
  assertEquals(first.next(), second.next());
  assert(new SeededRandom(1).next() !== other.next());
});

Deno.test("SeededRandom gives the sequence it gave in earlier versions", () => {
  const random = new SeededRandom(0);
  assertEquals([...random.bytes(8)], [50, 156, 16, 18, 57, 228, 41, 117]);
});

Deno.test("SeededRandom.next() is spread evenly over 0 to 1", () => {
  const random = new SeededRandom(3);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = random.next();
    assert(value >= 0 && value < 1);
    counts[Math.floor(value * 10)]!++;
  }
  assert(counts.every((count) => count > 9_500 && count < 10_500), counts.join());
});

Deno.test("SeededRandom.int() gives every value below max and no other", () => {
  const random = new SeededRandom(4);
  const seen = new Set<number>();
  for (let i = 0; i < 1_000; i++) seen.add(random.int(5));
  assertEquals([...seen].sort(), [0, 1, 2, 3, 4]);
  assertEquals(random.int(1), 0);
});

for (const max of [0, -1, 1.5, NaN, 2 ** 32 + 1]) {
  Deno.test(`SeededRandom.int() throws on ${max}`, () => {
    assertThrows(() => new SeededRandom(0).int(max), RangeError);
  });
}

Deno.test("SeededRandom.pick() gives every element, and throws on none", () => {
  const random = new SeededRandom(5);
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) seen.add(random.pick(["a", "b", "c"]));
  assertEquals([...seen].sort(), ["a", "b", "c"]);
  assertThrows(() => random.pick([]), RangeError);
});
