import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { lingeringClose } from "../../nbio/linger.ts";
import { runOperation } from "../../nbio/operation.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { faultTransport } from "../../nbio/testing_fault_transport.ts";
import { memoryPipe, type MemoryPipeOptions } from "../../nbio/testing_memory_pipe.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { randomSplit } from "../../nbio/testing_split.ts";
import {
  runTranscript,
  type RunTranscriptOptions,
  splitTranscript,
} from "../../nbio/testing_transcript.ts";
import { TranscriptError } from "../../nbio/testing_transcript_error.ts";
import type { TranscriptStep } from "../../nbio/testing_transcript_step.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The upper-case server: answers each line in capitals, and `quit` with the end. */
async function serveUpper(transport: Transport): Promise<void> {
  let text = "";
  const buffer = new Uint8Array(100);
  try {
    for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
      text += decode(buffer.subarray(0, byteCount));
      for (let end; (end = text.indexOf("\n")) !== -1; text = text.slice(end + 1)) {
        const line = text.slice(0, end + 1);
        if (line === "quit\n") return await lingeringClose(transport);
        await sendAll(transport, encode(line.toUpperCase()));
      }
    }
  } finally {
    closeQuietly(transport);
  }
}

async function socketPair(): Promise<[Transport, Transport]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connecting = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  return [await connecting, await listener.accept()];
}

const PAIRS = [
  { kind: "memory pipe", connect: () => Promise.resolve(memoryPipe()) },
  { kind: "socket", connect: socketPair },
  {
    kind: "transport with faults",
    connect: () => {
      const [near, far] = memoryPipe({ maxReadBytes: 3 });
      return Promise.resolve([faultTransport(near, { write: { maxPieceBytes: 4 } }), far]);
    },
  },
];

const CONVERSATION: readonly TranscriptStep[] = [
  { type: "send", bytes: "hello\nwor" },
  { type: "expect", bytes: "HELLO\n" },
  { type: "expect-silence", durationMs: 5 },
  { type: "send", bytes: encode("ld\nx\n") },
  { type: "skip-until", bytes: "LD\n" },
  { type: "expect", bytes: encode("X\n") },
  { type: "wait", durationMs: 1 },
  { type: "send", bytes: "quit\n" },
  { type: "expect-end" },
];

for (const { kind, connect } of PAIRS) {
  Deno.test(`runTranscript() holds a conversation over a ${kind}`, async () => {
    const [client, server] = await connect();
    const serving = serveUpper(server!);
    assertEquals((await runTranscript(client!, CONVERSATION)).unread.length, 0);
    await serving;
    await assertRejects(() => client!.read(new Uint8Array(1)), Deno.errors.BadResource);
  });

  Deno.test(`runTranscript() is both sides over a ${kind}`, async () => {
    const [client, server] = await connect();
    await Promise.all([
      runTranscript(server!, [
        { type: "expect", bytes: "ping" },
        { type: "send", bytes: "pong" },
        { type: "expect-end" },
        { type: "send", bytes: "bye" },
        { type: "close" },
      ]),
      runTranscript(client!, [
        { type: "send", bytes: "ping" },
        { type: "expect", bytes: "pong" },
        { type: "close-write" },
        { type: "expect", bytes: "bye" },
        { type: "expect-close" },
      ]),
    ]);
  });
}

interface FailureRow {
  readonly name: string;
  readonly steps: readonly TranscriptStep[];
  /** What the peer does before the transcript begins. */
  readonly peer: (peer: ReturnType<typeof memoryPipe>[0]) => unknown;
  readonly code: string;
  readonly stepIndex?: number;
  readonly actual?: string;
  readonly offset?: number;
  readonly pipe?: MemoryPipeOptions;
}

