/**
 * {@linkcode nextRedirect}: what to ask after a response that leads elsewhere.
 *
 * @module
 */

import { HttpRedirectError, type HttpRedirectErrorCode } from "./client_redirect_error.ts";
import { HeaderList } from "./header_list.ts";

/** What a client does about redirects. */
export interface RedirectOptions {
  /**
   * `"follow"` them, leave them to the caller as responses like others
   * (`"manual"`), or fail (`"error"`).
   *
   * @default {"follow"}
   */
  readonly redirect?: "follow" | "manual" | "error";
  /**
   * Redirects of one request, 0 to 1,000; 0 follows none.
   *
   * @default {20}
   */
  readonly maxRedirects?: number;
  /**
   * Names of header fields that are dropped on a change of origin, beside
   * Authorization, Cookie, Proxy-Authorization and Host, which always are.
   *
   * @default {["X-API-Key"]}
   */
  readonly sensitiveHeaders?: readonly string[];
  /**
   * Whether https may lead to http, where everybody on the way reads along.
   *
   * @default {false}
   */
  readonly allowInsecureRedirect?: boolean;
}

/** A request that was answered with a redirect. */
export interface RedirectedRequest {
  /** Its method. */
  readonly method: string;
  /** Its URL, with the fragment. It is not changed. */
  readonly url: URL;
  /**
   * The caller's header fields, as far as earlier redirects have left them. It is
   * not changed. What is made anew for each request, as the cookies of a jar and
   * credentials for a proxy, has no place in it.
   */
  readonly headers: HeaderList;
  /** Whether it has a body. */
  readonly hasBody: boolean;
  /** Whether the body can be sent from its beginning. */
  readonly isReplayable: boolean;
  /** Redirects that were followed before. */
  readonly redirectCount: number;
}

/** What of a response says where to. */
export interface RedirectResponse {
  /** Its status. */
  readonly status: number;
  /**
   * Its Location as it came, if there is one; a list where it may have come several
   * times. Those that differ are refused.
   */
  readonly location: string | readonly string[] | undefined;
}

/** What to ask next. */
export interface RedirectStep {
  /** Its method. */
  readonly method: string;
  /** Where to, with the fragment that holds from now on. */
  readonly url: URL;
  /** The caller's header fields as far as they go along. What was dropped stays so. */
  readonly headers: HeaderList;
  /** Whether the body stays behind. */
  readonly dropBody: boolean;
  /** Whether scheme, host or port are others. */
  readonly isCrossOrigin: boolean;
}

/** Redirects that are followed where nothing else is said. */
export const DEFAULT_MAX_REDIRECTS = 20;
const HIGHEST_MAX_REDIRECTS = 1_000;
/** Fields that go to no other origin, where nothing else is said. */
export const DEFAULT_SENSITIVE_HEADERS: readonly string[] = ["X-API-Key"];
/** RFC 9110 section 15.4. A 300 leaves the choice to a person; 304 and 305 are others. */
const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const ALWAYS_DROPPED: readonly string[] = [
  "authorization",
  "cookie",
  "proxy-authorization",
  // It is the old server's name, or a caller's own word for it.
  "host",
];
/** Fields about a body, beside all whose names begin with `Content-`. */
const BODY_FIELDS: readonly string[] = ["digest", "expect", "trailer", "transfer-encoding"];
const BODY_FIELD_PREFIX = "content-";

/**
 * Whether a status leads elsewhere, given a Location: 301, 302, 303, 307 and 308.
 *
 * @param status Status of a response.
 *
 * @example Not everything from 300 up
 * ```ts
 * import { isRedirectStatus } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([301, 304, 308].map(isRedirectStatus), [true, false, true]);
 * ```
 */
export function isRedirectStatus(status: number): boolean {
  return STATUSES.has(status);
}

/**
 * Says what to ask after a response, by RFC 9110 section 15.4 as browsers read it:
 * a 303 makes a GET of everything but HEAD, 301 and 302 make one of POST, and 307
 * and 308 change nothing. A GET that was made takes neither body nor its fields
 * along. A fragment is inherited where the Location has none.
 *
 * Credentials never come from a server: a user or password in a Location is
 * dropped. Those of the request's own URL go along as long as the origin stays.
 *
 * @param request What was asked.
 * @param response What came.
 * @param options What the caller allows.
 * @returns The next request; `undefined` for a response to give to the caller: one
 * that does not redirect, has no Location, or with `redirect: "manual"`.
 * @throws {HttpRedirectError} If it must not be followed.
 * @throws {RangeError} If `maxRedirects` is out of its range.
 *
 * @example Secrets stay behind
 * ```ts
 * import { HeaderList, nextRedirect } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const step = nextRedirect(
 *   {
 *     method: "POST",
 *     url: new URL("https://a.example/form#top"),
 *     headers: new HeaderList({ "Authorization": "Bearer 1", "Content-Type": "text/plain", "X-Id": "7" }),
 *     hasBody: true,
 *     isReplayable: true,
 *     redirectCount: 0,
 *   },
 *   { status: 302, location: "//b.example/thanks" },
 * );
 * assertEquals(step?.method, "GET");
 * assertEquals(step?.url.href, "https://b.example/thanks#top");
 * assertEquals([...step!.headers], [["X-Id", "7"]]);
 * ```
 */
