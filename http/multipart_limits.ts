// This module is sans-I/O.

import { resolveBound } from "./limits.ts";

/** Bounds on what one multipart body may hold; 0 or Infinity switches one off. */
export interface MultipartLimits {
  /**
   * Parts of the body.
   *
   * @default {1000}
   */
  readonly maxParts?: number;
  /**
   * Bytes of the header section of one part, with its line ends.
   *
   * @default {8192}
   */
  readonly maxPartHeaderBytes?: number;
  /**
   * Field lines in the header section of one part.
   *
   * @default {100}
   */
  readonly maxPartHeaderCount?: number;
  /**
   * Bytes of the content of one part.
   *
   * @default {0}
   */
  readonly maxPartBytes?: number;
  /**
   * Bytes in front of the first part, and again behind the last one, where RFC
   * 2046 section 5.1.1 has them ignored.
   *
   * @default {8192}
   */
  readonly maxPreambleBytes?: number;
}

const DEFAULT_LIMITS: Required<MultipartLimits> = {
  maxParts: 1_000,
  maxPartHeaderBytes: 8 * 1024,
  maxPartHeaderCount: 100,
  maxPartBytes: 0,
  maxPreambleBytes: 8 * 1024,
};

/**
 * Fills in the defaults and checks the values.
 *
 * @param limits What the caller set.
 * @returns Every limit, Infinity where switched off.
 * @throws {RangeError} If a value is negative, NaN or not whole.
 */
export function resolveMultipartLimits(limits: MultipartLimits): Required<MultipartLimits> {
  const resolved: Record<string, number> = {};
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof MultipartLimits)[]) {
    resolved[name] = resolveBound(name, limits[name] ?? DEFAULT_LIMITS[name]);
  }
  return resolved as unknown as Required<MultipartLimits>;
}
