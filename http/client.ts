/**
 * {@linkcode Client}: requests over pooled connections.
 *
 * @module
 */

import { systemClock } from "../nbio/clock.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import { deadlines } from "../nbio/deadline_wheel.ts";
import { resolveTelemetry } from "../nbio/telemetry_guard.ts";
import { type CallOwner, ClientCall } from "./client_call.ts";
import { ACCEPTED_CODINGS } from "./client_call_request.ts";
import { clientFetch, type FetchInit } from "./client_fetch.ts";
import { ClientPool } from "./client_pool.ts";
import type { ClientPoolStats } from "./client_pool_options.ts";
import type { ClientResponse } from "./client_response.ts";
import {
  type ClientOptions,
  connectionOptionsOf,
  type RequestOptions,
  resolveCallSettings,
} from "./client_settings.ts";
import { TargetTable } from "./client_target.ts";
import { ClientTelemetry } from "./client_telemetry.ts";
import { HeaderList } from "./header_list.ts";

/** What goes on in a client. */
export interface ClientStats extends ClientPoolStats {
  /** Requests that were begun. */
  readonly requests: number;
}

/** RFC 9110 section 10.1.5: a user agent should say which it is. */
const USER_AGENT = "nbio";

/**
 * An HTTP/1.1 client that keeps its connections: pooled, bounded, and open to view.
 *
 * - Every phase has a deadline of its own; `signal` ends each of them. Everything
 *   that a server sends has a bound.
 * - A request goes again where that does no harm: see {@linkcode RetryOptions}. A
 *   kept connection that turns out to be dead is replaced without being noticed.
 * - Redirects are followed, and credentials stay with their origin. Cookies are
 *   kept where a jar is given. A status of 400 and more is a response, unless
 *   `throwOnError` says otherwise.
 * - The fields that frame a body are written by the client; what a caller says
 *   about them has to be true.
 *
 * An error's class says why a request failed: `TimeoutError` (with its `phase`),
 * `ConnectError`, `ConnectionClosedError`, `LimitExceededError`,
 * {@linkcode HttpProtocolError}, {@linkcode HttpRedirectError},
 * {@linkcode HttpStatusError}; {@linkcode requestFailure} says where.
 *
 * Permission: as {@linkcode dialHttp} for the hosts that are asked, and those they
 * redirect to.
 *
 * @example Asking, and what came of it
 * ```ts
 * import { Client, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => ctx.json({ got: await ctx.body.json() }), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 *
 * await using client = new Client({ baseUrl: `http://127.0.0.1:${port}` });
 * const first = await client.post("/things", { json: { name: "lamp" } });
 * assertEquals(await first.json(), { got: { name: "lamp" } });
 * const second = await client.put("/things/1", { json: 7, totalTimeoutMs: 5_000 });
 * assertEquals(await second.json(), { got: 7 });
 * assertEquals([second.reused, client.stats().idle], [true, 1]);
 * ```
 */
export class Client implements AsyncDisposable {
  readonly #pool: ClientPool;
  readonly #owner: CallOwner;
  readonly #closing = new AbortController();
  #requestCount = 0;

  /**
   * `fetch` on this client, with web-standard objects. It can be handed on by
   * itself.
   *
   * It fails as `fetch` does: with a `TypeError`, whose `cause` is the error of
   * this package, or with the reason of the signal. `cache`, `credentials`,
   * `integrity`, `keepalive`, `mode` and `referrer` of the init say nothing here.
   *
   * @param input Where to, or a request.
   * @param init What else.
   * @returns The response; its body is read as it is asked for.
   *
   * @example In place of the global one
   * ```ts
   * import { Client, serve } from "@nbio/net/http";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
   * const { port } = server.addr as Deno.NetAddr;
   *
   * await using client = new Client();
   * const { fetch } = client;
   * const response = await fetch(`http://127.0.0.1:${port}/`);
   * assertEquals([response.ok, await response.text()], [true, "hello"]);
   * ```
   */
  readonly fetch: (input: string | URL | Request, init?: FetchInit) => Promise<Response>;

