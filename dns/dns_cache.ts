// This module is sans-I/O.

import { type CacheEntry, type CacheEntryKind, makeCacheEntry } from "./cache_entry.ts";
import type { Message } from "./message.ts";
import { canonicalName } from "./name.ts";

/** What an answer is kept under. */
export interface DnsCacheKey {
  /** The name, in any case. */
  readonly name: string;
  /** Mnemonic of the type. */
  readonly type: string;
  /**
   * Mnemonic of the class.
   *
   * @default {"IN"}
   */
  readonly class?: string;
  /**
   * DO: whether records of DNSSEC were asked for.
   *
   * @default {false}
   */
  readonly dnssecOk?: boolean;
  /**
   * CD: whether the server was asked not to validate.
   *
   * @default {false}
   */
  readonly checkingDisabled?: boolean;
  /**
   * RD: whether the server was asked to resolve.
   *
   * @default {true}
   */
  readonly recursionDesired?: boolean;
}

/** Options of a {@linkcode DnsCache}. */
export interface DnsCacheOptions {
  /**
   * Most answers to keep, those longest unused are given up: an integer. 0 and `Infinity` mean no
   * limit.
   *
   * @default {10_000}
   */
  readonly maxEntryCount?: number;
  /**
   * Most memory for them, in bytes, as far as it can be estimated: an integer. 0 and `Infinity`
   * mean no limit.
   *
   * @default {33_554_432}
   */
  readonly maxBytes?: number;
  /**
   * Records are kept so long at least, in milliseconds; above 0 also those that may not be kept.
   *
   * @default {0}
   */
  readonly minTtlMs?: number;
  /**
   * Records are kept so long at most, in milliseconds. `Infinity` means as long as they say.
   *
   * @default {86_400_000}
   */
  readonly maxTtlMs?: number;
  /**
   * That there is nothing is kept so long at most, in milliseconds (RFC 2308 section 5); 0 for not
   * at all.
   *
   * @default {3_600_000}
   */
  readonly maxNegativeTtlMs?: number;
  /**
   * How long it is kept that the servers failed, in milliseconds, 0 to 300,000 (RFC 9520 section
   * 3.2); 0 for not at all.
   *
   * @default {5_000}
   */
  readonly failureTtlMs?: number;
  /**
   * How long expired answers are kept for the case that the servers fail, in milliseconds (RFC
   * 8767); 0 for not at all.
   *
   * @default {0}
   */
  readonly staleTtlMs?: number;
  /**
   * The TTL that expired records are given, in milliseconds.
   *
   * @default {30_000}
   */
  readonly staleAnswerTtlMs?: number;
  /**
   * The last part of its life in which an answer that is in use should be asked for again, 0 to 1;
   * 0 for never.
   *
   * @default {0}
   */
  readonly prefetchRatio?: number;
}

/** Options of {@linkcode DnsCache.get}. */
export interface GetCachedOptions {
  /**
   * Whether an expired answer will do, because the servers fail or take long.
   *
   * @default {false}
   */
  readonly allowStale?: boolean;
}

/** An answer out of the cache. */
export interface CachedAnswer {
  /** The message, its TTLs counted down. Its id, and maybe the case of names, are of its first query. */
  readonly message: Message;
  /** Milliseconds since it came. */
  readonly ageMs: number;
  /** Whether it has expired. */
  readonly isStale: boolean;
  /** Whether to ask for it again beforehand; told once. */
  readonly shouldPrefetch: boolean;
}

/** What {@linkcode DnsCache.inspect} tells of an answer. */
export interface DnsCacheEntry {
  /** The name, in lower case. */
  readonly name: string;
  /** Mnemonic of the type; `*` for all of them, where the name does not exist. */
  readonly type: string;
  /** Mnemonic of the class. */
  readonly class: string;
  /** Whether records of DNSSEC were asked for. */
  readonly dnssecOk: boolean;
  /** Whether the server was asked not to validate. */
  readonly checkingDisabled: boolean;
  /** Whether the server was asked to resolve. */
  readonly recursionDesired: boolean;
  /** What the answer says. */
  readonly kind: CacheEntryKind;
  /** Milliseconds it is valid for; below 0 it has expired. */
  readonly ttlMs: number;
  /** Memory it is taken to need, in bytes. */
  readonly byteCount: number;
  /** How often it was given out. */
  readonly hitCount: number;
}

interface Kept {
  readonly key: Required<DnsCacheKey>;
  readonly entry: CacheEntry;
  hitCount: number;
  isPrefetchTold: boolean;
  /** Until then it is not worth the while to ask again. */
  failedUntilMs: number;
}

/** Stands for all types: what does not exist has none (RFC 2308 section 5). */
const ALL_TYPES = "*";
const MAX_FAILURE_TTL_MS = 300_000;

