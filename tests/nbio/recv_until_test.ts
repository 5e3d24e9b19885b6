import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { recvUntil, type RecvUntilOptions } from "../../nbio/recv_until.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import type { Transport } from "../../nbio/transport.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";
import { resettablePair, socketPair } from "../_support/socket_pair.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const BOUNDS = [{}, { timeoutMs: 1_000 }];

/** One result as text. */
async function receive(
  transport: Transport,
  delimiter: string,
  options: RecvUntilOptions & { buffer?: ReceiveBuffer } = {},
): Promise<string | null> {
  const { buffer = new ReceiveBuffer(), ...rest } = options;
  const bytes = await recvUntil(transport, buffer, encoder.encode(delimiter), rest);
  return bytes === null ? null : decoder.decode(bytes);
}

function scripted(...texts: string[]): ScriptedTransport {
  return new ScriptedTransport({ reads: texts.map((text) => encoder.encode(text)) });
}

for (
  const { text, delimiter, parts } of [
    { text: "one\ntwo\n\nthree\n", delimiter: "\n", parts: ["one\n", "two\n", "\n", "three\n"] },
    { text: "a\rb\r\r\nc\r\n", delimiter: "\r\n", parts: ["a\rb\r\r\n", "c\r\n"] },
    { text: "h\r\n\r\r\n\r\nb\r\n\r\n", delimiter: "\r\n\r\n", parts: null },
    { text: "aaabaabaab", delimiter: "aab", parts: ["aaab", "aab", "aab"] },
  ]
) {
  const wanted = parts ?? ["h\r\n\r\r\n\r\n", "b\r\n\r\n"];
  Deno.test(`recvUntil() cuts ${JSON.stringify(text)} however it comes`, async () => {
    for (const chunks of everySplit(encoder.encode(text))) {
      const transport = new ScriptedTransport({
        reads: chunks.map((chunk) => chunk.length === 0 ? 0 : chunk),
      });
      const buffer = new ReceiveBuffer({ idleBytes: 4 });
      for (const part of [...wanted, null, null]) {
        assertEquals(await receive(transport, delimiter, { buffer }), part);
      }
      assertEquals([buffer.length, transport.closedCount], [0, 0]);
    }
  });
}

Deno.test("recvUntil() gives a copy that later reads leave alone", async () => {
  const buffer = new ReceiveBuffer({ idleBytes: 4 });
  const transport = scripted("ab\n", "cd\n");
  const first = await recvUntil(transport, buffer, encoder.encode("\n"));
  assertEquals(await receive(transport, "\n", { buffer }), "cd\n");
  assertEquals(decoder.decode(first!), "ab\n");
  assert(first!.buffer !== buffer.bytes.buffer && first!.buffer.byteLength === 3);
});

Deno.test("recvUntil() does not read while what waits is enough", async () => {
  const transport = scripted("a\nb\nc\nd");
  const buffer = new ReceiveBuffer();
  for (const line of ["a\n", "b\n", "c\n"]) {
    assertEquals(await receive(transport, "\n", { buffer }), line);
  }
  assertEquals([transport.spaces.length, decoder.decode(buffer.view())], [1, "d"]);
});

for (const bounds of BOUNDS) {
  const name = Object.keys(bounds)[0] ?? "no bounds";
  Deno.test(`recvUntil() rejects and closes at an end in the middle (${name})`, async () => {
    const transport = scripted("a\nbc", "d");
    const buffer = new ReceiveBuffer();
    assertEquals(await receive(transport, "\n", { buffer, ...bounds }), "a\n");
    const error = await assertRejects(
      () => receive(transport, "\n", { buffer, ...bounds }),
      ConnectionClosedError,
    );
    assertEquals([error.bytesReceived, decoder.decode(buffer.view())], [3, "bcd"]);
    assert(transport.closedCount > 0);
  });

  for (
    const { texts, maxBytes, result } of [
      { texts: ["abc\n"], maxBytes: 4, result: "abc\n" },
      { texts: ["abcd\n"], maxBytes: 4, result: undefined },
      { texts: ["abcde"], maxBytes: 4, result: undefined },
      { texts: ["ab", "c\nd"], maxBytes: 4, result: "abc\n" },
      { texts: ["ab", "cd\n"], maxBytes: 4, result: undefined },
      { texts: ["\n"], maxBytes: 1, result: "\n" },
      { texts: ["a"], maxBytes: 1, result: undefined },
    ]
  ) {
    const title = `${JSON.stringify(texts)} with maxBytes ${maxBytes} (${name})`;
    Deno.test(`recvUntil() of ${title} gives ${JSON.stringify(result)}`, async () => {
      const transport = scripted(...texts);
      const buffer = new ReceiveBuffer();
      const received = receive(transport, "\n", { buffer, maxBytes, ...bounds });
      if (result !== undefined) {
        assertEquals(await received, result);
        return;
      }
      const error = await assertRejects(() => received, LimitExceededError);
      assertEquals([error.limit, error.max], ["maxBytes", maxBytes]);
      // Nothing is lost, and the peer can be told.
      assertEquals(decoder.decode(buffer.view()), texts.join(""));
      assertEquals(transport.closedCount, 0);
    });
  }

  Deno.test(`recvUntil() does not wait for more than maxBytes (${name})`, async () => {
    const [client, server] = memoryPipe();
    await client.write(encoder.encode("abcd"));
    const received = receive(server, "\n", { maxBytes: 4, ...bounds });
    await assertRejects(() => received, LimitExceededError);
    assertEquals(await server.write(encoder.encode("too long")), 8);
  });

  Deno.test(`recvUntil() is bounded by what the buffer holds (${name})`, async () => {
    for (const length of [15, 16]) {
      const transport = scripted("x".repeat(length) + "\n");
      const buffer = new ReceiveBuffer({ maxBytes: 16 });
      const received = receive(transport, "\n", { buffer, ...bounds });
      if (length === 15) assertEquals((await received)?.length, 16);
      else assertEquals((await assertRejects(() => received, LimitExceededError)).max, 16);
      assertEquals(transport.closedCount, 0);
    }
  });

  Deno.test(`recvUntil() closes on a limit of the transport's own (${name})`, async () => {
    const failure = new LimitExceededError("too much", { limit: "maxRecordBytes", max: 1 });
    const transport = new ScriptedTransport({ reads: [failure] });
    const error = await assertRejects(() => receive(transport, "\n", bounds));
    assert(error === failure && transport.closedCount > 0);
  });
}

