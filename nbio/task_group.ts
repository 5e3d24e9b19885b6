/**
 * {@linkcode TaskGroup}: tasks that run side by side, and the one who waits for
 * them all.
 *
 * @module
 */

import { checkBound } from "./_check_bound.ts";
import { type Clock, systemClock } from "./clock.ts";
import { LimitExceededError } from "./errors.ts";
import { checkTimeLeft } from "./guard.ts";
import type { OperationOptions } from "./operation.ts";
import { WaitList } from "./wait_list.ts";

/** Options of {@linkcode TaskGroup}. */
export interface TaskGroupOptions {
  /**
   * Tasks that may run at a time; `spawn` throws when there are so many. To
   * wait instead, take a permit of a {@linkcode Semaphore} before each `spawn`,
   * and give it back in the task. 0 and `Infinity` mean no limit.
   *
   * @default {10_000}
   */
  readonly maxTasks?: number;

  /**
   * Errors that are kept until somebody takes them. With so many the group
   * starts no task any more, because it could not keep another error: it holds
   * at most this number and one more for each task that still runs. 0 and
   * `Infinity` mean no limit.
   *
   * @default {1_000}
   */
  readonly maxErrors?: number;

  /**
   * Whether the first error aborts the group with that error as the reason: for
   * tasks that are of use only together.
   *
   * @default {false}
   */
  readonly abortOnError?: boolean;

  /**
   * Told each error at once, which the group does not keep then: for a group
   * that lives as long as its process. What it throws is kept instead.
   *
   * @default {undefined}
   */
  readonly onError?: (error: unknown, task: PendingTask) => void;

  /**
   * Aborts the group with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;

  /**
   * What the ages of tasks are measured by.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** Options of {@linkcode TaskGroup.spawn}. */
export interface SpawnOptions {
  /**
   * What {@linkcode TaskGroup.pending} calls the task.
   *
   * @default {the name of the function, else "task" and its number}
   */
  readonly name?: string;
}

/** A task that has not settled. */
export interface PendingTask {
  /** What the task is called. */
  readonly name: string;
  /** The instant of the group's clock at which it was spawned, in milliseconds. */
  readonly spawnedMs: number;
  /** Milliseconds since then. */
  readonly ageMs: number;
}

/** Drains that may wait at a time: they are calls of our owner, not of a peer. */
const MAX_DRAINS = 10_000;

/** Tasks the message of a timed-out drain names. */
const MAX_NAMED = 5;

/** What a task is, from its start to its end. */
interface Task {
  readonly id: number;
  readonly name: string;
  readonly spawnedMs: number;
  /**
   * Each task has its own: a signal looks through all of its listeners when one
   * leaves, so one for thousands of tasks would cost each of them the others.
   */
  readonly controller: AbortController;
}

/**
 * A set of tasks that run side by side and are waited for together. It is what
 * the `run` of an event loop is in a language whose loop runs by itself:
 * `drain` returns when there is nothing left to do.
 *
 * Errors: whatever a task throws is kept by the group, and the next `drain`
 * that ends, or `takeErrors`, gives it out, once. So none is lost, and none is
 * an unhandled rejection, whether or not anybody looks at the promise of
 * `spawn`. A task to which an error is an outcome catches it itself. A task
 * that rejects with the very reason the group was aborted with has done as it
 * was told: that is no error.
 *
 * Aborting is final, and asks only: the tasks are pending until they settle.
 *
 * @example Serving until told to stop
 * ```ts
 * import { AsyncQueue, TaskGroup } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const group = new TaskGroup();
 * const jobs = new AsyncQueue<string>();
 * const done: string[] = [];
 *
 * group.spawn(async (signal) => {
 *   for (let job; (job = await jobs.pop({ signal })) !== undefined;) {
 *     const name = job;
 *     group.spawn(() => done.push(name), { name });
 *   }
 * }, { name: "dispatcher" });
 *
 * await jobs.push("first");
 * await jobs.push("second");
 * assertEquals(group.pending()[0]?.name, "dispatcher");
 * jobs.close();
 * await group.drain({ timeoutMs: 5_000 });
 * assertEquals(done, ["first", "second"]);
 * ```
 */
export class TaskGroup implements AsyncDisposable {
  readonly #maxTasks: number;
  readonly #maxErrors: number;
  readonly #abortOnError: boolean;
  readonly #onError: ((error: unknown, task: PendingTask) => void) | undefined;
  readonly #parent: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #tasks: Set<Task> = new Set();
  readonly #drains: WaitList<void, void>;
  #errors: unknown[] = [];
  #spawnedCount = 0;
  #abortion: { readonly reason: unknown } | undefined;