/**
 * Answers to questions, each for as long as its records live. Time is an argument, in milliseconds
 * of any clock that does not go back.
 *
 * - Kept are records, also an alias alone; that a name does not exist, then for all its types; that
 *   it has no such records; and for seconds, that the servers failed with SERVFAIL (RFC 9520).
 *   Nothing else is, nor what was truncated, has a TTL of 0, or denies without an SOA record.
 * - A set of records has one TTL, the least of them (RFC 2181 section 5.2). A message lives as long
 *   as the shortest-lived record in it.
 * - Questions with other bits (DO, CD, RD) are other questions.
 * - What has not been used for longest gives way where a bound is reached.
 *
 * @example Counting down
 * ```ts
 * import { decodeMessage, DnsCache, encodeMessage } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const question = { name: "example.", type: "A", class: "IN" } as const;
 * const message = decodeMessage(encodeMessage({
 *   response: true,
 *   questions: [question],
 *   answers: [{ ...question, ttl: 60, data: { address: "192.0.2.1" } }],
 * }));
 * const cache = new DnsCache();
 * cache.put(question, message, 0);
 * assertEquals(cache.get(question, 20_000)?.message.answers[0]?.ttl, 40);
 * assertEquals(cache.get(question, 60_000), undefined);
 * ```
 */
export class DnsCache {
  readonly #options: Required<DnsCacheOptions>;
  /** Those longest unused in front. */
  readonly #kept = new Map<string, Kept>();
  #byteCount = 0;

  /**
   * Makes an empty cache.
   *
   * @param options Bounds and times.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: DnsCacheOptions = {}) {
    this.#options = {
      maxEntryCount: checkCount("maxEntryCount", options.maxEntryCount ?? 10_000),
      maxBytes: checkCount("maxBytes", options.maxBytes ?? 33_554_432),
      minTtlMs: checkRange("minTtlMs", options.minTtlMs ?? 0, Number.MAX_VALUE),
      maxTtlMs: checkRange("maxTtlMs", options.maxTtlMs ?? 86_400_000, Infinity),
      maxNegativeTtlMs: checkRange(
        "maxNegativeTtlMs",
        options.maxNegativeTtlMs ?? 3_600_000,
        Infinity,
      ),
      failureTtlMs: checkRange("failureTtlMs", options.failureTtlMs ?? 5_000, MAX_FAILURE_TTL_MS),
      staleTtlMs: checkRange("staleTtlMs", options.staleTtlMs ?? 0, Infinity),
      staleAnswerTtlMs: checkRange(
        "staleAnswerTtlMs",
        options.staleAnswerTtlMs ?? 30_000,
        Number.MAX_VALUE,
      ),
      prefetchRatio: checkRange("prefetchRatio", options.prefetchRatio ?? 0, 1),
    };
    if (this.#options.minTtlMs > this.#options.maxTtlMs) {
      throw new RangeError(
        `Cannot use minTtlMs ${this.#options.minTtlMs}: it is more than maxTtlMs`,
      );
    }
  }

  /** How many answers there are, expired ones that nobody has asked for since included. */
  get entryCount(): number {
    return this.#kept.size;
  }

  /** Memory they are taken to need, in bytes. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /**
   * Looks for the answer to a question. An expired one is found if `allowStale` is set, or if it is
   * known since less than `failureTtlMs` that asking fails.
   *
   * @param key The question.
   * @param nowMs The time.
   * @param options Whether an expired answer will do.
   * @returns The answer; `undefined` if there is none.
   * @throws {DnsMessageError} If the name is none.
   */
  get(
    key: DnsCacheKey,
    nowMs: number,
    options: GetCachedOptions = {},
  ): CachedAnswer | undefined {
    const full = completeKey(key);
    return this.#find(full, full.type, nowMs, options) ??
      this.#find(full, ALL_TYPES, nowMs, options);
  }

  /**
   * Keeps the answer to a question, in place of an older one. That the servers failed is not put in
   * place of an answer that can still be given.
   *
   * @param key The question.
   * @param message The answer, checked to be one. It must not change afterwards.
   * @param nowMs The time.
   * @returns Whether it may be kept, and has room.
   * @throws {DnsMessageError} If the name is none.
   */
  put(key: DnsCacheKey, message: Message, nowMs: number): boolean {
    const full = completeKey(key);
    const entry = makeCacheEntry(full, message, nowMs, this.#options);
    if (entry === undefined) return false;
    if (entry.kind === "failure" && this.noteFailure(full, nowMs)) return true;
    if (entry.byteCount > this.#options.maxBytes) return false;
    const type = entry.isForAllTypes ? ALL_TYPES : full.type;
    // The name exists after all.
    if (entry.kind === "records" || entry.kind === "nodata") this.#remove(keyText(full, ALL_TYPES));
    this.#remove(keyText(full, full.type));
    this.#remove(keyText(full, type));
    this.#kept.set(keyText(full, type), {
      key: { ...full, type },
      entry,
      hitCount: 0,
      isPrefetchTold: false,
      failedUntilMs: -Infinity,
    });
    this.#byteCount += entry.byteCount;
    this.#makeRoom();
    return true;
  }

