/**
 * {@linkcode prefork}: one port, several cores.
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
import type { PreforkOptions } from "./prefork_options.ts";
import { loadProcessLauncher } from "./prefork_process.ts";
import { type ResolvedPreforkOptions, resolvePreforkOptions } from "./prefork_resolve.ts";
import type { PreforkHandle, PreforkLauncher } from "./prefork_settings.ts";
import { type PreforkAction, PreforkSupervisor } from "./prefork_supervisor.ts";
import { threadLauncher } from "./prefork_thread.ts";
import { shutdownSignal } from "./shutdown_signal.ts";

/** A worker as {@linkcode Prefork.workers} shows it. */
export interface PreforkWorkerInfo extends PreforkWorkerId {
  /** Process id, that of this program for a thread; `undefined` if it could not be started. */
  readonly pid: number | undefined;
  /** What it is at. */
  readonly state: PreforkWorkerState;
}

interface Running {
  readonly index: number;
  readonly handle: PreforkHandle | undefined;
}

/**
 * Running workers, and whoever looks after them; see {@linkcode prefork}.
 *
 * @example Two threads
 * ```ts
 * import { prefork } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * // What a worker does: a module of its own in a real program.
 * const module = `data:text/javascript,self.postMessage({ nbioPrefork: "ready" })`;
 * await using cluster = prefork({ module, workers: 2, mode: "threads", drainMs: 0, graceMs: 0 });
 * await cluster.ready;
 * assertEquals(cluster.workers().map(({ state }) => state), ["ready", "ready"]);
 * ```
 */
export class Prefork implements AsyncDisposable {
  /** Resolves once all workers are ready for the first time; rejects if it does not come to that. */
  readonly ready: Promise<void>;
  /**
   * Resolves when all workers have ended because they were asked to. Rejects, once all have ended,
   * with a {@linkcode PreforkError} if they crashed too often, and with the reason of `signal`.
   */
  readonly finished: Promise<void>;

  readonly #options: ResolvedPreforkOptions;
  readonly #supervisor: PreforkSupervisor;
  /** By id; without a handle until it is heard that it could not be started. */
  readonly #running: Map<number, Running> = new Map();
  readonly #ready = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #end = new AbortController();
  #launch: PreforkLauncher | undefined;
  #restarting: PromiseWithResolvers<void> | undefined;
  #timer: unknown;
  #timerMs = Infinity;

