import { forwardTo } from "./_adapter_stand_in.ts";
import { adapterHeaders } from "./adapter_headers.ts";
import { HeaderList } from "./header_list.ts";
import type { Context } from "./server_context.ts";

const NO_BYTES = new Uint8Array(0);
const decoder = new TextDecoder();

/**
 * A request as a web-standard `Request`, made when it is needed: method, URL, header fields and the
 * body as text, JSON or bytes come straight from the connection. Whatever else is asked for, and
 * `new Request(request)` itself, makes a true one and goes on with that.
 *
 * Where the runtime does not let an object stand in for a `Request`, it is a true one at once.
 *
 * @param ctx The request.
 * @param url Its absolute URL.
 * @returns A `Request`, also by `instanceof`.
 */
export function adapterRequest(ctx: Context, url: string): Request {
  const light = new LightRequest(ctx, url);
  isStandIn ??= canStandIn();
  return isStandIn ? light as unknown as Request : light.toTrue();
}

/** Whether the runtime takes the light object for a `Request`; found out once. */
let isStandIn: boolean | undefined;

class LightRequest {
  readonly #ctx: Context;
  readonly #url: string;
  #headers: Headers | undefined;
  #request: Request | undefined;
  #isTaken = false;

  constructor(ctx: Context, url: string) {
    this.#ctx = ctx;
    this.#url = url;
  }

  get method(): string {
    return this.#ctx.method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    return this.#headers ??= this.#request?.headers ?? adapterHeaders(this.#ctx.headers);
  }

  get signal(): AbortSignal {
    return this.#ctx.signal;
  }

  get bodyUsed(): boolean {
    return this.#isTaken || (this.#request !== undefined && this.#request.bodyUsed);
  }

  async text(): Promise<string> {
    if (this.#request !== undefined) return await this.#request.text();
    return decoder.decode(await this.#take());
  }

  async json(): Promise<unknown> {
    if (this.#request !== undefined) return await this.#request.json();
    return JSON.parse(decoder.decode(await this.#take()));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#request !== undefined ? await this.#request.bytes() : await this.#take();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#request !== undefined) return await this.#request.arrayBuffer();
    // The bytes fill their buffer: it was made for them.
    return (await this.#take()).buffer;
  }

  /** The true one. */
  toTrue(): Request {
    return this.#request ??= this.#make();
  }

  /** Of a GET or HEAD there is none for `Request`, whatever came. */
  get #hasBody(): boolean {
    const { method } = this.#ctx;
    return method !== "GET" && method !== "HEAD" && this.#ctx.body.length !== 0;
  }

  #take(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#isTaken) {
      return Promise.reject(new TypeError("Cannot read body: it was read already"));
    }
    if (!this.#hasBody) return Promise.resolve(NO_BYTES.slice());
    this.#isTaken = true;
    return this.#ctx.body.bytes();
  }

  #make(): Request {
    const isEmpty = !this.#isTaken && !this.#hasBody;
    const body = isEmpty ? null : this.#isTaken ? "" : this.#ctx.body.stream;
    const init: RequestInit & { readonly duplex: "half" } = {
      method: this.#ctx.method,
      headers: this.headers,
      signal: this.#ctx.signal,
      body,
      duplex: "half",
    };
    const request = new Request(this.#url, init);
    // What was read before counts as read here too.
    if (this.#isTaken) void request.arrayBuffer();
    return request;
  }
}

/** Tries it out on what frameworks do with a `Request`. */
function canStandIn(): boolean {
  try {
    forwardTo(LightRequest.prototype, Request.prototype, new Request("http://localhost/"));
    const headers = new HeaderList([["a", "b"]]);
    const ctx = { method: "GET", headers, signal: new AbortController().signal };
    const light = new LightRequest(ctx as unknown as Context, "http://localhost/a");
    const copy = new Request(light as unknown as Request);
    return light instanceof Request && copy.url === light.url && copy.headers.get("a") === "b";
  } catch {
    return false;
  }
}