  /**
   * Notes that asking for something failed, so that an answer that has expired, or will, is given
   * for `failureTtlMs` without asking again (RFC 8767 section 5).
   *
   * @param key The question.
   * @param nowMs The time.
   * @returns Whether there is an answer to give.
   * @throws {DnsMessageError} If the name is none.
   */
  noteFailure(key: DnsCacheKey, nowMs: number): boolean {
    const full = completeKey(key);
    const kept = this.#kept.get(keyText(full, full.type)) ??
      this.#kept.get(keyText(full, ALL_TYPES));
    if (kept === undefined || kept.entry.kind === "failure" || this.#isGone(kept, nowMs)) {
      return false;
    }
    kept.failedUntilMs = nowMs + this.#options.failureTtlMs;
    return true;
  }

  /**
   * Gives up what is kept of a name. Takes time linear in the number of answers.
   *
   * @param name The name.
   * @param type Mnemonic of the type; without it all types are meant. That a name does not exist is
   * forgotten with any of them.
   * @returns How many answers have gone.
   * @throws {DnsMessageError} If the name is none.
   */
  evict(name: string, type?: string): number {
    const wanted = canonicalName(name);
    let count = 0;
    for (const [text, { key }] of this.#kept) {
      if (key.name !== wanted) continue;
      if (type !== undefined && key.type !== type && key.type !== ALL_TYPES) continue;
      this.#remove(text);
      count++;
    }
    return count;
  }

  /** Gives up everything. */
  clear(): void {
    this.#kept.clear();
    this.#byteCount = 0;
  }

  /**
   * Tells what is kept.
   *
   * @param nowMs The time.
   * @returns What there is to tell of each answer, those longest unused in front.
   */
  inspect(nowMs: number): DnsCacheEntry[] {
    return Array.from(this.#kept.values(), ({ key, entry, hitCount }) => ({
      ...key,
      kind: entry.kind,
      ttlMs: entry.expiresMs - nowMs,
      byteCount: entry.byteCount,
      hitCount,
    }));
  }

  #find(
    key: Required<DnsCacheKey>,
    type: string,
    nowMs: number,
    { allowStale = false }: GetCachedOptions,
  ): CachedAnswer | undefined {
    const text = keyText(key, type);
    const kept = this.#kept.get(text);
    if (kept === undefined) return undefined;
    const { entry } = kept;
    if (this.#isGone(kept, nowMs)) {
      this.#remove(text);
      return undefined;
    }
    const isStale = nowMs >= entry.expiresMs;
    if (isStale && !allowStale && nowMs >= kept.failedUntilMs) return undefined;
    // A map keeps the order of insertion: to the end with what is in use.
    this.#kept.delete(text);
    this.#kept.set(text, kept);
    kept.hitCount++;
    const message = isStale
      ? entry.staleMessage(key.type, this.#options.staleAnswerTtlMs)
      : entry.messageAt(key.type, nowMs);
    const shouldPrefetch = !isStale && this.#isPrefetchDue(kept, nowMs);
    return { message, ageMs: nowMs - entry.storedMs, isStale, shouldPrefetch };
  }

  #isPrefetchDue(kept: Kept, nowMs: number): boolean {
    const { expiresMs, storedMs, kind } = kept.entry;
    const lastMs = (expiresMs - storedMs) * this.#options.prefetchRatio;
    if (kept.isPrefetchTold || kind === "failure" || expiresMs - nowMs > lastMs) return false;
    if (nowMs < kept.failedUntilMs || lastMs === 0) return false;
    kept.isPrefetchTold = true;
    return true;
  }

  /** Whether an answer is of no use any more, not even as a stale one. */
  #isGone({ entry }: Kept, nowMs: number): boolean {
    const staleMs = entry.kind === "failure" ? 0 : this.#options.staleTtlMs;
    return nowMs >= entry.expiresMs + staleMs;
  }

  #remove(text: string): void {
    const kept = this.#kept.get(text);
    if (kept === undefined) return;
    this.#kept.delete(text);
    this.#byteCount -= kept.entry.byteCount;
  }

  #makeRoom(): void {
    const { maxEntryCount, maxBytes } = this.#options;
    for (const text of this.#kept.keys()) {
      if (this.#kept.size <= maxEntryCount && this.#byteCount <= maxBytes) return;
      this.#remove(text);
    }
  }
}

function completeKey(key: DnsCacheKey): Required<DnsCacheKey> {
  return {
    name: canonicalName(key.name),
    type: key.type,
    class: key.class ?? "IN",
    dnssecOk: key.dnssecOk ?? false,
    checkingDisabled: key.checkingDisabled ?? false,
    recursionDesired: key.recursionDesired ?? true,
  };
}

/** Names escape blanks, mnemonics have none: the parts cannot run into each other. */
function keyText(key: Required<DnsCacheKey>, type: string): string {
  const bits = Number(key.dnssecOk) | Number(key.checkingDisabled) << 1 |
    Number(key.recursionDesired) << 2;
  return `${key.name} ${type} ${key.class} ${bits}`;
}

function checkCount(name: string, value: number): number {
  if (value === 0 || value === Infinity) return Infinity;
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(
    `Cannot use ${name} ${value}: expected an integer of at least 0 or Infinity`,
  );
}

function checkRange(name: string, value: number, max: number): number {
  if (value >= 0 && value <= max) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected a number from 0 to ${max}`);
}
