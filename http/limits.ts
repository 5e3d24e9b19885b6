// This module is sans-I/O.

/** Bounds on what one peer may send in the head and framing of a message. */
export interface HttpLimits {
  /**
   * Bytes of a request line or status line, without its line end.
   *
   * @default {8192}
   */
  readonly maxRequestLineBytes?: number;
  /**
   * Bytes of the header section: all field lines with their line ends.
   *
   * @default {32768}
   */
  readonly maxHeaderBytes?: number;
  /**
   * Field lines in the header section.
   *
   * @default {128}
   */
  readonly maxHeaderCount?: number;
  /**
   * Bytes of one chunk's size line, extensions included.
   *
   * @default {4096}
   */
  readonly maxChunkLineBytes?: number;
  /**
   * Bytes of chunk extensions and superfluous size digits in one message.
   *
   * @default {16384}
   */
  readonly maxChunkOverheadBytes?: number;
  /**
   * Bytes of the trailer section.
   *
   * @default {8192}
   */
  readonly maxTrailerBytes?: number;
  /**
   * Field lines in the trailer section.
   *
   * @default {64}
   */
  readonly maxTrailerCount?: number;
}

/** {@linkcode HttpLimits} with every value set: what the inside works with. */
export type ResolvedHttpLimits = Required<HttpLimits>;

const DEFAULT_LIMITS: ResolvedHttpLimits = {
  maxRequestLineBytes: 8 * 1024,
  maxHeaderBytes: 32 * 1024,
  maxHeaderCount: 128,
  maxChunkLineBytes: 4 * 1024,
  maxChunkOverheadBytes: 16 * 1024,
  maxTrailerBytes: 8 * 1024,
  maxTrailerCount: 64,
};

/**
 * Fills in the defaults and checks the values. 0 and Infinity switch a limit
 * off.
 *
 * @param limits What the caller set.
 * @returns Every limit, Infinity where switched off.
 * @throws {RangeError} If a value is negative, NaN or not whole.
 *
 * @example Raising one limit
 * ```ts
 * import { resolveLimits } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const limits = resolveLimits({ maxHeaderCount: 500, maxTrailerCount: 0 });
 * assertEquals(limits.maxHeaderCount, 500);
 * assertEquals(limits.maxTrailerCount, Infinity);
 * assertEquals(limits.maxRequestLineBytes, 8192);
 * ```
 */
export function resolveLimits(limits: HttpLimits = {}): ResolvedHttpLimits {
  const resolved: Record<string, number> = {};
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof HttpLimits)[]) {
    resolved[name] = resolveBound(name, limits[name] ?? DEFAULT_LIMITS[name]);
  }
  return resolved as unknown as ResolvedHttpLimits;
}

/**
 * Checks one bound: a whole number of at least 0, where 0 means none.
 *
 * @param name Name of the option, for the message.
 * @param value What the caller set.
 * @returns The bound, Infinity where switched off.
 * @throws {RangeError} If the value is negative, NaN or not whole.
 *
 * @example Switching a bound off
 * ```ts
 * import { resolveBound } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(resolveBound("maxBodyBytes", 0), Infinity);
 * ```
 */
export function resolveBound(name: string, value: number): number {
  if (value === 0 || value === Infinity) return Infinity;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot use option ${name}: ${value} is not a whole number of at least 0`);
  }
  return value;
}

/**
 * Checks one time: milliseconds, at least 0.
 *
 * @param name Name of the option, for the message.
 * @param timeMs What the caller set.
 * @returns The time.
 * @throws {RangeError} If the value is negative or not a number.
 */
export function checkTime(name: string, timeMs: number): number {
  if (timeMs >= 0) return timeMs;
  throw new RangeError(`Cannot use option ${name}: ${timeMs} is not a number of at least 0`);
}

/**
 * Checks one time limit: milliseconds, at least 0, where 0 means none.
 *
 * @param name Name of the option, for the message.
 * @param timeMs What the caller set.
 * @returns The limit, Infinity where switched off.
 * @throws {RangeError} If the value is negative or not a number.
 */
export function resolveTime(name: string, timeMs: number): number {
  return checkTime(name, timeMs) === 0 ? Infinity : timeMs;
}

/**
 * Rules of RFC 9112 that may be relaxed, one by one, for peers one knows. All
 * are off by default, and each has been used in an attack: leave them off on
 * anything that faces strangers or sits behind a proxy.
 */
export interface HttpLenience {
  /**
   * A line of a head may end in LF without CR (RFC 9112 section 2.2).
   *
   * @default {false}
   */
  readonly allowBareLf?: boolean;
  /**
   * A field value may go on in the next line after white space; line end and
   * white space become spaces (RFC 9112 section 5.2).
   *
   * @default {false}
   */
  readonly allowObsFold?: boolean;
  /**
   * A request with HTTP/1.1 may come without Host (RFC 9112 section 3.2).
   *
   * @default {false}
   */
  readonly allowMissingHost?: boolean;
  /**
   * Content-Length may come several times if every value is the same (RFC 9112
   * section 6.3, rule 5).
   *
   * @default {false}
   */
  readonly allowRepeatedContentLength?: boolean;
  /**
   * Bytes from 0x80 up in a request target.
   *
   * @default {false}
   */
  readonly allowNonAsciiTarget?: boolean;
  /**
   * The authority of an absolute-form target may differ from Host; the target
   * wins (RFC 9112 section 3.2.2).
   *
   * @default {false}
   */
  readonly allowHostMismatch?: boolean;
  /**
   * Spaces and tabs between a chunk size and the end of its line or the first
   * extension (RFC 9112 section 7.1).
   *
   * @default {false}
   */
  readonly allowChunkSizeWhitespace?: boolean;
}
