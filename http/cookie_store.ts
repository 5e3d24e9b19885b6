import { resolveBound } from "./limits.ts";
import { RecencyMap } from "./recency_map.ts";
import {
  type CookieIdentity,
  cookieKey,
  isExpiredCookie,
  type StoredCookie,
} from "./stored_cookie.ts";

/**
 * Where a {@linkcode CookieJar} keeps its cookies. A store may answer at once or
 * by a promise; what it throws, the jar's method throws. It bounds itself.
 *
 * A jar changes its store by one call at a time, so that a store for one jar needs
 * no lock. Where several jars share one, each call has to be one step: then none
 * of their cookies is lost either.
 *
 * @example A store over a map, without bound
 * ```ts
 * import { CookieJar, cookieKey, type CookieStore, type StoredCookie } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const cookies = new Map<string, StoredCookie>();
 * const store: CookieStore = {
 *   get: (identity) => cookies.get(cookieKey(identity)),
 *   findByDomain: (domains) => [...cookies.values()].filter((it) => domains.includes(it.domain)),
 *   findSecureByName: (name) =>
 *     [...cookies.values()].filter((it) => it.isSecure && it.name === name),
 *   put: (cookie) => void cookies.set(cookieKey(cookie), cookie),
 *   delete: (identity) => cookies.delete(cookieKey(identity)),
 *   all: () => [...cookies.values()],
 *   clear: () => cookies.clear(),
 * };
 * const jar = new CookieJar({ store });
 * await jar.set("id=1", "https://example.com/");
 * assertEquals(cookies.size, 1);
 * ```
 */
export interface CookieStore {
  /**
   * Finds one cookie.
   *
   * @param identity What tells it apart.
   * @returns The cookie, ended or not; `undefined` where there is none.
   */
  get(identity: CookieIdentity): StoredCookie | undefined | Promise<StoredCookie | undefined>;

  /**
   * Finds the cookies of some domains.
   *
   * @param domains At most 127 domains, to be compared as they are.
   * @returns Those cookies in any order, ended or not.
   */
  findByDomain(
    domains: readonly string[],
  ): readonly StoredCookie[] | Promise<readonly StoredCookie[]>;

  /**
   * Finds the cookies of a name that go over secure connections only.
   *
   * @param name Name of the cookies.
   * @returns Those cookies in any order, ended or not.
   */
  findSecureByName(name: string): Iterable<StoredCookie> | Promise<Iterable<StoredCookie>>;

  /**
   * Keeps a cookie, in the place of one with the same identity. The store may
   * drop others for it.
   *
   * @param cookie The cookie.
   * @param nowUnixMs The present, in milliseconds since 1970-01-01T00:00:00Z.
   */
  put(cookie: StoredCookie, nowUnixMs: number): void | Promise<void>;

  /**
   * Forgets a cookie.
   *
   * @param identity What tells it apart.
   * @returns Whether there was one.
   */
  delete(identity: CookieIdentity): boolean | Promise<boolean>;

  /**
   * Told which cookies were sent, for a store that drops those first that were
   * used longest ago.
   *
   * @param cookies The cookies.
   */
  touch?(cookies: readonly StoredCookie[]): void | Promise<void>;

  /** Every cookie, the one used longest ago first where the store knows it. */
  all(): Iterable<StoredCookie> | Promise<Iterable<StoredCookie>>;

  /** Forgets every cookie. */
  clear(): void | Promise<void>;
}

/** Options of {@linkcode MemoryCookieStore}. */
export interface MemoryCookieStoreOptions {
  /**
   * Most cookies, at least 1. 0 or Infinity for no bound.
   *
   * @default {3000}
   */
  readonly maxCookieCount?: number;
  /**
   * Most cookies of one domain, at least 1. 0 or Infinity for no bound.
   *
   * @default {180}
   */
  readonly maxCookiesPerDomain?: number;
}

const DEFAULT_MAX_COUNT = 3_000;
const DEFAULT_MAX_PER_DOMAIN = 180;

