import { type Clock, systemClock } from "../nbio/clock.ts";
import { resolveBound } from "./limits.ts";
import { RecencyMap } from "./recency_map.ts";

/** A session as a store keeps it. Instants are milliseconds since the Unix epoch. */
export interface StoredSession {
  /** What the application keeps: JSON text. */
  readonly data: string;
  /** When the session began, under whatever id. */
  readonly createdUnixMs: number;
  /** When its time without use was last counted from. */
  readonly usedUnixMs: number;
  /** When it ends; a store forgets it some time afterwards. */
  readonly expiresUnixMs: number;
  /** Whether the session lives on under another id, and this one only for a grace. */
  readonly isRetired: boolean;
  /** Grows by one with every change; 1 at first. */
  readonly version: number;
}

/**
 * Where sessions are kept. A store may answer at once or by a promise; what it
 * throws is answered with 500.
 *
 * Requests of one session run at the same time, on one server or several, so
 * {@linkcode SessionStore.set} must compare and set in one step. Ids are not
 * secrets on their own: without the signature of the cookie they open nothing.
 *
 * @example A store over a map, without bound or expiry
 * ```ts
 * import type { SessionStore, StoredSession } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const sessions = new Map<string, StoredSession>();
 * const store: SessionStore = {
 *   get: (id) => sessions.get(id),
 *   set(id, session, expectedVersion) {
 *     if ((sessions.get(id)?.version ?? 0) !== expectedVersion) return false;
 *     sessions.set(id, session);
 *     return true;
 *   },
 *   delete: (id) => void sessions.delete(id),
 * };
 * assertEquals(await store.get("none"), undefined);
 * ```
 */
export interface SessionStore {
  /**
   * Finds a session.
   *
   * @param id Id of the session.
   * @returns The session, or `undefined` where there is none or it has ended.
   */
  get(id: string): StoredSession | undefined | Promise<StoredSession | undefined>;

  /**
   * Stores a session if nobody else has changed it.
   *
   * @param id Id of the session.
   * @param session What to store.
   * @param expectedVersion Version that the store must hold for this; 0 for none.
   * @returns Whether it was stored.
   */
  set(
    id: string,
    session: StoredSession,
    expectedVersion: number,
  ): boolean | Promise<boolean>;

  /**
   * Forgets a session; one that is not there is no mistake.
   *
   * @param id Id of the session.
   */
  delete(id: string): void | Promise<void>;
}

/** Options of {@linkcode MemorySessionStore}. */
export interface MemorySessionStoreOptions {
  /**
   * Most sessions, at least 1. 0 or Infinity for no bound.
   *
   * @default {100000}
   */
  readonly maxSessionCount?: number;
  /**
   * Most bytes of all data together, as two for each UTF-16 unit, at least 1. 0
   * or Infinity for no bound.
   *
   * @default {268435456}
   */
  readonly maxBytes?: number;
  /**
   * Where time comes from.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

const DEFAULT_MAX_COUNT = 100_000;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
/** Entries looked at for expiry with every change: more than a change can add. */
const SWEEP_COUNT = 2;

/**
 * Keeps sessions in memory: for one process, until it ends. When there are too
 * many, those go first that were used longest ago.
 *
 * @example Sessions end by themselves
 * ```ts
 * import { MemorySessionStore } from "@nbio/net/http";
 * import { ManualClock } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const store = new MemorySessionStore({ clock });
 * const session = {
 *   data: "{}",
 *   createdUnixMs: 0,
 *   usedUnixMs: 0,
 *   expiresUnixMs: 1_000,
 *   isRetired: false,
 *   version: 1,
 * };
 * assertEquals(store.set("id", session, 0), true);
 * assertEquals(store.get("id"), session);
 * clock.advance(1_000);
 * assertEquals(store.get("id"), undefined);
 * ```
 */
export class MemorySessionStore implements SessionStore {
  readonly #sessions: RecencyMap<string, StoredSession>;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  #bytes = 0;

  /**
   * Makes an empty store.
   *
   * @param options Bounds and clock.
   * @throws {RangeError} If a bound is no whole number of at least 0.
   */
  constructor(options: MemorySessionStoreOptions = {}) {
    const { maxSessionCount = DEFAULT_MAX_COUNT } = options;
    this.#sessions = new RecencyMap(resolveBound("maxSessionCount", maxSessionCount));
    this.#maxBytes = resolveBound("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES);
    this.#clock = options.clock ?? systemClock;
  }

  /** Number of sessions, those counted that have ended and were not yet forgotten. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Finds a session and counts it as used.
   *
   * @param id Id of the session.
   * @returns The session, or `undefined` where there is none or it has ended.
   */
  get(id: string): StoredSession | undefined {
    const session = this.#sessions.touch(id);
    if (session === undefined || session.expiresUnixMs > this.#clock.wallNow()) return session;
    this.delete(id);
    return undefined;
  }

  /**
   * Stores a session if nobody else has changed it. Others go where there are
   * too many.
   *
   * @param id Id of the session.
   * @param session What to store.
   * @param expectedVersion Version that the store must hold for this; 0 for none.
   * @returns Whether it was stored.
   */
  set(id: string, session: StoredSession, expectedVersion: number): boolean {
    const present = this.get(id);
    if ((present?.version ?? 0) !== expectedVersion) return false;
    if (present !== undefined) this.#bytes -= bytesOf(id, present);
    const dropped = this.#sessions.set(id, session);
    if (dropped !== undefined) this.#bytes -= bytesOf(...dropped);
    this.#bytes += bytesOf(id, session);
    this.#forgetOld();
    return true;
  }

  /**
   * Forgets a session.
   *
   * @param id Id of the session.
   */
  delete(id: string): void {
    const session = this.#sessions.delete(id);
    if (session !== undefined) this.#bytes -= bytesOf(id, session);
  }

  #forgetOld(): void {
    const nowMs = this.#clock.wallNow();
    let looks = SWEEP_COUNT;
    for (const [id, session] of this.#sessions) {
      const isTooMuch = this.#bytes > this.#maxBytes;
      if (!isTooMuch && looks-- <= 0) return;
      if (isTooMuch || session.expiresUnixMs <= nowMs) this.delete(id);
    }
  }
}

function bytesOf(id: string, session: StoredSession): number {
  return 2 * (id.length + session.data.length);
}
