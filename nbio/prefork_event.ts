// This module is sans-I/O.

/**
 * {@linkcode PreforkEvent}: what happens to the workers.
 *
 * @module
 */

/** Which worker. */
export interface PreforkWorkerId {
  /** Counts all workers ever started, from 1: a replacement has another one. */
  readonly id: number;
  /** Its place, from 0 to one less than `workers`: a replacement has the same. */
  readonly index: number;
}

/**
 * What a worker is at: it was started, it serves, it was asked to stop, it was killed and has not
 * ended yet.
 */
export type PreforkWorkerState = "starting" | "ready" | "stopping" | "killed";

/** How a worker ended. */
export interface PreforkExit {
  /** Exit code; `null` if a signal ended it. A thread has 0, 1 after an error, or that of `Deno.exit`. */
  readonly code: number | null;
  /** Name of the signal that ended it, else `null`. A terminated thread has `"SIGKILL"`. */
  readonly signal: string | null;
  /** What kept it from being started, or the error that ended a thread, where there is one. */
  readonly error?: unknown;
}

/** Something that happened to the workers; in the order in which it did. */
export type PreforkEvent =
  /** A worker is being started. */
  | { readonly type: "spawn"; readonly worker: PreforkWorkerId }
  /** A worker is ready. */
  | { readonly type: "ready"; readonly worker: PreforkWorkerId }
  /** A worker was asked to stop. */
  | { readonly type: "stop"; readonly worker: PreforkWorkerId }
  /** A worker is killed: it was not ready in time, did not stop in time, or there is no time. */
  | {
    readonly type: "kill";
    readonly worker: PreforkWorkerId;
    readonly reason: "ready" | "grace" | "now";
  }
  /** A worker has ended; `expected` if it was asked to. */
  | {
    readonly type: "exit";
    readonly worker: PreforkWorkerId;
    readonly exit: PreforkExit;
    readonly expected: boolean;
  }
  /** A crashed worker is going to be replaced in `delayMs` milliseconds. */
  | { readonly type: "backoff"; readonly index: number; readonly delayMs: number }
  /** A rolling restart has come to its end. */
  | { readonly type: "restarted" }
  /** A rolling restart ended because a new worker did not get ready. */
  | {
    readonly type: "restart-failed";
    readonly worker: PreforkWorkerId;
    readonly exit: PreforkExit;
  };
