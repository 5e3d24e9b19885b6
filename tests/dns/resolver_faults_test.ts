/**
 * Every fault a server, or somebody in its place, can make, over real sockets: an honest answer is
 * found within one retry wherever there is one, else the error says what is wrong, in the time that
 * resolv.conf allows.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import type { ResourceRecord } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { Resolver } from "../../dns/resolver.ts";
import { DnsResponseError, DnsTimeoutError } from "../../dns/resolver_errors.ts";
import type { ResolverOptions } from "../../dns/resolver_options.ts";
import { frameMessage } from "../../dns/tcp_framing.ts";
import { systemClock } from "../../nbio/clock.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import {
  addressRecord,
  type DnsScript,
  honestAnswer,
  respond,
  ScriptedDnsServer,
  type ScriptedDnsServerOptions,
  type ScriptedQuery,
} from "../_support/dns_server.ts";

const TIMEOUT_MS = 150;
const ATTEMPTS = 2;
const NAME = "www.example.";

/** One fault. */
interface Row {
  readonly name: string;
  readonly script: DnsScript;
  /** A second server that is honest, so that the answer is found there. */
  readonly hasSecond?: boolean;
  readonly options?: ResolverOptions;
  readonly server?: ScriptedDnsServerOptions;
  /** Addresses that are found, or the code of the error. @default ["192.0.2.1"] */
  readonly want?: readonly string[] | string;
  /** Queries the first server gets. */
  readonly queryCount?: number;
  /** Milliseconds the whole may take at most. @default all that resolv.conf allows */
  readonly maxMs?: number;
}

const HONEST = ["192.0.2.1"];
const honest: DnsScript = (query) => query.send(honestAnswer(query));

/** Does one thing with the first query and is honest from then on. */
function once(script: DnsScript): DnsScript {
  return (query) => query.index === 0 ? script(query) : honest(query);
}

/** Is silent. */
function silence(): void {}

/** Sends something first, and the honest answer after it. */
function before(make: (query: ScriptedQuery) => Uint8Array): DnsScript {
  return async (query) => {
    await query.send(make(query));
    await honest(query);
  };
}

/** Says the same to everything. */
function always(make: (query: ScriptedQuery) => Uint8Array): DnsScript {
  return (query) => query.send(make(query));
}

function withByte(bytes: Uint8Array, offset: number, change: (byte: number) => number): Uint8Array {
  const changed = bytes.slice();
  changed[offset] = change(changed[offset]!);
  return changed;
}

function rcode(code: string): (query: ScriptedQuery) => Uint8Array {
  return (query) => respond(query, { rcode: code });
}

/** Over UDP what is given; over TCP another thing. */
function overTcp(udp: DnsScript, tcp: DnsScript): DnsScript {
  return (query) => query.over === "udp" ? udp(query) : tcp(query);
}

const truncated: DnsScript = always((query) => respond(query, { truncated: true }));

function answers(...texts: readonly string[]): DnsScript {
  return always((query) => respond(query, { answers: texts.map((text) => parseRecord(text)) }));
}

/** Answers for the name asked for alone, from a zone. */
function zone(...texts: readonly string[]): DnsScript {
  const records: ResourceRecord[] = texts.map((text) => parseRecord(text));
  return always((query) => {
    const [question] = query.message.questions;
    return respond(query, { answers: records.filter(({ name }) => name === question!.name) });
  });
}

const SOA = parseRecord("example. 300 IN SOA ns.example. root.example. 1 2 3 4 60");
const CHAIN = Array.from({ length: 30 }, (_, index) => {
  return `${index === 0 ? NAME : `c${index}.example.`} 60 IN CNAME c${index + 1}.example.`;
});

const LOSSES: readonly Row[] = [
  { name: "a query that is lost once", script: once(silence), queryCount: 2 },
  { name: "queries that are always lost", script: silence, want: "ERR_NET_TIMEOUT", queryCount: 2 },
  { name: "queries that are always lost, and a second server", script: silence, hasSecond: true },
  {
    name: "an answer that comes when the query was repeated",
    script: async (query) => {
      if (query.index > 0) return;
      await delay(TIMEOUT_MS * 1.4);
      await honest(query);
    },
    queryCount: 2,
  },
  { name: "an answer that comes twice", script: before(honestAnswer), queryCount: 1 },
];

