import { NetError } from "../nbio/errors.ts";
import { AdapterInfo, type FetchInfo } from "./adapter_info.ts";
import { adapterRequest } from "./adapter_request.ts";
import { answerWith } from "./adapter_response.ts";
import { requestUrl } from "./adapter_url.ts";
import { HttpError } from "./errors.ts";
import { statusOf } from "./server_errors.ts";
import type { Context } from "./server_context.ts";
import type { Handler } from "./server_shared.ts";

/** Methods that `Request` refuses, in any case. */
const FORBIDDEN_METHOD = /^(?:CONNECT|TRAC[EK])$/i;

/**
 * An application in the terms of the web platform.
 *
 * @example The smallest one
 * ```ts
 * import type { FetchHandler } from "@nbio/net/http";
 *
 * const app: FetchHandler = (request) => new Response(new URL(request.url).pathname);
 * ```
 */
export type FetchHandler = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** What frameworks make, and what `export default { fetch }` exports. */
export interface FetchApp {
  /** Answers a request. */
  fetch(request: Request, info: FetchInfo): Response | Promise<Response>;
}

/**
 * Runs an application of the web platform, as `Deno.serve` would: Hono, h3, itty-router, Elysia,
 * or a function from `Request` to `Response`.
 *
 * `request.url` is what `new URL()` gives for it: dot segments are resolved, the host is in lower
 * case, the scheme is that of the connection. An absolute-form is one URL among others, `*` is the
 * path `/`; without a Host it names the address of the server. A host that no URL can have is
 * answered 400, and the methods that no `Request` can have, TRACE among them, 501.
 *
 * `request.signal` is `ctx.signal`: it aborts when the client is gone, and stays silent at a good
 * end. Bodies stream both ways with back-pressure. `request.text()` and its like are bounded by
 * `maxBodyBytes` of the server; `request.body` is not. A `Response` made of text or bytes leaves in
 * one piece with its length, a stream in chunks.
 *
 * What the application throws is a 500 without details and goes to `onError` of the server, with
 * two exceptions: an `HttpError` has its status, and a body that the client broke, or sent too much
 * of, is answered as it would be elsewhere. `Response.error()`, a body that was used, and the 101 of
 * `Deno.upgradeWebSocket()` are such errors too: for WebSockets call `upgrade(info.ctx)`.
 *
 * @param app The application, or its `fetch`.
 * @returns A handler for `serve`, also behind middlewares and in a router.
 * @throws {TypeError} If it is neither.
 *
 * @example A function
 * ```ts
 * import { runRequest, toHandler } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = toHandler(async (request) => {
 *   return Response.json({ url: request.url, got: await request.json() }, { status: 201 });
 * });
 *
 * const response = await runRequest(handler, "/a", { method: "POST", body: "[1]" });
 * assertEquals(response.status, 201);
 * assertEquals(await response.json(), { url: "http://localhost/a", got: [1] });
 * ```
 */
export function toHandler(app: FetchHandler | FetchApp): Handler {
  const run = fetchOf(app);
  return (ctx) => {
    if (ctx.method !== "GET" && FORBIDDEN_METHOD.test(ctx.method)) {
      throw new HttpError(501, "No application can be asked by this method");
    }
    const request = adapterRequest(ctx, requestUrl(ctx));
    let result: Response | Promise<Response>;
    try {
      result = run(request, new AdapterInfo(ctx));
    } catch (error) {
      throw failed(error);
    }
    if (typeof (result as Promise<Response>)?.then !== "function") {
      return answer(ctx, result as Response);
    }
    return Promise.resolve(result).then((web) => answer(ctx, web), refail);
  };
}

function fetchOf(app: FetchHandler | FetchApp): FetchHandler {
  if (typeof app === "function") return app;
  if (typeof app?.fetch !== "function") {
    throw new TypeError("Cannot use application: it is no function and has no method fetch");
  }
  return (request, info) => app.fetch(request, info);
}

function answer(ctx: Context, web: Response): void | Promise<void> {
  try {
    return answerWith(ctx, web)?.catch(refail);
  } catch (error) {
    throw failed(error);
  }
}

function refail(error: unknown): never {
  throw failed(error);
}

/**
 * Errors of frameworks have statuses of their own, which they answer with themselves. One that gets
 * here has not been answered: it is a fault of the application, whatever it has to say.
 */
function failed(error: unknown): unknown {
  if (error instanceof HttpError || error instanceof NetError) return error;
  return statusOf(error) === 500 ? error : new HttpError(500, "", { cause: error });
}
