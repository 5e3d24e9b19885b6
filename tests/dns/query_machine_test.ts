import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { ServerMemory } from "../../dns/dns_server.ts";
import type { CookieOption } from "../../dns/edns_option.ts";
import { DnsTextError } from "../../dns/errors.ts";
import type { Question } from "../../dns/message.ts";
import { QueryMachine } from "../../dns/query_machine.ts";
import type { QueryMachineOptions } from "../../dns/query_options.ts";
import { DnsResponseError, DnsTimeoutError } from "../../dns/resolver_errors.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import {
  address,
  always,
  HONEST,
  honest,
  QUESTION,
  respond,
  type SeenQuery,
  SERVERS,
  type ServerScript,
  silent,
  simulate,
  verdictOf,
} from "./query_simulation.ts";

const RIGHT = "192.0.2.80";
const [FIRST, SECOND] = SERVERS as [typeof SERVERS[0], typeof SERVERS[0]];

function machine(question: Partial<Question> = {}, options: Partial<QueryMachineOptions> = {}) {
  let id = 0;
  return new QueryMachine({ ...QUESTION, ...question }, {
    servers: [FIRST],
    memory: new ServerMemory(),
    randomUint16: () => id++,
    random: () => 0,
    ...options,
  });
}

/** The first query of a machine. */
function firstQuery(options: Partial<QueryMachineOptions> = {}, question: Partial<Question> = {}) {
  const action = machine(question, options).next(0);
  assert(action.type === "send");
  return { action, message: decodeMessage(action.bytes) };
}

function cookieOf({ message }: Pick<SeenQuery, "message">): CookieOption | undefined {
  return message.edns?.options.find((option) => option.type === "cookie");
}

const SERVER_COOKIE = new Uint8Array(8).fill(7);

/** An honest server with cookies. */
function withCookie(server = SERVER_COOKIE): ServerScript {
  return (query) => {
    const cookie = cookieOf(query);
    const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0 };
    return [{
      bytes: respond(query, {
        answers: [HONEST],
        ...(cookie === undefined ? {} : { edns: { ...edns, options: [{ ...cookie, server }] } }),
      }),
    }];
  };
}

Deno.test("QueryMachine asks with RD, EDNS of 1232 bytes and a cookie by default", () => {
  const { action, message } = firstQuery();
  assertEquals([action.over, action.server, action.tag], ["udp", FIRST, 0]);
  assertEquals(action.timeoutMs, 5_000);
  assertEquals(message.questions, [QUESTION]);
  assertEquals([message.response, message.recursionDesired, message.opcode], [
    false,
    true,
    "QUERY",
  ]);
  assertEquals([message.checkingDisabled, message.authenticData], [false, false]);
  assertEquals([message.edns?.udpPayloadSize, message.edns?.dnssecOk], [1232, false]);
  assertEquals(message.edns?.options.map(({ type }) => type), ["cookie"]);
});

Deno.test("QueryMachine asks as the options say", () => {
  const { action, message } = firstQuery({
    useTcp: true,
    edns: 4096,
    ednsOptions: [{ type: "nsid", bytes: new Uint8Array(0) }],
    cookies: false,
    dnssecOk: true,
    checkingDisabled: true,
    authenticData: true,
    recursionDesired: false,
    timeoutMs: 700,
  });
  assertEquals([action.over, action.timeoutMs], ["tcp", 700]);
  assertEquals([message.checkingDisabled, message.authenticData], [true, true]);
  assertEquals(message.recursionDesired, false);
  assertEquals([message.edns?.udpPayloadSize, message.edns?.dnssecOk], [4096, true]);
  assertEquals(message.edns?.options.map(({ type }) => type), ["nsid"]);
  assertEquals(firstQuery({ edns: false }).message.edns, undefined);
});

