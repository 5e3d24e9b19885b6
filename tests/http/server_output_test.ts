import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { BodyEncoder } from "../../http/body_encoder.ts";
import { Framing } from "../../http/framing.ts";
import { ServerDeadline } from "../../http/server_deadline.ts";
import { resolveServerOptions } from "../../http/server_options.ts";
import { MAX_INLINE_BYTES, type OutputOwner, ServerOutput } from "../../http/server_output.ts";
import { ServerShared } from "../../http/server_shared.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import type { Transport } from "../../nbio/transport.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { request, ServerHarness, TICK_MS, turn } from "../_support/server_harness.ts";

const ADDR: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** A transport whose writes are answered by the test. */
class ScriptedTransport implements Transport {
  readonly localAddr = ADDR;
  readonly remoteAddr = ADDR;
  readonly written: string[] = [];
  readonly answers: PromiseWithResolvers<number>[] = [];
  isAutomatic = false;

  write(p: Uint8Array): Promise<number> {
    this.written.push(textOf(p));
    if (this.isAutomatic) return Promise.resolve(p.length);
    const answer = Promise.withResolvers<number>();
    this.answers.push(answer);
    return answer.promise;
  }
  async take(count: number): Promise<void> {
    this.answers.shift()!.resolve(count);
    await turn();
  }
  read(): Promise<number | null> {
    return Promise.resolve(null);
  }
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {}
}

class Rig implements OutputOwner {
  readonly clock = new ManualClock();
  readonly transport = new ScriptedTransport();
  readonly aborted: unknown[] = [];
  readonly shared = new ServerShared(() => {}, resolveServerOptions({ clock: this.clock }));
  readonly output = new ServerOutput(
    this.transport,
    this.shared,
    new ServerDeadline(this.shared.wheel, this.shared.options.timeouts, () => {}),
    this,
  );
  abort(reason: unknown): void {
    this.aborted.push(reason);
  }
}

Deno.test("ServerOutput collects and sends all in one write", async () => {
  const { output, transport } = new Rig();
  await output.flush();
  output.buffer.writeText("one ");
  output.buffer.writeText("two");
  assertEquals([output.length, output.isBusy], [7, false]);
  const flushed = output.flush();
  assertEquals([output.length, output.isBusy, transport.written], [0, true, ["one two"]]);
  await transport.take(7);
  await flushed;
  assertEquals(output.isBusy, false);
});

Deno.test("ServerOutput goes on after a write that took a part", async () => {
  const { output, transport, shared } = new Rig();
  output.buffer.writeText("0123456789");
  const used = output.buffer;
  const flushed = output.flush();
  await transport.take(3);
  await transport.take(0);
  await transport.take(7);
  await flushed;
  assertEquals(transport.written, ["0123456789", "3456789", "3456789"]);
  assertEquals(shared.takeOutput(), used);
});

Deno.test("ServerOutput writes one thing at a time, in the order it was asked", async () => {
  const { output, transport, shared } = new Rig();
  output.buffer.writeText("first");
  const first = output.flush();
  output.buffer.writeText("second");
  const second = output.write(new TextEncoder().encode("third"));
  await turn();
  // The buffer of a write under way is not lent to anybody else.
  assert(shared.takeOutput().bytes.buffer !== output.buffer.bytes.buffer);
  assertEquals(transport.written, ["first"]);
  await transport.take(5);
  await first;
  await transport.take(6);
  await transport.take(5);
  await second;
  assertEquals(transport.written, ["first", "second", "third"]);
});

Deno.test("ServerOutput.beginWrite() and endWrite() leave the write to the caller", async () => {
  const { output, transport } = new Rig();
  output.buffer.writeText("0123456789");
  assertEquals(textOf(output.beginWrite()), "0123456789");
  assertEquals(output.endWrite(10), undefined);
  output.buffer.writeText("0123456789");
  output.beginWrite();
  const rest = output.endWrite(4);
  assertEquals([transport.written, output.isBusy], [["456789"], true]);
  await transport.take(6);
  await rest;
  assertEquals(output.isBusy, false);
});

