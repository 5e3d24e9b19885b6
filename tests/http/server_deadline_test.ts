import { assertEquals, assertStrictEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { ServerDeadline, type ServerPhase } from "../../http/server_deadline.ts";
import { resolveServerOptions, type ServerTimeouts } from "../../http/server_options.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { gate, post, request, ServerHarness, TICK_MS, turn } from "../_support/server_harness.ts";

const hello: Handler = (ctx) => ctx.text("hello");
/** A clock that runs this long shows that a deadline is switched off. */
const LONG_MS = 10 * 60_000;
const OFF: Required<Pick<ServerTimeouts, "headTimeoutMs" | "idleTimeoutMs">> = {
  headTimeoutMs: 0,
  idleTimeoutMs: Infinity,
};

for (
  const [phase, timeoutMs] of [
    ["head", 15_000],
    ["idle", 65_000],
    ["body", 30_000],
    ["write", 30_000],
    ["linger", 500],
  ] as [ServerPhase, number][]
) {
  Deno.test(`ServerDeadline gives ${phase} ${timeoutMs} ms by default`, () => {
    const clock = new ManualClock();
    let expiredCount = 0;
    const wheel = new DeadlineWheel(clock);
    const { timeouts } = resolveServerOptions({});
    const deadline = new ServerDeadline(wheel, timeouts, () => expiredCount++);
    deadline.arm(phase);
    assertEquals([deadline.phase, deadline.timeoutMs], [phase, timeoutMs]);
    clock.advance(timeoutMs - 1);
    assertEquals(expiredCount, 0);
    clock.advance(1 + TICK_MS);
    assertEquals(expiredCount, 1);
    deadline.arm(phase);
    deadline.cancel();
    clock.advance(2 * timeoutMs);
    assertEquals(expiredCount, 1);
    assertEquals(clock.pendingCount, 0);
  });
}

Deno.test("a connection that never sends a byte is closed after the head deadline", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.connect();
  await harness.advanceToJustBefore(15_000);
  assertEquals(client.server.isClosed, false);
  await harness.advancePast();
  assertEquals(client.server.isClosed, true);
  assertEquals([await client.text(), await client.isEnded()], ["", true]);
  assertEquals(harness.server.stats().connectionCount, 0);
});

Deno.test("half a head is answered with 408 after the head deadline, then the client has time to read", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open("G");
  await harness.advanceToJustBefore(15_000);
  assertEquals(await client.text(), "");
  await harness.advancePast();
  const response = await client.response();
  assertEquals(response.status, 408);
  assertEquals(fieldOf(response, "connection"), "close");
  assertEquals([await client.isEnded(), client.server.isClosed], [true, false]);
  await harness.advanceToJustBefore(500);
  assertEquals(client.server.isClosed, false);
  await harness.advancePast();
  assertEquals(client.server.isClosed, true);
  assertEquals(harness.server.stats().protocolErrorCount, 1);
  assertEquals(harness.reported, []);
});

Deno.test("a client that leaves after a 408 is closed at once", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open("GET / HTTP/1.1\r\n");
  await harness.advance(15_000 + TICK_MS);
  await client.send("Host: a\r\n\r\n");
  assertEquals(await client.statuses(), [408]);
  assertEquals(client.server.isClosed, false);
  await client.end();
  assertEquals(client.server.isClosed, true);
});

Deno.test("the head deadline is total: trickled bytes do not move it", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.connect();
  for (const character of "GET / HTTP/1.1") {
    await client.send(character);
    await harness.advance(1_000);
  }
  assertEquals(await client.text(), "");
  await client.send("\r\n");
  await harness.advance(1_000 + TICK_MS);
  assertEquals((await client.response()).status, 408);
});

Deno.test("an empty line before the first request does not move the head deadline", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.connect();
  await harness.advance(14_000);
  await client.send("\r\n");
  await harness.advance(1_000 + TICK_MS);
  assertEquals([await client.isEnded(), client.server.isClosed], [true, true]);
});

Deno.test("a later head has its own clock, which starts at its first byte", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open(request("GET /"));
  assertEquals((await client.response()).status, 200);
  await harness.advance(60_000);
  await client.send("GET / HTTP/1.1\r\n");
  await harness.advance(14_999);
  assertEquals(await client.text(), "");
  assertEquals(await client.isEnded(), false);
  await harness.advancePast();
  assertEquals((await client.response()).status, 408);
});

Deno.test("a head that came in part behind another request starts the clock at once", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open(request("GET /") + "GET / H");
  assertEquals((await client.response()).status, 200);
  await harness.advance(14_999);
  assertEquals(await client.isEnded(), false);
  await harness.advancePast();
  assertEquals((await client.response()).status, 408);
});