const TRUNCATIONS: readonly Row[] = [
  {
    name: "a truncated answer with other records in it",
    script: overTcp(
      always((query) =>
        respond(query, { truncated: true, answers: [addressRecord(NAME, "203.0.113.9")] })
      ),
      honest,
    ),
    queryCount: 2,
  },
  { name: "TC for ever", script: truncated, want: "ERR_DNS_MALFORMED" },
  { name: "TC for ever, and a second server", script: truncated, hasSecond: true },
  {
    name: "TC and nobody at TCP",
    script: truncated,
    server: { withoutTcp: true },
    want: "ERR_DNS_UNREACHABLE",
  },
  {
    name: "TC and nobody at TCP, and a second server",
    script: truncated,
    server: { withoutTcp: true },
    hasSecond: true,
  },
  {
    name: "TC and a reset of TCP",
    script: truncated,
    server: { onConnection: reset },
    want: "ERR_DNS_UNREACHABLE",
  },
  {
    name: "TC and a reset of TCP, and a second server",
    script: truncated,
    server: { onConnection: reset },
    hasSecond: true,
  },
  { name: "TC and silence at TCP", script: overTcp(truncated, silence), want: "ERR_NET_TIMEOUT" },
  {
    name: "TC and silence at TCP, and a second server",
    script: overTcp(truncated, silence),
    hasSecond: true,
  },
  {
    name: "TC and half a frame at TCP",
    script: overTcp(truncated, async (query) => {
      await query.sendOddly(frameMessage(honestAnswer(query)).subarray(0, 20));
      query.connection!.close();
    }),
    want: "ERR_DNS_UNREACHABLE",
  },
  {
    name: "TC and a frame in single bytes",
    script: overTcp(truncated, async (query) => {
      for (const byte of frameMessage(honestAnswer(query))) {
        await query.sendOddly(new Uint8Array([byte]));
      }
    }),
  },
  {
    name: "TC and an empty, a short and a strange frame in front of the answer",
    script: overTcp(truncated, async (query) => {
      const frames = [
        new Uint8Array(0),
        new Uint8Array(5),
        withByte(honestAnswer(query), 0, (byte) => byte ^ 0xff),
        honestAnswer(query),
      ].flatMap((message) => [...frameMessage(message)]);
      await query.sendOddly(new Uint8Array(frames));
    }),
    queryCount: 2,
  },
];

async function reset(connection: Deno.TcpConn): Promise<void> {
  // What was not read when the connection is closed becomes a reset.
  await connection.read(new Uint8Array(1));
  connection.close();
}

const FAILURES: readonly Row[] = [
  ...["SERVFAIL", "REFUSED", "NOTIMP"].flatMap((code): Row[] => [
    { name: `${code} always`, script: always(rcode(code)), want: `ERR_DNS_${code}`, maxMs: 100 },
    {
      name: `${code} always, and a second server`,
      script: always(rcode(code)),
      hasSecond: true,
      maxMs: 100,
    },
  ]),
  { name: "SERVFAIL once", script: once(always(rcode("SERVFAIL"))), queryCount: 2, maxMs: 100 },
  { name: "FORMERR always", script: always(rcode("FORMERR")), want: "ERR_DNS_FORMERR" },
  {
    name: "FORMERR with the question towards EDNS",
    script: (query) => {
      return query.message.edns ? query.send(respond(query, { rcode: "FORMERR" })) : honest(query);
    },
    queryCount: 2,
    maxMs: 100,
  },
  {
    name: "FORMERR of twelve bytes towards EDNS",
    script: (query) => {
      if (query.message.edns === undefined) return honest(query);
      const answer = respond(query, { rcode: "FORMERR", questions: [], edns: undefined });
      assertEquals(answer.length, 12);
      return query.send(answer);
    },
    queryCount: 2,
    maxMs: 100,
  },
  {
    name: "NOTIMP towards EDNS",
    script: (query) => {
      return query.message.edns ? query.send(respond(query, { rcode: "NOTIMP" })) : honest(query);
    },
    queryCount: 2,
  },
  {
    name: "BADVERS towards EDNS",
    script: (query) => {
      return query.message.edns ? query.send(respond(query, { rcode: "BADVERS" })) : honest(query);
    },
    queryCount: 2,
  },
  {
    name: "silence towards EDNS",
    script: (query) => query.message.edns === undefined ? honest(query) : undefined,
    queryCount: 2,
  },
];

