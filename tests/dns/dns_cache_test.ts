import { assert, assertEquals, assertThrows } from "@std/assert";
import { DnsCache, type DnsCacheKey, type DnsCacheOptions } from "../../dns/dns_cache.ts";
import { DnsMessageError } from "../../dns/errors.ts";
import type { Message } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";

const KEY = { name: "a.example.", type: "A", class: "IN" } as const;
const SOA = "example. 300 IN SOA ns.example. root.example. 1 2 3 4 120";

interface Sections extends Partial<Message> {
  readonly answer?: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
}

function message(
  key: DnsCacheKey,
  { answer, authority, additional, ...header }: Sections,
): Message {
  return {
    id: 7,
    response: true,
    opcode: "QUERY",
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    zero: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: "NOERROR",
    questions: [{ class: "IN", ...key }],
    answers: (answer ?? []).map((text) => parseRecord(text)),
    authorities: (authority ?? []).map((text) => parseRecord(text)),
    additionals: (additional ?? []).map((text) => parseRecord(text)),
    ...header,
  };
}

function address(ttl: number, name: string = KEY.name): Message {
  return message({ ...KEY, name }, { answer: [`${name} ${ttl} IN A 192.0.2.1`] });
}

const NXDOMAIN = message(KEY, { rcode: "NXDOMAIN", authority: [SOA] });
const NODATA = message(KEY, { authority: [SOA] });
const SERVFAIL = message(KEY, { rcode: "SERVFAIL" });

/** How many milliseconds a message is kept, by asking. */
function lifeMs(answer: Message, options: DnsCacheOptions = {}, key: DnsCacheKey = KEY): number {
  const cache = new DnsCache(options);
  if (!cache.put(key, answer, 1_000)) return 0;
  const [entry] = cache.inspect(1_000);
  const { ttlMs } = entry!;
  assert(cache.get(key, 1_000 + ttlMs - 1) !== undefined);
  assertEquals(cache.get(key, 1_000 + ttlMs), undefined);
  return ttlMs;
}

function ttls(answer: Message | undefined): number[] {
  return answer === undefined ? [] : [answer.answers, answer.authorities, answer.additionals]
    .flatMap((records) => records.map(({ ttl }) => ttl));
}

Deno.test("DnsCache.get() counts TTLs down in whole seconds, never to 0", () => {
  const cache = new DnsCache();
  cache.put(KEY, address(60), 500);
  const at = (nowMs: number): unknown => {
    const got = cache.get(KEY, nowMs);
    return got && [ttls(got.message), got.ageMs, got.isStale, got.shouldPrefetch];
  };
  assertEquals(at(500), [[60], 0, false, false]);
  assertEquals(at(1_499), [[60], 999, false, false]);
  assertEquals(at(1_500), [[59], 1_000, false, false]);
  assertEquals(at(60_499), [[1], 59_999, false, false]);
  assertEquals(at(60_500), undefined);
  assertEquals(cache.entryCount, 0);
});

Deno.test("DnsCache.get() leaves the message that was put as it is", () => {
  const cache = new DnsCache();
  const answer = address(60);
  cache.put(KEY, answer, 0);
  cache.get(KEY, 30_000);
  assertEquals(ttls(answer), [60]);
  assertEquals(cache.get(KEY, 0)?.message, { ...answer });
});

Deno.test("DnsCache.get() knows a name in any case and tells other questions apart", () => {
  const cache = new DnsCache();
  cache.put(KEY, address(60), 0);
  assert(cache.get({ name: "A.Example", type: "A" }, 0) !== undefined);
  const others: Partial<DnsCacheKey>[] = [
    { name: "b.example." },
    { type: "AAAA" },
    { class: "CH" },
    { dnssecOk: true },
    { checkingDisabled: true },
    { recursionDesired: false },
  ];
  for (const other of others) assertEquals(cache.get({ ...KEY, ...other }, 0), undefined);
});

interface LifeRow {
  readonly name: string;
  readonly answer: Message;
  readonly options?: DnsCacheOptions;
  readonly wantedMs: number;
}