Deno.test("QueryMachine takes any lawful spelling of a question", () => {
  const { message } = firstQuery({}, { name: "\\097.example", type: "type28", class: "class1" });
  assertEquals(message.questions, [{ name: "a.example.", type: "AAAA", class: "IN" }]);
});

Deno.test("QueryMachine refuses a question that is none", () => {
  assertThrows(() => machine({ name: "a..b." }), DnsTextError);
  assertThrows(() => machine({ type: "X" }), RangeError);
  assertThrows(() => machine({ class: "X" }), RangeError);
});

Deno.test("QueryMachine.next() says send once, then wait, and an outcome for ever", () => {
  const one = machine();
  const send = one.next(100);
  assert(send.type === "send");
  assertEquals(one.next(100), { type: "wait", untilMs: 5_100 });
  assertEquals(one.next(5_099), { type: "wait", untilMs: 5_100 });
  const again = one.next(5_100);
  assert(again.type === "send");
  assertEquals([again.tag, one.isOpen(0), one.isOpen(1), one.isOpen(2)], [1, true, true, false]);
  const query = { message: decodeMessage(send.bytes), bytes: send.bytes, over: "udp", index: 0 };
  const bytes = respond(query as SeenQuery, { answers: [HONEST] });
  assertEquals(one.onDatagram(0, bytes, FIRST, 5_200), "taken");
  assertEquals(one.onDatagram(0, bytes, FIRST, 5_200), "ignored");
  const outcome = one.next(5_200);
  assert(outcome.type === "answer");
  assertEquals([outcome.server, outcome.over, outcome.bytes === bytes], [FIRST, "udp", true]);
  assert(one.next(99_999) === outcome);
  assertEquals([one.isOpen(0), one.isOpen(1)], [false, false]);
});

Deno.test("QueryMachine ignores what belongs to no query, or to one over something else", () => {
  const one = machine();
  const send = one.next(0);
  assert(send.type === "send");
  const query = { message: decodeMessage(send.bytes), bytes: send.bytes, over: "udp", index: 0 };
  const bytes = respond(query as SeenQuery, { answers: [HONEST] });
  assertEquals(one.onDatagram(1, bytes, FIRST, 0), "ignored");
  assertEquals(one.onMessage(0, bytes, FIRST, 0), "ignored");
  one.onFailure(9, new Error("none"), 0);
  assertEquals(one.next(0).type, "wait");
  const tcp = machine({}, { useTcp: true });
  assertEquals(tcp.next(0).type, "send");
  assertEquals(tcp.onDatagram(0, bytes, FIRST, 0), "ignored");
  assertEquals(tcp.onMessage(0, bytes, SECOND, 0), "ignored");
});

Deno.test("QueryMachine takes another id for every query", () => {
  const { sent } = simulate([silent], { attempts: 4 });
  const ids = new Set(sent.map(({ bytes }) => decodeMessage(bytes).id));
  assertEquals(ids.size, 4);
});

Deno.test("QueryMachine begins anywhere if told to rotate", () => {
  const starts = [0, 0.4, 0.99].map((random) =>
    simulate([honest, honest, honest], { rotate: true, random: () => random }).sent[0]?.server
  );
  assertEquals(starts, [...SERVERS]);
});

Deno.test("QueryMachine asks a server that was silent last, until its time is over", () => {
  const memory = new ServerMemory();
  assertEquals(simulate([silent, honest], { memory }).elapsedMs, 5_010);
  const soon = simulate([silent, honest], { memory }, { startMs: 6_000 });
  assertEquals([soon.elapsedMs, soon.sent.length], [10, 1]);
  const later = simulate([honest, honest], { memory }, { startMs: 20_000 });
  assertEquals(later.sent[0]?.server, FIRST);
  assertEquals(memory.inspect(FIRST, 20_000).failureCount, 0);
});

