// This module is sans-I/O.

import { UpstreamHealth, type UpstreamHealthOptions } from "./upstream_health.ts";

/**
 * How requests are spread over servers.
 *
 * - `round-robin`: one after the other, evenly by weight.
 * - `least-connections`: to the one with the fewest requests under way by weight.
 * - `hash`: equal keys to one server, and where that is gone each of them to some
 *   other, while all other keys stay where they are (rendezvous hashing).
 */
export type UpstreamBalance = "round-robin" | "least-connections" | "hash";

/** One of several servers that do the same. */
export interface BalancedUpstream {
  /** What tells it from the others. */
  readonly key: string;
  /** Its share of the requests, by that of the others. */
  readonly weight: number;
  /** How it is. */
  readonly health: UpstreamHealth;
  /** Requests under way. */
  readonly activeCount: number;
}

/** Options of {@linkcode UpstreamBalancer}. */
export interface UpstreamBalancerOptions extends UpstreamHealthOptions {
  /**
   * How requests are spread.
   *
   * @default {"round-robin"}
   */
  readonly balance?: UpstreamBalance;
}

/** What a pick depends on. */
export interface UpstreamPickOptions {
  /**
   * Equal texts go to one server, with `hash`.
   *
   * @default {""}
   */
  readonly hashKey?: string;
  /**
   * Servers that were tried already.
   *
   * @default {none}
   */
  readonly exclude?: ReadonlySet<BalancedUpstream>;
}

const BALANCES: readonly string[] = ["round-robin", "least-connections", "hash"];
const MOST_UPSTREAMS = 1_000;
const MOST_WEIGHT = 1_000;

/** A server with what the balancer keeps of it. */
class Member implements BalancedUpstream {
  readonly key: string;
  readonly weight: number;
  readonly health: UpstreamHealth;
  readonly #seed: number;
  activeCount = 0;
  /** Smooth weighted round robin: who has the most is next. */
  credit = 0;

  constructor(key: string, weight: number, health: UpstreamHealth) {
    this.key = key;
    this.weight = weight;
    this.health = health;
    this.#seed = hash(key, 0);
  }

  /** Rendezvous hashing: of all servers, the one with the highest score has the key. */
  score(hashKey: string): number {
    const share = (hash(hashKey, this.#seed) + 1) / (2 ** 32 + 1);
    return -this.weight / Math.log(share);
  }
}

/**
 * Spreads requests over the servers that are well. Time is a parameter.
 *
 * @example Two servers, one twice as strong
 * ```ts
 * import { UpstreamBalancer } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const balancer = new UpstreamBalancer([{ key: "a", weight: 2 }, { key: "b" }]);
 * const picked = Array.from({ length: 6 }, () => balancer.begin(0)?.key);
 * assertEquals(picked, ["a", "b", "a", "a", "b", "a"]);
 * ```
 */
export class UpstreamBalancer {
  readonly #members: readonly Member[];
  readonly #balance: UpstreamBalance;

  /**
   * Makes a balancer.
   *
   * @param upstreams The servers, 1 to 1,000; each with a key of its own and a
   * weight from 1 (which is the default) to 1,000.
   * @param options How to spread, and when a server is left alone. A single server
   * is never left alone because of its requests: there is no other to ask.
   * @throws {RangeError} If there are none, too many or the same twice, or an option
   * is out of its range.
   */
  constructor(
    upstreams: Iterable<{ readonly key: string; readonly weight?: number }>,
    options: UpstreamBalancerOptions = {},
  ) {
    const { balance = "round-robin" } = options;
    if (!BALANCES.includes(balance)) {
      throw new RangeError(`Cannot balance: balance is ${JSON.stringify(balance)}`);
    }
    this.#balance = balance;
    const given = [...upstreams];
    checkUpstreams(given);
    const health = given.length === 1 ? { ...options, maxFailures: Infinity } : options;
    this.#members = given.map(({ key, weight = 1 }) =>
      new Member(key, weight, new UpstreamHealth(health))
    );
  }

  /** The servers, in the order in which they were given. */
  get upstreams(): readonly BalancedUpstream[] {
    return this.#members;
  }

  /**
   * Chooses a server for a request, which counts as under way there until its end.
   *
   * @param nowMs The instant.
   * @param options What the choice depends on.
   * @returns The server; `undefined` if there is none to ask.
   */
  begin(nowMs: number, options: UpstreamPickOptions = {}): BalancedUpstream | undefined {
    const { exclude, hashKey = "" } = options;
    const picked = this.#pick(
      (member) => !exclude?.has(member) && member.health.admits(nowMs),
      hashKey,
    );
    if (picked === undefined) return undefined;
    picked.health.begin(nowMs);
    picked.activeCount++;
    return picked;
  }

  /**
   * A request has come to its end.
   *
   * @param upstream Where it was.
   */
  end(upstream: BalancedUpstream): void {
    (upstream as Member).activeCount--;
  }

  /**
   * How long it is until the first server may be asked again.
   *
   * @param nowMs The instant.
   * @returns Milliseconds; `undefined` where nobody knows.
   */
  retryAfterMs(nowMs: number): number | undefined {
    const atMs = Math.min(...this.#members.map(({ health }) => health.retryAtMs));
    return atMs === Infinity ? undefined : Math.max(0, atMs - nowMs);
  }

  #pick(mayTake: (member: Member) => boolean, hashKey: string): Member | undefined {
    switch (this.#balance) {
      case "hash":
        return this.#best(mayTake, (member) => member.score(hashKey));
      case "least-connections": {
        const least = this.#leastLoad(mayTake);
        // Among equals by turns: the first would have nearly all of a light load.
        return this.#takeTurn((member) => mayTake(member) && loadOf(member) === least);
      }
      default:
        return this.#takeTurn(mayTake);
    }
  }

  #leastLoad(mayTake: (member: Member) => boolean): number {
    let least = Infinity;
    for (const member of this.#members) {
      if (mayTake(member)) least = Math.min(least, loadOf(member));
    }
    return least;
  }

  #best(
    mayTake: (member: Member) => boolean,
    value: (member: Member) => number,
  ): Member | undefined {
    let best: Member | undefined;
    let most = -Infinity;
    for (const member of this.#members) {
      if (!mayTake(member)) continue;
      const own = value(member);
      if (own <= most) continue;
      most = own;
      best = member;
    }
    return best;
  }

  /** Everybody gains by weight; who has the most is taken, and pays for all. */
  #takeTurn(mayTake: (member: Member) => boolean): Member | undefined {
    let total = 0;
    const best = this.#best(mayTake, (member) => {
      total += member.weight;
      return member.credit += member.weight;
    });
    if (best !== undefined) best.credit -= total;
    return best;
  }
}

function loadOf({ activeCount, weight }: Member): number {
  return activeCount / weight;
}

function checkUpstreams(upstreams: readonly { key: string; weight?: number }[]): void {
  if (upstreams.length === 0 || upstreams.length > MOST_UPSTREAMS) {
    throw new RangeError(
      `Cannot balance: there are ${upstreams.length} servers, expected 1 to ${MOST_UPSTREAMS}`,
    );
  }
  const keys = new Set<string>();
  for (const { key, weight = 1 } of upstreams) {
    if (!(weight >= 1 && weight <= MOST_WEIGHT)) {
      throw new RangeError(`Cannot balance: weight is ${weight}, expected 1 to ${MOST_WEIGHT}`);
    }
    if (keys.has(key)) throw new RangeError(`Cannot balance: ${key} is there twice`);
    keys.add(key);
  }
}

/** FNV-1a over UTF-16 units, stirred: keys that differ in their last letter differ everywhere. */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
