/**
 * {@linkcode dial}: a connection to a host, by the first of its addresses that
 * answers.
 *
 * @module
 */

import { MAX_TIMER_MS } from "./_timer_limit.ts";
import { type Clock, systemClock } from "./clock.ts";
import { ConnectError } from "./connect_error.ts";
import { type Connect, connect, type DialAddress } from "./dial_connect.ts";
import { DialRace, type DialRaceSettings } from "./dial_race.ts";
import { type DialAddressOptions, type DialTarget, parseDialTarget } from "./dial_target.ts";
import type { AddressFamily } from "./happy_eyeballs.ts";
import type { HostResolver } from "./host_resolver.ts";
import { systemResolver } from "./system_resolver.ts";
import type { Transport } from "./transport.ts";

export type { Connect, DialAddress } from "./dial_connect.ts";
export type { DialAddressOptions } from "./dial_target.ts";

/** Options of {@linkcode dial}. */
export interface DialOptions extends DialAddressOptions {
  /**
   * Connects over this family only: 4 for IPv4, 6 for IPv6.
   *
   * @default {undefined}
   */
  readonly family?: 4 | 6;

  /**
   * Where names are looked up: once for each family, at the same time.
   *
   * @default {systemResolver}
   */
  readonly resolver?: HostResolver;

  /**
   * How one connection is made. For tests, proxies and foreign transports.
   *
   * @default {Deno.connect}
   */
  readonly connect?: Connect;

  /**
   * Told of every attempt as it begins, with the address it is made at; a name,
   * where the runtime is left to look it up (see the permissions of `dial`). The
   * time until the first one is that of the lookup. What it throws fails the
   * attempt.
   *
   * @default {undefined}
   */
  readonly onAttempt?: (address: DialAddress) => void;

  /**
   * Most milliseconds for the whole, the lookup included, 0 to 2^31 - 1. 0 and
   * `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly connectTimeoutMs?: number;

  /**
   * Most milliseconds for the lookup, 0 to 2^31 - 1. If one family has been
   * found by then, it is gone on with. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly resolveTimeoutMs?: number;

  /**
   * Milliseconds between the beginnings of two attempts, 10 to 2^31 - 1, if
   * none fails meanwhile. `Infinity` tries one address after the other.
   *
   * @default {250}
   */
  readonly attemptDelayMs?: number;

  /**
   * Milliseconds for which IPv4 addresses wait for the answer about IPv6, 0 to
   * 2^31 - 1. `Infinity` always waits for it.
   *
   * @default {50}
   */
  readonly resolutionDelayMs?: number;

  /**
   * Addresses that are tried in all, 1 to 1,000.
   *
   * @default {32}
   */
  readonly maxAddresses?: number;