const ABSENCES: readonly Row[] = [
  {
    name: "NXDOMAIN with SOA",
    script: always((query) => respond(query, { rcode: "NXDOMAIN", authorities: [SOA] })),
    want: "ERR_DNS_NXDOMAIN",
    queryCount: 1,
  },
  {
    name: "NXDOMAIN without SOA",
    script: always(rcode("NXDOMAIN")),
    want: "ERR_DNS_NXDOMAIN",
    queryCount: 1,
  },
  {
    name: "NODATA",
    script: always((query) => respond(query, { authorities: [SOA] })),
    want: "ERR_DNS_NODATA",
    queryCount: 1,
  },
  {
    name: "a referral",
    script: always(referral),
    want: "ERR_DNS_LAME",
    queryCount: 1,
  },
  { name: "a referral, and a second server", script: always(referral), hasSecond: true },
];

function referral(query: ScriptedQuery): Uint8Array {
  return respond(query, {
    recursionAvailable: false,
    authorities: [parseRecord("example. 300 IN NS ns.example.")],
  });
}

const SPOOFS: readonly Row[] = [
  {
    name: "a wrong id",
    script: before((query) => withByte(forged(query), 1, (byte) => byte ^ 1)),
  },
  {
    name: "a wrong port",
    script: async (query) => {
      await query.sendOddly(forged(query));
      await delay(20);
      await honest(query);
    },
  },
  {
    name: "another question",
    script: before((query) => {
      const [question] = query.message.questions;
      return respond(query, { questions: [{ ...question!, name: "other.example." }] });
    }),
  },
  {
    name: "another type",
    script: before((query) =>
      respond(query, { questions: [{ name: NAME, type: "TXT", class: "IN" }] })
    ),
  },
  {
    name: "another class",
    script: before((query) =>
      respond(query, { questions: [{ name: NAME, type: "A", class: "CH" }] })
    ),
  },
  {
    name: "another case, where case is random",
    script: overTcp(
      always((query) => {
        const [question] = query.message.questions;
        const name = question!.name === NAME ? NAME.toUpperCase() : NAME;
        return respond(query, { questions: [{ ...question!, name }] });
      }),
      honest,
    ),
    options: { use0x20: true },
  },
  {
    name: "another case",
    script: always((query) =>
      respond(query, {
        questions: [{ name: NAME.toUpperCase(), type: "A", class: "IN" }],
        answers: [addressRecord(NAME.toUpperCase(), "192.0.2.1")],
      })
    ),
    queryCount: 1,
  },
  { name: "no question", script: before((query) => respond(query, { questions: [] })) },
  { name: "QR of a query", script: before((query) => withByte(forged(query), 2, (b) => b & 0x7f)) },
  { name: "another opcode", script: before((query) => respond(query, { opcode: "STATUS" })) },
  { name: "the query itself", script: before((query) => query.bytes) },
];

function forged(query: ScriptedQuery): Uint8Array {
  return respond(query, { answers: [addressRecord(NAME, "203.0.113.66")] });
}

const RANDOM_BYTES = Uint8Array.from({ length: 200 }, (_, index) => (index * 97 + 31) & 0xff);

/** What has the right id and cannot be read. */
const MALFORMED: Readonly<Record<string, (query: ScriptedQuery) => Uint8Array>> = {
  "garbage": () => RANDOM_BYTES,
  "garbage behind a header": (query) => {
    return new Uint8Array([...honestAnswer(query).subarray(0, 12), ...RANDOM_BYTES]);
  },
  "three bytes": (query) => honestAnswer(query).subarray(0, 3),
  "an answer that breaks off": (query) => honestAnswer(query).subarray(0, -20),
  "a pointer to itself": (query) => {
    const bytes = honestAnswer(query);
    // The owner of the first record points at the question; now at itself.
    const at = 12 + 13 + 4;
    return withByte(withByte(bytes, at, () => 0xc0), at + 1, () => at);
  },
  "trailing bytes": (query) => new Uint8Array([...honestAnswer(query), 1, 2, 3]),
  "more than fits the announced size": (query) => {
    return new Uint8Array([...honestAnswer(query), ...new Uint8Array(5_000)]);
  },
};

const GARBLED: readonly Row[] = Object.entries(MALFORMED).flatMap(([name, make]): Row[] => [
  { name: `${name} first`, script: before(make) },
  { name: `${name} always, and a second server`, script: always(make), hasSecond: true },
]);

