// This module is sans-I/O.

import { NAMED_TYPES, type NamedRouteParamType, type RouteParamType } from "./route_param_type.ts";
import { decodePath } from "./route_path.ts";

/** A parameter of a route, as data. */
export interface RouteParamInfo {
  /** Its name. */
  readonly name: string;
  /** What it accepts. */
  readonly type: RouteParamType;
  /** Whether the path may do without it. */
  readonly optional: boolean;
}

/** Text that a segment has to be. */
export interface LiteralSegment {
  /** Tells the kinds apart. */
  readonly kind: "literal";
  /** The text, in canonical form. */
  readonly text: string;
}

/** A segment, or the rest of a path, that becomes a parameter. */
export interface ParamSegment extends RouteParamInfo {
  /** Tells the kinds apart. */
  readonly kind: "param";
  /** What the whole segment has to match, for the type `expression`. */
  readonly expression: RegExp | undefined;
}

/** One segment of a pattern. */
export type RouteSegment = LiteralSegment | ParamSegment;

/** A pattern that was parsed. */
export interface RoutePattern {
  /** As it was written. */
  readonly source: string;
  /** Segments in order; none for the empty pattern. */
  readonly segments: readonly RouteSegment[];
  /** Parameters in order. */
  readonly params: readonly RouteParamInfo[];
}

/**
 * A pattern cannot be parsed.
 *
 * @example Where it went wrong
 * ```ts
 * import { parseRoutePattern, RoutePatternError } from "@nbio/net/http/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => parseRoutePattern("/users/:id{int"), RoutePatternError);
 * assertEquals([error.pattern, error.position], ["/users/:id{int", 10]);
 * ```
 */
export class RoutePatternError extends TypeError {
  /** The pattern. */
  readonly pattern: string;
  /** Index of the character at which it cannot be understood. */
  readonly position: number;

  /**
   * Makes the error.
   *
   * @param pattern The pattern.
   * @param position Index of the offending character.
   * @param reason What is wrong about it.
   */
  constructor(pattern: string, position: number, reason: string) {
    const quoted = JSON.stringify(pattern.slice(0, MAX_QUOTED));
    super(`Cannot parse route pattern ${quoted} at position ${position}: ${reason}`);
    this.name = "RoutePatternError";
    this.pattern = pattern;
    this.position = position;
  }
}

const MAX_QUOTED = 100;
const MAX_PATTERN_LENGTH = 4096;
const MAX_SEGMENTS = 128;
/** Each doubles the shapes that a pattern can take. */
const MAX_OPTIONAL = 4;
const NAME = /[A-Za-z_$][\w$]*/y;
const WORD = /^\w*$/;

/**
 * Parses the pattern of a route: segments behind slashes, each of them
 *
 * - literal text, `/users`. It is written as it reads or percent-encoded; a
 *   backslash takes the meaning from `: * { } ? # \`;
 * - a parameter, `/:name`, which takes one segment that is not empty;
 * - a typed parameter, `/:id{int}`: `int`, `float`, `uuid`, `hex`, or a regular
 *   expression for the whole segment, `/:year{\d{4}}`;
 * - an optional parameter, `/:id?`, without which its slash goes too;
 * - at the end a wildcard, `/*path`: the rest of the path, which may be empty.
 *
 * @param pattern The pattern; empty, or with a slash in front.
 * @returns Its segments.
 * @throws {RoutePatternError} If it is none.
 *
 * @example Segments and parameters
 * ```ts
 * import { parseRoutePattern } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const { params } = parseRoutePattern("/users/:id{int}/files/*path");
 * assertEquals(params, [
 *   { name: "id", type: "int", optional: false },
 *   { name: "path", type: "path", optional: false },
 * ]);
 * ```
 */
export function parseRoutePattern(pattern: string): RoutePattern {
  return new PatternParser(pattern).parse();
}

