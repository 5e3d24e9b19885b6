/**
 * {@linkcode preforkWorker}: being one of several workers.
 *
 * @module
 */

import type { AcceptSource } from "./accept_source.ts";
import type { BindReusePortOptions } from "./bind_reuse_port.ts";
import { type Clock, systemClock } from "./clock.ts";
import { findPreforkLink, type PreforkLink } from "./prefork_link.ts";
import type { PreforkMode } from "./prefork_options.ts";
import type { PreforkSettings } from "./prefork_settings.ts";
import { openPreforkSource, type PreforkSource } from "./prefork_source.ts";
import { closeQuietly } from "./transport.ts";

/** What {@linkcode PreforkWorker.manage} stops in the end: an `HttpServer`, or yours. */
export interface PreforkManaged {
  /** Resolves when it has ended, asked or not; it then serves no more, and the worker ends. */
  readonly finished?: Promise<void>;
  /** Accepts no more, and finishes what is under way within `graceMs` milliseconds. */
  shutdown(options: { readonly graceMs: number }): Promise<void>;
}

/** Of what a worker has to finish, what its servers get; the rest is for its own end. */
const SERVER_SHARE = 0.9;
/** Of the same, what connections accepted last get to send something. */
const SILENCE_SHARE = 0.05;
/** That, at most, in milliseconds. */
const MAX_SILENCE_MS = 100;

/**
 * The worker that this process or thread is, under {@linkcode prefork}. Made by
 * {@linkcode preforkWorker}.
 *
 * @example Something else than HTTP
 * ```ts
 * import { listen, type PreforkWorker, preforkWorker } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * async function work(worker: PreforkWorker): Promise<void> {
 *   const listener = listen({ listener: worker.listen({ port: 7000 }) });
 *   const served = listener.serve(async (transport) => {
 *     await transport.write(new TextEncoder().encode(`I am worker ${worker.index}\n`));
 *     transport.close();
 *   });
 *   await worker.manage({
 *     finished: served,
 *     shutdown: () => {
 *       listener.close();
 *       return served;
 *     },
 *   });
 * }
 *
 * const worker = preforkWorker();
 * if (worker !== undefined) await work(worker);
 * // Nobody has started this program as a worker.
 * assertEquals(worker, undefined);
 * ```
 */
export class PreforkWorker {
  /** Its place, from 0 to one less than `workers`; a replacement has the same. */
  readonly index: number;
  /** Counts all workers ever started, from 1. */
  readonly id: number;
  /** How many workers there are. */
  readonly workers: number;
  /** What it is. */
  readonly mode: PreforkMode;
  /** The arguments that `prefork` was given for it. */
  readonly args: readonly string[];

  readonly #settings: PreforkSettings;
  readonly #link: PreforkLink;
  readonly #clock: Clock;
  readonly #stop: AbortController = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #sources: PreforkSource[] = [];
  #managedCount = 0;
  #isReady = false;
  #isLeaving = false;
  #isOrphan = false;

