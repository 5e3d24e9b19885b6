import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ClientConnection, type ConnectionEndReason } from "../../http/client_connection.ts";
import type { ExchangeRequest } from "../../http/client_sender.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import type { OperationOptions } from "../../nbio/operation.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { ClientHarness, errorOf, GET } from "../_support/client_harness.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const UPGRADE: ExchangeRequest = {
  target: "/",
  headers: { host: "a", connection: "upgrade", upgrade: "x" },
};
const SWITCHING = "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";

Deno.test("ClientConnection.exchange() asks again and again", async () => {
  using harness = new ClientHarness();
  for (let round = 0; round < 5; round++) {
    const response = await harness.answered(OK, { ...GET, target: `/${round}` });
    assertEquals([harness.connection.isReusable, response.isComplete], [false, false]);
    assertEquals(textOf(await response.bytes()), "ok");
    await response.ended;
    assertEquals([harness.connection.isReusable, response.isComplete], [true, true]);
  }
  assertEquals([harness.wheel.armedCount, harness.connection.endReason], [0, undefined]);
});

const ENDS: readonly {
  name: string;
  answer: string;
  request?: ExchangeRequest;
  reason: ConnectionEndReason;
}[] = [
  {
    name: "the server says so",
    answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    reason: "connection-close",
  },
  {
    name: "the request says so",
    answer: OK,
    request: { target: "/", headers: { host: "a", Connection: "close" } },
    reason: "connection-close",
  },
  {
    name: "the server speaks HTTP/1.0",
    answer: OK.replace("1.1", "1.0"),
    reason: "connection-close",
  },
  { name: "more comes than was asked for", answer: `${OK}HTTP`, reason: "unsolicited-bytes" },
  { name: "an empty line follows", answer: `${OK}\r\n`, reason: "unsolicited-bytes" },
  {
    name: "a second response follows a response without a body",
    answer: `HTTP/1.1 204 N\r\n\r\n${OK}`,
    reason: "unsolicited-bytes",
  },
];

for (const { name, answer, request = GET, reason } of ENDS) {
  Deno.test(`ClientConnection ends with the exchange if ${name}`, async () => {
    using harness = new ClientHarness();
    const response = await harness.answered(answer, request);
    await response.bytes();
    await response.ended;
    assertEquals([harness.connection.isReusable, harness.connection.endReason], [false, reason]);
    assertEquals(await harness.isClosed(), true);
    assertEquals(harness.wheel.armedCount, 0);
    const error = await errorOf(harness.begin());
    assertInstanceOf(error, HttpStateError);
    assertEquals(error.state, reason);
  });
}

Deno.test("ClientConnection ends with a body that ends with the connection", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered("HTTP/1.1 200 OK\r\n\r\nhello");
  await harness.end();
  assertEquals(textOf(await response.bytes()), "hello");
  assertEquals(harness.connection.endReason, "connection-close");
});

Deno.test("ClientConnection keeps an HTTP/1.0 connection that both want", async () => {
  using harness = new ClientHarness();
  const request = { target: "/", headers: { host: "a", Connection: "keep-alive" } };
  const answer = OK.replace("1.1", "1.0").replace("OK", "OK\r\nConnection: keep-alive");
  const response = await harness.answered(answer, request);
  await response.bytes();
  assertEquals([response.minorVersion, harness.connection.isReusable], [0, true]);
});

Deno.test("ClientConnection.exchange() refuses a second one while the first is under way", async () => {
  using harness = new ClientHarness();
  const first = harness.begin();
  const error = await errorOf(harness.begin());
  assertInstanceOf(error, HttpStateError);
  assertEquals([error.code, error.state], ["ERR_HTTP_ILLEGAL_EVENT", "busy"]);
  await harness.received();
  await harness.send(OK);
  const response = await first;
  assertInstanceOf(await errorOf(harness.begin()), HttpStateError);
  assertEquals(textOf(await response.bytes()), "ok");
  assertEquals(harness.connection.isReusable, true);
});

/**
 * A connection whose first write is known to be through only when the test says so, as it may be
 * with a socket: the answer is there before.
 */