Deno.test("a head that came in part behind an asynchronous answer starts the clock too", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    await turn();
    ctx.stream(ReadableStream.from(["a"]));
  });
  const client = await harness.open(request("GET /") + "GET / H");
  await turn();
  assertEquals((await client.response()).status, 200);
  await harness.advance(15_000 + TICK_MS);
  assertEquals((await client.response()).status, 408);
});

Deno.test("an idle connection is closed after the idle deadline, without a word", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open(request("GET /"));
  assertEquals((await client.response()).status, 200);
  await harness.advanceToJustBefore(65_000);
  assertEquals(await client.isEnded(), false);
  await harness.advancePast();
  assertEquals([await client.text(), await client.isEnded()], ["", true]);
  assertEquals(harness.server.stats().protocolErrorCount, 0);
});

Deno.test("every request starts the idle clock anew", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.connect();
  for (let count = 0; count < 4; count++) {
    await client.send(request("GET /"));
    assertEquals((await client.response()).status, 200);
    await harness.advance(64_000);
  }
  assertEquals(await client.isEnded(), false);
});

Deno.test("a body that stalls while it is read is answered with 408 after the body gap", async () => {
  await using harness = new ServerHarness(async (ctx) => ctx.text(await ctx.body.text()));
  const client = await harness.open(post("/", "0123456789").slice(0, -5));
  await harness.advanceToJustBefore(30_000);
  assertEquals(await client.text(), "");
  await harness.advancePast();
  const response = await client.response();
  assertEquals([response.status, fieldOf(response, "connection")], [408, "close"]);
  assertEquals(await client.isEnded(), true);
  assertEquals(harness.reported, []);
});

Deno.test("the handler sees a TimeoutError of phase body", async () => {
  let caught: unknown;
  await using harness = new ServerHarness(async (ctx) => {
    caught = await ctx.body.bytes().catch((error) => error);
    ctx.text("own words");
  });
  const client = await harness.open(post("/", "0123456789").slice(0, -5));
  await harness.advance(30_000 + TICK_MS);
  assertEquals(caught instanceof TimeoutError && caught.phase, "body");
  const response = await client.response();
  // What follows the body cannot be found any more.
  assertEquals([response.body, fieldOf(response, "connection")], ["own words", "close"]);
});

Deno.test("every byte of a body starts the body gap anew", async () => {
  await using harness = new ServerHarness(async (ctx) => ctx.text(await ctx.body.text()));
  const client = await harness.open(post("/", "0123").slice(0, -4));
  for (const character of "0123") {
    await harness.advance(29_000);
    await client.send(character);
  }
  assertEquals((await client.response()).body, "0123");
});

Deno.test("a large body read past the buffer has the body gap too", async () => {
  await using harness = new ServerHarness(async (ctx) => ctx.json((await ctx.body.bytes()).length));
  const client = await harness.open(request("POST /", ["Content-Length: 1000000"]));
  for (let count = 0; count < 3; count++) {
    await client.send("x".repeat(10_000));
    await harness.advance(29_000);
  }
  assertEquals(await client.text(), "");
  await harness.advance(1_000 + TICK_MS);
  assertEquals((await client.response()).status, 408);
});

Deno.test("the body gap does not run while the handler does something else", async () => {
  const work = gate();
  await using harness = new ServerHarness(async (ctx) => {
    await work.passed;
    ctx.text(await ctx.body.text());
  });
  const client = await harness.open(post("/", "0123456789").slice(0, -5));
  await harness.advance(LONG_MS);
  work.open();
  await turn();
  await harness.advance(29_000);
  await client.send("56789");
  assertEquals((await client.response()).body, "0123456789");
});

Deno.test("what is left of an unread body has the body gap", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open(post("/", "0123456789").slice(0, -5));
  assertEquals((await client.response()).body, "hello");
  await harness.advanceToJustBefore(30_000);
  assertEquals(await client.isEnded(), false);
  await harness.advancePast();
  assertEquals(await client.isEnded(), true);
});

Deno.test("a client that takes no bytes is cut after the write gap", async () => {
  await using harness = new ServerHarness((ctx) => ctx.bytes(new Uint8Array(1_000_000)));
  const client = await harness.connect();
  client.pause();
  await client.send(request("GET /"));
  await harness.advanceToJustBefore(30_000);
  assertEquals(client.server.isClosed, false);
  await harness.advancePast();
  assertEquals(client.server.isClosed, true);
});

Deno.test("a write that makes progress starts the write gap anew", async () => {
  await using harness = new ServerHarness((ctx) => ctx.bytes(new Uint8Array(200_000)));
  const client = await harness.connect({ highWaterMarkBytes: 1_000 });
  client.pause();
  await client.send(request("GET /"));
  for (let count = 0; count < 4; count++) {
    await harness.advance(29_000);
    // One read takes what is on the way, and one more write fits.
    const reading = client.resume();
    client.pause();
    await reading;
  }
  assertEquals(client.server.isClosed, false);
  await client.resume();
  assertEquals((await client.response()).body.length, 200_000);
});

