import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { FileError } from "../../nbio/file_error.ts";
import { PositionalFile } from "../../nbio/positional_file.ts";
import type { SendStatus } from "../../nbio/send_all.ts";
import { sendFile } from "../../nbio/send_file.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";
import { MemoryFile } from "../_support/memory_file.ts";
import { cancelEverywhere } from "../_support/cancelling.ts";
import { resettablePair, socketPair } from "../_support/socket_pair.ts";

const KIB = 1_024;
const ADDRESS: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** A transport that keeps what it is given, and does what a test tells it to. */
class SinkTransport implements Transport {
  readonly localAddr: Deno.Addr = ADDRESS;
  readonly remoteAddr: Deno.Addr = ADDRESS;
  readonly written: Uint8Array[] = [];
  /** Called, and awaited, at the beginning of every write. */
  onWrite: (index: number) => void | Promise<void> = () => {};
  /** Most bytes one write takes. */
  maxWriteBytes: number = Infinity;
  writeCount = 0;
  closedCount = 0;
  readonly #closed = Promise.withResolvers<never>();

  constructor() {
    this.#closed.promise.catch(() => {});
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.written.flatMap((bytes) => [...bytes]));
  }

  async write(p: Uint8Array): Promise<number> {
    const told = this.onWrite(this.writeCount++);
    if (this.closedCount > 0) throw new Deno.errors.BadResource("closed");
    if (told !== undefined) await Promise.race([told, this.#closed.promise]);
    const taken = p.slice(0, this.maxWriteBytes);
    this.written.push(taken);
    return taken.length;
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#closed.reject(new Deno.errors.Interrupted("closed"));
    if (this.closedCount++ > 0) throw new Deno.errors.BadResource("closed");
  }
}

/** A file that is removed in the end. */
class TempFile implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(bytes: Uint8Array): Promise<TempFile> {
    const path = await Deno.makeTempFile({ prefix: "nbio_send_" });
    await Deno.writeFile(path, bytes);
    return new TempFile(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path);
  }
}

/** Reads to the end. */
async function collect(transport: Transport): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const p = new Uint8Array(64 * KIB);
  for (let count; (count = await transport.read(p)) !== null;) chunks.push(p.slice(0, count));
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  assert(actual.every((byte, index) => byte === expected[index]), "other bytes");
}

async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

const BYTES = new SeededRandom(1).bytes(1_000);

for (
  const [name, options, start, end] of [
    ["all", {}, 0, 1_000],
    ["the rest", { offset: 990 }, 990, 1_000],
    ["a part", { offset: 10, length: 20 }, 10, 30],
    ["the beginning", { length: 1 }, 0, 1],
    ["just up to the end", { offset: 990, length: 10 }, 990, 1_000],
    ["nothing", { offset: 10, length: 0 }, 10, 10],
    ["nothing from the end", { offset: 1_000 }, 1_000, 1_000],
    ["nothing beyond the end", { offset: 2_000, length: 0 }, 2_000, 2_000],
  ] as const
) {
  for (const bufferBytes of [undefined, 1, 7, 20, 500, 999, 1_000, 1_001]) {
    Deno.test(`sendFile() sends ${name} with buffers of ${bufferBytes}`, async () => {
      const handle = new MemoryFile(BYTES);
      const transport = new SinkTransport();
      transport.maxWriteBytes = 300;
      const status: SendStatus = { sentBytes: 5, mayHaveSent: false };
      const given = { ...options, status, ...(bufferBytes && { bufferBytes }) };
      assertEquals(await sendFile(transport, handle, given), end - start);
      assertSame(transport.bytes, BYTES.subarray(start, end));
      assertEquals(status, { sentBytes: 5 + end - start, mayHaveSent: end > start });
      assertEquals([transport.closedCount, handle.count("close")], [0, 0]);
    });
  }
}

Deno.test("sendFile() sends a file by its path, its URL, and as it was opened", async () => {
  const bytes = new SeededRandom(2).bytes(3 << 20);
  await using temp = await TempFile.make(bytes);
  using handle = await Deno.open(temp.path);
  await handle.seek(5, Deno.SeekMode.Start);
  await using positional = await PositionalFile.open(temp.path);
  for (const file of [temp.path, new URL(`file://${temp.path}`), handle, positional]) {
    const [client, server] = memoryPipe();
    const received = collect(server);
    assertEquals(await sendFile(client, file), bytes.length);
    await client.closeWrite();
    assertSame(await received, bytes);
  }
  // Both are still open.
  assertEquals(await handle.read(new Uint8Array(1)), null);
  assertEquals(await positional.size(), bytes.length);
});