Deno.test("ServerOutput.writePiece() frames small and large pieces", async () => {
  const { output, transport } = new Rig();
  transport.isAutomatic = true;
  const encoder = new BodyEncoder(Framing.CHUNKED, 200, "GET");
  await output.writePiece(new Uint8Array(0), encoder);
  await output.writePiece(new Uint8Array(2).fill(0x61), encoder);
  await output.writePiece(new Uint8Array(MAX_INLINE_BYTES + 1), encoder);
  await output.endBody(encoder, []);
  assertEquals(transport.written.map((text) => text.length), [7, 6, MAX_INLINE_BYTES + 1, 2, 5]);
  assertEquals(transport.written[0], "2\r\naa\r\n");
});

Deno.test("ServerOutput tells its owner of a write that fails, and rejects", async () => {
  const { output, transport, aborted } = new Rig();
  output.buffer.writeText("a");
  const flushed = assertRejects(() => output.flush(), ConnectionClosedError);
  const cause = new Deno.errors.BrokenPipe("gone");
  transport.answers[0]!.reject(cause);
  const error = await flushed;
  assertEquals([error.cause, aborted], [cause, [error]]);
});

Deno.test("ServerOutput gives up on a transport that takes nothing, time and again", async () => {
  const { output, transport, aborted } = new Rig();
  output.buffer.writeText("a");
  const flushed = assertRejects(() => output.flush(), ConnectionClosedError);
  await transport.take(0);
  await transport.take(0);
  await flushed;
  assertEquals([aborted.length, transport.written.length], [1, 2]);
});

Deno.test("ServerOutput has a deadline for every write, which progress starts anew", async () => {
  const { output, transport, aborted, clock } = new Rig();
  output.buffer.writeText("0123456789");
  const flushed = output.flush();
  for (let count = 0; count < 5; count++) {
    clock.advance(29_000);
    await transport.take(1);
  }
  assertEquals(aborted, []);
  clock.advance(30_000 + TICK_MS);
  const [error] = aborted;
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.phase, error.timeoutMs, clock.pendingCount], ["write", 30_000, 0]);
  await transport.take(5);
  await flushed;
  clock.advance(100_000);
  assertEquals([aborted.length, clock.pendingCount], [1, 0]);
});

Deno.test("a client that reads slowly does not make us pull the source ahead", async () => {
  const pieceBytes = 64 * 1024;
  let pulledBytes = 0;
  await using harness = new ServerHarness((ctx) =>
    ctx.stream(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          pulledBytes += pieceBytes;
          if (pulledBytes > 64 * 1024 * 1024) controller.close();
          else controller.enqueue(new Uint8Array(pieceBytes));
        },
      }, { highWaterMark: 0 }),
    )
  );
  const client = await harness.connect({ highWaterMarkBytes: 1_000 });
  client.pause();
  await client.send(request("GET /"));
  let readBytes = 0;
  for (let count = 0; count < 20; count++) {
    const reading = client.resume();
    client.pause();
    await reading;
    readBytes = await client.byteCount();
    assert(pulledBytes <= readBytes + 2 * pieceBytes + 1_000, `${pulledBytes}, ${readBytes}`);
  }
  assert(readBytes > 0);
});

Deno.test("large bodies are written as they are, behind their head", async () => {
  const body = new Uint8Array(MAX_INLINE_BYTES + 1).fill(0x78);
  await using harness = new ServerHarness((ctx) =>
    ctx.path === "/text" ? ctx.text("x".repeat(body.length)) : ctx.bytes(body)
  );
  for (const path of ["/text", "/bytes"]) {
    const client = await harness.open(request(`GET ${path}`).repeat(2));
    assertEquals((await client.statuses()).length, 2);
    assertEquals(client.server.writes.map((length) => length > MAX_INLINE_BYTES), [
      false,
      true,
      false,
      true,
    ]);
  }
});