function withLateWrite(): {
  connection: ClientConnection;
  clock: ManualClock;
  far: MemoryTransport;
  settleWrite: () => void;
  pendingWrites: () => number;
} {
  const [near, far] = memoryPipe();
  const gate = Promise.withResolvers<void>();
  let writeCount = 0;
  let pendingCount = 0;
  const transport: Transport = {
    read: (p) => near.read(p),
    async write(p): Promise<number> {
      pendingCount++;
      const written = await near.write(p);
      if (writeCount++ === 0) await gate.promise;
      pendingCount--;
      return written;
    },
    closeWrite: () => near.closeWrite(),
    close(): void {
      near.close();
      // Not in the same turn, as with a socket.
      void settle().then(gate.resolve);
    },
    localAddr: near.localAddr,
    remoteAddr: near.remoteAddr,
  };
  const clock = new ManualClock();
  const connection = new ClientConnection(transport, { wheel: new DeadlineWheel(clock) });
  const settleWrite = gate.resolve;
  return { connection, clock, far, settleWrite, pendingWrites: () => pendingCount };
}

Deno.test("ClientConnection.exchange() waits for the last write of the one before", async () => {
  const { connection, far, settleWrite } = withLateWrite();
  const space = new Uint8Array(1_000);
  const first = connection.exchange(GET);
  await far.read(space);
  // Even if it is one that would end what is still being said.
  await far.write(bytesOf(OK.replace("200", "404")));
  const response = await first;
  assertEquals(textOf(await response.bytes()), "ok");
  response.close();
  assertEquals([connection.isReusable, connection.endReason], [false, undefined]);
  const second = connection.exchange(GET);
  await settle();
  settleWrite();
  await far.read(space);
  await far.write(bytesOf(OK));
  assertEquals((await second).status, 200);
  connection.close();
  far.close();
});

Deno.test("ClientConnection ends where the last write never settles, and the response stays", async () => {
  const { connection, clock, far } = withLateWrite();
  const first = connection.exchange(GET);
  await far.read(new Uint8Array(1_000));
  await far.write(bytesOf(OK));
  const response = await first;
  assertEquals(textOf(await response.bytes()), "ok");
  clock.advance(30_200);
  await response.ended;
  assertEquals(connection.endReason, "request-unfinished");
  assertEquals(await response.read(), undefined);
  assertEquals(clock.pendingCount, 0);
  far.close();
});

Deno.test("ClientConnection.exchange() rejects only when its write has settled", async () => {
  const { connection, far, pendingWrites } = withLateWrite();
  const controller = new AbortController();
  const failed = errorOf(connection.exchange(GET, { signal: controller.signal }));
  await settle();
  assertEquals(pendingWrites(), 1);
  controller.abort();
  assertStrictEquals(await failed, controller.signal.reason);
  assertEquals(pendingWrites(), 0);
  far.close();
});

Deno.test("ClientConnection gives up a silent server that takes nothing any more", async () => {
  const [near, far] = memoryPipe();
  const clock = new ManualClock();
  const transport: Transport = {
    read: (p) => near.read(p),
    write: () => Promise.reject(new Deno.errors.BrokenPipe("Broken pipe")),
    closeWrite: () => near.closeWrite(),
    close: () => near.close(),
    localAddr: near.localAddr,
    remoteAddr: near.remoteAddr,
  };
  const connection = new ClientConnection(transport, { wheel: new DeadlineWheel(clock) });
  const failed = errorOf(connection.exchange(GET));
  await settle();
  clock.advance(60_200);
  assertInstanceOf(await failed, TimeoutError);
  far.close();
});

Deno.test("ClientConnection gives a response no byte of the next one", async () => {
  using harness = new ClientHarness();
  const first = await harness.answered(OK);
  assertEquals(textOf(await first.bytes()), "ok");
  const second = await harness.answered(OK);
  assertEquals(await first.read(), undefined);
  first.close();
  assertEquals(textOf(await second.bytes()), "ok");
  assertEquals(harness.connection.isReusable, true);
});

Deno.test("ClientConnection.exchange() hands over what another protocol begins with", async () => {
  using harness = new ClientHarness();
  const { status, headers, handover, ended } = await harness.answered(`${SWITCHING}hello`, UPGRADE);
  await ended;
  assertEquals([status, headers.get("upgrade"), textOf(handover!.bytes)], [101, "x", "hello"]);
  assertStrictEquals(handover!.transport, harness.transport);
  assertEquals([harness.connection.endReason, harness.wheel.armedCount], ["handed-over", 0]);
  // It is not the connection's any more, and nothing waits at it.
  harness.connection.close();
  assertEquals([harness.transport.closeCount, harness.transport.pendingCount], [0, 0]);
  await harness.send(" again");
  assertEquals(await handover!.transport.read(new Uint8Array(10)), 6);
  assertEquals(await handover!.transport.write(bytesOf("x")), 1);
});

