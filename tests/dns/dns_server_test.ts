import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  equalBytes,
  formatServer,
  isFromServer,
  ServerMemory,
  type ServerMemoryOptions,
} from "../../dns/dns_server.ts";

const FIRST = { address: "192.0.2.1", port: 53 };
const SECOND = { address: "192.0.2.2", port: 53 };
const COOKIE = { client: new Uint8Array(8), server: new Uint8Array(8).fill(1) };

const SENDERS: readonly [from: string, server: string, isSame: boolean][] = [
  ["192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.2", false],
  ["2001:db8::1", "2001:DB8:0:0::1", true],
  ["2001:db8::1", "2001:db8::2", false],
  ["::ffff:192.0.2.1", "192.0.2.1", true],
  ["::ffff:192.0.2.2", "192.0.2.1", false],
  ["127.0.0.1", "0.0.0.0", true],
  ["127.0.0.2", "0.0.0.0", false],
  ["::1", "::", true],
  ["127.0.0.1", "::", false],
  ["fe80::1%eth0", "fe80::1%eth0", true],
  ["fe80::1%2", "fe80::1%eth0", true],
  ["fe80::1", "fe80::1%eth0", true],
  ["fe80::1%eth1", "fe80::1%eth0", false],
  ["fe80::1%3", "fe80::1%2", false],
  ["exchange", "exchange", true],
  ["exchange", "192.0.2.1", false],
];

for (const [from, server, isSame] of SENDERS) {
  Deno.test(`isFromServer() takes ${from} ${isSame ? "for" : "not for"} ${server}`, () => {
    assertEquals(isFromServer({ address: from, port: 53 }, { address: server, port: 53 }), isSame);
    assertEquals(isFromServer({ address: from, port: 54 }, { address: server, port: 53 }), false);
  });
}

Deno.test("formatServer() tells servers apart by address and port", () => {
  assertEquals(formatServer(FIRST), "192.0.2.1#53");
  assert(formatServer(FIRST) !== formatServer({ ...FIRST, port: 54 }));
});

Deno.test("equalBytes() compares lengths and bytes", () => {
  const bytes = new Uint8Array([1, 2]);
  assertEquals(equalBytes(bytes, new Uint8Array([1, 2])), true);
  assertEquals(equalBytes(bytes, new Uint8Array([1, 3])), false);
  assertEquals(equalBytes(bytes, new Uint8Array([1])), false);
});

Deno.test("ServerMemory.order() doubles the time of a silent server up to its bound", () => {
  const memory = new ServerMemory({ backoffMs: 100, maxBackoffMs: 250 });
  const isFirst = (nowMs: number) => memory.order([FIRST, SECOND], nowMs)[0] === FIRST;
  for (const backoffMs of [100, 200, 250, 250]) {
    memory.recordFailure(FIRST, 1_000);
    assertEquals([isFirst(1_000 + backoffMs - 1), isFirst(1_000 + backoffMs)], [false, true]);
  }
  memory.recordSuccess(FIRST);
  assert(isFirst(1_000));
  memory.recordFailure(FIRST, 1_000);
  assertEquals(memory.inspect(FIRST, 1_000).avoidUntilMs, 1_100);
});

Deno.test("ServerMemory.order() keeps the order where all are silent", () => {
  const memory = new ServerMemory();
  memory.recordFailure(SECOND, 0);
  memory.recordFailure(FIRST, 0);
  assertEquals(memory.order([FIRST, SECOND], 1), [FIRST, SECOND]);
});

Deno.test("ServerMemory.recordFailure() counts on for ever without leaving the bound", () => {
  const memory = new ServerMemory({ maxBackoffMs: 2 ** 31 - 1 });
  for (let count = 0; count < 2_000; count++) memory.recordFailure(FIRST, 0);
  assertEquals(memory.inspect(FIRST, 0).avoidUntilMs, 2 ** 31 - 1);
});

