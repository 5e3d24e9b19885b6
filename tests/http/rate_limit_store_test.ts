import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  MemoryRateLimitStore,
  type MemoryRateLimitStoreOptions,
  type RateLimitDecision,
} from "../../http/rate_limit_store.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

function storeOf(
  options: MemoryRateLimitStoreOptions,
): { clock: ManualClock; store: MemoryRateLimitStore; take: (cost?: number) => RateLimitDecision } {
  const clock = new ManualClock();
  const store = new MemoryRateLimitStore({ limit: 4, windowMs: 1_000, clock, ...options });
  return { clock, store, take: (cost = 1) => store.take("a", cost) };
}

const BUCKET = { algorithm: "token-bucket" } as const;
const WINDOW = { algorithm: "sliding-window" } as const;

Deno.test("MemoryRateLimitStore lets a full bucket out at once, then unit by unit", () => {
  const { clock, take } = storeOf(BUCKET);
  const decision = (
    allowed: boolean,
    remaining: number,
    resetMs: number,
    retryAfterMs: number,
  ) => ({
    allowed,
    remaining,
    resetMs,
    retryAfterMs,
  });
  assertEquals(take(), decision(true, 3, 250, 0));
  assertEquals(take(3), decision(true, 0, 1_000, 0));
  assertEquals(take(), decision(false, 0, 1_000, 250));
  clock.advance(249);
  assertEquals(take().allowed, false);
  clock.advance(1);
  assertEquals(take(), decision(true, 0, 1_000, 0));
  clock.advance(10_000);
  assertEquals(take(), decision(true, 3, 250, 0));
});

Deno.test("MemoryRateLimitStore counts the window before by the part that overlaps", () => {
  const { clock, take } = storeOf(WINDOW);
  assertEquals(take(4), { allowed: true, remaining: 0, resetMs: 2_000, retryAfterMs: 0 });
  assertEquals(take(), { allowed: false, remaining: 0, resetMs: 2_000, retryAfterMs: 1_250 });
  clock.advance(1_249);
  assertEquals(take().allowed, false);
  clock.advance(1);
  assertEquals(take(), { allowed: true, remaining: 0, resetMs: 1_750, retryAfterMs: 0 });
  clock.advance(250);
  assertEquals(take().remaining, 0);
  clock.advance(2_000);
  assertEquals(take().remaining, 3);
});

for (const algorithm of [BUCKET, WINDOW]) {
  const name = algorithm.algorithm;

  Deno.test(`MemoryRateLimitStore lets in as soon as the ${name} said, and no sooner`, () => {
    for (const limit of [1, 3, 7, 100]) {
      const { clock, take } = storeOf({ ...algorithm, limit });
      for (let round = 0; round < 200; round++) {
        const { allowed, retryAfterMs } = take();
        if (allowed) continue;
        assert(retryAfterMs > 0 && retryAfterMs <= 2_000, `${retryAfterMs} after ${round}`);
        clock.advance(retryAfterMs * 0.99);
        assertEquals(take().allowed, false);
        clock.advance(retryAfterMs * 0.01 + 1e-6);
        assertEquals(take().allowed, true);
      }
    }
  });

  Deno.test(`MemoryRateLimitStore lets about the limit through a ${name} in the long run`, () => {
    const { clock, take } = storeOf({ ...algorithm, limit: 10 });
    let count = 0;
    for (let ms = 0; ms < 100_000; ms += 7) {
      if (take().allowed) count++;
      clock.advance(7);
    }
    // A window takes what it estimates for whole units, on the safe side.
    const least = name === "token-bucket" ? 990 : 890;
    assert(count >= least && count <= 1_011, `${count}`);
  });

  Deno.test(`MemoryRateLimitStore gives every unit of a ${name} back that was not used`, () => {
    const { clock, take } = storeOf({ ...algorithm, limit: 3, windowMs: 10 });
    for (let round = 0; round < 1_000; round++) {
      assertEquals([take().allowed, take().allowed, take().allowed], [true, true, true]);
      assertEquals(take().allowed, false);
      clock.advance(20);
    }
  });

  Deno.test(`MemoryRateLimitStore takes nothing where it refuses with a ${name}`, () => {
    const { clock, take } = storeOf(algorithm);
    take(3);
    for (let round = 0; round < 10; round++) assertEquals(take(2).allowed, false);
    assertEquals(take().allowed, true);
    clock.advance(2_000);
    assertEquals(take(4).allowed, true);
  });

  Deno.test(`MemoryRateLimitStore forgets the key seen longest ago of a full ${name}`, () => {
    const { store } = storeOf({ ...algorithm, maxKeys: 2, limit: 1 });
    const allowed = (key: string) => store.take(key, 1).allowed;
    assertEquals([allowed("a"), allowed("b"), allowed("a")], [true, true, false]);
    assertEquals([allowed("c"), store.size], [true, 2]);
    assertEquals([allowed("a"), allowed("b"), store.size], [false, true, 2]);
  });

  Deno.test(`MemoryRateLimitStore refuses new keys of a full ${name} if told to`, () => {
    const { store, clock } = storeOf({ ...algorithm, maxKeys: 1, limit: 2, whenFull: "refuse" });
    store.take("a", 1);
    const { allowed, remaining, retryAfterMs } = store.take("b", 1);
    assertEquals([allowed, remaining, store.size], [false, 0, 1]);
    assertEquals(store.take("a", 1).allowed, true);
    clock.advance(retryAfterMs);
    assertEquals([store.take("b", 1).allowed, store.size], [true, 1]);
  });
}

Deno.test("MemoryRateLimitStore holds no more keys than it may", () => {
  const store = new MemoryRateLimitStore({ maxKeys: 1_000, clock: new ManualClock() });
  for (let index = 0; index < 10_000; index++) store.take(`key ${index}`, 1);
  assertEquals(store.size, 1_000);
});

for (const cost of [0, -1, 0.5, 5, NaN]) {
  Deno.test(`MemoryRateLimitStore.take() throws on a cost of ${cost}`, () => {
    assertThrows(() => storeOf(BUCKET).take(cost), RangeError);
  });
}

for (
  const options of [
    { limit: 0 },
    { limit: 1.5 },
    { limit: Infinity },
    { windowMs: 0 },
    { windowMs: Infinity },
    { windowMs: NaN },
    { maxKeys: -1 },
    { maxKeys: 0.5 },
    { algorithm: "leaky" },
    { whenFull: "panic" },
  ]
) {
  const [[name, value]] = Object.entries(options) as [[string, unknown]];
  Deno.test(`MemoryRateLimitStore throws on a ${name} of ${value}`, () => {
    assertThrows(
      () => new MemoryRateLimitStore(options as MemoryRateLimitStoreOptions),
      RangeError,
    );
  });
}