const LIVES: readonly LifeRow[] = [
  { name: "records", answer: address(60), wantedMs: 60_000 },
  { name: "records with a TTL of 0", answer: address(0), wantedMs: 0 },
  {
    name: "records with a TTL of 0 and a least one",
    answer: address(0),
    options: { minTtlMs: 1_500 },
    wantedMs: 1_500,
  },
  { name: "records with a long TTL", answer: address(999_999), wantedMs: 86_400_000 },
  {
    name: "records with a long TTL and no bound",
    answer: address(999_999),
    options: { maxTtlMs: Infinity },
    wantedMs: 999_999_000,
  },
  {
    name: "records with any TTL and a bound of 0",
    answer: address(60),
    options: { maxTtlMs: 0 },
    wantedMs: 0,
  },
  {
    name: "records with mixed TTLs",
    answer: message(KEY, {
      answer: ["a.example. 60 IN A 192.0.2.1", "a.example. 50 IN A 192.0.2.2"],
    }),
    wantedMs: 50_000,
  },
  {
    name: "records behind an alias",
    answer: message(KEY, {
      answer: ["b.example. 60 IN A 192.0.2.1", "a.example. 40 IN CNAME b.example."],
    }),
    wantedMs: 40_000,
  },
  {
    name: "an alias alone",
    answer: message(KEY, { answer: ["a.example. 40 IN CNAME b.example."] }),
    wantedMs: 40_000,
  },
  {
    name: "records with shorter-lived ones beside them",
    answer: message(KEY, {
      answer: ["a.example. 60 IN A 192.0.2.1"],
      authority: ["example. 30 IN NS ns.example."],
      additional: ["ns.example. 20 IN A 192.0.2.5"],
    }),
    wantedMs: 20_000,
  },
  { name: "that there is no name", answer: NXDOMAIN, wantedMs: 120_000 },
  { name: "that there are no records", answer: NODATA, wantedMs: 120_000 },
  {
    name: "that there is nothing, the TTL of SOA less than its minimum",
    answer: message(KEY, { rcode: "NXDOMAIN", authority: [SOA.replace("300", "30")] }),
    wantedMs: 30_000,
  },
  {
    name: "that there is nothing for days",
    answer: message(KEY, { authority: [SOA.replace("300", "99999").replace("120", "99999")] }),
    wantedMs: 3_600_000,
  },
  {
    name: "that there is nothing, switched off",
    answer: NODATA,
    options: { maxNegativeTtlMs: 0 },
    wantedMs: 0,
  },
  {
    name: "that there is nothing, with a least TTL for records",
    answer: NODATA,
    options: { minTtlMs: 500_000 },
    wantedMs: 120_000,
  },
  {
    name: "that there is nothing, without SOA",
    answer: message(KEY, { rcode: "NXDOMAIN" }),
    wantedMs: 0,
  },
  {
    name: "that there is nothing, with the SOA of another zone",
    answer: message(KEY, {
      rcode: "NXDOMAIN",
      authority: [SOA.replace("example. 300", "other. 300")],
    }),
    wantedMs: 0,
  },
  { name: "that the servers failed", answer: SERVFAIL, wantedMs: 5_000 },
  {
    name: "that the servers failed, switched off",
    answer: SERVFAIL,
    options: { failureTtlMs: 0 },
    wantedMs: 0,
  },
  {
    name: "a referral",
    answer: message(KEY, { authority: ["example. 60 IN NS ns.example."] }),
    wantedMs: 0,
  },
  { name: "REFUSED", answer: message(KEY, { rcode: "REFUSED" }), wantedMs: 0 },
  { name: "what was truncated", answer: { ...address(60), truncated: true }, wantedMs: 0 },
  { name: "a query", answer: { ...address(60), response: false }, wantedMs: 0 },
  { name: "another opcode", answer: { ...address(60), opcode: "UPDATE" }, wantedMs: 0 },
  {
    name: "records of another owner alone",
    answer: message(KEY, { answer: ["b.example. 60 IN A 192.0.2.1"] }),
    wantedMs: 0,
  },
];

for (const { name, answer, options, wantedMs } of LIVES) {
  Deno.test(`DnsCache.put() keeps ${name} for ${wantedMs} ms`, () => {
    assertEquals(lifeMs(answer, options), wantedMs);
  });
}

Deno.test("DnsCache.put() levels the TTLs of a set and cuts those that are too long", () => {
  const cache = new DnsCache({ maxTtlMs: 100_000 });
  const answer = message(KEY, {
    answer: ["a.example. 60 IN A 192.0.2.1", "A.example. 50 IN A 192.0.2.2"],
    authority: ["example. 4000 IN NS ns.example."],
  });
  cache.put(KEY, answer, 0);
  assertEquals(ttls(cache.get(KEY, 10_000)?.message), [40, 40, 90]);
});

Deno.test("DnsCache.put() keeps of EDNS what the servers say of errors", () => {
  const cache = new DnsCache();
  const error = { type: "extended-error", infoCode: 3, text: "" } as const;
  const cookie = { type: "cookie", client: new Uint8Array(8), server: new Uint8Array(8) } as const;
  const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0 };
  cache.put(KEY, { ...address(60), edns: { ...edns, options: [cookie, error] } }, 0);
  assertEquals(cache.get(KEY, 0)?.message.edns?.options, [error]);
});