Deno.test("the write gap holds for streams and writers, and tells the handler", async () => {
  let reason: unknown;
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    try {
      for (;;) await writer.write(new Uint8Array(100_000));
    } catch {
      reason = ctx.signal.reason;
    }
  });
  const client = await harness.connect();
  client.pause();
  await client.send(request("GET /"));
  await harness.advance(30_000 + TICK_MS);
  assertEquals(client.server.isClosed, true);
  assertEquals(reason instanceof TimeoutError && reason.phase, "write");
  assertEquals(harness.reported, []);
});

Deno.test("no deadline runs while a stream has nothing to send", async () => {
  const more = gate();
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    await writer.write("first");
    await more.passed;
    await writer.close();
  });
  const client = await harness.open(request("GET /"));
  await harness.advance(LONG_MS);
  assertEquals(client.server.isClosed, false);
  more.open();
  assertEquals((await client.response()).body, "first");
});

Deno.test("a handler has all the time it wants by default", async () => {
  const work = gate();
  await using harness = new ServerHarness(async (ctx) => {
    await work.passed;
    ctx.text("late");
  });
  const client = await harness.open(request("GET /"));
  await harness.advance(LONG_MS);
  work.open();
  assertEquals((await client.response()).body, "late");
});

Deno.test("no deadline of an earlier request is left when a handler starts", async () => {
  const work = gate();
  await using harness = new ServerHarness(async (ctx) => {
    if (ctx.method === "POST") return ctx.text("unread");
    await work.passed;
    ctx.text("late");
  });
  // The body that nobody reads makes the server write before the second request.
  const client = await harness.open(post("/", "body") + request("GET /"));
  await harness.advance(LONG_MS);
  assertEquals(client.server.isClosed, false);
  work.open();
  assertEquals(await client.statuses(), [200, 200]);
});

Deno.test("no write deadline is left behind a large synchronous answer", async () => {
  const work = gate();
  await using harness = new ServerHarness((ctx) => {
    if (ctx.path === "/large") return ctx.bytes(new Uint8Array(100_000));
    return work.passed.then(() => ctx.text("late"));
  });
  const client = await harness.open(request("GET /large") + request("GET /"));
  await harness.advance(LONG_MS);
  assertEquals(client.server.isClosed, false);
  work.open();
  assertEquals(await client.statuses(), [200, 200]);
});

Deno.test("handlerTimeoutMs aborts ctx.signal, and who fails with its reason is answered 503", async () => {
  await using harness = new ServerHarness(
    (ctx) => new Promise((_, reject) => ctx.signal.onabort = () => reject(ctx.signal.reason)),
    { handlerTimeoutMs: 2_000 },
  );
  const client = await harness.open(request("GET /"));
  await harness.advanceToJustBefore(2_000);
  assertEquals(await client.text(), "");
  await harness.advancePast();
  const response = await client.response();
  assertEquals([response.status, fieldOf(response, "connection")], [503, "keep-alive"]);
  const [report] = harness.reported;
  assertEquals(report!.error instanceof TimeoutError && report!.error.phase, "handler");
  assertStrictEquals(report!.error, report!.ctx?.signal.reason);
});

Deno.test("handlerTimeoutMs leaves a handler alone that answers nevertheless", async () => {
  const work = gate();
  await using harness = new ServerHarness(async (ctx) => {
    await work.passed;
    ctx.json(ctx.signal.aborted);
  }, { handlerTimeoutMs: 2_000 });
  const client = await harness.open(request("GET /"));
  await harness.advance(2_000 + TICK_MS);
  work.open();
  assertEquals((await client.response()).body, "true");
});

Deno.test("handlerTimeoutMs ends with the handler, and starts anew for the next", async () => {
  const signals: AbortSignal[] = [];
  let work = gate();
  await using harness = new ServerHarness(async (ctx) => {
    signals.push(ctx.signal);
    await work.passed;
    ctx.text("done");
  }, { handlerTimeoutMs: 2_000 });
  const client = await harness.connect();
  for (let count = 0; count < 3; count++) {
    work = gate();
    await client.send(request("GET /"));
    await harness.advance(1_900);
    work.open();
    assertEquals((await client.response()).status, 200);
  }
  await harness.advance(10_000);
  assertEquals(signals.map((signal) => signal.aborted), [false, false, false]);
});