/** The cookies of one domain, in the order of use; those go first that are not secure. */
interface Domain {
  readonly plain: RecencyMap<string, StoredCookie>;
  readonly secure: RecencyMap<string, StoredCookie>;
  /** No cookie of it ends before. */
  nextExpiryUnixMs: number;
}

/**
 * Keeps cookies in memory. Where there are too many, it drops them as RFC 6265bis
 * section 5.7 says: those that have ended; of a domain with too many those that
 * are not secure, then the others; then any. What was used longest ago goes first.
 *
 * Everything takes time linear in what it gives, and `put` takes constant time,
 * but for those cookies that have ended.
 *
 * @example The cookie that was used longest ago goes
 * ```ts
 * import { CookieJar, MemoryCookieStore } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new MemoryCookieStore({ maxCookiesPerDomain: 2 });
 * const jar = new CookieJar({ store });
 * for (const line of ["a=1", "b=2", "c=3"]) await jar.set(line, "https://example.com/");
 * assertEquals(await jar.cookieHeader("https://example.com/"), "b=2; c=3");
 * assertEquals(store.size, 2);
 * ```
 */
export class MemoryCookieStore implements CookieStore {
  readonly #cookies: RecencyMap<string, StoredCookie> = new RecencyMap(Infinity);
  readonly #domains: Map<string, Domain> = new Map();
  readonly #secureByName: Map<string, Map<string, StoredCookie>> = new Map();
  readonly #maxCount: number;
  readonly #maxPerDomain: number;
  /** No cookie ends before. */
  #nextExpiryUnixMs = Infinity;

