import { type Clock, systemClock } from "../nbio/clock.ts";
import {
  formatCombinedLog,
  formatCommonLog,
  formatJsonLog,
  keepOneLine,
  type LogEntry,
} from "./log_format.ts";
import { AUTHENTICATED_USER } from "./middleware_basic_auth.ts";
import type { Middleware } from "./middleware.ts";
import { REQUEST_ID } from "./middleware_request_id.ts";
import { CLIENT } from "./middleware_trusted_proxy.ts";
import type { ResponseBody } from "./outgoing_response.ts";
import type { Context } from "./server_context.ts";

/** Options of {@linkcode logger}. */
export interface LoggerOptions {
  /**
   * How a line looks: Common Log Format, the same with `Referer` and
   * `User-Agent`, an object in JSON, or what a function gives. The time is UTC.
   *
   * Nothing of a request can end a line, forge a field or reach a terminal as
   * anything but printable ASCII; what a function gives is kept to one line.
   *
   * @default {"common"}
   */
  readonly format?: "common" | "combined" | "json" | ((entry: LogEntry) => string);
  /**
   * Takes a line, without its end. It is not waited for. If it throws, that goes
   * to the console, and the request is answered all the same.
   *
   * @default {console.log}
   */
  readonly sink?: (line: string) => void;
  /**
   * Requests that are not logged; asked when they have been answered.
   *
   * @default {() => false}
   */
  readonly skip?: (ctx: Context) => boolean;
  /**
   * Bytes of the request target and of each header field that are logged, 16 to
   * 65,536; three dots stand for the rest.
   *
   * @default {1024}
   */
  readonly maxFieldBytes?: number;
  /**
   * Where time comes from; for tests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

const LOWEST_MAX_FIELD_BYTES = 16;
const HIGHEST_MAX_FIELD_BYTES = 65_536;
const FORMATS = { common: formatCommonLog, combined: formatCombinedLog, json: formatJsonLog };

/**
 * Writes one line for every request. Put it outermost, so that it sees what the
 * others do.
 *
 * @param options How and where to.
 * @returns The middleware.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Lines of JSON
 * ```ts
 * import { compose, logger, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const handler = compose(
 *   [logger({ format: "json", sink: (line) => lines.push(line) })],
 *   (ctx) => ctx.text("hello"),
 * );
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * await (await fetch(`http://127.0.0.1:${port}/a?b`)).body?.cancel();
 *
 * const { method, target, status, bodyBytes } = JSON.parse(lines[0]!);
 * assertEquals([method, target, status, bodyBytes], ["GET", "/a?b", 200, 5]);
 * ```
 */
export function logger(options: LoggerOptions = {}): Middleware {
  const { format = "common", sink = logLine, skip, clock = systemClock } = options;
  const { maxFieldBytes = 1_024 } = options;
  checkMaxFieldBytes(maxFieldBytes);
  const formatEntry = typeof format === "function" ? oneLine(format) : formatterOf(format);
  return async (ctx, next) => {
    const timeMs = clock.wallNow();
    const startMs = clock.now();
    await next();
    try {
      if (skip?.(ctx)) return;
      const durationMs = clock.now() - startMs;
      sink(formatEntry(makeEntry(ctx, timeMs, durationMs, maxFieldBytes)));
    } catch (error) {
      // A full disk is no reason to take an answer back.
      console.error(error);
    }
  };
}

function logLine(line: string): void {
  console.log(line);
}

function formatterOf(format: keyof typeof FORMATS): (entry: LogEntry) => string {
  // Not what all objects have, such as "toString".
  if (Object.hasOwn(FORMATS, format)) return FORMATS[format];
  throw new RangeError(
    `Cannot use option format: ${JSON.stringify(format)} is none of ${
      Object.keys(FORMATS).join(", ")
    }`,
  );
}

function oneLine(format: (entry: LogEntry) => string): (entry: LogEntry) => string {
  return (entry) => keepOneLine(format(entry));
}

function makeEntry(ctx: Context, timeMs: number, durationMs: number, maxBytes: number): LogEntry {
  const { headers, response } = ctx;
  const cut = (text: string | undefined): string | undefined =>
    text === undefined || text.length <= maxBytes ? text : `${text.slice(0, maxBytes)}...`;
  return {
    timeMs,
    remote: remoteOf(ctx),
    user: cut(ctx.state.get(AUTHENTICATED_USER)),
    method: cut(ctx.method)!,
    target: cut(ctx.url)!,
    route: ctx.route,
    httpVersion: ctx.httpVersion,
    // Nothing behind this middleware answered: what follows is a 404.
    status: response.status || 404,
    bodyBytes: lengthOf(ctx),
    durationMs,
    requestId: cut(ctx.state.get(REQUEST_ID)),
    referrer: cut(headers.get("referer")),
    userAgent: cut(headers.get("user-agent")),
    error: ctx.error === undefined ? undefined : nameOf(ctx.error),
  };
}

function remoteOf(ctx: Context): string {
  const client = ctx.state.get(CLIENT);
  if (client !== undefined) return client.address ?? "";
  const addr = ctx.remoteAddr;
  return "hostname" in addr ? addr.hostname : "path" in addr ? addr.path : "";
}

function lengthOf(ctx: Context): number | undefined {
  const { status, headers, body } = ctx.response;
  if (ctx.method === "HEAD" || status === 204 || status === 205 || status === 304) return 0;
  const declared = headers.get("content-length");
  if (declared !== undefined && /^\d{1,15}$/.test(declared)) return Number(declared);
  return sizeOf(body);
}

function sizeOf(body: ResponseBody | undefined): number | undefined {
  if (body === undefined) return 0;
  if (typeof body === "string") return utf8Length(body);
  return body instanceof Uint8Array ? body.length : undefined;
}

/** Bytes of text in UTF-8, without encoding it. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // Each half of a surrogate pair makes two of its four bytes; a lone one
    // becomes U+FFFD, with three.
    if (unit < 0x80) continue;
    if (unit < 0x800) length++;
    else if (!isPairedSurrogate(text, index)) length += 2;
    else length++;
  }
  return length;
}

function isPairedSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdfff) return false;
  const isHigh = unit < 0xdc00;
  const other = text.charCodeAt(isHigh ? index + 1 : index - 1);
  return isHigh ? other >= 0xdc00 && other <= 0xdfff : other >= 0xd800 && other <= 0xdbff;
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.constructor.name;
}

function checkMaxFieldBytes(value: number): void {
  const isInRange = value >= LOWEST_MAX_FIELD_BYTES && value <= HIGHEST_MAX_FIELD_BYTES;
  if (Number.isInteger(value) && isInRange) return;
  throw new RangeError(
    `Cannot use option maxFieldBytes: ${value} is not an integer from ${LOWEST_MAX_FIELD_BYTES} to ${HIGHEST_MAX_FIELD_BYTES}`,
  );
}
