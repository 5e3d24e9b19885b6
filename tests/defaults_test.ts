/**
 * The table of defaults, row by row: on the left what is promised, on the right what the code does.
 * Who changes a number there has to change it here, and in what users read.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { followAnswer } from "../dns/answer_chain.ts";
import { DnsCache } from "../dns/dns_cache.ts";
import type { Message } from "../dns/message.ts";
import { parseRecord } from "../dns/parse_record.ts";
import { resolveQueryOptions } from "../dns/query_options.ts";
import { ResolverConfigs } from "../dns/resolver_config.ts";
import { resolveResolverOptions } from "../dns/resolver_options.ts";
import { frameMessage } from "../dns/tcp_framing.ts";
import { selectRanges } from "../http/byte_range.ts";
import { resolvePoolOptions } from "../http/client_pool_options.ts";
import { RetryPolicy } from "../http/client_retry.ts";
import { resolveCallSettings } from "../http/client_settings.ts";
import { resolveConnectionOptions } from "../http/connection_options.ts";
import { decodeContent, DEFAULT_MAX_CODINGS, DEFAULT_MAX_RATIO } from "../http/content_decoder.ts";
import { CookieJar } from "../http/cookie_jar.ts";
import { parseCookies } from "../http/cookie_parser.ts";
import { MemoryCookieStore } from "../http/cookie_store.ts";
import { dialHttp, type DialHttpOptions } from "../http/dial.ts";
import { resolveFileOptions } from "../http/file_options.ts";
import { isMultipartBoundary } from "../http/multipart_delimiter.ts";
import { resolveMultipartLimits } from "../http/multipart_limits.ts";
import { MemoryRateLimitStore } from "../http/rate_limit_store.ts";
import { resolveServerOptions } from "../http/server_options.ts";
import type { Context } from "../http/server_context.ts";
import { MemorySessionStore } from "../http/session_store.ts";
import { resolveSseOptions } from "../http/sse_options.ts";
import { checkMaxConnections } from "../nbio/connection_limit.ts";
import { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { LimitExceededError, TimeoutError } from "../nbio/errors.ts";
import { lingeringClose } from "../nbio/linger.ts";
import { ManualClock } from "../nbio/testing_clock.ts";
import { memoryPipe } from "../nbio/testing_memory_pipe.ts";
import type { TlsProvider } from "../nbio/tls_provider.ts";
import type { Transport } from "../nbio/transport.ts";
import { listenTls } from "../tls/listen_tls.ts";
import { resolveClientOptions } from "../tls/tls_options.ts";
import { resolveCoreOptions } from "../websocket/connection_options.ts";
import { DeflateEngine } from "../websocket/deflate_engine.ts";
import { dial as dialWebSocket } from "../websocket/dial.ts";
import { acceptDeflateOffer } from "../websocket/extension_negotiation.ts";
import { resolveWebSocketOptions } from "../websocket/websocket_options.ts";
import { bytesOf } from "./_support/raw_bytes.ts";
import { fieldOf } from "./_support/raw_response.ts";
import { ScriptedSource } from "./_support/scripted_source.ts";
import { post, request, ServerHarness } from "./_support/server_harness.ts";
import { storedCookie } from "./_support/stored_cookie.ts";

const KiB = 1_024;
const MiB = 1_024 * KiB;
const DAY_MS = 86_400_000;

const server = resolveServerOptions({});
const { timeouts } = server;
const pool = resolvePoolOptions({});
const call = resolveCallSettings({});
const clientHead = resolveConnectionOptions({ role: "client" }).limits;
const multipart = resolveMultipartLimits({});
const webSocket = resolveWebSocketOptions({});
const webSocketCore = resolveCoreOptions({ role: "server" });
const resolver = resolveResolverOptions({ servers: ["192.0.2.53"] });
const resolverConfig = new ResolverConfigs(resolver, () => {}).current;
const query = resolveQueryOptions({
  servers: [{ address: "192.0.2.53", port: 53 }],
  memory: resolver.memory,
  randomUint16: () => 0,
  random: () => 0,
});

/** What holds without anything being said, and what the code has for it. */
const NUMBERS: readonly (readonly [what: string, promised: number, actual: number | undefined])[] =
  [
    ["request line", 8 * KiB, server.limits.maxRequestLineBytes],
    ["header section", 32 * KiB, server.limits.maxHeaderBytes],
    ["header fields", 128, server.limits.maxHeaderCount],
    ["accept to complete head", 15_000, timeouts.headTimeoutMs],
    ["keep-alive idle", 65_000, timeouts.idleTimeoutMs],
    ["keep-alive told to the client", 60_000, timeouts.keepAliveHintTimeoutMs],
    ["request body gap", 30_000, timeouts.bodyTimeoutMs],
    ["response write gap", 30_000, timeouts.writeTimeoutMs],
    ["handler, optional", 0, timeouts.handlerTimeoutMs],
    ["body read into memory", 16 * MiB, server.maxBodyBytes],
    ["one chunk line", 4 * KiB, server.limits.maxChunkLineBytes],
    ["chunk overhead per message", 16 * KiB, server.limits.maxChunkOverheadBytes],
    ["trailer section", 8 * KiB, server.limits.maxTrailerBytes],
    ["trailer fields", 64, server.limits.maxTrailerCount],
    ["unread body drained", 256 * KiB, server.maxDrainBytes],
    ["linger of the server", 500, timeouts.lingerTimeoutMs],
    ["pipelined requests", 32, server.maxPipelinedRequests],
    [
      "pipelined requests of the core",
      32,
      resolveConnectionOptions({ role: "server" })
        .maxPipelinedRequests,
    ],
    ["parts of a form", 1_000, multipart.maxParts],
    ["header fields per part", 100, multipart.maxPartHeaderCount],
    ["head of a part", 8 * KiB, multipart.maxPartHeaderBytes],
    ["ranges of a file", 16, resolveFileOptions({}).maxRangeCount],
    ["content codings of a request", 5, DEFAULT_MAX_CODINGS],
    ["content codings of a response", 5, call.maxContentCodings],
    ["ratio of a request", 1_000, DEFAULT_MAX_RATIO],
    ["ratio of a response", 1_000, call.maxDecodingRatio],
    ["connections of a listener", 10_000, checkMaxConnections()],
    ["events waiting for a client", 1_000, resolveSseOptions({}).maxQueuedEvents],
    ["requests waiting for a connection", 1_000, pool.maxQueuedRequests],
    ["client queue", 30_000, pool.queueTimeoutMs],
    ["client TLS handshake", 10_000, resolveClientOptions("a", { hostname: "a" }).bounds.timeoutMs],
    ["client write gap", 30_000, call.writeTimeoutMs],
    ["client idle without a hint", 30_000, pool.idleTimeoutMs],
    ["client first byte", 60_000, call.firstByteTimeoutMs],
    ["client body gap", 30_000, call.bodyTimeoutMs],
    ["client body nobody reads", 30_000, call.unreadTimeoutMs],
    ["client total", Infinity, call.totalTimeoutMs],
    ["client head", 32 * KiB, clientHead.maxHeaderBytes],
    ["response in memory", 64 * MiB, call.maxBodyBytes],
    ["response as a stream", Infinity, call.maxResponseBytes],
    ["connections per host", 64, pool.maxConnectionsPerHost],
    ["less than the server's hint", 4_000, pool.keepAliveMarginMs],
    ["redirects", 20, call.maxRedirects],
    ["WebSocket message", MiB, webSocket.maxMessageBytes],
    ["WebSocket message of the core", MiB, webSocketCore.maxMessageBytes],
    ["WebSocket silence", 20_000, webSocket.silenceTimeoutMs],
    ["WebSocket pong", 20_000, webSocket.pongTimeoutMs],
    ["WebSocket close", 5_000, webSocket.closeTimeoutMs],
    ["WebSocket high-water mark", 64 * KiB, webSocket.highWaterMarkBytes],
    ["DNS attempt", 5_000, resolverConfig?.timeoutMs],
    ["DNS attempts", 2, resolverConfig?.attempts],
    ["DNS attempt of the machine", 5_000, query.timeoutMs],
    ["DNS attempts of the machine", 2, query.attempts],
    ["CNAME chain of the resolver", 8, resolver.maxAliasCount],
  ];