for (
  const { delimiter, options } of [
    { delimiter: "", options: {} },
    { delimiter: "\r\n", options: { maxBytes: 1 } },
    { delimiter: "\n", options: { maxBytes: -1 } },
    { delimiter: "\n", options: { maxBytes: 1.5 } },
    { delimiter: "\n", options: { maxBytes: NaN } },
    { delimiter: "\n", options: { timeoutMs: -1 } },
    { delimiter: "\n", options: { deadlineMs: NaN } },
  ]
) {
  const name = `${JSON.stringify(delimiter)} with ${Object.entries(options).flat().join(" ")}`;
  Deno.test(`recvUntil() refuses ${name}`, async () => {
    for (const bounds of BOUNDS) {
      const transport = scripted("a\r\n");
      await assertRejects(
        () => receive(transport, delimiter, { ...bounds, ...options }),
        RangeError,
      );
      assertEquals(transport.spaces.length, 0);
    }
  });
}

for (const claim of [1_025, -1, NaN, 0.5]) {
  Deno.test(`recvUntil() rejects and closes when a read claims ${claim} bytes`, async () => {
    const transport = new ScriptedTransport({ reads: [claim] });
    await assertRejects(() => receive(transport, "\n"), TypeError);
    assertEquals(transport.closedCount, 1);
  });
}

Deno.test("recvUntil() does not spin on reads without a byte", async () => {
  const transport = new ScriptedTransport({ reads: Array(1_000).fill(0) });
  await assertRejects(() => receive(transport, "\n"), ConnectionClosedError);
  assertEquals([transport.spaces.length, transport.closedCount], [16, 1]);
});

Deno.test("recvUntil() closes and rethrows a failure in the middle", async () => {
  const failure = new Deno.errors.ConnectionReset("gone");
  const transport = new ScriptedTransport({ reads: [encoder.encode("ab"), failure] });
  const error = await assertRejects(() => receive(transport, "\n"));
  assert(error === failure && transport.closedCount === 1);
});

Deno.test("recvUntil() bounds the whole, not each read", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [client, server] = memoryPipe();
  const failed = assertRejects(
    () => receive(server, "\n", { timeoutMs: 1_000, wheel }),
    TimeoutError,
  );
  for (let tenth = 0; tenth < 11; tenth++) {
    await client.write(encoder.encode("x"));
    clock.advance(100);
  }
  assertEquals((await failed).phase, "receive");
  assertEquals([wheel.armedCount, clock.pendingCount], [0, 0]);
});

Deno.test("recvUntil() can be cancelled at every place", async () => {
  const count = await cancelEverywhere(async ({ bounds, watch }) => {
    const [client, server] = memoryPipe({ maxReadBytes: 3 });
    const sent = sendAll(client, encoder.encode("0123456789\r\n")).catch(() => {});
    const received = receive(watch(server), "\r\n", bounds);
    await Promise.allSettled([received, sent]);
    assertEquals(await received, "0123456789\r\n");
  });
  assert(count > 25, `${count} places`);
});

Deno.test("recvUntil() agrees with split() on random input in random pieces", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed);
    const text = Array.from({ length: random.int(400) }, () => random.pick(["a", "b"])).join("");
    const delimiter = Array.from({ length: 1 + random.int(5) }, () => random.pick(["a", "b"]))
      .join("");
    const parts = text.split(delimiter);
    const rest = parts.pop()!;
    const [client, server] = memoryPipe({
      highWaterMarkBytes: 1 + random.int(40),
      maxReadBytes: 1 + random.int(20),
    });
    const sent = sendAll(client, encoder.encode(text)).then(() => client.closeWrite());
    const buffer = new ReceiveBuffer({ idleBytes: 1 + random.int(50) });
    for (const part of parts) {
      assertEquals(await receive(server, delimiter, { buffer }), part + delimiter, `seed ${seed}`);
    }
    if (rest === "") assertEquals(await receive(server, delimiter, { buffer }), null);
    else await assertRejects(() => receive(server, delimiter, { buffer }), ConnectionClosedError);
    await sent;
  }
});

Deno.test("recvUntil() reads lines from a socket until it ends", async () => {
  const [client, server] = await socketPair();
  const lines = Array.from({ length: 2_000 }, (_, index) => `line ${"x".repeat(index % 300)}\r\n`);
  const sent = sendAll(client, encoder.encode(lines.join(""))).then(() => client.closeWrite());
  const buffer = new ReceiveBuffer();
  for (const line of [...lines, null]) {
    assertEquals(await receive(server, "\r\n", { buffer, timeoutMs: 10_000 }), line);
  }
  await sent;
  client.close();
  server.close();
});

Deno.test("recvUntil() from a socket that is reset rejects and closes", async () => {
  const [client, server] = await resettablePair();
  const received = receive(server, "\n");
  client.resetAndDestroy();
  await assertRejects(() => received, Deno.errors.ConnectionReset);
  await assertRejects(() => server.read(new Uint8Array(1)), Deno.errors.BadResource);
});