Deno.test("sendFile() sends 16 MiB over a socket whose buffers hold less", async () => {
  const bytes = new SeededRandom(3).bytes(16 << 20);
  await using temp = await TempFile.make(bytes);
  const [client, server] = await socketPair();
  const received = collect(server);
  const told: number[] = [];
  const options = { timeoutMs: 60_000, onProgress: (sentBytes: number) => told.push(sentBytes) };
  assertEquals(await sendFile(client, temp.path, options), bytes.length);
  client.close();
  assertSame(await received, bytes);
  server.close();
  assertEquals(told.at(-1), bytes.length);
  assert(told.every((sentBytes, index) => index === 0 || sentBytes > told[index - 1]!));
});

Deno.test("sendFile() tells progress after every piece, and the total", async () => {
  const told: [number, number][] = [];
  await sendFile(new SinkTransport(), new MemoryFile(BYTES), {
    offset: 100,
    bufferBytes: 400,
    onProgress: (...progress) => told.push(progress),
  });
  assertEquals(told, [[400, 900], [800, 900], [900, 900]]);
});

Deno.test("sendFile() sends the same open file to many at a time", async () => {
  const bytes = new SeededRandom(4).bytes(1 << 20);
  await using temp = await TempFile.make(bytes);
  await using file = await PositionalFile.open(temp.path);
  await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const [client, server] = memoryPipe();
    const received = collect(server);
    await sendFile(client, file, { offset: index, bufferBytes: 10_000 + index });
    await client.closeWrite();
    assertSame(await received, bytes.subarray(index));
  }));
});

Deno.test("sendFile() reads one piece ahead while another is written, and no more", async () => {
  const handle = new MemoryFile(BYTES);
  const transport = new SinkTransport();
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  transport.onWrite = (index) => gates[index]?.promise;
  const sent = sendFile(transport, handle, { bufferBytes: 100 });
  for (let index = 0; index < gates.length; index++) {
    await turns();
    assertEquals([transport.writeCount, handle.count("read")], [index + 1, index + 2]);
    gates[index]!.resolve();
  }
  assertEquals(await sent, 1_000);
  assertEquals([handle.count("read"), handle.overlapCount], [10, 0]);
});

Deno.test("sendFile() begins to write before it reads ahead", async () => {
  const order: string[] = [];
  const handle = new MemoryFile(BYTES);
  handle.onCall = (call) => void order.push(call);
  const transport = new SinkTransport();
  transport.onWrite = (index) => void order.push(`write ${index}`);
  await sendFile(transport, handle, { bufferBytes: 500 });
  assertEquals(order, ["stat", "read 500", "write 0", "read 500", "write 1"]);
});

/** The sizes of the pieces that are read for a peer that takes each in so many turns. */
async function pieceSizes(writeTurns: number, readTurns: number): Promise<number[]> {
  const handle = new MemoryFile(new Uint8Array(32 << 20));
  handle.onCall = () => turns(readTurns);
  const transport = new SinkTransport();
  transport.write = async (p) => {
    await turns(writeTurns);
    return p.length;
  };
  await sendFile(transport, handle, { bufferBytes: KIB * KIB });
  return handle.calls.filter((call) => call.startsWith("read")).map((call) =>
    Number(call.slice(5)) / KIB
  );
}

Deno.test("sendFile() reads larger pieces while reading is what the peer waits for", async () => {
  assertEquals((await pieceSizes(0, 200)).slice(0, 5), [256, 256, 512, 1_024, 1_024]);
});

Deno.test("sendFile() keeps to small pieces for a peer that is slow", async () => {
  assertEquals((await pieceSizes(200, 0)).every((size) => size === 256), true);
});

