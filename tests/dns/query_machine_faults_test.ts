/**
 * What goes wrong between a resolver and its servers, one fault at a time: an answer within one
 * retry wherever an honest one exists, else the typed error in the time resolv.conf allows.
 */

import { assert, assertEquals } from "@std/assert";
import type { MessageInit } from "../../dns/encode_message.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import {
  address,
  always,
  HONEST,
  honest,
  QUESTION,
  respond,
  type ScriptedReply,
  type SeenQuery,
  type ServerScript,
  silent,
  simulate,
  verdictOf,
} from "./query_simulation.ts";

const EVIL = "203.0.113.66";
const RIGHT = "192.0.2.80";
const SOA: ResourceRecord = {
  name: "example.",
  type: "SOA",
  class: "IN",
  ttl: 900,
  data: {
    mname: "ns.example.",
    rname: "root.example.",
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: 60,
  },
};
const NS: ResourceRecord = {
  name: "example.",
  type: "NS",
  class: "IN",
  ttl: 900,
  data: { target: "ns.example." },
};
const RESET = new Error("reset");

/** A script that does one thing to its first query and answers the others. */
function once(fault: ServerScript, then: ServerScript = honest): ServerScript {
  return (query) => (query.index === 0 ? fault : then)(query);
}

/** A fault over UDP; TCP refuses or answers. */
function udp(fault: ServerScript, tcp: ServerScript = refuse): ServerScript {
  return (query) => (query.over === "udp" ? fault : tcp)(query);
}

const refuse: ServerScript = () => [{ afterMs: 1, failure: RESET }];

/** Changes the bytes of the response that the honest server would give, were it evil. */
function forged(
  change: (bytes: Uint8Array<ArrayBuffer>, query: SeenQuery) => Uint8Array,
  init: MessageInit = { answers: [address("a.example.", EVIL)] },
): ServerScript {
  return (query) => [{ bytes: change(respond(query, init), query) }];
}

/** What is forged comes first, the honest answer a little later. */
function beforeHonest(fault: ServerScript): ServerScript {
  return (query) => [...fault(query), ...honest(query).map((reply) => ({ ...reply, afterMs: 20 }))];
}

function patch(at: number, value: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
}

function xor(at: number, mask: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => patch(at, bytes[at]! ^ mask)(bytes);
}

function otherQuestion(question: Partial<typeof QUESTION>): ServerScript {
  return (query) => [{
    bytes: respond(query, {
      questions: [{ ...QUESTION, ...question }],
      answers: [address("a.example.", EVIL)],
    }),
  }];
}

/** What is no answer at all, however it looks: dropped, and waiting goes on. */
const DROPPED: Readonly<Record<string, ServerScript>> = {
  "a wrong id": forged(xor(1, 0x01)),
  "another port": (query) => [{
    bytes: respond(query, { answers: [address("a.example.", EVIL)] }),
    from: { address: "192.0.2.1", port: 54 },
  }],
  "another address": (query) => [{
    bytes: respond(query, { answers: [address("a.example.", EVIL)] }),
    from: { address: "192.0.2.99", port: 53 },
  }],
  "a wrong question": otherQuestion({ name: "b.example." }),
  "a wrong type": otherQuestion({ type: "AAAA" }),
  "a wrong class": otherQuestion({ class: "CH" }),
  "no question": (query) => [{
    bytes: respond(query, { questions: [], answers: [address("a.example.", EVIL)] }),
  }],
  "two questions": (query) => [{
    bytes: respond(query, {
      questions: [QUESTION, QUESTION],
      answers: [address("a.example.", EVIL)],
    }),
  }],
  "the query itself": ({ bytes }) => [{ bytes }],
  "QR=0 and an answer": forged(xor(2, 0x80)),
  "another opcode": forged(xor(2, 0x28)),
  "garbage": () => [{ bytes: new Uint8Array(64).fill(0xa5) }],
  "an empty datagram": () => [{ bytes: new Uint8Array(0) }],
  "eleven bytes": forged((bytes) => bytes.subarray(0, 11)),
  "a header without its question": forged((bytes) => bytes.subarray(0, 12)),
  "a question that is cut": forged((bytes) => bytes.subarray(0, 20)),
  "a question that points to itself": forged((bytes) => {
    const copy = bytes.slice();
    copy.set([0xc0, 12], 12);
    return copy;
  }),
  "a bare FORMERR with a wrong id": (query) => {
    const [high, low] = query.bytes;
    return [{ bytes: new Uint8Array([high!, low! ^ 1, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]) }];
  },
};

