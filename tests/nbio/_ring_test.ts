import { assert, assertEquals } from "@std/assert";
import { Ring } from "../../nbio/_ring.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isCollected } from "../_support/collect_garbage.ts";

Deno.test("Ring gives what an array gives, whatever the order of calls", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new SeededRandom(seed);
    const ring = new Ring<number>();
    const model: number[] = [];
    for (let step = 0; step < 2_000; step++) {
      // Phases of growing and of shrinking: the ring passes its sizes both ways.
      if (random.int(10) < (step % 400 < 200 ? 7 : 3)) {
        ring.push(step);
        model.push(step);
      } else if (random.int(500) === 0) {
        assertEquals(ring.clear(), model.splice(0));
      } else {
        assertEquals(ring.shift(), model.shift());
      }
      assertEquals(ring.length, model.length);
    }
    assertEquals(ring.clear(), model);
  }
});

Deno.test("Ring grows over its end, the oldest value wherever it stands", () => {
  for (let start = 0; start < 16; start++) {
    const ring = new Ring<number>();
    for (let i = 0; i < start; i++) ring.push(-1);
    for (let i = 0; i < start; i++) ring.shift();
    for (let i = 0; i < 40; i++) ring.push(i);
    assertEquals(Array.from({ length: 40 }, () => ring.shift()), [...Array(40).keys()]);
  }
});

Deno.test("Ring is small again when it is empty", () => {
  const ring = new Ring<number>();
  const smallest = ring.capacity;
  for (let i = 0; i < 10_000; i++) ring.push(i);
  assert(ring.capacity >= 10_000);
  while (ring.length > 0) ring.shift();
  assertEquals([ring.capacity, ring.shift()], [smallest, undefined]);
});

Deno.test("Ring does not keep alive what was taken from it", async () => {
  const ring = new Ring<object>();
  const pass = (): WeakRef<object> => {
    ring.push({});
    ring.push({});
    return new WeakRef(ring.shift()!);
  };
  assertEquals([await isCollected(pass()), ring.length], [true, 1]);
});