Deno.test("sendFile() goes back to small pieces when the peer becomes slow", async () => {
  const handle = new MemoryFile(new Uint8Array(64 << 20));
  const transport = new SinkTransport();
  let isSlow = false;
  let bufferBytes = 0;
  const read = handle.read.bind(handle);
  handle.read = (p) => {
    bufferBytes = p.buffer.byteLength;
    return read(p);
  };
  handle.onCall = () => turns(isSlow ? 0 : 200);
  transport.write = async (p) => {
    await turns(isSlow ? 200 : 0);
    return p.length;
  };
  await sendFile(transport, handle, {
    bufferBytes: KIB * KIB,
    onProgress: (sentBytes) => isSlow ||= sentBytes > 4 << 20,
  });
  const sizes = handle.calls.slice(2).filter((call) => call.startsWith("read"));
  assert(sizes.includes(`read ${KIB * KIB}`));
  assertEquals([sizes.at(-2), bufferBytes], [`read ${256 * KIB}`, 256 * KIB]);
});

Deno.test("sendFile() sends no more than was there when the file grows", async () => {
  await using temp = await TempFile.make(BYTES);
  const transport = new SinkTransport();
  transport.onWrite = () => Deno.writeFileSync(temp.path, BYTES, { append: true });
  assertEquals(await sendFile(transport, temp.path, { bufferBytes: 300 }), 1_000);
  assertSame(transport.bytes, BYTES);
});

for (const bufferBytes of [100, 300, 1_000]) {
  Deno.test(`sendFile() rejects when a real file shrinks, with buffers of ${bufferBytes}`, async () => {
    await using temp = await TempFile.make(new Uint8Array(1_001));
    const transport = new SinkTransport();
    // What has been read ahead by then is gone for good, so two pieces may still leave.
    transport.onWrite = () => Deno.truncateSync(temp.path, 50);
    const error = await assertRejects(
      () => sendFile(transport, temp.path, { bufferBytes }),
      FileError,
    );
    assertEquals([error.code, error.step, error.path], ["ERR_NET_FILE_ENDED", "read", temp.path]);
    assertEquals(transport.closedCount, 1);
    assert(transport.bytes.length < 1_001);
  });
}

for (
  const [name, options, sentBytes] of [
    ["an offset beyond the end", { offset: 1_001 }, 0],
    ["a length beyond the end", { length: 1_001 }, 0],
    ["a part beyond the end", { offset: 999, length: 2 }, 0],
    ["a length beyond the end, in pieces", { length: 1_001, bufferBytes: 300 }, 900],
  ] as const
) {
  Deno.test(`sendFile() rejects ${name}`, async () => {
    const transport = new SinkTransport();
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const sending = sendFile(transport, new MemoryFile(BYTES), { ...options, status });
    const error = await assertRejects(() => sending, FileError);
    assertEquals(error.code, "ERR_NET_FILE_ENDED");
    assertEquals(status, { sentBytes, mayHaveSent: sentBytes > 0 });
    assertEquals(transport.closedCount, 1);
  });
}

Deno.test("sendFile() says that a file is missing, and closes", async () => {
  const transport = new SinkTransport();
  const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
  const sending = sendFile(transport, "./there/is/no/such/file", { status });
  const error = await assertRejects(() => sending, FileError);
  assertEquals([error.step, error.cause instanceof Deno.errors.NotFound], ["open", true]);
  assertEquals([transport.closedCount, status.mayHaveSent], [1, false]);
});

for (let call = 0; call < 5; call++) {
  Deno.test(`sendFile() closes the transport when call ${call} of the file fails`, async () => {
    const handle = new MemoryFile(BYTES);
    const cause = new Deno.errors.Busy("no");
    handle.onCall = () => {
      if (handle.count("stat") + handle.count("read") === call + 1) throw cause;
    };
    const transport = new SinkTransport();
    const sending = sendFile(transport, handle, { bufferBytes: 250 });
    const error = await assertRejects(() => sending, FileError);
    assertEquals([error.step, error.cause], [call === 0 ? "stat" : "read", cause]);
    assertSame(transport.bytes, BYTES.subarray(0, Math.max(0, call - 1) * 250));
    assertEquals([transport.closedCount, handle.count("close")], [1, 0]);
  });
}