/** What repeats the question but cannot be used. */
const UNUSABLE: Readonly<Record<string, ServerScript>> = {
  "records that are cut": forged((bytes) => bytes.subarray(0, bytes.length - 14)),
  "a record whose name points to itself": forged((bytes) => {
    const copy = bytes.slice();
    // The owner of the first record, behind header and question.
    copy.set([0xc0, 12 + 15], 12 + 15);
    return copy;
  }),
  "records announced that are not there": forged(patch(7, 200)),
  "an address of three bytes": (query) => {
    const bytes = respond(query, { edns: undefined, answers: [address("a.example.", EVIL)] });
    bytes[bytes.length - 5] = 3;
    return [{ bytes: bytes.subarray(0, -1) }];
  },
  "only records of another owner": always({ answers: [address("evil.example.", EVIL)] }),
  "only records of another type": always({
    answers: [{ name: "a.example.", type: "AAAA", class: "IN", ttl: 5, data: { address: "::1" } }],
  }),
  "only records of another class": always({
    answers: [{ ...address("a.example.", EVIL), class: "HS" }],
  }),
};

for (const [name, fault] of Object.entries(DROPPED)) {
  Deno.test(`QueryMachine drops ${name} and waits for the honest answer`, () => {
    const result = simulate([beforeHonest(fault)]);
    assertEquals(verdictOf(result), RIGHT);
    assertEquals([result.sent.length, result.elapsedMs], [1, 20]);
  });

  Deno.test(`QueryMachine times out where there is only ${name}`, () => {
    const result = simulate([fault]);
    assertEquals([verdictOf(result), result.elapsedMs], ["ERR_NET_TIMEOUT", 10_000]);
  });

  Deno.test(`QueryMachine has an answer from the second server where the first gives ${name}`, () => {
    const result = simulate([fault, honest]);
    assertEquals([verdictOf(result), result.sent.length], [RIGHT, 2]);
    assertEquals(result.elapsedMs, 5_010);
  });
}

for (const [name, fault] of Object.entries(UNUSABLE)) {
  Deno.test(`QueryMachine asks again at once where there is ${name}`, () => {
    const result = simulate([once(fault)]);
    assertEquals([verdictOf(result), result.sent.length, result.elapsedMs], [RIGHT, 2, 20]);
  });

  Deno.test(`QueryMachine takes the honest answer behind ${name}`, () => {
    const result = simulate([beforeHonest(fault)], { attempts: 1 });
    assertEquals([verdictOf(result), result.elapsedMs], [RIGHT, 20]);
  });

  Deno.test(`QueryMachine says malformed where there is always ${name}`, () => {
    const result = simulate([udp(fault)]);
    assertEquals(verdictOf(result), "ERR_DNS_MALFORMED");
    assert(result.elapsedMs <= 10_000);
    assertEquals(verdictOf(simulate([fault])), "ERR_DNS_MALFORMED");
  });

  Deno.test(`QueryMachine asks the second server where the first gives ${name}`, () => {
    const result = simulate([fault, honest]);
    assertEquals([verdictOf(result), result.sent.length, result.elapsedMs], [RIGHT, 2, 20]);
  });
}

interface FaultCase {
  readonly name: string;
  readonly servers: readonly ServerScript[];
  /** The address, or the code of the error. */
  readonly gives: string;
  readonly sentCount: number;
  readonly elapsedMs: number;
}

const BARE_FORMERR: ServerScript = ({ bytes }) => [{
  bytes: new Uint8Array([bytes[0]!, bytes[1]!, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]),
}];
const withoutEdns = (rcode: string): ServerScript => always({ rcode, edns: undefined });
/** Understands only queries without EDNS. */
const old = (fault: ServerScript): ServerScript => (query) =>
  (query.message.edns === undefined ? honest : fault)(query);
const TRUNCATED: ServerScript = always({ truncated: true, answers: [address("a.example.", EVIL)] });