const FAILURES: readonly FailureRow[] = [
  {
    name: "other bytes",
    steps: [{ type: "expect", bytes: "220 ready\r\n" }],
    peer: (peer) => sendAll(peer, encode("220 sorry\r\n")),
    code: "ERR_TRANSCRIPT_MISMATCH",
    actual: "220 sorry\r\n",
    offset: 4,
    pipe: { maxReadBytes: 100 },
  },
  {
    name: "other bytes in the second piece",
    steps: [{ type: "expect", bytes: "abcdef" }],
    peer: (peer) => sendAll(peer, encode("abcdXf")),
    code: "ERR_TRANSCRIPT_MISMATCH",
    actual: "abcdXf",
    offset: 4,
  },
  {
    name: "other bytes although more would have to come",
    steps: [{ type: "expect", bytes: "x".repeat(1_000) }],
    peer: (peer) => sendAll(peer, encode("xy")),
    code: "ERR_TRANSCRIPT_MISMATCH",
    actual: "xy",
    offset: 1,
  },
  {
    name: "too few bytes",
    steps: [{ type: "wait", durationMs: 1 }, { type: "expect", bytes: "abcdef" }],
    peer: (peer) => sendAll(peer, encode("abc")),
    code: "ERR_TRANSCRIPT_TIMEOUT",
    stepIndex: 1,
    actual: "abc",
    offset: 3,
  },
  {
    name: "the end in the middle",
    steps: [{ type: "expect", bytes: "abcdef" }],
    peer: (peer) => sendAll(peer, encode("abc")).then(() => peer.close()),
    code: "ERR_TRANSCRIPT_ENDED",
    actual: "abc",
  },
  {
    name: "a reset in place of bytes",
    steps: [{ type: "expect", bytes: "a" }],
    peer: (peer) => peer.reset(),
    code: "ERR_TRANSCRIPT_ENDED",
  },
  {
    name: "bytes in place of the end",
    steps: [{ type: "expect-end" }],
    peer: (peer) => sendAll(peer, encode("a")),
    code: "ERR_TRANSCRIPT_MISMATCH",
    actual: "a",
  },
  {
    name: "a reset in place of the end",
    steps: [{ type: "expect-end" }],
    peer: (peer) => peer.reset(),
    code: "ERR_TRANSCRIPT_ENDED",
  },
  {
    name: "the end in place of a reset",
    steps: [{ type: "expect-reset" }],
    peer: (peer) => peer.close(),
    code: "ERR_TRANSCRIPT_ENDED",
  },
  {
    name: "no end",
    steps: [{ type: "expect-end", timeoutMs: 10 }],
    peer: () => {},
    code: "ERR_TRANSCRIPT_TIMEOUT",
  },
  {
    name: "no close",
    steps: [{ type: "expect-close", timeoutMs: 10 }],
    peer: () => {},
    code: "ERR_TRANSCRIPT_TIMEOUT",
  },
  {
    name: "bytes in a silence",
    steps: [{ type: "expect-silence", durationMs: 10 }],
    peer: (peer) => sendAll(peer, encode("a")),
    code: "ERR_TRANSCRIPT_MISMATCH",
    actual: "a",
  },
  {
    name: "the end in a silence",
    steps: [{ type: "expect-silence", durationMs: 10 }],
    peer: (peer) => peer.close(),
    code: "ERR_TRANSCRIPT_ENDED",
  },
  {
    name: "too much before what is skipped to",
    steps: [{ type: "skip-until", bytes: "\r\n", maxBytes: 3 }],
    peer: (peer) => sendAll(peer, encode("abcd\r\n")),
    code: "ERR_TRANSCRIPT_MISMATCH",
    actual: "abcd\r\n",
    pipe: { maxReadBytes: 100 },
  },
  {
    name: "nothing to skip to",
    steps: [{ type: "skip-until", bytes: "\r\n" }],
    peer: (peer) => sendAll(peer, encode("abc\r")),
    code: "ERR_TRANSCRIPT_TIMEOUT",
    actual: "abc\r",
  },
  {
    name: "a peer that takes nothing",
    steps: [{ type: "send", bytes: "abcdef", timeoutMs: 100 }],
    peer: () => {},
    code: "ERR_TRANSCRIPT_TIMEOUT",
    actual: "abcd",
    pipe: { highWaterMarkBytes: 4 },
  },
  {
    name: "a peer that is gone",
    steps: [{ type: "send", bytes: "abcdef" }],
    peer: (peer) => peer.close(),
    code: "ERR_TRANSCRIPT_SEND",
  },
  {
    name: "a half-close of a reset connection",
    steps: [{ type: "close-write" }],
    peer: (peer) => peer.reset(),
    code: "ERR_TRANSCRIPT_SEND",
  },
  {
    name: "a second close",
    steps: [{ type: "close" }, { type: "close" }],
    peer: () => {},
    code: "ERR_TRANSCRIPT_SEND",
    stepIndex: 1,
  },
  {
    name: "reading after a close",
    steps: [{ type: "close" }, { type: "expect", bytes: "a" }],
    peer: () => {},
    code: "ERR_TRANSCRIPT_ENDED",
    stepIndex: 1,
  },
];

