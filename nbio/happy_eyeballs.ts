// This module is sans-I/O.

/**
 * {@linkcode HappyEyeballs}: which address of a host to connect to, and when
 * (RFC 8305).
 *
 * The names of two families are looked up at once. What comes is put in two
 * queues, one per family, each in the order of RFC 6724. Attempts take from
 * the two in turn (section 4, with a First Address Family Count of 1), and a
 * queue that fills late joins in: so every order of events gives the list that
 * the RFC describes, without a list that has to be rebuilt.
 *
 * | moment | what happens | RFC 8305 |
 * | --- | --- | --- |
 * | IPv6 addresses come, or IPv6 has failed | the first attempt begins | section 3 |
 * | IPv4 addresses come first | it waits for IPv6 for the resolution delay | section 3 |
 * | an attempt has begun | the next waits for the attempt delay | section 5 |
 * | an attempt fails | the next begins at once | |
 * | an attempt succeeds | it wins; all others are given up | section 5 |
 * | nothing is left to try, to wait for or to look up | the host is unreachable | |
 *
 * @module
 */

import { orderAddresses } from "./address_order.ts";

/** 4 for IPv4, 6 for IPv6. */
export type AddressFamily = 4 | 6;

/** Options of {@linkcode HappyEyeballs}. */
export interface HappyEyeballsOptions {
  /**
   * The families that are being looked up, one or two. With one there is no
   * resolution delay.
   *
   * @default {[6, 4]}
   */
  readonly families?: readonly AddressFamily[];

  /**
   * Milliseconds between the beginnings of two attempts if none fails
   * meanwhile, at least 10 (RFC 8305 section 5). `Infinity` tries one address
   * after the other.
   *
   * @default {250}
   */
  readonly attemptDelayMs?: number;

  /**
   * Milliseconds for which IPv4 addresses wait for the answer about IPv6, at
   * least 0.
   *
   * @default {50}
   */
  readonly resolutionDelayMs?: number;

  /**
   * Addresses that are tried in all, 1 to 1,000. A name may have thousands, and
   * who answers for it need not be a friend.
   *
   * @default {32}
   */
  readonly maxAddresses?: number;

  /**
   * Puts addresses in the order in which to try them; called with two or more.
   * Hand in one that knows source addresses, where you do.
   *
   * @default {orderAddresses}
   */
  readonly order?: (addresses: readonly string[]) => readonly string[];
}

/**
 * What to do next:
 *
 * - `attempt`: connect to this address.
 * - `cancel`: give up the attempt at this address; another one has won.
 * - `connected`: the attempt at this address is the winner.
 * - `close`: the attempt at this address succeeded too late; close what it made.
 * - `failed`: no address is left to try and none to be looked up.
 */
export type HappyEyeballsEvent =
  | { readonly type: "attempt"; readonly address: string }
  | { readonly type: "cancel"; readonly address: string }
  | { readonly type: "connected"; readonly address: string }
  | { readonly type: "close"; readonly address: string }
  | { readonly type: "failed" };

/**
 * The state machine of one connection to be made. Feed it what happened, with
 * the instant; then take events until there are none; then wait for something
 * to happen, but not beyond `deadlineMs`.
 *
 * Exactly one of `connected` and `failed` comes, unless `cancel` is called. No
 * address is attempted twice. Every attempt ends in a call of `attemptFailed`
 * or `attemptSucceeded`, whether it was cancelled or not.
 *
 * @example IPv6 does not answer, IPv4 does
 * ```ts
 * import { HappyEyeballs } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const machine = new HappyEyeballs();
 * machine.receiveAddresses(4, ["192.0.2.1"], 0);
 * assertEquals(machine.nextEvent(), undefined); // IPv6 may come within 50 ms
 * machine.receiveAddresses(6, ["2001:db8::1"], 20);
 * assertEquals(machine.nextEvent(), { type: "attempt", address: "2001:db8::1" });
 * assertEquals(machine.nextEvent(), undefined);
 * assertEquals(machine.deadlineMs, 270);
 * machine.handleTimeout(270);
 * assertEquals(machine.nextEvent(), { type: "attempt", address: "192.0.2.1" });
 * machine.attemptSucceeded("192.0.2.1", 300);
 * assertEquals(machine.nextEvent(), { type: "connected", address: "192.0.2.1" });
 * assertEquals(machine.nextEvent(), { type: "cancel", address: "2001:db8::1" });
 * assertEquals(machine.nextEvent(), undefined);
 * ```
 */