  /**
   * Use {@linkcode preforkWorker}.
   *
   * @param settings What the worker was told.
   * @param link Its road to the supervisor, not open yet.
   * @param clock Where the pause before closing is timed.
   */
  constructor(settings: PreforkSettings, link: PreforkLink, clock: Clock = systemClock) {
    this.index = settings.index;
    this.id = settings.id;
    this.workers = settings.workers;
    this.mode = settings.mode;
    this.args = settings.args;
    this.#settings = settings;
    this.#link = link;
    this.#clock = clock;
    link.open({ onStop: () => this.#begin(), onGone: () => this.#abandon() });
  }

  /**
   * Aborts when the worker is asked to stop, or its supervisor is gone. It still accepts then:
   * {@linkcode PreforkWorker.manage} keeps the order.
   */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether it was asked to stop: what answers health checks says that it is not ready any more. */
  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /**
   * Whether its ports are closed, so that whoever connects anew gets to another worker. What is
   * answered from here on should be the last of its connection: `serve` tells clients so, before
   * those that are silent are cut off.
   */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /**
   * Listens on a port that all workers share; the system gives every connection to one of them.
   * Linux only.
   *
   * When a worker closes it, connections that were not accepted yet are lost: the client sees them
   * reset. They are few, since a worker that is not at its connection limit accepts at once.
   *
   * @param address Which port; not 0.
   * @returns Where connections come from. Under `node:net` (in threads, without `--unstable-net`)
   * the port is bound a little later; if it cannot be, the worker fails.
   * @throws {RangeError} If a number is out of its range, or `port` is 0.
   * @throws {Deno.errors.NotSupported} If the system is not Linux.
   * @throws {Deno.errors.AddrInUse} If somebody listens on the port without sharing it.
   */
  listen(address: Omit<BindReusePortOptions, "signal">): AcceptSource {
    const opened = openPreforkSource(address);
    this.#sources.push(opened);
    // A worker without its port is none: it fails as by any error that nobody catches.
    opened.bound.catch(reportError);
    return opened.source;
  }

  /** Says that it is ready to serve. A second call does nothing. */
  ready(): void {
    if (this.#isReady || this.isStopping) return;
    this.#isReady = true;
    this.#link.ready();
  }

  /** Says that all is done: nothing of the supervision keeps it alive any longer. */
  end(): void {
    this.#link.close();
  }

  /**
   * Does all that a server needs here: says that the worker is ready once its ports are bound,
   * waits until it is to stop, lets it accept for `drainMs` more, closes the ports, gives what was
   * accepted a moment to send something and to learn that its answer is the last, shuts the server
   * down, and ends the worker with the last server. A process ends when nothing else keeps it alive,
   * and no later than `graceMs` allows.
   *
   * @param server What serves.
   * @returns A promise that resolves when it has been shut down.
   * @throws {Error} What `shutdown` rejects with.
   */
  async manage(server: PreforkManaged): Promise<void> {
    this.#managedCount++;
    await Promise.all(this.#sources.map(({ bound }) => bound));
    this.ready();
    await Promise.race([this.#stopped.promise, server.finished ?? this.#stopped.promise]);
    if (this.isStopping) {
      await this.#drain();
      await server.shutdown({ graceMs: Math.floor(this.#settings.graceMs * SERVER_SHARE) });
    }
    this.#managedCount--;
    if (this.#managedCount === 0) this.end();
  }

  async #drain(): Promise<void> {
    const { drainMs, graceMs } = this.#settings;
    if (!this.#isOrphan) await this.#pause(drainMs);
    if (this.#sources.length === 0) return;
    for (const { source } of this.#sources) closeQuietly(source);
    this.#isLeaving = true;
    // A server that shuts down drops connections without a request at once. Of those accepted last
    // many have sent one that is on its way; and whoever has asked before learns that he is to go.
    await this.#pause(Math.min(MAX_SILENCE_MS, graceMs * SILENCE_SHARE));
  }

  #pause(delayMs: number): Promise<void> {
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#clock.setTimer(resolve, delayMs));
  }

  #begin(): void {
    if (this.isStopping) return;
    const { drainMs, graceMs } = this.#settings;
    // The supervisor kills; but it may be gone by then.
    this.#clock.setTimer(() => this.#link.exit(1), drainMs + graceMs, { unref: true });
    this.#stop.abort();
    this.#stopped.resolve();
  }

  #abandon(): void {
    this.#isOrphan = true;
    // Who is not ready yet serves nobody.
    if (!this.#isReady) this.#link.exit(1);
    else this.#begin();
  }
}

/** `undefined` before anybody has asked. */
let found: { readonly worker: PreforkWorker | undefined } | undefined;

/**
 * The worker that this program is, if {@linkcode prefork} has started it: so one module can be both
 * supervisor and worker.
 *
 * A worker is expected to say that it is ready; `serve` does if it is given the worker as option
 * `worker`. From the first call on, SIGINT is left to the supervisor, SIGTERM stops the worker in
 * order, and the end of the supervisor, whatever ends it, ends the worker. A worker in an endless
 * loop notices none of it.
 *
 * Needs no permission.
 *
 * @returns The worker, always the same; `undefined` in any other program.
 *
 * @example Nobody's worker
 * ```ts
 * import { preforkWorker } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(preforkWorker(), undefined);
 * ```
 */
export function preforkWorker(): PreforkWorker | undefined {
  if (found === undefined) {
    const opening = findPreforkLink();
    found = { worker: opening && new PreforkWorker(opening.settings, opening.link) };
  }
  return found.worker;
}
