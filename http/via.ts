// This module is sans-I/O.

import { consistsOf, TOKEN } from "./char_class.ts";
import type { HeaderList } from "./header_list.ts";

const BACKSLASH = "\\";

/**
 * Adds an intermediary to `Via` (RFC 9110 section 7.6.3), behind those before it.
 *
 * @param headers Fields of the message that goes on; changed.
 * @param minorVersion Minor version of HTTP by which the message came.
 * @param name Name by which the intermediary goes: a token.
 * @throws {TypeError} If the name is no token.
 *
 * @example The second of two
 * ```ts
 * import { appendVia, HeaderList } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new HeaderList([["Via", "1.0 fred"]]);
 * appendVia(headers, 1, "ricky");
 * assertEquals(headers.get("via"), "1.0 fred, 1.1 ricky");
 * ```
 */
export function appendVia(headers: HeaderList, minorVersion: number, name: string): void {
  checkViaName(name);
  headers.append("via", `1.${minorVersion} ${name}`);
}

/**
 * Whether a message has come through an intermediary before.
 *
 * @param headers Its fields.
 * @param name Name by which the intermediary goes, in any case.
 *
 * @example A loop
 * ```ts
 * import { HeaderList, viaHas } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new HeaderList([["Via", "1.1 a (x, y), HTTP/1.1 b:80"]]);
 * assertEquals([viaHas(headers, "a"), viaHas(headers, "x")], [true, false]);
 * ```
 */
export function viaHas(headers: HeaderList, name: string): boolean {
  const value = headers.get("via");
  // Most messages have come through nobody.
  if (value === undefined) return false;
  const lower = name.toLowerCase();
  return withoutComments(value).toLowerCase().split(",").some((element) =>
    element.trim().split(/[ \t]+/)[1] === lower
  );
}

/**
 * @throws {TypeError} If a name cannot stand in `Via`.
 */
export function checkViaName(name: string): void {
  if (name !== "" && consistsOf(name, TOKEN)) return;
  throw new TypeError(`Cannot use name ${JSON.stringify(name.slice(0, 32))}: it is no token`);
}

/** A comment may hold commas, and other comments (RFC 9110 section 5.6.5). */
function withoutComments(value: string): string {
  if (!value.includes("(")) return value;
  let text = "";
  let depth = 0;
  for (let at = 0; at < value.length; at++) {
    const char = value[at]!;
    if (char === "(") depth++;
    else if (depth === 0) text += char;
    else if (char === ")") depth--;
    else if (char === BACKSLASH) at++;
  }
  return text;
}