const CASES: readonly FaultCase[] = [
  row("a query lost once", [once(silent)], RIGHT, 2, 5_010),
  row("every query lost", [silent], "ERR_NET_TIMEOUT", 2, 10_000),
  row("every query lost, two servers", [silent, silent], "ERR_NET_TIMEOUT", 4, 20_000),
  row("every query lost, three servers", [silent, silent, silent], "ERR_NET_TIMEOUT", 6, 28_000),
  row("the first server dead", [silent, honest], RIGHT, 2, 5_010),
  row("a late answer", [(query) => late(honest(query), 6_000)], RIGHT, 2, 6_000),
  row("an answer too late", [(query) => late(honest(query), 11_000)], "ERR_NET_TIMEOUT", 2, 10_000),
  row("a duplicated answer", [(query) => [...honest(query), ...honest(query)]], RIGHT, 1, 10),
  row("a duplicated SERVFAIL", [once(twice(always({ rcode: "SERVFAIL" })))], RIGHT, 2, 20),
  row("TC", [udp(TRUNCATED, honest)], RIGHT, 2, 20),
  row("TC and no TCP", [udp(TRUNCATED)], "ERR_DNS_UNREACHABLE", 3, 12),
  row(
    "TC, and the first TCP connection reset",
    [
      (query) => (query.over === "udp" ? TRUNCATED : query.index === 1 ? refuse : honest)(query),
    ],
    RIGHT,
    3,
    21,
  ),
  row("TC, and TCP hangs", [udp(TRUNCATED, silent)], "ERR_NET_TIMEOUT", 3, 10_000),
  row("TC for ever", [TRUNCATED], "ERR_DNS_MALFORMED", 3, 30),
  row("TC for ever, then an honest server", [TRUNCATED, honest], RIGHT, 3, 30),
  row("SERVFAIL once", [once(always({ rcode: "SERVFAIL" }))], RIGHT, 2, 20),
  row("SERVFAIL for ever", [always({ rcode: "SERVFAIL" })], "ERR_DNS_SERVFAIL", 2, 20),
  row("SERVFAIL of the first", [always({ rcode: "SERVFAIL" }), honest], RIGHT, 2, 20),
  row("REFUSED", [always({ rcode: "REFUSED" })], "ERR_DNS_REFUSED", 1, 10),
  row("REFUSED of the first", [always({ rcode: "REFUSED" }), honest], RIGHT, 2, 20),
  row("NOTIMP", [always({ rcode: "NOTIMP" })], "ERR_DNS_NOTIMP", 2, 20),
  row("NOTIMP towards EDNS", [old(withoutEdns("NOTIMP"))], RIGHT, 2, 20),
  row("NOTIMP of the first", [always({ rcode: "NOTIMP" }), honest], RIGHT, 3, 30),
  row("FORMERR with question", [old(withoutEdns("FORMERR"))], RIGHT, 2, 20),
  row("FORMERR without question", [old(BARE_FORMERR)], RIGHT, 2, 20),
  row("FORMERR for ever", [withoutEdns("FORMERR")], "ERR_DNS_FORMERR", 2, 20),
  row("FORMERR without question for ever", [BARE_FORMERR], "ERR_DNS_FORMERR", 2, 20),
  row("silence towards EDNS", [old(silent)], RIGHT, 2, 5_010),
  row("silence of two servers towards EDNS", [old(silent), old(silent)], RIGHT, 3, 10_010),
  row("SERVFAIL towards EDNS", [old(withoutEdns("SERVFAIL"))], RIGHT, 2, 20),
  row("BADVERS", [old(always({ rcode: "BADVERS" }))], RIGHT, 2, 20),
  row("BADVERS for ever", [bad("BADVERS")], "ERR_DNS_RCODE", 2, 20),
  row("NXDOMAIN with SOA", [always({ rcode: "NXDOMAIN", authorities: [SOA] })], "NXDOMAIN", 1, 10),
  row("NXDOMAIN without SOA", [always({ rcode: "NXDOMAIN" })], "NXDOMAIN", 1, 10),
  row("NODATA with SOA", [always({ authorities: [SOA] })], "NOERROR", 1, 10),
  row("NODATA without SOA", [always({})], "NOERROR", 1, 10),
  row("a referral", [always({ authorities: [NS] })], "ERR_DNS_LAME", 1, 10),
  row(
    "nothing of one that does not resolve",
    [
      always({ recursionAvailable: false }),
    ],
    "ERR_DNS_LAME",
    1,
    10,
  ),
  row("a referral of the first", [always({ authorities: [NS] }), honest], RIGHT, 2, 20),
  row("NOTAUTH", [always({ rcode: "NOTAUTH" })], "ERR_DNS_RCODE", 1, 10),
  row("another case", [otherCase], RIGHT, 1, 10),
  row(
    "bytes behind the message",
    [
      forged(lengthen, { answers: [HONEST] }),
    ],
    RIGHT,
    1,
    10,
  ),
  row("more bytes than announced", [always({ answers: manyRecords(200) })], "192.0.2.1", 1, 10),
  row(
    "an alias alone",
    [
      always({
        answers: [{
          name: "a.example.",
          type: "CNAME",
          class: "IN",
          ttl: 5,
          data: { target: "b.example." },
        }],
      }),
    ],
    "NOERROR",
    1,
    10,
  ),
  row("no way to send", [refuse], "ERR_DNS_UNREACHABLE", 2, 2),
  row("no way to send to the first", [refuse, honest], RIGHT, 2, 11),
  row(
    "one dead, one SERVFAIL",
    [silent, always({ rcode: "SERVFAIL" })],
    "ERR_DNS_SERVFAIL",
    4,
    10_020,
  ),
];

