/**
 * {@linkcode PreforkOptions}: how many workers, of what, and what becomes of them.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { PreforkEvent } from "./prefork_event.ts";

/** Whether workers are processes of their own or threads of one. */
export type PreforkMode = "processes" | "threads";

/** When crashed workers are replaced, and when no more. */
export interface PreforkRestartOptions {
  /**
   * Workers that may end by themselves within `windowMs`, or one after the other without any of
   * them getting ready, and are replaced, at least 0; one more, and all end. `Infinity` never gives
   * up.
   *
   * @default {5 for each worker}
   */
  readonly max?: number;
  /**
   * Milliseconds that count, more than 0 and less than 2^31.
   *
   * @default {60_000}
   */
  readonly windowMs?: number;
  /**
   * Milliseconds before a replacement starts, 0 to 2^31 - 1, twice as many for each further crash
   * within the window; never more than `windowMs / (2 * (max + 1))`, so that workers that do not
   * last pass `max`.
   *
   * @default {100}
   */
  readonly backoffMs?: number;
}

/** Options of {@linkcode prefork}. */
export interface PreforkOptions {
  /**
   * The module every worker runs, as an absolute URL or what `import.meta.resolve()` gives.
   * `import.meta.url` runs the same module as supervisor and as worker.
   */
  readonly module: string | URL;
  /**
   * Number of workers, 1 to 1,024.
   *
   * @default {navigator.hardwareConcurrency}
   */
  readonly workers?: number;
  /**
   * Whether they are processes of their own, or threads of this one. Processes are more
   * robust, and faster: threads share ports by way of `node:net`, at about 1.3 times the CPU, where
   * the program runs without `--unstable-net`. What ends one thread the hard way, such as running
   * out of memory, ends all; and one that is caught in an endless loop cannot be killed: it is
   * counted as ended and replaced, but runs on, its share of the connections unanswered, until the
   * program calls `Deno.exit()`.
   *
   * @default {"processes"}
   */
  readonly mode?: PreforkMode;
  /**
   * What a worker finds as `args`, a process as `Deno.args`, too.
   *
   * @default {[]}
   */
  readonly args?: readonly string[];
  /**
   * Flags that permit something to processes, such as `--allow-net=:8000`. Threads have the
   * permissions of the program.
   *
   * Without it a process gets those kinds of permission that the program has without a bound: of
   * one that is bounded nothing in Deno tells the bounds, so that it is not passed on, and a worker
   * that needs it fails. No worker ever gets more by default; what is written here is not compared
   * with what the program has.
   *
   * @default {what is permitted without a bound}
   */
  readonly permissions?: readonly string[];
  /**
   * Other flags of processes, such as `--config=deno.json` or `--v8-flags=...`. `--unstable-net`
   * and `--no-prompt` are always there.
   *
   * @default {[]}
   */
  readonly denoArgs?: readonly string[];
  /**
   * Environment variables of processes, beside those of the program. Where the program may not
   * read all of its own, these are the only ones.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /** When crashed workers are replaced. */
  readonly restart?: PreforkRestartOptions;
  /**
   * Milliseconds a new worker has to get ready, more than 0 and less than 2^31. Passed: it is killed.
   *
   * @default {30_000}
   */
  readonly readyTimeoutMs?: number;
  /**
   * Milliseconds for which a worker that is to stop still accepts, 0 to 10^9: who asks for its
   * health sees `isStopping` and sends no more.
   *
   * @default {500}
   */
  readonly drainMs?: number;
  /**
   * Milliseconds that a worker has afterwards to finish, 0 to 10^9. Passed: it is killed.
   *
   * @default {10_000}
   */
  readonly graceMs?: number;
  /**
   * Whether SIGINT and SIGTERM (on Windows SIGINT and SIGBREAK) stop all workers: the first in
   * order, the second at once.
   *
   * @default {true}
   */
  readonly handleSignals?: boolean;
  /**
   * Told what happens to the workers. What it throws ends the program, as an uncaught error.
   *
   * @default {undefined}
   */
  readonly onEvent?: (event: PreforkEvent) => void;
  /**
   * Kills all workers when aborted; `finished` then rejects with its reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Where time comes from; for tests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}
