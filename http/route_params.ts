// This module is sans-I/O.

/**
 * The parameters of a pattern, worked out by the compiler from its text:
 * numbers for `{int}` and `{float}`, else strings; with `undefined` where they
 * are optional. Of a pattern that is not known until run time it knows nothing.
 *
 * @typeParam Pattern The pattern.
 * @typeParam Found Parameters in front of it; for the type itself.
 *
 * @example Numbers, text and what may be missing
 * ```ts
 * import type { RouteParams } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const params: RouteParams<"/users/:id{int}/:tab?/*rest"> = { id: 7, tab: undefined, rest: "a/b" };
 * assertEquals(params.id.toFixed(1), "7.0");
 * ```
 */
export type RouteParams<Pattern extends string, Found = unknown> = string extends Pattern
  ? Readonly<Record<string, string | number | undefined>>
  : Pattern extends `${infer Segment}/${infer Rest}`
    ? RouteParams<Rest, Found & RouteSegmentParams<Segment>>
  // One object type instead of an intersection, for the reader of an editor's hint.
  : {
    [Name in keyof (Found & RouteSegmentParams<Pattern>)]:
      (Found & RouteSegmentParams<Pattern>)[Name];
  };

/**
 * The parameter of one segment of a pattern, as an object; `unknown` for none.
 *
 * @typeParam Segment The segment.
 */
export type RouteSegmentParams<Segment extends string> = Segment extends
  `:${infer Name}{${infer Braces}` ? Braces extends "int}" | "float}" ? { [K in Name]: number }
  : Braces extends "int}?" | "float}?" ? { [K in Name]: number | undefined }
  : Braces extends `${string}}?` ? { [K in Name]: string | undefined }
  : { [K in Name]: string }
  : Segment extends `:${infer Name}?` | `*${infer Name}?` ? { [K in Name]: string | undefined }
  : Segment extends `:${infer Name}` | `*${infer Name}` ? { [K in Name]: string }
  : unknown;
