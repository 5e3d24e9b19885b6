/**
 * HTTP/1.1 in TypeScript: a server and a client that hide nothing of the protocol.
 *
 * {@linkcode serve} runs a handler for every request. A handler reads from its
 * {@linkcode Context} and answers through it; a {@linkcode Router} is made of
 * handlers, and {@linkcode Middleware} stands around them.
 *
 * | to | there is |
 * | --- | --- |
 * | route | {@linkcode Router}: typed parameters, groups, 405, HEAD and OPTIONS, reverse URLs |
 * | read a body | `ctx.body`: `bytes`, `text`, `json`, `form`, `multipart`, `stream`, `for await` |
 * | answer | `ctx.text`, `html`, `json`, `bytes`, `stream`, `writer`, `redirect`, `inform`, or a `Response` |
 * | serve files | {@linkcode serveDir}, {@linkcode serveFile}: conditional requests, ranges, precompressed siblings, listings |
 * | answer live | {@linkcode sseStream}, {@linkcode SseBroadcaster}; {@linkcode compress} and {@linkcode etag} stand around any answer |
 * | fail well | {@linkcode HttpError}, {@linkcode problem}, {@linkcode Router.onError} |
 * | negotiate | {@linkcode negotiateType}, {@linkcode negotiateLanguage}, {@linkcode negotiateEncoding}, {@linkcode negotiateCharset} |
 * | keep state | `ctx.state` with {@linkcode StateKey}, `ctx.cookies`, {@linkcode CookieSigner}, {@linkcode CookieEncrypter}, {@linkcode session} |
 * | let in | {@linkcode basicAuth}, {@linkcode csrf}, {@linkcode cors}, {@linkcode rateLimit}, {@linkcode requireBody}, {@linkcode validate} |
 * | watch | {@linkcode logger}, {@linkcode requestId}, {@linkcode timeout}, {@linkcode secureHeaders} |
 * | stand behind a proxy | {@linkcode trustedProxy}, {@linkcode proxyListener}, {@linkcode limitPerAddress} |
 * | be one | {@linkcode reverseProxy}: balancing, health checks, upgrades |
 * | run what takes a `Request` | {@linkcode toHandler}; the other way round {@linkcode toFetch}; `@nbio/net/http/cli` |
 * | count and trace | the option `telemetry`; `@nbio/net/http/otel` |
 * | leave HTTP | `ctx.upgrade`, `ctx.hijack`, `ctx.tunnel` |
 * | ask | {@linkcode Client}: pool, retries, redirects, deadlines per phase, proxies; {@linkcode get}, {@linkcode post} and the like on a shared one; {@linkcode CookieJar} |
 * | make one request | {@linkcode dialHttp}, {@linkcode exchange}, {@linkcode ClientConnection} |
 * | test without a socket | {@linkcode Router.request}, {@linkcode runRequest} |
 *
 * What is refused, and with which status, follows RFC 9112 where it says "must"
 * and the safer side where it says "may"; see {@linkcode HttpLenience} for what
 * can be relaxed, and {@linkcode HttpLimits} and {@linkcode ServerTimeouts} for
 * the bounds. The protocol itself, without any socket, is in
 * `@nbio/net/http/core`.
 *
 * Take it where `Deno.serve` and `fetch` hide what you need, and where strangers are at the other end:
 * everything a peer sends or withholds has a bound. Framing and syntax (RFC 9112) are listed in
 * `@nbio/net/http/core`; what stands around them is here:
 *
 * | standard | here | not here, and why |
 * | --- | --- | --- |
 * | RFC 9110 section 9, methods | all, and PATCH (RFC 5789); HEAD, OPTIONS and 405 by themselves; CONNECT by `onConnect` | TRACE is answered by {@linkcode reverseProxy} only, without secrets: it tells a page what it may not see |
 * | section 7.6, forwarding | {@linkcode reverseProxy}: Via, Max-Forwards, hop-by-hop fields, trailers | transformations: a proxy passes on |
 * | section 7.8, Upgrade | `ctx.upgrade`, and a client's | to HTTP/2 in clear: out of scope |
 * | section 8, representations | codings br, zstd, gzip, deflate both ways; entity tags; lengths | `compress`, which nobody sends |
 * | section 10.1.1, Expect | 100 leaves at the first read of the body; a refusal comes before it | |
 * | section 11, authentication | Basic (RFC 7617) | Digest: worse than Basic over TLS |
 * | section 12, negotiation | type, language, coding, charset; Vary | |
 * | section 13, conditions | all five, in their order, for files and by {@linkcode etag} | |
 * | section 14, ranges | `bytes`, single and multiple, If-Range, 416 | other units; partial PUT, which has no agreed meaning |
 * | RFC 9111, caching | what a sender owes caches: validators, Vary, `no-transform`, `private` for sessions | a cache: neither client nor proxy keeps responses |
 * | RFC 6265bis, cookies | server and jar: prefixes, SameSite, Partitioned, public suffixes, sizes, 400 days | cookies for scripts: there is no document |
 * | RFC 7578, forms | streamed both ways, names by the HTML standard | parts in parts, which it deprecates |
 * | RFC 9457 | {@linkcode problem} | |
 * | RFC 7239, X-Forwarded | read from proxies that are trusted, written by {@linkcode reverseProxy} | obfuscated nodes tell nothing, and are not made up |
 * | RFC 6266, 8187 | file names in Content-Disposition, both ways | |
 * | RFC 8297, 103 | sent and seen | |
 * | RFC 6797, HSTS | sent by {@linkcode secureHeaders} | a client's memory of it |
 * | RFC 1928, 1929, SOCKS5 | CONNECT, with and without a password | BIND, UDP, GSSAPI |
 * | PROXY protocol 1 and 2 | {@linkcode proxyListener}, from senders that are trusted | |
 * | server-sent events | the HTML standard's, from the server | |
 * | RFC 9113, 9114 (HTTP/2, HTTP/3) | the preface is recognised and refused | out of scope: a proxy in front speaks them |
 *
 * Permissions: `--allow-net` of the address listened on; for Unix sockets
 * `--allow-net=unix:PATH`, `--allow-read` and `--allow-write` of the path. A client
 * needs `--allow-net` for the servers it asks, or for its proxies.
 *
 * Errors:
 *
 * - {@linkcode HttpError}: thrown by a handler to answer with a status.
 * - {@linkcode HttpProtocolError}: the client broke the protocol.
 * - {@linkcode HttpStateError}: something was called at the wrong moment.
 * - {@linkcode HttpStatusError}: a client was told to throw on a status of 400 and
 *   more (`throwOnError`).
 * - {@linkcode HttpRedirectError}: a redirect that is not followed:
 *   `ERR_HTTP_REDIRECT_REFUSED`, `_TOO_MANY`, `_BAD_LOCATION`, `_BAD_SCHEME`,
 *   `_INSECURE`, `_BODY`.
 * - {@linkcode ProxyError}: a proxy did not connect: `ERR_PROXY_AUTHENTICATION`,
 *   `_REFUSED`, `_TARGET_UNREACHABLE`, `_BAD_RESPONSE`, `_CLOSED`, `_UNSUPPORTED`.
 * - {@linkcode RoutePatternError}: a pattern that cannot be read.
 * - {@linkcode ValidationError}: what a client sent does not fit a schema.
 * - `LimitExceededError`, `TimeoutError`, `ConnectionClosedError` of
 *   `@nbio/net/nbio`: a bound, a deadline, a peer that left. `ConnectError`: no
 *   server. What a client throws tells phase, attempts and address through
 *   {@linkcode requestFailure}.
 *
 * @example Routes, and a body that is read in bounds
 * ```ts
 * import { requestId, Router, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const app = new Router();
 * app.use(requestId());
 * app.get("/users/:id{int}", (ctx) => ctx.json({ id: ctx.params.id }));
 * app.post("/length", async (ctx) => {
 *   ctx.json({ length: (await ctx.body.bytes({ maxBytes: 1_000 })).length });
 * });
 *
 * await using server = serve(app.handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const url = `http://127.0.0.1:${port}`;
 * assertEquals(await (await fetch(`${url}/users/7`)).json(), { id: 7 });
 * const response = await fetch(`${url}/length`, { method: "POST", body: "four" });
 * assertEquals(await response.json(), { length: 4 });
 * ```
 *
 * @module
 */