for (const { name, steps, peer, code, stepIndex = 0, actual = "", offset, pipe } of FAILURES) {
  Deno.test(`runTranscript() rejects on ${name}, and closes`, async () => {
    const clock = new ManualClock();
    const [near, far] = memoryPipe({ maxReadBytes: 4, ...pipe });
    await peer(far);
    const running = runTranscript(near, steps, { clock });
    const error = await assertRejects(() => clock.runUntil(running), TranscriptError);
    assertEquals([error.code, error.stepIndex, decode(error.actual)], [code, stepIndex, actual]);
    assertEquals(error.step, steps[stepIndex]);
    if (offset !== undefined) assertEquals(error.offset, offset);
    await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
    assertEquals(clock.pendingCount, 0);
  });
}

for (const [byteCount, isEnough] of [[3, true], [4, false]] as const) {
  Deno.test(`runTranscript() skips ${byteCount} bytes with maxBytes 3: ${isEnough}`, async () => {
    for (const maxReadBytes of [1, 2, 100]) {
      const [near, far] = memoryPipe({ maxReadBytes });
      await sendAll(far, encode("-".repeat(byteCount) + "--*rest"));
      const running = runTranscript(near, [
        { type: "skip-until", bytes: "--*", maxBytes: 3 },
        { type: "expect", bytes: "rest" },
      ]);
      if (isEnough) await running;
      else await assertRejects(() => running, TranscriptError);
    }
  });
}

Deno.test("runTranscript() takes an end or a reset for a close", async () => {
  for (const how of ["close", "reset"] as const) {
    const [near, far] = memoryPipe();
    far[how]();
    await runTranscript(near, [{ type: "expect-close" }]);
  }
  const [near, far] = memoryPipe();
  far.reset();
  await runTranscript(near, [{ type: "expect-reset" }]);
});

