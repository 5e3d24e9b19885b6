import { HttpStateError } from "./errors.ts";
import { checkResponse } from "./server_adopt.ts";
import type { Context } from "./server_context.ts";
import type { Handler, HandlerResult } from "./server_shared.ts";

/**
 * Runs what lies further in: the next middleware, at last the handler.
 *
 * @returns A promise that resolves when the answer of what lies further in is
 * settled. It never rejects: an error in there has become an answer.
 * @throws {HttpStateError} If called a second time.
 */
export type Next = () => Promise<void>;

/**
 * Stands around a handler. It may answer itself, and so keep the request from
 * what lies further in; or call `next` and look at the answer afterwards, which
 * may be changed until it leaves.
 *
 * An error thrown further in has been turned into an answer by the time `next`
 * resolves, and is in `ctx.error`; so what a middleware does to answers, it does
 * to errors too.
 *
 * @example Time in a header field
 * ```ts
 * import { type Middleware, Router } from "@nbio/net/http";
 * import { assert } from "@std/assert";
 *
 * const timing: Middleware = async (ctx, next) => {
 *   const start = performance.now();
 *   await next();
 *   ctx.set("server-timing", `app;dur=${(performance.now() - start).toFixed(1)}`);
 * };
 *
 * const app = new Router();
 * app.use(timing);
 * app.get("/", (ctx) => ctx.text("hello"));
 * const response = await app.request("/");
 * assert(response.headers.get("server-timing")!.startsWith("app;dur="));
 * ```
 */
export type Middleware = (ctx: Context, next: Next) => HandlerResult;

/**
 * Makes the answer to an error of a handler or middleware. When it is called the
 * error has been answered as it would be without a hook: status, header fields
 * and a short text. It may leave that, change it, or give another answer.
 */
export type ErrorHandler = (error: unknown, ctx: Context) => HandlerResult;

/** Options of {@linkcode compose}. */
export interface ComposeOptions {
  /**
   * Makes the answer to errors; not called where the head has left already. An
   * error of its own is answered 500.
   *
   * @default status and a short text
   */
  readonly onError?: ErrorHandler | undefined;
}

/** A layer with everything inside it. Its errors are answered, not thrown. */
type Layer = (ctx: Context) => void | Promise<void>;

/** What `next` gives where everything further in was synchronous. */
const DONE: Promise<void> = Promise.resolve();
const NOTHING = new Uint8Array(0);

/**
 * Puts middlewares around a handler.
 *
 * What is synchronous all the way costs no turn of the event loop, and neither
 * does a middleware that returns what `next` gave it.
 *
 * @param middlewares From the outermost to the innermost.
 * @param handler Answers what reaches it. Where it answers nothing, the answer
 * is 404.
 * @param options What becomes of errors.
 * @returns A handler that runs them all and never throws or rejects.
 *
 * @example Around a handler without a router
 * ```ts
 * import { compose, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose([
 *   async (ctx, next) => {
 *     await next();
 *     ctx.set("x-status", String(ctx.status));
 *   },
 * ], (ctx) => ctx.text("hello"));
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(await response.text(), "hello");
 * assertEquals(response.headers.get("x-status"), "200");
 * ```
 */
export function compose(
  middlewares: readonly Middleware[],
  handler: Handler,
  options: ComposeOptions = {},
): Handler {
  const { onError } = options;
  let layer = innermost(handler, onError);
  for (const middleware of middlewares.toReversed()) layer = around(middleware, layer, onError);
  return layer;
}

function innermost(handler: Handler, onError: ErrorHandler | undefined): Layer {
  return (ctx) => {
    try {
      const result = handler(ctx);
      if (result === undefined) return ctx.ensureAnswer();
      if (result instanceof Response) return ctx.respond(result);
      return endInnermost(ctx, result, onError);
    } catch (error) {
      return fail(ctx, error, onError);
    }
  };
}

async function endInnermost(
  ctx: Context,
  result: Promise<void | Response>,
  onError: ErrorHandler | undefined,
): Promise<void> {
  try {
    const web = await result;
    if (web !== undefined) ctx.respond(web);
    ctx.ensureAnswer();
  } catch (error) {
    await fail(ctx, error, onError);
  }
}

/** The path of every request: one closure for each layer, and no more promises than it makes. */
function around(middleware: Middleware, inner: Layer, onError: ErrorHandler | undefined): Layer {
  return (ctx) => {
    let inside: Promise<void> | undefined;
    const next: Next = () => {
      if (inside !== undefined) throw nextCalledError();
      inside = DONE;
      return inside = inner(ctx) ?? DONE;
    };
    try {
      const result = middleware(ctx, next);
      // Who did not wait for what is further in, or waits for nothing else, is
      // done when that is: it never rejects.
      if (result === undefined || result === inside) return inside === DONE ? undefined : inside;
      if (result instanceof Response) return ctx.respond(result);
      return end(ctx, result, onError);
    } catch (error) {
      if (inside === undefined || inside === DONE) return fail(ctx, error, onError);
      // What is further in must not answer over the error.
      return inside.then(() => fail(ctx, error, onError));
    }
  };
}

async function end(
  ctx: Context,
  result: Promise<void | Response>,
  onError: ErrorHandler | undefined,
): Promise<void> {
  try {
    const web = await result;
    if (web !== undefined) ctx.respond(web);
  } catch (error) {
    await fail(ctx, error, onError);
  }
}

/** Answers an error, and lets the hook answer it better. */
function fail(
  ctx: Context,
  error: unknown,
  onError: ErrorHandler | undefined,
): void | Promise<void> {
  ctx.fail(error);
  if (onError === undefined || ctx.response.committed) return;
  try {
    const result = onError(error, ctx);
    if (result === undefined) return;
    if (result instanceof Response) return respondInstead(ctx, result);
    return endError(ctx, result);
  } catch (another) {
    ctx.fail(another);
  }
}

async function endError(ctx: Context, result: Promise<void | Response>): Promise<void> {
  try {
    const web = await result;
    if (web !== undefined) respondInstead(ctx, web);
  } catch (another) {
    ctx.fail(another);
  }
}

/** A `Response` in the place of an answer; header fields of the error stay. */
function respondInstead(ctx: Context, web: Response): void {
  checkResponse(web);
  ctx.status = web.status;
  if (web.body === null) ctx.bytes(NOTHING);
  else ctx.stream(web.body);
  const { headers } = ctx.response;
  // What came with the body; a Response has the type it says, or none.
  headers.delete("content-type");
  for (const [name, value] of web.headers) {
    if (name === "set-cookie") headers.append(name, value);
    else if (name !== "transfer-encoding") headers.set(name, value);
  }
}

function nextCalledError(): HttpStateError {
  return new HttpStateError("ERR_HTTP_NEXT_CALLED", "Cannot call next: it was called already", {
    state: "called",
    event: "next",
  });
}
