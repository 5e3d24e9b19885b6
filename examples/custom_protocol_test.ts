import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { DeadlineWheel, sendAll, TimeoutError, type Transport } from "@nbio/net/nbio";
import {
  type FaultEnd,
  faultTransport,
  isSettled,
  ManualClock,
  memoryPipe,
  randomFaults,
  runTranscript,
  splitTranscript,
  type TranscriptStep,
} from "@nbio/net/nbio/testing";
import { type DriveOptions, KvStore, request, serveConnection } from "./custom_protocol.ts";
import { type KvMessage, KvProtocolError, type KvRequest } from "./custom_protocol_core.ts";

// Over pipes in memory and in virtual time; tests/nbio/custom_protocol_example_test.ts uses sockets.

const ENCODER = new TextEncoder();

const MANY: readonly KvRequest[] = Array.from({ length: 100 }, (_, index): KvRequest[] => [
  { type: "set", key: `k${index % 7}`, value: new Uint8Array(300).fill(index) },
  { type: "get", key: `k${index % 7}` },
]).flat();

/** What a store that is never full answers. */
function expectedAnswers(requests: readonly KvRequest[]): KvMessage[] {
  const store = new KvStore();
  return requests.map((message) => store.answer(message));
}

function virtualTime(): { clock: ManualClock; options: DriveOptions } {
  const clock = new ManualClock();
  return { clock, options: { wheel: new DeadlineWheel(clock), idleTimeoutMs: 30_000 } };
}

for (const highWaterMarkBytes of [1, 100, 65_536]) {
  Deno.test(`request() gets every answer through a pipe of ${highWaterMarkBytes} bytes`, async () => {
    const [asking, answering] = memoryPipe({ highWaterMarkBytes });
    const [answers] = await Promise.all([
      request(asking, MANY),
      serveConnection(answering, new KvStore()),
    ]);
    assertEquals(answers, expectedAnswers(MANY));
    for (const transport of [asking, answering]) assertThrows(() => transport.close());
  });
}

Deno.test("request() closes the transport when a request cannot be sent", async () => {
  const bad: readonly KvRequest[][] = [
    [{ type: "get", key: "a b" }],
    [...MANY, { type: "set", key: "k", value: new Uint8Array(65_537) }],
  ];
  for (const requests of bad) {
    const [asking, answering] = memoryPipe();
    const served = serveConnection(answering, new KvStore());
    const error = await assertRejects(() => request(asking, requests));
    assert(error instanceof TypeError || error instanceof RangeError);
    await served.catch(() => {});
    assertThrows(() => asking.close());
  }
});

/** A conversation, and the code or phase of the error that ends it for the end under test. */
interface ConversationRow {
  readonly name: string;
  readonly steps: readonly TranscriptStep[];
  readonly failure?: string;
}

/** Holds a conversation with the end under test, in virtual time. */
async function hold(
  { steps, failure }: ConversationRow,
  run: (transport: Transport, options: DriveOptions) => Promise<unknown>,
  side: "client" | "server",
): Promise<void> {
  const { clock, options } = virtualTime();
  const [near, far] = memoryPipe();
  const [scripted, tested] = side === "client" ? [near, far] : [far, near];
  const [transcript, outcome] = await clock.runUntil(Promise.allSettled([
    runTranscript(scripted, steps, { clock }),
    run(tested, options),
  ]));
  if (transcript.status === "rejected") throw transcript.reason;
  assertEquals(transcript.value.unread.length, 0);
  if (outcome.status === "fulfilled") return assertEquals(failure, undefined);
  const { reason } = outcome;
  assertEquals(reason instanceof TimeoutError ? reason.phase : reason.code, failure);
}