Deno.test("a client that reads its error and stays is cut after the linger deadline", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open("nonsense\r\n\r\n");
  assertEquals([(await client.response()).status, await client.isEnded()], [400, true]);
  await client.send("more nonsense");
  await harness.advanceToJustBefore(500);
  assertEquals(client.server.isClosed, false);
  await harness.advancePast();
  assertEquals(client.server.isClosed, true);
});

for (const async of [false, true]) {
  const how = async ? "an asynchronous" : "a synchronous";
  Deno.test(`a client that was told to close lingers behind ${how} handler`, async () => {
    await using harness = new ServerHarness(
      async ? (ctx) => turn().then(() => ctx.text("x")) : hello,
    );
    const client = await harness.open(request("GET /", ["Connection: close"]));
    await turn();
    assertEquals([(await client.response()).status, await client.isEnded()], [200, true]);
    await client.send("what nobody wants to hear");
    await harness.advanceToJustBefore(500);
    assertEquals(client.server.isClosed, false);
    await harness.advancePast();
    assertEquals(client.server.isClosed, true);
    assertEquals(client.server.violations, []);
  });
}

for (const off of [0, Infinity]) {
  Deno.test(`headTimeoutMs and idleTimeoutMs ${off} switch the deadlines off`, async () => {
    const options = { headTimeoutMs: off, idleTimeoutMs: off };
    await using harness = new ServerHarness(hello, options);
    const silent = await harness.connect();
    const half = await harness.open("GET / HTTP/1.1\r\n");
    const idle = await harness.open(request("GET /"));
    await harness.advance(LONG_MS);
    for (const client of [silent, half, idle]) assertEquals(client.server.isClosed, false);
    await half.send("Host: a\r\n\r\n");
    assertEquals((await half.response()).status, 200);
  });

  Deno.test(`bodyTimeoutMs ${off} switches the body gap off`, async () => {
    await using harness = new ServerHarness(
      async (ctx) => ctx.text(await ctx.body.text()),
      { ...OFF, bodyTimeoutMs: off },
    );
    const client = await harness.open(post("/", "0123456789").slice(0, -5));
    await harness.advance(LONG_MS);
    await client.send("56789");
    assertEquals((await client.response()).body, "0123456789");
  });

  Deno.test(`writeTimeoutMs ${off} switches the write gap off`, async () => {
    await using harness = new ServerHarness(
      (ctx) => ctx.bytes(new Uint8Array(100_000)),
      { writeTimeoutMs: off },
    );
    const client = await harness.connect();
    client.pause();
    await client.send(request("GET /"));
    await harness.advance(LONG_MS);
    await client.resume();
    assertEquals((await client.response()).body.length, 100_000);
  });

  Deno.test(`handlerTimeoutMs ${off} switches the handler's deadline off`, async () => {
    const work = gate();
    await using harness = new ServerHarness(async (ctx) => {
      await work.passed;
      ctx.json(ctx.signal.aborted);
    }, { handlerTimeoutMs: off });
    const client = await harness.open(request("GET /"));
    await harness.advance(LONG_MS);
    work.open();
    assertEquals((await client.response()).body, "false");
  });

  Deno.test(`lingerTimeoutMs ${off} lingers until the client leaves`, async () => {
    await using harness = new ServerHarness(hello, { lingerTimeoutMs: off });
    const client = await harness.open("nonsense\r\n\r\n");
    await harness.advance(LONG_MS);
    assertEquals(client.server.isClosed, false);
    await client.end();
    assertEquals(client.server.isClosed, true);
  });
}

Deno.test("a stalled body is noticed although the handler writes at the same time", async () => {
  let outcome: unknown;
  await using harness = new ServerHarness(async (ctx) => {
    const reading = ctx.body.bytes().catch((error) => outcome = error);
    const writer = ctx.writer();
    await writer.write("a piece");
    await reading;
    await writer.close();
  });
  const client = await harness.open(post("/", "0123456789").slice(0, -5));
  await harness.advance(30_000 + TICK_MS);
  assertEquals(outcome instanceof TimeoutError && outcome.phase, "body");
  assertEquals((await client.response()).body, "a piece");
});

Deno.test("a client that takes no bytes is cut although it goes on sending its body", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    for await (const _ of ctx.body) void writer.write(new Uint8Array(100_000));
    await writer.close();
  });
  const client = await harness.connect();
  client.pause();
  await client.send(request("POST /", ["Content-Length: 100"]));
  for (let count = 0; count < 4; count++) {
    await client.send("x");
    await harness.advance(10_000);
  }
  assertEquals(client.server.isClosed, true);
});

Deno.test("no timer is left when the last connection has ended", async () => {
  const harness = new ServerHarness(hello, { handlerTimeoutMs: 1_000 });
  await harness.open(request("GET /"));
  await harness.open("GET ");
  await harness.connect();
  await harness[Symbol.asyncDispose]();
  assertEquals(harness.clock.pendingCount, 0);
});
