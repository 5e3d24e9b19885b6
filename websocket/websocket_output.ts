import { systemClock } from "../nbio/clock.ts";
import type { Deadline } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../nbio/errors.ts";
import { sendAll, type SendStatus } from "../nbio/send_all.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import type { WebSocketCore } from "./connection.ts";
import type { ResolvedWebSocketOptions } from "./websocket_options.ts";

/** Sends that need not wait share it. */
const DONE: Promise<void> = Promise.resolve();

/**
 * The writing half of a connection: one write at a time, everything that waits in
 * it, and the waiting of those who send too much.
 */
export class WebSocketOutput {
  readonly #core: WebSocketCore;
  readonly #transport: Transport;
  readonly #options: ResolvedWebSocketOptions;
  readonly #onFailure: (error: unknown) => void;
  readonly #deadline: Deadline;
  readonly #status: SendStatus = { sentBytes: 0, mayHaveSent: false };
  /** What had left when the deadline was last looked at. */
  #markBytes = 0;
  /** What is being written. */
  #writing: Uint8Array | undefined;
  #isScheduled = false;
  /** Whether the timer of the corked knows of it. */
  #isCorked = false;
  #failure: { readonly error: unknown } | undefined;
  /** Those who wait for room, all of them. */
  #room: PromiseWithResolvers<void> | undefined;
  /** Those who wait until nothing is left. */
  #idle: PromiseWithResolvers<void> | undefined;
  #isTaken = false;
  /** What waits for the end of a message in fragments, in order. */
  readonly #waiting: (() => void)[] = [];

  /**
   * @param core Has the bytes.
   * @param transport Where they go.
   * @param options Bounds.
   * @param onFailure Told once when a write has failed.
   */
  constructor(
    core: WebSocketCore,
    transport: Transport,
    options: ResolvedWebSocketOptions,
    onFailure: (error: unknown) => void,
  ) {
    this.#core = core;
    this.#transport = transport;
    this.#options = options;
    this.#onFailure = onFailure;
    this.#deadline = options.wheel.create(() => this.#checkProgress());
  }

