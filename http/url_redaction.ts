// This module is sans-I/O.

const REDACTED = "REDACTED";

/**
 * Parameters whose values let whoever reads them act for somebody else: those of the semantic
 * conventions of OpenTelemetry, and the same of signature version 4. In lower case: what a server
 * takes for the same name must not be a way around.
 */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  "awsaccesskeyid",
  "signature",
  "sig",
  "x-goog-signature",
  "x-goog-credential",
  "x-amz-signature",
  "x-amz-credential",
  "x-amz-security-token",
]);

/**
 * A query in which the values of signature parameters are replaced, for logs and traces. All else
 * stays as it is, malformed parts included.
 *
 * @param query The query, with or without its `?`.
 *
 * @example A signed link
 * ```ts
 * import { redactQuery } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(redactQuery("?file=a&sig=c2VjcmV0"), "?file=a&sig=REDACTED");
 * ```
 */
export function redactQuery(query: string): string {
  return query.replace(/([^?&;=]+)=([^&;]*)/g, (pair: string, name: string) => {
    return SECRET_PARAMETERS.has(decodeName(name)) ? `${name}=${REDACTED}` : pair;
  });
}

/**
 * An absolute URL without credentials: those in front of the host and the values of signature
 * parameters are replaced, and the fragment is left out.
 *
 * @param url A URL in the form that `URL` gives.
 *
 * @example
 * ```ts
 * import { redactUrl } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(redactUrl("http://ada:secret@a.example/x?y#z"), "http://REDACTED:REDACTED@a.example/x?y");
 * ```
 */
export function redactUrl(url: string): string {
  const [whole = ""] = url.split("#", 1);
  const bare = whole.replace(
    /^([a-z][a-z0-9+.-]*:\/\/)[^/?]*@/i,
    `$1${REDACTED}:${REDACTED}@`,
  );
  const query = bare.indexOf("?");
  return query < 0 ? bare : bare.slice(0, query) + redactQuery(bare.slice(query));
}

function decodeName(name: string): string {
  const lower = name.toLowerCase();
  if (!lower.includes("%")) return lower;
  try {
    return decodeURIComponent(lower).toLowerCase();
  } catch {
    return lower;
  }
}
