// This module is sans-I/O.

import { parseHttpDate } from "./date_parser.ts";
import {
  type EntityTag,
  matchesStrongly,
  matchesWeakly,
  parseEntityTag,
  parseEntityTagList,
} from "./entity_tag.ts";

/** What a representation is known by (RFC 9110 section 8.8). */
export interface Validators {
  /** Its entity tag; `undefined` without one. */
  readonly etag: EntityTag | undefined;
  /**
   * When it was last modified, in milliseconds since 1970-01-01T00:00:00Z;
   * `undefined` where that is not known. Only its second counts.
   */
  readonly lastModifiedMs: number | undefined;
}

/** A request with conditions. */
export interface ConditionalRequest {
  /** Its method. */
  readonly method: string;
  /** Its header fields. */
  readonly headers: { get(name: string): string | undefined };
  /** When it is answered, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly nowMs: number;
}

/**
 * What the conditions of a request come to: to go on, to answer 304, or to answer
 * 412.
 */
export type ConditionOutcome = "proceed" | "not-modified" | "precondition-failed";

/** RFC 9110 section 8.8.2.2: a date this much older than the answer's is a strong validator. */
const STRONG_DATE_AGE_MS = 60_000;

/**
 * Evaluates `If-Match`, `If-Unmodified-Since`, `If-None-Match` and
 * `If-Modified-Since`, in the order of RFC 9110 section 13.2.2. `If-Range`, the
 * last step of that order, is {@linkcode rangeApplies}.
 *
 * A list of tags that is malformed matches nothing, a date that is malformed is
 * ignored.
 *
 * @param request The request.
 * @param current What it is about; `undefined` if nothing exists there.
 * @returns What to do.
 *
 * @example A client that has it already
 * ```ts
 * import { evaluateConditions } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new Headers({ "if-none-match": '"a"' });
 * const request = {
 *   method: "GET",
 *   headers: { get: (name: string) => headers.get(name) ?? undefined },
 *   nowMs: 0,
 * };
 * const etag = { value: "a", isWeak: false };
 * assertEquals(evaluateConditions(request, { etag, lastModifiedMs: undefined }), "not-modified");
 * ```
 */
export function evaluateConditions(
  request: ConditionalRequest,
  current: Validators | undefined,
): ConditionOutcome {
  const { headers } = request;
  const ifMatch = headers.get("if-match");
  if (ifMatch !== undefined) {
    if (!listMatches(ifMatch, current, matchesStrongly)) return "precondition-failed";
  } else if (isNewerThan(request, "if-unmodified-since", current) === true) {
    return "precondition-failed";
  }
  const isRead = request.method === "GET" || request.method === "HEAD";
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== undefined) {
    if (!listMatches(ifNoneMatch, current, matchesWeakly)) return "proceed";
    return isRead ? "not-modified" : "precondition-failed";
  }
  const isModified = isRead ? isNewerThan(request, "if-modified-since", current) : undefined;
  return isModified === false ? "not-modified" : "proceed";
}

/**
 * Whether a `Range` field of a request is to be honoured: not if `If-Range` names
 * another representation, or names it by a validator that is weak (RFC 9110 section
 * 13.1.5): then parts of two versions would be put together.
 *
 * @param request The request.
 * @param current What it is about.
 * @returns Whether the range applies; `true` without `If-Range`.
 *
 * @example A weak tag is not enough
 * ```ts
 * import { rangeApplies } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const request = { method: "GET", headers: { get: () => 'W/"a"' }, nowMs: 0 };
 * const etag = { value: "a", isWeak: true };
 * assertEquals(rangeApplies(request, { etag, lastModifiedMs: undefined }), false);
 * ```
 */
export function rangeApplies(request: ConditionalRequest, current: Validators): boolean {
  // Only GET is defined for ranges (RFC 9110 section 14.2).
  if (request.method !== "GET") return false;
  const value = request.headers.get("if-range");
  if (value === undefined) return true;
  const tag = parseEntityTag(value);
  if (tag !== undefined) return current.etag !== undefined && matchesStrongly(tag, current.etag);
  const dateMs = parseHttpDate(value, request.nowMs);
  if (dateMs === undefined || current.lastModifiedMs === undefined) return false;
  return toSeconds(current.lastModifiedMs) === toSeconds(dateMs) &&
    request.nowMs - current.lastModifiedMs >= STRONG_DATE_AGE_MS;
}

function listMatches(
  field: string,
  current: Validators | undefined,
  matches: (a: EntityTag, b: EntityTag) => boolean,
): boolean {
  if (current === undefined) return false;
  const tags = parseEntityTagList(field);
  if (tags === "*") return true;
  const { etag } = current;
  return etag !== undefined && tags !== undefined && tags.some((tag) => matches(tag, etag));
}

/** Whether it was modified after the date in a field; `undefined` where that says nothing. */
function isNewerThan(
  { headers, nowMs }: ConditionalRequest,
  name: string,
  current: Validators | undefined,
): boolean | undefined {
  const value = headers.get(name);
  if (value === undefined || current?.lastModifiedMs === undefined) return undefined;
  const dateMs = parseHttpDate(value, nowMs);
  if (dateMs === undefined) return undefined;
  return toSeconds(current.lastModifiedMs) > toSeconds(dateMs);
}

/** A date of HTTP has no fractions: a file of the same second is not newer. */
function toSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