for (const [what, promised, actual] of NUMBERS) {
  Deno.test(`the default is as promised: ${what}`, () => assertEquals(actual, promised));
}

Deno.test("the connection and the core of WebSocket agree on what both have", () => {
  for (const [name, value] of Object.entries(webSocket)) {
    if (name in webSocketCore) assertEquals(webSocketCore[name as "closeTimeoutMs"], value, name);
  }
});

async function readAll(ctx: Context): Promise<void> {
  await ctx.body.bytes();
  ctx.status = 204;
}

async function readForm(ctx: Context): Promise<void> {
  await ctx.body.form();
  ctx.status = 204;
}

function form(...parts: readonly string[]): string {
  const body = parts.map((part) => `--x\r\n${part}\r\n`).join("") + "--x--\r\n";
  return post("/", body, ["Content-Type: multipart/form-data; boundary=x"]);
}

const PART = 'Content-Disposition: form-data; name="a"\r\n';
const CHUNKED = ["Transfer-Encoding: chunked"];

/** What just passes is 204. */
const ANSWERS: readonly {
  readonly what: string;
  readonly status: number;
  readonly wire: string;
  readonly handler?: (ctx: Context) => Promise<void>;
}[] = [
  { what: "a request line of 8 KiB", status: 204, wire: request(`GET /${"a".repeat(8_178)}`) },
  { what: "a longer request line", status: 414, wire: request(`GET /${"a".repeat(8_179)}`) },
  {
    what: "a header section of more than 32 KiB",
    status: 431,
    wire: request("GET /", [`a: ${"a".repeat(32 * KiB)}`]),
  },
  { what: "128 fields", status: 204, wire: request("GET /", Array(127).fill("a: b")) },
  { what: "129 fields", status: 431, wire: request("GET /", Array(128).fill("a: b")) },
  {
    what: "a body of more than 16 MiB by its length",
    status: 413,
    wire: request("POST /", [`Content-Length: ${16 * MiB + 1}`]),
  },
  {
    what: "a longer chunk line",
    status: 400,
    wire: request("POST /", CHUNKED, `1;${"a".repeat(4 * KiB)}\r\na\r\n0\r\n\r\n`),
  },
  {
    what: "more chunk overhead",
    status: 400,
    wire: request("POST /", CHUNKED, `1;${"a".repeat(4_000)}\r\na\r\n`.repeat(5)),
  },
  {
    what: "a longer trailer section",
    status: 431,
    wire: request("POST /", CHUNKED, `0\r\na: ${"a".repeat(8 * KiB)}\r\n\r\n`),
  },
  {
    what: "65 trailer fields",
    status: 431,
    wire: request("POST /", CHUNKED, `0\r\n${"a: b\r\n".repeat(65)}\r\n`),
  },
  { what: "1,000 parts", status: 204, wire: form(...Array(1_000).fill(PART)), handler: readForm },
  { what: "1,001 parts", status: 413, wire: form(...Array(1_001).fill(PART)), handler: readForm },
  {
    what: "101 fields in a part",
    status: 413,
    wire: form(PART + "a: b\r\n".repeat(100)),
    handler: readForm,
  },
  {
    what: "a head of a part of more than 8 KiB",
    status: 413,
    wire: form(`${PART}a: ${"a".repeat(8 * KiB)}\r\n`),
    handler: readForm,
  },
];

