import { type Clock, systemClock } from "../nbio/clock.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import { withTimeout } from "../nbio/with_timeout.ts";
import {
  acceptCookie,
  type CookieRequest,
  MAX_COOKIE_AGE_MS,
  overlaysSecureCookie,
} from "./cookie_acceptance.ts";
import { cookieDomainsOf, isLoopbackHost } from "./cookie_domain.ts";
import {
  formatCookieJson,
  formatNetscapeCookies,
  parseCookieJson,
  parseNetscapeCookies,
} from "./cookie_jar_file.ts";
import { formatCookieField, selectCookies } from "./cookie_selection.ts";
import { type ParsedSetCookie, parseSetCookie } from "./cookie_set_parser.ts";
import { type CookieStore, MemoryCookieStore } from "./cookie_store.ts";
import { resolveBound } from "./limits.ts";
import { isPublicSuffix, type PublicSuffixRule, registrableDomain } from "./public_suffix.ts";
import { type CookieIdentity, isExpiredCookie, type StoredCookie } from "./stored_cookie.ts";

/** Options of {@linkcode CookieJar}. */
export interface CookieJarOptions {
  /**
   * Where cookies are kept. A store bounds itself: with one, `maxCookieCount` and
   * `maxCookiesPerDomain` may not be given.
   *
   * @default {undefined} for a {@linkcode MemoryCookieStore}
   */
  readonly store?: CookieStore;
  /**
   * Says for which domains no cookie may be set.
   *
   * @default {undefined} for {@linkcode isPublicSuffix}
   */
  readonly isPublicSuffix?: PublicSuffixRule;
  /**
   * Most cookies in memory, at least 1. 0 or Infinity for no bound.
   *
   * @default {3000}
   */
  readonly maxCookieCount?: number;
  /**
   * Most cookies in memory of one domain, at least 1. 0 or Infinity for no bound.
   *
   * @default {180}
   */
  readonly maxCookiesPerDomain?: number;
  /**
   * Most bytes of name and value of a cookie together, at least 1; larger cookies
   * are ignored. 0 or Infinity for no bound.
   *
   * @default {4096}
   */
  readonly maxCookieBytes?: number;
  /**
   * Most changes that wait for an asynchronous store, at least 1; more are refused.
   * 0 or Infinity for no bound.
   *
   * @default {10000}
   */
  readonly maxPendingCount?: number;
  /**
   * Whether `http` to this machine (`localhost`, what is below it, 127.0.0.0/8 and
   * `::1`) counts as secure, as in browsers.
   *
   * @default {true}
   */
  readonly trustLoopback?: boolean;
  /**
   * Where time comes from.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/**
 * The circumstances of a request, where they are not those of a program that asks
 * on its own behalf.
 */
export interface CookieContext {
  /**
   * Whether a message of HTTP sets or gets the cookies; else `HttpOnly` ones are
   * out of reach.
   *
   * @default {true}
   */
  readonly isHttpApi?: boolean;
  /**
   * Whether the site of the URL caused the request, or another one did, which keeps
   * cookies back by their `SameSite`.
   *
   * @default {"same-site"}
   */
  readonly sameSite?: "same-site" | "cross-site";
  /**
   * Whether the method of the request is safe, as that of GET is.
   *
   * @default {true}
   */
  readonly isSafeMethod?: boolean;
  /**
   * Whether the request leads somebody to another page, as a link does.
   *
   * @default {false}
   */
  readonly topLevel?: boolean;
  /**
   * The site that embeds the URL, such as `https://example.com`: `Partitioned`
   * cookies are kept apart for each.
   *
   * @default {undefined} for the site of the URL itself
   */
  readonly partitionKey?: string;
  /**
   * Ends the waiting. A change that has begun is not taken back.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode CookieJar.toJson} and {@linkcode CookieJar.toNetscape}. */
export interface CookieFileOptions {
  /**
   * Whether cookies go with it that end with the session.
   *
   * @default {true}
   */
  readonly includeSession?: boolean;
}

const DEFAULT_MAX_COOKIE_BYTES = 4_096;
const DEFAULT_MAX_PENDING = 10_000;
/** Between two cookies of one millisecond; a double holds this behind any instant. */
const CREATION_STEP_MS = 1 / 1_024;
const SCHEMES: readonly string[] = ["http:", "https:", "ws:", "wss:"];
const BEYOND_BYTES = /[\u0100-\uffff]/;

/**
 * Keeps cookies as a browser does, by RFC 6265bis: takes `Set-Cookie` fields and
 * says which cookies go where.
 *
 * Fields nobody should have sent are ignored, never an error: they come from the
 * peer. Everything is asynchronous, because a store may be; changes take place one
 * after another in the order of the calls, and what is asked for afterwards shows
 * them.
 *
 * Cookies of the session stay until {@linkcode CookieJar.clear}.
 *
 * @example Setting and sending
 * ```ts
 * import { CookieJar } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const jar = new CookieJar();
 * await jar.set("id=1; Path=/shop; Secure", "https://example.com/shop/login");
 * await jar.set("lang=en", "https://example.com/");
 *
 * assertEquals(await jar.cookieHeader("https://example.com/shop/cart"), "id=1; lang=en");
 * assertEquals(await jar.cookieHeader("http://example.com/shop/cart"), "lang=en");
 * assertEquals(await jar.cookieHeader("https://www.example.com/"), undefined);
 * ```
 */
export class CookieJar {
  readonly #store: CookieStore;
  readonly #isPublicSuffix: PublicSuffixRule;
  readonly #maxCookieBytes: number;
  readonly #maxPending: number;
  readonly #trustLoopback: boolean;
  readonly #clock: Clock;
  #lastCreatedUnixMs = -Infinity;
  #pendingCount = 0;
  /** Settles with the last change, and never rejects. */
  #lastChange: Promise<unknown> = Promise.resolve();