export function nextRedirect(
  request: RedirectedRequest,
  response: RedirectResponse,
  options: RedirectOptions = {},
): RedirectStep | undefined {
  const { redirect = "follow", maxRedirects = DEFAULT_MAX_REDIRECTS } = options;
  const { status } = response;
  const { redirectCount } = request;
  if (!isRedirectStatus(status) || redirect === "manual") return undefined;
  const refuse = (code: HttpRedirectErrorCode, reason: string, cause?: unknown): never => {
    const message = `Cannot follow redirect ${status} of ${request.url.origin}: ${reason}`;
    throw new HttpRedirectError(code, message, { status, redirectCount, cause });
  };
  if (redirect === "error") refuse("ERR_HTTP_REDIRECT_REFUSED", "redirects are refused");
  const [location, ...others] = new Set(
    typeof response.location === "string" ? [response.location] : response.location,
  );
  if (location === undefined) return undefined;
  if (redirectCount >= checkMax(maxRedirects)) {
    refuse(
      "ERR_HTTP_REDIRECT_TOO_MANY",
      `${redirectCount} were followed before, of at most ${maxRedirects}`,
    );
  }
  // Which of them counts differs from client to client.
  if (others.length > 0) refuse("ERR_HTTP_REDIRECT_BAD_LOCATION", "it has several Locations");
  const url = parseLocation(location, request.url) ??
    refuse("ERR_HTTP_REDIRECT_BAD_LOCATION", "its Location is no URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    refuse("ERR_HTTP_REDIRECT_BAD_SCHEME", `it leads to ${url.protocol.slice(0, 32)}`);
  }
  const isInsecure = request.url.protocol === "https:" && url.protocol === "http:";
  if (isInsecure && options.allowInsecureRedirect !== true) {
    refuse("ERR_HTTP_REDIRECT_INSECURE", `it leads to ${url.origin}`);
  }
  const step = stepTo(url, request, status, options.sensitiveHeaders ?? DEFAULT_SENSITIVE_HEADERS);
  if (request.hasBody && !step.dropBody && !request.isReplayable) {
    refuse("ERR_HTTP_REDIRECT_BODY", "its body can be read once only");
  }
  return step;
}

/** There is no chain without an end: a loop would be one. */
function checkMax(maxRedirects: number): number {
  const isCount = Number.isInteger(maxRedirects) && maxRedirects >= 0;
  if (isCount && maxRedirects <= HIGHEST_MAX_REDIRECTS) return maxRedirects;
  throw new RangeError(
    `Cannot follow redirect: maxRedirects is ${maxRedirects}, expected 0 to ${HIGHEST_MAX_REDIRECTS}`,
  );
}

function stepTo(
  url: URL,
  request: RedirectedRequest,
  status: number,
  sensitiveHeaders: readonly string[],
): RedirectStep {
  const headers = new HeaderList(request.headers);
  const method = methodAfter(request.method, status);
  // RFC 9110 section 15.4.4: a 303 is the result of a request, not its other place.
  const dropBody = status === 303 || method !== request.method;
  if (dropBody) dropBodyFields(headers);
  const isCrossOrigin = url.origin !== request.url.origin;
  if (isCrossOrigin) {
    for (const name of [...ALWAYS_DROPPED, ...sensitiveHeaders]) headers.delete(name);
  }
  return { method, url, headers, dropBody, isCrossOrigin };
}

/** RFC 9110 sections 15.4.2 to 15.4.4; methods are case-sensitive. */
function methodAfter(method: string, status: number): string {
  if (status === 303) return method === "HEAD" ? method : "GET";
  return method === "POST" && (status === 301 || status === 302) ? "GET" : method;
}

function dropBodyFields(headers: HeaderList): void {
  for (const name of [...headers.names()]) {
    const lower = name.toLowerCase();
    if (lower.startsWith(BODY_FIELD_PREFIX) || BODY_FIELDS.includes(lower)) headers.delete(name);
  }
}

/** The URL that a Location refers to; `undefined` if it is none. */
function parseLocation(location: string, base: URL): URL | undefined {
  // What came is one character per byte: servers that send UTF-8 mean its bytes.
  const escaped = location.replace(
    /[\x80-\xff]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const url = URL.parse(escaped, base);
  if (url === null) return undefined;
  const isSameOrigin = url.origin === base.origin;
  url.username = isSameOrigin ? base.username : "";
  url.password = isSameOrigin ? base.password : "";
  // RFC 9110 section 10.2.2.
  if (!location.includes("#")) url.hash = base.hash;
  return url;
}