Deno.test("ServerMemory.ednsAbility() forgets after its time, and doubts after two silences", () => {
  const memory = new ServerMemory({ ednsMemoryMs: 100 });
  assertEquals(memory.ednsAbility(FIRST, 0), "unknown");
  memory.recordEdns(FIRST, "unsupported", 0);
  assertEquals([99, 100].map((nowMs) => memory.ednsAbility(FIRST, nowMs)), [
    "unsupported",
    "unknown",
  ]);
  memory.recordEdns(FIRST, "supported", 0);
  memory.recordFailure(FIRST, 0);
  assertEquals(memory.ednsAbility(FIRST, 0), "supported");
  memory.recordFailure(FIRST, 0);
  assertEquals(memory.ednsAbility(FIRST, 0), "unknown");
});

Deno.test("ServerMemory.cookieFor() gives one client cookie per server and address, for a while", () => {
  let next = 0x1234;
  const random = () => next++;
  const memory = new ServerMemory({ cookieLifetimeMs: 100 });
  const first = memory.cookieFor(FIRST, "", random, 0);
  assertEquals(first.client, new Uint8Array([0x12, 0x34, 0x12, 0x35, 0x12, 0x36, 0x12, 0x37]));
  assertEquals(first.server.length, 0);
  assertEquals(memory.cookieFor(FIRST, "", random, 99).client, first.client);
  assert(!equalBytes(memory.cookieFor(SECOND, "", random, 0).client, first.client));
  assert(!equalBytes(memory.cookieFor(FIRST, "192.0.2.9", random, 0).client, first.client));
  assert(!equalBytes(memory.cookieFor(FIRST, "", random, 100).client, first.client));
});

Deno.test("ServerMemory.recordCookie() keeps only what belongs to the client cookie", () => {
  const memory = new ServerMemory();
  memory.recordCookie(FIRST, "", COOKIE);
  assertEquals(memory.inspect(FIRST, 0).hasCookie, false);
  const { client } = memory.cookieFor(FIRST, "", () => 5, 0);
  memory.recordCookie(FIRST, "", COOKIE);
  assertEquals(memory.inspect(FIRST, 0).hasCookie, false);
  const before = memory.cookieFor(FIRST, "", () => 6, 0);
  memory.recordCookie(FIRST, "", { client, server: COOKIE.server });
  assertEquals(memory.cookieFor(FIRST, "", () => 6, 0).server, COOKIE.server);
  // Queries under way are judged by what they were sent with.
  assertEquals(before.server.length, 0);
});

Deno.test("ServerMemory.cookieFor() keeps a bounded number of addresses", () => {
  const memory = new ServerMemory();
  let next = 0;
  const cookieOf = (index: number) => memory.cookieFor(FIRST, `a${index}`, () => next++, 0).client;
  const first = cookieOf(0);
  for (let index = 1; index < 16; index++) cookieOf(index);
  assert(equalBytes(cookieOf(0), first));
  cookieOf(16);
  assert(!equalBytes(cookieOf(0), first));
});

Deno.test("ServerMemory forgets the servers longest unused at its limit", () => {
  const memory = new ServerMemory({ maxServerCount: 2 });
  const third = { address: "192.0.2.3", port: 53 };
  for (const server of [FIRST, SECOND, FIRST, third]) memory.recordFailure(server, 0);
  assertEquals([FIRST, SECOND, third].map((server) => memory.inspect(server, 0).failureCount), [
    2,
    0,
    1,
  ]);
  memory.clear();
  assertEquals(memory.inspect(FIRST, 0), {
    failureCount: 0,
    avoidUntilMs: 0,
    edns: "unknown",
    hasCookie: false,
  });
});

Deno.test("ServerMemory refuses options out of their range", () => {
  const wrong: readonly ServerMemoryOptions[] = [
    { maxServerCount: 0 },
    { maxServerCount: 65_537 },
    { backoffMs: -1 },
    { maxBackoffMs: 2 ** 31 },
    { ednsMemoryMs: 1.5 },
    { cookieLifetimeMs: NaN },
  ];
  for (const options of wrong) assertThrows(() => new ServerMemory(options), RangeError);
});
