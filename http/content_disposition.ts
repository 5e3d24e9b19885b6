// This module is sans-I/O.

import { parseParameters, tokenEnd } from "./_field_parameters.ts";

/** A Content-Disposition taken apart. */
export interface ParsedContentDisposition {
  /** Disposition type in lower case: `form-data`, `attachment`, `inline`. */
  readonly type: string;
  /** Name of the form field, if any. */
  readonly name: string | undefined;
  /**
   * Name of the file as it was sent, if any: it may be a path and lead anywhere.
   * See {@linkcode safeFilename}.
   */
  readonly filename: string | undefined;
  /** All parameters as sent, without quotes, by their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Parses the value of a Content-Disposition field, as it stands in responses (RFC
 * 6266) and in the parts of a form (RFC 7578 section 4.2).
 *
 * Browsers write a quote in a name as `%22`, CR as `%0D` and LF as `%0A`, and a
 * backslash as it is; these three are decoded here, and a backslash escapes only
 * a quote or another one. A `filename*` (RFC 8187) in UTF-8 or ISO-8859-1 takes
 * precedence over `filename`, unless it is malformed.
 *
 * @param value Value of the field, already decoded from UTF-8 where it comes from
 * a form.
 * @returns Its parts, or `undefined` where the grammar is broken or a parameter
 * comes twice (RFC 6266 section 4.1).
 *
 * @example A file in a form
 * ```ts
 * import { parseContentDisposition } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const parsed = parseContentDisposition('form-data; name="photo"; filename="a %22b%22.jpg"');
 * assertEquals(parsed?.name, "photo");
 * assertEquals(parsed?.filename, 'a "b".jpg');
 * ```
 */
export function parseContentDisposition(value: string): ParsedContentDisposition | undefined {
  const end = tokenEnd(value, 0);
  if (end === 0) return undefined;
  const parameters = parseParameters(value, end, "form");
  if (parameters === undefined) return undefined;
  const extended = parameters.get("filename*");
  return {
    type: value.slice(0, end).toLowerCase(),
    name: decodeFormName(parameters.get("name")),
    filename: (extended === undefined ? undefined : decodeExtended(extended)) ??
      decodeFormName(parameters.get("filename")),
    parameters,
  };
}

const ESCAPED: Readonly<Record<string, string>> = { "%22": '"', "%0D": "\r", "%0A": "\n" };

/** What browsers escape in names, and nothing else: a `%41` means itself. */
function decodeFormName(text: string | undefined): string | undefined {
  return text?.replace(/%(?:22|0D|0A)/g, (escape) => ESCAPED[escape]!);
}

/** `ext-value` of RFC 8187 section 3.2: charset, language, text in percent-encoding. */
const EXTENDED =
  /^(utf-8|iso-8859-1)'[A-Za-z0-9-]*'((?:%[0-9A-Fa-f]{2}|[A-Za-z0-9!#$&+.^_`|~-])*)$/i;

/** The text of an extended value; `undefined` where it is to be ignored. */
function decodeExtended(value: string): string | undefined {
  const match = EXTENDED.exec(value);
  if (match === null) return undefined;
  const text = match[1]!.toLowerCase() === "utf-8"
    ? decodeUtf8(match[2]!)
    : match[2]!.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  // deno-lint-ignore no-control-regex
  return text === undefined || /[\x00-\x1f\x7f-\x9f]/.test(text) ? undefined : text;
}

function decodeUtf8(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not UTF-8: RFC 8187 section 3.2.2 has such a parameter ignored.
    return undefined;
  }
}