const RECORDS: readonly Row[] = [
  {
    name: "a CNAME alone",
    script: zone(`${NAME} 60 IN CNAME a.example.`, "a.example. 60 IN A 192.0.2.1"),
    queryCount: 2,
  },
  {
    name: "CNAMEs in a circle, in one message",
    script: answers(`${NAME} 60 IN CNAME a.example.`, `a.example. 60 IN CNAME ${NAME}`),
    want: "ERR_DNS_ALIAS_LOOP",
  },
  {
    name: "CNAMEs in a circle, one by one",
    script: zone(`${NAME} 60 IN CNAME a.example.`, `a.example. 60 IN CNAME ${NAME}`),
    want: "ERR_DNS_ALIAS_LOOP",
  },
  {
    name: "a chain of 30",
    script: answers(...CHAIN, "c30.example. 60 IN A 192.0.2.1"),
    want: "ERR_DNS_ALIAS_LIMIT",
    queryCount: 1,
  },
  {
    name: "a chain of 30 that is allowed",
    script: answers(...CHAIN, "c30.example. 60 IN A 192.0.2.1"),
    options: { maxAliasCount: 30 },
  },
  {
    name: "a chain of 30, one by one",
    script: zone(...CHAIN),
    want: "ERR_DNS_ALIAS_LIMIT",
    queryCount: 9,
  },
  {
    name: "a shuffled chain",
    script: answers(
      "c3.example. 60 IN A 192.0.2.1",
      "c2.example. 60 IN CNAME c3.example.",
      `${NAME} 60 IN CNAME c2.example.`,
    ),
    queryCount: 1,
  },
  {
    name: "unrelated records beside the answer",
    script: answers(`${NAME} 60 IN A 192.0.2.1`, "other.example. 60 IN A 203.0.113.66"),
  },
  {
    name: "records of another owner alone",
    script: answers("other.example. 60 IN A 203.0.113.66"),
    want: "ERR_DNS_MALFORMED",
  },
  {
    name: "records of another owner alone, and a second server",
    script: answers("other.example. 60 IN A 203.0.113.66"),
    hasSecond: true,
  },
];

for (
  const row of [
    ...LOSSES,
    ...TRUNCATIONS,
    ...FAILURES,
    ...ABSENCES,
    ...SPOOFS,
    ...GARBLED,
    ...RECORDS,
  ]
) {
  Deno.test(`Resolver.resolve() copes with ${row.name}`, () => run(row));
}

async function run(row: Row): Promise<void> {
  const { script, hasSecond = false, want = HONEST, queryCount } = row;
  await using first = await ScriptedDnsServer.open(script, row.server);
  await using second = await ScriptedDnsServer.open(honest);
  const servers = hasSecond ? [first.address, second.address] : [first.address];
  await using resolver = new Resolver({ ...quick(), servers, ...row.options });
  const startMs = performance.now();
  if (typeof want === "string") {
    const error = await assertRejects(() => resolver.resolve(NAME, "A"));
    assert(error instanceof DnsResponseError || error instanceof DnsTimeoutError, String(error));
    assertEquals(error.code, want, error.message);
    assert(error.attempts.length > 0);
  } else {
    const records = await resolver.resolve(NAME, "A");
    assertEquals(records.map(({ data }) => data.address), [...want]);
  }
  // Twice all turns: a query without EDNS, and one over TCP, may take the place of another.
  const maxMs = row.maxMs ?? 2 * servers.length * ATTEMPTS * TIMEOUT_MS;
  const tookMs = performance.now() - startMs;
  assert(tookMs <= maxMs + 400, `it took ${tookMs} ms of ${maxMs}`);
  if (queryCount !== undefined) assertEquals(first.queries.length, queryCount);
}

function quick(): ResolverOptions {
  const wheel = new DeadlineWheel(systemClock, { tickMs: 10 });
  return { timeoutMs: TIMEOUT_MS, attempts: ATTEMPTS, wheel, cache: false };
}

