import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { everySplit, SeededRandom } from "@nbio/net/nbio/testing";
import {
  isRequest,
  KvConnection,
  type KvEvent,
  type KvMessage,
  type KvOptions,
  KvProtocolError,
  type KvProtocolErrorCode,
  type KvRequest,
  KvStateError,
} from "./custom_protocol_core.ts";

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array | undefined): string {
  return String.fromCharCode(...bytes ?? []);
}

/** What a core made of some bytes. */
interface Outcome {
  readonly events: KvEvent[];
  /** Code of the error at which it stopped. */
  code?: KvProtocolErrorCode;
}

/** Feeds a core; a server gives each request an answer that fits it. */
function feed(core: KvConnection, chunks: readonly Uint8Array[], isEnd = false): Outcome {
  const outcome: Outcome = { events: [] };
  try {
    for (const chunk of chunks) {
      core.receive(chunk);
      chunk.fill(0xff); // the core has its own copy
      drain(core, outcome.events);
    }
    if (isEnd) core.receiveEnd();
    if (isEnd) drain(core, outcome.events);
  } catch (error) {
    assert(error instanceof KvProtocolError, String(error));
    // Failure is sticky: the very same error, whatever else comes.
    core.receive(ascii("QUIT\r\n"));
    assertStrictEquals(assertThrows(() => core.nextEvent()), error);
    outcome.code = error.code;
  }
  return outcome;
}

function drain(core: KvConnection, events: KvEvent[]): void {
  for (let event; (event = core.nextEvent()) !== undefined && event.type !== "closed";) {
    events.push(event);
    if (event.type === "paused" || !isRequest(event)) continue;
    core.send(event.type === "get" ? { type: "none" } : { type: "ok" });
  }
}

const SERVER = (options?: KvOptions): KvConnection => new KvConnection("server", options);

/** A client that waits for the answers to a `get`, a `set` and a `del`. */
function client(options?: KvOptions): KvConnection {
  const core = new KvConnection("client", options);
  core.send({ type: "get", key: "k" });
  core.send({ type: "set", key: "k", value: ascii("v") });
  core.send({ type: "del", key: "k" });
  return core;
}

interface ValidRow {
  readonly name: string;
  readonly core: () => KvConnection;
  readonly wire: string;
  readonly events: readonly KvMessage[];
}

const VALID: readonly ValidRow[] = [
  {
    name: "each request",
    core: SERVER,
    wire: "GET k\r\nDEL !~\r\nSET k 2\r\nabQUIT\r\n",
    events: [
      { type: "get", key: "k" },
      { type: "del", key: "!~" },
      { type: "set", key: "k", value: ascii("ab") },
      { type: "quit" },
    ],
  },
  {
    name: "a value that looks like lines",
    core: SERVER,
    wire: "SET k 9\r\n\r\nGET k\r\nSET e 0\r\n",
    events: [
      { type: "set", key: "k", value: ascii("\r\nGET k\r\n") },
      { type: "set", key: "e", value: new Uint8Array(0) },
    ],
  },
  {
    name: "a value of all bytes",
    core: SERVER,
    wire: "SET k 256\r\n" + textOf(Uint8Array.from({ length: 256 }, (_, index) => index)),
    events: [{ type: "set", key: "k", value: Uint8Array.from({ length: 256 }, (_, i) => i) }],
  },
  {
    name: "each answer",
    core: client,
    wire: "VALUE 3\r\na\r\nERROR full No room, sorry\r\nNONE\r\n",
    events: [
      { type: "value", value: ascii("a\r\n") },
      { type: "error", code: "full", text: "No room, sorry" },
      { type: "none" },
    ],
  },
];

for (const { name, core, wire, events } of VALID) {
  Deno.test(`KvConnection parses ${name} however it is split`, () => {
    for (const chunks of everySplit(ascii(wire))) {
      assertEquals(feed(core(), chunks), { events: [...events] });
    }
  });

  Deno.test(`KvConnection needs more at every prefix of ${name}`, () => {
    const bytes = ascii(wire);
    for (let length = 1; length < bytes.length; length++) {
      const outcome = feed(core(), [bytes.slice(0, length)]);
      assertEquals([outcome.code, outcome.events.length < events.length], [undefined, true]);
    }
  });
}

interface InvalidRow {
  readonly name: string;
  readonly core: () => KvConnection;
  readonly wire: string;
  readonly code: KvProtocolErrorCode;
}