for (const { what, status, wire, handler = readAll } of ANSWERS) {
  Deno.test(`the server answers ${what} with ${status}`, async () => {
    await using harness = new ServerHarness(handler);
    assertEquals((await harness.request(wire)).status, status);
  });
}

Deno.test("the server tells its keep-alive time, and answers a head that takes too long", async () => {
  await using harness = new ServerHarness(readAll);
  const client = await harness.open(request("GET /"));
  assertEquals(fieldOf(await client.response(), "keep-alive"), "timeout=60");
  await client.send("G");
  await harness.advance(15_200);
  assertEquals((await client.response()).status, 408);
});

Deno.test("a boundary has 70 characters at most", () => {
  assertEquals([70, 71].map((length) => isMultipartBoundary("a".repeat(length))), [true, false]);
});

Deno.test("17 ranges are the whole", () => {
  const field = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`)}`;
  assertEquals([16, 17].map((count) => selectRanges(field(count), 100).type), ["partial", "whole"]);
});

Deno.test("a request has 3,000 cookies, a jar 3,000, and 180 of one domain", () => {
  assertEquals(parseCookies("a=b; ".repeat(3_001)).size, 3_000);
  const wide = new MemoryCookieStore();
  for (let i = 0; i <= 3_000; i++) wide.put(storedCookie({ domain: `${i}.example` }), 0);
  assertEquals(wide.size, 3_000);
  const deep = new MemoryCookieStore();
  for (let i = 0; i <= 180; i++) deep.put(storedCookie({ name: `${i}` }), 0);
  assertEquals(deep.size, 180);
});

Deno.test("a jar keeps 4,096 bytes for 400 days", async () => {
  const clock = new ManualClock({ wallStartMs: DAY_MS });
  const jar = new CookieJar({ clock });
  const url = "https://example.com/";
  assertEquals(await jar.set(`a=${"b".repeat(4_095)}; Max-Age=99999999999`, url), true);
  assertEquals(await jar.set(`a=${"b".repeat(4_096)}`, url), false);
  assertEquals((await jar.cookies())[0]?.expiresUnixMs, 401 * DAY_MS);
});

