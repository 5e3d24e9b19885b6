import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { FileError } from "../../nbio/file_error.ts";
import { readEntireFile } from "../../nbio/read_entire_file.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { MemoryFile } from "../_support/memory_file.ts";

const MIB = 1_048_576;

/** A directory with one file in it, both removed in the end. */
class TempFile implements AsyncDisposable {
  readonly directory: string;
  readonly path: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.path = `${directory}/file`;
  }

  static async make(bytes: Uint8Array = new Uint8Array(0)): Promise<TempFile> {
    const temp = new TempFile(await Deno.makeTempDir({ prefix: "nbio_read_" }));
    await Deno.writeFile(temp.path, bytes);
    return temp;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Tells a test of every call on a file that is opened, once it is under way. */
class OpenSpy implements Disposable {
  readonly #open: typeof Deno.open;

  constructor(onCall: (call: string) => void) {
    const open = this.#open = Deno.open;
    const told = <T>(call: string, operate: () => T) => (): T => {
      const result = operate();
      onCall(call);
      return result;
    };
    Deno.open = async (path, options) => {
      const file = await told("open", () => open(path, options))();
      const read = file.read.bind(file);
      file.read = (p) => told("read", () => read(p))();
      file.stat = told("stat", file.stat.bind(file));
      file.close = told("close", file.close.bind(file));
      return file;
    };
  }

  [Symbol.dispose](): void {
    Deno.open = this.#open;
  }
}

/** Whether a file can be made that this process may not read. */
const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

for (const length of [0, 1, 65_535, 65_536, 65_537, MIB, MIB + 1, 3 * MIB + 7]) {
  Deno.test(`readEntireFile() reads a file of ${length} bytes`, async () => {
    const bytes = new SeededRandom(length).bytes(length);
    await using temp = await TempFile.make(bytes);
    const read = await readEntireFile(temp.path);
    assertEquals(read.every((byte, index) => byte === bytes[index]), true);
    assertEquals([read.length, read.buffer.byteLength], [length, length]);
  });
}

Deno.test("readEntireFile() takes a URL", async () => {
  await using temp = await TempFile.make(Uint8Array.of(1, 2));
  assertEquals([...await readEntireFile(new URL(`file://${temp.path}`))], [1, 2]);
});

for (const statedSize of [0, 1, 99, 100, 101, 5_000, -1, NaN, 0.5]) {
  for (const maxCallBytes of [Infinity, 7, 1]) {
    Deno.test(`readEntireFile() reads 100 bytes of a file that says ${statedSize}, ${maxCallBytes} a call`, async () => {
      const handle = new MemoryFile(new SeededRandom(1).bytes(100));
      Object.assign(handle, { statedSize, maxCallBytes });
      const read = await readEntireFile(handle);
      assertEquals(read, handle.bytes);
      assertEquals([read.buffer.byteLength, handle.count("close")], [100, 0]);
    });
  }
}

Deno.test("readEntireFile() gives a file that says its size memory of just that size, in one read", async () => {
  const handle = new MemoryFile(new Uint8Array(1_000));
  await readEntireFile(handle);
  assertEquals(handle.calls, ["stat", "read 1000", "read 1"]);
});

Deno.test("readEntireFile() reads a file that has no size", {
  ignore: Deno.build.os !== "linux", // Only there is a /proc.
}, async () => {
  assertEquals((await Deno.stat("/proc/self/status")).size, 0);
  const text = new TextDecoder().decode(await readEntireFile("/proc/self/status"));
  assert(text.includes(`Pid:\t${Deno.pid}\n`));
});

for (
  const [name, length, maxBytes] of [
    ["one byte less than", 9, 10],
    ["exactly", 10, 10],
    ["exactly 0 bytes without", 0, 0],
    ["a file without", 10, 0],
    ["a file without", 10, Infinity],
  ] as const
) {
  for (const statedSize of [undefined, 0]) {
    Deno.test(`readEntireFile() reads ${name} the limit ${maxBytes}, stating ${statedSize}`, async () => {
      const handle = new MemoryFile(new Uint8Array(length));
      Object.assign(handle, { statedSize });
      assertEquals((await readEntireFile(handle, { maxBytes })).length, length);
    });
  }
}

Deno.test("readEntireFile() refuses a file over the limit before it reads", async () => {
  const handle = new MemoryFile(new Uint8Array(11));
  const error = await assertRejects(
    () => readEntireFile(handle, { maxBytes: 10 }),
    LimitExceededError,
  );
  assertEquals([error.limit, error.max, handle.calls], ["maxBytes", 10, ["stat"]]);
});

for (const statedSize of [0, 5, 10]) {
  Deno.test(`readEntireFile() refuses a file over the limit that says ${statedSize}`, async () => {
    const handle = new MemoryFile(new Uint8Array(1_000_000));
    handle.statedSize = statedSize;
    const error = await assertRejects(
      () => readEntireFile(handle, { maxBytes: 10 }),
      LimitExceededError,
    );
    assertEquals([error.limit, error.max], ["maxBytes", 10]);
    const readBytes = handle.calls.slice(1).reduce((sum, call) => sum + Number(call.slice(5)), 0);
    assertEquals(readBytes, 11);
  });
}

Deno.test("readEntireFile() refuses a file that has no end", {
  ignore: Deno.build.os === "windows", // There is no /dev/zero.
}, async () => {
  const reading = (): Promise<unknown> => readEntireFile("/dev/zero", { maxBytes: 3 * MIB });
  assertEquals((await assertRejects(reading, LimitExceededError)).max, 3 * MIB);
});

Deno.test("readEntireFile() has a limit by default", async () => {
  const handle = new MemoryFile();
  handle.statedSize = 64 * MIB + 1;
  const error = await assertRejects(() => readEntireFile(handle), LimitExceededError);
  assertEquals([error.max, handle.calls], [64 * MIB, ["stat"]]);
});

Deno.test("readEntireFile() says it if a file without limit is larger than memory", async () => {
  const handle = new MemoryFile();
  handle.statedSize = 2 ** 52;
  const reading = (): Promise<unknown> => readEntireFile(handle, { maxBytes: Infinity });
  const error = await assertRejects(reading, FileError);
  assertEquals([error.step, error.cause instanceof RangeError], ["read", true]);
});

for (const maxBytes of [undefined, 3 * MIB]) {
  Deno.test(`readEntireFile() reads a real file that grows to the limit ${maxBytes}`, async () => {
    await using temp = await TempFile.make(new Uint8Array(2 * MIB));
    let grown = false;
    const bytes = await readEntireFile(temp.path, {
      ...(maxBytes && { maxBytes }),
      onProgress() {
        if (!grown) Deno.writeFileSync(temp.path, new Uint8Array(MIB).fill(1), { append: true });
        grown = true;
      },
    });
    assertEquals([bytes.length, bytes[2 * MIB - 1], bytes[2 * MIB]], [3 * MIB, 0, 1]);
  });
}

Deno.test("readEntireFile() refuses a real file that grows over the limit", async () => {
  await using temp = await TempFile.make(new Uint8Array(2 * MIB));
  const reading = readEntireFile(temp.path, {
    maxBytes: 2 * MIB,
    onProgress: () => Deno.writeFileSync(temp.path, Uint8Array.of(1), { append: true }),
  });
  assertEquals((await assertRejects(() => reading, LimitExceededError)).limit, "maxBytes");
});

Deno.test("readEntireFile() reads what is left of a real file that shrinks", async () => {
  await using temp = await TempFile.make(new Uint8Array(3 * MIB));
  const bytes = await readEntireFile(temp.path, {
    onProgress: () => Deno.truncateSync(temp.path, MIB + 5),
  });
  assertEquals([bytes.length, bytes.buffer.byteLength], [MIB + 5, MIB + 5]);
});

Deno.test("readEntireFile() tells progress, which only rises", async () => {
  await using temp = await TempFile.make(new Uint8Array(2 * MIB + 1));
  const told: [number, number][] = [];
  await readEntireFile(temp.path, { onProgress: (...progress) => told.push(progress) });
  const size = 2 * MIB + 1;
  assertEquals(told, [[MIB, size], [2 * MIB, size], [size, size]]);
});

Deno.test("readEntireFile() tells no progress of an empty file", async () => {
  const onProgress = (): never => {
    throw new Error("nothing was read");
  };
  assertEquals((await readEntireFile(new MemoryFile(), { onProgress })).length, 0);
});

Deno.test("readEntireFile() rejects with what onProgress throws, and closes the file", async () => {
  await using temp = await TempFile.make(new Uint8Array(5));
  const failure = new Error("stop it");
  const onProgress = (): never => {
    throw failure;
  };
  assert(await assertRejects(() => readEntireFile(temp.path, { onProgress })) === failure);
});

Deno.test("readEntireFile() says that a file is missing", async () => {
  await using temp = await TempFile.make();
  const error = await assertRejects(() => readEntireFile(`${temp.path}.no`), FileError);
  assertEquals([error.code, error.step, error.path], [
    "ERR_NET_FILE",
    "open",
    `${temp.path}.no`,
  ]);
  assert(error.cause instanceof Deno.errors.NotFound);
});

Deno.test("readEntireFile() says that a directory cannot be read", {
  ignore: Deno.build.os === "windows", // There a directory cannot even be opened.
}, async () => {
  await using temp = await TempFile.make();
  const error = await assertRejects(() => readEntireFile(temp.directory), FileError);
  assertEquals([error.step, error.cause instanceof Deno.errors.IsADirectory], ["read", true]);
});

Deno.test(`readEntireFile() says that a file may not be read${isRoot ? " (root may)" : ""}`, {
  // On Windows a mode means nothing, and to root no mode forbids anything.
  ignore: isRoot || Deno.build.os === "windows",
}, async () => {
  await using temp = await TempFile.make();
  await Deno.chmod(temp.path, 0);
  const error = await assertRejects(() => readEntireFile(temp.path), FileError);
  assertEquals([error.step, error.cause instanceof Deno.errors.PermissionDenied], ["open", true]);
});

Deno.test("readEntireFile() says that it has no permission", {
  permissions: { read: false },
}, async () => {
  const error = await assertRejects(() => readEntireFile("./file"), FileError);
  assertEquals([error.step, error.cause instanceof Deno.errors.NotCapable], ["open", true]);
});

for (const [step, failing] of [["stat", "stat"], ["read", "read 10"], ["read", "read 1"]]) {
  Deno.test(`readEntireFile() says that ${failing} failed`, async () => {
    const handle = new MemoryFile(new Uint8Array(10));
    const cause = new Deno.errors.Busy("no");
    handle.onCall = (call) => {
      if (call === failing) throw cause;
    };
    const error = await assertRejects(() => readEntireFile(handle), FileError);
    assertEquals([error.step, error.path, handle.calls.at(-1)], [step, undefined, failing]);
    assert(error.cause === cause);
  });
}

Deno.test("readEntireFile() says that closing failed", async () => {
  await using temp = await TempFile.make();
  const cause = new Deno.errors.BadResource("gone");
  using _spy = new OpenSpy((call) => {
    if (call === "close") throw cause;
  });
  const error = await assertRejects(() => readEntireFile(temp.path), FileError);
  assertEquals([error.step, error.cause], ["close", cause]);
});

for (const count of [-1, 0.5, 11, NaN]) {
  Deno.test(`readEntireFile() rejects when the file counts ${count} of 10 bytes`, async () => {
    const handle = new MemoryFile(new Uint8Array(10));
    handle.counts.push(count);
    const error = await assertRejects(() => readEntireFile(handle), FileError);
    assertEquals([error.step, error.cause instanceof TypeError], ["read", true]);
  });
}

for (const maxBytes of [-1, 0.5, NaN]) {
  Deno.test(`readEntireFile() refuses a limit of ${maxBytes}`, async () => {
    const handle = new MemoryFile();
    await assertRejects(() => readEntireFile(handle, { maxBytes }), RangeError);
    assertEquals(handle.calls, []);
  });
}

Deno.test("readEntireFile() opens nothing when it has been aborted", async () => {
  const reason = new Error("enough");
  const reading = readEntireFile("./there/is/no/such/file", { signal: AbortSignal.abort(reason) });
  assert(await assertRejects(() => reading) === reason);
});

for (let call = 0; call < 5; call++) {
  Deno.test(`readEntireFile() stops when it is aborted in call ${call} of a file handed in`, async () => {
    const handle = new MemoryFile(new Uint8Array(3 * MIB));
    const controller = new AbortController();
    const reason = new Error("enough");
    handle.onCall = (_, index) => {
      if (index === call) controller.abort(reason);
    };
    const reading = readEntireFile(handle, { signal: controller.signal });
    assert(await assertRejects(() => reading) === reason);
    assertEquals([handle.calls.length, handle.busy], [call + 1, false]);
  });
}

for (let call = 0; call < 5; call++) {
  Deno.test(`readEntireFile() stops when it is aborted in call ${call} of a file of its own`, async () => {
    await using temp = await TempFile.make(new Uint8Array(2 * MIB));
    const controller = new AbortController();
    const reason = new Error("enough");
    const calls: string[] = [];
    using _spy = new OpenSpy((name) => {
      if (name === "close") return;
      calls.push(name);
      if (calls.length === call + 1) controller.abort(reason);
    });
    const reading = readEntireFile(temp.path, { signal: controller.signal });
    assert(await assertRejects(() => reading) === reason);
    assertEquals(calls, ["open", "stat", "read", "read", "read"].slice(0, call + 1));
  });
}

Deno.test("readEntireFile() stops at its deadline", async () => {
  const clock = new ManualClock();
  const handle = new MemoryFile(new Uint8Array(10));
  handle.onCall = () => clock.advance(600);
  const options = { timeoutMs: 1_000, wheel: new DeadlineWheel(clock) };
  const error = await assertRejects(() => readEntireFile(handle, options), TimeoutError);
  assertEquals([error.phase, handle.calls], ["read file", ["stat", "read 10"]]);
});

Deno.test("readEntireFile() gives up a named pipe into which nobody writes", {
  ignore: Deno.build.os === "windows", // There is no mkfifo.
}, async () => {
  await using temp = await TempFile.make();
  const path = `${temp.directory}/pipe`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  // With both ends open, neither opening nor reading ends by itself.
  using _writer = await Deno.open(path, { read: true, write: true });
  const controller = new AbortController();
  const reason = new Error("enough");
  using _spy = new OpenSpy((call) => {
    if (call === "read") controller.abort(reason);
  });
  const reading = readEntireFile(path, { signal: controller.signal });
  assert(await assertRejects(() => reading) === reason);
});
