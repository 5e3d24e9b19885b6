import { AdapterExchange, type AdapterSettings } from "./adapter_exchange.ts";
import { HttpError } from "./errors.ts";
import { resolveBound } from "./limits.ts";
import type { Context } from "./server_context.ts";
import type { Handler } from "./server_shared.ts";

const DEFAULT_BODY_BYTES = 16 * 1024 * 1024;

/** What the other server tells beside a request, as `Deno.serve` does. */
export interface ToFetchInfo {
  /**
   * The address the client connected from.
   *
   * @default {{ transport: "tcp", hostname: "0.0.0.0", port: 0 }}
   */
  readonly remoteAddr?: Deno.Addr;
}

/** Options of {@linkcode toFetch}. */
export interface ToFetchOptions {
  /**
   * Bytes of a body that `ctx.body` collects in memory; 0 or Infinity for no bound. Passed: 413.
   *
   * @default {16777216}
   */
  readonly maxBodyBytes?: number;
  /**
   * Whether the body readers undo `Content-Encoding`.
   *
   * @default {false}
   */
  readonly decodeBodies?: boolean;
  /**
   * Told of what went wrong on our side. It cannot change the answer.
   *
   * @default writes to the console
   */
  readonly onError?: (error: unknown, ctx: Context) => void;
}

const UNKNOWN: Deno.NetAddr = { transport: "tcp", hostname: "0.0.0.0", port: 0 };

/**
 * Runs a handler of ours where functions from `Request` to `Response` run: under `Deno.serve`, in a
 * framework, in a test.
 *
 * What such a function cannot do, the context cannot there: `inform()` sends nothing, trailers are
 * dropped, `upgrade()`, `tunnel()` and `hijack()` reject with an `HttpError` of 501, and so is
 * CONNECT answered. `ctx.url` is path and query of `request.url`, `ctx.localAddr` its host and port,
 * `ctx.tlsInfo` is unknown; spelling and order of header fields are lost. Timeouts and limits of
 * heads are the other server's.
 *
 * @param handler Answers the requests: a function, or `router.handler`.
 * @param options Bounds, and who is told of errors.
 * @returns A function that never rejects: errors are answered as `serve` answers them.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Under Deno.serve
 * ```ts
 * import { toFetch } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const answer = toFetch(async (ctx) => ctx.json({ path: ctx.path, got: await ctx.body.text() }));
 *
 * await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
 * const url = `http://127.0.0.1:${server.addr.port}/a?b`;
 * const response = await fetch(url, { method: "POST", body: "hello" });
 * assertEquals(await response.json(), { path: "/a", got: "hello" });
 * ```
 */
export function toFetch(
  handler: Handler,
  options: ToFetchOptions = {},
): (request: Request, info?: ToFetchInfo) => Promise<Response> {
  const settings: AdapterSettings = {
    maxBodyBytes: resolveBound("maxBodyBytes", options.maxBodyBytes ?? DEFAULT_BODY_BYTES),
    decodeBodies: options.decodeBodies ?? false,
    onError: options.onError ?? logError,
  };
  return (request, info) => {
    const exchange = new AdapterExchange(request, info?.remoteAddr ?? UNKNOWN, settings);
    return exchange.run(request.method === "CONNECT" ? refuseConnect : handler);
  };
}

function refuseConnect(): never {
  throw new HttpError(501, "This server is no proxy");
}

function logError(error: unknown): void {
  console.error(error);
}
