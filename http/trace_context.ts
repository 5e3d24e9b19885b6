// This module is sans-I/O.

/** Where a request stands in a trace: W3C Trace Context. */
export interface TraceContext {
  /** Id of the trace: 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** Id of the span that asks: 16 lower-case hexadecimal digits, not all zero. */
  readonly spanId: string;
  /** Bits of which the lowest says that the asking side keeps the trace. */
  readonly flags: number;
  /** What vendors pass on, as one list; `undefined` for nothing that is well-formed. */
  readonly state: string | undefined;
}

/** Length of a field of version 00; later ones are no shorter. */
const LENGTH = 55;
const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_VERSION = "ff";
const ZEROS = /^0+$/;
/** The bits that have a meaning, sampled and random; others are not to be passed on. */
const KNOWN_FLAGS = 0b11;
const MAX_STATE_MEMBERS = 32;
/** Longest list that is looked at; vendors have to pass on 512 characters of it at least. */
const MAX_STATE_LENGTH = 2048;
const STATE_KEY =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
const STATE_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads `traceparent` and `tracestate` of a request.
 *
 * The rules of W3C Trace Context for what is malformed: a bad `traceparent` is as good as none,
 * and its `tracestate` with it; a bad `tracestate` is left out alone. Of a later version that is
 * read which version 00 has.
 *
 * @param traceparent Value of the field; of several lines, joined by commas, which is malformed.
 * @param tracestate Values of the field, joined by commas.
 * @returns `undefined` where there is none.
 *
 * @example A request that is part of a trace
 * ```ts
 * import { parseTraceContext } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const context = parseTraceContext(
 *   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
 *   "vendor=opaque",
 * );
 * assertEquals([context?.flags, context?.state], [1, "vendor=opaque"]);
 * ```
 */
export function parseTraceContext(
  traceparent: string | undefined,
  tracestate?: string,
): TraceContext | undefined {
  const match = SHAPE.exec(traceparent?.trim() ?? "");
  if (match === null) return undefined;
  const [whole, version, traceId, spanId, flags] = match as unknown as string[];
  if (version === NO_VERSION || (version === "00" && whole!.length !== LENGTH)) return undefined;
  if (ZEROS.test(traceId!) || ZEROS.test(spanId!)) return undefined;
  return {
    traceId: traceId!,
    spanId: spanId!,
    flags: parseInt(flags!, 16) & KNOWN_FLAGS,
    state: tracestate === undefined ? undefined : checkState(tracestate),
  };
}

/**
 * Writes a `traceparent` of version 00.
 *
 * @param context Where the request stands.
 *
 * @example
 * ```ts
 * import { formatTraceparent } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const text = formatTraceparent({ traceId: "1".repeat(32), spanId: "2".repeat(16), flags: 1 });
 * assertEquals(text, `00-${"1".repeat(32)}-${"2".repeat(16)}-01`);
 * ```
 */
export function formatTraceparent(context: Omit<TraceContext, "state">): string {
  const flags = (context.flags & KNOWN_FLAGS).toString(16).padStart(2, "0");
  return `00-${context.traceId}-${context.spanId}-${flags}`;
}

/** The list without blanks and empty members; `undefined` for a malformed or empty one. */
function checkState(tracestate: string): string | undefined {
  if (tracestate.length > MAX_STATE_LENGTH) return undefined;
  const members: string[] = [];
  const keys = new Set<string>();
  for (const part of tracestate.split(",")) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, "");
    if (member === "") continue;
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(equals, 0));
    // A key that comes twice makes the whole list malformed.
    if (keys.has(key) || !STATE_KEY.test(key) || !STATE_VALUE.test(member.slice(equals + 1))) {
      return undefined;
    }
    keys.add(key);
    members.push(member);
  }
  if (members.length === 0 || members.length > MAX_STATE_MEMBERS) return undefined;
  return members.join(",");
}
