import { Client } from "./client.ts";
import type { ClientResponse } from "./client_response.ts";
import type { RequestOptions } from "./client_settings.ts";

let shared: Client | undefined;

/** The client of the functions below, made at its first use. */
function sharedClient(): Client {
  return shared ??= new Client();
}

/**
 * Asks with GET, on the client that all these functions share.
 *
 * @param url Where to.
 * @param options What else.
 * @returns The response.
 * @throws {Error} As {@linkcode Client.request}.
 *
 * @example Asking for a page
 * ```ts
 * import { closeSharedClient, get, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await get(`http://127.0.0.1:${port}/`);
 * assertEquals(await response.text(), "hello");
 * await closeSharedClient();
 * ```
 */
export function get(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
  return sharedClient().get(url, options);
}

/**
 * Asks with HEAD, on the client that all these functions share.
 *
 * @param url Where to.
 * @param options What else.
 * @returns The response, which has no body.
 * @throws {Error} As {@linkcode Client.request}.
 *
 * @example Asking whether there is a page
 * ```ts
 * import { closeSharedClient, head, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await head(`http://127.0.0.1:${port}/`);
 * assertEquals(response.headers.get("content-length"), "5");
 * await closeSharedClient();
 * ```
 */
export function head(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
  return sharedClient().head(url, options);
}

/**
 * Asks with POST, on the client that all these functions share.
 *
 * @param url Where to.
 * @param options What else.
 * @returns The response.
 * @throws {Error} As {@linkcode Client.request}.
 *
 * @example Sending JSON
 * ```ts
 * import { closeSharedClient, post, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => ctx.json(await ctx.body.json()), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await post(`http://127.0.0.1:${port}/`, { json: [1, 2] });
 * assertEquals(await response.json(), [1, 2]);
 * await closeSharedClient();
 * ```
 */
export function post(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
  return sharedClient().post(url, options);
}

/**
 * Asks with PUT, on the client that all these functions share.
 *
 * @param url Where to.
 * @param options What else.
 * @returns The response.
 * @throws {Error} As {@linkcode Client.request}.
 *
 * @example Sending text
 * ```ts
 * import { closeSharedClient, put, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => ctx.text(await ctx.body.text()), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await put(`http://127.0.0.1:${port}/`, { body: "hello" });
 * assertEquals(await response.text(), "hello");
 * await closeSharedClient();
 * ```
 */
export function put(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
  return sharedClient().put(url, options);
}

/**
 * Asks with PATCH, on the client that all these functions share.
 *
 * @param url Where to.
 * @param options What else.
 * @returns The response.
 * @throws {Error} As {@linkcode Client.request}.
 *
 * @example Sending a change
 * ```ts
 * import { closeSharedClient, patch, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(ctx.method), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await patch(`http://127.0.0.1:${port}/`, { json: { name: "lamp" } });
 * assertEquals(await response.text(), "PATCH");
 * await closeSharedClient();
 * ```
 */
export function patch(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
  return sharedClient().patch(url, options);
}

/**
 * Asks with DELETE, on the client that all these functions share.
 *
 * @param url Where to.
 * @param options What else.
 * @returns The response.
 * @throws {Error} As {@linkcode Client.request}.
 *
 * @example Deleting
 * ```ts
 * import { closeSharedClient, del, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(ctx.method), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await del(`http://127.0.0.1:${port}/things/1`);
 * assertEquals(await response.text(), "DELETE");
 * await closeSharedClient();
 * ```
 */
export function del(url: string | URL, options?: RequestOptions): Promise<ClientResponse> {
  return sharedClient().delete(url, options);
}

/**
 * Asks with any method, on the client that all these functions share.
 *
 * @param method Method: a token; it is case-sensitive.
 * @param url Where to.
 * @param options What else.
 * @returns The response.
 * @throws {Error} As {@linkcode Client.request}.
 *
 * @example What a server can do
 * ```ts
 * import { closeSharedClient, request, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(ctx.method), { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await request("OPTIONS", `http://127.0.0.1:${port}/`);
 * assertEquals(await response.text(), "OPTIONS");
 * await closeSharedClient();
 * ```
 */
export function request(
  method: string,
  url: string | URL,
  options?: RequestOptions,
): Promise<ClientResponse> {
  return sharedClient().request(method, url, options);
}

/**
 * Closes the client that these functions share, and its connections. Idle ones do
 * not keep a process alive, so that only tests need this; the next request makes a
 * new client.
 *
 * @returns A promise that resolves when nothing is under way any more.
 *
 * @example Behind a test
 * ```ts
 * import { closeSharedClient } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await closeSharedClient(), undefined);
 * ```
 */
export async function closeSharedClient(): Promise<void> {
  const client = shared;
  shared = undefined;
  await client?.close();
}
