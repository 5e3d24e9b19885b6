import { NetError } from "./errors.ts";

/**
 * What an error is called in a measurement, as value of `error.type`: one of few, so never a
 * message.
 *
 * @param error Whatever was thrown.
 * @returns Its `code`, if it is one of this package; else the name of its class.
 *
 * @example A deadline
 * ```ts
 * import { errorType, TimeoutError } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new TimeoutError("Cannot read", { phase: "read", timeoutMs: 5 });
 * assertEquals([errorType(error), errorType("text")], ["ERR_NET_TIMEOUT", "_OTHER"]);
 * ```
 */
export function errorType(error: unknown): string {
  if (error instanceof NetError) return error.code;
  return error instanceof Error && error.name !== "" ? error.name : "_OTHER";
}