const CLIENTS: readonly ConversationRow[] = [
  {
    name: "a client that pipelines",
    steps: [
      { type: "send", bytes: "SET k 4\r\na\r\nbGET k\r\nDEL k\r\nGET k\r\nQUIT\r\n" },
      { type: "expect", bytes: "OK\r\nVALUE 4\r\na\r\nbOK\r\nNONE\r\nOK\r\n" },
      { type: "expect-end" },
    ],
  },
  {
    name: "a client that ends its side after a request",
    steps: [
      { type: "send", bytes: "GET k\r\n" },
      { type: "close-write" },
      { type: "expect", bytes: "NONE\r\n" },
      { type: "expect-end" },
    ],
  },
  {
    name: "a client that ends its side in a value",
    steps: [
      { type: "send", bytes: "SET k 9\r\nabc" },
      { type: "close-write" },
      { type: "expect", bytes: "ERROR protocol ERR_KV_TRUNCATED\r\n" },
      { type: "expect-end" },
    ],
    failure: "ERR_KV_TRUNCATED",
  },
  {
    name: "a client that talks nonsense after a request",
    steps: [
      { type: "send", bytes: "GET k\r\nnonsense\r\nGET k\r\n" },
      { type: "expect", bytes: "NONE\r\nERROR protocol ERR_KV_BAD_LINE\r\n" },
      { type: "expect-end" },
    ],
    failure: "ERR_KV_BAD_LINE",
  },
  {
    name: "a client for which there is no room",
    steps: [
      { type: "send", bytes: "SET a 0\r\nSET b 0\r\n" },
      { type: "expect", bytes: "OK\r\nERROR full The store holds 1 keys\r\n" },
      { type: "send", bytes: "DEL a\r\nSET b 0\r\n" },
      { type: "expect", bytes: "OK\r\nOK\r\n" },
      { type: "close-write" },
      { type: "expect-end" },
    ],
  },
];

for (const row of CLIENTS) {
  Deno.test(`serveConnection() answers ${row.name}, however it is split`, async () => {
    for (const steps of splitTranscript(row.steps)) {
      const store = new KvStore({ maxKeys: 1 });
      await hold(
        { ...row, steps },
        (transport, options) => serveConnection(transport, store, options),
        "client",
      );
    }
  });
}

const WAITING: readonly ConversationRow[] = [
  {
    name: "gives up a client that says nothing",
    steps: [{ type: "expect-silence", durationMs: 30_000 }, {
      type: "expect-end",
      timeoutMs: 100,
    }],
    failure: "idle",
  },
  {
    name: "gives up a client that sends a byte now and then",
    steps: [
      ...[..."GE"].flatMap((bytes): TranscriptStep[] => [
        { type: "send", bytes },
        { type: "expect-silence", durationMs: 14_000 },
      ]),
      { type: "send", bytes: "T" },
      { type: "expect-silence", durationMs: 2_000 },
      { type: "expect-end", timeoutMs: 100 },
    ],
    failure: "idle",
  },
  {
    name: "keeps a client that asks every 29 s",
    steps: [
      ...Array.from({ length: 100 }, (): TranscriptStep[] => [
        { type: "send", bytes: "GET k\r\n" },
        { type: "expect", bytes: "NONE\r\n" },
        { type: "expect-silence", durationMs: 29_000 },
      ]).flat(),
      { type: "send", bytes: "QUIT\r\n" },
      { type: "expect", bytes: "OK\r\n" },
      { type: "expect-end" },
    ],
  },
];

for (const row of WAITING) {
  Deno.test(`serveConnection() ${row.name}`, async () => {
    const serve = (transport: Transport, options: DriveOptions): Promise<void> =>
      serveConnection(transport, new KvStore(), options);
    await hold(row, serve, "client");
  });
}

const SERVERS: readonly ConversationRow[] = [
  {
    name: "gets its answers",
    steps: [
      { type: "expect", bytes: "GET k\r\nDEL k\r\nQUIT\r\n" },
      { type: "send", bytes: "VALUE 2\r\n\r\nOK\r\nOK\r\n" },
      { type: "expect-end" },
    ],
  },
  {
    name: "is told why it is refused",
    steps: [
      { type: "skip-until", bytes: "QUIT\r\n" },
      { type: "send", bytes: "NONE\r\nERROR protocol too tired\r\nwhatever" },
      { type: "expect-end" },
    ],
  },
  {
    name: "takes no end for an answer",
    steps: [
      { type: "expect", bytes: "GET k\r\n" },
      { type: "send", bytes: "NONE\r\n" },
      { type: "close-write" },
      { type: "skip-until", bytes: "QUIT\r\n" },
      { type: "expect-end" },
    ],
    failure: "ERR_KV_TRUNCATED",
  },
  {
    name: "does not believe an answer that does not fit",
    steps: [
      { type: "skip-until", bytes: "QUIT\r\n" },
      { type: "send", bytes: "OK\r\n" },
      { type: "expect-end" },
    ],
    failure: "ERR_KV_UNEXPECTED_ANSWER",
  },
  {
    name: "gives up a server that does not answer",
    steps: [
      { type: "skip-until", bytes: "QUIT\r\n" },
      { type: "expect-silence", durationMs: 30_000 },
      { type: "expect-end", timeoutMs: 100 },
    ],
    failure: "idle",
  },
];

