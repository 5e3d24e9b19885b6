/** Targets for the values of header fields. */

import { selectRanges } from "../../http/byte_range.ts";
import { knownContentCodings, parseContentCodings } from "../../http/content_coding.ts";
import {
  formatContentDisposition,
  parseContentDisposition,
} from "../../http/content_disposition.ts";
import { parseContentType } from "../../http/content_type.ts";
import { parseCookieDate } from "../../http/cookie_date.ts";
import { parseCookieJson, parseNetscapeCookies } from "../../http/cookie_jar_file.ts";
import { parseSetCookie } from "../../http/cookie_set_parser.ts";
import { formatHttpDate } from "../../http/date.ts";
import { parseHttpDate } from "../../http/date_parser.ts";
import { formatEntityTag, parseEntityTag, parseEntityTagList } from "../../http/entity_tag.ts";
import { HttpError } from "../../http/errors.ts";
import { parseFilePath } from "../../http/file_path.ts";
import {
  parseForwarded,
  parseForwardedFor,
  parseForwardedHost,
  parseForwardedList,
  parseForwardedProto,
} from "../../http/forwarded.ts";
import { formatForwarded } from "../../http/forwarded_writer.ts";
import { parseKeepAlive } from "../../http/keep_alive.ts";
import { isMediaRange, matchesMediaRange } from "../../http/media_range.ts";
import { NoProxyRules } from "../../http/no_proxy.ts";
import { parseRetryAfter } from "../../http/retry_after.ts";
import { parseRoutePattern, RoutePatternError } from "../../http/route_pattern.ts";
import { formatTraceparent, parseTraceContext } from "../../http/trace_context.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { demand, demandSame, type InputTarget, textTarget } from "./input_target.ts";

const NOW_MS = 1_700_000_000_000;
const LAST_YEAR_MS = Date.UTC(9999, 11, 31, 23, 59, 59);
const LIST = [
  ",",
  ";",
  "=",
  " ",
  "\t",
  '"',
  "\\",
  "*",
  "\0",
  "\x80",
  "\xff",
  "a",
  "1",
  "",
] as const;
const DATES = [
  ..." ,:-+".split(""),
  "Mon",
  "Tuesday",
  "Jan",
  "FEB",
  "29",
  "31",
  "00",
  "60",
  "99",
  "1969",
  "2000",
  "10000",
  "GMT",
  "UTC",
  "24:00:00",
  "23:59:60",
];

/** A number of milliseconds that is one, if it is anything. */
function checkedInstant(unixMs: number | undefined): number | undefined {
  demand(unixMs === undefined || Number.isSafeInteger(unixMs), "an instant is a whole number");
  return unixMs;
}

const date = textTarget({
  name: "values/date",
  drives: ["http/date_parser.ts"],
  pieces: DATES,
  run(text) {
    const unixMs = checkedInstant(parseHttpDate(text, NOW_MS));
    if (unixMs === undefined || unixMs > LAST_YEAR_MS) return unixMs;
    demandSame(parseHttpDate(formatHttpDate(unixMs), NOW_MS), unixMs, "a date reads back");
    return unixMs;
  },
});

const cookieDate = textTarget({
  name: "values/cookie_date",
  drives: ["http/cookie_date.ts"],
  pieces: [...DATES, "9:9:9", "1:2", "januaryx"],
  run: (text) => checkedInstant(parseCookieDate(text)),
});

const retryAfter = textTarget({
  name: "values/retry_after",
  drives: ["http/retry_after.ts"],
  pieces: [...DATES, "1e9", "-1", "9".repeat(30)],
  run(text) {
    const delayMs = parseRetryAfter(text, NOW_MS);
    demand(delayMs === undefined || delayMs >= 0, "nobody waits for the past");
    return delayMs;
  },
});

