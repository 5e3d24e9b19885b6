// This module is sans-I/O.

import { parseParameters, tokenEnd } from "./_field_parameters.ts";

const SLASH = 0x2f;

/** A Content-Type taken apart. */
export interface ParsedContentType {
  /** Type and subtype in lower case, `text/html` for example. */
  readonly type: string;
  /** Values of the parameters by their names in lower case, without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Parses the value of a Content-Type field (RFC 9110 section 8.3).
 *
 * @param value Value of the field.
 * @returns Type and parameters, or `undefined` where the value is no media type
 * or a parameter comes twice (RFC 6838 section 4.3).
 *
 * @example Type and charset
 * ```ts
 * import { parseContentType } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const parsed = parseContentType('Text/HTML; Charset="utf-8"');
 * assertEquals(parsed?.type, "text/html");
 * assertEquals(parsed?.parameters.get("charset"), "utf-8");
 * assertEquals(parseContentType("html"), undefined);
 * ```
 */
export function parseContentType(value: string): ParsedContentType | undefined {
  const slash = tokenEnd(value, 0);
  if (slash === 0 || value.charCodeAt(slash) !== SLASH) return undefined;
  const end = tokenEnd(value, slash + 1);
  if (end === slash + 1) return undefined;
  const parameters = parseParameters(value, end, "strict");
  if (parameters === undefined) return undefined;
  return { type: value.slice(0, end).toLowerCase(), parameters };
}
