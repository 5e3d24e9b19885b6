import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileBody, type FileBodyOptions } from "../../http/file_body.ts";
import {
  type FileBodyPlan,
  planMultipartRanges,
  planSinglePart,
} from "../../http/file_multipart.ts";
import { FileError } from "../../nbio/file_error.ts";
import { PositionalFile } from "../../nbio/positional_file.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { MemoryFile } from "../_support/memory_file.ts";

const CONTENT = new SeededRandom(3).bytes(700_000);

function bodyOf(plan: FileBodyPlan, options: Partial<FileBodyOptions> = {}) {
  const handle = new MemoryFile(CONTENT.slice());
  const body = new FileBody(new PositionalFile(handle), plan, {
    pieceBytes: 262_144,
    onProgress: undefined,
    signal: new AbortController().signal,
    isSentAsItIs: () => false,
    ...options,
  });
  return { handle, body };
}

async function collect(body: FileBody): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of body) for (const byte of piece) bytes.push(byte);
  return bytes;
}

Deno.test("FileBody gives the part that was planned and closes the file", async () => {
  for (const isLent of [false, true]) {
    const { handle, body } = bodyOf(planSinglePart(1, 600_000), { isSentAsItIs: () => isLent });
    assertEquals(await collect(body), [...CONTENT.subarray(1, 600_001)]);
    assertEquals(handle.count("close"), 1);
    assertEquals(handle.overlapCount, 0);
  }
});

Deno.test("FileBody gives as many bytes as its plan says, heads and tail included", async () => {
  const ranges = [{ first: 5, last: 9 }, { first: 0, last: 0 }];
  const plan = planMultipartRanges(ranges, { sizeBytes: 700_000, type: "a/b", boundary: "B" });
  const told: number[] = [];
  const { body } = bodyOf(plan, { onProgress: (sentBytes) => told.push(sentBytes) });
  assertEquals((await collect(body)).length, plan.length);
  assertEquals(told.at(-1), plan.length);
  assertEquals(told, told.toSorted((a, b) => a - b));
});

Deno.test("FileBody gives pieces of their own, unless it is sent as it is", async () => {
  const own = bodyOf(planSinglePart(0, 600_000), { pieceBytes: 65_536 });
  const kept: Uint8Array[] = [];
  for await (const piece of own.body) kept.push(piece);
  assertEquals(new Set(kept.map(({ buffer }) => buffer)).size, kept.length);
  const lent = bodyOf(planSinglePart(0, 600_000), { pieceBytes: 65_536, isSentAsItIs: () => true });
  const used = new Set<unknown>();
  for await (const piece of lent.body) used.add(piece.buffer);
  assertEquals(used.size, 1);
});

Deno.test("FileBody lends no buffer again whose piece may still be under way", async () => {
  const options = { isSentAsItIs: () => true };
  const first = bodyOf(planSinglePart(0, 600_000), options).body;
  const { value } = await first.next();
  await first.return();
  const used = new Set<unknown>();
  for await (const piece of bodyOf(planSinglePart(0, 600_000), options).body) {
    used.add(piece.buffer);
  }
  assert(!used.has((value as Uint8Array).buffer));
});

Deno.test("FileBody fails where the file ends early, and closes it", async () => {
  const { handle, body } = bodyOf(planSinglePart(0, 700_001));
  const error = await assertRejects(() => collect(body), FileError);
  assertEquals([error.code, handle.count("close")], ["ERR_NET_FILE_ENDED", 1]);
});

Deno.test("FileBody closes the file when it is ended, begun or not, and when it is aborted", async () => {
  const ended = bodyOf(planSinglePart(0, 10));
  await ended.body.return();
  await ended.body.return();
  assertEquals(ended.handle.count("close"), 1);
  const begun = bodyOf(planSinglePart(0, 600_000));
  await begun.body.next();
  await begun.body.return();
  assertEquals(begun.handle.count("close"), 1);
  const stop = new AbortController();
  const aborted = bodyOf(planSinglePart(0, 10), { signal: stop.signal });
  stop.abort();
  await aborted.body.return();
  assertEquals(aborted.handle.count("close"), 1);
});

Deno.test("FileBody ends with what onProgress throws", async () => {
  const failure = new Error("enough");
  const { handle, body } = bodyOf(planSinglePart(0, 600_000), {
    onProgress: () => {
      throw failure;
    },
  });
  assertEquals(await assertRejects(() => collect(body), Error), failure);
  assertEquals(handle.count("close"), 1);
});