class PatternParser {
  readonly #source: string;
  readonly #segments: RouteSegment[] = [];
  readonly #params: RouteParamInfo[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): RoutePattern {
    const source = this.#source;
    if (source.length > MAX_PATTERN_LENGTH) {
      throw this.#error(MAX_PATTERN_LENGTH, `it is longer than ${MAX_PATTERN_LENGTH}`);
    }
    while (this.#at < source.length) {
      if (source[this.#at] !== "/") throw this.#error(this.#at, "expected a slash");
      if (this.#segments.length === MAX_SEGMENTS) {
        throw this.#error(this.#at, `it has more than ${MAX_SEGMENTS} segments`);
      }
      this.#at++;
      this.#segments.push(this.#parseSegment());
    }
    if (this.#params.filter(({ optional }) => optional).length > MAX_OPTIONAL) {
      throw this.#error(source.length, `it has more than ${MAX_OPTIONAL} optional parameters`);
    }
    return { source, segments: this.#segments, params: this.#params };
  }

  #parseSegment(): RouteSegment {
    const first = this.#source[this.#at];
    if (first !== ":" && first !== "*") return this.#parseLiteral();
    const isWildcard = first === "*";
    this.#at++;
    const name = this.#parseName();
    const braces = isWildcard ? undefined : this.#parseBraces();
    const optional = this.#source[this.#at] === "?";
    if (optional) this.#at++;
    if (isWildcard && this.#at < this.#source.length) {
      throw this.#error(this.#at, "a wildcard has to be the end");
    }
    if (this.#at < this.#source.length && this.#source[this.#at] !== "/") {
      throw this.#error(this.#at, "a parameter has to be a whole segment");
    }
    const type = isWildcard ? "path" : braces?.type ?? "string";
    this.#params.push({ name, type, optional });
    return { kind: "param", name, type, optional, expression: braces?.expression };
  }

  #parseName(): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#source)?.[0];
    if (name === undefined) throw this.#error(this.#at, "a parameter needs a name");
    // Setting it would change the object of all parameters instead.
    if (name === "__proto__") throw this.#error(this.#at, "this name cannot be used");
    if (this.#params.some((param) => param.name === name)) {
      throw this.#error(this.#at, "the name is in use already");
    }
    this.#at += name.length;
    return name;
  }

  #parseBraces():
    | { readonly type: NamedRouteParamType | "expression"; readonly expression?: RegExp }
    | undefined {
    if (this.#source[this.#at] !== "{") return undefined;
    const open = this.#at;
    const close = this.#findClosingBrace();
    const text = this.#source.slice(open + 1, close);
    this.#at = close + 1;
    const type = NAMED_TYPES.find((known) => known === text);
    if (type !== undefined) return { type };
    // A misspelt type would be an expression that matches its own name only.
    if (WORD.test(text)) {
      throw this.#error(open + 1, `expected ${NAMED_TYPES.join(", ")} or an expression`);
    }
    try {
      return { type: "expression", expression: new RegExp(`^(?:${text})$`, "u") };
    } catch {
      throw this.#error(open + 1, "this is no regular expression");
    }
  }

  /** Braces within an expression come in pairs, unless escaped or in a class. */
  #findClosingBrace(): number {
    let depth = 0;
    let isClass = false;
    for (let at = this.#at; at < this.#source.length; at++) {
      const character = this.#source[at];
      if (character === "\\") at++;
      else if (character === "/") throw this.#error(at, "an expression cannot match a slash");
      else if (isClass) isClass = character !== "]";
      else if (character === "[") isClass = true;
      else if (character === "{") depth++;
      else if (character === "}" && --depth === 0) return at;
    }
    throw this.#error(this.#at, "the brace is not closed");
  }

