import { assertEquals, assertThrows } from "@std/assert";
import { checkMaxConnections, ConnectionLimit } from "../../nbio/connection_limit.ts";
import { settle } from "../../nbio/testing_settle.ts";

for (const maxConnections of [-1, NaN, 1.5, -Infinity]) {
  Deno.test(`ConnectionLimit() throws on ${maxConnections}`, () => {
    assertThrows(() => checkMaxConnections(maxConnections), RangeError);
    assertThrows(() => new ConnectionLimit(maxConnections), RangeError);
  });
}

for (
  const { given, max } of [
    { given: undefined, max: 10_000 },
    { given: 0, max: Infinity },
    { given: Infinity, max: Infinity },
    { given: 1, max: 1 },
  ]
) {
  Deno.test(`checkMaxConnections() takes ${given} for ${max}`, () => {
    assertEquals(checkMaxConnections(given), max);
  });
}

Deno.test("ConnectionLimit has room below its limit, and none at it", () => {
  const limit = new ConnectionLimit(2);
  const seen: boolean[] = [limit.hasRoom];
  for (let count = 0; count < 2; count++) {
    limit.enter();
    seen.push(limit.hasRoom);
  }
  limit.leave();
  seen.push(limit.hasRoom);
  assertEquals([seen, limit.activeCount], [[true, true, false, true], 1]);
});

Deno.test("change() waits for the next place that is given back, all who wait at once", async () => {
  const limit = new ConnectionLimit(1);
  limit.enter();
  const order: number[] = [];
  for (let index = 0; index < 3; index++) void limit.change().then(() => order.push(index));
  await settle();
  assertEquals([order, limit.isAwaited], [[], true]);
  limit.leave();
  await settle();
  assertEquals([order, limit.isAwaited], [[0, 1, 2], false]);
});

Deno.test("wake() ends the wait without a place", async () => {
  const limit = new ConnectionLimit(1);
  limit.enter();
  limit.wake();
  const changed = limit.change();
  limit.wake();
  await changed;
  assertEquals([limit.hasRoom, limit.activeCount], [false, 1]);
});
