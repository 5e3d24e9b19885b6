import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../http/proxy_error.ts";
import { connectThroughSocks5 } from "../../http/socks5_dial.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { runTranscript } from "../../nbio/testing_transcript.ts";
import type { TranscriptStep } from "../../nbio/testing_transcript_step.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { cancelEverywhere, WatchedTransport } from "../_support/cancelling.ts";

const TARGET = { hostname: "example.test", port: 443 };
const CREDENTIALS = { username: "ada", password: "s3cret" };
const OK = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const REQUEST = [5, 1, 0, 3, 12, ...new TextEncoder().encode("example.test"), 1, 187];

function expect(...bytes: number[]): TranscriptStep {
  return { type: "expect", bytes: Uint8Array.from(bytes) };
}

function send(...bytes: number[]): TranscriptStep {
  return { type: "send", bytes: Uint8Array.from(bytes) };
}

const LOGIN = [
  expect(5, 2, 0, 2),
  send(5, 2),
  expect(1, 3, 97, 100, 97, 6, 115, 51, 99, 114, 101, 116),
  send(1, 0),
];

for (const maxReadBytes of [1, 3, 1_000]) {
  Deno.test(`connectThroughSocks5() leaves what is behind the reply, reading ${maxReadBytes}`, async () => {
    const [near, far] = memoryPipe({ maxReadBytes });
    const transport = new WatchedTransport(near);
    const script = runTranscript(far, [
      ...LOGIN,
      expect(...REQUEST),
      send(...OK, 1, 2, 3),
      { type: "expect-close" },
    ]);
    await connectThroughSocks5(transport, TARGET, { credentials: CREDENTIALS });
    assertEquals([transport.pendingCount, transport.closeCount], [0, 0]);
    const space = new Uint8Array(16);
    const first = await near.read(space);
    assertEquals([...space.subarray(0, first!)], [1, 2, 3].slice(0, maxReadBytes));
    near.close();
    await script;
  });
}

const HOSTILE: readonly { name: string; steps: readonly TranscriptStep[]; code: string }[] = [
  { name: "leaves at once", steps: [{ type: "close" }], code: "ERR_PROXY_CLOSED" },
  {
    name: "leaves in the middle",
    steps: [expect(5, 2, 0, 2), send(5, 0), expect(...REQUEST), send(5, 0, 0, 1), {
      type: "close",
    }],
    code: "ERR_PROXY_CLOSED",
  },
  { name: "resets", steps: [expect(5, 2, 0, 2), { type: "reset" }], code: "ERR_PROXY_CLOSED" },
  {
    name: "speaks HTTP",
    steps: [{ type: "send", bytes: "HTTP/1.1 200 OK\r\n\r\n" }],
    code: "ERR_PROXY_BAD_RESPONSE",
  },
  {
    name: "refuses who asks",
    steps: [...LOGIN.slice(0, 3), send(1, 9)],
    code: "ERR_PROXY_AUTHENTICATION",
  },
  {
    name: "refuses in two bytes",
    steps: [...LOGIN, expect(...REQUEST), send(5, 2)],
    code: "ERR_PROXY_REFUSED",
  },
];

for (const { name, steps, code } of HOSTILE) {
  Deno.test(`connectThroughSocks5() rejects when the proxy ${name}`, async () => {
    const [near, far] = memoryPipe();
    const transport = new WatchedTransport(near);
    const script = runTranscript(far, steps);
    const error = await assertRejects(
      () =>
        connectThroughSocks5(transport, TARGET, {
          credentials: CREDENTIALS,
          proxy: "socks5://p:1",
        }),
      ProxyError,
    );
    assertEquals([error.code, error.proxy], [code, "socks5://p:1"]);
    assertEquals([transport.pendingCount, transport.closeCount > 0], [0, true]);
    await script;
    closeQuietly(far);
  });
}

Deno.test("connectThroughSocks5() gives a silent proxy its time, and one that trickles no more", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [near, far] = memoryPipe();
  const failed = assertRejects(
    () => connectThroughSocks5(near, TARGET, { timeoutMs: 1_000, wheel }),
    TimeoutError,
  );
  await far.write(new Uint8Array([5, 0, 5, 0]));
  clock.advance(600);
  await far.write(new Uint8Array([0, 3, 200]));
  clock.advance(600);
  const error = await failed;
  assertEquals([error.phase, error.timeoutMs, clock.pendingCount], ["proxy", 1_000, 0]);
  closeQuietly(far);
});

Deno.test("connectThroughSocks5() leaves nothing wherever it is cancelled", async () => {
  await cancelEverywhere(async ({ bounds, watch }) => {
    const [near, far] = memoryPipe();
    const script = runTranscript(far, [...LOGIN, expect(...REQUEST), send(...OK)]);
    script.catch(() => {});
    const transport = watch(near);
    try {
      await connectThroughSocks5(transport, TARGET, { credentials: CREDENTIALS, ...bounds });
    } finally {
      closeQuietly(far);
      await script.catch(() => {});
    }
    transport.close();
  });
});

Deno.test("connectThroughSocks5() throws on a target that cannot be asked for", async () => {
  const [near, far] = memoryPipe();
  await assertRejects(() => connectThroughSocks5(near, { hostname: "a b", port: 1 }), TypeError);
  assertEquals(await far.read(new Uint8Array(1)), null);
  closeQuietly(far);
});