export class HappyEyeballs {
  readonly #attemptDelayMs: number;
  readonly #resolutionDelayMs: number;
  readonly #maxAddresses: number;
  readonly #order: (addresses: readonly string[]) => readonly string[];
  /** Families whose addresses are still to come. */
  readonly #awaited: Set<AddressFamily>;
  readonly #queues: Record<AddressFamily, string[]> = { 4: [], 6: [] };
  /** What was queued once: bounded by `maxAddresses` for each family. */
  readonly #seen: Set<string> = new Set();
  /** Attempts that have begun and not ended. */
  readonly #running: Set<string> = new Set();
  /** Those of them that have lost and were not told so yet. */
  #losers: Set<string> = new Set();
  /** What to say before anything else: the winner, and one entry per late success. */
  readonly #events: HappyEyeballsEvent[] = [];
  #done = false;
  #attemptCount = 0;
  #lastFamily: AddressFamily | undefined;
  /** The instant of the latest input. */
  #nowMs = -Infinity;
  /** The instant before which no attempt begins. */
  #notBeforeMs = -Infinity;

  /**
   * Makes a machine that knows no address.
   *
   * @param options Families, delays and bounds.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: HappyEyeballsOptions = {}) {
    const { families = [6, 4], attemptDelayMs = 250, resolutionDelayMs = 50 } = options;
    const { maxAddresses = 32, order = orderAddresses } = options;
    this.#awaited = new Set(families);
    const areFamilies = families.length > 0 && families.every((one) => one === 4 || one === 6);
    check("families", families, areFamilies, "4, 6 or both");
    check("attemptDelayMs", attemptDelayMs, attemptDelayMs >= 10, "at least 10");
    check("resolutionDelayMs", resolutionDelayMs, resolutionDelayMs >= 0, "at least 0");
    const inRange = Number.isInteger(maxAddresses) && maxAddresses >= 1 && maxAddresses <= 1_000;
    check("maxAddresses", maxAddresses, inRange, "an integer from 1 to 1000");
    this.#attemptDelayMs = attemptDelayMs;
    this.#resolutionDelayMs = resolutionDelayMs;
    this.#maxAddresses = maxAddresses;
    this.#order = order;
  }

  /**
   * Takes the addresses of a family. An answer for a family that is not awaited,
   * or not any more, is not looked at.
   *
   * @param family Which family was looked up.
   * @param addresses What was found, in any order, maybe nothing. They are
   * compared as texts, so give each address in one form.
   * @param nowMs The instant, in milliseconds.
   * @throws {TypeError} If `order` is the default and one of several texts is no address.
   */
  receiveAddresses(family: AddressFamily, addresses: readonly string[], nowMs: number): void {
    this.#nowMs = nowMs;
    if (!this.#awaited.delete(family)) return;
    const fresh = [...new Set(addresses)].filter((address) => !this.#seen.has(address));
    const queue = this.#sort(fresh).slice(0, this.#maxAddresses);
    for (const address of queue) this.#seen.add(address);
    this.#queues[family] = queue;
    if (family === 4 && queue.length > 0 && this.#attemptCount === 0) {
      // Does not hold if IPv6 has answered: see #dueMs.
      this.#notBeforeMs = nowMs + this.#resolutionDelayMs;
    }
  }

  /**
   * Takes the news that a family could not be looked up.
   *
   * @param family Which one.
   * @param nowMs The instant, in milliseconds.
   */
  resolutionFailed(family: AddressFamily, nowMs: number): void {
    this.receiveAddresses(family, [], nowMs);
  }

  /**
   * Takes the news that an attempt has made a connection.
   *
   * @param address Of the attempt.
   * @param nowMs The instant, in milliseconds.
   * @throws {TypeError} If no such attempt is under way.
   */
  attemptSucceeded(address: string, nowMs: number): void {
    this.#endAttempt(address, nowMs);
    if (this.#done) {
      this.#events.push({ type: "close", address });
      return;
    }
    this.#events.push({ type: "connected", address });
    this.#finish();
  }

  /**
   * Takes the news that an attempt has failed.
   *
   * @param address Of the attempt.
   * @param nowMs The instant, in milliseconds.
   * @throws {TypeError} If no such attempt is under way.
   */
  attemptFailed(address: string, nowMs: number): void {
    this.#endAttempt(address, nowMs);
    // The delay was to give this attempt a chance.
    this.#notBeforeMs = -Infinity;
  }

  /**
   * Lets time pass.
   *
   * @param nowMs The instant, in milliseconds.
   */
  handleTimeout(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /**
   * Ends it without a result: attempts are given up, and none begins. Does
   * nothing if it has ended.
   */
  cancel(): void {
    if (!this.#done) this.#finish();
  }

  /**
   * What to do next.
   *
   * @returns The event; `undefined` if something has to happen first.
   */
  nextEvent(): HappyEyeballsEvent | undefined {
    const event = this.#events.shift() ?? this.#nextLoser();
    if (event !== undefined || this.#done) return event;
    const address = this.#takeDue();
    if (address !== undefined) {
      this.#running.add(address);
      return { type: "attempt", address };
    }
    if (this.#hasQueued() || this.#running.size > 0 || this.#mayResolve()) return undefined;
    this.#finish();
    return { type: "failed" };
  }

  /**
   * The instant at which to call `handleTimeout` if nothing happens before, in
   * milliseconds; `Infinity` if there is nothing to wait for but the world.
   */
  get deadlineMs(): number {
    return this.#done || !this.#hasQueued() ? Infinity : this.#dueMs();
  }

  #sort(addresses: readonly string[]): readonly string[] {
    return addresses.length < 2 ? addresses : this.#order(addresses);
  }

  #hasQueued(): boolean {
    const { 4: ipv4, 6: ipv6 } = this.#queues;
    return this.#attemptCount < this.#maxAddresses && (ipv4.length > 0 || ipv6.length > 0);
  }

  /** Whether more addresses may come that there is room for. */
  #mayResolve(): boolean {
    return this.#awaited.size > 0 && this.#attemptCount < this.#maxAddresses;
  }

  /** The instant from which the next attempt may begin; there are addresses for it. */
  #dueMs(): number {
    const waitsForIpv6 = this.#awaited.has(6);
    return this.#attemptCount === 0 && !waitsForIpv6 ? -Infinity : this.#notBeforeMs;
  }

  /** Takes the address of an attempt that is due. */
  #takeDue(): string | undefined {
    if (!this.#hasQueued() || this.#nowMs < this.#dueMs()) return undefined;
    const family = this.#nextFamily();
    this.#lastFamily = family;
    this.#attemptCount++;
    this.#notBeforeMs = this.#nowMs + this.#attemptDelayMs;
    return this.#queues[family].shift();
  }

  #nextFamily(): AddressFamily {
    const { 4: ipv4, 6: ipv6 } = this.#queues;
    if (ipv4.length === 0) return 6;
    if (ipv6.length === 0) return 4;
    // RFC 8305 section 4: first what the order of RFC 6724 has first, then in turn.
    if (this.#lastFamily === undefined) {
      return this.#sort([ipv6[0]!, ipv4[0]!])[0] === ipv6[0] ? 6 : 4;
    }
    return this.#lastFamily === 4 ? 6 : 4;
  }

  #nextLoser(): HappyEyeballsEvent | undefined {
    const [address] = this.#losers;
    if (address === undefined) return undefined;
    this.#losers.delete(address);
    return { type: "cancel", address };
  }

  #endAttempt(address: string, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#losers.delete(address);
    if (this.#running.delete(address)) return;
    throw new TypeError(`Cannot end attempt: none at "${address.slice(0, 32)}" is under way`);
  }

  /** From now on there are only attempts that run out. */
  #finish(): void {
    this.#done = true;
    this.#awaited.clear();
    this.#queues[4] = [];
    this.#queues[6] = [];
    this.#losers = new Set(this.#running);
  }
}

function check(
  name: string,
  value: number | readonly number[],
  isRight: boolean,
  expected: string,
): void {
  if (isRight) return;
  throw new RangeError(`Cannot race connections: ${name} is ${value}, expected ${expected}`);
}