Deno.test("a ratio above 1,000 is let pass up to 10 MiB", async () => {
  async function inflatedBytes(byteCount: number): Promise<number> {
    const zeros = new Blob([new Uint8Array(byteCount)]).stream();
    const coded = zeros.pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(coded).arrayBuffer());
    async function* pieces(): AsyncGenerator<Uint8Array, void> {
      yield await Promise.resolve(bytes);
    }
    const bounds = { maxBytes: Infinity, maxCodedBytes: Infinity, maxRatio: 1_000, limit: "a" };
    let count = 0;
    for await (const piece of decodeContent(pieces(), ["gzip"], bounds)) count += piece.length;
    return count;
  }
  assertEquals(await inflatedBytes(10 * MiB), 10 * MiB);
  await assertRejects(() => inflatedBytes(11 * MiB), LimitExceededError);
});

Deno.test("rate limiter and sessions remember 100,000", () => {
  const clock = new ManualClock();
  const limiter = new MemoryRateLimitStore({ clock });
  const sessions = new MemorySessionStore({ clock });
  const session = { createdUnixMs: 0, usedUnixMs: 0, expiresUnixMs: DAY_MS, isRetired: false };
  for (let i = 0; i <= 100_000; i++) {
    limiter.take(`${i}`, 1);
    sessions.set(`${i}`, { ...session, data: "", version: 1 }, 0);
  }
  assertEquals([limiter.size, sessions.size], [100_000, 100_000]);
});

Deno.test("a lingering close reads 256 KiB at most", async () => {
  const [near, far] = memoryPipe({ highWaterMarkBytes: MiB });
  let readCount = 0;
  const counted = {
    ...{ localAddr: far.localAddr, remoteAddr: far.remoteAddr, write: far.write.bind(far) },
    ...{ closeWrite: far.closeWrite.bind(far), close: far.close.bind(far) },
    async read(room: Uint8Array): Promise<number | null> {
      const count = await far.read(room);
      readCount += count ?? 0;
      return count;
    },
  };
  await near.write(new Uint8Array(MiB));
  await lingeringClose(counted);
  assertEquals(readCount, 256 * KiB);
});

/** A provider whose handshakes never end but by their signal. */
class StallingProvider implements TlsProvider {
  readonly name = "stalling";
  readonly capabilities = { client: true, server: true, anyTransport: true };
  readonly client: TlsProvider["client"] = (transport, { signal }) => stall(transport, signal);
  readonly server: TlsProvider["server"] = (transport, { signal }) => stall(transport, signal);
}

function stall(transport: Transport, signal: AbortSignal | undefined): Promise<never> {
  signal?.addEventListener("abort", () => transport.close());
  return never(signal);
}

Deno.test("64 TLS handshakes run at once", async () => {
  const source = new ScriptedSource();
  const own = await import("./_support/tls_server.ts");
  await using listener = listenTls({
    ...{ cert: own.LEAF_CERT, key: own.LEAF_KEY, listener: source },
    provider: new StallingProvider(),
    wheel: new DeadlineWheel(new ManualClock()),
    onHandshakeError: () => {},
  });
  for (let i = 0; i < 70; i++) await source.give(memoryPipe()[1]);
  assertEquals(listener.stats().handshakeCount, 64);
});