const keepAlive = textTarget({
  name: "values/keep_alive",
  drives: ["http/keep_alive.ts"],
  pieces: [...LIST, "timeout=", "max=", "TIMEOUT", "9".repeat(30)],
  run(text) {
    const hint = parseKeepAlive(text);
    for (const bound of [hint.timeoutMs, hint.maxRequests]) {
      demand(bound === undefined || (bound >= 0 && !Number.isNaN(bound)), "a bound is a number");
    }
    return hint.timeoutMs ?? hint.maxRequests;
  },
});

const mediaRange = textTarget({
  name: "values/media_range",
  drives: ["http/media_range.ts", "http/content_type.ts"],
  pieces: [...LIST, "/", "*/*", "text/", "charset=", "boundary=", "+json", "+*"],
  run(text) {
    const type = parseContentType(text);
    if (isMediaRange(text)) matchesMediaRange(text, "text/html; charset=utf-8");
    matchesMediaRange("*/*", text);
    return type;
  },
});

const byteRange = textTarget({
  name: "values/byte_range",
  drives: ["http/byte_range.ts"],
  pieces: [...LIST, "bytes=", "-", "0-", "-0", "5-4", "9".repeat(30), "0-0,".repeat(20)],
  run(text, random) {
    const sizeBytes = random.pick([0, 1, 10, 1_000, Number.MAX_SAFE_INTEGER]);
    const selection = selectRanges(text, sizeBytes);
    if (selection.type !== "partial") return undefined;
    demand(selection.ranges.length <= 16, "there are no more ranges than the bound");
    for (const { first, last } of selection.ranges) {
      demand(first >= 0 && first <= last && last < sizeBytes, "a range lies in the file");
    }
    return selection;
  },
});

const entityTag = textTarget({
  name: "values/entity_tag",
  drives: ["http/entity_tag.ts"],
  pieces: [...LIST, "W/", "w/", '""', '"a"', '"a","b"'],
  run(text) {
    const tag = parseEntityTag(text);
    if (tag !== undefined) demandSame(formatEntityTag(tag), text.trim(), "a tag is written back");
    const list = parseEntityTagList(text);
    if (list === undefined || list === "*") return list;
    const again = parseEntityTagList(list.map((item) => formatEntityTag(item)).join(", "));
    if (list.length > 0) demandSame(again, list, "a list reads back");
    return list;
  },
});

const contentDisposition = textTarget({
  name: "values/content_disposition",
  drives: ["http/content_disposition.ts", "http/_field_parameters.ts"],
  pieces: [...LIST, "filename=", "filename*=", "UTF-8''", "iso-8859-1''", "%", "%22", "name=", "/"],
  run(text) {
    const parsed = parseContentDisposition(text);
    const written = formatContentDisposition("attachment", parsed?.filename ?? text);
    demand(/^[\x20-\x7e]*$/.test(written), "what is written is one line of ASCII");
    const filename = parseContentDisposition(written)?.filename;
    demand(filename !== undefined && !/[/\\\0\r\n]/.test(filename), "it names one file");
    demandSame(formatContentDisposition("attachment", filename), written, "a name is final");
    return parsed;
  },
});

const contentCoding = textTarget({
  name: "values/content_coding",
  drives: ["http/content_coding.ts"],
  pieces: [...LIST, "gzip", "x-gzip", "deflate", "br", "zstd", "identity", "GZIP,"],
  throws: [HttpError, LimitExceededError],
  run(text) {
    const known = knownContentCodings(text, 5);
    demand((known?.length ?? 0) <= 5, "there are no more codings than the bound");
    return parseContentCodings(text, 5);
  },
});

const forwarded = textTarget({
  name: "values/forwarded",
  drives: ["http/forwarded.ts"],
  pieces: [
    ...LIST,
    "for=",
    "by=",
    "host=",
    "proto=",
    "[",
    "]",
    ":",
    "_x",
    "unknown",
    "::1",
    "127.1",
  ],
  run(text) {
    for (const node of parseForwardedFor(text)) demand(node?.name !== "", "a node has a name");
    demand(parseForwardedList(text).length <= 64, "a list is bounded");
    parseForwardedProto(text);
    parseForwardedHost(text);
    const elements = parseForwarded(text);
    for (const { for: node, host, proto } of elements ?? []) {
      if (node === undefined || proto === undefined) continue;
      const hop = { address: node.address && node.name, host, scheme: proto };
      const again = parseForwarded(formatForwarded(hop));
      demand(again?.length === 1, "an element is written as one");
      demandSame([again[0]!.host, again[0]!.proto], [host || undefined, proto], "it reads back");
    }
    return elements;
  },
});

