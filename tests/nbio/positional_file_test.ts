import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { FileError, type FileStep } from "../../nbio/file_error.ts";
import { PositionalFile } from "../../nbio/positional_file.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { MemoryFile } from "../_support/memory_file.ts";

/** Bytes of which each tells its place. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8));
}

/** A file that is removed in the end. */
class TempFile implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(bytes: Uint8Array = new Uint8Array(0)): Promise<TempFile> {
    const path = await Deno.makeTempFile({ prefix: "nbio_positional_" });
    await Deno.writeFile(path, bytes);
    return new TempFile(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path);
  }
}

/** A file whose calls wait until they are let go, one by one or all. */
function heldFile(bytes: Uint8Array<ArrayBuffer>): { handle: MemoryFile; release: () => void } {
  const handle = new MemoryFile(bytes);
  const gate = Promise.withResolvers<void>();
  handle.onCall = () => gate.promise;
  return { handle, release: gate.resolve };
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

for (
  const [name, offset, length, expected] of [
    ["the beginning", 0, 4, 4],
    ["the middle", 90, 5, 5],
    ["exactly to the end", 90, 10, 10],
    ["one byte over the end", 90, 11, 10],
    ["the last byte", 99, 5, 1],
    ["the end", 100, 5, 0],
    ["beyond the end", 5_000, 5, 0],
    ["nothing", 50, 0, 0],
  ] as const
) {
  for (const maxCallBytes of [Infinity, 3, 1]) {
    Deno.test(`PositionalFile.readAt() reads ${name}, ${maxCallBytes} bytes a call`, async () => {
      const handle = new MemoryFile(pattern(100));
      handle.maxCallBytes = maxCallBytes;
      const p = new Uint8Array(length).fill(0xee);
      assertEquals(await new PositionalFile(handle).readAt(p, offset), expected);
      assertEquals(p.subarray(0, expected), pattern(100).subarray(offset, offset + expected));
      assert(p.subarray(expected).every((byte) => byte === 0xee));
    });
  }
}

for (const maxCallBytes of [Infinity, 3, 1]) {
  Deno.test(`PositionalFile.writeAt() writes all, ${maxCallBytes} bytes a call`, async () => {
    const handle = new MemoryFile(new Uint8Array(8));
    handle.maxCallBytes = maxCallBytes;
    const file = new PositionalFile(handle);
    await file.writeAt(pattern(10), 3);
    assertEquals(handle.bytes, Uint8Array.of(0, 0, 0, ...pattern(10)));
  });
}

Deno.test("PositionalFile.writeAt() of nothing does not make the file longer", async () => {
  await using temp = await TempFile.make(pattern(3));
  await using file = await PositionalFile.open(temp.path, { write: true });
  await file.writeAt(new Uint8Array(0), 100);
  assertEquals(await file.size(), 3);
});

Deno.test("PositionalFile works on a real file", async () => {
  await using temp = await TempFile.make(pattern(10));
  await using file = await PositionalFile.open(temp.path, { write: true });
  await file.writeAt(Uint8Array.of(1, 2), 20);
  assertEquals(await file.size(), 22);
  const p = new Uint8Array(100);
  assertEquals(await file.readAt(p, 8), 14);
  assertEquals([...p.subarray(0, 14)], [...pattern(10).subarray(8), ...Array(10).fill(0), 1, 2]);
  await file.truncate(4);
  assertEquals([await file.size(), await file.readAt(p, 2)], [4, 2]);
  await file.truncate(6);
  await file.sync();
  assertEquals(await Deno.readFile(temp.path), Uint8Array.of(...pattern(4), 0, 0));
});

Deno.test("PositionalFile.readAt() gives 200 parallel callers what they asked for", async () => {
  const random = new SeededRandom(200);
  const content = random.bytes(1 << 20);
  await using temp = await TempFile.make(content);
  await using file = await PositionalFile.open(temp.path);
  await Promise.all(Array.from({ length: 200 }, async () => {
    const offset = random.int(content.length);
    const p = new Uint8Array(random.int(20_000));
    const byteCount = await file.readAt(p, offset);
    assertEquals(byteCount, Math.min(p.length, content.length - offset));
    assertEquals(p.subarray(0, byteCount), content.subarray(offset, offset + byteCount));
  }));
});

Deno.test("PositionalFile.readAt() sees the writes asked for before it, and no later ones", async () => {
  await using temp = await TempFile.make();
  await using file = await PositionalFile.open(temp.path, { write: true });
  const seen: Promise<number>[] = [];
  for (let value = 1; value <= 50; value++) {
    void file.writeAt(Uint8Array.of(value), 0);
    const p = new Uint8Array(1);
    seen.push(file.readAt(p, 0).then(() => p[0]!));
  }
  assertEquals(await Promise.all(seen), Array.from({ length: 50 }, (_, index) => index + 1));
});

Deno.test("PositionalFile never lets two operations overlap", async () => {
  const random = new SeededRandom(4);
  const handle = new MemoryFile(pattern(1_000));
  handle.maxCallBytes = 7;
  const file = new PositionalFile(handle);
  await Promise.all(Array.from({ length: 100 }, () => {
    const offset = random.int(1_000);
    const p = new Uint8Array(random.int(30));
    return random.next() < 0.5 ? file.readAt(p, offset) : file.writeAt(p, offset);
  }));
  assertEquals([handle.overlapCount, handle.count("seek")], [0, 100]);
});

/** Does the same to a file and to an array, and compares. */
async function compareWithModel(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  await using temp = await TempFile.make();
  await using file = await PositionalFile.open(temp.path, { write: true });
  let model = new Uint8Array(0);
  const resize = (length: number): void => {
    model = new Uint8Array(model.buffer.transfer(length));
  };
  for (let batch = 0; batch < 20; batch++) {
    const pending: Promise<void>[] = [];
    for (let index = 0; index < 20; index++) {
      const offset = random.int(3_000);
      const kind = random.int(10);
      if (kind < 4) {
        const bytes = random.bytes(random.int(500));
        if (bytes.length > 0 && offset + bytes.length > model.length) resize(offset + bytes.length);
        if (bytes.length > 0) model.set(bytes, offset);
        pending.push(file.writeAt(bytes, offset));
      } else if (kind < 8) {
        const p = new Uint8Array(random.int(500));
        const expected = model.slice(offset, offset + p.length);
        pending.push(
          file.readAt(p, offset).then((byteCount) => {
            assertEquals(p.subarray(0, byteCount), expected, `seed ${seed}`);
          }),
        );
      } else if (kind < 9) {
        const { length } = model;
        pending.push(file.size().then((size) => assertEquals(size, length, `seed ${seed}`)));
      } else {
        resize(offset);
        pending.push(file.truncate(offset));
      }
    }
    await Promise.all(pending);
  }
  assertEquals(await Deno.readFile(temp.path), model);
}

Deno.test("PositionalFile behaves as an array does, in every order", async () => {
  for (let seed = 1; seed <= 5; seed++) await compareWithModel(seed);
});

Deno.test("PositionalFile never runs an operation that was cancelled in the queue", async () => {
  const { handle, release } = heldFile(pattern(10));
  const file = new PositionalFile(handle);
  const controller = new AbortController();
  const reason = new Error("enough");
  const first = file.readAt(new Uint8Array(1), 1);
  const second = file.writeAt(Uint8Array.of(99), 2, { signal: controller.signal });
  const third = file.readAt(new Uint8Array(1), 3);
  await turns();
  assertEquals(file.waiterCount, 2);
  controller.abort(reason);
  assert(await assertRejects(() => second) === reason);
  assertEquals(file.waiterCount, 1);
  release();
  await Promise.all([first, third]);
  assertEquals(handle.calls, ["seek 1", "read 1", "seek 3", "read 1"]);
});

Deno.test("PositionalFile finishes an operation that is cancelled while it runs", async () => {
  const { handle, release } = heldFile(pattern(10));
  const file = new PositionalFile(handle);
  const controller = new AbortController();
  const first = file.writeAt(Uint8Array.of(99), 2, { signal: controller.signal });
  const second = file.readAt(new Uint8Array(1), 3);
  await turns();
  controller.abort();
  await turns();
  assertEquals(handle.calls, ["seek 2", "write 1"]);
  release();
  await first;
  await second;
  assertEquals([handle.bytes[2], handle.overlapCount], [99, 0]);
});

Deno.test("PositionalFile refuses an operation that was cancelled before, or as its turn came", async () => {
  const handle = new MemoryFile(pattern(10));
  const file = new PositionalFile(handle);
  const reason = new Error("enough");
  const p = new Uint8Array(1);
  const before = file.readAt(p, 0, { signal: AbortSignal.abort(reason) });
  assert(await assertRejects(() => before) === reason);
  const controller = new AbortController();
  const during = file.readAt(p, 0, { signal: controller.signal });
  controller.abort(reason);
  assert(await assertRejects(() => during) === reason);
  assertEquals(handle.calls, []);
  assertEquals(await file.readAt(p, 4), 1);
});

Deno.test("PositionalFile keeps nothing of 10,000 cancelled operations", async () => {
  const { handle, release } = heldFile(pattern(10));
  const file = new PositionalFile(handle, { maxWaiters: 10 });
  const first = file.readAt(new Uint8Array(1), 0);
  await turns();
  for (let index = 0; index < 10_000; index++) {
    const controller = new AbortController();
    const read = file.readAt(new Uint8Array(1), 0, { signal: controller.signal });
    controller.abort();
    await assertRejects(() => read);
  }
  assertEquals(file.waiterCount, 0);
  release();
  await first;
  assertEquals(handle.count("read"), 1);
});

for (const maxWaiters of [1, 3]) {
  Deno.test(`PositionalFile refuses one more than ${maxWaiters} that wait`, async () => {
    const { handle, release } = heldFile(pattern(10));
    const file = new PositionalFile(handle, { maxWaiters });
    const p = new Uint8Array(1);
    const accepted = Array.from({ length: maxWaiters + 1 }, () => file.readAt(p, 0));
    const error = await assertRejects(() => file.readAt(p, 0), LimitExceededError);
    assertEquals([error.limit, error.max], ["maxWaiters", maxWaiters]);
    const closed = file.close();
    release();
    await Promise.all(accepted);
    await closed;
    assertEquals([handle.count("read"), handle.count("close")], [maxWaiters + 1, 1]);
  });
}

Deno.test("PositionalFile takes any number that wait where there is no limit", async () => {
  for (const maxWaiters of [0, Infinity]) {
    const handle = new MemoryFile(pattern(10));
    const file = new PositionalFile(handle, { maxWaiters });
    await Promise.all(Array.from({ length: 12_000 }, () => file.readAt(new Uint8Array(1), 0)));
    assertEquals(handle.count("read"), 12_000);
  }
});

Deno.test("PositionalFile.close() waits for what was asked for and refuses the rest", async () => {
  const { handle, release } = heldFile(new Uint8Array(0));
  const file = new PositionalFile(handle);
  const written = [file.writeAt(Uint8Array.of(1), 0), file.writeAt(Uint8Array.of(2), 1)];
  const closed = file.close();
  assert(file.close() === closed);
  assert(file[Symbol.asyncDispose]() === closed);
  const refused: [FileStep, () => Promise<unknown>][] = [
    ["read", () => file.readAt(new Uint8Array(1), 0)],
    ["write", () => file.writeAt(new Uint8Array(1), 0)],
    ["stat", () => file.size()],
    ["truncate", () => file.truncate(0)],
    ["sync", () => file.sync()],
  ];
  for (const [step, operate] of refused) {
    const error = await assertRejects(operate, FileError);
    assertEquals([error.code, error.step], ["ERR_NET_FILE_CLOSED", step]);
  }
  await turns();
  assertEquals(handle.count("close"), 0);
  release();
  await Promise.all(written);
  await closed;
  assertEquals([[...handle.bytes], handle.calls.at(-1)], [[1, 2], "close"]);
});

for (const step of ["seek", "read", "write", "stat", "truncate", "sync"] as const) {
  Deno.test(`PositionalFile says that ${step} failed, and goes on`, async () => {
    const handle = new MemoryFile(pattern(10));
    const file = new PositionalFile(handle, { path: "a.txt" });
    const cause = new Deno.errors.PermissionDenied("no");
    let failed = false;
    const fail = (call: string): void => {
      if (!call.startsWith(step) || failed) return;
      failed = true;
      throw cause;
    };
    handle.onCall = fail;
    handle.onSeek = () => fail("seek");
    const operate = (): Promise<unknown> => {
      if (step === "write") return file.writeAt(Uint8Array.of(1), 0);
      if (step === "stat") return file.size();
      if (step === "truncate") return file.truncate(5);
      if (step === "sync") return file.sync();
      return file.readAt(new Uint8Array(2), 0);
    };
    const error = await assertRejects(operate, FileError);
    assertEquals([error.code, error.step, error.path], ["ERR_NET_FILE", step, "a.txt"]);
    assert(error.cause === cause);
    await operate();
  });
}

Deno.test("PositionalFile.close() says that closing failed", async () => {
  const handle = new MemoryFile();
  handle.close = () => {
    throw new Deno.errors.BadResource("gone");
  };
  const error = await assertRejects(() => new PositionalFile(handle).close(), FileError);
  assertEquals(error.step, "close");
});

for (const count of [-1, 0.5, 11, NaN]) {
  Deno.test(`PositionalFile rejects when the file counts ${count} of 10 bytes`, async () => {
    const handle = new MemoryFile(pattern(100));
    const file = new PositionalFile(handle);
    handle.counts.push(count);
    const error = await assertRejects(() => file.readAt(new Uint8Array(10), 0), FileError);
    assertEquals([error.step, error.cause instanceof TypeError], ["read", true]);
    handle.counts.push(count);
    const second = await assertRejects(() => file.writeAt(new Uint8Array(10), 0), FileError);
    assertEquals([second.step, second.cause instanceof TypeError], ["write", true]);
  });
}

Deno.test("PositionalFile.writeAt() rejects when the file takes nothing, twice in a row", async () => {
  const handle = new MemoryFile();
  handle.maxCallBytes = 0;
  const file = new PositionalFile(handle);
  const error = await assertRejects(() => file.writeAt(new Uint8Array(10), 0), FileError);
  assertEquals([error.step, handle.count("write")], ["write", 2]);
});

for (const place of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
  Deno.test(`PositionalFile refuses the place ${place}`, async () => {
    const handle = new MemoryFile();
    const file = new PositionalFile(handle);
    await assertRejects(() => file.readAt(new Uint8Array(1), place), RangeError);
    await assertRejects(() => file.writeAt(new Uint8Array(1), place), RangeError);
    await assertRejects(() => file.truncate(place), RangeError);
    assertEquals(handle.calls, []);
  });
}

for (const maxWaiters of [-1, 0.5, NaN]) {
  Deno.test(`PositionalFile refuses a maxWaiters of ${maxWaiters}`, async () => {
    assertThrows(() => new PositionalFile(new MemoryFile(), { maxWaiters }), RangeError);
    await assertRejects(() => PositionalFile.open("./nowhere", { maxWaiters }), RangeError);
  });
}

for (
  const options of [{ read: false }, { create: true }, { createNew: true }, { truncate: true }]
) {
  Deno.test(`PositionalFile.open() refuses ${Deno.inspect(options)}`, async () => {
    await assertRejects(() => PositionalFile.open("./nowhere", options), TypeError);
  });
}

Deno.test("PositionalFile.open() says that a file is missing, or there already", async () => {
  await using temp = await TempFile.make();
  const missing = await assertRejects(() => PositionalFile.open(`${temp.path}.no`), FileError);
  assertEquals([missing.step, missing.path], ["open", `${temp.path}.no`]);
  assert(missing.cause instanceof Deno.errors.NotFound);
  const options = { write: true, createNew: true };
  const there = await assertRejects(() => PositionalFile.open(temp.path, options), FileError);
  assert(there.cause instanceof Deno.errors.AlreadyExists);
});

Deno.test("PositionalFile.open() makes and empties files as it is told", async () => {
  await using temp = await TempFile.make(pattern(10));
  await Deno.remove(temp.path);
  const made = await PositionalFile.open(temp.path, { write: true, create: true });
  await made.writeAt(pattern(5), 0);
  await made.close();
  const emptied = await PositionalFile.open(temp.path, { write: true, truncate: true });
  assertEquals(await emptied.size(), 0);
  await emptied.close();
});

Deno.test("PositionalFile.readAt() says that a directory cannot be read", {
  ignore: Deno.build.os === "windows", // There a directory cannot even be opened.
}, async () => {
  const path = await Deno.makeTempDir();
  await using file = await PositionalFile.open(path);
  const error = await assertRejects(() => file.readAt(new Uint8Array(1), 0), FileError);
  assertEquals([error.step, error.cause instanceof Deno.errors.IsADirectory], ["read", true]);
  await Deno.remove(path);
});

Deno.test("PositionalFile.writeAt() says that a file was opened for reading only", async () => {
  await using temp = await TempFile.make();
  await using file = await PositionalFile.open(temp.path);
  const error = await assertRejects(() => file.writeAt(new Uint8Array(1), 0), FileError);
  assertEquals([error.step, error.path], ["write", temp.path]);
});