  /**
   * Makes a jar.
   *
   * @param options Store, rules and bounds.
   * @throws {RangeError} If a bound is no whole number of at least 0.
   * @throws {TypeError} If a bound for the memory is given beside a store.
   */
  constructor(options: CookieJarOptions = {}) {
    const { maxCookieCount, maxCookiesPerDomain, isPublicSuffix: rule } = options;
    if (options.store !== undefined && (maxCookieCount ?? maxCookiesPerDomain) !== undefined) {
      throw new TypeError("Cannot make jar: a store has bounds of its own");
    }
    this.#store = options.store ?? new MemoryCookieStore({
      ...maxCookieCount !== undefined && { maxCookieCount },
      ...maxCookiesPerDomain !== undefined && { maxCookiesPerDomain },
    });
    this.#isPublicSuffix = rule ?? isPublicSuffix;
    this.#maxCookieBytes = resolveBound(
      "maxCookieBytes",
      options.maxCookieBytes ?? DEFAULT_MAX_COOKIE_BYTES,
    );
    this.#maxPending = resolveBound(
      "maxPendingCount",
      options.maxPendingCount ?? DEFAULT_MAX_PENDING,
    );
    this.#trustLoopback = options.trustLoopback ?? true;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Takes the value of one `Set-Cookie` field.
   *
   * @param setCookie The value, a character for each byte, as fields are read.
   * @param url URL of the request.
   * @param context Circumstances of the request.
   * @returns Whether it was followed, be it to delete a cookie; `false` where it
   * was to be ignored.
   * @throws {TypeError} If the URL is none, the value has characters beyond U+00FF,
   * or the public suffixes cannot be loaded.
   * @throws {LimitExceededError} If too many changes wait for the store.
   * @throws {Error} The signal's reason, or what the store throws, untouched.
   */
  async set(
    setCookie: string,
    url: string | URL,
    context: CookieContext = {},
  ): Promise<boolean> {
    if (BEYOND_BYTES.test(setCookie)) {
      throw new TypeError("Cannot set cookie: it has a character beyond U+00FF");
    }
    const parsed = parseSetCookie(setCookie);
    const target = new URL(url);
    if (parsed === undefined || !SCHEMES.includes(target.protocol)) return false;
    return await this.#change(context.signal, () => this.#accept(parsed, target, context));
  }

  /**
   * The value of the `Cookie` field of a request.
   *
   * @param url URL of the request.
   * @param context Circumstances of the request.
   * @returns The cookies, those with longer paths first, then those set earlier;
   * `undefined` where there are none.
   * @throws {TypeError} If the URL is none, or public suffixes are needed for a
   * partitioned cookie and cannot be loaded.
   */
  async cookieHeader(
    url: string | URL,
    context: CookieContext = {},
  ): Promise<string | undefined> {
    return await bounded(context.signal, async () => {
      const cookies = await this.#select(url, context);
      if (cookies.length > 0) await this.#store.touch?.(cookies);
      return formatCookieField(cookies);
    });
  }

  /**
   * The cookies that would go with a request, which does not count as their use, or
   * all that have not ended.
   *
   * @param url URL of the request; all cookies without.
   * @param context Circumstances of the request.
   * @returns The cookies; with a URL in the order of the field, else the one used
   * longest ago first.
   * @throws {TypeError} As {@linkcode CookieJar.cookieHeader}.
   */
  async cookies(url?: string | URL, context: CookieContext = {}): Promise<StoredCookie[]> {
    return await bounded(context.signal, async () => {
      if (url !== undefined) return await this.#select(url, context);
      await this.#lastChange;
      const cookies = Array.from(await this.#store.all());
      const nowUnixMs = this.#clock.wallNow();
      return cookies.filter((cookie) => !isExpiredCookie(cookie, nowUnixMs));
    });
  }

  /**
   * Deletes a cookie.
   *
   * @param cookie The cookie, or what tells it apart.
   * @returns Whether there was one.
   * @throws {LimitExceededError} If too many changes wait for the store.
   */
  delete(cookie: CookieIdentity): Promise<boolean> {
    return this.#change(undefined, () => this.#store.delete(cookie));
  }

  /**
   * Deletes every cookie.
   *
   * @throws {LimitExceededError} If too many changes wait for the store.
   */
  clear(): Promise<void> {
    return this.#change(undefined, () => this.#store.clear());
  }

  /**
   * The cookies that have not ended, as JSON text. (Not `toJSON()`: by that name
   * `JSON.stringify()` would take the promise.)
   *
   * @param options Which cookies.
   * @returns What {@linkcode CookieJar.fromJson} reads.
   */
  async toJson(options: CookieFileOptions = {}): Promise<string> {
    return formatCookieJson(await this.#forFile(options));
  }

  /**
   * The cookies that have not ended, as the text of a `cookies.txt`; see
   * {@linkcode formatNetscapeCookies} for what gets lost.
   *
   * @param options Which cookies.
   * @returns What {@linkcode CookieJar.fromNetscape} reads.
   */
  async toNetscape(options: CookieFileOptions = {}): Promise<string> {
    return formatNetscapeCookies(await this.#forFile(options));
  }

  /**
   * Makes a jar with the cookies of a JSON text, without those that have ended or
   * are too large. A text that says so is believed: no public suffix is looked up.
   *
   * @param text What {@linkcode CookieJar.toJson} gave.
   * @param options Store, rules and bounds.
   * @throws {SyntaxError} If the text is something else.
   * @throws {RangeError} As the constructor.
   *
   * @example Keeping cookies from one run to the next
   * ```ts
   * import { CookieJar } from "@nbio/net/http";
   * import { assertEquals } from "@std/assert";
   *
   * const before = new CookieJar();
   * await before.set("id=1; Max-Age=3600", "https://example.com/");
   * const text = await before.toJson({ includeSession: false });
   *
   * const jar = await CookieJar.fromJson(text);
   * assertEquals(await jar.cookieHeader("https://example.com/"), "id=1");
   * ```
   */
  static async fromJson(text: string, options: CookieJarOptions = {}): Promise<CookieJar> {
    return await CookieJar.#from(parseCookieJson(text), options);
  }

  /**
   * Makes a jar with the cookies of a `cookies.txt`; else as
   * {@linkcode CookieJar.fromJson}.
   *
   * @param text The text of such a file.
   * @param options Store, rules and bounds.
   * @throws {SyntaxError} If the text is something else.
   * @throws {RangeError} As the constructor.
   */
  static async fromNetscape(text: string, options: CookieJarOptions = {}): Promise<CookieJar> {
    return await CookieJar.#from(parseNetscapeCookies(text), options);
  }

  static async #from(
    cookies: readonly StoredCookie[],
    options: CookieJarOptions,
  ): Promise<CookieJar> {
    const jar = new CookieJar(options);
    await jar.#change(undefined, async () => {
      const nowUnixMs = jar.#clock.wallNow();
      for (const cookie of cookies) {
        const isLarge = cookie.name.length + cookie.value.length > jar.#maxCookieBytes;
        if (isLarge || isExpiredCookie(cookie, nowUnixMs)) continue;
        await jar.#store.put(limited(cookie, nowUnixMs), nowUnixMs);
      }
    });
    return jar;
  }

  /** One change after another: what it finds in the store stays true until it is through. */
  async #change<T>(signal: AbortSignal | undefined, change: () => T | Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (this.#pendingCount >= this.#maxPending) {
      throw new LimitExceededError(
        `Cannot change cookies: ${this.#pendingCount} changes wait for the store`,
        { limit: "maxPendingCount", max: this.#maxPending },
      );
    }
    this.#pendingCount++;
    const done = this.#lastChange.then(change).finally(() => this.#pendingCount--);
    this.#lastChange = done.catch(() => {});
    return await bounded(signal, () => done);
  }

  async #accept(parsed: ParsedSetCookie, url: URL, context: CookieContext): Promise<boolean> {
    const request = this.#requestOf(url, context);
    const nowUnixMs = this.#clock.wallNow();
    const cookie = acceptCookie(parsed, request, {
      isPublicSuffix: await this.#isSuffix(parsed.domain),
      partitionKey: parsed.isPartitioned ? await this.#partitionKeyOf(url, context) : "",
      maxCookieBytes: this.#maxCookieBytes,
      nowUnixMs,
    });
    if (cookie === undefined) return false;
    if (!cookie.isSecure && !request.isSecure) {
      const secure = await this.#store.findSecureByName(cookie.name);
      const present = Array.from(secure).filter((other) => !isExpiredCookie(other, nowUnixMs));
      if (overlaysSecureCookie(cookie, present)) return false;
    }
    return await this.#keep(cookie, request, nowUnixMs);
  }

  /** RFC 6265bis section 5.7, steps 23 and 24. */
  async #keep(cookie: StoredCookie, request: CookieRequest, nowUnixMs: number): Promise<boolean> {
    const found = await this.#store.get(cookie);
    const old = found === undefined || isExpiredCookie(found, nowUnixMs) ? undefined : found;
    if (old?.isHttpOnly && !request.isHttpApi) return false;
    if (isExpiredCookie(cookie, nowUnixMs)) {
      if (found !== undefined) await this.#store.delete(cookie);
      return true;
    }
    const createdUnixMs = old?.createdUnixMs ?? this.#createdNow(nowUnixMs);
    await this.#store.put({ ...cookie, createdUnixMs }, nowUnixMs);
    return true;
  }

  #createdNow(nowUnixMs: number): number {
    const next = this.#lastCreatedUnixMs + CREATION_STEP_MS;
    return this.#lastCreatedUnixMs = Math.max(nowUnixMs, next);
  }

  async #select(url: string | URL, context: CookieContext): Promise<StoredCookie[]> {
    const target = new URL(url);
    if (!SCHEMES.includes(target.protocol)) return [];
    await this.#lastChange;
    const request = this.#requestOf(target, context);
    const cookies = await this.#store.findByDomain(cookieDomainsOf(request.host));
    const partitionKey = cookies.some((cookie) => cookie.partitionKey !== undefined)
      ? await this.#partitionKeyOf(target, context)
      : undefined;
    return selectCookies(cookies, request, this.#clock.wallNow(), partitionKey);
  }

  #requestOf(url: URL, context: CookieContext): CookieRequest {
    const { protocol, hostname: host, pathname: path } = url;
    const isEncrypted = protocol === "https:" || protocol === "wss:";
    return {
      host,
      path,
      isSecure: isEncrypted || (this.#trustLoopback && isLoopbackHost(host)),
      isHttpApi: context.isHttpApi ?? true,
      isCrossSite: context.sameSite === "cross-site",
      isSafeMethod: context.isSafeMethod ?? true,
      isTopLevel: context.topLevel ?? false,
    };
  }

  /** A dot at the end of a name must not hide that it is a public suffix. */
  async #isSuffix(domain: string): Promise<boolean> {
    if (domain === "") return false;
    return await this.#isPublicSuffix(domain.endsWith(".") ? domain.slice(0, -1) : domain);
  }

  /** The site: scheme and registrable domain, which stand for all hosts of one owner. */
  async #partitionKeyOf(url: URL, context: CookieContext): Promise<string> {
    if (context.partitionKey !== undefined) return context.partitionKey;
    const isEncrypted = url.protocol === "https:" || url.protocol === "wss:";
    const domain = await registrableDomain(url.hostname, this.#isPublicSuffix);
    return `${isEncrypted ? "https" : "http"}://${domain ?? url.hostname}`;
  }

  async #forFile({ includeSession = true }: CookieFileOptions): Promise<StoredCookie[]> {
    const cookies = await this.cookies();
    return includeSession ? cookies : cookies.filter((it) => it.expiresUnixMs !== undefined);
  }
}

/** RFC 6265bis section 5.5: what a file says does not go beyond it either. */
function limited(cookie: StoredCookie, nowUnixMs: number): StoredCookie {
  const { expiresUnixMs } = cookie;
  if (expiresUnixMs === undefined) return cookie;
  return { ...cookie, expiresUnixMs: Math.min(expiresUnixMs, nowUnixMs + MAX_COOKIE_AGE_MS) };
}

/** Waits until the signal says otherwise; what was begun goes on and is not heard of. */
async function bounded<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  return signal === undefined ? await run() : await withTimeout(run, { signal, graceMs: 0 });
}
