// This module is sans-I/O.

import { consistsOf, TOKEN } from "./char_class.ts";
import { parseContentType } from "./content_type.ts";

/**
 * Whether text is a media type, or a range of them: `text/*`, `*\/*`, or all
 * types with a structured suffix such as `application/*+json`.
 *
 * @param range Text without parameters.
 */
export function isMediaRange(range: string): boolean {
  const slash = range.indexOf("/");
  return slash > 0 && consistsOf(range.slice(0, slash), TOKEN) &&
    consistsOf(range.slice(slash + 1), TOKEN) && (!range.startsWith("*/") || range === "*/*");
}

/**
 * Whether a content type lies in a range.
 *
 * @param range What {@linkcode isMediaRange} accepts, in lower case.
 * @param contentType Value of Content-Type, with its parameters; `undefined`
 * lies in `*\/*` only, and so does a value that is no media type.
 */
export function matchesMediaRange(range: string, contentType: string | undefined): boolean {
  if (range === "*/*") return true;
  const essence = contentType === undefined ? undefined : parseContentType(contentType)?.type;
  if (essence === undefined || essence.includes("*")) return false;
  const star = range.indexOf("/*");
  if (star < 0) return essence === range;
  const prefix = range.slice(0, star + 1);
  const suffix = range.slice(star + 2);
  return essence.length > prefix.length + suffix.length && essence.startsWith(prefix) &&
    essence.endsWith(suffix);
}
