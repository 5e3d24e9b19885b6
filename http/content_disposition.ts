// This module is sans-I/O.

import { parseParameters, tokenEnd } from "./_field_parameters.ts";
import { baseFilename } from "./safe_filename.ts";

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

/**
 * Writes a Content-Disposition of a response (RFC 6266). A name of plain ASCII is
 * quoted; any other also comes as `filename*` in UTF-8 (RFC 8187), which every
 * client of today prefers, beside a plain one for those that do not know it. Only
 * the last segment of a path is named, and control characters become `_`.
 *
 * @param type `"attachment"` to have it saved, `"inline"` to have it shown.
 * @param filename What it is to be saved as; none if it is not given.
 * @returns The value of the field.
 *
 * @example A name beyond ASCII
 * ```ts
 * import { formatContentDisposition } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatContentDisposition("attachment", "na\u00efve.txt"),
 *   "attachment; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt",
 * );
 * ```
 */
export function formatContentDisposition(
  type: "attachment" | "inline",
  filename?: string,
): string {
  if (filename === undefined) return type;
  const name = baseFilename(filename).toWellFormed().replace(CONTROL, "_") || "file";
  // A quote and a backslash would need escapes, and "%22" is read as one by browsers:
  // such names are told in the form that has no doubt.
  const plain = name.replace(NOT_PLAIN, "_");
  const quoted = `${type}; filename="${plain}"`;
  if (plain === name) return quoted;
  return `${quoted}; filename*=UTF-8''${encodeURIComponent(name).replace(NOT_ATTR, escapeByte)}`;
}

/** What a download is announced on: a context, or header fields. */
export interface HeaderSetter {
  /** Sets a header field, replacing others of that name. */
  set(name: string, value: string): void;
}

/**
 * Has the client save what is answered instead of showing it.
 *
 * @param target The context, or the fields of the answer.
 * @param filename What to save it as; the client chooses if it is not given.
 * @throws {HttpStateError} If the head has left.
 *
 * @example A report to keep
 * ```ts
 * import { setAttachment } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new Headers();
 * setAttachment(headers, "report.csv");
 * assertEquals(headers.get("content-disposition"), 'attachment; filename="report.csv"');
 * ```
 */
export function setAttachment(target: HeaderSetter, filename?: string): void {
  target.set("content-disposition", formatContentDisposition("attachment", filename));
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;
const NOT_PLAIN = /["\\%]|[^\x20-\x7e]/gu;
/** What `encodeURIComponent` leaves and `attr-char` of RFC 8187 has not. */
const NOT_ATTR = /['()*]/g;

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
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