Deno.test("runTranscript() resets, and closes what cannot be reset", async () => {
  const [near, far] = memoryPipe();
  await runTranscript(near, [{ type: "reset" }]);
  await assertRejects(() => far.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  const [client, server] = await socketPair();
  await runTranscript(client, [{ type: "reset" }]);
  await assertRejects(() => client.read(new Uint8Array(1)), Deno.errors.BadResource);
  server.close();
});

Deno.test("runTranscript() waits and limits by the clock it is given", async () => {
  const clock = new ManualClock();
  const [near, far] = memoryPipe();
  const running = runTranscript(near, [
    { type: "wait", durationMs: 1_000 },
    { type: "expect-silence", durationMs: 500 },
    { type: "expect", bytes: "a", timeoutMs: 300 },
    { type: "wait", durationMs: 0 },
  ], { clock });
  await clock.advanceAsync(1_799);
  assertEquals(await isSettled(running), false);
  await sendAll(far, encode("a"));
  await running;
  assertEquals([clock.now(), clock.pendingCount], [1_799, 0]);
});

for (const timeoutMs of [0, Infinity]) {
  Deno.test(`runTranscript() with a timeoutMs of ${timeoutMs} has no limit`, async () => {
    const clock = new ManualClock();
    const [near, far] = memoryPipe();
    const running = runTranscript(near, [{ type: "expect", bytes: "a" }], { clock, timeoutMs });
    await clock.advanceAsync(1_000_000);
    assertEquals(clock.pendingCount, 0);
    await sendAll(far, encode("a"));
    await running;
  });
}

Deno.test("runTranscript() gives what came behind the last step", async () => {
  const [near, far] = memoryPipe();
  await sendAll(far, encode("220 ready\r\nmore"));
  const steps: TranscriptStep[] = [{ type: "expect", bytes: "220 ready\r\n" }];
  const { unread } = await runTranscript(near, steps, { keepOpen: true });
  assertEquals(decode(unread), "more");
  await sendAll(far, encode("!"));
  assertEquals(await near.read(new Uint8Array(8)), 1);
  near.close();
});

Deno.test("runTranscript() with keepOpen closes after a failure", async () => {
  const [near, far] = memoryPipe();
  far.close();
  const options = { keepOpen: true };
  await assertRejects(
    () => runTranscript(near, [{ type: "expect", bytes: "a" }], options),
    TranscriptError,
  );
  await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
});

Deno.test("runTranscript() with keepOpen refuses to leave a read behind", async () => {
  const [near] = memoryPipe();
  const steps: TranscriptStep[] = [
    { type: "expect-silence", durationMs: 1 },
    { type: "send", bytes: "a" },
  ];
  await assertRejects(() => runTranscript(near, steps, { keepOpen: true }), TypeError);
  await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
});

Deno.test("runTranscript() sends a list piece by piece", async () => {
  for (const pieceGapMs of [0, 20]) {
    const clock = new ManualClock();
    const [near, far] = memoryPipe();
    const sizes: [number, number][] = [];
    const reading = (async () => {
      const buffer = new Uint8Array(100);
      for (let byteCount; (byteCount = await far.read(buffer)) !== null;) {
        sizes.push([byteCount, clock.now()]);
        for (let hop = 0; hop < 50; hop++) await undefined;
      }
    })();
    const bytes = ["ab", "", "cde", "f"].map(encode);
    await clock.runUntil(runTranscript(near, [{ type: "send", bytes }], { clock, pieceGapMs }));
    await reading;
    assertEquals(sizes, [[2, 0], [3, 2 * pieceGapMs], [1, 3 * pieceGapMs]]);
  }
});

Deno.test("runTranscript() splits what it sends, and a peer without a clock sees it", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const [near, far] = memoryPipe();
    const sizes: number[] = [];
    const reading = (async () => {
      const buffer = new Uint8Array(100);
      for (let byteCount; (byteCount = await far.read(buffer)) !== null;) sizes.push(byteCount);
    })();
    const split = (bytes: Uint8Array): Uint8Array[] =>
      randomSplit(bytes, { seed, maxChunkBytes: 9 });
    await runTranscript(near, [{ type: "send", bytes: "x".repeat(50) }], { split });
    await reading;
    assertEquals(sizes, split(new Uint8Array(50)).map(({ length }) => length));
  }
});

Deno.test("splitTranscript() gives a conversation in every split of its sends", async () => {
  let count = 0;
  const steps: TranscriptStep[] = [
    { type: "send", bytes: "ab\ncd\n" },
    { type: "expect", bytes: "AB\nCD\n" },
    { type: "send", bytes: "quit\n" },
    { type: "expect-end" },
  ];
  for (const cut of splitTranscript(steps)) {
    const [client, server] = memoryPipe();
    const serving = serveUpper(server);
    await runTranscript(client, cut);
    await serving;
    count++;
  }
  // 3 and 5 cuts in two, 10 and 6 in three, and three of each kind besides.
  assertEquals(count, (3 + 5 + 10) + (3 + 4 + 6));
  const silent: TranscriptStep[] = [{ type: "expect-end" }];
  assertEquals([...splitTranscript(silent)], [silent]);
});

for (const [index, step] of CONVERSATION.entries()) {
  Deno.test(`runTranscript() can be aborted at step ${index}, ${step.type}`, async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const [near, far] = memoryPipe({ highWaterMarkBytes: 1 });
    const steps: TranscriptStep[] = [step, { type: "expect", bytes: "never" }];
    const running = runTranscript(near, steps, { clock, signal: controller.signal });
    await settle();
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals(await assertRejects(() => running), reason);
    assertEquals(clock.pendingCount, 0);
    await assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
    far.close();
  });
}

