/**
 * HTTP/1.1 in TypeScript: a server that hides nothing of the protocol.
 *
 * {@linkcode serve} runs a handler for every request. A handler reads from its
 * {@linkcode Context} and answers through it.
 *
 * What is refused, and with which status, follows RFC 9112 where it says "must"
 * and the safer side where it says "may"; see {@linkcode HttpLenience} for what
 * can be relaxed, and {@linkcode HttpLimits} and {@linkcode ServerTimeouts} for
 * the bounds. The protocol itself, without any socket, is in
 * `@nbio/net/http/core`.
 *
 * Permissions: `--allow-net` of the address listened on; for Unix sockets
 * `--allow-read` and `--allow-write` of the path.
 *
 * Errors:
 *
 * - {@linkcode HttpError}: thrown by a handler to answer with a status.
 * - {@linkcode HttpProtocolError}: the client broke the protocol.
 * - {@linkcode HttpStateError}: something was called at the wrong moment.
 * - `LimitExceededError`, `TimeoutError`, `ConnectionClosedError` of
 *   `@nbio/net/nbio`: a bound, a deadline, a client that left.
 *
 * @example Reading and answering
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   if (ctx.method !== "POST") return ctx.text("send me something");
 *   ctx.json({ length: (await ctx.body.bytes()).length });
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "four" });
 * assertEquals(await response.json(), { length: 4 });
 * ```
 *
 * @module
 */

export * from "./errors.ts";
export { type HeaderInit, HeaderList } from "./header_list.ts";
export type { HttpLenience, HttpLimits } from "./limits.ts";
export { type CollectOptions, IncomingBody } from "./body_incoming.ts";
export type { ResponseBody, ResponseView } from "./outgoing_response.ts";
export { HttpServer, serve, type ServerStats, type ShutdownOptions } from "./serve.ts";
export { Context } from "./server_context.ts";
export type { ServeOptions, ServerTimeouts } from "./server_options.ts";
export type { Handler } from "./server_shared.ts";
export { ResponseWriter } from "./server_writer.ts";