  /**
   * Makes a group without tasks.
   *
   * @param options Bounds, and what becomes of errors.
   * @throws {RangeError} If a bound is negative, or neither an integer nor
   * `Infinity`.
   */
  constructor(options: TaskGroupOptions = {}) {
    this.#maxTasks = checkBound("maxTasks", options.maxTasks ?? 10_000);
    this.#maxErrors = checkBound("maxErrors", options.maxErrors ?? 1_000);
    this.#abortOnError = options.abortOnError ?? false;
    this.#onError = options.onError;
    this.#parent = options.signal;
    this.#clock = options.clock ?? systemClock;
    this.#drains = new WaitList({ maxWaiters: MAX_DRAINS, describe: () => this.#describe() });
  }

  /** How many tasks have not settled. */
  get pendingCount(): number {
    return this.#tasks.size;
  }

  /** How many errors wait to be taken. */
  get errorCount(): number {
    return this.#errors.length;
  }

  /**
   * What has not settled, and since when: for the question why a program does
   * not end.
   *
   * @returns The tasks, oldest first. Linear in their number.
   *
   * @example Who is late
   * ```ts
   * import { TaskGroup } from "@nbio/net/nbio";
   * import { ManualClock } from "@nbio/net/nbio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const clock = new ManualClock();
   * const group = new TaskGroup({ clock });
   * const { promise, resolve } = Promise.withResolvers<void>();
   * group.spawn(() => promise, { name: "backup" });
   * clock.advance(5_000);
   * assertEquals(group.pending(), [{ name: "backup", spawnedMs: 0, ageMs: 5_000 }]);
   * resolve();
   * await group.drain();
   * ```
   */
  pending(): PendingTask[] {
    return Array.from(this.#tasks, (task) => this.#show(task));
  }

  /**
   * Starts a task at once: it runs up to its first `await` before this returns.
   *
   * @param task What to run, with a signal that is aborted when the group is.
   * @param options Its name.
   * @returns What the task gives. Nobody need look at it: the group keeps what
   * the task throws, even from one who does.
   * @throws {LimitExceededError} If `maxTasks` run, or `maxErrors` errors wait
   * to be taken. The task has not been started.
   * @throws {Error} The reason the group was aborted with.
   *
   * @example A result, and an error that comes with the drain
   * ```ts
   * import { TaskGroup } from "@nbio/net/nbio";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * const group = new TaskGroup();
   * const length = group.spawn(() => Promise.resolve("hello".length));
   * group.spawn(() => Promise.reject(new RangeError("from a task")));
   * assertEquals(await length, 5);
   * await assertRejects(() => group.drain(), RangeError);
   * ```
   */
  spawn<T>(
    task: (signal: AbortSignal) => T | PromiseLike<T>,
    options: SpawnOptions = {},
  ): Promise<T> {
    this.#checkSpawn();
    const id = ++this.#spawnedCount;
    const spawned: Task = {
      id,
      name: options.name ?? task.name,
      spawnedMs: this.#clock.now(),
      controller: new AbortController(),
    };
    this.#enter(spawned);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // The group keeps the error: one that nobody looks at here is not lost.
    promise.catch(() => {});
    Promise.try(task, spawned.controller.signal).then(
      (value) => {
        resolve(value);
        this.#leave(spawned);
      },
      (error) => {
        reject(error);
        this.#keep(error, spawned);
        this.#leave(spawned);
      },
    );
    return promise;
  }

  /**
   * Waits until no task is pending, those included that tasks spawn meanwhile,
   * or that are spawned where the promise of `spawn` was awaited. A group can
   * be drained again and again.
   *
   * Drains that wait at the same time end alike. One that gives up leaves
   * tasks and errors as they are. A task that drains its own group waits for
   * itself.
   *
   * @param options Deadline and signal. A deadline on the shared wheel keeps the
   * process alive.
   * @throws {TimeoutError} If tasks are pending when the deadline passes;
   * `phase` is `"drain"`, and the message names the oldest ones.
   * @throws {AggregateError} If more than one error was kept: all of them, in
   * the order in which they came.
   * @throws {RangeError} If `timeoutMs` or `deadlineMs` is negative or not a number.
   * @throws {Error} The one error that was kept, untouched, or the signal's reason.
   *
   * @example All errors
   * ```ts
   * import { TaskGroup } from "@nbio/net/nbio";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * const group = new TaskGroup();
   * for (const name of ["a", "b"]) group.spawn(() => Promise.reject(new Error(name)));
   * const error = await assertRejects(() => group.drain(), AggregateError);
   * assertEquals(error.errors.length, 2);
   * ```
   */
  async drain(options: OperationOptions = {}): Promise<void> {
    checkTimeLeft("drain", options);
    if (this.#tasks.size > 0) return await this.#drains.wait("drain", options);
    const errors = this.takeErrors();
    if (errors.length > 0) throw toError(errors);
  }

  /**
   * Takes the errors kept so far, without waiting for anything.
   *
   * @returns The errors, in the order in which they came; no drain throws them.
   *
   * @example Looking through them from time to time
   * ```ts
   * import { TaskGroup } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const group = new TaskGroup();
   * await group.spawn(() => Promise.reject(new RangeError("odd"))).catch(() => {});
   * assertEquals(group.takeErrors().length, 1);
   * await group.drain();
   * ```
   */
  takeErrors(): unknown[] {
    const errors = this.#errors;
    this.#errors = [];
    return errors;
  }

  /**
   * Aborts the signal of every task, and refuses new ones. Only the first call
   * counts.
   *
   * @param reason What the signals, and calls of `spawn`, give as the reason;
   * an `AbortError` by default.
   *
   * @example Telling the tasks to end
   * ```ts
   * import { AsyncQueue, TaskGroup } from "@nbio/net/nbio";
   * import { assertEquals } from "@std/assert";
   *
   * const group = new TaskGroup();
   * const queue = new AsyncQueue<string>();
   * group.spawn((signal) => queue.pop({ signal }));
   * group.abort();
   * await group.drain(); // being aborted is no error
   * assertEquals([group.pendingCount, queue.waiterCount], [0, 0]);
   * ```
   */
  abort(
    reason: unknown = new DOMException("The task group was aborted", "AbortError"),
  ): void {
    if (this.#abortion !== undefined) return;
    this.#abortion = { reason };
    for (const { controller } of this.#tasks) controller.abort(reason);
  }

  /**
   * Aborts what is pending and drains: nothing runs on after the block. To let
   * the tasks finish, `drain` at the end of the block.
   *
   * @throws {AggregateError} If more than one error was kept.
   * @throws {Error} The one error that was kept, untouched.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.drain();
  }

  #checkSpawn(): void {
    if (this.#parent?.aborted) this.abort(this.#parent.reason);
    if (this.#abortion !== undefined) throw this.#abortion.reason;
    checkCount("maxTasks", this.#tasks.size, this.#maxTasks);
    checkCount("maxErrors", this.#errors.length, this.#maxErrors);
  }

  #enter(task: Task): void {
    // Listening only while tasks run leaves nothing on a signal that outlives us.
    if (this.#tasks.size === 0) this.#parent?.addEventListener("abort", this.#onParentAbort);
    this.#tasks.add(task);
  }

  #leave(task: Task): void {
    this.#tasks.delete(task);
    if (this.#tasks.size > 0) return;
    this.#parent?.removeEventListener("abort", this.#onParentAbort);
    // A turn later: who awaited the task may go on and spawn the next one.
    queueMicrotask(this.#endDrains);
  }

  readonly #onParentAbort = (): void => this.abort(this.#parent!.reason);

  readonly #endDrains = (): void => {
    if (this.#tasks.size > 0 || this.#drains.length === 0) return;
    const errors = this.takeErrors();
    if (errors.length === 0) this.#drains.resolveAll();
    else this.#drains.rejectAll(toError(errors));
  };

  #keep(error: unknown, task: Task): void {
    if (this.#abortion !== undefined && this.#abortion.reason === error) return;
    if (this.#onError === undefined) this.#errors.push(error);
    else {
      try {
        this.#onError(error, this.#show(task));
      } catch (handlerError) {
        this.#errors.push(handlerError);
      }
    }
    if (this.#abortOnError) this.abort(error);
  }

  #show({ id, name, spawnedMs }: Task): PendingTask {
    return { name: name || `task ${id}`, spawnedMs, ageMs: this.#clock.now() - spawnedMs };
  }

  #describe(): string {
    const named = this.#tasks.values().take(MAX_NAMED).map((task) => {
      const { name, ageMs } = this.#show(task);
      return `"${name}" for ${Math.round(ageMs)} ms`;
    });
    return `${this.#tasks.size} pending: ${named.toArray().join(", ")}`;
  }
}

function toError(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  return new AggregateError(errors, `${errors.length} tasks failed`);
}

function checkCount(limit: "maxTasks" | "maxErrors", count: number, max: number): void {
  if (count < max) return;
  const what = limit === "maxTasks" ? "tasks run" : "errors wait to be taken";
  throw new LimitExceededError(`Cannot spawn task: ${count} ${what} already`, { limit, max });
}
