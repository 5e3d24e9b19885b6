import { assertEquals, assertThrows } from "@std/assert";
import { MemorySessionStore, type StoredSession } from "../../http/session_store.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

function stored(init: Partial<StoredSession> = {}): StoredSession {
  return {
    data: "{}",
    createdUnixMs: 0,
    usedUnixMs: 0,
    expiresUnixMs: 1_000,
    isRetired: false,
    version: 1,
    ...init,
  };
}

Deno.test("MemorySessionStore keeps what it is given until it is told otherwise", () => {
  const store = new MemorySessionStore({ clock: new ManualClock() });
  assertEquals(store.get("a"), undefined);
  assertEquals(store.set("a", stored(), 0), true);
  assertEquals(store.get("a"), stored());
  assertEquals(store.set("a", stored({ data: "{1}", version: 2 }), 1), true);
  assertEquals(store.get("a")?.data, "{1}");
  store.delete("a");
  store.delete("a");
  assertEquals([store.get("a"), store.size], [undefined, 0]);
});

for (
  const [what, held, expected, isStored] of [
    ["none where none is expected", undefined, 0, true],
    ["none where one is expected", undefined, 1, false],
    ["one where none is expected", 1, 0, false],
    ["the expected version", 2, 2, true],
    ["an older version", 1, 2, false],
    ["a newer version", 3, 2, false],
  ] as const
) {
  Deno.test(`MemorySessionStore.set() answers ${isStored} if there is ${what}`, () => {
    const store = new MemorySessionStore({ clock: new ManualClock() });
    if (held !== undefined) store.set("a", stored({ version: held }), 0);
    const before = store.get("a");
    const after = stored({ data: "[]", version: 9 });
    assertEquals(store.set("a", after, expected), isStored);
    assertEquals(store.get("a"), isStored ? after : before);
  });
}

Deno.test("MemorySessionStore lets a session end by its instant, and others take its place", () => {
  const clock = new ManualClock({ wallStartMs: 500 });
  const store = new MemorySessionStore({ clock });
  store.set("a", stored(), 0);
  clock.advance(499);
  assertEquals(store.get("a"), stored());
  clock.advance(1);
  assertEquals(store.get("a"), undefined);
  assertEquals(store.set("a", stored({ version: 2, expiresUnixMs: 2_000 }), 1), false);
  assertEquals(store.set("a", stored({ expiresUnixMs: 2_000 }), 0), true);
});

for (const max of [1, 2, 3]) {
  Deno.test(`MemorySessionStore drops what was used longest ago above ${max} sessions`, () => {
    const store = new MemorySessionStore({ maxSessionCount: max, clock: new ManualClock() });
    for (let index = 0; index < max; index++) store.set(`${index}`, stored(), 0);
    assertEquals(store.size, max);
    store.get("0");
    store.set("new", stored(), 0);
    assertEquals(store.size, max);
    assertEquals(store.get(max === 1 ? "0" : "1"), undefined);
    assertEquals(store.get("0") !== undefined, max > 1);
    assertEquals(store.get("new") !== undefined, true);
  });
}

Deno.test("MemorySessionStore drops what was used longest ago above its bytes", () => {
  const store = new MemorySessionStore({ maxBytes: 40, clock: new ManualClock() });
  store.set("a", stored({ data: "123456789" }), 0);
  store.set("b", stored({ data: "123456789" }), 0);
  assertEquals(store.size, 2);
  store.set("b", stored({ data: "1234567890", version: 2 }), 1);
  assertEquals([store.get("a"), store.get("b")?.version], [undefined, 2]);
  store.set("c", stored({ data: "1" }), 0);
  assertEquals(store.size, 2);
  store.set("d", stored({ data: "1".repeat(100) }), 0);
  assertEquals(store.size, 0);
});

Deno.test("MemorySessionStore forgets sessions that have ended while others come", () => {
  const clock = new ManualClock();
  const store = new MemorySessionStore({ clock });
  for (let index = 0; index < 1_000; index++) store.set(`old ${index}`, stored(), 0);
  clock.advance(1_000);
  for (let index = 0; index < 500; index++) {
    store.set(`new ${index}`, stored({ expiresUnixMs: 9_000 }), 0);
  }
  assertEquals(store.size, 500);
});

Deno.test("MemorySessionStore stays within 100,000 sessions", () => {
  const store = new MemorySessionStore({ clock: new ManualClock() });
  for (let index = 0; index < 100_100; index++) store.set(`${index}`, stored(), 0);
  assertEquals([store.size, store.get("99"), store.get("100")], [100_000, undefined, stored()]);
});

Deno.test("MemorySessionStore knows no bound where it is switched off", () => {
  for (const bound of [0, Infinity]) {
    const options = { maxSessionCount: bound, maxBytes: bound, clock: new ManualClock() };
    const store = new MemorySessionStore(options);
    for (let index = 0; index < 100; index++) store.set(`${index}`, stored(), 0);
    assertEquals(store.size, 100);
  }
});

Deno.test("MemorySessionStore counts the bytes of what it holds, whatever becomes of it", () => {
  const clock = new ManualClock();
  // Each takes 2 x (1 + 9) bytes: there is room for two.
  const store = new MemorySessionStore({ maxBytes: 40, maxSessionCount: 2, clock });
  const data = "123456789";
  for (let version = 1; version < 100; version++) {
    assertEquals(store.set("a", stored({ data, version }), version - 1), true);
  }
  store.set("b", stored({ data }), 0);
  store.set("c", stored({ data }), 0);
  store.delete("b");
  store.set("d", stored({ data, expiresUnixMs: 1 }), 0);
  clock.advance(1);
  assertEquals(store.get("d"), undefined);
  store.set("e", stored({ data }), 0);
  assertEquals([store.size, store.get("c"), store.get("e")], [
    2,
    stored({ data }),
    stored({ data }),
  ]);
});

Deno.test("MemorySessionStore throws on bounds that are none", () => {
  for (const bound of [-1, 0.5, NaN]) {
    assertThrows(() => new MemorySessionStore({ maxSessionCount: bound }), RangeError);
    assertThrows(() => new MemorySessionStore({ maxBytes: bound }), RangeError);
  }
});