for (const row of SERVERS) {
  Deno.test(`request() ${row.name}`, async () => {
    const ask = (transport: Transport, options: DriveOptions): Promise<unknown> =>
      request(transport, [{ type: "get", key: "k" }, { type: "del", key: "k" }], options);
    await hold(row, ask, "server");
  });
}

Deno.test("request() gives the answers up to the one that refuses to go on", async () => {
  const [asking, answering] = memoryPipe();
  const requests: KvRequest[] = [
    { type: "get", key: "k" },
    { type: "set", key: "k", value: new Uint8Array(11) },
    { type: "get", key: "k" },
  ];
  const served = serveConnection(answering, new KvStore(), { maxValueBytes: 10 });
  const refused = assertRejects(() => served, KvProtocolError);
  assertEquals(await request(asking, requests), [
    { type: "none" },
    { type: "error", code: "protocol", text: "ERR_KV_VALUE_TOO_LARGE" },
  ]);
  assertEquals((await refused).code, "ERR_KV_VALUE_TOO_LARGE");
});

Deno.test("drive() tells why a write failed, and not what failed because of that", async () => {
  const [asking, answering] = memoryPipe();
  const failure = new Deno.errors.ConnectionReset("gone");
  const broken = { ...observed(answering, () => {}), write: () => Promise.reject(failure) };
  await sendAll(asking, ENCODER.encode("GET k\r\n"));
  const served = serveConnection(broken, new KvStore());
  assertStrictEquals(await assertRejects(() => served), failure);
});

Deno.test("serveConnection() reads no more than it can answer to a client that never reads", async () => {
  const { clock, options } = virtualTime();
  const [asking, answering] = memoryPipe({ highWaterMarkBytes: 1_000 });
  const served = serveConnection(answering, new KvStore(), options);
  await sendAll(asking, ENCODER.encode(`SET k 60000\r\n${"v".repeat(60_000)}`));
  let sentBytes = 0;
  for (;;) {
    const written = asking.write(ENCODER.encode("GET k\r\n".repeat(100)));
    if (!await isSettled(written)) {
      written.catch(() => {});
      break;
    }
    sentBytes += await written;
  }
  // One read, and what fits into the pipe.
  assert(sentBytes <= 16_384 + 1_000, `${sentBytes} bytes`);
  const failed = assertRejects(() => served, TimeoutError);
  await clock.advanceAsync(30_100);
  assertEquals((await failed).phase, "idle");
});

for (const idleTimeoutMs of [-1, NaN]) {
  Deno.test(`serveConnection() refuses ${idleTimeoutMs} as idleTimeoutMs, and closes`, async () => {
    const [asking, answering] = memoryPipe();
    const served = serveConnection(answering, new KvStore(), { idleTimeoutMs });
    await asking.closeWrite();
    await assertRejects(() => served, RangeError);
    assertThrows(() => answering.close());
  });
}

/** A transport that calls `onCall` at each read and write. */
function observed(transport: Transport, onCall: () => void): Transport {
  return {
    read: (p) => (onCall(), transport.read(p)),
    write: (p) => (onCall(), transport.write(p)),
    closeWrite: () => (onCall(), transport.closeWrite()),
    close: () => transport.close(),
    localAddr: transport.localAddr,
    remoteAddr: transport.remoteAddr,
  };
}

/** Runs both ends, and aborts one of them at a call of its transport; whether it came to that. */
async function cancelAt(callNumber: number, role: "client" | "server"): Promise<boolean> {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  let callCount = 0;
  const [asking, answering] = memoryPipe({ highWaterMarkBytes: 300 });
  const watched = observed(role === "client" ? asking : answering, () => {
    if (++callCount === callNumber) controller.abort(reason);
  });
  const { signal } = controller;
  const requests = MANY.slice(0, 6);
  const [outcome] = await Promise.allSettled(
    role === "client"
      ? [request(watched, requests, { signal }), serveConnection(answering, new KvStore())]
      : [serveConnection(watched, new KvStore(), { signal }), request(asking, requests)],
  );
  for (const transport of [asking, answering]) assertThrows(() => transport.close());
  if (signal.aborted) assertEquals(outcome, { status: "rejected", reason });
  else assertEquals(outcome.status, "fulfilled");
  return signal.aborted;
}

