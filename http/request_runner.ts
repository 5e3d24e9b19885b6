import { ConnectionClosedError } from "../nbio/errors.ts";
import { sendAll } from "../nbio/send_all.ts";
import { memoryPipe, type MemoryTransport } from "../nbio/testing_memory_pipe.ts";
import { closeQuietly } from "../nbio/transport.ts";
import { HttpConnection } from "./connection.ts";
import type { HttpEvent, ResponseEvent } from "./events.ts";
import { HeaderList } from "./header_list.ts";
import { ServerConnection } from "./server_connection.ts";
import { resolveServerOptions, type ServeOptions } from "./server_options.ts";
import { type Handler, ServerShared } from "./server_shared.ts";

/** Stands in for the host of a request that was given as a path. */
const BASE = "http://localhost";
/** What of a body is taken ahead of its reader; a shorter one ends without a reader. */
const READ_AHEAD_BYTES = 64 * 1024;
const READ_BYTES = 64 * 1024;
/** RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5: `Response` takes no body with these. */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
/** What no request target holds; a percent sign stays what it is. */
const NOT_TARGET = /[^!$%&'()*+,\-./0-9:;=?@A-Z[\]^_`a-z{|}~]+/gu;

/**
 * Runs a handler for one request without a socket, for tests: the request goes
 * through the real server over a connection in memory, so that what is seen is
 * what a client would see. No permission is needed.
 *
 * The body of a request is streamed if it is a stream or that of a `Request`,
 * else its length is told. The answer is there when its head is; its body comes
 * as it is read, and 64 KiB of it ahead of the reader. An answer that is not read
 * to its end or cancelled keeps its connection open until the server gives up.
 *
 * @param handler Answers the request.
 * @param input A path with its query, sent as it is but for what no target can
 * hold; a URL; or a `Request`.
 * @param init Method, header fields, body and signal, as for `fetch`. A `Host`
 * field goes before the host of the URL.
 * @param options Options of the server that there is none of; where it would
 * listen means nothing.
 * @returns The final answer. Informational ones and trailers are not shown.
 * @throws {ConnectionClosedError} If the connection was cut instead of answered.
 * @throws {TypeError} If there can be no such request.
 * @throws {RangeError} If an option is out of its range. The reason of the signal
 * if that aborts.
 *
 * @example A handler under test
 * ```ts
 * import { type Handler, runRequest } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler: Handler = async (ctx) => ctx.json({ got: await ctx.body.json() });
 *
 * const response = await runRequest(handler, "/", { method: "POST", body: "[1]" });
 * assertEquals(response.status, 200);
 * assertEquals(await response.json(), { got: [1] });
 * ```
 */
export async function runRequest(
  handler: Handler,
  input: string | URL | Request,
  init: RequestInit = {},
  options: ServeOptions = {},
): Promise<Response> {
  const request = toRequest(input, init);
  request.signal.throwIfAborted();
  const shared = new ServerShared(handler, resolveServerOptions(options));
  const [client, server] = memoryPipe();
  const exchange = new RequestExchange(client, request);
  void new ServerConnection(server, shared).run().finally(() => shared.close());
  void exchange.send(targetOf(input, request), isStreamed(input, init));
  return await exchange.response();
}

/** The client's end: one request out, one response in. */
class RequestExchange {
  readonly #core: HttpConnection = new HttpConnection({ role: "client" });
  readonly #transport: MemoryTransport;
  readonly #request: Request;
  readonly #space: Uint8Array = new Uint8Array(READ_BYTES);
  readonly #onAbort: () => void;
  #sendError: { readonly error: unknown } | undefined;
  #isOver = false;

  constructor(transport: MemoryTransport, request: Request) {
    this.#transport = transport;
    this.#request = request;
    // A client that gives up is gone for the handler.
    this.#onAbort = () => this.#transport.reset();
    request.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Sends the request. What fails here is told by what is received, or is not. */
  async send(target: string, streamed: boolean): Promise<void> {
    const { method, body } = this.#request;
    try {
      const bytes = body === null || streamed
        ? undefined
        : new Uint8Array(await this.#request.arrayBuffer());
      this.#core.send({
        type: "request",
        method,
        target,
        headers: headersOf(this.#request),
        ...bytes !== undefined && { bodyLength: bytes.length },
        hasBody: body !== null && bytes === undefined,
      });
      await this.#flush();
      if (bytes !== undefined && bytes.length > 0) await this.#sendPiece(bytes);
      else if (body !== null && streamed) await this.#sendStream(body);
      this.#core.send({ type: "end" });
      await this.#flush();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** An answer may have come although the request could not be sent to its end. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#sendError = { error };
    this.#transport.closeWrite().catch(() => {});
  }

  async #sendStream(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        if (this.#isOver) break;
        if (value.length > 0) await this.#sendPiece(value);
      }
    } finally {
      // Does nothing at the end of the body.
      reader.cancel().catch(() => {});
    }
  }

  async #sendPiece(bytes: Uint8Array): Promise<void> {
    this.#core.send({ type: "data", bytes });
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const output = this.#core.takeOutput();
    if (output !== undefined) await sendAll(this.#transport, output);
  }

  /** Waits for the final response. */
  async response(): Promise<Response> {
    try {
      for (;;) {
        const event = await this.#next();
        if (event.type === "response") return this.#toResponse(event);
        if (event.type === "informational" && event.status === 101) throw upgradeError();
      }
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #toResponse({ status, reason, headers, bodyLength }: ResponseEvent): Response {
    const fields = new Headers([...headers]);
    const isBodiless = this.#request.method === "HEAD" || NULL_BODY.has(status) || bodyLength === 0;
    const init = { status, statusText: reason, headers: fields };
    if (!isBodiless) return new Response(this.#body(), init);
    // The handler may go on when its head has left.
    void this.#next().then(() => this.#end(), () => this.#end());
    return new Response(null, init);
  }

  #body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      pull: async (controller): Promise<void> => {
        try {
          const event = await this.#next();
          if (event.type === "data") return controller.enqueue(event.bytes);
          this.#end();
          controller.close();
        } catch (error) {
          this.#end();
          controller.error(error);
        }
      },
      cancel: () => {
        this.#transport.reset();
        this.#end();
      },
    }, { highWaterMark: READ_AHEAD_BYTES, size: (chunk) => chunk.length });
  }

  /** The next event, read for where there is none. */
  async #next(): Promise<HttpEvent> {
    for (;;) {
      const event = this.#nextEvent();
      if (event !== undefined && event.type !== "paused" && event.type !== "closed") return event;
      if (event?.type === "closed") throw this.#cutError();
      await this.#read();
    }
  }

  #nextEvent(): HttpEvent | undefined {
    try {
      return this.#core.nextEvent();
    } catch (cause) {
      throw this.#cutError(cause);
    }
  }

  async #read(): Promise<void> {
    let count: number | null;
    try {
      count = await this.#transport.read(this.#space);
    } catch (cause) {
      throw this.#cutError(cause);
    }
    this.#request.signal.throwIfAborted();
    if (count === null) this.#core.receiveEnd();
    else this.#core.receive(this.#space.subarray(0, count));
  }

  #cutError(cause?: unknown): unknown {
    this.#request.signal.throwIfAborted();
    if (this.#sendError !== undefined) return this.#sendError.error;
    return new ConnectionClosedError("Cannot get response: the connection was cut", { cause });
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request.signal.removeEventListener("abort", this.#onAbort);
    closeQuietly(this.#transport);
  }
}

function upgradeError(): TypeError {
  return new TypeError("Cannot get response: the connection has become another protocol's");
}

/** Methods, bodies and header fields go by the rules of `fetch`. */
function toRequest(input: string | URL | Request, init: RequestInit): Request {
  const url = typeof input !== "string"
    ? input
    : input.startsWith("/")
    ? BASE
    : new URL(input, BASE);
  // Deno wants to be told that a stream goes one way only.
  const duplex = init.body instanceof ReadableStream ? { duplex: "half" } : {};
  return new Request(url, { ...duplex, ...init } as RequestInit);
}

/** A path as it is: a URL would resolve its dots and more. */
function targetOf(input: string | URL | Request, request: Request): string {
  if (typeof input === "string" && input.startsWith("/")) {
    const fragment = input.indexOf("#");
    const target = fragment < 0 ? input : input.slice(0, fragment);
    return target.toWellFormed().replace(NOT_TARGET, encodeURIComponent);
  }
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}

function isStreamed(input: string | URL | Request, init: RequestInit): boolean {
  return init.body === undefined ? input instanceof Request : init.body instanceof ReadableStream;
}

function headersOf(request: Request): HeaderList {
  const headers = new HeaderList([...request.headers]);
  if (!headers.has("host")) {
    return new HeaderList([["host", new URL(request.url).host], ...headers]);
  }
  return headers;
}