  /**
   * Makes an empty store.
   *
   * @param options Bounds.
   * @throws {RangeError} If a bound is no whole number of at least 0.
   */
  constructor(options: MemoryCookieStoreOptions = {}) {
    const { maxCookieCount, maxCookiesPerDomain } = options;
    this.#maxCount = resolveBound("maxCookieCount", maxCookieCount ?? DEFAULT_MAX_COUNT);
    this.#maxPerDomain = resolveBound(
      "maxCookiesPerDomain",
      maxCookiesPerDomain ?? DEFAULT_MAX_PER_DOMAIN,
    );
  }

  /** Number of cookies, those counted that have ended and were not yet dropped. */
  get size(): number {
    return this.#cookies.size;
  }

  /**
   * Finds one cookie.
   *
   * @param identity What tells it apart.
   * @returns The cookie, ended or not; `undefined` where there is none.
   */
  get(identity: CookieIdentity): StoredCookie | undefined {
    return this.#cookies.get(cookieKey(identity));
  }

  /**
   * Finds the cookies of some domains.
   *
   * @param domains Domains.
   * @returns Those cookies, ended or not.
   */
  findByDomain(domains: readonly string[]): StoredCookie[] {
    const found: StoredCookie[] = [];
    for (const name of domains) {
      const domain = this.#domains.get(name);
      if (domain === undefined) continue;
      for (const [, cookie] of domain.plain) found.push(cookie);
      for (const [, cookie] of domain.secure) found.push(cookie);
    }
    return found;
  }

  /**
   * Finds the cookies of a name that go over secure connections only.
   *
   * @param name Name of the cookies.
   * @returns Those cookies, ended or not.
   */
  findSecureByName(name: string): Iterable<StoredCookie> {
    return this.#secureByName.get(name)?.values() ?? [];
  }

  /**
   * Keeps a cookie, in the place of one with the same identity.
   *
   * @param cookie The cookie.
   * @param nowUnixMs The present, in milliseconds since 1970-01-01T00:00:00Z.
   */
  put(cookie: StoredCookie, nowUnixMs: number): void {
    const key = cookieKey(cookie);
    this.#remove(key);
    const domain = this.#domainOf(cookie.domain);
    this.#cookies.set(key, cookie);
    (cookie.isSecure ? domain.secure : domain.plain).set(key, cookie);
    if (cookie.isSecure) this.#indexByName(key, cookie);
    const { expiresUnixMs = Infinity } = cookie;
    domain.nextExpiryUnixMs = Math.min(domain.nextExpiryUnixMs, expiresUnixMs);
    this.#nextExpiryUnixMs = Math.min(this.#nextExpiryUnixMs, expiresUnixMs);
    this.#trimDomain(domain, nowUnixMs);
    this.#trim(nowUnixMs);
  }

  /**
   * Forgets a cookie.
   *
   * @param identity What tells it apart.
   * @returns Whether there was one.
   */
  delete(identity: CookieIdentity): boolean {
    return this.#remove(cookieKey(identity));
  }

  /**
   * Counts cookies as used.
   *
   * @param cookies The cookies; those that are not there are passed over.
   */
  touch(cookies: readonly StoredCookie[]): void {
    for (const cookie of cookies) {
      const key = cookieKey(cookie);
      this.#cookies.touch(key);
      const domain = this.#domains.get(cookie.domain);
      domain?.plain.touch(key);
      domain?.secure.touch(key);
    }
  }

  /** Every cookie, the one used longest ago first. */
  *all(): IterableIterator<StoredCookie> {
    for (const [, cookie] of this.#cookies) yield cookie;
  }

  /** Forgets every cookie. */
  clear(): void {
    for (const [key] of this.#cookies) this.#remove(key);
  }

  #domainOf(name: string): Domain {
    let domain = this.#domains.get(name);
    if (domain === undefined) {
      domain = {
        plain: new RecencyMap(Infinity),
        secure: new RecencyMap(Infinity),
        nextExpiryUnixMs: Infinity,
      };
      this.#domains.set(name, domain);
    }
    return domain;
  }

  #indexByName(key: string, cookie: StoredCookie): void {
    const cookies = this.#secureByName.get(cookie.name);
    if (cookies !== undefined) cookies.set(key, cookie);
    else this.#secureByName.set(cookie.name, new Map([[key, cookie]]));
  }

  #remove(key: string): boolean {
    const cookie = this.#cookies.delete(key);
    if (cookie === undefined) return false;
    const domain = this.#domains.get(cookie.domain)!;
    domain.plain.delete(key);
    domain.secure.delete(key);
    if (domain.plain.size + domain.secure.size === 0) this.#domains.delete(cookie.domain);
    const named = this.#secureByName.get(cookie.name);
    named?.delete(key);
    if (named?.size === 0) this.#secureByName.delete(cookie.name);
    return true;
  }

  #trimDomain(domain: Domain, nowUnixMs: number): void {
    if (domain.plain.size + domain.secure.size <= this.#maxPerDomain) return;
    if (domain.nextExpiryUnixMs <= nowUnixMs) {
      const plain = this.#dropExpired(domain.plain, nowUnixMs);
      domain.nextExpiryUnixMs = Math.min(plain, this.#dropExpired(domain.secure, nowUnixMs));
    }
    while (domain.plain.size + domain.secure.size > this.#maxPerDomain) {
      this.#remove(cookieKey((domain.plain.oldest ?? domain.secure.oldest)!));
    }
  }

  #trim(nowUnixMs: number): void {
    if (this.#cookies.size <= this.#maxCount) return;
    if (this.#nextExpiryUnixMs <= nowUnixMs) {
      this.#nextExpiryUnixMs = this.#dropExpired(this.#cookies, nowUnixMs);
    }
    while (this.#cookies.size > this.#maxCount) this.#remove(cookieKey(this.#cookies.oldest!));
  }

  /** Gives the instant at which the first of the others ends. */
  #dropExpired(cookies: RecencyMap<string, StoredCookie>, nowUnixMs: number): number {
    let next = Infinity;
    for (const [key, cookie] of cookies) {
      if (isExpiredCookie(cookie, nowUnixMs)) this.#remove(key);
      else next = Math.min(next, cookie.expiresUnixMs ?? Infinity);
    }
    return next;
  }
}
