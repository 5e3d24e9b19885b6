import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import type { ExchangeOptions } from "../../http/client_options.ts";
import type { ExchangeRequest } from "../../http/client_sender.ts";
import { HttpStateError } from "../../http/errors.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import type { SendStatus } from "../../nbio/send_all.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { ClientHarness, errorOf, GET } from "../_support/client_harness.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const POST: ExchangeRequest = { method: "POST", target: "/p", headers: { host: "a" } };
const START = "POST /p HTTP/1.1\r\nhost: a\r\n";
const CHUNKED = `${START}transfer-encoding: chunked\r\n\r\n`;

/** A source that gives these chunks, and notes how far it was asked and how it ended. */
class Source implements AsyncIterable<Uint8Array> {
  asked = 0;
  isReturned = false;
  readonly #chunks: readonly unknown[];

  constructor(...chunks: readonly unknown[]) {
    this.#chunks = chunks;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        const chunk = await this.#chunks[this.asked++];
        if (chunk instanceof Error) throw chunk;
        if (this.asked > this.#chunks.length) return { done: true, value: undefined };
        return {
          done: false,
          value: (typeof chunk === "string" ? bytesOf(chunk) : chunk) as Uint8Array,
        };
      },
      return: () => {
        this.isReturned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

const NEVER = new Promise<never>(() => {});

const WIRES: readonly { name: string; request: ExchangeRequest; wire: string }[] = [
  { name: "no body", request: GET, wire: "GET / HTTP/1.1\r\nhost: a\r\n\r\n" },
  { name: "POST without a body", request: POST, wire: `${START}\r\n` },
  {
    name: "bytes",
    request: { ...POST, body: bytesOf("hello") },
    wire: `${START}content-length: 5\r\n\r\nhello`,
  },
  {
    name: "no bytes at all",
    request: { ...POST, body: new Uint8Array() },
    wire: `${START}content-length: 0\r\n\r\n`,
  },
  {
    name: "bytes whose length a field tells",
    request: { ...POST, headers: { host: "a", "Content-Length": "5" }, body: bytesOf("hello") },
    wire: "POST /p HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\n\r\nhello",
  },
  {
    name: "bytes with trailers",
    request: { ...POST, body: bytesOf("hello"), trailers: { "x-t": "1" } },
    wire: `${CHUNKED}5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n`,
  },
  {
    name: "a source",
    request: { ...POST, body: new Source("he", "", "llo") },
    wire: `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
  },
  {
    name: "an empty source",
    request: { ...POST, body: new Source() },
    wire: `${CHUNKED}0\r\n\r\n`,
  },
  {
    name: "a source of known length",
    request: { ...POST, body: new Source("he", "llo"), bodyLength: 5 },
    wire: `${START}content-length: 5\r\n\r\nhello`,
  },
  {
    name: "a source with trailers that are known at its end",
    request: { ...POST, body: new Source("he"), trailers: () => [["x-t", "1"]] },
    wire: `${CHUNKED}2\r\nhe\r\n0\r\nx-t: 1\r\n\r\n`,
  },
  {
    name: "a stream",
    request: { ...POST, body: ReadableStream.from([bytesOf("he"), bytesOf("llo")]) },
    wire: `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
  },
  {
    name: "fields that can be read only once",
    request: { ...POST, headers: new Map([["host", "a"]]).entries(), body: bytesOf("x") },
    wire: `${START}content-length: 1\r\n\r\nx`,
  },
];

for (const { name, request, wire } of WIRES) {
  Deno.test(`ClientSender.run() sends ${name}`, async () => {
    using harness = new ClientHarness();
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const answered = harness.begin(request, { status });
    assertEquals(await harness.received(), wire);
    assertEquals(status, { sentBytes: wire.length, mayHaveSent: true });
    await harness.send(OK);
    assertEquals((await answered).status, 200);
    assertEquals(harness.connection.isReusable, true);
  });
}

Deno.test("ClientSender.run() sends head and body in one write if they are small", async () => {
  using harness = new ClientHarness();
  harness.begin({ ...POST, body: bytesOf("hello") });
  await harness.received();
  // One write, one read.
  assertEquals(harness.transport.callCount, 2);
});

Deno.test("ClientSender.run() sends a large body in pieces, and whole", async () => {
  const body = crypto.getRandomValues(new Uint8Array(60_000));
  const large = new Uint8Array(300_000).map((_, index) => body[index % body.length]!);
  for (
    const request of [{ ...POST, body: large }, {
      ...POST,
      body: new Source(large),
      bodyLength: large.length,
    }]
  ) {
    using harness = new ClientHarness({ highWaterMarkBytes: 1_000, maxReadBytes: 777 });
    const answered = harness.begin(request);
    let text = "";
    while (text.length < large.length) text += await harness.received();
    assertEquals(bytesOf(text.slice(text.indexOf("\r\n\r\n") + 4)), large);
    await harness.send(OK);
    await answered;
    assertEquals(harness.connection.isReusable, true);
  }
});

Deno.test("ClientSender.run() asks a source for no more than the server takes", async () => {
  using harness = new ClientHarness({ highWaterMarkBytes: 100 });
  const source = new Source(...Array<string>(100).fill("x".repeat(50)));
  harness.begin({ ...POST, body: source });
  await settle();
  assert(source.asked <= 3, `${source.asked}`);
  assert((await harness.received()).endsWith("0\r\n\r\n"));
  assertEquals(source.asked, 101);
});

const REFUSED: readonly { name: string; request: ExchangeRequest; type: typeof TypeError }[] = [
  { name: "a bad method", request: { ...GET, method: "G T" }, type: TypeError },
  { name: "a bad target", request: { ...GET, target: "/\r\nx: y" }, type: TypeError },
  { name: "no Host", request: { target: "/", headers: [] }, type: TypeError },
  {
    name: "a line end in a field",
    request: { ...GET, headers: { host: "a", x: "b\r\nc: d" } },
    type: TypeError,
  },
  {
    name: "a line end in a field beside a body",
    request: { ...POST, headers: { host: "a", x: "b\nc" }, body: bytesOf("x") },
    type: TypeError,
  },
  {
    name: "a length that contradicts the bytes",
    request: { ...POST, body: bytesOf("x"), bodyLength: 2 },
    type: TypeError,
  },
  {
    name: "a field that contradicts the bytes",
    request: { ...POST, headers: { host: "a", "CONTENT-length": "2" }, body: bytesOf("x") },
    type: TypeError,
  },
  {
    name: "a transfer coding beside known bytes",
    request: {
      ...POST,
      headers: { host: "a", "Transfer-Encoding": "chunked" },
      body: bytesOf("x"),
    },
    type: TypeError,
  },
  {
    name: "a body of CONNECT",
    request: { method: "CONNECT", target: "a:1", headers: { host: "a:1" }, body: bytesOf("x") },
    type: TypeError,
  },
  {
    name: "a length that is none",
    request: { ...POST, body: new Source(), bodyLength: -1 },
    type: RangeError,
  },
];

for (const { name, request, type } of REFUSED) {
  Deno.test(`ClientSender.begin() throws on ${name}, and nothing has happened`, async () => {
    using harness = new ClientHarness();
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    assertInstanceOf(await errorOf(harness.begin(request, { status })), type);
    assertEquals(status, { sentBytes: 0, mayHaveSent: false });
    assertEquals([harness.connection.isReusable, harness.transport.callCount], [true, 0]);
    assertEquals((await harness.answered(OK)).status, 200);
  });
}

const mine = new Error("from the source");
const FAILING: readonly {
  name: string;
  request: ExchangeRequest;
  judge: (error: unknown) => void;
}[] = [
  {
    name: "fails",
    request: { ...POST, body: new Source("x", mine) },
    judge: (error) => assertStrictEquals(error, mine),
  },
  {
    name: "fails as a broken connection does",
    request: { ...POST, body: new Source("x", new ConnectionClosedError("another one")) },
    judge: (error) => {
      assertInstanceOf(error, ConnectionClosedError);
      assertEquals(error.cause, undefined);
    },
  },
  {
    name: "gives what is no bytes",
    request: { ...POST, body: new Source(7) },
    judge: (error) => assertInstanceOf(error, TypeError),
  },
  {
    name: "is too short",
    request: { ...POST, body: new Source("x"), bodyLength: 2 },
    judge: isMismatch,
  },
  {
    name: "is too long",
    request: { ...POST, body: new Source("x", "yz"), bodyLength: 2 },
    judge: isMismatch,
  },
  {
    name: "has trailers that may not be",
    request: { ...POST, body: new Source("x"), trailers: { host: "b" } },
    judge: (error) => assertInstanceOf(error, TypeError),
  },
  {
    name: "has trailers that fail",
    request: {
      ...POST,
      body: bytesOf("x"),
      trailers: () => {
        throw mine;
      },
    },
    judge: (error) => assertStrictEquals(error, mine),
  },
];

function isMismatch(error: unknown): void {
  assertInstanceOf(error, HttpStateError);
  assertEquals(error.code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
}

for (const { name, request, judge } of FAILING) {
  Deno.test(`ClientSender.run() closes the connection if a body ${name}`, async () => {
    using harness = new ClientHarness();
    judge(await errorOf(harness.begin(request)));
    assertEquals([harness.connection.endReason, harness.transport.pendingCount], ["failed", 0]);
    assert(!(await harness.received()).endsWith("0\r\n\r\n"));
    assertEquals(await harness.isClosed(), true);
    assertEquals(harness.clock.pendingCount, 0);
  });
}

const EXPECTING: ExchangeRequest = {
  ...POST,
  headers: { host: "a", Expect: "100-Continue" },
  body: bytesOf("hello"),
};

Deno.test("ClientSender.run() keeps a body back until a 100 comes", async () => {
  for (const body of [bytesOf("hello"), new Source("hello")]) {
    using harness = new ClientHarness();
    const told: number[] = [];
    const onInformational: ExchangeOptions["onInformational"] = ({ status }) => told.push(status);
    const answered = harness.begin({ ...EXPECTING, body, bodyLength: 5 }, { onInformational });
    assert((await harness.received()).endsWith("\r\n\r\n"));
    await harness.send("HTTP/1.1 102 P\r\n\r\n");
    assertEquals(await harness.received(), "");
    await harness.send("HTTP/1.1 100 C\r\n\r\n");
    assertEquals(await harness.received(), "hello");
    await harness.send(OK);
    assertEquals((await answered).status, 200);
    assertEquals([told, harness.connection.isReusable], [[102, 100], true]);
    assertEquals(harness.wheel.armedCount, 0);
  }
});

Deno.test("ClientSender.run() waits for no 100 where no content follows", async () => {
  for (const body of [new Uint8Array(), new Source()]) {
    using harness = new ClientHarness();
    const response = await harness.answered(OK, { ...EXPECTING, body, bodyLength: 0 });
    assertEquals([response.status, harness.connection.isReusable], [200, true]);
  }
});

Deno.test("ClientSender.run() sends the body though no 100 comes", async () => {
  for (const continueTimeoutMs of [undefined, 1_000]) {
    using harness = new ClientHarness();
    const answered = harness.begin(
      EXPECTING,
      continueTimeoutMs === undefined ? {} : { continueTimeoutMs },
    );
    await harness.received();
    await harness.advance(999);
    assertEquals(await harness.received(), "");
    await harness.advance(200);
    assertEquals(await harness.received(), "hello");
    await harness.send(`HTTP/1.1 100 C\r\n\r\n${OK}`);
    assertEquals((await answered).status, 200);
    assertEquals(harness.connection.isReusable, true);
  }
});

Deno.test("ClientSender.run() does not wait for ever where no wait limit is set", async () => {
  using harness = new ClientHarness();
  const failed = errorOf(
    harness.begin(EXPECTING, { continueTimeoutMs: 0, firstByteTimeoutMs: 5_000 }),
  );
  await harness.received();
  await harness.advance(5_200);
  const error = await failed;
  assertInstanceOf(error, TimeoutError);
  assertEquals(error.phase, "first-byte");
  assertEquals(harness.clock.pendingCount, 0);
});

for (const isAskedFor of [true, false]) {
  const when = isAskedFor ? "was asked for" : "is not waited for any more";
  Deno.test(`ClientSender.run() counts no silence while a body that ${when} is made`, async () => {
    using harness = new ClientHarness();
    const gate = Promise.withResolvers<string>();
    const request = { ...EXPECTING, body: new Source(gate.promise) };
    const answered = harness.begin(request, { firstByteTimeoutMs: 5_000 });
    await harness.received();
    if (isAskedFor) await harness.send("HTTP/1.1 100 C\r\n\r\n");
    else await harness.advance(1_200);
    await harness.advance(20_000);
    gate.resolve("hello");
    await settle();
    await harness.send(OK);
    assertEquals((await answered).status, 200);
  });
}

Deno.test("ClientSender.run() sends a body that waits when the protocol changes", async () => {
  using harness = new ClientHarness();
  const headers = { host: "a", expect: "100-continue", connection: "upgrade", upgrade: "x" };
  const answered = harness.begin({ ...EXPECTING, headers });
  await harness.received();
  await harness.send("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhi");
  assertEquals(await harness.received(), "hello");
  assertEquals(textOf((await answered).handover!.bytes), "hi");
});

Deno.test("ClientSender.run() keeps back a body that was answered without a 100", async () => {
  for (const status of [200, 417]) {
    using harness = new ClientHarness();
    const body = new Source("hello");
    const response = await harness.answered(
      `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nno`,
      { ...EXPECTING, body },
    );
    // Nor later, when no 100 would be waited for any more.
    await harness.advance(5_000);
    assertEquals([response.status, textOf(await response.bytes())], [status, "no"]);
    await response.ended;
    assertEquals([body.asked, harness.connection.endReason], [0, "request-unfinished"]);
    assertEquals([await harness.received(), await harness.isClosed()], ["", true]);
    assertEquals(harness.wheel.armedCount, 0);
  }
});

Deno.test("ClientSender.stop() holds the rest back when a response comes early", async () => {
  using harness = new ClientHarness();
  const body = new Source("first", NEVER);
  const response = await harness.answered(
    "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno",
    { ...POST, body },
  );
  assertEquals(response.status, 413);
  assertEquals([body.isReturned, harness.connection.endReason], [true, undefined]);
  assertEquals(textOf(await response.bytes()), "no");
  await response.ended;
  assertEquals(harness.connection.endReason, "request-unfinished");
  assertEquals(harness.wheel.armedCount, 0);
});

Deno.test("ClientSender.stop() leaves a write that is stuck, until the end", async () => {
  using harness = new ClientHarness({ highWaterMarkBytes: 1_000 });
  const answered = harness.begin({ ...POST, body: new Uint8Array(1_000_000) });
  await settle();
  await harness.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  const response = await answered;
  assertEquals(harness.transport.pendingCount, 1);
  await harness.advance(60_000);
  assertEquals(textOf(await response.bytes()), "no");
  await response.ended;
  await settle();
  assertEquals([harness.connection.endReason, harness.transport.pendingCount], [
    "request-unfinished",
    0,
  ]);
});

Deno.test("ClientSender.run() goes on beside a response that welcomes the request", async () => {
  using harness = new ClientHarness();
  const gate = Promise.withResolvers<string>();
  const response = await harness.answered(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    { ...POST, body: new Source("x", gate.promise) },
  );
  assertEquals(textOf((await response.read())!), "a");
  const second = response.read();
  // It is our turn: no silence of the server counts.
  await harness.advance(100_000);
  gate.resolve("y");
  assertEquals(await harness.received(), "1\r\ny\r\n0\r\n\r\n");
  await harness.send("1\r\nb\r\n0\r\n\r\n");
  assertEquals(textOf((await second)!), "b");
  assertEquals(await response.read(), undefined);
  assertEquals(harness.connection.isReusable, true);
});

Deno.test("ClientSender.run() counts the silence of the server once all is said", async () => {
  using harness = new ClientHarness();
  const gate = Promise.withResolvers<string>();
  const response = await harness.answered(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    { ...POST, body: new Source(gate.promise) },
  );
  const failed = errorOf(response.read());
  gate.resolve("y");
  await settle();
  await harness.advance(30_200);
  const error = await failed;
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["body", 30_000]);
});

Deno.test("ClientSender.run() gives up a server that takes nothing", async () => {
  const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
  using harness = new ClientHarness({ highWaterMarkBytes: 10 });
  const source = new Source("hello");
  const failed = errorOf(
    harness.begin({ ...POST, body: source }, { writeTimeoutMs: 5_000, status }),
  );
  await settle();
  await harness.advance(4_999);
  await harness.advance(200);
  const error = await failed;
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["write", 5_000]);
  assertEquals(status, { sentBytes: 10, mayHaveSent: true });
  assertEquals([harness.clock.pendingCount, harness.transport.pendingCount], [0, 0]);
  assertEquals(harness.connection.endReason, "failed");
});

Deno.test("ClientSender.run() gives time to a server that takes little by little", async () => {
  using harness = new ClientHarness({ highWaterMarkBytes: 10 });
  harness.begin(GET, { writeTimeoutMs: 5_000 });
  let text = "";
  const space = new Uint8Array(10);
  while (!text.endsWith("\r\n\r\n")) {
    await harness.advance(4_500);
    text += textOf(space.subarray(0, (await harness.server.read(space))!));
    await settle();
  }
  assertEquals(harness.connection.endReason, undefined);
});
