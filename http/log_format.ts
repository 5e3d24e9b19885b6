// This module is sans-I/O.

import { formatHttpDate } from "./date.ts";

/** What is logged of one request. Text of the client is cut, but not escaped. */
export interface LogEntry {
  /** When the request came, in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /**
   * Address of the client without its port, or the path of a Unix socket; what
   * `trustedProxy` has found, where it runs. Empty where a proxy hides it.
   */
  readonly remote: string;
  /** The user that `basicAuth` has let in, if any. */
  readonly user: string | undefined;
  /** Method of the request. */
  readonly method: string;
  /** Request target. */
  readonly target: string;
  /** Pattern of the route that matched, if any: `ctx.route`. */
  readonly route: string | undefined;
  /** HTTP version of the request. */
  readonly httpVersion: "1.0" | "1.1";
  /** Status of the answer. */
  readonly status: number;
  /** Bytes of the answer's body; `undefined` for a stream of unknown length. */
  readonly bodyBytes: number | undefined;
  /** Milliseconds until what lies further in had settled; not until the last byte had left. */
  readonly durationMs: number;
  /** The id that `requestId` gave, if any. */
  readonly requestId: string | undefined;
  /** Value of `Referer`, if any. */
  readonly referrer: string | undefined;
  /** Value of `User-Agent`, if any. */
  readonly userAgent: string | undefined;
  /** Code or class of the error that became the answer, if any. */
  readonly error: string | undefined;
}

/** Everything that is not printable ASCII, and what could end a quoted text. */
const UNSAFE_IN_QUOTES = /[^\x20-\x7e]|["\\]/g;
/** Where blanks part the fields, one inside of a field would forge another. */
const UNSAFE_BARE = /[^\x21-\x7e]|["\\]/g;
const NOT_PRINTABLE = /[^\x20-\x7e]/g;

/**
 * A line of the Common Log Format:
 * `host - user [day/month/year:time +0000] "request line" status bytes`.
 *
 * @param entry What to tell.
 */
export function formatCommonLog(entry: LogEntry): string {
  const { method, target, httpVersion, status, bodyBytes } = entry;
  const request = quote(`${method} ${target} HTTP/${httpVersion}`);
  const who = `${bare(entry.remote)} - ${bare(entry.user)}`;
  return `${who} [${formatLogTime(entry.timeMs)}] ${request} ${status} ${bodyBytes ?? "-"}`;
}

/**
 * A line of the Common Log Format with `Referer` and `User-Agent` behind it.
 *
 * @param entry What to tell.
 */
export function formatCombinedLog(entry: LogEntry): string {
  const { referrer = "-", userAgent = "-" } = entry;
  return `${formatCommonLog(entry)} ${quote(referrer)} ${quote(userAgent)}`;
}

/**
 * An object in JSON, in ASCII, in the order of `LogEntry`; what is not known is
 * left out.
 *
 * @param entry What to tell.
 */
export function formatJsonLog(entry: LogEntry): string {
  return JSON.stringify(entry).replace(NOT_PRINTABLE, escapeUnit);
}

/**
 * Escapes everything that could end a line or move a terminal's cursor.
 *
 * @param text Any text.
 */
export function keepOneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, escapeUnit);
}

function quote(text: string): string {
  return `"${text.replace(UNSAFE_IN_QUOTES, escapeByte)}"`;
}

function bare(text: string | undefined): string {
  return text?.replace(UNSAFE_BARE, escapeByte) || "-";
}

/** As nginx and Apache do; text of a request has one character per byte. */
function escapeByte(character: string): string {
  const unit = character.charCodeAt(0);
  return unit > 0xff ? escapeUnit(character) : `\\x${hex(unit, 2)}`;
}

function escapeUnit(character: string): string {
  return `\\u${hex(character.charCodeAt(0), 4)}`;
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, "0");
}

const MS_PER_SECOND = 1000;
/** The last second that was formatted: a busy server logs many lines in one. */
let formattedSecond = -1;
let formattedTime = "";

/** Out of `Sun, 06 Nov 1994 08:49:37 GMT`. */
function formatLogTime(timeMs: number): string {
  const second = Math.floor(timeMs / MS_PER_SECOND);
  if (second === formattedSecond) return formattedTime;
  const date = formatHttpDate(timeMs);
  const [day, month, year] = [date.slice(5, 7), date.slice(8, 11), date.slice(12, 16)];
  formattedTime = `${day}/${month}/${year}:${date.slice(17, 25)} +0000`;
  formattedSecond = second;
  return formattedTime;
}