Deno.test("Resolver.resolve() finds the answer behind 100000 forged ones, over TCP", async () => {
  let isOver = false;
  await using server = await ScriptedDnsServer.open(async (query) => {
    if (query.over === "tcp") return await honest(query);
    const [high, low] = query.bytes;
    for (let count = 0; count < 100_000 && !isOver; count++) {
      // Every id but the right one.
      const guess = (count + 1) % 65_536 ^ (high! << 8 | low!);
      const bytes = forged(query);
      bytes[0] = guess >>> 8;
      bytes[1] = guess;
      if (guess !== (high! << 8 | low!)) await query.send(bytes);
    }
    await honest(query);
  });
  await using resolver = new Resolver({ ...quick(), timeoutMs: 5_000, servers: [server.address] });
  const records = await resolver.resolve(NAME, "A");
  isOver = true;
  assertEquals(records.map(({ data }) => data.address), HONEST);
});

Deno.test("Resolver.resolve() finds the answer behind 100000 forged ones without TCP", async () => {
  let forgedCount = 0;
  await using server = await ScriptedDnsServer.open(async (query) => {
    if (query.index > 0) return;
    for (; forgedCount < 100_000; forgedCount++) {
      await query.send(withByte(forged(query), 1, (byte) => byte ^ (1 + forgedCount % 255)));
    }
    // The system drops what nobody has taken yet.
    await delay(20);
    await honest(query);
  }, { withoutTcp: true });
  const options = { ...quick(), timeoutMs: 20_000, servers: [server.address] };
  await using resolver = new Resolver(options);
  const records = await resolver.resolve(NAME, "A");
  assertEquals(records.map(({ data }) => data.address), HONEST);
  assertEquals(forgedCount, 100_000);
});

for (
  const [type, address] of [["A", "2001:db8::1"], ["AAAA", "192.0.2.1"]] as const
) {
  Deno.test(`Resolver.lookup() gives the other family when ${type} fails alone`, async () => {
    await using server = await ScriptedDnsServer.open((query) => {
      const isBad = query.message.questions[0]!.type === type;
      return query.send(isBad ? respond(query, { rcode: "SERVFAIL" }) : honestAnswer(query));
    });
    await using resolver = new Resolver({ ...quick(), servers: [server.address] });
    assertEquals(await resolver.lookup("www.example"), [address]);
  });

  Deno.test(`Resolver.lookup() gives the other family when ${type} is not answered`, async () => {
    await using server = await ScriptedDnsServer.open((query) => {
      return query.message.questions[0]!.type === type ? undefined : honest(query);
    });
    await using resolver = new Resolver({ ...quick(), servers: [server.address] });
    assertEquals(await resolver.lookup("www.example"), [address]);
  });
}

Deno.test("Resolver.resolve() levels mixed TTLs and cuts one with the highest bit", async () => {
  await using server = await ScriptedDnsServer.open(always((query) => {
    const [question] = query.message.questions;
    const ttls = question!.name === NAME ? [300, 60] : [0x8000_0000];
    return respond(query, {
      answers: ttls.map((ttl, index) => addressRecord(question!.name, `192.0.2.${index}`, ttl)),
    });
  }));
  await using resolver = new Resolver({ ...quick(), servers: [server.address], cache: {} });
  const mixed = await resolver.resolve(NAME, "A");
  assertEquals(mixed.map(({ ttl }) => ttl), [60, 60]);
  const [fresh] = await resolver.resolve("huge.example.", "A");
  assertEquals(fresh?.ttl, 0x7fff_ffff);
  await resolver.resolve(NAME, "A");
  const [cached] = await resolver.resolve("huge.example.", "A");
  assert(cached!.ttl > 86_000 && cached!.ttl <= 86_400);
  assertEquals(server.queries.length, 2);
});

Deno.test("Resolver.resolve() remembers that a server does not understand EDNS", async () => {
  await using server = await ScriptedDnsServer.open((query) => {
    return query.message.edns ? query.send(respond(query, { rcode: "FORMERR" })) : honest(query);
  });
  await using resolver = new Resolver({ ...quick(), servers: [server.address] });
  await resolver.resolve(NAME, "A");
  await resolver.resolve(NAME, "A");
  assertEquals(server.queries.map(({ message }) => message.edns !== undefined), [
    true,
    false,
    false,
  ]);
});

Deno.test("Resolver.resolve() asks a server that was silent after the others", async () => {
  await using silent = await ScriptedDnsServer.open(silence);
  await using server = await ScriptedDnsServer.open(honest);
  const servers = [silent.address, server.address];
  await using resolver = new Resolver({ ...quick(), servers });
  await resolver.resolve(NAME, "A");
  await resolver.resolve(NAME, "A");
  assertEquals([silent.queries.length, server.queries.length], [1, 2]);
});
