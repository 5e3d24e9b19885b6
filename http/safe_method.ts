// This module is sans-I/O.

/** RFC 9110 section 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/**
 * Whether a request only asks, and changes nothing (RFC 9110 section 9.2.1).
 *
 * @param method Method, which is case-sensitive.
 */
export function isSafeMethod(method: string): boolean {
  return SAFE_METHODS.has(method);
}
