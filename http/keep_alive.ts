// This module is sans-I/O.

/** What a server says about how long a connection may be used. */
export interface KeepAliveHint {
  /** Milliseconds for which it keeps an idle connection; `undefined` if it does not say. */
  readonly timeoutMs: number | undefined;
  /** Requests it takes on this connection from here on; `undefined` if it does not say. */
  readonly maxRequests: number | undefined;
}

/** Parameters that are looked at; a server sends two. */
const MAX_PARAMETERS = 16;
const PARAMETER = /^\s*(timeout|max)\s*=\s*"?(\d{1,9})"?\s*$/i;

/**
 * Reads the Keep-Alive field of a response. It was never standardised beyond a
 * list of parameters (RFC 2068 section 19.7.1.1): what is not understood says
 * nothing, and nothing of it is an error.
 *
 * @param value Value of the field.
 * @returns What it says; of a parameter that comes twice, the first.
 *
 * @example How long a connection may lie idle
 * ```ts
 * import { parseKeepAlive } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseKeepAlive("timeout=5, max=100"), { timeoutMs: 5_000, maxRequests: 100 });
 * assertEquals(parseKeepAlive("forever"), { timeoutMs: undefined, maxRequests: undefined });
 * ```
 */
export function parseKeepAlive(value: string): KeepAliveHint {
  let timeoutMs: number | undefined;
  let maxRequests: number | undefined;
  for (const parameter of value.split(",", MAX_PARAMETERS)) {
    const match = PARAMETER.exec(parameter);
    if (match === null) continue;
    if (match[1]!.toLowerCase() === "timeout") timeoutMs ??= Number(match[2]) * 1_000;
    else maxRequests ??= Number(match[2]);
  }
  return { timeoutMs, maxRequests };
}
