// This module is sans-I/O.

/**
 * HTTP/1.1 as a state machine: no sockets, no timers, no promises. It runs in a
 * test, a proxy, a browser or another runtime, over whatever moves bytes.
 *
 * Take {@linkcode HttpConnection} where `serve()` of `@nbio/net/http` does not
 * fit: on the client's side, over a transport of your own, to see trailers,
 * informational responses and every event in order, or to test against exact
 * bytes. It needs no permission.
 *
 * | RFC 9112 | done | refused or missing, and why |
 * | --- | --- | --- |
 * | 2.2 parsing | empty lines ahead of a request | a bare LF or CR, white space ahead of a field: they split requests differently at each hop ({@linkcode HttpLenience} for the first) |
 * | 2.3 version | 1.1, and 1.0 as it was | 0.9: 400; every other, 1.2 and 2.0 among them: 505 |
 * | 3.2 targets | all four forms; Host required, once | a Host that disagrees with an absolute-form, stricter than section 3.2.2 |
 * | 4 status line | with and without a reason | |
 * | 5 fields | order, case, repetition kept | obs-fold; a space ahead of the colon; NUL, CR and LF, also when they are set here |
 * | 6.1, 6.3 framing | each rule, also for HEAD, 1xx, 204, 304, CONNECT, 101 | both lengths, two of them, codings behind `chunked`: the roots of request smuggling |
 * | 7.1 chunked | trailers, extensions (bounded, not told) | extensions are not written |
 * | 7.2 transfer codings | `chunked` | gzip and the like as transfer coding: 501, use Content-Encoding |
 * | 7.4 TE | passed on as a field | trailers are sent whether it was said or not |
 * | 8 incomplete messages | told from complete ones | |
 * | 9.3 persistence | both versions, Keep-Alive as a hint | |
 * | 9.3.2 pipelining | by a server, bounded | by a client: one request at a time |
 * | 9.6 teardown | half-close, a bounded rest, close | |
 * | 10 `message/http` | | nobody sends it |
 *
 * A driver is a loop: read bytes and give them to `receive()`, or say with
 * `receiveEnd()` that none will come; pull events until there is none; say
 * something with `send()` and write what `takeOutput()` gives. Where
 * `nextEvent()` gives `undefined`, read more; where it gives `paused`, act first
 * (respond, finish the request, take the tunnel over); where it gives `closed`,
 * or `mustClose` is true, write what is left and close. Deadlines are the
 * driver's: the core does not know time.
 *
 * What goes wrong tells by its class who did it:
 *
 * - {@linkcode HttpProtocolError}: the peer broke HTTP; `code` says how,
 *   `statusHint` what a server answers before it closes.
 * - {@linkcode LimitExceededError}: the peer passed a limit; `limit` names the
 *   option. From `receive()` it means that the caller read on while paused.
 * - {@linkcode HttpStateError}: the caller did something that is not legal now.
 * - `TypeError`, `RangeError`: an argument is wrong.
 *
 * @example A server that answers every request
 * ```ts
 * import { HttpConnection } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const connection = new HttpConnection({ role: "server" });
 *
 * // Gives the bytes to write for the bytes that were read.
 * function exchange(input: Uint8Array): Uint8Array | undefined {
 *   connection.receive(input);
 *   for (;;) {
 *     const event = connection.nextEvent();
 *     if (event === undefined || event.type === "paused" || event.type === "closed") break;
 *     if (event.type !== "end") continue;
 *     connection.send({ type: "response", status: 200, bodyLength: 2 });
 *     connection.send({ type: "data", bytes: new TextEncoder().encode("hi") });
 *     connection.send({ type: "end" });
 *   }
 *   return connection.takeOutput();
 * }
 *
 * const request = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
 * const output = exchange(new TextEncoder().encode(request + request));
 * const response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
 * assertEquals(new TextDecoder().decode(output), response + response);
 * ```
 *
 * @module
 */

