import { assert, assertEquals, assertRejects } from "@std/assert";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { Client } from "../../http/client.ts";
import type { ClientProgress } from "../../http/client_progress.ts";
import type { ClientBody } from "../../http/client_request_body.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import type { Handler } from "../../http/server_shared.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { PositionalFile } from "../../nbio/positional_file.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { MemoryFile } from "../_support/memory_file.ts";
import { eventually } from "../_support/peer.ts";
import { originAt, serve, trust } from "../_support/tls_switch.ts";

const LARGE = Uint8Array.from(
  { length: 1_000_000 },
  (_, index) => (index * 31 + index / 253) % 256,
);

async function withServer(
  handler: Handler,
  use: (url: string, client: Client) => Promise<void>,
): Promise<void> {
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0, onError: () => {} });
  await using client = new Client(trust);
  await use(`${originAt((server.addr as Deno.NetAddr).port)}/`, client);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 70_000) {
    yield await Promise.resolve(bytes.subarray(at, at + 70_000));
  }
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

const UPLOADS:
  readonly (readonly [name: string, body: () => ClientBody, length: number | undefined])[] = [
    ["bytes", () => LARGE, LARGE.length],
    ["a blob", () => new Blob([LARGE]), LARGE.length],
    ["a stream", () => ReadableStream.from(pieces(LARGE)), undefined],
    ["a generator", () => pieces(LARGE), undefined],
    ["a file", () => ({ file: new PositionalFile(new MemoryFile(LARGE.slice())) }), undefined],
    ["a file of known length", () => {
      return { file: new PositionalFile(new MemoryFile(LARGE.slice())), length: LARGE.length };
    }, LARGE.length],
  ];

for (const [name, body, length] of UPLOADS) {
  Deno.test(`Client uploads ${name} whole, and tells how far it is`, async () => {
    await withServer(async (ctx) => {
      const bytes = await ctx.body.bytes();
      ctx.json([await hashOf(bytes), ctx.headers.get("content-length") ?? null]);
    }, async (url, client) => {
      const expected = [await hashOf(LARGE), length === undefined ? null : String(length)];
      const plain = await client.post(url, { body: body() });
      assertEquals(await plain.json(), expected);
      const told: ClientProgress[] = [];
      const watched = await client.put(url, {
        body: body(),
        onUploadProgress: (progress) => told.push(progress),
      });
      assertEquals(await watched.json(), expected);
      assertEquals(told.at(-1), { bytes: LARGE.length, totalBytes: length });
      assert(told.length > 1);
    });
  });
}

Deno.test("Client uploads a form with files", async () => {
  await withServer(async (ctx) => {
    const form = await ctx.body.form();
    const file = form.get("file") as File;
    ctx.json([
      form.get("title"),
      file.name,
      await hashOf(await file.bytes()),
      ctx.headers.get("content-length"),
    ]);
  }, async (url, client) => {
    const form = new FormData();
    form.set("title", "Größe\n");
    form.set("file", new File([LARGE], 'a "b".bin'));
    const [title, name, hash, length] = await (await client.post(url, { body: form })).json<
      string[]
    >();
    assertEquals([title, name, hash], ["Größe\r\n", 'a "b".bin', await hashOf(LARGE)]);
    assert(Number(length) > LARGE.length);
  });
});

Deno.test("Client fails with what the source of a body fails with, or a wrong length", async () => {
  await withServer(async (ctx) => {
    await ctx.body.bytes();
    ctx.text("ok");
  }, async (url, client) => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new Uint8Array(10));
      throw new EvalError("source");
    }
    await assertRejects(() => client.post(url, { body: failing() }), EvalError);
    const file = new PositionalFile(new MemoryFile(new Uint8Array(10)));
    const short = { body: { file, length: 11 } };
    await assertRejects(() => client.put(url, short), HttpStateError);
    const strings = ReadableStream.from(["text"]) as unknown as ReadableStream<Uint8Array>;
    await assertRejects(() => client.post(url, { body: strings }), TypeError);
    assertEquals(await (await client.get(url)).text(), "ok");
    assertEquals(client.stats().connections, 1);
  });
});