  /**
   * Use {@linkcode prefork}.
   *
   * @param options What the caller gave, complete.
   * @param launcher How to start a worker.
   */
  constructor(
    options: ResolvedPreforkOptions,
    launcher: PreforkLauncher | Promise<PreforkLauncher>,
  ) {
    this.#options = options;
    const { workers, readyTimeoutMs, drainMs, graceMs, restart } = options;
    this.#supervisor = new PreforkSupervisor({
      workers,
      readyTimeoutMs,
      stopTimeoutMs: drainMs + graceMs,
      maxRestarts: restart.max,
      windowMs: restart.windowMs,
      backoffMs: restart.backoffMs,
    });
    this.ready = this.#ready.promise;
    this.finished = this.#finished.promise;
    // Whoever waits for the end hears of it, too.
    this.ready.catch(() => {});
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (options.handleSignals) void this.#watchSignals();
    void this.#begin(launcher);
  }

  async #begin(launcher: PreforkLauncher | Promise<PreforkLauncher>): Promise<void> {
    try {
      this.#launch = await launcher;
    } catch (error) {
      return this.#settle(error);
    }
    this.#act((nowMs) => {
      if (this.#supervisor.isStopping) return;
      this.#supervisor.start(nowMs);
    });
  }

  /** The workers there are, in the order in which they were started. */
  workers(): PreforkWorkerInfo[] {
    return this.#running.entries().map(([id, { index, handle }]) => {
      return { id, index, pid: handle?.pid, state: this.#supervisor.stateOf(id)! };
    }).toArray();
  }

  /**
   * Replaces all workers, one at a time, so that it can be done under load: a new one gets ready
   * before the old one stops. They load the module anew. Called again while it is under way, it
   * begins anew.
   *
   * @returns A promise that resolves when all are replaced.
   * @throws {PreforkError} If a new worker does not get ready: the old one, and those that were not
   * replaced yet, stay. Also if all workers are to end.
   */
  restart(): Promise<void> {
    this.#restarting ??= Promise.withResolvers();
    const { promise } = this.#restarting;
    let begun = true;
    this.#act((nowMs) => begun = this.#supervisor.restart(nowMs));
    if (!begun) this.#failRestart();
    return promise;
  }

  /**
   * Stops all workers in order: each accepts for `drainMs` more, closes, and has `graceMs` to
   * finish, until it is killed.
   *
   * @returns A promise that settles as {@linkcode Prefork.finished} does.
   */
  stop(): Promise<void> {
    this.#act((nowMs) => this.#supervisor.stop(nowMs));
    return this.finished;
  }

  /**
   * Kills all workers.
   *
   * @returns A promise that settles as {@linkcode Prefork.finished} does.
   */
  kill(): Promise<void> {
    this.#act((nowMs) => this.#supervisor.kill(nowMs));
    return this.finished;
  }

  /** Stops, whatever came of the workers before. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  /** Tells the supervisor something, then does what it wants. */
  #act(tell: (nowMs: number) => void): void {
    tell(this.#options.clock.now());
    for (let action; (action = this.#supervisor.nextAction()) !== undefined;) this.#do(action);
    if (this.#supervisor.isReady) this.#ready.resolve();
    this.#armTimer();
  }

  #do(action: PreforkAction): void {
    switch (action.type) {
      case "spawn":
        return this.#spawn(action.worker);
      case "stop":
        return this.#running.get(action.worker.id)?.handle?.stop();
      case "kill":
        return this.#running.get(action.worker.id)?.handle?.kill();
      case "report":
        return this.#report(action.event);
      case "finish":
        return this.#finish(action.error);
    }
  }

  #spawn({ id, index }: PreforkWorkerId): void {
    const { mode, workers, args, drainMs, graceMs } = this.#options;
    const settings = { id, index, mode, workers, args, drainMs, graceMs, supervisorPid: Deno.pid };
    const onExit = (exit: PreforkExit): void => {
      this.#running.delete(id);
      this.#act((nowMs) => this.#supervisor.handleExit(id, exit, nowMs));
    };
    const onReady = (): void => this.#act((nowMs) => this.#supervisor.handleReady(id, nowMs));
    let handle: PreforkHandle | undefined;
    try {
      handle = this.#launch!(settings, { onReady, onExit });
    } catch (error) {
      // As one that ends at once: it may go better the next time.
      queueMicrotask(() => onExit({ code: null, signal: null, error }));
    }
    this.#running.set(id, { index, handle });
  }

  #report(event: PreforkEvent): void {
    if (event.type === "restarted") {
      this.#restarting?.resolve();
      this.#restarting = undefined;
    } else if (event.type === "restart-failed") this.#failRestart(event);
    try {
      this.#options.onEvent?.(event);
    } catch (error) {
      // Supervision must not stop half-way; the error is nobody's but the program's.
      reportError(error);
    }
  }

  #failRestart(cause?: Extract<PreforkEvent, { readonly type: "restart-failed" }>): void {
    const error = cause === undefined
      ? new PreforkError("ERR_NET_PREFORK_STOPPING", "Cannot restart: all workers are to end")
      : new PreforkError(
        "ERR_NET_PREFORK_RESTART",
        `Cannot restart: new worker ${cause.worker.index} did not get ready`,
        { worker: cause.worker, exit: cause.exit, cause: cause.exit.error },
      );
    this.#restarting?.reject(error);
    this.#restarting = undefined;
  }

  #finish(error: PreforkError | undefined): void {
    const { signal } = this.#options;
    if (signal?.aborted) this.#settle(signal.reason);
    else if (error !== undefined) this.#settle(error);
    else this.#settle();
  }

  #settle(...failure: [] | [unknown]): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#end.abort();
    if (this.#restarting !== undefined) this.#failRestart();
    if (failure.length > 0) {
      this.#ready.reject(failure[0]);
      this.#finished.reject(failure[0]);
    } else {
      const message = "Cannot get ready: all workers were asked to end";
      this.#ready.reject(new PreforkError("ERR_NET_PREFORK_STOPPING", message));
      this.#finished.resolve();
    }
  }

  readonly #onAbort = (): void => this.#act((nowMs) => this.#supervisor.kill(nowMs));

  #armTimer(): void {
    const { clock } = this.#options;
    const { deadlineMs } = this.#supervisor;
    if (deadlineMs === this.#timerMs) return;
    if (this.#timer !== undefined) clock.clearTimer(this.#timer);
    this.#timerMs = deadlineMs;
    this.#timer = deadlineMs === Infinity
      ? undefined
      : clock.setTimer(this.#onTimer, Math.max(0, deadlineMs - clock.now()));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#timerMs = Infinity;
    this.#act((nowMs) => this.#supervisor.handleTimeout(nowMs));
  };

  async #watchSignals(): Promise<void> {
    try {
      const { signal } = this.#end;
      await shutdownSignal({ signal });
      const second = shutdownSignal({ signal });
      this.#act((nowMs) => this.#supervisor.stop(nowMs));
      await second;
      this.#act((nowMs) => this.#supervisor.kill(nowMs));
    } catch (error) {
      if (!this.#end.signal.aborted) throw error;
    }
  }
}

/**
 * Runs a module in several processes or threads, so that a server uses several cores, and looks
 * after them: one that crashes is replaced, all of them are on request one after the other, all end
 * in order, and none outlives this program.
 *
 * The module calls {@linkcode preforkWorker}; a server gets the result as its option `worker`. Each
 * worker listens on the same port, and the system deals out the connections; no worker passes one
 * on to another. It does not look at how busy they are: short connections spread evenly, a few that
 * live long may not.
 *
 * - **A crash** is a worker that ends by itself, whatever its exit code, or does not get ready in
 *   time. See {@linkcode PreforkRestartOptions}.
 * - **Stopping** a worker: `worker.isStopping` becomes true, so that health checks can fail; it
 *   accepts for `drainMs` more; it closes its port; for a moment what it accepted may still send
 *   something, and whoever asks on a kept connection is told that it ends with the answer; it
 *   finishes within `graceMs`, and is killed if it has not ended by then.
 * - **What is lost**: a port that closes loses the connections that wait in its queue, and their
 *   clients see a reset: a few for each port, under clients that never pause on a busy machine
 *   (`tests/bench/prefork` counts them). `drainMs` does not make them fewer: it is for who looks at
 *   health checks. The other workers take over that queue only if the system is told so, by
 *   `sysctl net.ipv4.tcp_migrate_req=1`. Clients that must not see it try again.
 * - **The end of this program**, by whatever signal, is noticed by its processes at once: they stop,
 *   too. Only one that is caught in an endless loop notices nothing.
 * - **Output** of workers goes where that of this program goes.
 *
 * Linux. Elsewhere workers run, but cannot share a port.
 *
 * Permissions for processes: `--allow-run` of the path of Deno, `--allow-env=NODE_V8_COVERAGE`,
 * which `node:child_process` reads; for threads `--allow-read` of the module. Processes get what
 * {@linkcode PreforkOptions.permissions} says, and may read one variable, `NBIO_PREFORK`.
 *
 * @param options What to run, and bounds.
 * @returns The running workers.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If `module` is not an absolute URL.
 * @throws {Error} The reason of `signal`, if it is aborted already.
 *
 * @example A server on all cores, in one module
 * ```ts ignore
 * import { serve } from "@nbio/net/http";
 * import { prefork, preforkWorker } from "@nbio/net/nbio";
 *
 * const worker = preforkWorker();
 * if (worker) {
 *   serve((ctx) => ctx.text(`worker ${worker.index}\n`), { port: 8000, worker });
 * } else {
 *   await prefork({ module: import.meta.url, permissions: ["--allow-net=0.0.0.0:8000"] }).finished;
 * }
 * ```
 *
 * @example Workers that do not last
 * ```ts
 * import { prefork, PreforkError } from "@nbio/net/nbio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const module = "data:text/javascript,Deno.exit(3)";
 * const cluster = prefork({ module, workers: 1, permissions: [], restart: { max: 1, backoffMs: 0 } });
 * const error = await assertRejects(() => cluster.finished, PreforkError);
 * assertEquals([error.code, error.exit?.code], ["ERR_NET_PREFORK_CRASHED", 3]);
 * ```
 */
export function prefork(options: PreforkOptions): Prefork {
  const resolved = resolvePreforkOptions(options);
  resolved.signal?.throwIfAborted();
  const { mode, module } = resolved;
  return new Prefork(
    resolved,
    mode === "threads" ? threadLauncher(module) : loadProcessLauncher(resolved),
  );
}
