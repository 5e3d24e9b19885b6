/**
 * TLS for the clients of this package, by the runtime: {@linkcode denoProvider}
 * is what `http` and `websocket` use for `https:` and `wss:` URLs. The
 * cryptography is the runtime's own (rustls); certificates are verified
 * strictly, and nothing switches that off.
 *
 * A provider of your own implements `TlsProvider` of `@nbio/net/nbio`. What this
 * one cannot do, it refuses: the server's side, transports that are no TCP
 * connections of the runtime, and options it does not know.
 *
 * Permission: none of its own; the connection below it needs `--allow-net`.
 *
 * Errors, all of them a `NetError`:
 *
 * | `code` | class | when |
 * | --- | --- | --- |
 * | `ERR_TLS_CERTIFICATE` | {@linkcode TlsError} | the peer's certificate was refused |
 * | `ERR_TLS_HANDSHAKE` | {@linkcode TlsError} | the handshake failed |
 * | `ERR_TLS_UNSUPPORTED_ROLE` | {@linkcode TlsUnsupportedError} | the server's side was asked for |
 * | `ERR_TLS_UNSUPPORTED_TRANSPORT` | {@linkcode TlsUnsupportedError} | the transport is none of the runtime's |
 * | `ERR_TLS_UNSUPPORTED_OPTION` | {@linkcode TlsUnsupportedError} | an option is not known |
 *
 * @example What it can do
 * ```ts
 * import { denoProvider } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(denoProvider.capabilities.client, true);
 * ```
 *
 * @module
 */

export * from "./deno_provider.ts";
export * from "./errors.ts";
