// This module is sans-I/O.

/**
 * {@linkcode PreforkSupervisor}: which worker is started, stopped and killed when.
 *
 * Each of the `workers` places has a current worker, and during a rolling restart one of them has a
 * successor beside it. A worker goes one way:
 *
 * ```text
 * starting --ready--> ready --stop--> stopping --exit--> (gone)
 *     |                 |                |
 *     +------kill-------+------kill------+--> killed --exit--> (gone)
 * ```
 *
 * and may be gone at any time, all by itself: a crash, if nobody asked it to stop. The crashes of
 * the last `windowMs` decide how long a place stays empty, and at last that all of it ends.
 *
 * @module
 */

import { PreforkError } from "./prefork_error.ts";
import type {
  PreforkEvent,
  PreforkExit,
  PreforkWorkerId,
  PreforkWorkerState,
} from "./prefork_event.ts";

/** What a {@linkcode PreforkSupervisor} goes by; checked by whoever makes it. */
export interface PreforkSupervisorOptions {
  /** Number of workers. */
  readonly workers: number;
  /** Milliseconds a new worker has to get ready. */
  readonly readyTimeoutMs: number;
  /** Milliseconds from asking a worker to stop to killing it. */
  readonly stopTimeoutMs: number;
  /** Crashes within the window that are still made good. */
  readonly maxRestarts: number;
  /** The window, in milliseconds. */
  readonly windowMs: number;
  /** Milliseconds before the first crashed worker is replaced; twice as many for each further one. */
  readonly backoffMs: number;
}

/** What is to be done next; `finish` comes last, once. */
export type PreforkAction =
  | Extract<PreforkEvent, { readonly type: "spawn" | "stop" | "kill" }>
  | { readonly type: "report"; readonly event: PreforkEvent }
  | { readonly type: "finish"; readonly error: PreforkError | undefined };

const TRANSITIONS = {
  starting: { ready: "ready", kill: "killed" },
  ready: { stop: "stopping", kill: "killed" },
  stopping: { kill: "killed" },
  killed: {},
} as const satisfies Record<
  PreforkWorkerState,
  Partial<Record<"ready" | "stop" | "kill", PreforkWorkerState>>
>;

/** One worker that has been started and has not ended. */
interface Worker extends PreforkWorkerId {
  state: PreforkWorkerState;
  /** When it is killed for what it has not done. */
  deadlineMs: number;
  /** How many rolling restarts had been asked for when it was started. */
  readonly generation: number;
  hasBeenReady: boolean;
  /** Whether its end is our wish. */
  expected: boolean;
}

interface Place {
  readonly index: number;
  current: Worker | undefined;
  successor: Worker | undefined;
  /** When the next worker is started here; Infinity if none is due. */
  respawnMs: number;
}

/** More crashes change no delay any more. */
const MAX_DOUBLINGS = 30;

/**
 * The supervision of workers as a state machine: what happened goes in, what is to be done comes
 * out. Time is a parameter, in milliseconds of any steady clock.
 */
export class PreforkSupervisor {
  readonly #options: PreforkSupervisorOptions;
  readonly #maxDelayMs: number;
  readonly #places: readonly Place[];
  readonly #workers: Map<number, Worker> = new Map();
  readonly #actions: PreforkAction[] = [];
  /** Instants of the latest crashes, oldest first. */
  readonly #crashesMs: number[] = [];
  /** Workers that ended without having been ready, since one was: they may take long to. */
  #failedStartCount = 0;
  #lastId = 0;
  #generation = 0;
  /** Whether a rolling restart is under way. */
  #rolling = false;
  /** The worker whose readiness or end the rolling restart waits for. */
  #awaited: Worker | undefined;
  #stopping = false;
  #finished = false;
  #error: PreforkError | undefined;