  /** Whether nothing can be written any more. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Sees that what the core has to say is written: once for all that is said in
   * this turn, or, corked, when the reader has used up what it has read.
   *
   * @param isCorked Whether more will be said.
   * @returns Resolves when no more than the high-water mark waits. Nobody has to
   * look at it.
   */
  schedule(isCorked: boolean): Promise<void> {
    if (this.#failure !== undefined) return rejectQuietly(this.#failure.error);
    const isBehind = this.#core.isWriterBehind;
    if (this.#writing === undefined) {
      if (!isCorked || isBehind) this.#flushSoon();
      // Who reads on flushes; this is for who does something else first.
      else if (!this.#isCorked) this.#cork();
    }
    return isBehind ? this.#waitForRoom() : DONE;
  }

  /** Writes what is there, unless that is under way. */
  flush(): void {
    if (this.#writing !== undefined || this.#failure !== undefined) return;
    const output = this.#core.takeOutput();
    if (output !== undefined) this.#write(output);
  }

  /** Who was corked has had the time to say more. */
  uncork(): void {
    this.#isCorked = false;
    this.flush();
  }

  /** Resolves when everything is written or nothing can be. */
  settled(): Promise<void> {
    this.flush();
    if (this.#writing === undefined) return DONE;
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /**
   * Runs something when no message in fragments is under way, in order.
   *
   * @param action What to run.
   * @returns What it gives.
   * @throws {LimitExceededError} If too many wait.
   */
  whenFree<T>(action: () => T | Promise<T>): Promise<T> {
    if (this.#failure !== undefined) return rejectQuietly(this.#failure.error);
    if (this.#waiting.length >= this.#options.maxWaitingSends) {
      const max = this.#options.maxWaitingSends;
      return rejectQuietly(
        new LimitExceededError("Cannot send: too many wait for a message in fragments to end", {
          limit: "maxWaitingSends",
          max,
        }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    promise.catch(() => {});
    this.#waiting.push(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    });
    this.#runWaiting();
    return promise;
  }

  /** Whether a message in fragments is under way. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Begins a message in fragments: the others wait. */
  take(): void {
    this.#isTaken = true;
  }

  /** The message in fragments has ended. */
  release(): void {
    this.#isTaken = false;
    this.#runWaiting();
  }

  /** Nothing will be written any more: lets go of timers and of those who wait. */
  close(error: unknown): void {
    this.#failure ??= { error };
    this.#deadline.cancel();
    if (this.#isCorked) this.#forgetCork();
    this.#room?.reject(this.#failure.error);
    this.#room = undefined;
    this.#isTaken = false;
    // Each of them is told by the core that it comes too late.
    this.#runWaiting();
  }

  readonly #flushNow = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  #cork(): void {
    this.#isCorked = true;
    corked.add(this);
    corkTimer ??= systemClock.setTimer(uncorkAll, 0);
  }

  #forgetCork(): void {
    this.#isCorked = false;
    corked.delete(this);
    if (corked.size > 0) return;
    systemClock.clearTimer(corkTimer);
    corkTimer = undefined;
  }

  #flushSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#flushNow);
  }

  /** Not an asynchronous function: that would cost more than all else around a short write. */
  #write(output: Uint8Array): void {
    this.#writing = output;
    this.#watchProgress();
    try {
      this.#transport.write(output).then(this.#onWritten, this.#onFailed);
    } catch (error) {
      this.#onFailed(error);
    }
  }

  readonly #onWritten = (byteCount: number): void => {
    const output = this.#writing!;
    this.#status.sentBytes += byteCount;
    if (byteCount === output.length) return this.#onSent();
    this.#watchProgress();
    const options = { status: this.#status };
    sendAll(this.#transport, output.subarray(byteCount), options).then(
      this.#onSent,
      this.#onFailed,
    );
  };

  readonly #onSent = (): void => {
    const output = this.#core.takeOutput();
    if (!this.#core.isWriterBehind) this.#giveRoom();
    if (output === undefined) this.#endWriting();
    else this.#write(output);
  };

  readonly #onFailed = (error: unknown): void => {
    this.#fail(error);
    this.#endWriting();
  };

  #endWriting(): void {
    this.#deadline.cancel();
    this.#writing = undefined;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #watchProgress(): void {
    this.#markBytes = this.#status.sentBytes;
    this.#deadline.arm(this.#options.writeTimeoutMs);
  }

  #checkProgress(): void {
    if (this.#status.sentBytes !== this.#markBytes) return this.#watchProgress();
    const { writeTimeoutMs } = this.#options;
    this.#failure ??= {
      error: new TimeoutError(`Cannot write: no progress in ${writeTimeoutMs} ms`, {
        phase: "write",
        timeoutMs: writeTimeoutMs,
      }),
    };
    closeQuietly(this.#transport);
  }

  #fail(cause: unknown): void {
    this.#failure ??= {
      error: new ConnectionClosedError("Cannot send: the connection broke", { cause }),
    };
    const { error } = this.#failure;
    this.#room?.reject(error);
    this.#room = undefined;
    this.#onFailure(error);
  }

  #waitForRoom(): Promise<void> {
    if (this.#room === undefined) {
      this.#room = Promise.withResolvers();
      this.#room.promise.catch(() => {});
    }
    return this.#room.promise;
  }

  #giveRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #runWaiting(): void {
    while (!this.#isTaken && this.#waiting.length > 0) this.#waiting.shift()!();
  }
}

/** Those whose bytes wait for more, and the one timer that ends that: one each would cost much. */
const corked = new Set<WebSocketOutput>();
let corkTimer: unknown;

function uncorkAll(): void {
  corkTimer = undefined;
  const outputs = [...corked];
  corked.clear();
  for (const output of outputs) output.uncork();
}

/** A rejection that does not end the process of who did not wait for it. */
export function rejectQuietly(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
