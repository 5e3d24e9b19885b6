/**
 * {@linkcode dial}: a WebSocket to the server of a URL.
 *
 * @module
 */

import { exchange } from "../http/client_exchange.ts";
import { dialHttp, type DialHttpOptions } from "../http/dial.ts";
import type { ExchangeResponse } from "../http/exchange_response.ts";
import { HeaderList } from "../http/header_list.ts";
import { resolveBound } from "../http/limits.ts";
import { closeQuietly } from "../nbio/transport.ts";
import { withTimeout } from "../nbio/with_timeout.ts";
import { WebSocketProtocolError } from "./errors.ts";
import {
  ClientHandshake,
  type HandshakeAgreement,
  type HandshakeClientOptions,
} from "./handshake_client.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import { randomMaskKey } from "./websocket_mask_keys.ts";
import {
  createWebSocketCompression,
  deflateWishes,
  resolveWebSocketOptions,
  type WebSocketOptions,
} from "./websocket_options.ts";
import { loadSha1 } from "./websocket_sha1.ts";

/** Options of {@linkcode dial}. */
export interface WebSocketDialOptions
  extends
    WebSocketOptions,
    Omit<DialHttpOptions, "signal" | "wheel">,
    Omit<HandshakeClientOptions, "deflate"> {
  /**
   * Most milliseconds until the connection is open, redirects included; 0 for no bound.
   *
   * @default {10000}
   */
  readonly handshakeTimeoutMs?: number;
  /**
   * Most redirects to follow. `Authorization`, `Proxy-Authorization` and `Cookie` do not go to
   * another origin, and none leads from `wss` to `ws`. A whole number.
   *
   * @default {0}
   */
  readonly maxRedirects?: number;
}