Deno.test("DnsCache.get() knows that a name does not exist for all its types", () => {
  const cache = new DnsCache();
  cache.put(KEY, NXDOMAIN, 0);
  const got = cache.get({ ...KEY, type: "MX" }, 60_000);
  assertEquals(got?.message.questions, [{ ...KEY, type: "MX" }]);
  assertEquals([got?.message.rcode, ttls(got?.message)], ["NXDOMAIN", [60]]);
  assertEquals(cache.get({ ...KEY, dnssecOk: true }, 0), undefined);
  // Until it does.
  cache.put({ ...KEY, type: "MX" }, message({ ...KEY, type: "MX" }, { authority: [SOA] }), 0);
  assertEquals(cache.get(KEY, 0), undefined);
});

Deno.test("DnsCache.get() keeps apart what does not exist behind an alias", () => {
  const cache = new DnsCache();
  const answer = ["a.example. 40 IN CNAME b.example."];
  cache.put(KEY, message(KEY, { rcode: "NXDOMAIN", answer, authority: [SOA] }), 0);
  assertEquals(cache.get(KEY, 0)?.message.rcode, "NXDOMAIN");
  assertEquals(cache.get({ ...KEY, type: "CNAME" }, 0), undefined);
});

Deno.test("DnsCache.put() takes the newer answer", () => {
  const cache = new DnsCache();
  cache.put(KEY, SERVFAIL, 0);
  cache.put(KEY, address(60), 0);
  assertEquals(cache.get(KEY, 0)?.message.rcode, "NOERROR");
  cache.put(KEY, NXDOMAIN, 0);
  assertEquals(cache.get(KEY, 0)?.message.rcode, "NXDOMAIN");
  assertEquals(cache.entryCount, 1);
});

Deno.test("DnsCache gives up what was not used for longest", () => {
  const cache = new DnsCache({ maxEntryCount: 2 });
  for (const name of ["a.", "b."]) cache.put({ ...KEY, name }, address(60, name), 0);
  cache.get({ ...KEY, name: "a." }, 0);
  cache.put({ ...KEY, name: "c." }, address(60, "c."), 0);
  assertEquals(cache.inspect(0).map(({ name }) => name), ["a.", "c."]);
});

Deno.test("DnsCache stays within its bytes, and counts them", () => {
  const one = new DnsCache();
  one.put(KEY, address(60), 0);
  const { byteCount } = one;
  for (
    const [maxBytes, wanted] of [[byteCount - 1, 0], [byteCount, 1], [2 * byteCount, 2]] as const
  ) {
    const cache = new DnsCache({ maxBytes });
    for (const name of ["a.example.", "b.example.", "c.example."]) {
      cache.put({ ...KEY, name }, address(60, name), 0);
    }
    assertEquals([cache.entryCount, cache.byteCount], [wanted, wanted * byteCount]);
    cache.get({ ...KEY, name: "c.example." }, 60_000);
    assertEquals(cache.entryCount, Math.max(0, wanted - 1));
    cache.clear();
    assertEquals([cache.entryCount, cache.byteCount], [0, 0]);
  }
});

Deno.test("DnsCache counts large data", () => {
  const cache = new DnsCache();
  const text = `a.example. 60 IN TXT ${`"${"x".repeat(255)}" `.repeat(240)}`;
  const key = { ...KEY, type: "TXT" };
  cache.put(key, message(key, { answer: [text] }), 0);
  assert(cache.byteCount > 61_200);
});

Deno.test("DnsCache has no bound at 0 and Infinity", () => {
  for (const bound of [0, Infinity]) {
    const cache = new DnsCache({ maxEntryCount: bound, maxBytes: bound });
    for (let index = 0; index < 100; index++) {
      cache.put({ ...KEY, name: `a${index}.` }, address(60, `a${index}.`), 0);
    }
    assertEquals(cache.entryCount, 100);
  }
});

Deno.test("DnsCache.get() gives an expired answer where it is allowed, for as long as it is kept", () => {
  const cache = new DnsCache({ staleTtlMs: 10_000, staleAnswerTtlMs: 4_500 });
  cache.put(KEY, address(60), 0);
  assertEquals(cache.get(KEY, 60_000), undefined);
  const got = cache.get(KEY, 69_999, { allowStale: true });
  assertEquals([got?.isStale, ttls(got?.message), got?.ageMs], [true, [5], 69_999]);
  assertEquals(cache.get(KEY, 70_000, { allowStale: true }), undefined);
  assertEquals(cache.entryCount, 0);
});

