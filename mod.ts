/**
 * Networking protocols for Deno as pure TypeScript state machines, with thin drivers over
 * `Deno.listen` and `Deno.connect`.
 *
 * This entry point only gathers the modules. Import the one you need, it is smaller:
 *
 * - `@nbio/net/http`: an HTTP/1.1 server and client; `@nbio/net/http/core` is its protocol without any I/O,
 *   `@nbio/net/http/cli` serves a module, `@nbio/net/http/otel` traces.
 * - `@nbio/net/websocket`: WebSocket for servers and clients; `@nbio/net/websocket/core` is its
 *   protocol without any I/O.
 * - `@nbio/net/dns`: a stub resolver, and every record type on the wire and in text;
 *   `@nbio/net/dns/core` is the same without anything that touches the platform.
 * - `@nbio/net/tls`: TLS for clients and servers, and certificates: reading, verifying, making them;
 *   `@nbio/net/tls/x509` is the reading alone, without any I/O.
 * - `@nbio/net/nbio`: transports, listeners, deadlines, several cores; `@nbio/net/nbio/testing` is for tests.
 *
 * Each module says when to take it, which standards it keeps and which parts of them it refuses,
 * which permissions it needs and which errors it throws, all of them with a stable `code`.
 *
 * @example Serving from the gathered modules
 * ```ts
 * import { http } from "@nbio/net";
 * import { assert } from "@std/assert";
 *
 * await using server = http.serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
 * assert(server.addr !== undefined);
 * ```
 *
 * @module
 */

export * as nbio from "./nbio/mod.ts";
export * as http from "./http/mod.ts";
export * as dns from "./dns/mod.ts";
export * as tls from "./tls/mod.ts";
export * as websocket from "./websocket/mod.ts";