/** What a handshake has led to. */
interface Opened {
  readonly response: ExchangeResponse;
  readonly agreement: HandshakeAgreement;
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;
const KEY_BYTES = 16;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS: readonly string[] = ["authorization", "proxy-authorization", "cookie"];
const MAX_REDIRECTS = 100;

/**
 * Opens a WebSocket as a client (RFC 6455 section 4.1), directly or through a proxy: an HTTP one
 * makes a tunnel, for `ws` too.
 *
 * Permission: `--allow-net` for the host and port of the URL, or for those of the proxy.
 *
 * @param url Where to, with the scheme `ws` or `wss`; without credentials and fragment.
 * @param options What to offer, bounds and deadlines.
 * @returns The connection, when the server has agreed.
 * @throws {TypeError} If the URL, a subprotocol or a header field cannot be used.
 * @throws {RangeError} If an option is out of its range.
 * @throws {ConnectError} If the name has no address or none could be reached.
 * @throws {TimeoutError} If time is up.
 * @throws {ProxyError} If the proxy makes no connection.
 * @throws {WebSocketProtocolError} `ERR_WEBSOCKET_BAD_HANDSHAKE` if the server does not answer 101
 * or not as it must, `ERR_WEBSOCKET_BAD_EXTENSION` if its extensions are not what was offered.
 * @throws {HttpProtocolError} If the answer is no HTTP.
 * @throws {ConnectionClosedError} If the server leaves.
 * @throws {NetError} With a code `ERR_TLS_...`, if TLS fails.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example Asking once
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { dial, upgrade } from "@nbio/net/websocket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   await using ws = await upgrade(ctx, { subprotocols: ["upper"] });
 *   for await (const { data } of ws) await ws.send(String(data).toUpperCase());
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * await using ws = await dial(`ws://127.0.0.1:${port}/`, { subprotocols: ["upper", "lower"] });
 * assertEquals(ws.subprotocol, "upper");
 * await ws.send("hello");
 * assertEquals((await ws.readMessage())?.data, "HELLO");
 * ```
 */
export async function dial(
  url: string | URL,
  options: WebSocketDialOptions = {},
): Promise<WebSocketConnection> {
  const resolved = resolveWebSocketOptions(options);
  const { handshakeTimeoutMs = DEFAULT_HANDSHAKE_TIMEOUT_MS, maxRedirects = 0, signal } = options;
  const timeoutMs = resolveBound("handshakeTimeoutMs", handshakeTimeoutMs);
  if (!(Number.isInteger(maxRedirects) && maxRedirects >= 0 && maxRedirects <= MAX_REDIRECTS)) {
    throw new RangeError(
      `Cannot dial: maxRedirects is ${maxRedirects}, expected 0 to ${MAX_REDIRECTS}`,
    );
  }
  const target = parseUrl(url);
  const bounds = { timeoutMs, wheel: resolved.wheel, phase: "handshake" };
  const { response, agreement } = await withTimeout(
    (signal) => open(target, { ...options, signal, maxRedirects }),
    { ...bounds, ...signal !== undefined && { signal } },
  );
  const { transport, bytes } = response.handover!;
  try {
    const compression = await createWebSocketCompression("client", agreement.deflate, options);
    return new WebSocketConnection({
      ...{ role: "client", transport, bytes, compression, randomMaskKey },
      subprotocol: agreement.subprotocol,
      extensions: agreement.extensions,
      shutdownSignal: undefined,
    }, resolved);
  } catch (error) {
    closeQuietly(transport);
    throw error;
  }
}

/** Asks, and asks elsewhere where the server says so. */
async function open(
  first: URL,
  options: WebSocketDialOptions & { readonly signal: AbortSignal; readonly maxRedirects: number },
): Promise<Opened> {
  const headers = new HeaderList(options.headers ?? []);
  const sha1 = await loadSha1();
  let url = first;
  for (let redirectCount = 0;; redirectCount++) {
    const { response, handshake } = await ask(url, headers, options);
    const location = response.headers.get("location");
    const isFollowed = redirectCount < options.maxRedirects && REDIRECTS.has(response.status) &&
      location !== undefined;
    try {
      if (!isFollowed) return { response, agreement: handshake.verify(response, sha1) };
    } catch (error) {
      response.handover?.transport.close();
      response.close();
      throw error;
    }
    response.close();
    url = follow(url, location, headers);
  }
}

async function ask(
  url: URL,
  headers: HeaderList,
  options: WebSocketDialOptions & { readonly signal: AbortSignal },
): Promise<{ response: ExchangeResponse; handshake: ClientHandshake }> {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const deflate = deflateWishes(options);
  const { subprotocols = [], signal, wheel } = options;
  const handshake = new ClientHandshake(url.host, key, { headers, deflate, subprotocols });
  const { transport } = await dialHttp(url, options);
  const target = `${url.pathname}${url.search}`;
  // The deadline is that of the whole handshake.
  const bounds = { firstByteTimeoutMs: 0, ...wheel !== undefined && { wheel } };
  const request = { target, headers: handshake.headers };
  return { response: await exchange(transport, request, { ...bounds, signal }), handshake };
}

/** Where a redirect leads; takes the credentials away where that is another origin. */
function follow(from: URL, location: string, headers: HeaderList): URL {
  // RFC 9110 section 10.2.2. Servers may say it in the words of HTTP.
  const url = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const isKnown = url !== undefined && /^(ws|http)s?:$/.test(url.protocol);
  if (!isKnown || url.username !== "" || url.password !== "") {
    throw badRedirect("Location is no URL of a WebSocket");
  }
  const to = new URL(url.href.replace(/^http/, "ws"));
  to.hash = "";
  if (from.protocol === "wss:" && to.protocol === "ws:") {
    throw badRedirect("it leads from wss to ws");
  }
  if (to.origin !== from.origin) { for (const name of CREDENTIALS) headers.delete(name); }
  return to;
}

function badRedirect(reason: string): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_HANDSHAKE",
    `Cannot follow redirect: ${reason}`,
  );
}

function parseUrl(url: string | URL): URL {
  const parsed = new URL(url);
  const reason = parsed.protocol !== "ws:" && parsed.protocol !== "wss:"
    ? "its scheme is not ws or wss"
    : parsed.hash !== "" || parsed.href.endsWith("#")
    ? "it has a fragment"
    : parsed.username !== "" || parsed.password !== ""
    ? "it has credentials, which belong in a header field"
    : undefined;
  if (reason === undefined) return parsed;
  throw new TypeError(`Cannot dial URL: ${reason}`);
}