Deno.test("QueryMachine does not blame a server that answers over UDP for its TCP", () => {
  const script: ServerScript = (query) =>
    query.over === "udp"
      ? [{ bytes: respond(query, { truncated: true }) }]
      : [{ failure: new Error("x") }];
  const { memory } = simulate([script]);
  assertEquals(memory.inspect(FIRST, 0).failureCount, 0);
});

for (
  const [name, edns] of [
    ["silence", silent],
    ["FORMERR", always({ rcode: "FORMERR", edns: undefined })],
    ["NOTIMP", always({ rcode: "NOTIMP", edns: undefined })],
    ["BADVERS", always({ rcode: "BADVERS" })],
  ] as const
) {
  Deno.test(`QueryMachine remembers that a server answers EDNS with ${name}`, () => {
    const memory = new ServerMemory({ ednsMemoryMs: 60_000 });
    const script: ServerScript = (query) =>
      (query.message.edns === undefined ? honest : edns)(query);
    assertEquals(verdictOf(simulate([script], { memory })), RIGHT);
    const second = simulate([script], { memory }, { startMs: 6_000 });
    assertEquals([second.elapsedMs, second.sent.length], [10, 1]);
    assertEquals(memory.ednsAbility(FIRST, 6_000), "unsupported");
    const later = simulate([honest], { memory }, { startMs: 80_000 });
    assert(decodeMessage(later.sent[0]!.bytes).edns !== undefined);
  });
}

Deno.test("QueryMachine keeps EDNS where the server is known to understand it", () => {
  const memory = new ServerMemory();
  simulate([honest], { memory });
  const { sent } = simulate([(query) => query.index === 0 ? [] : honest(query)], { memory });
  assertEquals(sent.map(({ bytes }) => decodeMessage(bytes).edns !== undefined), [true, true]);
});

Deno.test("QueryMachine does not remember what did not help", () => {
  const { memory } = simulate([silent]);
  assertEquals(memory.ednsAbility(FIRST, 0), "unknown");
});

Deno.test("QueryMachine keeps DO over a SERVFAIL", () => {
  const script = always({ rcode: "SERVFAIL", edns: undefined });
  const { sent } = simulate([script], { dnssecOk: true });
  assertEquals(sent.map(({ bytes }) => decodeMessage(bytes).edns?.dnssecOk), [true, true]);
});

Deno.test("QueryMachine sends the server's cookie back", () => {
  const memory = new ServerMemory();
  const first = simulate([withCookie()], { memory });
  const second = simulate([withCookie()], { memory }, { seed: 2 });
  const cookies = [first, second].map(({ sent }) =>
    cookieOf({ message: decodeMessage(sent[0]!.bytes) })!
  );
  assertEquals(cookies.map(({ server }) => server), [new Uint8Array(0), SERVER_COOKIE]);
  assertEquals(cookies[0]?.client, cookies[1]?.client);
  const elsewhere = simulate([withCookie()], { memory, clientAddress: "192.0.2.7" }, { seed: 3 });
  const other = cookieOf({ message: decodeMessage(elsewhere.sent[0]!.bytes) })!;
  assertEquals(other.server.length, 0);
  assert(other.client.join() !== cookies[0]?.client.join());
});

Deno.test("QueryMachine drops an answer with the cookie of another client", () => {
  const script: ServerScript = (query) => {
    const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0 };
    const cookie: CookieOption = {
      type: "cookie",
      client: new Uint8Array(8).fill(9),
      server: SERVER_COOKIE,
    };
    const answers = [address("a.example.", "203.0.113.1")];
    return [
      { bytes: respond(query, { answers, edns: { ...edns, options: [cookie] } }) },
      ...withCookie()(query).map((reply) => ({ ...reply, afterMs: 20 })),
    ];
  };
  const result = simulate([script]);
  assertEquals([verdictOf(result), result.elapsedMs], [RIGHT, 20]);
});