const traceContext = textTarget({
  name: "values/trace_context",
  drives: ["http/trace_context.ts"],
  pieces: [...LIST, "-", "00-", "ff-", "0".repeat(16), "0".repeat(32), "-01", "a=b,", "@"],
  run(text) {
    const [parent = "", ...state] = text.split("|");
    const context = parseTraceContext(parent, state.join("|"));
    if (context === undefined) return undefined;
    const again = parseTraceContext(formatTraceparent(context), context.state);
    demandSame(again, context, "what is passed on reads the same");
    return context;
  },
});

const setCookie = textTarget({
  name: "values/set_cookie",
  drives: ["http/cookie_set_parser.ts"],
  pieces: [...LIST, "Path=/", "Domain=", "Max-Age=", "Expires=", "Secure", "SameSite=", "__Host-"],
  run(text) {
    const cookie = parseSetCookie(text);
    if (cookie === undefined) return undefined;
    demand(!/[;\0\r\n]/.test(cookie.name + cookie.value), "a pair holds nothing that ends it");
    return cookie;
  },
});

const cookieFile = textTarget({
  name: "values/cookie_file",
  drives: ["http/cookie_jar_file.ts"],
  pieces: [...LIST, "\n", "#", "#HttpOnly_", "TRUE", "FALSE", "[", "]", "{", "}", "null", "-1"],
  throws: [SyntaxError],
  run(text) {
    const isJson = /^\s*[[{]/.test(text);
    return isJson ? parseCookieJson(text) : parseNetscapeCookies(text);
  },
});

const filePath = textTarget({
  name: "values/file_path",
  drives: ["http/file_path.ts"],
  pieces: [
    "/",
    "//",
    "..",
    "/../",
    "%2e",
    "%2F",
    "%5c",
    "%00",
    "%",
    "\\",
    ":",
    "~",
    "CON",
    " ",
    "\xc3",
  ],
  throws: [HttpError],
  run(text, random) {
    const isWindows = random.int(2) === 0;
    const { names } = parseFilePath(text.startsWith("/") ? text : `/${text}`, { isWindows });
    for (const name of names) {
      demand(name !== "" && name !== "." && name !== "..", "a name goes down");
      demand(!/[/\0]/.test(name) && !(isWindows && /[\\:]/.test(name)), "a name is one");
    }
    return names;
  },
});

const noProxy = textTarget({
  name: "values/no_proxy",
  drives: ["http/no_proxy.ts"],
  pieces: [...LIST, ".", "*.", "[", "]", ":", ":80", "/8", "/33", "10.0.0.0/8", "::1", "localhost"],
  run(text) {
    const rules = new NoProxyRules(text);
    return ["localhost", "a.example.com", "10.1.2.3", "[::1]", ""].map((host) =>
      rules.has(host, 80)
    );
  },
});

const routePattern = textTarget({
  name: "values/route_pattern",
  drives: ["http/route_pattern.ts"],
  pieces: [
    "/",
    ":",
    "*",
    "?",
    "{",
    "}",
    "(",
    ")",
    ":a",
    "*rest",
    "{int}",
    "{[a-z]+}",
    "%2F",
    ".",
    "\\",
  ],
  throws: [RoutePatternError],
  run: (text) => parseRoutePattern(text),
});

/** All of them. */
export const VALUE_TARGETS: readonly InputTarget[] = [
  ...[date, cookieDate, retryAfter, keepAlive, mediaRange, byteRange, entityTag],
  ...[contentDisposition, contentCoding, forwarded, traceContext, setCookie, cookieFile],
  ...[filePath, noProxy, routePattern],
];