const INVALID: readonly InvalidRow[] = [
  ...[
    "get k",
    "GET",
    "GET ",
    "GET  k",
    "GET k ",
    "GET k\r",
    "GET k\0",
    "GET \xe9",
    "PUT k",
    "QUIT now",
    "SET k",
    "SET k ",
    "SET k -1",
    "SET k 01",
    "SET k +1",
    "SET k 1.5",
    "SET k 0x1",
    "SET k 1 ",
    "",
    "OK",
  ].map((line) => ({
    name: `the request line ${JSON.stringify(line)}`,
    core: SERVER,
    wire: `GET a\r\n${line}\r\n`,
    code: "ERR_KV_BAD_LINE" as const,
  })),
  ...[
    "OK ",
    "ok",
    "NONE k",
    "VALUE",
    "VALUE 01",
    "ERROR",
    "ERROR full",
    "ERROR Full x",
    "ERROR fuller x",
    "GET k",
  ]
    .map((line) => ({
      name: `the answer line ${JSON.stringify(line)}`,
      core: client,
      wire: `NONE\r\n${line}\r\n`,
      code: "ERR_KV_BAD_LINE" as const,
    })),
  { name: "a bare LF", core: SERVER, wire: "GET kk\nGET k\r\n", code: "ERR_KV_BAD_LINE" },
  {
    name: "a length beyond all numbers",
    core: SERVER,
    wire: `SET k ${"9".repeat(200)}\r\n`,
    code: "ERR_KV_VALUE_TOO_LARGE",
  },
  { name: "OK to GET", core: client, wire: "OK\r\n", code: "ERR_KV_UNEXPECTED_ANSWER" },
  {
    name: "a value to SET",
    core: client,
    wire: "NONE\r\nVALUE 0\r\n",
    code: "ERR_KV_UNEXPECTED_ANSWER",
  },
  {
    name: "an error to QUIT",
    core: () => {
      const core = new KvConnection("client");
      core.send({ type: "quit" });
      return core;
    },
    wire: "ERROR full no\r\n",
    code: "ERR_KV_UNEXPECTED_ANSWER",
  },
  {
    name: "an answer to nothing",
    core: () => new KvConnection("client"),
    wire: "OK\r\n",
    code: "ERR_KV_UNEXPECTED_ANSWER",
  },
];

for (const { name, core, wire, code } of INVALID) {
  Deno.test(`KvConnection fails at ${name} however it is split`, () => {
    const whole = feed(core(), [ascii(wire)]);
    assertEquals(whole.code, code);
    for (const chunks of everySplit(ascii(wire))) assertEquals(feed(core(), chunks), whole);
  });
}

Deno.test("KvConnection tells the client what it broke, behind the answers before", () => {
  const core = SERVER();
  feed(core, [ascii("GET k\r\nGET \x1b[31m\r\nGET k\r\n")]);
  assertEquals(textOf(core.takeOutput()), "NONE\r\nERROR protocol ERR_KV_BAD_LINE\r\n");
  assertThrows(() => core.send({ type: "ok" }), KvStateError);
  assertEquals([core.state, core.takeOutput()], ["failed", undefined]);
});

Deno.test("KvConnection of a client asks for nothing more once the server broke the protocol", () => {
  const core = client();
  assertEquals(feed(core, [ascii("what?\r\n")]).code, "ERR_KV_BAD_LINE");
  assertEquals([core.canRequest, core.takeOutput()], [false, undefined]);
});

interface LimitRow {
  readonly name: string;
  readonly code: KvProtocolErrorCode;
  /** Bytes over the limit to a wire. */
  readonly wire: (excess: number) => string;
  /** The same, as the caller of the other side would send it. */
  readonly message: (excess: number) => KvRequest;
}

const LIMITS: readonly LimitRow[] = [
  {
    name: "maxLineBytes",
    code: "ERR_KV_LINE_TOO_LONG",
    wire: (excess) => `GET ${"k".repeat(64 + excess - 4)}\r\n`,
    message: (excess) => ({ type: "get", key: "k".repeat(64 + excess - 4) }),
  },
  {
    name: "maxValueBytes",
    code: "ERR_KV_VALUE_TOO_LARGE",
    wire: (excess) => `SET k ${10 + excess}\r\n${"v".repeat(10 + excess)}`,
    message: (excess) => ({ type: "set", key: "k", value: new Uint8Array(10 + excess) }),
  },
];

