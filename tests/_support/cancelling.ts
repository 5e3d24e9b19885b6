/**
 * Cancelling an operation at every place where it can be cancelled, and looking whether anything
 * of it is left.
 */

import { assert, assertEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import type { OperationOptions } from "../../nbio/operation.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import type { Transport } from "../../nbio/transport.ts";
import { CountedSignal } from "./counted_signal.ts";

/** Whether to cancel before a call reaches the transport, while it waits, or as it settles. */
const MOMENTS = ["before", "within", "settled"] as const;
type Moment = typeof MOMENTS[number];

/** More calls or turns than any operation under test has. */
const MAX_PLACES = 2_000;

/** A transport that counts, and tells when something is called. */
export class WatchedTransport implements Transport {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  /** Calls of `read`, `write` and `closeWrite` so far. */
  callCount = 0;
  /** Those that have not settled. */
  pendingCount = 0;
  /** Calls of `close` so far. */
  closeCount = 0;
  readonly #inner: Transport;
  readonly #onCall: (moment: Moment) => void;

  constructor(inner: Transport, onCall: (moment: Moment) => void = () => {}) {
    this.#inner = inner;
    this.#onCall = onCall;
    this.localAddr = inner.localAddr;
    this.remoteAddr = inner.remoteAddr;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#watch(() => this.#inner.read(p));
  }

  write(p: Uint8Array): Promise<number> {
    return this.#watch(() => this.#inner.write(p));
  }

  closeWrite(): Promise<void> {
    return this.#watch(() => this.#inner.closeWrite());
  }

  close(): void {
    this.closeCount++;
    this.#inner.close();
  }

  async #watch<T>(call: () => Promise<T>): Promise<T> {
    this.callCount++;
    this.pendingCount++;
    try {
      this.#onCall("before");
      const promise = call();
      this.#onCall("within");
      return await promise;
    } finally {
      this.pendingCount--;
      this.#onCall("settled");
    }
  }
}

/** What an operation that is to be cancelled works with. */
export interface Trial {
  /** Options that let it be cancelled. */
  readonly bounds: OperationOptions;
  /** Wraps a transport that must be closed, with nothing waiting on it, in the end. */
  readonly watch: (transport: Transport) => Transport;
}

/** One run of an operation, cancelled at one place. */
class Run implements Trial {
  readonly bounds: OperationOptions;
  readonly cancel: () => void;
  readonly #transports: WatchedTransport[] = [];
  readonly #reason = { text: "not even an Error" };
  readonly #clock = new ManualClock();
  readonly #wheel = new DeadlineWheel(this.#clock);
  readonly #signal = new CountedSignal();
  readonly #onCall: (moment: Moment, run: Run) => void;

  constructor(kind: "signal" | "deadline", onCall: (moment: Moment, run: Run) => void) {
    this.#onCall = onCall;
    if (kind === "deadline") {
      this.bounds = { timeoutMs: 1_000, wheel: this.#wheel };
      this.cancel = () => this.#clock.advance(1_200);
    } else {
      this.bounds = { signal: this.#signal.signal, wheel: this.#wheel };
      this.cancel = () => this.#signal.abort(this.#reason);
    }
  }

  readonly watch = (transport: Transport): Transport => {
    const watched = new WatchedTransport(transport, (moment) => this.#onCall(moment, this));
    this.#transports.push(watched);
    return watched;
  };

  checkCancelled(outcome: { error: unknown } | undefined, resolves: boolean): void {
    if (resolves) {
      assert(outcome === undefined, `Rejected with ${outcome?.error}`);
    } else {
      assert(outcome !== undefined, "Resolved although it was cancelled");
      const { error } = outcome;
      const isReason = this.bounds.signal ? error === this.#reason : error instanceof TimeoutError;
      assert(isReason, `Rejected with ${error}`);
    }
    for (const { closeCount } of this.#transports) assert(closeCount > 0, "Left open");
    this.checkNothingLeft();
  }

  checkNothingLeft(): void {
    for (const { pendingCount } of this.#transports) assertEquals(pendingCount, 0);
    assertEquals([this.#wheel.armedCount, this.#clock.pendingCount], [0, 0]);
    assertEquals(this.#signal.listenerCount, 0);
  }
}

/** How {@linkcode cancelEverywhere} judges. */
export interface CancelOptions {
  /** Whether a cancelled operation resolves, as `lingeringClose` does. */
  readonly resolves?: boolean;
}

type Operate = (trial: Trial) => Promise<unknown>;

/**
 * Runs an operation again and again, and cancels it by signal and by deadline: at its first call of
 * a transport, at its second and so on, before, while and as the call settles; then after one
 * microtask, two and so on. Each time it must reject with the reason and leave the transports
 * closed, no call of them waiting, no deadline armed and no listener on the signal.
 *
 * @returns How often it was cancelled.
 */
export async function cancelEverywhere(
  operate: Operate,
  { resolves = false }: CancelOptions = {},
): Promise<number> {
  let cancelledCount = 0;
  for (const kind of ["signal", "deadline"] as const) {
    for (const moment of MOMENTS) {
      cancelledCount += await cancelAtCalls(kind, moment, operate, resolves);
    }
    cancelledCount += await cancelAtTurns(kind, operate, resolves);
  }
  return cancelledCount;
}

async function cancelAtCalls(
  kind: "signal" | "deadline",
  moment: Moment,
  operate: Operate,
  resolves: boolean,
): Promise<number> {
  for (let place = 0; place < MAX_PLACES; place++) {
    let count = 0;
    const run = new Run(kind, (current, run) => {
      if (current === moment && count++ === place) run.cancel();
    });
    const outcome = await outcomeOf(operate(run));
    if (count <= place) {
      assert(outcome === undefined, `Failed without being cancelled: ${outcome?.error}`);
      run.checkNothingLeft();
      return place;
    }
    run.checkCancelled(outcome, resolves);
  }
  throw new Error("The operation calls its transports without end");
}

async function cancelAtTurns(
  kind: "signal" | "deadline",
  operate: Operate,
  resolves: boolean,
): Promise<number> {
  for (let place = 0; place < MAX_PLACES; place++) {
    const run = new Run(kind, () => {});
    let turn = 0;
    let isOver = false;
    let wasCancelled = false;
    const step = (): void => {
      if (isOver) return;
      if (turn++ < place) return queueMicrotask(step);
      wasCancelled = true;
      run.cancel();
    };
    const operated = outcomeOf(operate(run)).finally(() => isOver = true);
    queueMicrotask(step);
    const outcome = await operated;
    // In its last turns it is through already: cancelling it comes too late.
    const isTooLate = outcome === undefined && !resolves;
    if (!wasCancelled || isTooLate) {
      assert(outcome === undefined, `Failed without being cancelled: ${outcome?.error}`);
      run.checkNothingLeft();
      return place;
    }
    run.checkCancelled(outcome, resolves);
  }
  throw new Error("The operation never ends");
}

async function outcomeOf(operated: Promise<unknown>): Promise<{ error: unknown } | undefined> {
  try {
    await operated;
    return undefined;
  } catch (error) {
    return { error };
  }
}