Deno.test("QueryMachine asks over TCP where the cookie of a server is missing", () => {
  const memory = new ServerMemory();
  simulate([withCookie()], { memory });
  const forged = always({ answers: [address("a.example.", "203.0.113.1")] });
  const script: ServerScript = (query) => (query.over === "udp" ? forged : withCookie())(query);
  const result = simulate([script], { memory });
  assertEquals([verdictOf(result), result.sent.map(({ over }) => over)], [RIGHT, ["udp", "tcp"]]);
  // One that has given them up and has no TCP either is believed from the next query on.
  const without: ServerScript = (query) =>
    query.over === "udp" ? honest(query) : [{ failure: new Error("refused") }];
  assertEquals(verdictOf(simulate([without], { memory })), RIGHT);
});

Deno.test("QueryMachine answers BADCOOKIE with the new cookie, then over TCP", () => {
  const bad: ServerScript = (query) => {
    const cookie = { ...cookieOf(query)!, server: SERVER_COOKIE };
    const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options: [cookie] };
    return [{ bytes: respond(query, { rcode: "BADCOOKIE", edns }) }];
  };
  const once = simulate([(query) => (query.index === 0 ? bad : withCookie())(query)]);
  assertEquals([verdictOf(once), once.sent.length], [RIGHT, 2]);
  assertEquals(cookieOf({ message: decodeMessage(once.sent[1]!.bytes) })?.server, SERVER_COOKIE);
  const tcp = simulate([(query) => (query.over === "udp" ? bad : withCookie())(query)]);
  assertEquals([verdictOf(tcp), tcp.sent.map(({ over }) => over)], [RIGHT, ["udp", "udp", "tcp"]]);
  assertEquals(verdictOf(simulate([bad])), "ERR_DNS_RCODE");
});

Deno.test("QueryMachine keeps the cookie of a server that once repeats only ours", () => {
  const memory = new ServerMemory();
  const scripts = [withCookie(), withCookie(new Uint8Array(0)), withCookie()];
  const servers = scripts.map((script, seed) => {
    const { sent } = simulate([script], { memory }, { seed });
    return cookieOf({ message: decodeMessage(sent[0]!.bytes) })?.server;
  });
  assertEquals(servers, [new Uint8Array(0), SERVER_COOKIE, SERVER_COOKIE]);
});

Deno.test("QueryMachine does not go back to a server whose BADCOOKIE comes late", () => {
  const late: ServerScript = (query) => {
    const cookie = { ...cookieOf(query)!, server: SERVER_COOKIE };
    const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options: [cookie] };
    return [{ bytes: respond(query, { rcode: "BADCOOKIE", edns }), afterMs: 5_500 }];
  };
  const slow: ServerScript = (query) =>
    honest(query).map((reply) => ({ ...reply, afterMs: 2_000 }));
  const result = simulate([late, slow]);
  assertEquals([verdictOf(result), result.elapsedMs], [RIGHT, 7_000]);
  assertEquals(result.sent.map(({ server }) => server), [FIRST, SECOND]);
});

Deno.test("QueryMachine insists on the case it sent with 0x20, and gives the name back as asked", () => {
  const wrong: ServerScript = (query) => [
    {
      bytes: respond(query, {
        questions: [QUESTION],
        answers: [address("a.example.", "203.0.113.1")],
      }),
    },
  ];
  const right: ServerScript = (query) => [{
    bytes: respond(query, { answers: [address(query.message.questions[0]!.name, RIGHT)] }),
  }];
  const script: ServerScript = (query) => (query.over === "udp" ? wrong : right)(query);
  const overTcp = simulate([script], { use0x20: true });
  assertEquals([verdictOf(overTcp), overTcp.sent.map(({ over }) => over)], [RIGHT, ["udp", "tcp"]]);
  const plain = simulate([right], { use0x20: true });
  assert(plain.outcome.type === "answer");
  assert(decodeMessage(plain.sent[0]!.bytes).questions[0]!.name !== QUESTION.name);
  assertEquals(plain.outcome.message.questions, [QUESTION]);
  assertEquals(plain.outcome.message.answers, [HONEST]);
});

