// This module is sans-I/O.

import { formatHttpDate } from "./date.ts";

/** What a line tells; see `LogEntry`. */
export interface LogFields {
  readonly timeMs: number;
  readonly remote: string;
  readonly user: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly route: string | undefined;
  readonly httpVersion: string;
  readonly status: number;
  readonly bodyBytes: number | undefined;
  readonly durationMs: number;
  readonly requestId: string | undefined;
  readonly referrer: string | undefined;
  readonly userAgent: string | undefined;
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
export function formatCommonLog(entry: LogFields): string {
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
export function formatCombinedLog(entry: LogFields): string {
  const { referrer = "-", userAgent = "-" } = entry;
  return `${formatCommonLog(entry)} ${quote(referrer)} ${quote(userAgent)}`;
}

/**
 * An object in JSON, in ASCII, in the order of `LogEntry`; what is not known is
 * left out.
 *
 * @param entry What to tell.
 */
export function formatJsonLog(entry: LogFields): string {
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