export { LimitExceededError, type LimitExceededErrorOptions, NetError } from "../nbio/errors.ts";
export * from "./byte_range.ts";
export * from "./conditional_request.ts";
export * from "./content_disposition.ts";
export * from "./date_parser.ts";
export * from "./entity_tag.ts";
export * from "./file_path.ts";
export { parseContentType, type ParsedContentType } from "./content_type.ts";
export { type FormUrlEncodedOptions, parseFormUrlEncoded } from "./form_urlencoded.ts";
export { isMultipartBoundary } from "./multipart_delimiter.ts";
export type { MultipartLimits } from "./multipart_limits.ts";
export type { MultipartPartHead } from "./multipart_part_head.ts";
export {
  type MultipartDataEvent,
  type MultipartEndEvent,
  type MultipartEvent,
  MultipartParser,
  type MultipartPartEndEvent,
  type MultipartPartEvent,
} from "./multipart_parser.ts";
export { baseFilename, safeFilename, type SafeFilenameOptions } from "./safe_filename.ts";
export { HttpConnection } from "./connection.ts";
export type { HttpConnectionOptions, HttpRole } from "./connection_options.ts";
export type { HttpConnectionState, RequestState, ResponseState } from "./connection_state.ts";
export { formatHttpDate } from "./date.ts";
export * from "./errors.ts";
export type * from "./events.ts";
export {
  type ForwardedElement,
  type ForwardedNode,
  type ForwardedOptions,
  parseForwarded,
  parseForwardedFor,
  parseForwardedList,
} from "./forwarded.ts";
export { endToEndFields, endToEndTrailers, isHopByHop } from "./hop_by_hop.ts";
export { appendVia, viaHas } from "./via.ts";
export * from "./forwarded_writer.ts";
export * from "./upstream_health.ts";
export * from "./upstream_balancer.ts";
export { type HeaderInit, HeaderList } from "./header_list.ts";
export { IpRangeSet } from "./ip_range.ts";
export {
  parseProxyHeader,
  type ProxyAddress,
  type ProxyHeader,
  type ProxyHeaderOptions,
  ProxyProtocolError,
  type ProxyProtocolErrorCode,
  type ProxyTlv,
  ProxyTlvType,
  startsWithProxyHeader,
} from "./proxy_protocol.ts";
export {
  type HttpLenience,
  type HttpLimits,
  resolveBound,
  type ResolvedHttpLimits,
  resolveLimits,
} from "./limits.ts";
export { reasonPhrase } from "./status.ts";
export type { RouteParamType } from "./route_param_type.ts";
export type { RouteParams, RouteSegmentParams } from "./route_params.ts";
export { canonicalPath, type RoutePathOptions } from "./route_path.ts";
export {
  type ExpandOptions,
  type LiteralSegment,
  type ParamSegment,
  parseRoutePattern,
  type RouteParamInfo,
  type RoutePattern,
  RoutePatternError,
  type RouteSegment,
} from "./route_pattern.ts";
export { type RouteEntry, RouteTrie, type RouteTrieOptions } from "./route_trie.ts";
export { formatRouteUrl, type RouteQuery, type RouteQueryValue } from "./route_url.ts";
export { parseCookies, type ParseCookiesOptions, RequestCookies } from "./cookie_parser.ts";
export {
  type CookieAttributes,
  type CookieScope,
  formatDeleteCookie,
  formatSetCookie,
} from "./cookie_set.ts";
export {
  negotiateCharset,
  negotiateEncoding,
  negotiateLanguage,
  negotiateType,
  rankCharsets,
  rankEncodings,
  rankLanguages,
  rankTypes,
} from "./negotiation.ts";
export { type NegotiateOptions, parsePreferences, type Preference } from "./negotiation_parser.ts";
export { type KeepAliveHint, parseKeepAlive } from "./keep_alive.ts";
export * from "./no_proxy.ts";
export * from "./proxy_error.ts";
export {
  Socks5Client,
  type Socks5ConnectedEvent,
  type Socks5Credentials,
  type Socks5Options,
  type Socks5State,
  type Socks5Target,
} from "./socks5.ts";
export { isCompressibleType } from "./compression_rules.ts";
export { encodeServerSentEvent, type ServerSentEvent } from "./sse_encoder.ts";
export * from "./trace_context.ts";
export * from "./url_redaction.ts";