function row(
  name: string,
  servers: readonly ServerScript[],
  gives: string,
  sentCount: number,
  elapsedMs: number,
): FaultCase {
  return { name, servers, gives, sentCount, elapsedMs };
}

function late(replies: readonly ScriptedReply[], afterMs: number): ScriptedReply[] {
  return replies.map((reply) => ({ ...reply, afterMs }));
}

function twice(script: ServerScript): ServerScript {
  return (query) => [...script(query), ...late(script(query), 15)];
}

function bad(rcode: string): ServerScript {
  const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options: [] };
  return always({ rcode, edns });
}

function otherCase(query: SeenQuery): ScriptedReply[] {
  const questions = [{ ...QUESTION, name: "A.eXample." }];
  return [{ bytes: respond(query, { questions, answers: [address("A.exAMPLE.", RIGHT)] }) }];
}

function lengthen(bytes: Uint8Array): Uint8Array {
  const long = new Uint8Array(bytes.length + 7).fill(0xff);
  long.set(bytes);
  return long;
}

function manyRecords(count: number): ResourceRecord[] {
  return Array.from({ length: count }, (_, index) => address("a.example.", `192.0.2.${index + 1}`));
}

for (const { name, servers, gives, sentCount, elapsedMs } of CASES) {
  Deno.test(`QueryMachine, ${name}: ${gives}`, () => {
    const result = simulate(servers);
    assertEquals([verdictOf(result), result.sent.length, result.elapsedMs], [
      gives,
      sentCount,
      elapsedMs,
    ]);
  });
}

function flood(count: number, query: SeenQuery): ScriptedReply[] {
  const fake = respond(query, { answers: [address("a.example.", EVIL)] });
  const spoofed = Array.from({ length: count }, (_, index) => {
    const bytes = fake.slice();
    const id = query.message.id ^ (1 + index % 0xffff);
    bytes[0] = id >>> 8;
    bytes[1] = id;
    return { bytes };
  });
  return [...spoofed, { bytes: respond(query, { answers: [HONEST] }) }];
}

Deno.test("QueryMachine asks over TCP in a flood of 100,000 spoofed answers", () => {
  const result = simulate([
    (query) => query.over === "tcp" ? honest(query) : flood(100_000, query),
  ]);
  assertEquals([verdictOf(result), result.sent.length], [RIGHT, 2]);
});

Deno.test("QueryMachine finds the answer behind 100,000 spoofed ones where there is no TCP", () => {
  const result = simulate([
    (query) => query.over === "tcp" ? refuse(query) : flood(100_000, query),
  ]);
  assertEquals(verdictOf(result), RIGHT);
  assert(result.sent.filter(({ over }) => over === "udp").length <= 2);
});

Deno.test("QueryMachine finds the answer behind 100,000 spoofed ones where TCP hangs", () => {
  const result = simulate([(query) => query.over === "tcp" ? [] : flood(100_000, query)]);
  assertEquals(verdictOf(result), RIGHT);
});

Deno.test("QueryMachine waits for the answer behind 100,000 spoofed ones if told to", () => {
  const result = simulate([(query) => flood(100_000, query)], { maxStrayCount: Infinity });
  assertEquals([verdictOf(result), result.sent.length], [RIGHT, 1]);
});