for (const { name, code, wire, message } of LIMITS) {
  for (const excess of [-1, 0, 1]) {
    const options: KvOptions = { maxLineBytes: 64, maxValueBytes: 10 };
    Deno.test(`KvConnection holds ${name} at ${excess} over it, received and sent`, () => {
      for (const chunks of everySplit(ascii(wire(excess)))) {
        const outcome = feed(SERVER(options), chunks);
        assertEquals(
          [outcome.code, outcome.events.length],
          excess > 0 ? [code, 0] : [undefined, 1],
        );
      }
      const core = new KvConnection("client", options);
      const send = (): void => core.send(message(excess));
      if (excess > 0) assertThrows(send, RangeError);
      else send();
      assertEquals(core.takeOutput()?.length, excess > 0 ? undefined : wire(excess).length);
    });
  }
}

Deno.test("KvConnection refuses a line that never ends, and keeps none of it", () => {
  const core = SERVER({ maxLineBytes: 64 });
  assertEquals(feed(core, Array.from({ length: 65 }, () => ascii("x"))).code, undefined);
  assertEquals(feed(core, [ascii("x")]).code, "ERR_KV_LINE_TOO_LONG");
});

Deno.test("KvConnection of a server pauses until a request is answered", () => {
  const core = SERVER();
  core.receive(ascii("GET a\r\nGET b\r\n"));
  assertEquals(core.nextEvent(), { type: "get", key: "a" });
  assertEquals(core.nextEvent(), { type: "paused" });
  assertThrows(() => core.receive(ascii("GET c\r\n")), KvStateError);
  core.send({ type: "value", value: ascii("1") });
  assertEquals(core.nextEvent(), { type: "get", key: "b" });
  assertEquals(textOf(core.takeOutput()), "VALUE 1\r\n1");
});

for (const [waitingBytes, expected] of [[9, "get"], [10, "paused"], [11, "paused"]] as const) {
  Deno.test(`KvConnection of a server with ${waitingBytes} of 10 bytes to write says ${expected}`, () => {
    const core = SERVER({ maxOutputBytes: 10 });
    core.receive(ascii("GET a\r\nGET b\r\n"));
    core.nextEvent();
    core.send({ type: "value", value: new Uint8Array(waitingBytes - "VALUE n\r\n".length) });
    assertEquals(core.nextEvent()?.type, expected);
    core.takeOutput();
    if (expected === "paused") assertEquals(core.nextEvent()?.type, "get");
  });
}

Deno.test("KvConnection of a client holds maxPipelinedRequests", () => {
  const core = new KvConnection("client", { maxPipelinedRequests: 2 });
  core.send({ type: "get", key: "a" });
  assert(core.canRequest);
  core.send({ type: "get", key: "b" });
  assert(!core.canRequest);
  assertThrows(() => core.send({ type: "get", key: "c" }), KvStateError);
  assertEquals(feed(core, [ascii("NONE\r\n")]).events.length, 1);
  core.send({ type: "get", key: "c" });
  assertEquals(textOf(core.takeOutput()), "GET a\r\nGET b\r\nGET c\r\n");
});

Deno.test("KvConnection closes when QUIT is answered, and drops what comes behind", () => {
  const core = SERVER();
  assertEquals(feed(core, [ascii("QUIT\r\nGET a\r\n")]).events, [{ type: "quit" }]);
  assertEquals([core.state, core.nextEvent()], ["closed", { type: "closed" }]);
  core.receive(ascii("GET b\r\n"));
  assertEquals(core.nextEvent(), { type: "closed" });

  const asking = client();
  asking.send({ type: "quit" });
  assertThrows(() => asking.send({ type: "get", key: "k" }), KvStateError);
  assertEquals(feed(asking, [ascii("NONE\r\nOK\r\nOK\r\nOK\r\n")]).events.length, 4);
  assertEquals(asking.state, "closed");
});

Deno.test("KvConnection closes at either end when the server refuses to go on", () => {
  const [asking, answering] = [client(), SERVER()];
  answering.receive(asking.takeOutput()!);
  answering.nextEvent();
  answering.send({ type: "error", code: "protocol", text: "no more" });
  assertEquals(answering.nextEvent(), { type: "closed" });
  asking.receive(answering.takeOutput()!);
  assertEquals(asking.nextEvent(), { type: "error", code: "protocol", text: "no more" });
  assertEquals(asking.nextEvent(), { type: "closed" });
});

Deno.test("KvConnection closes at an end between messages", () => {
  for (const core of [SERVER(), new KvConnection("client")]) {
    core.receiveEnd();
    assertEquals([core.nextEvent(), core.state], [{ type: "closed" }, "closed"]);
  }
});