Deno.test("ClientConnection.exchange() hands over only when its own request is through", async () => {
  const gate = Promise.withResolvers<Uint8Array>();
  const body = (async function* () {
    yield await gate.promise;
  })();
  using harness = new ClientHarness();
  const answered = harness.begin({ ...UPGRADE, method: "POST", body });
  await harness.received();
  await harness.send(`${SWITCHING}hello`);
  assertEquals(harness.connection.endReason, undefined);
  gate.resolve(bytesOf("x"));
  assertEquals(textOf((await answered).handover!.bytes), "hello");
  assertEquals(await harness.received(), "1\r\nx\r\n0\r\n\r\n");
});

Deno.test("ClientConnection.exchange() can be cancelled while its request holds up a handover", async () => {
  const body = (async function* () {
    yield bytesOf("x");
    yield await new Promise<Uint8Array>(() => {});
  })();
  using harness = new ClientHarness();
  const controller = new AbortController();
  const answered = harness.begin({ ...UPGRADE, method: "POST", body }, {
    signal: controller.signal,
  });
  await harness.received();
  await harness.send(SWITCHING);
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await errorOf(answered), reason);
  assertEquals(harness.transport.pendingCount, 0);
});

const DEADLINES = [
  { name: "no byte", answer: "", isRead: false, phase: "first-byte", timeoutMs: 60_000 },
  {
    name: "half a head",
    answer: "HTTP/1.1 200 OK\r\n",
    isRead: false,
    phase: "first-byte",
    timeoutMs: 60_000,
  },
  { name: "no body", answer: OK.slice(0, -2), isRead: true, phase: "body", timeoutMs: 30_000 },
  { name: "half a body", answer: OK.slice(0, -1), isRead: true, phase: "body", timeoutMs: 30_000 },
];

for (const { name, answer, isRead, phase, timeoutMs } of DEADLINES) {
  Deno.test(`ClientConnection gives up a server that sends ${name}`, async () => {
    using harness = new ClientHarness();
    const answered = harness.begin();
    await harness.received();
    await harness.send(answer);
    const failed = errorOf(isRead ? (await answered).bytes() : answered);
    await settle();
    await harness.advance(timeoutMs - 1);
    assertEquals(harness.connection.endReason, undefined);
    await harness.advance(200);
    const error = await failed;
    assertInstanceOf(error, TimeoutError);
    assertEquals([error.phase, error.timeoutMs], [phase, timeoutMs]);
    assertEquals([harness.connection.endReason, harness.clock.pendingCount], ["failed", 0]);
    assertEquals([await harness.isClosed(), harness.transport.pendingCount], [true, 0]);
  });
}

Deno.test("ClientConnection counts from the request's end, and anew from each 1xx", async () => {
  using harness = new ClientHarness();
  const answered = harness.begin();
  await harness.received();
  for (let count = 0; count < 5; count++) {
    await harness.advance(50_000);
    await harness.send("HTTP/1.1 102 P\r\n\r\n");
  }
  await harness.advance(50_000);
  // Not from each byte of a head.
  await harness.send("HTTP/1.1 ");
  const failed = errorOf(answered);
  await harness.advance(10_200);
  assertInstanceOf(await failed, TimeoutError);
});

Deno.test("ClientConnection counts the time of a body only while it is read", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(OK.slice(0, -2));
  await harness.advance(1_000_000);
  const read = response.read();
  await harness.advance(29_000);
  await harness.send("o");
  assertEquals(textOf((await read)!), "o");
  await harness.advance(1_000_000);
  const last = response.read();
  await harness.advance(29_000);
  await harness.send("k");
  assertEquals(textOf((await last)!), "k");
});

Deno.test("ClientConnection waits for ever where it is told to", async () => {
  using harness = new ClientHarness();
  const off = { writeTimeoutMs: 0, firstByteTimeoutMs: Infinity, bodyTimeoutMs: 0 };
  const answered = harness.begin(GET, off);
  await harness.received();
  assertEquals(harness.wheel.armedCount, 0);
  await harness.send(OK.slice(0, -2));
  const read = (await answered).read();
  await settle();
  assertEquals(harness.wheel.armedCount, 0);
  await harness.send("ok");
  assertEquals(textOf((await read)!), "ok");
});

