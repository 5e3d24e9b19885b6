import { ConnectionClosedError, LimitExceededError } from "../nbio/errors.ts";
import { type OperationOptions, runOperation } from "../nbio/operation.ts";
import type { Transport } from "../nbio/transport.ts";
import { exchange } from "./client_exchange.ts";
import { HttpProtocolError } from "./errors.ts";
import type { ExchangeResponse } from "./exchange_response.ts";
import { type HeaderInit, HeaderList } from "./header_list.ts";
import { ProxyError, type ProxyErrorCode } from "./proxy_error.ts";

/** How long a proxy may take: deadline, signal, and where the deadline waits. */
export type ProxyBounds = OperationOptions;

/** What a CONNECT request asks for. */
export interface ConnectTarget {
  /** Name in ASCII, or an address, an IPv6 one with or without brackets. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
}

/** Options of {@linkcode connectThroughHttpProxy}. */
export interface ConnectOptions extends ProxyBounds {
  /**
   * Value of `Proxy-Authorization`.
   *
   * @default {undefined}
   */
  readonly authorization?: string | undefined;
  /**
   * Further fields of the request, for the proxy only.
   *
   * @default {[]}
   */
  readonly headers?: HeaderInit;
  /**
   * What errors call the proxy, without credentials.
   *
   * @default {undefined}
   */
  readonly proxy?: string | undefined;
}

/** 407, and what some say in its place. */
const UNAUTHENTICATED: ReadonlySet<number> = new Set([401, 407]);

/** From here on it could not, rather than would not: 500 is tinyproxy's, 503 squid's. */
const FIRST_FAILURE_STATUS = 500;

/** What a proxy may say before its answer: it has nothing to announce. */
const MAX_INFORMATIONAL_RESPONSES = 8;

/**
 * Asks an HTTP proxy for a tunnel (CONNECT, RFC 9110 section 9.3.6).
 *
 * Whatever is spoken through a tunnel from here, the client speaks first: bytes
 * behind the head of the proxy's answer cannot be the target's and are refused.
 *
 * @param transport A connection to the proxy, on which nothing was said yet. It is
 * closed if this fails, for whatever reason.
 * @param target Where the proxy is to connect to; it looks a name up.
 * @param options Credentials, further fields, deadline and signal.
 * @returns When the bytes of `transport` are the target's.
 * @throws {ProxyError} If the proxy refuses, breaks the protocol or leaves.
 * @throws {TimeoutError} If the deadline passes, in the phase `"proxy"`.
 * @throws {TypeError} If the target or a field cannot be sent.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Error} The reason of the signal.
 *
 * @example A proxy that wants to know who asks
 * ```ts
 * import { connectThroughHttpProxy, ProxyError } from "@nbio/net/http";
 * import { memoryPipe, runTranscript } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [client, proxy] = memoryPipe();
 * const script = runTranscript(proxy, [
 *   { type: "expect", bytes: "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n" },
 *   { type: "send", bytes: "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n" },
 *   { type: "expect-close" },
 * ]);
 * const target = { hostname: "example.com", port: 443 };
 * const error = await assertRejects(() => connectThroughHttpProxy(client, target), ProxyError);
 * assertEquals([error.code, error.status], ["ERR_PROXY_AUTHENTICATION", 407]);
 * await script;
 * ```
 */
export async function connectThroughHttpProxy(
  transport: Transport,
  target: ConnectTarget,
  options: ConnectOptions = {},
): Promise<void> {
  // The one deadline is for the whole: a proxy that goes on announcing gains nothing.
  await runOperation(transport, "proxy", options, async () => {
    const response = await ask(transport, target, options);
    const { status, handover } = response;
    if (handover === undefined) {
      response.close();
      throw refusal(status, options);
    }
    if (handover.bytes.length > 0) {
      throw failure("ERR_PROXY_BAD_RESPONSE", "it sent bytes behind its answer", options);
    }
  });
}

async function ask(
  transport: Transport,
  { hostname, port }: ConnectTarget,
  options: ConnectOptions,
): Promise<ExchangeResponse> {
  const { authorization, headers = [], wheel } = options;
  const isBare = hostname.includes(":") && !hostname.startsWith("[");
  const authority = `${isBare ? `[${hostname}]` : hostname}:${port}`;
  const fields = new HeaderList([["Host", authority]]);
  if (authorization !== undefined) fields.append("Proxy-Authorization", authorization);
  for (const [name, value] of new HeaderList(headers)) fields.append(name, value);
  const request = { method: "CONNECT", target: authority, headers: fields };
  const noTimeouts = { firstByteTimeoutMs: 0, writeTimeoutMs: 0, continueTimeoutMs: 0 };
  try {
    return await exchange(transport, request, {
      ...noTimeouts,
      maxInformationalResponses: MAX_INFORMATIONAL_RESPONSES,
      ...wheel !== undefined && { wheel },
    });
  } catch (cause) {
    throw explain(cause, options);
  }
}

/** The same errors as of a server, but it was not the server. */
function explain(cause: unknown, options: ConnectOptions): unknown {
  if (cause instanceof HttpProtocolError && cause.code !== "ERR_HTTP_TRUNCATED_MESSAGE") {
    return failure("ERR_PROXY_BAD_RESPONSE", "its answer is no HTTP", options, cause);
  }
  if (cause instanceof LimitExceededError) {
    return failure("ERR_PROXY_BAD_RESPONSE", "its answer passes a limit", options, cause);
  }
  const hasLeft = cause instanceof HttpProtocolError || cause instanceof ConnectionClosedError;
  if (hasLeft) {
    return failure("ERR_PROXY_CLOSED", "it left before it had answered", options, cause);
  }
  return cause;
}

function refusal(status: number, options: ConnectOptions): ProxyError {
  const wantsCredentials = UNAUTHENTICATED.has(status);
  const code = wantsCredentials
    ? "ERR_PROXY_AUTHENTICATION"
    : status >= FIRST_FAILURE_STATUS
    ? "ERR_PROXY_TARGET_UNREACHABLE"
    : "ERR_PROXY_REFUSED";
  const { proxy = "proxy", authorization } = options;
  const reason = !wantsCredentials
    ? `it answers ${status}`
    : authorization === undefined
    ? "it wants credentials"
    : "it does not accept the credentials";
  return new ProxyError(code, `Cannot connect through ${proxy}: ${reason}`, {
    proxy: options.proxy,
    status,
  });
}

function failure(
  code: ProxyErrorCode,
  reason: string,
  { proxy }: ConnectOptions,
  cause?: unknown,
): ProxyError {
  return new ProxyError(code, `Cannot connect through ${proxy ?? "proxy"}: ${reason}`, {
    proxy,
    ...cause !== undefined && { cause },
  });
}