for (let write = 0; write < 4; write++) {
  Deno.test(`sendFile() ends its reads when write ${write} fails`, async () => {
    const handle = new MemoryFile(BYTES);
    handle.onCall = () => turns();
    const failure = new Deno.errors.ConnectionReset("gone");
    const transport = new SinkTransport();
    transport.onWrite = (index) => {
      if (index === write) throw failure;
    };
    const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
    const sending = sendFile(transport, handle, { bufferBytes: 250, status });
    assert(await assertRejects(() => sending) === failure);
    assertEquals(status, { sentBytes: write * 250, mayHaveSent: true });
    assertEquals([handle.busy, handle.count("close")], [false, 0]);
    assert(transport.closedCount > 0);
  });
}

Deno.test("sendFile() tells of a failed read when the write under way is through", async () => {
  const handle = new MemoryFile(BYTES);
  const cause = new Deno.errors.Busy("no");
  handle.onCall = () => {
    if (handle.count("read") === 2) throw cause;
  };
  const transport = new SinkTransport();
  const gate = Promise.withResolvers<void>();
  transport.onWrite = () => gate.promise;
  const sending = sendFile(transport, handle, { bufferBytes: 250 });
  // The event loop turns, in which a rejection that nobody handles would be noticed.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([handle.count("read"), transport.closedCount], [2, 0]);
  gate.resolve();
  assertEquals((await assertRejects(() => sending, FileError)).cause, cause);
  assertEquals([transport.writeCount, transport.closedCount], [1, 1]);
});

Deno.test("sendFile() does not wait for others at a file when a write fails", async () => {
  const handle = new MemoryFile(BYTES);
  const file = new PositionalFile(handle);
  const transport = new SinkTransport();
  const gate = Promise.withResolvers<void>();
  const failure = new Deno.errors.ConnectionReset("gone");
  let other: Promise<number> | undefined;
  transport.onWrite = async () => {
    handle.onCall = () => gate.promise;
    other = file.readAt(new Uint8Array(1), 7);
    await turns();
    assertEquals(file.waiterCount, 1);
    throw failure;
  };
  const sending = sendFile(transport, file, { bufferBytes: 250 });
  assert(await assertRejects(() => sending) === failure);
  assertEquals(file.waiterCount, 0);
  gate.resolve();
  assertEquals([await other, handle.count("read")], [1, 2]);
});

Deno.test("sendFile() rejects with what onProgress throws, and closes", async () => {
  await using temp = await TempFile.make(BYTES);
  const transport = new SinkTransport();
  const failure = new Error("stop it");
  const onProgress = (): never => {
    throw failure;
  };
  const sending = sendFile(transport, temp.path, { bufferBytes: 100, onProgress });
  assert(await assertRejects(() => sending) === failure);
  assertEquals([transport.closedCount, transport.writeCount], [1, 1]);
});

Deno.test("sendFile() rejects when a peer resets the connection", async () => {
  await using temp = await TempFile.make(new Uint8Array(16 << 20));
  const [peer, transport] = await resettablePair();
  const sending = sendFile(transport, temp.path, {
    timeoutMs: 60_000,
    onProgress: () => peer.resetAndDestroy(),
  });
  const error = await assertRejects(() => sending);
  const classes = [Deno.errors.ConnectionReset, Deno.errors.BrokenPipe];
  assert(classes.some((errorClass) => error instanceof errorClass), `${error}`);
  assert(
    await assertRejects(() => transport.read(new Uint8Array(1))) instanceof
      Deno.errors.BadResource,
  );
});

Deno.test("sendFile() holds two pieces for a peer that never reads, and gives up in time", async () => {
  await using temp = await TempFile.make(new Uint8Array(0));
  await Deno.truncate(temp.path, 1 << 30);
  const [client, server] = await socketPair();
  using handle = await Deno.open(temp.path);
  let readBytes = 0;
  const read = handle.read.bind(handle);
  handle.read = (p) => {
    readBytes += p.length;
    return read(p);
  };
  const status: SendStatus = { sentBytes: 0, mayHaveSent: false };
  const bufferBytes = 100_000;
  const sending = sendFile(client, handle, { bufferBytes, status, timeoutMs: 300 });
  const error = await assertRejects(() => sending, TimeoutError);
  assertEquals(error.phase, "send file");
  assert(status.sentBytes > 0 && status.mayHaveSent);
  assert(readBytes - status.sentBytes <= 2 * bufferBytes, `${readBytes} ${status.sentBytes}`);
  assert(
    await assertRejects(() => client.read(new Uint8Array(1))) instanceof
      Deno.errors.BadResource,
  );
  server.close();
});