Deno.test("runTranscript() with an aborted signal does nothing", async () => {
  const [near] = memoryPipe();
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => runTranscript(near, [{ type: "close" }], { signal }), Error);
  near.close();
});

Deno.test("runTranscript() lets go of the signal", async () => {
  const [near] = memoryPipe();
  const { signal } = new AbortController();
  const counts = { added: 0, removed: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>): void => {
    counts.added++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>): void => {
    counts.removed++;
    removeEventListener.apply(signal, args);
  };
  await runTranscript(near, [{ type: "send", bytes: "a" }], { signal });
  assertEquals(counts, { added: 1, removed: 1 });
});

Deno.test("runTranscript() under a deadline of the caller leaves nothing behind", async () => {
  const clock = new ManualClock();
  const [near] = memoryPipe();
  const options = { timeoutMs: 1_000, wheel: new DeadlineWheel(clock) };
  const steps: TranscriptStep[] = [{ type: "expect", bytes: "a", timeoutMs: 0 }];
  const running = runOperation(near, "talk", options, () => runTranscript(near, steps, { clock }));
  await assertRejects(() => clock.runUntil(running));
  assertEquals(clock.pendingCount, 0);
});

Deno.test("runTranscript() settles after the read and the write that wait on a slow close", async () => {
  for (const step of [{ type: "expect", bytes: "a" }, { type: "send", bytes: "ab" }] as const) {
    const [near] = memoryPipe({ highWaterMarkBytes: 1 });
    let waitingCount = 0;
    const slow = async <T>(operation: Promise<T>): Promise<T> => {
      waitingCount++;
      try {
        return await operation;
      } finally {
        for (let hop = 0; hop < 100; hop++) await undefined;
        waitingCount--;
      }
    };
    const { read, write } = near;
    const transport = Object.assign(near, {
      read: (p: Uint8Array) => slow(read.call(near, p)),
      write: (p: Uint8Array) => slow(write.call(near, p)),
    });
    const controller = new AbortController();
    const running = runTranscript(transport, [step], { signal: controller.signal });
    await settle();
    controller.abort(new Error("enough"));
    await assertRejects(() => running, Error);
    assertEquals(waitingCount, 0);
  }
});

Deno.test("runTranscript() is not kept busy by reads without a byte", async () => {
  const clock = new ManualClock();
  const [near] = memoryPipe();
  const empty = Object.assign(near, { read: () => Promise.resolve(0) });
  const running = runTranscript(empty, [{ type: "expect", bytes: "a" }], { clock });
  const error = await assertRejects(() => clock.runUntil(running), TranscriptError);
  assertEquals(error.code, "ERR_TRANSCRIPT_TIMEOUT");
});

const WRONG: readonly (readonly [TranscriptStep, RunTranscriptOptions])[] = [
  [{ type: "wait", durationMs: -1 }, {}],
  [{ type: "wait", durationMs: NaN }, {}],
  [{ type: "wait", durationMs: Infinity }, {}],
  [{ type: "expect-silence", durationMs: 0 }, {}],
  [{ type: "expect-end", timeoutMs: -1 }, {}],
  [{ type: "expect-end", timeoutMs: NaN }, {}],
  [{ type: "skip-until", bytes: "" }, {}],
  [{ type: "skip-until", bytes: "a", maxBytes: -1 }, {}],
  [{ type: "skip-until", bytes: "a", maxBytes: NaN }, {}],
  [{ type: "close" }, { timeoutMs: -1 }],
  [{ type: "close" }, { pieceGapMs: NaN }],
];

for (const [step, options] of WRONG) {
  Deno.test(`runTranscript() rejects on ${Deno.inspect([step, options])}`, async () => {
    const [near] = memoryPipe();
    await assertRejects(() => runTranscript(near, [step], options), RangeError);
    closeQuietly(near);
  });
}

Deno.test("runTranscript() rejects on a step that is none", async () => {
  const [near] = memoryPipe();
  const steps = [{ type: "shout" }] as unknown as TranscriptStep[];
  await assertRejects(() => runTranscript(near, steps), TypeError);
  assert(
    await assertRejects(() => near.read(new Uint8Array(1))) instanceof Deno.errors.BadResource,
  );
});
