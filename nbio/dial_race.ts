/**
 * {@linkcode DialRace}: drives {@linkcode HappyEyeballs} with a resolver,
 * connections and timers.
 *
 * @module
 */

import { MAX_TIMER_MS } from "./_timer_limit.ts";
import type { Clock } from "./clock.ts";
import { type ConnectAttempt, ConnectError } from "./connect_error.ts";
import type { Connect, DialAddress } from "./dial_connect.ts";
import { TimeoutError } from "./errors.ts";
import { type AddressFamily, HappyEyeballs, type HappyEyeballsEvent } from "./happy_eyeballs.ts";
import type { HostResolver } from "./host_resolver.ts";
import { formatIpAddress, parseIpAddress } from "./ip_address.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** What a race needs to know; durations in milliseconds, `Infinity` for none. */
export interface DialRaceSettings {
  /** The name to look up, or else the one thing to connect to. */
  readonly text: string;
  /** Whether `text` is looked up. */
  readonly looksUp: boolean;
  /** Families to look up; one, whichever, if nothing is. */
  readonly families: readonly AddressFamily[];
  /** Where names are looked up. */
  readonly resolver: HostResolver;
  /** How connections are made. */
  readonly connect: Connect;
  /** The address for a text that was looked up, or for `text`. */
  readonly toAddress: (text: string) => DialAddress;
  /** Limit of the whole. */
  readonly connectTimeoutMs: number;
  /** Limit of the lookup. */
  readonly resolveTimeoutMs: number;
  /** As in {@linkcode HappyEyeballs}. */
  readonly attemptDelayMs: number;
  /** As in {@linkcode HappyEyeballs}. */
  readonly resolutionDelayMs: number;
  /** As in {@linkcode HappyEyeballs}. */
  readonly maxAddresses: number;
  /** Told of every attempt. */
  readonly onAttempt?: ((address: DialAddress) => void) | undefined;
  /** Cancels it all. */
  readonly signal: AbortSignal | undefined;
  /** Where timers come from. */
  readonly clock: Clock;
}

/** An attempt that has begun. */
interface Attempt {
  readonly address: DialAddress;
  readonly startMs: number;
  readonly controller: AbortController;
  /** The connection, once there is one. */
  transport?: Transport;
  /** Why there is none. */
  failure?: { readonly cause: unknown };
}

/**
 * One run of `dial`: what is under way, and how it ends. It holds no decision
 * about addresses: those are the machine's.
 */
export class DialRace {
  readonly #settings: DialRaceSettings;
  readonly #machine: HappyEyeballs;
  readonly #outcome: PromiseWithResolvers<Transport> = Promise.withResolvers();
  readonly #lookups = new AbortController();
  /** In the order in which they began; bounded by `maxAddresses`. */
  readonly #attempts: Map<string, Attempt> = new Map();
  /** What the resolver said, once per family at most, and our own deadline. */
  readonly #lookupErrors: unknown[] = [];
  #resolveTimeout: TimeoutError | undefined;
  /** What waits for a deadline, and for the machine's. */
  readonly #timers: unknown[] = [];
  #machineTimer: unknown;
  #finished = false;

  /** Prepares a race; nothing happens before `run`. */
  constructor(settings: DialRaceSettings) {
    this.#settings = settings;
    this.#machine = new HappyEyeballs(settings);
  }

  /** Runs the race, once, and gives the winner. */
  run(): Promise<Transport> {
    const { signal, text, looksUp, families, connectTimeoutMs, resolveTimeoutMs } = this.#settings;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    // First of two that are due at once, because it knows better what is late.
    if (looksUp) this.#limit(resolveTimeoutMs, this.#onResolveTimeout);
    this.#limit(connectTimeoutMs, this.#onConnectTimeout);
    for (const family of families) {
      // The resolver may have aborted our signal while it was called.
      if (this.#finished) break;
      if (looksUp) this.#lookup(family);
      else this.#machine.receiveAddresses(family, [text], this.#now());
    }
    this.#step();
    return this.#outcome.promise;
  }

  #now(): number {
    return this.#settings.clock.now();
  }