Deno.test("Client lets go of a stream that is not sent to its end", async () => {
  await withServer((ctx) => {
    ctx.status = 403;
    ctx.text("no");
  }, async (url, client) => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10_000)),
      cancel: () => void (isCancelled = true),
    });
    const response = await client.post(url, { body });
    assertEquals([response.status, await response.text()], [403, "no"]);
    assertEquals(await eventually(() => isCancelled), true);
    const unsent = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
    isCancelled = false;
    await assertRejects(() => client.post("http://127.0.0.1:1/", { body: unsent, retry: false }));
    assertEquals(await eventually(() => isCancelled), true);
  });
});

const CODINGS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

for (const [coding, encode] of Object.entries(CODINGS)) {
  Deno.test(`Client undoes ${coding}, within its bounds, and uses the connection again`, async () => {
    const encoded = new Uint8Array(encode(LARGE));
    await withServer((ctx) => {
      assert(ctx.headers.get("accept-encoding")?.split(", ").includes(coding) || ctx.path !== "/");
      ctx.set("content-encoding", coding);
      ctx.bytes(ctx.query.has("cut") ? encoded.slice(0, -5) : encoded);
    }, async (url, client) => {
      const hash = await hashOf(LARGE);
      for (let round = 0; round < 3; round++) {
        const response = await client.get(url);
        assertEquals(await hashOf(await response.bytes()), hash);
        assertEquals(response.reused, round > 0);
      }
      const raw = await client.get(`${url}raw`, { decompress: false });
      assertEquals((await raw.bytes()).length, encoded.length);
      const small = { maxResponseBytes: LARGE.length - 1 };
      for (
        const call of [
          () => client.get(url, small),
          () => client.get(url, { ...small, maxBodyBytes: 0 }),
        ]
      ) {
        const response = await call();
        const error = await assertRejects(async () => {
          for await (const _ of response);
        }, LimitExceededError);
        assertEquals(error.limit, "maxResponseBytes");
      }
      const collected = await client.get(url, { maxBodyBytes: LARGE.length - 1 });
      const error = await assertRejects(() => collected.bytes(), LimitExceededError);
      assertEquals(error.limit, "maxBodyBytes");
      const cut = await client.get(`${url}?cut`);
      await assertRejects(() => cut.bytes(), HttpProtocolError);
      assertEquals(
        await eventually(() => client.stats().connections === client.stats().idle),
        true,
      );
    });
  });
}

Deno.test("Client gives nothing of a HEAD, or a 204, whatever coding it tells", async () => {
  await withServer((ctx) => {
    ctx.set("content-encoding", "gzip");
    if (ctx.method === "HEAD") ctx.set("content-length", "1000000");
    else ctx.status = 204;
  }, async (url, client) => {
    for (const method of ["HEAD", "GET"]) {
      const response = await client.request(method, url, { maxResponseBytes: 10 });
      assertEquals((await response.bytes()).length, 0);
    }
  });
});

Deno.test("Client waits as Retry-After says, and tries no more than allowed", async () => {
  let count = 0;
  await withServer((ctx) => {
    count++;
    ctx.status = 503;
    ctx.set("retry-after", "0");
    ctx.text("busy");
  }, async (url, client) => {
    const random = new SeededRandom(1);
    const retry = { statuses: [503], baseDelayMs: 1, random: () => random.next() };
    const response = await client.get(url, { retry });
    assertEquals([response.status, response.attempts, count], [503, 3, 3]);
    assertEquals(await response.text(), "busy");
    count = 0;
    await (await client.post(url, { retry, body: "x" })).discard();
    assertEquals(count, 1);
    count = 0;
    await (await client.post(url, { retry, body: "x", idempotent: true })).discard();
    assertEquals(count, 3);
    count = 0;
    const late = { ...retry, maxRetryAfterMs: 1 };
    await (await client.get(url, { retry: late })).discard();
    assertEquals(count, 3);
    assertEquals(client.stats().connections, 1);
  });
});