  /**
   * Makes a client without a connection.
   *
   * @param options Bounds, deadlines, and what counts for every request.
   * @throws {RangeError} If an option is out of its range.
   * @throws {TypeError} If a header field cannot stand in a message, or the base
   * URL is none.
   */
  constructor(options: ClientOptions = {}) {
    const { wheel = deadlines, clock = systemClock, jar } = options;
    const settings = resolveCallSettings(options);
    const listening = resolveTelemetry(options.telemetry);
    const telemetry = listening === undefined ? undefined : new ClientTelemetry(listening, clock);
    const given = new HeaderList(options.headers);
    if (given.has("host")) throw new TypeError("Cannot make client: Host differs by request");
    const fields: (readonly [name: string, value: string])[] = [...given];
    if (!given.has("user-agent")) fields.push(["user-agent", USER_AGENT]);
    if (settings.decompress && !given.has("accept-encoding")) {
      fields.push(["accept-encoding", ACCEPTED_CODINGS]);
    }
    this.#pool = new ClientPool({ ...options, wheel, connection: connectionOptionsOf(options) });
    this.#owner = {
      pool: this.#pool,
      targets: new TargetTable({ ...options, wheel, clock }, fields, telemetry),
      fields,
      jar,
      settings,
      wheel,
      clock,
      unread: new Set(),
      closing: this.#closing.signal,
      telemetry,
    };
    this.fetch = (input, init) => clientFetch(this, clock, input, init);
  }

  /**
   * Asks a server.
   *
   * @param method Method: a token; it is case-sensitive.
   * @param url Where to, or what to put on the base URL. Credentials in it are sent
   * as `Authorization`.
   * @param options What else.
   * @returns The response, of which the body is still to be read.
   * @throws {TypeError} If a part of the request cannot be sent.
   * @throws {RangeError} If an option is out of its range.
   * @throws {TimeoutError} If time is up, in the phase `"queue"`, `"resolve"`,
   * `"connect"`, `"tls"`, `"write"`, `"first-byte"` or `"total"`.
   * @throws {ConnectError} If no address of the server could be reached.
   * @throws {ConnectionClosedError} If the server leaves, or the client is closed.
   * @throws {HttpProtocolError} If the response breaks the protocol, or is cut.
   * @throws {LimitExceededError} If the response passes a limit, or too many
   * requests wait.
   * @throws {HttpRedirectError} If it redirects where it must not.
   * @throws {HttpStatusError} With `throwOnError`, if the status is 400 and more.
   * @throws {Error} The reason of the signal, or what the source of the body, the
   * jar's store or a callback throws, untouched; and what TLS or a proxy fails with.
   */
  request(
    method: string,
    url: string | URL,
    options?: RequestOptions,
  ): Promise<ClientResponse> {
    this.#requestCount++;
    // Not asynchronous itself: that would be a second promise for every request.
    try {
      return new ClientCall(this.#owner, method, url, options).run();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Asks with GET.
   *
   * @param url Where to.
   * @param options What else.
   * @returns The response.
   * @throws {Error} As {@linkcode Client.request}.
   */
  get(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("GET", url, options);
  }

  /**
   * Asks with HEAD.
   *
   * @param url Where to.
   * @param options What else.
   * @returns The response, which has no body.
   * @throws {Error} As {@linkcode Client.request}.
   */
  head(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("HEAD", url, options);
  }

  /**
   * Asks with POST.
   *
   * @param url Where to.
   * @param options What else, the body among it.
   * @returns The response.
   * @throws {Error} As {@linkcode Client.request}.
   */
  post(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("POST", url, options);
  }

  /**
   * Asks with PUT.
   *
   * @param url Where to.
   * @param options What else, the body among it.
   * @returns The response.
   * @throws {Error} As {@linkcode Client.request}.
   */
  put(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("PUT", url, options);
  }

  /**
   * Asks with PATCH.
   *
   * @param url Where to.
   * @param options What else, the body among it.
   * @returns The response.
   * @throws {Error} As {@linkcode Client.request}.
   */
  patch(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("PATCH", url, options);
  }

  /**
   * Asks with DELETE.
   *
   * @param url Where to.
   * @param options What else.
   * @returns The response.
   * @throws {Error} As {@linkcode Client.request}.
   */
  delete(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
    return this.request("DELETE", url, options);
  }

  /** What goes on right now. */
  stats(): ClientStats {
    return { ...this.#pool.stats(), requests: this.#requestCount };
  }

  /**
   * Closes every connection. Requests that are under way fail with a
   * `ConnectionClosedError`, as do bodies that are being read and all later
   * requests. What was handed over stays as it is.
   *
   * @returns A promise that resolves when nothing is under way any more.
   */
  async close(): Promise<void> {
    const reason = new ConnectionClosedError("Cannot request: the client was closed");
    this.#closing.abort(reason);
    for (const deadline of this.#owner.unread) deadline.cancel();
    this.#owner.unread.clear();
    await this.#pool.close(this.#closing.signal.reason);
  }

  /** Does as {@linkcode Client.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