Deno.test("ClientConnection reads nothing ahead of the body's reader", async () => {
  using harness = new ClientHarness({ highWaterMarkBytes: 10_000 });
  const response = await harness.answered("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
  assert(await isStuck(harness.send("x".repeat(100_000))));
  let length = 0;
  for (; length < 50_000;) length += (await response.read())!.length;
  await settle();
  // What is on its way, and one read.
  assert(length <= 100_000);
  response.close();
});

async function isStuck(promise: Promise<unknown>): Promise<boolean> {
  promise.catch(() => {});
  return await Promise.race([
    promise.then(() => false, () => false),
    settle({ turnCount: 5 }).then(() => true),
  ]);
}

Deno.test("ClientConnection.exchange() touches nothing if it was aborted before", async () => {
  using harness = new ClientHarness();
  const reason = { text: "not even an Error" };
  const signal = AbortSignal.abort(reason);
  assertStrictEquals(await errorOf(harness.begin(GET, { signal })), reason);
  assertEquals([harness.connection.isReusable, harness.transport.callCount], [true, 0]);
});

/** The server of {@linkcode cancelEverywhere}: answers, whatever comes. */
async function answerOnce(
  transport: ReturnType<typeof memoryPipe>[1],
  answer: string,
): Promise<void> {
  try {
    const space = new Uint8Array(1_000);
    let text = "";
    while (!text.endsWith("\r\n\r\n")) {
      const count = await transport.read(space);
      if (count === null) break;
      text += textOf(space.subarray(0, count));
    }
    for (const byte of bytesOf(answer)) await transport.write(new Uint8Array([byte]));
  } catch {
    // Cancelled.
  }
}

/** A signal that also aborts when time is up: none of our own deadlines holds all the time. */
function signalOf(bounds: OperationOptions): { signal: AbortSignal } & Disposable {
  if (bounds.signal !== undefined) return { signal: bounds.signal, [Symbol.dispose]() {} };
  const controller = new AbortController();
  const timeoutMs = bounds.timeoutMs!;
  const deadline = bounds.wheel!.create(() =>
    controller.abort(new TimeoutError("Time is up", { phase: "total", timeoutMs }))
  );
  deadline.arm(timeoutMs);
  return { signal: controller.signal, [Symbol.dispose]: () => deadline.cancel() };
}

const CANCELLED: readonly { name: string; request: () => ExchangeRequest; answer: string }[] = [
  { name: "a request without a body", request: () => GET, answer: OK },
  {
    name: "a body from a source, a chunked response and informational ones",
    request: () => ({
      method: "POST",
      target: "/",
      headers: { host: "a" },
      body: (async function* () {
        yield bytesOf("x");
        await Promise.resolve();
        yield bytesOf("y");
      })(),
    }),
    answer:
      "HTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  },
  {
    name: "a body that waits for its 100",
    request: () => ({
      method: "POST",
      target: "/",
      headers: { host: "a", expect: "100-continue" },
      body: bytesOf("\r\n\r\n"),
    }),
    answer: `HTTP/1.1 100 C\r\n\r\n${OK}`,
  },
];

for (const { name, request, answer } of CANCELLED) {
  Deno.test(`ClientConnection.exchange() with ${name} can be cancelled everywhere`, async () => {
    const count = await cancelEverywhere(async (trial) => {
      const [near, far] = memoryPipe({ maxReadBytes: 20 });
      const { wheel } = trial.bounds;
      const connection = new ClientConnection(trial.watch(near), { wheel: wheel! });
      const answering = answerOnce(far, answer);
      using limit = signalOf(trial.bounds);
      const { signal } = limit;
      try {
        // A wait that ends by itself would go unnoticed.
        const response = await connection.exchange(request(), { signal, continueTimeoutMs: 0 });
        await response.bytes();
        await response.ended;
        // In the very turn in which it came through.
        signal.throwIfAborted();
      } finally {
        connection.close();
        far.close();
        await answering;
      }
    });
    assert(count > 50, `${count}`);
  });
}

Deno.test("ClientConnection takes its listener off the signal, however it ends", async () => {
  const wires = [OK, SWITCHING, "garbage\r\n\r\n", "HTTP/1.1 204 N\r\n\r\n"];
  for (const wire of wires) {
    using harness = new ClientHarness();
    const signal = new CountedSignal();
    try {
      const response = await harness.answered(wire, UPGRADE, { signal: signal.signal });
      await response.bytes();
    } catch (error) {
      assertInstanceOf(error, HttpProtocolError);
    }
    assertEquals(signal.listenerCount, 0);
    signal.abort(new Error("too late"));
    assertEquals(harness.connection.endReason === "failed", wire === wires[2]);
  }
});

Deno.test("ClientConnection.exchange() fails for what it was told of fails", async () => {
  using harness = new ClientHarness();
  const mine = new Error("mine");
  const onInformational = (): never => {
    throw mine;
  };
  const answered = harness.answered(`HTTP/1.1 103 E\r\n\r\n${OK}`, GET, { onInformational });
  assertStrictEquals(await errorOf(answered), mine);
  assertEquals([harness.connection.endReason, await harness.isClosed()], ["failed", true]);

  using other = new ClientHarness();
  const close = (): void => other.connection.close();
  const closed = other.answered(`HTTP/1.1 103 E\r\n\r\n${OK}`, GET, { onInformational: close });
  assertInstanceOf(await errorOf(closed), ConnectionClosedError);
  assertEquals(other.connection.endReason, "closed");
});

Deno.test("ClientConnection.close() fails what is under way, at every point", async () => {
  for (const answer of ["", "HTTP/1.1 200", OK.slice(0, -1)]) {
    using harness = new ClientHarness();
    const failed = errorOf(harness.begin().then((response) => response.bytes()));
    await harness.received();
    await harness.send(answer);
    harness.connection.close();
    harness.connection.close();
    assertInstanceOf(await failed, ConnectionClosedError);
    assertEquals([harness.connection.endReason, harness.transport.pendingCount], ["closed", 0]);
    assertEquals(harness.transport.closeCount, 1);
    assertEquals(harness.clock.pendingCount, 0);
  }
});

Deno.test("ClientConnection.close() ends an idle connection", async () => {
  using harness = new ClientHarness();
  harness.connection.watch(() => {
    throw new Error("It was told of what it did itself");
  });
  harness.connection.close();
  await settle();
  assertEquals([harness.connection.endReason, harness.transport.pendingCount], ["closed", 0]);
  assertInstanceOf(await errorOf(harness.begin()), HttpStateError);
});

const IDLE_ENDS: readonly {
  reason: ConnectionEndReason;
  act: (harness: ClientHarness) => unknown;
}[] = [
  { reason: "peer-ended", act: (harness) => harness.end() },
  { reason: "failed", act: (harness) => harness.server.reset() },
  { reason: "unsolicited-bytes", act: (harness) => harness.send("HTTP/1.1 408 T\r\n\r\n") },
  { reason: "unsolicited-bytes", act: (harness) => harness.send("\n") },
];

for (const { reason, act } of IDLE_ENDS) {
  Deno.test(`ClientConnection.watch() tells of ${reason}, fresh and between two exchanges`, async () => {
    for (const isFresh of [true, false]) {
      using harness = new ClientHarness();
      if (!isFresh) await (await harness.answered(OK)).bytes();
      let toldCount = 0;
      harness.connection.watch(() => toldCount++);
      await settle();
      assertEquals(toldCount, 0);
      await act(harness);
      await settle();
      assertEquals([toldCount, harness.connection.endReason], [1, reason]);
      assertEquals(harness.transport.closeCount, 1);
      assertInstanceOf(await errorOf(harness.begin()), HttpStateError);
    }
  });
}

Deno.test("ClientConnection.exchange() takes over the read of a watch", async () => {
  using harness = new ClientHarness();
  for (let round = 0; round < 3; round++) {
    harness.connection.watch(() => {
      throw new Error("It was told of an exchange");
    });
    const response = await harness.answered(OK);
    assertEquals(harness.transport.pendingCount, 0);
    assertEquals(textOf(await response.bytes()), "ok");
  }
  // One write and one read per exchange.
  assertEquals(harness.transport.callCount, 6);
});

Deno.test("ClientConnection.watch() is for idle connections", () => {
  using harness = new ClientHarness();
  harness.begin();
  const error = assertThrows(() => harness.connection.watch(() => {}), HttpStateError);
  assertEquals(error.state, "busy");
});

Deno.test("ClientConnection tells an idle end from an end in the middle", async () => {
  using harness = new ClientHarness();
  // Whatever had come before for another request: this one may be sent again.
  await (await harness.answered(OK)).bytes();
  const unheard = harness.begin();
  await harness.received();
  await harness.end();
  const error = await errorOf(unheard);
  assertInstanceOf(error, ConnectionClosedError);
  assertEquals(error.bytesReceived, 0);
});
