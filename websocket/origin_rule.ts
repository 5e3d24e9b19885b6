// This module is sans-I/O.

import { singleValue } from "./_handshake_fields.ts";
import type { WebSocketRequest } from "./handshake_request.ts";

/**
 * Pages of which origin may open a connection. Browsers let any page do so, with the cookies of the
 * server it connects to: only the server can refuse (RFC 6455 section 10.2).
 *
 * - `"same-origin"`: those whose host and port are the ones the request was sent to. Where it is
 *   not known that the request came over TLS, as behind a proxy, `http` and `https` are not told
 *   apart.
 * - `"*"`: all of them.
 * - An origin as a browser writes it (`https://example.com`), an expression that has to match
 *   all of it, or a list of both.
 * - A function, which gets the origin, or `undefined` where there is none.
 */
export type WebSocketOrigin =
  | string
  | RegExp
  | readonly (string | RegExp)[]
  | ((origin: string | undefined, request: WebSocketRequest) => boolean);

/** Most entries of a list. */
const MAX_ORIGINS = 10_000;
/** A longer origin is no origin: no host name is as long, and expressions take their time. */
const MAX_ORIGIN_LENGTH = 512;
const HTTP_ORIGIN = /^(https?):\/\/([^/?#@\s]+)$/;
/** What browsers write: a scheme and an authority, or `null`. */
const SERIALISED = /^(?:null|[a-z][0-9a-z+.-]*:\/\/[^/?#@\s\p{Lu}]+)$/u;

/**
 * Makes a test of requests out of a rule.
 *
 * @param origin Who may connect.
 * @returns Tells whether who sent a request may connect. Who sends two origins may not, except
 * with `"*"`.
 * @throws {RangeError} If an origin is not written as a browser writes it, or there are more than
 * 10,000.
 *
 * @example Pages of one's own
 * ```ts
 * import { HeaderList } from "@nbio/net/http/core";
 * import { originRule } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const request = (origin: string) => ({
 *   method: "GET",
 *   minorVersion: 1,
 *   headers: new HeaderList({ Host: "example.com", Origin: origin }),
 * });
 * const mayConnect = originRule("same-origin");
 * assertEquals(mayConnect(request("https://example.com")), true);
 * assertEquals(mayConnect(request("https://evil.example")), false);
 * ```
 */
export function originRule(origin: WebSocketOrigin): (request: WebSocketRequest) => boolean {
  if (typeof origin === "function") {
    return (request) => {
      const values = request.headers.getAll("origin");
      // Two of them are no origin that anybody could judge.
      return values.length < 2 && origin(values[0], request);
    };
  }
  if (origin === "*") return () => true;
  const matches = origin === "same-origin" ? isOfHost : listTest(origin);
  return (request) => {
    if (!request.headers.has("origin")) return true;
    const value = singleValue(request.headers, "origin");
    return value !== undefined && value.length <= MAX_ORIGIN_LENGTH && matches(value, request);
  };
}

function listTest(origin: string | RegExp | readonly (string | RegExp)[]): (
  value: string,
) => boolean {
  const listed = typeof origin === "string" || origin instanceof RegExp ? [origin] : origin;
  if (listed.length > MAX_ORIGINS) {
    throw new RangeError(`Cannot use option origin: ${listed.length} exceed ${MAX_ORIGINS}`);
  }
  const names = new Set<string>();
  const patterns: RegExp[] = [];
  for (const entry of listed) {
    if (typeof entry === "string") names.add(checkOrigin(entry));
    else patterns.push(wholeMatch(entry));
  }
  return (value) => names.has(value) || patterns.some((pattern) => pattern.test(value));
}

/**
 * An expression that has to match from end to end: one for `https://example.com` must not let
 * `https://example.com.evil.example` in. With `g` or `y` it would remember where it was.
 */
function wholeMatch(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gmy]/g, ""));
}

function checkOrigin(origin: string): string {
  if (SERIALISED.test(origin)) return origin;
  throw new RangeError(
    `Cannot use option origin: ${JSON.stringify(origin.slice(0, 32))} is not of the form ` +
      '"https://host:port"',
  );
}

/** Whether an origin has the host and port the request was sent to. */
function isOfHost(origin: string, { headers, isSecure }: WebSocketRequest): boolean {
  const match = HTTP_ORIGIN.exec(origin);
  const host = singleValue(headers, "host");
  if (match === null || host === undefined || host === "") return false;
  if (isSecure && match[1] !== "https") return false;
  const defaultPort = match[1] === "https" ? ":443" : ":80";
  return withPort(match[2]!, defaultPort) === withPort(host, defaultPort);
}

function withPort(authority: string, defaultPort: string): string {
  const lower = authority.toLowerCase();
  return /:\d+$/.test(lower) ? lower : lower.replace(/:$/, "") + defaultPort;
}
