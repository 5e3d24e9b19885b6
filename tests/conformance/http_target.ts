/**
 * The server that the suites and the vector runners talk to, on `serve()` with
 * its defaults. Alone: `deno run --allow-net tests/conformance/http_target.ts --port 8000`.
 */

import { parseArgs } from "node:util";
import { serve } from "../../http/serve.ts";
import type { Context } from "../../http/server_context.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { RawAddress } from "../_support/raw_client.ts";

/** A running target. */
export interface Target extends AsyncDisposable {
  /** Where it listens. */
  readonly address: RawAddress;
}

/**
 * Starts the target on a free port of the loopback interface.
 *
 * @param options What to change about the server.
 */
export function startTarget(options: ServeOptions = {}): Target {
  const server = serve(answer, { hostname: "127.0.0.1", port: 0, ...options });
  const { hostname, port } = server.addr as Deno.NetAddr;
  return {
    address: { hostname, port },
    [Symbol.asyncDispose]: () => server.shutdown({ graceMs: 0 }),
  };
}

function answer(ctx: Context): void | Promise<void> {
  const path = pathOf(ctx.url);
  if (path.startsWith("/target")) return ctx.text(ctx.url);
  if (path.startsWith("/field/")) return ctx.text(ctx.headers.get(path.slice(7)) ?? "missing");
  if (path.startsWith("/status/")) return answerStatus(ctx, Number(path.slice(8)));
  switch (path) {
    case "/unread":
      return ctx.text("unread");
    case "/stream":
      return ctx.stream(streamOf("str", "eam"));
    case "/close":
      ctx.set("Connection", "close");
      return ctx.text("close");
    case "/echo":
      return ctx.text([...ctx.headers].map(([name, value]) => `${name}: ${value}\n`).join(""));
    case "/cookie":
      return ctx.text((ctx.headers.get("cookie") ?? "").split("; ").join("\n"));
    case "/count":
      return answerCount(ctx);
    default:
      return answerMethod(ctx);
  }
}

async function* streamOf(...pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces;
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function answerStatus(ctx: Context, status: number): void {
  ctx.status = status;
}

async function answerCount(ctx: Context): Promise<void> {
  ctx.text(`${(await ctx.body.bytes()).length}`);
}

function answerMethod(ctx: Context): void | Promise<void> {
  switch (ctx.method) {
    case "GET":
    case "HEAD":
      return ctx.text("OK");
    case "OPTIONS":
      ctx.set("Allow", "GET, HEAD, POST, OPTIONS");
      return answerStatus(ctx, ctx.url === "*" ? 200 : 204);
    case "DELETE":
    case "TRACE":
    case "CONNECT":
      ctx.set("Allow", "GET, HEAD, POST, OPTIONS");
      return answerStatus(ctx, 405);
    default:
      return answerEcho(ctx);
  }
}

/** Sends the body back: POST, and every method nobody has heard of. */
async function answerEcho(ctx: Context): Promise<void> {
  ctx.bytes(await ctx.body.bytes());
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "8000" } } });
  const server = serve(answer, { hostname: "127.0.0.1", port: Number(values.port) });
  console.log(`listening on ${(server.addr as Deno.NetAddr).port}`);
}
