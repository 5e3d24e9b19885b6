// This module is sans-I/O.

import { isOfType } from "./route_param_type.ts";
import { canonicalPath } from "./route_path.ts";
import type { ParamSegment, RoutePattern } from "./route_pattern.ts";

/** One value in a query; `undefined` leaves its name out. */
export type RouteQueryValue = string | number | boolean | undefined;

/** A query: its names with one value or several. */
export type RouteQuery = Readonly<Record<string, RouteQueryValue | readonly RouteQueryValue[]>>;

/**
 * The URL of a route: the way back from parameters to a path. Values are plain
 * text; what has a meaning in a path is percent-encoded.
 *
 * @param pattern Pattern of the route.
 * @param params A value for each parameter; optional ones may be left out.
 * @param query Names and values to put behind a `?`, in order.
 * @returns An absolute path, with its query if there is one.
 * @throws {TypeError} If a value is missing, is not what its parameter accepts,
 * or belongs to no parameter; or if the path would have a dot segment, which a
 * client would resolve.
 *
 * @example A path with a query
 * ```ts
 * import { formatRouteUrl, parseRoutePattern } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = parseRoutePattern("/users/:name/*path");
 * const url = formatRouteUrl(pattern, { name: "a/b", path: "c d/e" }, { page: 2, tag: ["x", "y"] });
 * assertEquals(url, "/users/a%2Fb/c%20d/e?page=2&tag=x&tag=y");
 * ```
 */
export function formatRouteUrl(
  pattern: RoutePattern,
  params: Readonly<Record<string, string | number | undefined>> = {},
  query: RouteQuery = {},
): string {
  checkNames(pattern, params);
  let path = "";
  for (const segment of pattern.segments) {
    if (segment.kind === "literal") {
      path += `/${encodeLiteral(segment.text)}`;
      continue;
    }
    const value = Object.hasOwn(params, segment.name) ? params[segment.name] : undefined;
    if (value === undefined && segment.optional) continue;
    path += `/${formatParam(segment, value)}`;
  }
  path ||= "/";
  checkPath(path);
  return path + formatQuery(query);
}

function checkNames(pattern: RoutePattern, params: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(params)) {
    if (!pattern.params.some((param) => param.name === name)) {
      throw badUrl(`${JSON.stringify(name)} is no parameter of ${pattern.source}`);
    }
  }
}

function formatParam(segment: ParamSegment, value: string | number | undefined): string {
  const { name, type } = segment;
  if (typeof value !== "string" && typeof value !== "number") {
    throw badUrl(`parameter ${name} is missing`);
  }
  const text = String(value);
  if (!accepts(segment, text)) {
    throw badUrl(`parameter ${name} is ${JSON.stringify(text)}, expected ${type}`);
  }
  return type === "path" ? text.split("/").map(encode).join("/") : encode(text);
}

/** Whether a path with this value leads back to the route. */
function accepts({ type, expression }: ParamSegment, text: string): boolean {
  switch (type) {
    case "path":
      return true;
    case "string":
      return text !== "";
    case "expression":
      return text !== "" && expression!.test(text);
    default:
      return isOfType(type, text, 0, text.length);
  }
}

/** A canonical literal has its percent signs in `%2F`, `%25` and `%00` only. */
function encodeLiteral(text: string): string {
  return text.split("%").map(encode).join("%");
}

function encode(text: string): string {
  if (!text.isWellFormed()) throw badUrl("a value has half of a surrogate pair");
  return encodeURIComponent(text);
}

function checkPath(path: string): void {
  try {
    canonicalPath(path);
  } catch (cause) {
    throw badUrl("it would have a dot segment", cause);
  }
}

function formatQuery(query: RouteQuery): string {
  const pairs: string[] = [];
  for (const [name, values] of Object.entries(query)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value !== undefined) pairs.push(`${encode(name)}=${encode(String(value))}`);
    }
  }
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function badUrl(reason: string, cause?: unknown): TypeError {
  return new TypeError(`Cannot make URL of route: ${reason}`, { cause });
}