Deno.test("KvConnection takes the end as no message's end", () => {
  const wire = ascii("SET k 2\r\nab");
  for (let length = 1; length < wire.length; length++) {
    const outcome = feed(SERVER(), [wire.slice(0, length)], true);
    assertEquals(outcome, { events: [], code: "ERR_KV_TRUNCATED" });
  }
  assertEquals(feed(client(), [ascii("NONE\r\n")], true).code, "ERR_KV_TRUNCATED");
});

Deno.test("KvConnection takes nothing behind the end, and an empty chunk is nothing", () => {
  const core = SERVER();
  core.receive(new Uint8Array(0));
  assertEquals(core.nextEvent(), undefined);
  core.receiveEnd();
  core.receive(new Uint8Array(0));
  assertThrows(() => core.receive(ascii("QUIT\r\n")), KvStateError);
});

for (
  const [name, core, message] of [
    ["a server asks", SERVER(), { type: "get", key: "k" }],
    ["a server answers nothing", SERVER(), { type: "ok" }],
    ["a client answers", client(), { type: "none" }],
  ] as const
) {
  Deno.test(`KvConnection.send() throws and changes nothing when ${name}`, () => {
    core.takeOutput();
    assertEquals(assertThrows(() => core.send(message), KvStateError).code, "ERR_KV_ILLEGAL_EVENT");
    assertEquals([core.state, core.takeOutput()], ["open", undefined]);
  });
}

for (const key of ["", "a b", "a 1", "a\r\nQUIT", "a\n", "é", "\x7f"]) {
  Deno.test(`KvConnection.send() refuses the key ${JSON.stringify(key)}`, () => {
    const core = new KvConnection("client");
    assertThrows(() => core.send({ type: "get", key }), TypeError);
    assertThrows(() => core.send({ type: "set", key, value: ascii("v") }), TypeError);
    assertEquals([core.state, core.takeOutput()], ["open", undefined]);
  });
}

for (const text of ["x\r\nOK", "x\n", "é", "\x7f"]) {
  Deno.test(`KvConnection.send() refuses the text ${JSON.stringify(text)}`, () => {
    const core = SERVER();
    core.receive(ascii("GET k\r\n"));
    core.nextEvent();
    assertThrows(() => core.send({ type: "error", code: "full", text }), TypeError);
    core.send({ type: "none" });
    assertEquals(textOf(core.takeOutput()), "NONE\r\n");
  });
}

Deno.test("KvConnection reads at one end what was sent at the other", () => {
  const [asking, answering] = [new KvConnection("client"), SERVER()];
  const value = ascii("\r\n\0\xff");
  const pairs: readonly (readonly [KvRequest, KvMessage])[] = [
    [{ type: "set", key: "k", value }, { type: "error", code: "full", text: "" }],
    [{ type: "get", key: "k" }, { type: "value", value }],
    [{ type: "del", key: "k" }, { type: "ok" }],
    [{ type: "quit" }, { type: "ok" }],
  ];
  for (const [request, answer] of pairs) {
    asking.send(request);
    answering.receive(asking.takeOutput()!);
    assertEquals(answering.nextEvent(), request);
    answering.send(answer);
    asking.receive(answering.takeOutput()!);
    assertEquals(asking.nextEvent(), answer);
    assertEquals(asking.state, answering.state);
  }
});

Deno.test("KvConnection makes of random bytes only events and its own errors", () => {
  const pieces = ["GET ", "SET ", "k", " 3", "\r\n", "\r", "\n", "VALUE 2", "OK", "\xff", "QUIT"];
  for (let seed = 0; seed < 2_000; seed++) {
    const random = new SeededRandom(seed);
    const wire = ascii(Array.from({ length: 12 }, () => random.pick(pieces)).join(""));
    for (const core of [SERVER, client]) {
      const whole = feed(core(), [wire.slice()], true);
      const cut = random.int(wire.length);
      assertEquals(
        feed(core(), [wire.slice(0, cut), wire.slice(cut)], true),
        whole,
        `seed ${seed}`,
      );
    }
  }
});

for (
  const options of [
    { maxLineBytes: 63 },
    { maxValueBytes: -1 },
    { maxOutputBytes: 0 },
    { maxPipelinedRequests: 1.5 },
    { maxLineBytes: NaN },
  ]
) {
  Deno.test(`new KvConnection() throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new KvConnection("server", options), RangeError);
  });
}
