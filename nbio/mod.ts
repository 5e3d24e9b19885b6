/**
 * The ground floor: byte streams, listeners, deadlines and buffers, from which
 * the protocols of this package are driven. A `Deno.Conn` is a
 * {@linkcode Transport} as it is, so nothing stands between a driver and its
 * socket.
 *
 * Permissions: {@linkcode listen} needs `--allow-net` for its address, or
 * `--allow-read` and `--allow-write` for the path of a Unix socket. Nothing
 * else needs any.
 *
 * @example Answering every connection
 * ```ts
 * import { lingeringClose, listen, sendAll } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listen({ hostname: "127.0.0.1" });
 * listener.serve(async (transport) => {
 *   await sendAll(transport, new TextEncoder().encode("hello\n"));
 *   await lingeringClose(transport);
 * });
 *
 * const { port } = listener.addr as Deno.NetAddr;
 * const client = await Deno.connect({ hostname: "127.0.0.1", port });
 * assertEquals(await client.read(new Uint8Array(16)), 6);
 * client.close();
 * ```
 *
 * Errors, all of them a {@linkcode NetError}:
 *
 * | `code` | class | when |
 * | --- | --- | --- |
 * | `ERR_NET_TIMEOUT` | {@linkcode TimeoutError} | a deadline passed |
 * | `ERR_NET_CONNECTION_CLOSED` | {@linkcode ConnectionClosedError} | the connection ended in mid-message |
 * | `ERR_NET_LIMIT_EXCEEDED` | {@linkcode LimitExceededError} | input passed a limit |
 *
 * Errors of the system (`Deno.errors.AddrInUse`, `Deno.errors.ConnectionReset`
 * and so on) are passed on untouched.
 *
 * @module
 */

export * from "./clock.ts";
export * from "./connect_error.ts";
export * from "./datagram_socket.ts";
export * from "./deadline_wheel.ts";
export * from "./errors.ts";
export * from "./file_error.ts";
export * from "./host_resolver.ts";
export * from "./linger.ts";
export * from "./listen.ts";
export * from "./operation.ts";
export * from "./receive_buffer.ts";
export * from "./send_all.ts";
export * from "./system_error.ts";
export * from "./transport.ts";