export * from "./errors.ts";
export { type HeaderInit, HeaderList } from "./header_list.ts";
export type { HttpLenience, HttpLimits } from "./limits.ts";
export { type ChunkOptions, type CollectOptions, IncomingBody } from "./body_incoming.ts";
export type { BodyDecodingOptions } from "./body_content_decoding.ts";
export type { FormOptions, MultipartOptions } from "./body_form.ts";
export { MultipartPart, type PartCollectOptions } from "./body_multipart.ts";
export type { ParsedContentDisposition } from "./content_disposition.ts";
export type { MultipartLimits } from "./multipart_limits.ts";
export { baseFilename, safeFilename, type SafeFilenameOptions } from "./safe_filename.ts";
export type { ResponseBody, ResponseView } from "./outgoing_response.ts";
export type { FileCoding, FileOptions, FileProgress } from "./file_options.ts";
export * from "./media_types.ts";
export * from "./serve_dir.ts";
export * from "./serve_file.ts";
export type { HttpServerTlsOptions } from "./listen.ts";
export { HttpServer, serve, type ServerStats, type ShutdownOptions } from "./serve.ts";
export { Context, type RouteParamValues } from "./server_context.ts";
export type { ServeOptions, ServerTimeouts } from "./server_options.ts";
export type { Handler, HandlerResult } from "./server_shared.ts";
export type { HandedConnection } from "./server_handover.ts";
export { ResponseWriter } from "./server_writer.ts";
export { AUTHENTICATED_USER, basicAuth, type BasicAuthOptions } from "./middleware_basic_auth.ts";
export { compress, type CompressionLevels, type CompressOptions } from "./middleware_compress.ts";
export { isCompressibleType } from "./compression_rules.ts";
export type { ContentCoding } from "./content_coding.ts";
export { etag, type EtagOptions } from "./middleware_etag.ts";
export { encodeServerSentEvent, type ServerSentEvent } from "./sse_encoder.ts";
export type { SseOverflow, SseStreamOptions } from "./sse_options.ts";
export { SseStream, sseStream } from "./sse_stream.ts";
export {
  SseBroadcaster,
  type SseBroadcasterOptions,
  type SseSubscribeOptions,
} from "./sse_broadcaster.ts";
export { type FetchApp, type FetchHandler, toHandler } from "./to_handler.ts";
export { toFetch, type ToFetchInfo, type ToFetchOptions } from "./to_fetch.ts";
export type { FetchInfo } from "./adapter_info.ts";
export { reverseProxy, type ReverseProxyHandler } from "./reverse_proxy.ts";
export * from "./reverse_proxy_options.ts";
export { tunnelBytes, type TunnelEnd, type TunnelOptions } from "./byte_tunnel.ts";
export type { UpstreamCheckOptions } from "./upstream_check.ts";
export type { ReverseProxyStats, UpstreamStats } from "./upstream_group.ts";
export { endToEndFields, endToEndTrailers, isHopByHop } from "./hop_by_hop.ts";
export { appendVia, viaHas } from "./via.ts";
export * from "./forwarded_writer.ts";
export * from "./upstream_health.ts";
export * from "./upstream_balancer.ts";
export { cors, type CorsOptions, type CorsOrigin } from "./middleware_cors.ts";
export { csrf, type CsrfOptions } from "./middleware_csrf.ts";
export type { LogEntry } from "./log_format.ts";
export { logger, type LoggerOptions } from "./middleware_logger.ts";
export { rateLimit, type RateLimitOptions } from "./middleware_rate_limit.ts";
export {
  CLIENT,
  clientAddr,
  clientHost,
  type ClientInfo,
  clientScheme,
  type ForwardedField,
  trustedProxy,
  type TrustedProxyOptions,
} from "./middleware_trusted_proxy.ts";
export { type AddressLimitOptions, limitPerAddress } from "./address_limit.ts";
export {
  type ForwardedElement,
  type ForwardedNode,
  type ForwardedOptions,
  parseForwarded,
  parseForwardedFor,
  parseForwardedList,
} from "./forwarded.ts";
export { IpRangeSet } from "./ip_range.ts";
export {
  proxyHeader,
  ProxyListener,
  proxyListener,
  type ProxyListenerOptions,
  type ProxyListenerStats,
} from "./proxy_listener.ts";
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
export { REQUEST_ID, requestId, type RequestIdOptions } from "./middleware_request_id.ts";
export {
  requireBody,
  type RequireBodyOptions,
  type RequiredBodyForms,
  type StateMiddleware,
} from "./middleware_require_body.ts";
export { secureHeaders, type SecureHeadersOptions } from "./middleware_secure_headers.ts";
export { type HandlerTimeoutOptions, timeout } from "./middleware_timeout.ts";
export {
  validate,
  type Validated,
  type ValidateOptions,
  type ValidateSchemas,
} from "./middleware_validate.ts";
export {
  MemoryRateLimitStore,
  type MemoryRateLimitStoreOptions,
  type RateLimitDecision,
  type RateLimitStore,
} from "./rate_limit_store.ts";
export type * from "./standard_schema.ts";
export { type ValidatedPart, ValidationError, type ValidationIssue } from "./validation_error.ts";
export { Client, type ClientStats } from "./client.ts";
export {
  HttpStatusError,
  type RequestFacts,
  RequestFailure,
  requestFailure,
  type RequestPhase,
} from "./client_errors.ts";
export type { FetchInit } from "./client_fetch.ts";
export * from "./client_functions.ts";
export type { ClientProgress, ProgressListener } from "./client_progress.ts";
export {
  proxyFromEnvironment,
  type ProxyOptions,
  ProxyRules,
  type ProxyScheme,
  ProxyServer,
} from "./client_proxy.ts";
export {
  isRedirectStatus,
  nextRedirect,
  type RedirectedRequest,
  type RedirectOptions,
  type RedirectResponse,
  type RedirectStep,
} from "./client_redirect.ts";
export * from "./client_redirect_error.ts";
export {
  type ClientBody,
  type FileBody,
  type FileBodySource,
  openRequestBody,
  type RequestBody,
  type RequestBodyOptions,
} from "./client_request_body.ts";
export {
  type ClientBodyOptions,
  type ClientFormOptions,
  ClientResponse,
  type ClientTimings,
  type FollowedRedirect,
  type ResponseOwner,
} from "./client_response.ts";
export {
  isIdempotentMethod,
  type RetryDecision,
  type RetryFacts,
  type RetryFailure,
  type RetryOptions,
  RetryPolicy,
  TRANSIENT_STATUSES,
} from "./client_retry.ts";
export type { FormLimits } from "./client_form.ts";
export type {
  CallSettings,
  ClientCallOptions,
  ClientOptions,
  ClientRouteOptions,
  RequestOptions,
} from "./client_settings.ts";
export { FormDataWriter, type FormDataWriterOptions } from "./form_data_writer.ts";
export * from "./http_proxy_dial.ts";
export * from "./no_proxy.ts";
export type { DialedProxy } from "./proxy_dial.ts";
export * from "./proxy_error.ts";
export { parseRetryAfter } from "./retry_after.ts";
export {
  Socks5Client,
  type Socks5ConnectedEvent,
  type Socks5Credentials,
  type Socks5Options,
  type Socks5State,
  type Socks5Target,
} from "./socks5.ts";
export * from "./socks5_dial.ts";
export * from "./client_pool.ts";
export type {
  ClientPoolHostStats,
  ClientPoolOptions,
  ClientPoolStats,
  ConnectionObserver,
  PoolAcquireOptions,
  PooledConnection,
  PoolTarget,
} from "./client_pool_options.ts";
export * from "./cookie_date.ts";
export { CookieEncrypter } from "./cookie_encrypter.ts";
export * from "./cookie_jar.ts";
export * from "./cookie_jar_file.ts";
export type { VerifiedCookie } from "./cookie_keys.ts";
export { parseCookies, type ParseCookiesOptions, RequestCookies } from "./cookie_parser.ts";
export {
  type CookieAttributes,
  type CookieScope,
  formatDeleteCookie,
  formatSetCookie,
} from "./cookie_set.ts";
export * from "./cookie_set_parser.ts";
export { CookieSigner } from "./cookie_signer.ts";
export * from "./cookie_store.ts";
export * from "./public_suffix.ts";
export * from "./stored_cookie.ts";
export { session, type SessionMiddleware } from "./middleware_session.ts";
export { type RotateOptions, Session } from "./session.ts";
export type { SessionCookieAttributes, SessionOptions } from "./session_options.ts";
export {
  MemorySessionStore,
  type MemorySessionStoreOptions,
  type SessionStore,
  type StoredSession,
} from "./session_store.ts";
export {
  compose,
  type ComposeOptions,
  type ErrorHandler,
  type Middleware,
  type Next,
} from "./middleware.ts";
export { RequestState, StateKey } from "./request_state.ts";
export { runRequest } from "./request_runner.ts";
export {
  type AddRoute,
  type RouteDefinition,
  RouteGroup,
  type RouteHandler,
} from "./route_group.ts";
export type { RouteParamType } from "./route_param_type.ts";
export type { RouteParams, RouteSegmentParams } from "./route_params.ts";
export type { RoutePathOptions } from "./route_path.ts";
export { type RouteParamInfo, RoutePatternError } from "./route_pattern.ts";
export type { RouteQuery, RouteQueryValue } from "./route_url.ts";
export { type RouteInfo, Router, type RouterOptions } from "./router.ts";
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
export {
  HttpProblem,
  problem,
  type ProblemDetails,
  type ProblemSource,
} from "./problem_details.ts";
export { ClientConnection, type ConnectionEndReason } from "./client_connection.ts";
export { exchange } from "./client_exchange.ts";
export type {
  ClientConnectionOptions,
  ExchangeOptions,
  ExchangeTimeouts,
} from "./client_options.ts";
export type { ExchangeRequest } from "./client_sender.ts";
export {
  type DialedConnection,
  dialHttp,
  type DialHttpOptions,
  type DialTimings,
  type HttpTlsOptions,
} from "./dial.ts";
export type { InformationalEvent, ResponseEvent } from "./events.ts";
export {
  type ExchangeHandover,
  ExchangeResponse,
  type ResponseBytesOptions,
  type ResponseDiscardOptions,
  type ResponseSource,
} from "./exchange_response.ts";
