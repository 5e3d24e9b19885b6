import { assertEquals, assertRejects } from "@std/assert";
import { chunkStream, readerStream } from "../../http/_chunk_stream.ts";

const PIECES: readonly Uint8Array<ArrayBuffer>[] = [Uint8Array.of(1), Uint8Array.of(2, 3)];

/** A body that notes how often it was read, and that it was closed. */
class NotedBody {
  readCount = 0;
  isClosed = false;
  readonly #error: unknown;

  constructor(error?: unknown) {
    this.#error = error;
  }

  read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const piece = PIECES[this.readCount++];
    if (piece === undefined && this.#error !== undefined) return Promise.reject(this.#error);
    return Promise.resolve(piece);
  }

  close(): void {
    this.isClosed = true;
  }
}

Deno.test("readerStream() gives what is read, and reads nothing ahead", async () => {
  const body = new NotedBody();
  const reader = readerStream(body).getReader();
  assertEquals(body.readCount, 0);
  assertEquals(await reader.read(), { value: PIECES[0]!, done: false });
  assertEquals(body.readCount, 1);
  assertEquals(await reader.read(), { value: PIECES[1]!, done: false });
  assertEquals((await reader.read()).done, true);
  assertEquals(body.isClosed, false);
});

Deno.test("readerStream() closes the body when it is cancelled", async () => {
  const body = new NotedBody();
  await readerStream(body).cancel();
  assertEquals([body.isClosed, body.readCount], [true, 0]);
});

Deno.test("readerStream() fails as reading does", async () => {
  const error = new Error("broken");
  const stream = readerStream(new NotedBody(error));
  const given = await assertRejects(() => new Response(stream).arrayBuffer(), Error);
  assertEquals(given, error);
});

Deno.test("chunkStream() reads nothing ahead, and ends the iterator when it is cancelled", async () => {
  let givenCount = 0;
  let isEnded = false;
  async function* chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    try {
      for (const piece of PIECES) {
        givenCount++;
        yield await Promise.resolve(piece);
      }
    } finally {
      isEnded = true;
    }
  }
  const reader = chunkStream(chunks()).getReader();
  assertEquals(givenCount, 0);
  assertEquals(await reader.read(), { value: PIECES[0]!, done: false });
  assertEquals([givenCount, isEnded], [1, false]);
  await reader.cancel();
  assertEquals(isEnded, true);
});