Deno.test("sendFile() leaves nothing behind wherever it is cancelled", async () => {
  const count = await cancelEverywhere(async ({ bounds, watch }) => {
    const [client, server] = memoryPipe({ highWaterMarkBytes: 100 });
    const received = collect(server);
    const handle = new MemoryFile(BYTES.slice(0, 400));
    handle.maxCallBytes = 70;
    const transport = watch(client);
    try {
      await sendFile(transport, handle, { ...bounds, bufferBytes: 120 });
      transport.close();
    } finally {
      assertEquals([handle.busy, handle.overlapCount, handle.count("close")], [false, 0, 0]);
      await received;
    }
  });
  assert(count > 100, `${count}`);
});

for (let call = 0; call < 6; call++) {
  Deno.test(`sendFile() ends when it is cancelled in call ${call} of the file`, async () => {
    const handle = new MemoryFile(BYTES);
    const controller = new AbortController();
    const reason = new Error("enough");
    handle.onCall = () => {
      if (handle.count("stat") + handle.count("read") === call + 1) controller.abort(reason);
    };
    const transport = new SinkTransport();
    const { signal } = controller;
    const sending = sendFile(transport, handle, { signal, bufferBytes: 200 });
    assert(await assertRejects(() => sending) === reason);
    assertEquals([handle.count("stat") + handle.count("read"), handle.busy], [call + 1, false]);
    assertEquals(transport.writeCount, Math.max(0, call - 1));
    assert(transport.closedCount > 0);
  });
}

Deno.test("sendFile() closes a file of its own in whichever write it is cancelled", async () => {
  await using temp = await TempFile.make(BYTES);
  const reason = new Error("enough");
  for (let write = 0; write < 5; write++) {
    const controller = new AbortController();
    const transport = new SinkTransport();
    transport.onWrite = (index) => {
      if (index === write) controller.abort(reason);
    };
    const { signal } = controller;
    const sending = sendFile(transport, temp.path, { signal, bufferBytes: 200 });
    assert(await assertRejects(() => sending) === reason);
    assertEquals(transport.writeCount, write + 1);
  }
});

Deno.test("sendFile() neither opens nor writes when it has been cancelled before", async () => {
  const transport = new SinkTransport();
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const sending = sendFile(transport, "./there/is/no/such/file", { signal });
  assert(await assertRejects(() => sending) === reason);
  assertEquals([transport.closedCount, transport.writeCount], [1, 0]);
});

for (const kind of ["signal", "deadline"]) {
  Deno.test(`sendFile() does not wait for others at a file when cancelled by ${kind}`, async () => {
    const handle = new MemoryFile(BYTES);
    const gate = Promise.withResolvers<void>();
    handle.onCall = () => gate.promise;
    const file = new PositionalFile(handle);
    const other = file.readAt(new Uint8Array(1), 7);
    await turns();
    const clock = new ManualClock();
    const controller = new AbortController();
    const transport = new SinkTransport();
    const sending = sendFile(transport, file, {
      signal: controller.signal,
      timeoutMs: 1_000,
      wheel: new DeadlineWheel(clock),
    });
    const settled = sending.catch((error) => error);
    await turns();
    assertEquals(file.waiterCount, 1);
    if (kind === "signal") controller.abort(new Error("enough"));
    else clock.advance(1_200);
    const error = await settled;
    assertEquals(error instanceof TimeoutError, kind === "deadline");
    assertEquals([file.waiterCount, transport.closedCount > 0], [0, true]);
    gate.resolve();
    await other;
    assertEquals(handle.calls, ["seek 7", "read 1"]);
  });
}

for (
  const options of [
    { offset: -1 },
    { offset: 0.5 },
    { offset: NaN },
    { offset: 2 ** 53 },
    { length: -1 },
    { length: Infinity },
    { bufferBytes: 0 },
    { bufferBytes: 2 ** 30 + 1 },
    { bufferBytes: NaN },
  ]
) {
  Deno.test(`sendFile() refuses ${Object.entries(options)}`, async () => {
    const transport = new SinkTransport();
    const handle = new MemoryFile(BYTES);
    await assertRejects(() => sendFile(transport, handle, options), RangeError);
    assertEquals([transport.closedCount, handle.calls], [0, []]);
  });
}