Deno.test("QueryMachine keeps waiting over UDP where TCP does not help against the wrong case", () => {
  const result = simulate([
    (query) =>
      query.over === "tcp" ? [{ afterMs: 1, failure: new Error("refused") }] : [
        { bytes: respond(query, { questions: [QUESTION] }) },
        { afterMs: 50, bytes: respond(query, { answers: [HONEST] }) },
      ],
  ], { use0x20: true, attempts: 1 });
  assertEquals([verdictOf(result), result.elapsedMs], [RIGHT, 50]);
});

Deno.test("QueryMachine takes a referral as an answer where it does not ask to resolve", () => {
  const script = always({ recursionAvailable: false });
  const result = simulate([script], { recursionDesired: false });
  assertEquals(verdictOf(result), "NOERROR");
});

Deno.test("QueryMachine over TCP takes no UDP, and one failure per attempt", () => {
  const result = simulate([() => [{ failure: new Error("reset") }]], { useTcp: true });
  assertEquals(result.sent.map(({ over }) => over), ["tcp", "tcp"]);
  assertEquals(verdictOf(result), "ERR_DNS_UNREACHABLE");
  assertEquals(result.memory.inspect(FIRST, 0).failureCount, 2);
});

Deno.test("QueryMachine goes to TCP at maxStrayCount, not before", () => {
  const strays = (count: number): ServerScript => (query) =>
    query.over === "tcp"
      ? honest(query)
      : [...Array.from({ length: count }, () => ({ bytes: query.bytes })), ...honest(query)];
  const sentFor = (count: number) =>
    simulate([strays(count)], { maxStrayCount: 5 }).sent.map(({ over }) => over);
  assertEquals([sentFor(4), sentFor(5), sentFor(6)], [["udp"], ["udp", "tcp"], ["udp", "tcp"]]);
});

Deno.test("QueryMachine tells who was tried, and what the last server said", () => {
  const edns = {
    udpPayloadSize: 1232,
    version: 0,
    dnssecOk: false,
    flags: 0,
    options: [{ type: "extended-error" as const, infoCode: 22, text: "down" }],
  };
  const { outcome } = simulate([silent, always({ rcode: "SERVFAIL", edns })], { attempts: 1 });
  assert(outcome.type === "failed");
  const { error, response } = outcome;
  assertInstanceOf(error, DnsResponseError);
  assertEquals([error.code, error.rcode], ["ERR_DNS_SERVFAIL", "SERVFAIL"]);
  assertEquals(error.extendedErrors, [{ infoCode: 22, text: "down" }]);
  assertEquals(error.question, QUESTION);
  assertEquals(error.attempts, [
    { server: FIRST, over: "udp", outcome: "timeout" },
    { server: SECOND, over: "udp", outcome: "SERVFAIL" },
  ]);
  assertEquals([response?.server, response?.message.rcode], [SECOND, "SERVFAIL"]);
});

Deno.test("QueryMachine says in a time-out how long it was and who was tried", () => {
  const { outcome } = simulate([silent]);
  assert(outcome.type === "failed");
  assertInstanceOf(outcome.error, DnsTimeoutError);
  assertInstanceOf(outcome.error, TimeoutError);
  assertEquals([outcome.error.phase, outcome.error.timeoutMs], ["dns", 10_000]);
  assertEquals(outcome.error.attempts.map(({ server }) => server), [FIRST, FIRST]);
});

Deno.test("QueryMachine gives the cause where nothing could be sent", () => {
  const failure = new Error("unreachable");
  const { outcome } = simulate([() => [{ failure }]]);
  assert(outcome.type === "failed");
  assert(outcome.error.cause === failure);
});

