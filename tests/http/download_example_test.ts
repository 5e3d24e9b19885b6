import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { Client } from "../../http/client.ts";
import { type HttpServer, serve } from "../../http/serve.ts";
import type { Context } from "../../http/server_context.ts";
import { download, DownloadError, main, ProgressBar } from "../../examples/download.ts";

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7 + index / 251) % 256);
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

/** Serves a file with ranges, and can cut itself off. */
class FileServer implements AsyncDisposable {
  readonly server: HttpServer;
  /** `Range` of each request. */
  readonly ranges: (string | undefined)[] = [];
  etag: string | undefined = '"v1"';
  content = CONTENT;
  /** Bytes after which each answer breaks off, in order. */
  cuts: number[] = [];
  /** What is answered in place of the file. */
  answer: ((ctx: Context) => void) | undefined;

  constructor() {
    this.server = serve((ctx) => this.#answer(ctx), {
      hostname: "127.0.0.1",
      port: 0,
      onError: () => {},
    });
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.server.addr as Deno.NetAddr).port}/file.bin?v=1`);
  }

  async #answer(ctx: Context): Promise<void> {
    this.ranges.push(ctx.headers.get("range"));
    if (this.answer !== undefined) return this.answer(ctx);
    if (this.etag !== undefined) ctx.set("etag", this.etag);
    const isSame = ctx.headers.get("if-range") === this.etag;
    const match = isSame ? /^bytes=(\d+)-$/.exec(ctx.headers.get("range") ?? "") : null;
    const start = match === null ? 0 : Number(match[1]);
    if (start >= this.content.length && match !== null) {
      ctx.status = 416;
      ctx.set("content-range", `bytes */${this.content.length}`);
      return;
    }
    if (match !== null) {
      ctx.status = 206;
      const last = this.content.length - 1;
      ctx.set("content-range", `bytes ${start}-${last}/${this.content.length}`);
    }
    const part = this.content.subarray(start);
    ctx.set("content-length", String(part.length));
    const cut = this.cuts.shift();
    const writer = ctx.writer();
    await writer.write(part.slice(0, cut));
    if (cut !== undefined) throw new Error("The connection breaks");
    await writer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

async function withFolder(use: (path: string, server: FileServer) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using server = new FileServer();
    await use(`${folder}/file.bin`, server);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function assertDownloaded(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  assertEquals(createHash("sha256").update(bytes).digest("hex"), SHA256);
  const folder = path.slice(0, path.lastIndexOf("/"));
  assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["file.bin"]);
}

Deno.test("examples/download.ts downloads a file, and tells how far it is", async () => {
  await withFolder(async (path, server) => {
    await using client = new Client();
    const told: number[] = [];
    await download(client, server.url, path, {
      sha256: SHA256,
      onProgress: (bytes, totalBytes) => {
        assertEquals(totalBytes, CONTENT.length);
        told.push(bytes);
      },
    });
    await assertDownloaded(path);
    assertEquals([told[0], told.at(-1)], [0, CONTENT.length]);
    assertEquals(told, told.toSorted((one, other) => one - other));
  });
});

Deno.test("examples/download.ts goes on where the connection broke", async () => {
  await withFolder(async (path, server) => {
    await using client = new Client();
    server.cuts = [100_000, 50_000];
    await download(client, server.url, path, { sha256: SHA256, baseDelayMs: 1 });
    await assertDownloaded(path);
    assertEquals(server.ranges.length, 3);
    assertEquals(server.ranges[0], undefined);
    for (const range of server.ranges.slice(1)) assert(/^bytes=[1-9]\d*-$/.test(range!), range);
  });
});

Deno.test("examples/download.ts goes on where an earlier run stopped", async () => {
  await withFolder(async (path, server) => {
    await using client = new Client();
    server.cuts = [100_000];
    await assertRejects(() => download(client, server.url, path, { tries: 1 }));
    const { size } = await Deno.stat(`${path}.part`);
    assert(size > 0);
    await download(client, server.url, path, { sha256: SHA256 });
    await assertDownloaded(path);
    assertEquals(server.ranges, [undefined, `bytes=${size}-`]);
  });
});

for (
  const [name, etag] of [["a changed", '"v2"'], ["a weak", 'W/"v1"'], ["no", undefined]] as const
) {
  Deno.test(`examples/download.ts begins anew with ${name} validator`, async () => {
    await withFolder(async (path, server) => {
      await using client = new Client();
      if (name !== "a changed") server.etag = etag;
      server.cuts = [100_000];
      await assertRejects(() => download(client, server.url, path, { tries: 1 }));
      server.etag = etag;
      await download(client, server.url, path, { sha256: SHA256 });
      await assertDownloaded(path);
      assertEquals(server.ranges[1] === undefined, name !== "a changed");
    });
  });
}

Deno.test("examples/download.ts finds that all has come", async () => {
  await withFolder(async (path, server) => {
    await using client = new Client();
    await Deno.writeFile(`${path}.part`, CONTENT);
    await Deno.writeTextFile(
      `${path}.part.json`,
      JSON.stringify({ url: server.url, etag: '"v1"' }),
    );
    await download(client, server.url, path, { sha256: SHA256 });
    await assertDownloaded(path);
    assertEquals(server.ranges, [`bytes=${CONTENT.length}-`]);
  });
});

Deno.test("examples/download.ts drops more than there is, and begins anew", async () => {
  await withFolder(async (path, server) => {
    await using client = new Client();
    await Deno.writeFile(`${path}.part`, new Uint8Array(CONTENT.length + 1));
    await Deno.writeTextFile(
      `${path}.part.json`,
      JSON.stringify({ url: server.url, etag: '"v1"' }),
    );
    await download(client, server.url, path, { sha256: SHA256 });
    await assertDownloaded(path);
  });
});

Deno.test("examples/download.ts refuses another file than was wanted, and keeps nothing", async () => {
  await withFolder(async (path, server) => {
    await using client = new Client();
    const sha256 = "0".repeat(64);
    await assertRejects(() => download(client, server.url, path, { sha256 }), DownloadError);
    const folder = path.slice(0, path.lastIndexOf("/"));
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

for (const status of [204, 404, 416, 500]) {
  Deno.test(`examples/download.ts gives up on a ${status}`, async () => {
    await withFolder(async (path, server) => {
      await using client = new Client();
      server.answer = (ctx) => void (ctx.status = status);
      await assertRejects(() => download(client, server.url, path), DownloadError);
      assertEquals(server.ranges.length, 1);
    });
  });
}

for (const range of [undefined, "bytes 0-9/10", "bytes 1-9/10", "lines 5-9/10"]) {
  Deno.test(`examples/download.ts refuses a part that is ${range}`, async () => {
    await withFolder(async (path, server) => {
      await using client = new Client();
      await Deno.writeFile(`${path}.part`, new Uint8Array(5));
      await Deno.writeTextFile(`${path}.part.json`, JSON.stringify({ url: server.url, etag: "x" }));
      server.answer = (ctx) => {
        ctx.status = 206;
        if (range !== undefined) ctx.set("content-range", range);
        ctx.text("0123456789");
      };
      await assertRejects(() => download(client, server.url, path), DownloadError);
    });
  });
}

Deno.test("examples/download.ts says what is wrong with its arguments", async () => {
  const url = "http://127.0.0.1/";
  const bad = [[], ["x"], ["ftp://a/"], [url, "a", "b"], ["--tries=0", url], ["--sha256=ab", url], [
    "--no-such",
    url,
  ]];
  for (const args of bad) assertEquals(await main(args), 2);
});

Deno.test("ProgressBar shows at most ten lines per second", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const bar = new ProgressBar((text) => void lines.push(text), () => nowMs);
  for (; nowMs <= 1_000; nowMs += 10) bar.update(nowMs * 1_049, 2 * 1024 * 1024);
  bar.end();
  assertEquals(lines.length, 12);
  const half = `${"#".repeat(15)}${"-".repeat(15)}`;
  assertEquals(lines.at(-1), `\r[${half}]  50 %  1.0 of 2.0 MiB, 1.0 MiB/s\x1b[K\n`);
});

Deno.test("ProgressBar shows what has no end, and nothing where nothing came", () => {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  new ProgressBar(write).end();
  assertEquals(lines, []);
  new ProgressBar(write, () => 0).update(1024 * 1024, undefined);
  assertEquals(lines, ["\r1.0 MiB, 0.0 MiB/s\x1b[K"]);
});
