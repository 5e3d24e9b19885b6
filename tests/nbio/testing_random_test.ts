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

Deno.test("SeededRandom.between() gives both bounds and what is between", () => {
  const random = new SeededRandom(6);
  const seen = new Set<number>();
  for (let i = 0; i < 200; i++) seen.add(random.between(-1, 2));
  assertEquals([...seen].sort((a, b) => a - b), [-1, 0, 1, 2]);
  assertEquals(random.between(7, 7), 7);
});

for (const [min, max] of [[2, 1], [0.5, 2], [0, NaN], [0, 2 ** 32], [-Infinity, 0]] as const) {
  Deno.test(`SeededRandom.between() throws on ${min} to ${max}`, () => {
    assertThrows(() => new SeededRandom(0).between(min, max), RangeError);
  });
}

Deno.test("SeededRandom.length() gives every length up to max, short ones as often", () => {
  const random = new SeededRandom(7);
  for (const max of [1, 2, 3, 4, 5, 7, 8, 100, 2 ** 31]) {
    const lengths = Array.from({ length: 2_000 }, () => random.length(max));
    assert(lengths.every((length) => Number.isInteger(length) && length >= 1 && length <= max));
    if (max <= 8) assertEquals(new Set(lengths).size, max);
  }
  const lengths = Array.from({ length: 10_000 }, () => random.length(1_023));
  const short = lengths.filter((length) => length < 32).length;
  assert(short > 4_700 && short < 5_300, `${short}`);
});

for (const max of [0, -1, 1.5, NaN, 2 ** 31 + 1]) {
  Deno.test(`SeededRandom.length() throws on ${max}`, () => {
    assertThrows(() => new SeededRandom(0).length(max), RangeError);
  });
}

Deno.test("SeededRandom.chance() happens as often as it should, and takes one step", () => {
  const random = new SeededRandom(8);
  let count = 0;
  for (let i = 0; i < 10_000; i++) if (random.chance(0.25)) count++;
  assert(count > 2_300 && count < 2_700, `${count}`);
  const [first, second] = [new SeededRandom(9), new SeededRandom(9)];
  assertEquals([first.chance(0), second.chance(1)], [false, true]);
  assertEquals(first.next(), second.next());
});

for (const probability of [-0.1, 1.1, NaN]) {
  Deno.test(`SeededRandom.chance() throws on ${probability}`, () => {
    assertThrows(() => new SeededRandom(0).chance(probability), RangeError);
  });
}

Deno.test("SeededRandom.weighted() gives values in proportion, and never one of weight 0", () => {
  const random = new SeededRandom(10);
  const counts = { a: 0, b: 0, c: 0 };
  const choices = [["a", 3], ["c", 0], ["b", 1], ["c", 0]] as const;
  for (let i = 0; i < 10_000; i++) counts[random.weighted(choices)]++;
  assert(counts.a > 7_300 && counts.a < 7_700, `${counts.a}`);
  assertEquals([counts.b, counts.c], [10_000 - counts.a, 0]);
});

for (const weights of [[], [0, 0], [1, -1], [NaN], [Infinity]]) {
  Deno.test(`SeededRandom.weighted() throws on weights ${Deno.inspect(weights)}`, () => {
    const choices = weights.map((weight): [string, number] => ["x", weight]);
    assertThrows(() => new SeededRandom(0).weighted(choices), RangeError);
  });
}

Deno.test("SeededRandom.shuffle() gives every order, and leaves its input alone", () => {
  const random = new SeededRandom(11);
  const values = [1, 2, 3];
  const counts = new Map<string, number>();
  for (let i = 0; i < 6_000; i++) {
    const key = random.shuffle(values).join("");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assertEquals([...counts.keys()].sort(), ["123", "132", "213", "231", "312", "321"]);
  assert([...counts.values()].every((count) => count > 850 && count < 1_150));
  assertEquals([values, random.shuffle([])], [[1, 2, 3], []]);
});

Deno.test("SeededRandom.fork() draws apart from its origin", () => {
  const [first, second] = [new SeededRandom(12), new SeededRandom(12)];
  const [fork, same] = [first.fork(), second.fork()];
  same.next();
  assertEquals(first.next(), second.next());
  fork.next();
  assertEquals(fork.bytes(4), same.bytes(4));
  assert(new SeededRandom(12).next() !== new SeededRandom(12).fork().next());
});

for (const seed of [NaN, 0.5, Infinity]) {
  Deno.test(`SeededRandom refuses the seed ${seed}`, () => {
    assertThrows(() => new SeededRandom(seed), RangeError);
  });
}
