import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import type { HeaderInit } from "../../http/header_list.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ResponseWriter, type WriterTarget } from "../../http/server_writer.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { gate, post, request, ServerHarness, turn } from "../_support/server_harness.ts";

/** A target that writes down what it is asked for, as slowly as a test wants. */
class ScriptedTarget implements WriterTarget {
  readonly events: string[] = [];
  next: Promise<void> = Promise.resolve();

  async writePiece(bytes: Uint8Array): Promise<void> {
    this.events.push(`begin ${textOf(bytes)}`);
    await this.next;
    this.events.push(`end ${textOf(bytes)}`);
  }

  endBody(trailers: HeaderInit): Promise<void> {
    this.events.push(`close ${JSON.stringify(trailers)}`);
    return Promise.resolve();
  }
}

Deno.test("ResponseWriter writes nothing before the head has left", async () => {
  const head = gate();
  const target = new ScriptedTarget();
  const writer = new ResponseWriter(target, head.passed);
  const written = writer.write("a");
  await turn();
  assertEquals(target.events, []);
  head.open();
  await written;
  assertEquals(target.events, ["begin a", "end a"]);
});

Deno.test("ResponseWriter writes one piece after the other, awaited or not", async () => {
  const slow = gate();
  const target = new ScriptedTarget();
  target.next = slow.passed;
  const writer = new ResponseWriter(target, Promise.resolve());
  void writer.write("a");
  void writer.write(Uint8Array.of(98));
  const closed = writer.close([["x-a", "b"]]);
  assertEquals(writer.closed, true);
  await turn();
  assertEquals(target.events, ["begin a"]);
  slow.open();
  await closed;
  assertEquals(target.events, ["begin a", "end a", "begin b", "end b", 'close [["x-a","b"]]']);
});

Deno.test("ResponseWriter tells its target what waits behind a piece", async () => {
  const told: [string, boolean][] = [];
  const writer = new ResponseWriter({
    writePiece: (bytes, hasMore) => {
      told.push([textOf(bytes), hasMore]);
      return Promise.resolve();
    },
    endBody: () => Promise.resolve(),
  }, Promise.resolve());
  await writer.write("a");
  void writer.write("b");
  await writer.write("c");
  // What cannot be sent does not wait to be.
  void writer.write("d");
  await assertRejects(() => writer.write(1 as unknown as string), TypeError);
  await writer.settled;
  void writer.write("e");
  await writer.close();
  assertEquals(told, [["a", false], ["b", true], ["c", false], ["d", false], ["e", true]]);
});

Deno.test("ResponseWriter.write() and close() reject after close()", async () => {
  const target = new ScriptedTarget();
  const writer = new ResponseWriter(target, Promise.resolve());
  await writer.close();
  for (const run of [() => writer.write("a"), () => writer.close()]) {
    assertEquals((await assertRejects(run, HttpStateError)).code, "ERR_HTTP_WRITER_CLOSED");
  }
  assertEquals(target.events, ["close []"]);
});

Deno.test("ResponseWriter.write() that fails does not stop the next one, nor goes unhandled", async () => {
  const failure = new Error("first");
  const target = new ScriptedTarget();
  target.next = Promise.reject(failure);
  const writer = new ResponseWriter(target, Promise.resolve());
  // Nobody waits for it: a rejection without a handler would end the process.
  void writer.write("a");
  await turn();
  target.next = Promise.resolve();
  await writer.write("b");
  assertEquals(target.events, ["begin a", "begin b", "end b"]);
});

Deno.test("ResponseWriter.write() rejects what is neither bytes nor text", async () => {
  const writer = new ResponseWriter(new ScriptedTarget(), Promise.resolve());
  for (const piece of [7, null, new ArrayBuffer(2), new Uint16Array(2)]) {
    await assertRejects(() => writer.write(piece as unknown as string), TypeError);
  }
});