Deno.test("DnsCache.get() gives no expired answer by default", () => {
  const cache = new DnsCache();
  cache.put(KEY, address(60), 0);
  assertEquals(cache.get(KEY, 60_000, { allowStale: true }), undefined);
});

Deno.test("DnsCache gives an expired answer for a while after a failure, and only then", () => {
  const cache = new DnsCache({ staleTtlMs: 100_000 });
  cache.put(KEY, address(60), 0);
  assertEquals(cache.put(KEY, SERVFAIL, 70_000), true);
  assertEquals(cache.get(KEY, 74_999)?.isStale, true);
  assertEquals(cache.get(KEY, 75_000), undefined);
  assertEquals(cache.noteFailure(KEY, 80_000), true);
  assertEquals(cache.get(KEY, 80_000)?.isStale, true);
  assertEquals(cache.noteFailure(KEY, 160_000), false);
  cache.put(KEY, SERVFAIL, 160_000);
  assertEquals(cache.get(KEY, 160_000)?.message.rcode, "SERVFAIL");
  assertEquals(cache.get(KEY, 165_000, { allowStale: true }), undefined);
});

Deno.test("DnsCache.noteFailure() knows no failure of what is not kept", () => {
  const cache = new DnsCache({ staleTtlMs: 10_000 });
  assertEquals(cache.noteFailure(KEY, 0), false);
  cache.put(KEY, NXDOMAIN, 0);
  assertEquals(cache.noteFailure({ ...KEY, type: "MX" }, 0), true);
});

Deno.test("DnsCache.get() says once that it is time to ask again", () => {
  const cache = new DnsCache({ prefetchRatio: 0.1 });
  cache.put(KEY, address(60), 0);
  const hints = [0, 53_999, 54_000, 54_001].map((nowMs) => cache.get(KEY, nowMs)?.shouldPrefetch);
  assertEquals(hints, [false, false, true, false]);
  cache.put(KEY, address(60), 55_000);
  assertEquals(cache.get(KEY, 109_000)?.shouldPrefetch, true);
});

Deno.test("DnsCache.evict() gives up a name, or one type of it", () => {
  const fill = (): DnsCache => {
    const cache = new DnsCache();
    for (const name of ["a.example.", "b.a.example.", "b.example."]) {
      cache.put({ ...KEY, name }, address(60, name), 0);
      cache.put({ ...KEY, name, dnssecOk: true }, address(60, name), 0);
    }
    cache.put({ ...KEY, type: "MX" }, message({ ...KEY, type: "MX" }, { authority: [SOA] }), 0);
    cache.put({ ...KEY, checkingDisabled: true }, NXDOMAIN, 0);
    return cache;
  };
  for (const [type, wanted] of [[undefined, 4], ["A", 3], ["MX", 2], ["TXT", 1]] as const) {
    const cache = fill();
    assertEquals(cache.evict("A.example", type), wanted);
    assertEquals(cache.entryCount, 8 - wanted);
  }
});

Deno.test("DnsCache.inspect() tells what there is", () => {
  const cache = new DnsCache({ staleTtlMs: 60_000 });
  cache.put({ name: "A.Example", type: "A" }, NXDOMAIN, 0);
  cache.get(KEY, 0);
  cache.get({ ...KEY, type: "MX" }, 0);
  const { byteCount } = cache;
  const entry = {
    name: "a.example.",
    type: "*",
    class: "IN",
    dnssecOk: false,
    checkingDisabled: false,
    recursionDesired: true,
    kind: "nxdomain",
    byteCount,
    hitCount: 2,
  } as const;
  assertEquals(cache.inspect(1_000), [{ ...entry, ttlMs: 119_000 }]);
  assertEquals(cache.inspect(121_000), [{ ...entry, ttlMs: -1_000 }]);
});

Deno.test("DnsCache throws on options out of their range and on what is no name", () => {
  const wrong: DnsCacheOptions[] = [
    { maxEntryCount: -1 },
    { maxEntryCount: 1.5 },
    { maxBytes: NaN },
    { minTtlMs: -1 },
    { minTtlMs: Infinity },
    { minTtlMs: 2, maxTtlMs: 1 },
    { maxTtlMs: NaN },
    { maxNegativeTtlMs: -1 },
    { failureTtlMs: 300_001 },
    { staleTtlMs: -1 },
    { staleAnswerTtlMs: Infinity },
    { prefetchRatio: 1.1 },
  ];
  for (const options of wrong) assertThrows(() => new DnsCache(options), RangeError);
  const cache = new DnsCache();
  assertThrows(() => cache.get({ name: "a..b", type: "A" }, 0), DnsMessageError);
  assertThrows(() => cache.evict("a..b"), DnsMessageError);
});