/** How long something waits that never comes, and for what. */
async function phaseOf(
  run: (options: DialHttpOptions) => Promise<unknown>,
  options: DialHttpOptions,
): Promise<readonly [phase: string, timeoutMs: number]> {
  const clock = new ManualClock();
  const failed = assertRejects(
    () => run({ ...options, clock, wheel: new DeadlineWheel(clock) }),
    TimeoutError,
  );
  await clock.advanceAsync(9_000);
  await clock.advanceAsync(1_500);
  const { phase, timeoutMs } = await failed;
  return [phase, timeoutMs];
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

Deno.test("dialling has 10 s for a name, for a connection and for a WebSocket's handshake", async () => {
  const connect: NonNullable<DialHttpOptions["connect"]> = (_, { signal }) => never(signal);
  const lookup = (_: string, { signal }: { signal?: AbortSignal } = {}) => never(signal);
  const http = (options: DialHttpOptions) => dialHttp("http://a.test/", options);
  assertEquals(await phaseOf(http, { resolver: { lookup }, connect }), ["resolve", 10_000]);
  const numeric = (options: DialHttpOptions) => dialHttp("http://192.0.2.1/", options);
  assertEquals(await phaseOf(numeric, { connect }), ["connect", 10_000]);
  const silent = () => Promise.resolve(memoryPipe()[0]);
  const webSocket = (options: DialHttpOptions) => dialWebSocket("ws://192.0.2.1/", options);
  assertEquals(await phaseOf(webSocket, { connect: silent }), ["handshake", 10_000]);
});

Deno.test("a request is repeated twice", () => {
  const policy = new RetryPolicy({ random: () => 0 });
  const facts = { bytesSent: 0, elapsedMs: 0, isIdempotent: true, isReplayable: true };
  const error = new TimeoutError("Too long", { phase: "connect", timeoutMs: 1 });
  const isRepeated = (attempt: number) =>
    policy.decide({ error }, { ...facts, attempt }) !== undefined;
  assertEquals([1, 2, 3].map(isRepeated), [true, true, false]);
});

Deno.test("permessage-deflate: window 12, memLevel 5, from 128 bytes or 1 KiB", async () => {
  const offer = {
    name: "permessage-deflate",
    parameters: [{ name: "client_max_window_bits", value: undefined }],
  };
  const { parameters } = acceptDeflateOffer([offer])!;
  assertEquals([parameters.serverMaxWindowBits, parameters.clientMaxWindowBits], [12, 12]);
  assertEquals(acceptDeflateOffer([]), undefined);

  const engine = await DeflateEngine.load();
  const text = bytesOf(Array.from({ length: 9_000 }, (_, i) => (i * i).toString(36)).join(" "));
  function deflated(memLevel?: number): Uint8Array {
    const options = memLevel === undefined ? {} : { memLevel };
    const { deflater, inflater } = engine.createCompression("server", parameters, options);
    const bytes = deflater.deflate(text, true).slice();
    deflater.close();
    inflater.close();
    return bytes;
  }
  const sizes = [undefined, 4, 5, 6].map((level) => deflated(level).length);
  assertEquals([sizes[0] === sizes[1], sizes[0] === sizes[2], sizes[0] === sizes[3]], [
    false,
    true,
    false,
  ]);
  for (const [serverNoContextTakeover, thresholdBytes] of [[false, 128], [true, KiB]] as const) {
    const half = engine.createCompression("server", { ...parameters, serverNoContextTakeover });
    assertEquals(half.thresholdBytes, thresholdBytes);
    half.deflater.close();
    half.inflater.close();
  }
  engine.close();
});

function message(
  name: string,
  answers: readonly string[],
  authorities: readonly string[] = [],
): Message {
  return {
    id: 1,
    response: true,
    opcode: "QUERY",
    authoritative: true,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    zero: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: "NOERROR",
    questions: [{ name, type: "A", class: "IN" }],
    answers: answers.map((text) => parseRecord(text)),
    authorities: authorities.map((text) => parseRecord(text)),
    additionals: [],
  };
}

Deno.test("the cache of DNS keeps 10,000 answers, a day at most, an hour if negative", () => {
  const cache = new DnsCache();
  for (let i = 0; i <= 10_000; i++) {
    const name = `${i}.example.`;
    cache.put({ name, type: "A" }, message(name, [`${name} 60 IN A 192.0.2.1`]), 0);
  }
  assertEquals(cache.entryCount, 10_000);

  const times = new DnsCache();
  const weekS = 604_800;
  times.put({ name: "a.", type: "A" }, message("a.", [`a. ${weekS} IN A 192.0.2.1`]), 0);
  const soa = `example. ${weekS} IN SOA ns.example. root.example. 1 2 3 4 ${weekS}`;
  times.put({ name: "b.example.", type: "A" }, message("b.example.", [], [soa]), 0);
  assertEquals([...times.inspect(0)].map(({ ttlMs }) => ttlMs), [DAY_MS, 3_600_000]);
});

Deno.test("a chain of CNAME has 8 links, a message over TCP 64 KiB", () => {
  const chain = (count: number) =>
    Array.from({ length: count }, (_, i) => `${i}.example. 60 IN CNAME ${i + 1}.example.`)
      .concat(`${count}.example. 60 IN A 192.0.2.1`);
  const question = { name: "0.example.", type: "A", class: "IN" } as const;
  const typeOf = (count: number) =>
    followAnswer(message("0.example.", chain(count)), question).type;
  assertEquals([typeOf(8), typeOf(9)], ["records", "alias-limit"]);
  assertEquals(frameMessage(new Uint8Array(65_535)).length, 65_537);
  assertThrows(() => frameMessage(new Uint8Array(65_536)), RangeError);
});
