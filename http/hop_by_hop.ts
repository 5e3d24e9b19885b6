// This module is sans-I/O.

import { HeaderList } from "./header_list.ts";
import { mayBeTrailer } from "./trailer_rules.ts";

/**
 * Fields that are about one connection, whether `Connection` lists them or not (RFC
 * 9110 section 7.6.1), and `Proxy`, which no protocol has but CGI programs take for a
 * setting of theirs.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const PROXY_PREFIX = "proxy-";
/** RFC 9209: it is for whoever asked. */
const PROXY_STATUS = "proxy-status";

/**
 * Whether a field ends with the connection it came by: an intermediary does not pass
 * it on.
 *
 * @param name Name of the field in any case.
 *
 * @example Two fields
 * ```ts
 * import { isHopByHop } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([isHopByHop("Keep-Alive"), isHopByHop("Content-Type")], [true, false]);
 * ```
 */
export function isHopByHop(name: string): boolean {
  const lower = name.toLowerCase();
  return HOP_BY_HOP.has(lower) || (lower.startsWith(PROXY_PREFIX) && lower !== PROXY_STATUS);
}

/**
 * The fields that an intermediary passes on: all but those of the connection, and those
 * that `Connection` lists (RFC 9110 section 7.6.1).
 *
 * @param headers What came.
 * @returns What remains, in order; it may be changed.
 *
 * @example What goes on to the next server
 * ```ts
 * import { endToEndFields, HeaderList } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new HeaderList([["Connection", "close, X-Hop"], ["X-Hop", "1"], ["X-End", "2"]]);
 * assertEquals([...endToEndFields(headers)], [["X-End", "2"]]);
 * ```
 */
export function endToEndFields(headers: HeaderList): HeaderList {
  const listed = fieldTokens(headers, "connection");
  const fields = new HeaderList();
  headers.forEach((name, value) => {
    if (!isHopByHop(name) && !listed.includes(name.toLowerCase())) fields.append(name, value);
  });
  return fields;
}

/**
 * The trailer fields that an intermediary passes on.
 *
 * @param trailers What came; `undefined` for none.
 * @returns What remains, in order.
 *
 * @example A checksum goes along
 * ```ts
 * import { endToEndTrailers, HeaderList } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const trailers = new HeaderList([["x-checksum", "a1"], ["keep-alive", "x"]]);
 * assertEquals([...endToEndTrailers(trailers)], [["x-checksum", "a1"]]);
 * assertEquals([...endToEndTrailers(undefined)], []);
 * ```
 */
export function endToEndTrailers(trailers: HeaderList | undefined): HeaderList {
  const fields = new HeaderList();
  trailers?.forEach((name, value) => {
    if (!isHopByHop(name) && mayBeTrailer(name)) fields.append(name, value);
  });
  return fields;
}

/**
 * The tokens of a field that is a list of them, in lower case and without parameters.
 *
 * @param headers Where it is.
 * @param name Name of the field.
 */
export function fieldTokens(headers: HeaderList, name: string): string[] {
  const value = headers.get(name);
  if (value === undefined) return [];
  return value.toLowerCase().split(",").map((item) => item.split(";", 1)[0]!.trim())
    .filter((item) => item !== "");
}
