import { assertEquals } from "@std/assert";
import { RecencyMap } from "../../http/recency_map.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

function mapOf(maxCount: number, keys: string): RecencyMap<string, number> {
  const map = new RecencyMap<string, number>(maxCount);
  [...keys].forEach((key, index) => map.set(key, index));
  return map;
}

function keysOf(map: RecencyMap<string, number>): string {
  return [...map].map(([key]) => key).join("");
}

for (
  const [what, keys, act, after] of [
    ["touch() moves the oldest", "abc", (map) => map.touch("a"), "bca"],
    ["touch() moves one in between", "abc", (map) => map.touch("b"), "acb"],
    ["touch() leaves the newest", "abc", (map) => map.touch("c"), "abc"],
    ["touch() leaves the only one", "a", (map) => map.touch("a"), "a"],
    ["touch() adds nothing", "ab", (map) => map.touch("x"), "ab"],
    ["get() moves nothing", "abc", (map) => map.get("a"), "abc"],
    ["set() moves what is there", "abc", (map) => map.set("a", 9), "bca"],
    ["set() adds at the end", "ab", (map) => map.set("c", 9), "abc"],
    ["set() drops the oldest of a full map", "abcd", (map) => map.set("e", 9), "bcde"],
    ["set() drops nothing where the key is there", "abcd", (map) => map.set("b", 9), "acdb"],
    ["delete() takes the oldest", "abc", (map) => map.delete("a"), "bc"],
    ["delete() takes one in between", "abc", (map) => map.delete("b"), "ac"],
    ["delete() takes the newest", "abc", (map) => map.delete("c"), "ab"],
    ["delete() takes the only one", "a", (map) => map.delete("a"), ""],
    ["delete() takes nothing", "ab", (map) => map.delete("x"), "ab"],
  ] as [string, string, (map: RecencyMap<string, number>) => unknown, string][]
) {
  Deno.test(`RecencyMap.${what}`, () => {
    const map = mapOf(4, keys);
    act(map);
    assertEquals(keysOf(map), after);
    assertEquals(map.size, after.length);
    // Both ends hold together: what follows goes to the end, and the oldest is the first.
    map.set("z", 26);
    assertEquals(keysOf(map), `${after}z`.slice(-4));
    assertEquals(map.oldest, [...map][0]![1]);
  });
}

Deno.test("RecencyMap gives the values, and undefined for what is not there", () => {
  const map = mapOf(2, "ab");
  assertEquals([map.get("a"), map.touch("b"), map.get("c"), map.touch("c")], [
    0,
    1,
    undefined,
    undefined,
  ]);
  assertEquals([map.set("a", 7), map.get("a")], [undefined, 7]);
  assertEquals(map.set("c", 8), ["b", 1]);
  assertEquals([map.delete("a"), map.delete("a")], [7, undefined]);
  assertEquals([map.oldest, new RecencyMap(1).oldest], [8, undefined]);
});

Deno.test("RecencyMap is full at its bound, and never without one", () => {
  for (const [count, isFull] of [[1, false], [2, true], [3, true]] as const) {
    assertEquals(mapOf(2, "abc".slice(0, count)).isFull, isFull);
  }
  assertEquals(mapOf(Infinity, "abcdefgh").isFull, false);
});

Deno.test("RecencyMap knows no name that is special", () => {
  const map = new RecencyMap<string, number>(10);
  for (const name of ["__proto__", "constructor", "toString"]) {
    assertEquals([map.get(name), map.touch(name), map.delete(name)], [
      undefined,
      undefined,
      undefined,
    ]);
    map.set(name, 1);
    assertEquals(map.get(name), 1);
  }
});

Deno.test("RecencyMap goes on when what is at hand is deleted", () => {
  const map = mapOf(10, "abcdef");
  for (const [key, value] of map) if (value % 2 === 0) map.delete(key);
  assertEquals(keysOf(map), "bdf");
  for (const [key] of map) map.delete(key);
  assertEquals([map.size, [...map]], [0, []]);
});

Deno.test("RecencyMap does what a list that is searched does", () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 200; round++) {
    const maxCount = 1 + random.int(6);
    const map = new RecencyMap<string, number>(maxCount);
    let model: [string, number][] = [];
    for (let step = 0; step < 50; step++) {
      const key = "abcdefgh"[random.int(8)]!;
      const found = model.find(([other]) => other === key);
      const others = model.filter((entry) => entry !== found);
      switch (random.int(4)) {
        case 0:
          assertEquals(map.touch(key), found?.[1]);
          model = found === undefined ? model : [...others, found];
          break;
        case 1:
          assertEquals(map.delete(key), found?.[1]);
          model = others;
          break;
        default:
          map.set(key, step);
          model = [...others, [key, step] as [string, number]].slice(-maxCount);
      }
      assertEquals([...map], model);
    }
  }
});

Deno.test("RecencyMap moves a key without deleting it: what is deleted slows a Map down", () => {
  const map = mapOf(100, "abc");
  const own = Map.prototype.delete;
  let deleteCount = 0;
  Map.prototype.delete = function (key) {
    deleteCount++;
    return own.call(this, key);
  };
  try {
    for (let count = 0; count < 1_000; count++) {
      map.touch("a");
      map.set("b", count);
    }
    assertEquals(deleteCount, 0);
    map.delete("c");
    assertEquals(deleteCount, 1);
  } finally {
    Map.prototype.delete = own;
  }
});