/** How a connection may end when the network is at fault, and nobody else. */
function isFault(error: unknown): boolean {
  if (error instanceof KvProtocolError) return error.code === "ERR_KV_TRUNCATED";
  return error instanceof TimeoutError || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe;
}

const SEEDS_PER_TEST = 100;
const CALM: readonly FaultEnd[] = [];
const ROUGH: readonly FaultEnd[] = ["reset", "stall", "truncate", "lose", "half-close"];

/**
 * A client against a server, both with faults, in virtual time; whether both came through. At most
 * 3 KB go either way.
 */
async function runSeed(seed: number, ends: readonly FaultEnd[]): Promise<boolean> {
  const { clock, options } = virtualTime();
  const requests = MANY.slice(0, 2 * (1 + seed % 8));
  const [near, far] = memoryPipe({ highWaterMarkBytes: 1 << (seed % 17) });
  const faults = (of: number) => randomFaults(of, { maxBytes: 3_000, maxDelayMs: 10, ends });
  const client = faultTransport(near, { ...faults(seed), clock });
  const server = faultTransport(far, { ...faults(seed + 1_000_000), clock });
  const report = (): string => `${client.report()}\n${server.report()}`;
  const outcomes = await clock.runUntil(Promise.allSettled([
    request(client, requests, { ...options, maxPipelinedRequests: 4 }),
    serveConnection(server, new KvStore(), options),
  ]));
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") assert(isFault(outcome.reason), report());
  }
  const [asked, served] = outcomes;
  const answers = asked.status === "fulfilled" ? asked.value : [];
  // The server may have seen a request cut off, and have said so.
  const isCutOff = answers.at(-1)?.type === "error";
  const right = expectedAnswers(requests).slice(0, isCutOff ? answers.length - 1 : undefined);
  if (asked.status === "fulfilled") assertEquals(answers.slice(0, right.length), right, report());
  for (const transport of [near, far]) assertThrows(() => transport.close());
  return asked.status === "fulfilled" && served.status === "fulfilled" && !isCutOff;
}

for (let first = 0; first < 300; first += SEEDS_PER_TEST) {
  const last = first + SEEDS_PER_TEST - 1;
  Deno.test(`drive() gets every answer, whatever the pieces and delays, ${first} to ${last}`, async () => {
    for (let seed = first; seed <= last; seed++) assert(await runSeed(seed, CALM), `seed ${seed}`);
  });

  Deno.test(`drive() gets right answers or a reason, whatever happens, ${first} to ${last}`, async () => {
    let throughCount = 0;
    for (let seed = first; seed <= last; seed++) throughCount += Number(await runSeed(seed, ROUGH));
    assert(throughCount > 10 && throughCount < 90, `${throughCount} of ${SEEDS_PER_TEST}`);
  });
}

for (const role of ["client", "server"] as const) {
  Deno.test(`drive() of a ${role} is cancelled at every read and write`, async () => {
    let callNumber = 1;
    while (await cancelAt(callNumber, role)) callNumber++;
    assert(callNumber > 10, `${callNumber} calls`);
  });
}

Deno.test("KvStore refuses the key behind maxKeys, and none that it has", () => {
  const set = (key: string): KvRequest => ({ type: "set", key, value: new Uint8Array(1) });
  const store = new KvStore({ maxKeys: 2 });
  assertEquals(store.answer(set("a")), { type: "ok" });
  assertEquals(store.answer(set("b")), { type: "ok" });
  const refusal = store.answer(set("c"));
  assertEquals(refusal.type === "error" && refusal.code, "full");
  assertEquals(store.answer(set("a")), { type: "ok" });
  assertEquals(store.answer({ type: "del", key: "a" }), { type: "ok" });
  assertEquals(store.answer({ type: "del", key: "a" }), { type: "none" });
  assertEquals(store.answer(set("c")), { type: "ok" });
  for (const maxKeys of [-1, 1.5]) assertThrows(() => new KvStore({ maxKeys }), RangeError);
});
