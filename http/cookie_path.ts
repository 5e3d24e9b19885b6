// This module is sans-I/O.

/**
 * The path of a cookie that names none: the directory of the request (RFC 6265bis
 * section 5.1.4).
 *
 * @param requestPath Path of the request's URL, without query.
 * @returns What comes before its last slash, at least `/`.
 */
export function defaultCookiePath(requestPath: string): string {
  const slash = requestPath.lastIndexOf("/");
  return slash <= 0 || !requestPath.startsWith("/") ? "/" : requestPath.slice(0, slash);
}

/**
 * Whether a cookie with a path is sent to another (RFC 6265bis section 5.1.4):
 * to that path and to those below it. Case matters, and percent-encoding is not
 * undone.
 *
 * @param requestPath Path of the request's URL, without query.
 * @param cookiePath Path of the cookie.
 */
export function matchesCookiePath(requestPath: string, cookiePath: string): boolean {
  if (!requestPath.startsWith(cookiePath)) return false;
  if (requestPath.length === cookiePath.length || cookiePath.endsWith("/")) return true;
  return requestPath[cookiePath.length] === "/";
}
