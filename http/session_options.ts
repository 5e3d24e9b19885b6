import { type Clock, systemClock } from "../nbio/clock.ts";
import { type CookieAttributes, formatSetCookie } from "./cookie_set.ts";
import { CookieSigner } from "./cookie_signer.ts";
import { checkFieldValue } from "./field_text.ts";
import { resolveBound } from "./limits.ts";
import { SessionQueue } from "./session_queue.ts";
import { MemorySessionStore, type SessionStore } from "./session_store.ts";

const MAX_GRACE_MS = 3_600_000;
/** 400 days: clients keep no cookie for longer. */
const MAX_IDLE_MS = 34_560_000_000;

/** Attributes of a session's cookie that can be chosen. */
export type SessionCookieAttributes = Pick<
  CookieAttributes,
  "domain" | "path" | "secure" | "sameSite" | "partitioned" | "priority"
>;

/** Options of {@linkcode session}. */
export interface SessionOptions {
  /**
   * 1 to 16 secrets of at least 32 bytes that sign the ids, which are random bytes
   * or text that stands for its UTF-8; the newest first. See
   * {@linkcode CookieSigner}.
   */
  readonly keys: readonly (Uint8Array | string)[];
  /**
   * Where sessions are kept.
   *
   * @default {new MemorySessionStore()}
   */
  readonly store?: SessionStore;
  /**
   * Name of the cookie. Its prefix has clients refuse the cookie from anybody but
   * this very host over a secure connection; on a development machine `localhost`
   * counts as secure in most clients.
   *
   * @default {"__Host-session"}
   */
  readonly cookieName?: string;
  /**
   * Attributes of the cookie. It is always `HttpOnly`.
   *
   * @default {{ path: "/", secure: true, sameSite: "Lax" }}
   */
  readonly cookie?: SessionCookieAttributes;
  /**
   * Whether the cookie outlives the client's session, as long as the session
   * itself.
   *
   * @default {true}
   */
  readonly isPersistent?: boolean;
  /**
   * Milliseconds without use after which a session ends, 1 to 34,560,000,000.
   *
   * @default {1800000}
   */
  readonly idleTimeoutMs?: number;
  /**
   * Milliseconds after which a session ends however much it is used, at least 1;
   * rotating does not prolong it. 0 or Infinity for no end.
   *
   * @default {43200000}
   */
  readonly absoluteTimeoutMs?: number;
  /**
   * Share of the idle time, 0 to 1, that has to pass before a use of the session
   * is written to the store and to the cookie.
   *
   * @default {0.25}
   */
  readonly renewAfter?: number;
  /**
   * Milliseconds for which the old id of a rotated session shows what it held
   * before, 0 to 3,600,000.
   *
   * @default {10000}
   */
  readonly rotationGraceMs?: number;
  /**
   * Most bytes of JSON in one session, at least 1. 0 or Infinity for no bound.
   *
   * @default {65536}
   */
  readonly maxDataBytes?: number;
  /**
   * `Cache-Control` of an answer whose handler loaded the session and set none
   * itself; the empty string for none. Such an answer also gets `Vary: Cookie`.
   *
   * @default {"private, no-cache"}
   */
  readonly cacheControl?: string;
  /**
   * Where time comes from.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** Options with everything decided. */
export interface ResolvedSessionOptions {
  readonly signer: CookieSigner;
  readonly queue: SessionQueue;
  readonly store: SessionStore;
  readonly cookieName: string;
  readonly cookie: CookieAttributes;
  readonly isPersistent: boolean;
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  readonly renewAfterMs: number;
  readonly rotationGraceMs: number;
  readonly maxDataBytes: number;
  readonly cacheControl: string;
  readonly clock: Clock;
}

/**
 * Checks the options and fills in what is missing.
 *
 * @throws {TypeError} If the cookie breaks a rule of `formatSetCookie`.
 * @throws {RangeError} If a key or a number is out of its range, or `cacheControl`
 * is no field value.
 */
export function resolveSessionOptions(options: SessionOptions): ResolvedSessionOptions {
  const { clock = systemClock, cookieName = "__Host-session", renewAfter = 0.25 } = options;
  const cookie = { path: "/", secure: true, sameSite: "Lax", ...options.cookie } as const;
  formatSetCookie(cookieName, "", { ...cookie, httpOnly: true });
  const cacheControl = checkCacheControl(options.cacheControl ?? "private, no-cache");
  const idleTimeoutMs = options.idleTimeoutMs ?? 1_800_000;
  checkNumber("idleTimeoutMs", idleTimeoutMs, 1, MAX_IDLE_MS);
  checkNumber("renewAfter", renewAfter, 0, 1);
  const absoluteTimeoutMs = options.absoluteTimeoutMs ?? 43_200_000;
  checkNumber("absoluteTimeoutMs", absoluteTimeoutMs, 0, Infinity);
  return {
    signer: new CookieSigner(options.keys),
    queue: new SessionQueue(),
    store: options.store ?? new MemorySessionStore({ clock }),
    cookieName,
    cookie: { ...cookie, httpOnly: true },
    isPersistent: options.isPersistent ?? true,
    idleTimeoutMs,
    absoluteTimeoutMs: absoluteTimeoutMs === 0 ? Infinity : absoluteTimeoutMs,
    renewAfterMs: idleTimeoutMs * renewAfter,
    rotationGraceMs: checkGrace(options.rotationGraceMs ?? 10_000),
    maxDataBytes: resolveBound("maxDataBytes", options.maxDataBytes ?? 65_536),
    cacheControl,
    clock,
  };
}

/**
 * Checks the grace of a rotation.
 *
 * @throws {RangeError} If it is not from 0 to 3,600,000.
 */
export function checkGrace(graceMs: number): number {
  checkNumber("rotationGraceMs", graceMs, 0, MAX_GRACE_MS);
  return graceMs;
}

function checkCacheControl(value: string): string {
  try {
    checkFieldValue(value);
  } catch (cause) {
    throw new RangeError("Cannot use option cacheControl: it is no field value", { cause });
  }
  return value;
}

function checkNumber(name: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new RangeError(`Cannot use option ${name}: ${value} is not from ${min} to ${max}`);
}
