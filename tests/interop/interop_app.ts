import { type Context, HttpError, type HttpServer, serve, type ServeOptions } from "@nbio/net/http";

const MEBIBYTE = 1 << 20;

/** Bytes that differ along their way, so that a lost or swapped piece shows. */
export function sampleBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

/** SHA-256 in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function describe(ctx: Context): Promise<void> {
  const body = await ctx.body.text();
  ctx.json({
    method: ctx.method,
    url: ctx.url,
    httpVersion: ctx.httpVersion,
    headers: [...ctx.headers],
    body,
    trailers: [...ctx.body.trailers ?? []],
    port: "port" in ctx.remoteAddr ? ctx.remoteAddr.port : undefined,
  });
}

/** Reads and writes at once: every chunk goes back as it comes, its count as a trailer. */
async function relay(ctx: Context): Promise<void> {
  ctx.set("trailer", "x-byte-count, x-request-trailers");
  const writer = ctx.writer();
  let byteCount = 0;
  for await (const chunk of ctx.body) {
    byteCount += chunk.length;
    await writer.write(chunk);
  }
  const trailers = [...ctx.body.trailers ?? []].map(([name, value]) => `${name}=${value}`);
  await writer.close([
    ["x-byte-count", `${byteCount}`],
    ["x-request-trailers", trailers.join() || "none"],
  ]);
}

async function* endless(): AsyncGenerator<Uint8Array> {
  const piece = sampleBytes(65_536);
  for (;;) yield piece;
}

const PAGE = `<!doctype html><title>interop</title><body><p id="result">pending</p>
<script>
  async function main() {
    const greeting = await (await fetch("/json")).json();
    const body = "x".repeat(100 * 1024);
    const answer = await (await fetch("/describe", { method: "POST", body })).json();
    return greeting.hello + " " + answer.body.length + " " + (answer.body === body);
  }
  main().catch(String).then((text) => {
    document.getElementById("result").textContent = text;
    return fetch("/loaded");
  });
</script><img src="/when-loaded">`;

/** What the peers talk to, one path per behaviour. */
export class InteropApp implements AsyncDisposable {
  /** The server. */
  readonly server: HttpServer;
  /** What the server reported as its own fault. */
  readonly errors: unknown[] = [];
  /** Why uploads could not be read. */
  readonly uploadFailures: unknown[] = [];
  /** Handlers of `/endless` and `/wait` whose `ctx.signal` has aborted. */
  abortCount = 0;
  readonly #loaded = Promise.withResolvers<void>();

  constructor(options: ServeOptions = {}) {
    this.server = serve((ctx) => this.#answer(ctx), {
      ...options.path === undefined && { hostname: "127.0.0.1", port: 0 },
      onError: (error) => void this.errors.push(error),
      ...options,
    });
  }

  /** Port on 127.0.0.1. */
  get port(): number {
    return (this.server.addr as Deno.NetAddr).port;
  }

  /** URL of a path. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Ends the server; what is still under way is cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.shutdown({ graceMs: 0 });
  }

  #sendForEver(ctx: Context): void {
    ctx.signal.addEventListener("abort", () => this.abortCount++, { once: true });
    ctx.stream(endless());
  }

  async #waitForAbort(ctx: Context): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    ctx.signal.addEventListener("abort", () => resolve(), { once: true });
    // Now the client knows that the handler runs.
    ctx.status = 200;
    await ctx.flush();
    await promise;
    this.abortCount++;
  }

  async #hash(ctx: Context): Promise<void> {
    try {
      ctx.text(await sha256(await ctx.body.bytes()));
    } catch (error) {
      this.uploadFailures.push(error);
      throw error;
    }
  }

  #answer(ctx: Context): void | Promise<void> {
    switch (ctx.path) {
      case "/hello":
        return ctx.text("Hello, World!\n");
      case "/json":
        return ctx.json({ hello: "world" });
      case "/query":
        return ctx.text(ctx.search);
      case "/page":
        return ctx.html(PAGE);
      case "/loaded":
        this.#loaded.resolve();
        return ctx.text("");
      case "/when-loaded":
        return this.#loaded.promise.then(() => ctx.text(""));
      case "/mebibyte":
        return ctx.bytes(sampleBytes(MEBIBYTE));
      case "/endless":
        return this.#sendForEver(ctx);
      case "/wait":
        return this.#waitForAbort(ctx);
      case "/echo":
        return ctx.body.bytes().then((bytes) => ctx.bytes(bytes));
      case "/relay":
        return relay(ctx);
      case "/upload":
        return this.#hash(ctx);
      case "/refuse":
        throw new HttpError(403, "No uploads here");
      default:
        return describe(ctx);
    }
  }
}