  /**
   * Cancels it: attempts are given up, and `dial` rejects with the signal's
   * reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;

  /**
   * Where its timers come from. Happy Eyeballs needs them precise, so no
   * deadline wheel will do.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/**
 * Connects to a host or to a Unix socket.
 *
 * A name is looked up for IPv6 and IPv4 at once, the addresses are put in the
 * order of RFC 6724 with the families in turn, and attempts follow each other
 * in short intervals without waiting for one to fail (Happy Eyeballs version 2,
 * RFC 8305). The first connection wins; the others are given up, and closed if
 * they come late. However it ends, nothing is left behind but a lookup that the
 * resolver cannot interrupt.
 *
 * Permission: `--allow-net` as a whole, for all that. Where less is granted
 * (`--allow-net=example.com` permits the name and not the addresses it has),
 * and neither `resolver`, `connect` nor `family` is given, the runtime is asked
 * to connect to the name: one attempt, in which it looks up, orders and races
 * in its own way. That needs `--allow-net` for just this name and port. An
 * address needs itself; a Unix socket `--allow-net=unix:PATH`, `--allow-read`
 * and `--allow-write` for its path.
 *
 * @param options Where to, how, and for how long.
 * @returns The connection: the very object that `Deno.connect`, or `connect`,
 * gave. Nagle's algorithm is off (`setNoDelay`) if the runtime made it.
 * @throws {ConnectError} If the name has no address (`ERR_NET_RESOLVE`) or no
 * address could be reached (`ERR_NET_CONNECT`). `attempts` has all that were
 * tried; `cause` is what the resolver said, or why the first attempt failed.
 * @throws {TimeoutError} If time is up, in the phase `"resolve"` or
 * `"connect"`. Its `cause` is a {@linkcode ConnectError} with the attempts so far; those
 * that had no answer have a `TimeoutError` as their cause.
 * @throws {TypeError} If options exclude each other, none says where to, or
 * `hostname` is neither a name nor an address (`127.1` is neither).
 * @throws {RangeError} If an option is out of its range.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example Connecting to a name
 * ```ts
 * import { dial, listen } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listen({ hostname: "127.0.0.1" });
 * listener.serve((connection) => connection.close());
 *
 * const { port } = listener.addr as Deno.NetAddr;
 * const transport = await dial({ hostname: "localhost", port, connectTimeoutMs: 5_000 });
 * assertEquals(await transport.read(new Uint8Array(1)), null);
 * transport.close();
 * ```
 *
 * @example Telling why a host cannot be reached
 * ```ts
 * import { ConnectError, dial, type HostResolver } from "@nbio/net/nbio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const resolver: HostResolver = {
 *   lookup: (_host, { family } = {}) => Promise.resolve(family === 4 ? ["192.0.2.1"] : []),
 * };
 * const connect = () => Promise.reject(new Deno.errors.ConnectionRefused("Refused"));
 * const error = await assertRejects(
 *   () => dial({ hostname: "db.internal", port: 5_432, resolver, connect }),
 *   ConnectError,
 * );
 * assertEquals(error.code, "ERR_NET_CONNECT");
 * assertEquals(error.attempts[0]?.address, {
 *   transport: "tcp",
 *   hostname: "192.0.2.1",
 *   port: 5_432,
 * });
 * ```
 */
export async function dial(options: DialOptions): Promise<Transport> {
  options.signal?.throwIfAborted();
  const target = parseDialTarget(options);
  const settings = resolveSettings(target, options);
  const { family } = options;
  if (target.type === "path" && family !== undefined) {
    throw new TypeError("Cannot dial: a path has no family");
  }
  if (target.type === "address" && family !== undefined && family !== target.family) {
    throw new ConnectError(`Cannot dial ${target.text}: it is no IPv${family} address`, {
      code: "ERR_NET_RESOLVE",
      attempts: [],
    });
  }
  return await new DialRace(settings).run();
}

function resolveSettings(target: DialTarget, options: DialOptions): DialRaceSettings {
  const { port, attemptDelayMs = 250, resolutionDelayMs = 50, maxAddresses = 32 } = options;
  const looksUp = target.type === "name" && !connectsByName(options);
  return {
    text: target.text,
    looksUp,
    families: toFamilies(options.family, looksUp),
    resolver: options.resolver ?? systemResolver,
    connect: options.connect ?? connect,
    toAddress: (text): DialAddress =>
      target.type === "path"
        ? { transport: "unix", path: text }
        : { transport: "tcp", hostname: text, port: port! },
    connectTimeoutMs: toLimit("connectTimeoutMs", options.connectTimeoutMs ?? 10_000),
    resolveTimeoutMs: toLimit("resolveTimeoutMs", options.resolveTimeoutMs ?? 10_000),
    attemptDelayMs: toDelay("attemptDelayMs", attemptDelayMs, 10),
    resolutionDelayMs: toDelay("resolutionDelayMs", resolutionDelayMs, 0),
    maxAddresses,
    onAttempt: options.onAttempt,
    signal: options.signal,
    clock: options.clock ?? systemClock,
  };
}

/** Whether the runtime must be left to find the addresses of a name. */
function connectsByName({ resolver, connect, family }: DialOptions): boolean {
  if (resolver !== undefined || connect !== undefined || family !== undefined) return false;
  // Does not ask the user, unlike a connection to what is not granted.
  return Deno.permissions.querySync({ name: "net" }).state !== "granted";
}

function toFamilies(family: AddressFamily | undefined, looksUp: boolean): AddressFamily[] {
  if (family !== undefined && family !== 4 && family !== 6) {
    throw new RangeError(`Cannot dial: family is ${family}, expected 4 or 6`);
  }
  if (family !== undefined) return [family];
  return looksUp ? [6, 4] : [4];
}

function toLimit(name: string, timeoutMs: number): number {
  return toDelay(name, timeoutMs, 0) === 0 ? Infinity : timeoutMs;
}

function toDelay(name: string, delayMs: number, minMs: number): number {
  if ((delayMs >= minMs && delayMs <= MAX_TIMER_MS) || delayMs === Infinity) return delayMs;
  throw new RangeError(
    `Cannot dial: ${name} is ${delayMs}, expected ${minMs} to ${MAX_TIMER_MS}, or Infinity`,
  );
}