  /** @param options What to go by. */
  constructor(options: PreforkSupervisorOptions) {
    this.#options = options;
    const { workers, windowMs, maxRestarts } = options;
    // So that workers which never last do pass `maxRestarts` within the window, however long the
    // delays would have become.
    this.#maxDelayMs = maxRestarts === Infinity ? windowMs : windowMs / (2 * (maxRestarts + 1));
    this.#places = Array.from({ length: workers }, (_, index) => ({
      index,
      current: undefined,
      successor: undefined,
      respawnMs: Infinity,
    }));
  }

  /** When {@linkcode PreforkSupervisor.handleTimeout} is due; Infinity if nothing is. */
  get deadlineMs(): number {
    let deadlineMs = Infinity;
    for (const worker of this.#workers.values()) {
      deadlineMs = Math.min(deadlineMs, worker.deadlineMs);
    }
    for (const place of this.#places) deadlineMs = Math.min(deadlineMs, place.respawnMs);
    return deadlineMs;
  }

  /** Whether all workers are to end, or have ended. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** Whether every place has a worker that is ready. */
  get isReady(): boolean {
    return this.#places.every(({ current }) => current?.state === "ready");
  }

  /** The state of a worker; `undefined` once it has ended. */
  stateOf(id: number): PreforkWorkerState | undefined {
    return this.#workers.get(id)?.state;
  }

  /** What is to be done next; `undefined` if there is nothing. */
  nextAction(): PreforkAction | undefined {
    return this.#actions.shift();
  }

  /** Starts the workers. */
  start(nowMs: number): void {
    for (const place of this.#places) place.current = this.#spawn(place, nowMs);
  }

  /** A worker says that it is ready; again, or too late, changes nothing. */
  handleReady(id: number, nowMs: number): void {
    const worker = this.#workers.get(id);
    if (worker === undefined || !move(worker, "ready")) return;
    worker.deadlineMs = Infinity;
    worker.hasBeenReady = true;
    this.#failedStartCount = 0;
    this.#report({ type: "ready", worker: name(worker) });
    const place = this.#places[worker.index]!;
    if (place.successor === worker) this.#replaceBy(worker, place, nowMs);
    else if (this.#awaited === worker) this.#awaited = undefined;
    this.#roll(nowMs);
  }

  /** A worker has ended; of one that is not known, or has ended already, nothing is heard. */
  handleExit(id: number, exit: PreforkExit, nowMs: number): void {
    const worker = this.#workers.get(id);
    if (worker === undefined) return;
    this.#workers.delete(id);
    const { expected } = worker;
    this.#report({ type: "exit", worker: name(worker), exit, expected });
    const place = this.#places[worker.index]!;
    const wasSuccessor = place.successor === worker;
    if (wasSuccessor) place.successor = undefined;
    else if (place.current === worker) this.#vacate(place, worker, exit, nowMs);
    if (this.#awaited === worker) {
      this.#awaited = undefined;
      // One that had got ready is not waited for, but for the old one it takes the place of.
      if (!expected) this.#failRoll(worker, exit);
    }
    this.#roll(nowMs);
    this.#finishIfGone();
  }

  /** Does what is due by now. */
  handleTimeout(nowMs: number): void {
    for (const worker of [...this.#workers.values()]) {
      if (worker.deadlineMs > nowMs) continue;
      this.#kill(worker, worker.state === "starting" ? "ready" : "grace");
    }
    for (const place of this.#places) {
      if (place.respawnMs > nowMs) continue;
      place.respawnMs = Infinity;
      place.current = this.#spawn(place, nowMs);
    }
    this.#roll(nowMs);
  }

  /**
   * Begins to replace all workers, one at a time: the new one gets ready before the old one is
   * asked to stop, and that one ends before the next is looked at. Asked for again while it is
   * under way, those already replaced are replaced once more.
   *
   * @returns Whether it has begun; `false` if all workers are to end.
   */
  restart(nowMs: number): boolean {
    if (this.#stopping) return false;
    this.#generation++;
    this.#rolling = true;
    this.#roll(nowMs);
    return true;
  }

  /** Asks all workers to stop. Those that are not ready yet serve nobody, and are killed. */
  stop(nowMs: number): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#rolling = false;
    this.#awaited = undefined;
    for (const place of this.#places) place.respawnMs = Infinity;
    for (const worker of [...this.#workers.values()]) {
      if (worker.state === "ready") this.#retire(worker, nowMs);
      else if (worker.state === "starting") this.#kill(worker, "now");
      worker.expected = true;
    }
    this.#finishIfGone();
  }

  /** Kills all workers. */
  kill(nowMs: number): void {
    this.stop(nowMs);
    for (const worker of [...this.#workers.values()]) this.#kill(worker, "now");
  }

  #spawn(place: Place, nowMs: number): Worker {
    const worker: Worker = {
      id: ++this.#lastId,
      index: place.index,
      state: "starting",
      deadlineMs: nowMs + this.#options.readyTimeoutMs,
      generation: this.#generation,
      hasBeenReady: false,
      expected: false,
    };
    this.#workers.set(worker.id, worker);
    this.#act({ type: "spawn", worker: name(worker) });
    return worker;
  }

  #retire(worker: Worker, nowMs: number): void {
    if (!move(worker, "stop")) return this.#kill(worker, "now");
    worker.expected = true;
    worker.deadlineMs = nowMs + this.#options.stopTimeoutMs;
    this.#act({ type: "stop", worker: name(worker) });
  }

  #kill(worker: Worker, reason: "ready" | "grace" | "now"): void {
    worker.deadlineMs = Infinity;
    if (reason === "now") worker.expected = true;
    if (move(worker, "kill")) this.#act({ type: "kill", worker: name(worker), reason });
  }

  /** The current worker of a place has ended by itself, or was killed for not getting ready. */
  #vacate(place: Place, worker: Worker, exit: PreforkExit, nowMs: number): void {
    place.current = undefined;
    if (this.#stopping) return;
    if (!worker.hasBeenReady) this.#failedStartCount++;
    const crashCount = Math.max(this.#countCrash(nowMs), this.#failedStartCount);
    if (crashCount > this.#options.maxRestarts) return this.#giveUp(worker, exit, nowMs);
    // One that is on its way takes the place: nobody has to be started for it.
    place.current = place.successor;
    place.successor = undefined;
    if (place.current !== undefined) return;
    const doublings = Math.min(crashCount - 1, MAX_DOUBLINGS);
    const delayMs = Math.min(this.#options.backoffMs * 2 ** doublings, this.#maxDelayMs);
    place.respawnMs = nowMs + delayMs;
    this.#report({ type: "backoff", index: place.index, delayMs });
  }

  /** Crashes within the window, this one included. */
  #countCrash(nowMs: number): number {
    const crashesMs = this.#crashesMs;
    const { maxRestarts, windowMs } = this.#options;
    crashesMs.push(nowMs);
    while (crashesMs[0]! <= nowMs - windowMs) crashesMs.shift();
    const kept = maxRestarts === Infinity ? MAX_DOUBLINGS : maxRestarts + 1;
    if (crashesMs.length > kept) crashesMs.shift();
    return crashesMs.length;
  }

  #giveUp(worker: Worker, exit: PreforkExit, nowMs: number): void {
    const { maxRestarts, windowMs } = this.#options;
    this.#error = new PreforkError(
      "ERR_NET_PREFORK_CRASHED",
      `Cannot go on: more than restart.max ${maxRestarts} workers ended by themselves within ` +
        `${windowMs} ms, or never got ready, worker ${worker.index} the last, with ` +
        describeExit(exit),
      { worker: name(worker), exit, cause: exit.error },
    );
    this.stop(nowMs);
  }

  #replaceBy(successor: Worker, place: Place, nowMs: number): void {
    const old = place.current!;
    place.current = successor;
    place.successor = undefined;
    this.#awaited = old;
    this.#retire(old, nowMs);
  }

  /** Goes on with the rolling restart, if there is one and it waits for nobody. */
  #roll(nowMs: number): void {
    if (!this.#rolling || this.#awaited !== undefined) return;
    for (const place of this.#places) {
      // An empty place gets a new worker anyway.
      if (place.current === undefined || place.current.generation === this.#generation) continue;
      place.successor = this.#awaited = this.#spawn(place, nowMs);
      return;
    }
    this.#rolling = false;
    this.#report({ type: "restarted" });
  }

  #failRoll(worker: Worker, exit: PreforkExit): void {
    if (!this.#rolling) return;
    this.#rolling = false;
    this.#report({ type: "restart-failed", worker: name(worker), exit });
  }

  #finishIfGone(): void {
    if (!this.#stopping || this.#finished || this.#workers.size > 0) return;
    this.#finished = true;
    this.#actions.push({ type: "finish", error: this.#error });
  }

  #act(action: Extract<PreforkEvent, { readonly type: "spawn" | "stop" | "kill" }>): void {
    this.#actions.push(action);
    this.#report(action);
  }

  #report(event: PreforkEvent): void {
    this.#actions.push({ type: "report", event });
  }
}

/** Takes the way in the table; `false` if there is none. */
function move(worker: Worker, event: "ready" | "stop" | "kill"): boolean {
  const ways: Partial<Record<typeof event, PreforkWorkerState>> = TRANSITIONS[worker.state];
  const state = ways[event];
  if (state === undefined) return false;
  worker.state = state;
  return true;
}

function name({ id, index }: PreforkWorkerId): PreforkWorkerId {
  return { id, index };
}

function describeExit({ code, signal }: PreforkExit): string {
  return signal === null ? `code ${code}` : signal;
}