  #parseLiteral(): LiteralSegment {
    const start = this.#at;
    let text = "";
    for (; this.#at < this.#source.length && this.#source[this.#at] !== "/"; this.#at++) {
      let character = this.#source[this.#at]!;
      if (character === "\\") {
        character = this.#source[++this.#at] ?? "";
        if (!/^[:*{}?#\\]$/.test(character)) {
          throw this.#error(this.#at, "a backslash stands in front of : * { } ? # or \\");
        }
      } else if (/[:*{}?#]/.test(character)) {
        throw this.#error(this.#at, `"${character}" needs a backslash here`);
      }
      text += character;
    }
    return { kind: "literal", text: this.#canonical(start, text) };
  }

  #canonical(start: number, text: string): string {
    let canonical: string;
    try {
      canonical = decodePath(text.replace(NOT_ASCII, encodeURIComponent));
    } catch {
      throw this.#error(start, "its percent-encoding is malformed");
    }
    if (canonical === "." || canonical === "..") {
      throw this.#error(start, "a dot segment cannot be matched");
    }
    return canonical;
  }

  #error(position: number, reason: string): RoutePatternError {
    return new RoutePatternError(this.#source, position, reason);
  }
}

// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]+/gu;

/**
 * The pattern of a route in a group.
 *
 * @param prefix Pattern of the group; no wildcard.
 * @param pattern Pattern within it. `/` alone is the prefix itself.
 */
export function joinPatterns(prefix: string, pattern: string): string {
  return prefix !== "" && pattern === "/" ? prefix : prefix + pattern;
}

/** Options of {@linkcode expandPattern}. */
export interface ExpandOptions {
  /**
   * Whether each list counts with and without a slash at its end; one that ends
   * with a wildcard stays as it is.
   *
   * @default {false}
   */
  readonly ignoresTrailingSlash?: boolean;
}

/**
 * Every list of segments that a pattern stands for: with all of its optional
 * parameters first, with none of them last. No two match by the same rules.
 *
 * @param pattern The pattern.
 * @param options What else it stands for.
 */
export function expandPattern(
  pattern: RoutePattern,
  options: ExpandOptions = {},
): RouteSegment[][] {
  let variants: RouteSegment[][] = [[]];
  for (const segment of pattern.segments) {
    const isOptional = segment.kind === "param" && segment.optional;
    variants = variants.flatMap((variant) =>
      isOptional ? [[...variant, segment], variant] : [[...variant, segment]]
    );
  }
  variants = variants.map((variant) => variant.length === 0 ? [EMPTY_SEGMENT] : variant);
  if (options.ignoresTrailingSlash) variants = variants.flatMap(bothWays);
  const seen = new Set<string>();
  return variants.filter((variant) => {
    const shape = shapeOf(variant);
    return !seen.has(shape) && seen.add(shape);
  });
}

/** With and without a slash at the end; the root has only the one it begins with. */
function bothWays(segments: RouteSegment[]): RouteSegment[][] {
  const last = segments.at(-1)!;
  if (last.kind === "param") {
    return last.type === "path" ? [segments] : [segments, [...segments, EMPTY_SEGMENT]];
  }
  if (last.text !== "") return [segments, [...segments, EMPTY_SEGMENT]];
  return segments.length === 1 ? [segments] : [segments, segments.slice(0, -1)];
}

const EMPTY_SEGMENT: LiteralSegment = { kind: "literal", text: "" };

/**
 * The path of segments that are all literal; `undefined` for others.
 *
 * @param segments The segments.
 */
export function literalPath(segments: readonly RouteSegment[]): string | undefined {
  let path = "";
  for (const segment of segments) {
    if (segment.kind !== "literal") return undefined;
    path += `/${segment.text}`;
  }
  return path;
}

/** Equal for two lists of segments that match the same paths by the same rules. */
export function shapeOf(segments: readonly RouteSegment[]): string {
  return segments.map((segment) => {
    if (segment.kind === "literal") return `/${segment.text}`;
    // Neither a literal nor an expression can hold a slash.
    return `:${segment.type}${segment.expression?.source ?? ""}`;
  }).join("/");
}
