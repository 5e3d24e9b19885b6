// This module is sans-I/O.

/**
 * Fields that mean something for framing, routing, authentication, caching or
 * the meaning of the content, and so must come before it (RFC 9110 section
 * 6.5.1). In a trailer section they are an attack or a mistake.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  // Framing and connection.
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // Request modifiers.
  "cache-control",
  "expect",
  "forwarded",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "max-forwards",
  "pragma",
  "range",
  // Authentication and state.
  "authorization",
  "cookie",
  "proxy-authenticate",
  "proxy-authorization",
  "set-cookie",
  "www-authenticate",
  // Response control.
  "age",
  "date",
  "expires",
  "location",
  "retry-after",
  "vary",
  "warning",
  // How the content is to be read.
  "content-encoding",
  "content-range",
  "content-type",
]);

/** Names that only a proxy in front of us may set. */
const FORBIDDEN_PREFIX = "x-forwarded-";

/**
 * Whether a field may stand in a trailer section.
 *
 * @param name Name of the field in any case.
 */
export function mayBeTrailer(name: string): boolean {
  const lower = name.toLowerCase();
  return !FORBIDDEN.has(lower) && !lower.startsWith(FORBIDDEN_PREFIX);
}