Deno.test("QueryMachine keeps a bounded list of what one server said over and over", () => {
  const { outcome } = simulate([
    (query) => {
      const bytes = respond(query, { answers: [address("evil.example.", "203.0.113.1")] });
      return Array.from({ length: 2_000 }, () => ({ bytes }));
    },
  ]);
  assert(outcome.type === "failed");
  assertEquals(outcome.error.code, "ERR_DNS_MALFORMED");
  assert(outcome.error.attempts.length <= 256);
});

Deno.test("QueryMachine ends for any seed and any mixture of faults", () => {
  const faults: readonly ServerScript[] = [
    silent,
    honest,
    always({ rcode: "SERVFAIL" }),
    always({ rcode: "REFUSED" }),
    always({ truncated: true }),
    always({ rcode: "FORMERR", edns: undefined }),
    always({ recursionAvailable: false }),
    always({ answers: [address("evil.example.", "203.0.113.1")] }),
    (query) => [{ bytes: query.bytes }],
    () => [{ failure: new Error("x") }],
  ];
  for (let seed = 0; seed < 300; seed++) {
    const pick = (query: SeenQuery, salt: number) =>
      faults[(query.message.id + salt + query.index) % faults.length]!(query);
    const result = simulate(
      [0, 3, 7].map((salt) => (query: SeenQuery) => pick(query, salt)),
      { attempts: 3, use0x20: seed % 2 === 0, maxStrayCount: 1 + seed % 3 },
      { seed },
    );
    assert(result.elapsedMs <= 3 * 14_000);
    assert(result.sent.length <= 3 * 3 * 3);
  }
});

Deno.test("QueryMachine lingers for the honest answer behind a forged one that cannot be used", () => {
  const result = simulate([
    (query) =>
      query.over === "tcp" ? [{ afterMs: 1, failure: new Error("refused") }] : [
        { bytes: respond(query, { answers: [address("evil.example.", "203.0.113.1")] }) },
        { afterMs: 4_999, bytes: respond(query, { answers: [HONEST] }) },
      ],
  ], { attempts: 1 });
  assertEquals([verdictOf(result), result.elapsedMs], [RIGHT, 4_999]);
});

Deno.test("QueryMachine gives up a connection whose time is over", () => {
  const one = machine({}, { useTcp: true });
  one.next(0);
  one.next(5_000);
  assertEquals([one.isOpen(0), one.isOpen(1)], [false, true]);
});

Deno.test("QueryMachine does not go back to a socket that has failed meanwhile", () => {
  const one = machine({}, { maxStrayCount: 1 });
  one.next(0);
  one.onDatagram(0, new Uint8Array(12), FIRST, 0);
  const tcp = one.next(0);
  assert(tcp.type === "send" && tcp.over === "tcp" && one.isOpen(0));
  one.onFailure(0, new Error("socket"), 0);
  assertEquals(one.isOpen(0), false);
  one.onFailure(tcp.tag, new Error("refused"), 0);
  const udp = one.next(0);
  assertEquals(udp.type === "send" && [udp.over, udp.tag], ["udp", 2]);
});

Deno.test("QueryMachine does not turn back to a server that refuses EDNS late", () => {
  const late: ServerScript = (query) => [
    { afterMs: 5_500, bytes: respond(query, { rcode: "FORMERR", edns: undefined }) },
  ];
  const slow: ServerScript = (
    query,
  ) => [{ afterMs: 1_000, bytes: respond(query, { answers: [HONEST] }) }];
  const { sent, elapsedMs } = simulate([late, slow]);
  assertEquals([sent.map(({ server }) => server), elapsedMs], [[FIRST, SECOND], 6_000]);
});

Deno.test("QueryMachine does not blame a server for silence over TCP alone", () => {
  const { memory } = simulate([
    (query) => query.over === "udp" ? [{ bytes: respond(query, { truncated: true }) }] : [],
  ]);
  assertEquals(memory.inspect(FIRST, 0).failureCount, 0);
});