const countdown: Handler = async (ctx) => {
  ctx.set("content-type", "text/plain");
  const writer = ctx.writer();
  for (const piece of ["3", "", "2", "1"]) await writer.write(piece);
  await writer.close(ctx.httpVersion === "1.1" ? { "x-sum": "6" } : []);
};

Deno.test("ctx.writer() sends the head at once and every piece as it comes", async () => {
  const steps = [gate(), gate()];
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    await steps[0]!.passed;
    await writer.write("piece");
    await steps[1]!.passed;
    await writer.close();
  });
  const client = await harness.open(request("GET /"));
  const head = await client.text();
  assert(head.startsWith("HTTP/1.1 200 OK\r\n") && head.endsWith("\r\n\r\n"), head);
  steps[0]!.open();
  await turn();
  assertEquals((await client.text()).slice(head.length), "5\r\npiece\r\n");
  steps[1]!.open();
  await turn();
  assertEquals((await client.response()).body, "piece");
});

Deno.test("ctx.writer() sends chunks with trailers, and the connection goes on", async () => {
  await using harness = new ServerHarness(countdown);
  const client = await harness.open(request("GET /").repeat(2));
  await turn();
  for (let count = 0; count < 2; count++) {
    const response = await client.response();
    assertEquals([response.framing, response.body], ["chunked", "321"]);
    assertEquals(response.trailers, [["x-sum", "6"]]);
  }
  assertEquals([await client.text(), harness.reported], ["", []]);
});

Deno.test("ctx.writer() writes to HTTP/1.0 until the connection ends", async () => {
  await using harness = new ServerHarness(countdown);
  const client = await harness.open("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  await turn();
  const response = await client.response();
  assertEquals([response.framing, response.body], ["close", "321"]);
  assertEquals(fieldOf(response, "connection"), "close");
});

Deno.test("ctx.writer() holds to a Content-Length", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    ctx.set("Content-Length", "4");
    const writer = ctx.writer();
    await writer.write("ab");
    const code = (await assertRejects(() => writer.write("cde"), HttpStateError)).code;
    assertEquals(code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
    await writer.write("cd");
    await writer.close();
  });
  const client = await harness.open(request("GET /").repeat(2));
  await turn();
  for (let count = 0; count < 2; count++) {
    const response = await client.response();
    assertEquals([response.framing, response.body], ["length", "abcd"]);
  }
});

Deno.test("ctx.writer() sends large pieces as they are, small ones in one write with their frame", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    await writer.write(new Uint8Array(32 * 1024));
    await writer.write(new Uint8Array(32 * 1024 + 1));
    await writer.close();
  });
  const client = await harness.open(request("GET /"));
  await turn();
  assertEquals((await client.response()).body.length, 64 * 1024 + 1);
  const [, small, frame, large] = client.server.writes;
  assertEquals([small, frame, large], [6 + 32 * 1024 + 2, 6, 32 * 1024 + 1]);
});

Deno.test("a writer that is not closed ends the connection without an end, and is reported", async () => {
  const handlers: Handler[] = [
    (ctx) => void ctx.writer().write("piece"),
    async (ctx) => await ctx.writer().write("piece"),
  ];
  for (const handler of handlers) {
    await using harness = new ServerHarness(handler);
    const client = await harness.open(request("GET /") + request("GET /"));
    await turn();
    assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
    const { error } = harness.reported[0]!;
    assertInstanceOf(error, HttpStateError);
    assertEquals([error.code, harness.reported.length], ["ERR_HTTP_WRITER_NOT_CLOSED", 1]);
  }
});

Deno.test("a writer whose close() failed unnoticed does not let the next response follow", async () => {
  const closings: ((close: (trailers?: HeaderInit) => Promise<void>) => void)[] = [
    (close) => void close([["Content-Length", "5"]]).catch(() => {}),
    (close) => void close([["bad name", "5"]]).catch(() => {}),
  ];
  for (const closing of closings) {
    await using harness = new ServerHarness((ctx) => {
      const writer = ctx.writer();
      closing((trailers) => writer.close(trailers));
    });
    const client = await harness.open(request("GET /") + request("GET /"));
    await turn();
    assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
    assertEquals(harness.server.stats().requestCount, 1);
  }
});

