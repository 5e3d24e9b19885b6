import { assert, assertEquals } from "@std/assert";
import { TimerQueue } from "../../nbio/_testing_timer_queue.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

function drain(queue: TimerQueue): [number, number][] {
  const order: [number, number][] = [];
  for (let timer; (timer = queue.first);) {
    order.push([timer.instantMs, timer.id]);
    queue.remove(timer.id);
  }
  return order;
}

Deno.test("TimerQueue gives timers by instant, then by age, whatever is added and removed", () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new SeededRandom(seed);
    const queue = new TimerQueue();
    const model = new Map<number, number>();
    for (let step = 0; step < 300; step++) {
      if (random.chance(0.6)) {
        const instantMs = random.int(20);
        model.set(queue.add(instantMs, () => {}), instantMs);
      } else if (model.size > 0) {
        const id = random.pick([...model.keys()]);
        queue.remove(id);
        model.delete(id);
      }
      assertEquals(queue.size, model.size);
    }
    const expected = [...model].map(([id, instantMs]): [number, number] => [instantMs, id])
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    assertEquals(drain(queue), expected);
    assertEquals([queue.size, queue.first], [0, undefined]);
  }
});

Deno.test("TimerQueue.remove() of what is not there does nothing", () => {
  const queue = new TimerQueue();
  const id = queue.add(1, () => {});
  queue.remove(id);
  queue.remove(id);
  queue.remove(99);
  assertEquals(queue.size, 0);
});

Deno.test("TimerQueue holds a hundred thousand that are re-armed all the time", () => {
  // A search or a move of all of them per step would take minutes.
  const queue = new TimerQueue();
  const ids = Array.from({ length: 100_000 }, (_, index) => queue.add(index, () => {}));
  for (const [index, id] of ids.entries()) {
    queue.remove(id);
    queue.add(100_000 - index, () => {});
  }
  const order = drain(queue);
  assertEquals(order.length, 100_000);
  assert(order.every(([instantMs], index) => instantMs === index + 1));
});