  #limit(timeoutMs: number, onTimeout: () => void): void {
    if (timeoutMs === Infinity) return;
    this.#timers.push(this.#settings.clock.setTimer(onTimeout, timeoutMs));
  }

  async #lookup(family: AddressFamily): Promise<void> {
    const { resolver, text } = this.#settings;
    let addresses: string[] = [];
    try {
      const found = await resolver.lookup(text, { family, signal: this.#lookups.signal });
      addresses = normalize(found, family);
    } catch (error) {
      this.#lookupErrors.push(error);
    }
    this.#machine.receiveAddresses(family, addresses, this.#now());
    this.#step();
  }

  /** Does what the machine says, and sees to it that it is asked again in time. */
  #step(): void {
    for (let event; (event = this.#machine.nextEvent()) !== undefined;) this.#apply(event);
    const { clock } = this.#settings;
    clock.clearTimer(this.#machineTimer);
    const { deadlineMs } = this.#machine;
    if (deadlineMs === Infinity) return;
    // Rounded up, so that it is not early; but no further than timers go.
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(deadlineMs - clock.now())));
    this.#machineTimer = clock.setTimer(this.#onMachineTimeout, delayMs);
  }

  #apply(event: HappyEyeballsEvent): void {
    switch (event.type) {
      case "attempt":
        this.#attempt(event.address);
        break;
      case "cancel":
        this.#attempts.get(event.address)!.controller.abort();
        break;
      case "connected":
        this.#finish();
        this.#outcome.resolve(this.#attempts.get(event.address)!.transport!);
        break;
      case "close":
        closeQuietly(this.#attempts.get(event.address)!.transport!);
        break;
      case "failed":
        this.#finish();
        this.#outcome.reject(this.#failure());
    }
  }

  async #attempt(text: string): Promise<void> {
    const { toAddress, connect, onAttempt } = this.#settings;
    const attempt: Attempt = {
      address: toAddress(text),
      startMs: this.#now(),
      controller: new AbortController(),
    };
    this.#attempts.set(text, attempt);
    try {
      onAttempt?.(attempt.address);
      attempt.transport = await connect(attempt.address, { signal: attempt.controller.signal });
    } catch (cause) {
      attempt.failure = { cause };
    }
    if (attempt.transport === undefined) this.#machine.attemptFailed(text, this.#now());
    else this.#machine.attemptSucceeded(text, this.#now());
    this.#step();
  }

  /** Lets go of everything but attempts, which the machine cancels one by one. */
  #finish(): void {
    const { signal, clock, looksUp } = this.#settings;
    this.#finished = true;
    signal?.removeEventListener("abort", this.#onAbort);
    for (const timer of this.#timers) clock.clearTimer(timer);
    if (looksUp) this.#lookups.abort();
  }

  #cancel(reason: unknown): void {
    this.#machine.cancel();
    this.#finish();
    this.#outcome.reject(reason);
    this.#step();
  }

  readonly #onAbort = (): void => this.#cancel(this.#settings.signal!.reason);

  readonly #onMachineTimeout = (): void => {
    this.#machine.handleTimeout(this.#now());
    this.#step();
  };

  /** Goes on with what has been found; with nothing, the machine says that it has failed. */
  readonly #onResolveTimeout = (): void => {
    const { resolveTimeoutMs, families } = this.#settings;
    this.#resolveTimeout = this.#timeout("resolve", resolveTimeoutMs);
    this.#lookups.abort(this.#resolveTimeout);
    for (const family of families) this.#machine.resolutionFailed(family, this.#now());
    this.#step();
  };

  readonly #onConnectTimeout = (): void => {
    const phase = this.#attempts.size === 0 ? "resolve" : "connect";
    this.#cancel(this.#timeout(phase, this.#settings.connectTimeoutMs));
  };

  #timeout(phase: string, timeoutMs: number): TimeoutError {
    return new TimeoutError(
      `Cannot dial ${this.#settings.text}: no connection within ${timeoutMs} ms`,
      { phase, timeoutMs, cause: this.#connectError() },
    );
  }

  #failure(): Error {
    const isTimeout = this.#attempts.size === 0 && this.#resolveTimeout !== undefined;
    return isTimeout ? this.#resolveTimeout! : this.#connectError();
  }

  #connectError(): ConnectError {
    const { text } = this.#settings;
    const attempts = [...this.#attempts.values()].map((attempt) => this.#report(attempt));
    if (attempts.length === 0) {
      return new ConnectError(`Cannot dial ${text}: no address was found`, {
        code: "ERR_NET_RESOLVE",
        attempts,
        cause: combine(this.#lookupErrors),
      });
    }
    return new ConnectError(`Cannot dial ${text}: none of ${attempts.length} attempts succeeded`, {
      code: "ERR_NET_CONNECT",
      attempts,
      // That of the address that was thought to be the best one.
      cause: attempts[0]!.cause,
    });
  }

  #report({ address, startMs, failure }: Attempt): ConnectAttempt {
    if (failure !== undefined) return { address, cause: failure.cause };
    const timeoutMs = this.#now() - startMs;
    const cause = new TimeoutError("Cannot connect: no answer before dialling ended", {
      phase: "connect",
      timeoutMs,
    });
    return { address, cause };
  }
}

/**
 * The addresses of one family, each in its one form.
 *
 * What is no address must not reach `Deno.connect`, which would look it up as a
 * name; a resolver that knows no families may give the other one's as well.
 */
function normalize(found: readonly string[], family: AddressFamily): string[] {
  return found.flatMap((text) => {
    const address = parseIpAddress(text);
    if (address === undefined) {
      const quoted = JSON.stringify(String(text).slice(0, 32));
      throw new TypeError(`Cannot use answer of resolver: ${quoted} is no IP address`);
    }
    return address.family === family ? [formatIpAddress(address)] : [];
  });
}

/** One cause out of several: the first, if all say the same. */
function combine(errors: readonly unknown[]): unknown {
  const [first, ...rest] = errors;
  if (rest.every((error) => isAlike(error, first))) return first;
  return new AggregateError(errors, "No family could be looked up");
}

function isAlike(one: unknown, other: unknown): boolean {
  return one instanceof Error && other instanceof Error && one.constructor === other.constructor &&
    (one as { code?: unknown }).code === (other as { code?: unknown }).code;
}