Deno.test("a body shorter than its Content-Length does not let the next response follow", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    ctx.set("Content-Length", "10");
    const writer = ctx.writer();
    await writer.write("short");
    await writer.close().catch(() => {});
  });
  const client = await harness.open(request("GET /") + request("GET /"));
  await turn();
  assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
});

Deno.test("a handler that fails while its writer is open ends the connection", async () => {
  const failure = new Error("secret");
  await using harness = new ServerHarness(async (ctx) => {
    await ctx.writer().write("piece");
    throw failure;
  });
  const client = await harness.open(request("GET /"));
  await turn();
  assertEquals([await client.maybeResponse(), await client.isEnded()], [undefined, true]);
  assertEquals(harness.reported.map(({ error }) => error), [failure]);
});

Deno.test("ctx.text() throws once there is a writer", async () => {
  let code: string | undefined;
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    code = assertThrows(() => ctx.text("hello"), HttpStateError).code;
    await writer.close();
  });
  await harness.request(request("GET /"));
  assertEquals(code, "ERR_HTTP_HEAD_COMMITTED");
});

Deno.test("writer.write() rejects when the client has left, ctx.signal tells, nobody is blamed", async () => {
  for (const how of ["reset", "close"] as const) {
    const left = gate();
    const seen: unknown[] = [];
    await using harness = new ServerHarness(async (ctx) => {
      const writer = ctx.writer();
      await left.passed;
      for (let count = 0; count < 3; count++) {
        const error = await assertRejects(() => writer.write("piece"), ConnectionClosedError);
        seen.push(error.code);
      }
      seen.push(ctx.signal.aborted);
      await writer.close();
    });
    const client = await harness.open(request("GET /"));
    if (how === "reset") await client.reset();
    else client.close();
    await turn();
    left.open();
    await turn();
    assertEquals(seen, [...new Array(3).fill("ERR_NET_CONNECTION_CLOSED"), true], how);
    assertEquals([harness.reported, client.server.isClosed], [[], true]);
  }
});

Deno.test("a failed write aborts ctx.signal although the handler does not look", async () => {
  const signals: AbortSignal[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    signals.push(ctx.signal);
    const writer = ctx.writer();
    for (let count = 0; count < 10; count++) {
      void writer.write(new Uint8Array(100_000));
      await turn();
    }
    await writer.close().catch(() => {});
  });
  const client = await harness.connect();
  client.pause();
  await client.send(request("GET /"));
  client.close();
  for (let count = 0; count < 15; count++) await turn();
  assertEquals([signals[0]!.aborted, harness.reported], [true, []]);
});

Deno.test("writer.write() waits for a client that is slow", async () => {
  let writtenCount = 0;
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    for (let count = 0; count < 100; count++) {
      await writer.write(new Uint8Array(10_000));
      writtenCount++;
    }
    await writer.close();
  });
  const client = await harness.connect({ highWaterMarkBytes: 20_000 });
  client.pause();
  await client.send(request("GET /"));
  await turn();
  assert(writtenCount <= 2, `${writtenCount}`);
  await client.resume();
  await turn();
  assertEquals((await client.response()).body.length, 1_000_000);
});

Deno.test("a writer and the body go on side by side", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    const writer = ctx.writer();
    for await (const chunk of ctx.body) await writer.write(chunk);
    await writer.close();
  });
  const client = await harness.open(post("/", "0123456789").slice(0, -10));
  let body = "";
  for (const digit of "0123456789") {
    await client.send(digit);
    const text = await client.text();
    body += digit;
    assertEquals(
      text.slice(text.indexOf("\r\n\r\n") + 4).match(/^1\r\n(\d)\r\n/gm)?.length,
      body.length,
    );
  }
  assertEquals((await client.response()).body, body);
  await client.send(post("/", "again"));
  assertEquals((await client.response()).body, "again");
  assertEquals(client.server.violations, []);
});
