// This module is sans-I/O.

import { resolveBound } from "./limits.ts";

/** An entity tag (RFC 9110 section 8.8.3). */
export interface EntityTag {
  /** What stands between the quotes. */
  readonly value: string;
  /** Whether it names content that is as good as equal, not equal byte by byte. */
  readonly isWeak: boolean;
}

/** Options of {@linkcode parseEntityTagList}. */
export interface EntityTagListOptions {
  /**
   * Tags of one list; a longer list counts as malformed. 0 and `Infinity` mean no
   * limit.
   *
   * @default {256}
   */
  readonly maxTagCount?: number;
}

const DEFAULT_MAX_TAG_COUNT = 256;
const COMMA = 0x2c;
const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Parses one entity tag, as it stands in `ETag` and `If-Range`.
 *
 * @param text The tag with its quotes, and `W/` in front if it is weak.
 * @returns The tag, or `undefined` if the text is none.
 *
 * @example A weak tag
 * ```ts
 * import { parseEntityTag } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEntityTag('W/"a1"'), { value: "a1", isWeak: true });
 * assertEquals(parseEntityTag("a1"), undefined);
 * ```
 */
export function parseEntityTag(text: string): EntityTag | undefined {
  const end = tagEnd(text, 0);
  return end === text.length ? tagOf(text, 0, end) : undefined;
}

/**
 * Writes an entity tag.
 *
 * @param tag The tag.
 * @returns Its text.
 * @throws {TypeError} If the value contains what no tag may: a quote, a control
 * character, a blank, or a character beyond U+00FF.
 *
 * @example A strong tag
 * ```ts
 * import { formatEntityTag } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatEntityTag({ value: "a1", isWeak: false }), '"a1"');
 * ```
 */
export function formatEntityTag(tag: EntityTag): string {
  for (let at = 0; at < tag.value.length; at++) {
    if (isTagCharacter(tag.value.charCodeAt(at))) continue;
    const shown = JSON.stringify(tag.value.slice(0, 32));
    throw new TypeError(`Cannot format entity tag: ${shown} contains what no tag may`);
  }
  return `${tag.isWeak ? "W/" : ""}"${tag.value}"`;
}

/**
 * Parses a list of entity tags, as it stands in `If-Match` and `If-None-Match`
 * (RFC 9110 sections 13.1.1 and 13.1.2). Empty items are skipped.
 *
 * @param text Value of the field.
 * @param options The bound of the list.
 * @returns `"*"`, the tags in order, or `undefined` where the value is malformed or
 * too long.
 * @throws {RangeError} If `maxTagCount` is not a whole number of at least 0.
 *
 * @example Two tags
 * ```ts
 * import { parseEntityTagList } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEntityTagList('"a", W/"b"'), [
 *   { value: "a", isWeak: false },
 *   { value: "b", isWeak: true },
 * ]);
 * assertEquals(parseEntityTagList("*"), "*");
 * ```
 */
export function parseEntityTagList(
  text: string,
  options: EntityTagListOptions = {},
): "*" | EntityTag[] | undefined {
  const maxTagCount = resolveBound("maxTagCount", options.maxTagCount ?? DEFAULT_MAX_TAG_COUNT);
  if (text.trim() === "*") return "*";
  const tags: EntityTag[] = [];
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === SPACE || code === TAB) {
      at++;
      continue;
    }
    const end = tagEnd(text, at);
    if (end < 0 || tags.length === maxTagCount) return undefined;
    tags.push(tagOf(text, at, end));
    at = skipBlanks(text, end);
    // Two tags need a comma between them.
    if (at < text.length && text.charCodeAt(at) !== COMMA) return undefined;
  }
  return tags.length === 0 ? undefined : tags;
}

/**
 * Compares strongly: equal and neither weak (RFC 9110 section 8.8.3.2).
 *
 * @param a A tag.
 * @param b Another.
 * @returns Whether both name the same bytes.
 *
 * @example A weak tag names no bytes
 * ```ts
 * import { matchesStrongly } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const weak = { value: "a", isWeak: true };
 * assertEquals(matchesStrongly(weak, weak), false);
 * ```
 */
export function matchesStrongly(a: EntityTag, b: EntityTag): boolean {
  return !a.isWeak && !b.isWeak && a.value === b.value;
}

/**
 * Compares weakly: equal, whether weak or not (RFC 9110 section 8.8.3.2).
 *
 * @param a A tag.
 * @param b Another.
 * @returns Whether both name content that is as good as equal.
 *
 * @example Weak and strong
 * ```ts
 * import { matchesWeakly } from "@nbio/net/http/core";
 * import { assert } from "@std/assert";
 *
 * assert(matchesWeakly({ value: "a", isWeak: true }, { value: "a", isWeak: false }));
 * ```
 */
export function matchesWeakly(a: EntityTag, b: EntityTag): boolean {
  return a.value === b.value;
}

/** Offset behind the tag that begins at `start`; -1 if none does. */
function tagEnd(text: string, start: number): number {
  let at = text.startsWith("W/", start) ? start + 2 : start;
  if (text.charCodeAt(at) !== QUOTE) return -1;
  while (isTagCharacter(text.charCodeAt(++at)));
  return text.charCodeAt(at) === QUOTE ? at + 1 : -1;
}

function tagOf(text: string, start: number, end: number): EntityTag {
  const isWeak = text.charCodeAt(start) !== QUOTE;
  return { value: text.slice(isWeak ? start + 3 : start + 1, end - 1), isWeak };
}

/** `etagc` of RFC 9110 section 8.8.3. */
function isTagCharacter(code: number): boolean {
  return code === 0x21 || (code >= 0x23 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB) at++;
  return at;
}
