/**
 * The ground floor: everything with which the protocols of this package, and
 * those of yours, are driven.
 *
 * | to | there is |
 * | --- | --- |
 * | connect and accept | {@linkcode dial}, {@linkcode listen}, {@linkcode bindUdp} |
 * | move bytes | {@linkcode sendAll}, {@linkcode sendVector}, {@linkcode recv}, {@linkcode recvExactly}, {@linkcode recvUntil}, {@linkcode copy}, {@linkcode ReceiveBuffer} |
 * | end well | {@linkcode lingeringClose}, {@linkcode closeQuietly} |
 * | use files | {@linkcode PositionalFile}, {@linkcode readEntireFile}, {@linkcode sendFile} |
 * | bound time | {@linkcode runOperation}, {@linkcode withTimeout}, {@linkcode DeadlineWheel}, {@linkcode Clock} |
 * | do several things | {@linkcode TaskGroup}, {@linkcode AsyncQueue}, {@linkcode Semaphore}, {@linkcode Backoff} |
 * | be watched | {@linkcode Telemetry}, an option of servers, clients and resolvers |
 * | use all cores, end well | {@linkcode prefork}, {@linkcode shutdownSignal} |
 * | know addresses | {@linkcode HostResolver}, {@linkcode orderAddresses}, {@linkcode HappyEyeballs}, {@linkcode parseIpAddress} |
 *
 * A `Deno.Conn` is a {@linkcode Transport} as it is, so nothing stands between a
 * driver and its socket. Every function over a transport takes
 * {@linkcode OperationOptions}: a deadline and a signal. One that fails, or is
 * cancelled, closes its transport.
 *
 * Take it to write a protocol that is not here, and for what every driver needs: connections tried side
 * by side (RFC 8305), addresses in their order (RFC 6724), names by whatever resolver is handed in.
 *
 * Permissions: {@linkcode dial}, {@linkcode listen} and {@linkcode bindUdp} need
 * `--allow-net` for their address; for a Unix socket `--allow-net=unix:PATH`,
 * `--allow-read` and `--allow-write` for its path. Files need `--allow-read` or
 * `--allow-write` for their path; {@linkcode prefork} needs `--allow-run` of Deno and
 * `--allow-env=NODE_V8_COVERAGE`, or for threads `--allow-read` of the module. Nothing else needs any.
 *
 * @example Answering every connection
 * ```ts
 * import { dial, lingeringClose, listen, recv, sendAll } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listen({ hostname: "127.0.0.1" });
 * listener.serve(async (transport) => {
 *   await sendAll(transport, new TextEncoder().encode("hello\n"), { timeoutMs: 5_000 });
 *   await lingeringClose(transport);
 * });
 *
 * const { port } = listener.addr as Deno.NetAddr;
 * const client = await dial({ hostname: "127.0.0.1", port });
 * assertEquals(await recv(client, new Uint8Array(16), { timeoutMs: 5_000 }), 6);
 * client.close();
 * ```
 *
 * Errors, all of them a {@linkcode NetError}:
 *
 * | `code` | class | when |
 * | --- | --- | --- |
 * | `ERR_NET_TIMEOUT` | {@linkcode TimeoutError} | a deadline passed |
 * | `ERR_NET_CONNECTION_CLOSED` | {@linkcode ConnectionClosedError} | the connection ended in mid-message, or a closed socket was used |
 * | `ERR_NET_LIMIT_EXCEEDED` | {@linkcode LimitExceededError} | input passed a limit |
 * | `ERR_NET_CONNECT` | {@linkcode ConnectError} | no address could be reached |
 * | `ERR_NET_RESOLVE` | {@linkcode ConnectError} | a name has no address |
 * | `ERR_NET_FILE` | {@linkcode FileError} | a step on a file failed |
 * | `ERR_NET_FILE_ENDED` | {@linkcode FileError} | a file is shorter than promised |
 * | `ERR_NET_FILE_CLOSED` | {@linkcode FileError} | a closed file was used |
 * | `ERR_NET_PREFORK_CRASHED`, `_RESTART`, `_STOPPING` | {@linkcode PreforkError} | workers crash too often, do not start, or are to end |
 * | `ERR_NET_QUEUE_CLOSED` | {@linkcode QueueClosedError} | something was pushed into a closed queue |
 *
 * Errors of the system (`Deno.errors.AddrInUse`, `Deno.errors.ConnectionReset`
 * and so on) are passed on untouched, and those of `node:` modules in the same
 * classes.
 *
 * @module
 */

export * from "./accept_queue.ts";
export * from "./accept_source.ts";
export * from "./address_order.ts";
export * from "./async_queue.ts";
export * from "./backoff.ts";
export * from "./bind_reuse_port.ts";
export * from "./clock.ts";
export * from "./connect_error.ts";
export * from "./copy.ts";
export * from "./datagram_socket.ts";
export * from "./deadline_wheel.ts";
export * from "./dial.ts";
export * from "./error_type.ts";
export * from "./errors.ts";
export * from "./file_error.ts";
export * from "./file_handle.ts";
export * from "./file_info.ts";
export * from "./happy_eyeballs.ts";
export * from "./host_resolver.ts";
export * from "./ip_address.ts";
export * from "./linger.ts";
export * from "./listen.ts";
export * from "./listen_address.ts";
export * from "./node_transport.ts";
export * from "./operation.ts";
export * from "./positional_file.ts";
export * from "./prefork.ts";
export * from "./prefork_error.ts";
export * from "./prefork_event.ts";
export * from "./prefork_options.ts";
export * from "./prefork_worker.ts";
export * from "./queue_closed_error.ts";
export * from "./read_entire_file.ts";
export * from "./receive_buffer.ts";
export * from "./recv.ts";
export * from "./recv_exactly.ts";
export * from "./recv_until.ts";
export * from "./runtime_telemetry.ts";
export * from "./semaphore.ts";
export * from "./send_all.ts";
export * from "./send_file.ts";
export * from "./send_vector.ts";
export * from "./shutdown_signal.ts";
export * from "./system_error.ts";
export * from "./system_resolver.ts";
export * from "./task_group.ts";
export * from "./telemetry.ts";
export * from "./telemetry_guard.ts";
export * from "./tls_provider.ts";
export * from "./transport.ts";
export * from "./transport_listener.ts";
export * from "./udp.ts";
export * from "./with_timeout.ts";
