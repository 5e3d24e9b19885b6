import { assert, assertEquals, assertThrows } from "@std/assert";
import { Backoff, type BackoffOptions } from "../../nbio/backoff.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

const MAX_TIMER_MS = 2 ** 31 - 1;

function take(backoff: Backoff, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => backoff.next());
}

const SERIES: { name: string; options: BackoffOptions; ceilingsMs: (number | undefined)[] }[] = [
  { name: "the defaults", options: {}, ceilingsMs: [100, 200, 400, 800, 1_600, 3_200, 6_400] },
  {
    name: "a bound that is reached",
    options: { baseDelayMs: 5, maxDelayMs: 50 },
    ceilingsMs: [5, 10, 20, 40, 50, 50],
  },
  {
    name: "a bound below the base",
    options: { baseDelayMs: 500, maxDelayMs: 50 },
    ceilingsMs: [50, 50],
  },
  {
    name: "multiplier 1",
    options: { baseDelayMs: 7, multiplier: 1 },
    ceilingsMs: [7, 7, 7],
  },
  {
    name: "multiplier 1.5",
    options: { baseDelayMs: 4, multiplier: 1.5 },
    ceilingsMs: [4, 6, 9, 13.5],
  },
  {
    name: "maxRetries 2",
    options: { maxRetries: 2 },
    ceilingsMs: [100, 200, undefined, undefined],
  },
  { name: "maxRetries 0", options: { maxRetries: 0 }, ceilingsMs: [undefined, undefined] },
  {
    name: "the largest numbers there are",
    options: { baseDelayMs: Number.MAX_VALUE, maxDelayMs: MAX_TIMER_MS, multiplier: 1e308 },
    ceilingsMs: [MAX_TIMER_MS, MAX_TIMER_MS, MAX_TIMER_MS],
  },
];

for (const { name, options, ceilingsMs } of SERIES) {
  Deno.test(`Backoff.next() with ${name}: the longest delays, then those of half the chance`, () => {
    assertEquals(take(new Backoff(() => 1, options), ceilingsMs.length), ceilingsMs);
    const halves = ceilingsMs.map((ms) => ms === undefined ? ms : ms / 2);
    assertEquals(take(new Backoff(() => 0.5, options), ceilingsMs.length), halves);
  });
}

Deno.test("Backoff.next() draws from the whole range, evenly", () => {
  const random = new SeededRandom(3);
  const backoff = new Backoff(() => random.next(), {
    baseDelayMs: 100,
    maxDelayMs: 100,
  });
  const buckets = [0, 0, 0, 0];
  for (let i = 0; i < 4_000; i++) {
    const delayMs = backoff.next()!;
    assert(delayMs >= 0 && delayMs < 100);
    buckets[Math.floor(delayMs / 25)]!++;
  }
  assert(buckets.every((count) => count > 900 && count < 1_100), String(buckets));
});

Deno.test("Backoff.next() repeats itself with the same seed", () => {
  const [first, second] = [1, 1].map((seed) => {
    const random = new SeededRandom(seed);
    return take(new Backoff(() => random.next()), 20);
  });
  assertEquals(first, second);
});

Deno.test("Backoff.next() is finite and within its bound after very many failures", () => {
  const backoff = new Backoff(() => 1, { multiplier: 10 });
  for (let i = 0; i < 100_000; i++) assert(backoff.next()! <= 30_000);
  assertEquals([backoff.next(), backoff.retryCount], [30_000, 100_001]);
});

Deno.test("Backoff.next() adds the floor, and cuts the sum at what timers can wait", () => {
  const backoff = new Backoff(() => 0.5, { baseDelayMs: 100 });
  assertEquals(backoff.next(5_000), 5_050);
  assertEquals(backoff.next(60_000), 60_100);
  assertEquals([backoff.next(1e300), backoff.next(Infinity)], [MAX_TIMER_MS, MAX_TIMER_MS]);
});

Deno.test("Backoff.next() draws nothing and counts nothing when it has given up", () => {
  let drawnCount = 0;
  const backoff = new Backoff(() => ++drawnCount && 1, { maxRetries: 1 });
  take(backoff, 3);
  assertEquals([drawnCount, backoff.retryCount], [1, 1]);
});

Deno.test("Backoff.reset() begins anew, after giving up too", () => {
  const backoff = new Backoff(() => 1, { maxRetries: 3 });
  assertEquals(take(backoff, 4), [100, 200, 400, undefined]);
  backoff.reset();
  assertEquals(backoff.retryCount, 0);
  assertEquals(take(backoff, 4), [100, 200, 400, undefined]);
});

const INVALID: BackoffOptions[] = [
  ...[0, -1, NaN, Infinity].map((baseDelayMs) => ({ baseDelayMs })),
  ...[0, -1, NaN, Infinity, 2 ** 31].map((maxDelayMs) => ({ maxDelayMs })),
  ...[0, 0.99, -2, NaN, Infinity].map((multiplier) => ({ multiplier })),
  ...[-1, 1.5, NaN].map((maxRetries) => ({ maxRetries })),
];

for (const options of INVALID) {
  Deno.test(`Backoff throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new Backoff(Math.random, options), RangeError);
  });
}

Deno.test("Backoff.next() throws on a wrong floor or chance, and does not count it", () => {
  for (const floorMs of [-1, NaN]) {
    const backoff = new Backoff(() => 1);
    assertThrows(() => backoff.next(floorMs), RangeError);
    assertEquals(backoff.retryCount, 0);
  }
  for (const chance of [-0.1, 1.1, NaN]) {
    const backoff = new Backoff(() => chance);
    assertThrows(() => backoff.next(), RangeError);
    assertEquals(backoff.retryCount, 0);
  }
});
