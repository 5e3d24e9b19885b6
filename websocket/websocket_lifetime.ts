import type { Deadline } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import { lingeringClose } from "../nbio/linger.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { CloseCode } from "./close_code.ts";
import type { WebSocketCore } from "./connection.ts";
import type { WebSocketInput } from "./websocket_input.ts";
import type { ResolvedWebSocketOptions } from "./websocket_options.ts";
import { WebSocketOutput } from "./websocket_output.ts";
import type { WebSocketPings } from "./websocket_pings.ts";
import { joinShutdown, leaveShutdown } from "./websocket_shutdown.ts";

/** How a connection ended. */
export interface WebSocketClosure {
  /**
   * Code of the peer's Close frame, 1005 if that had none, 1006 if none came; after an error, the
   * one that was sent because of it.
   */
  readonly code: number;
  /** The reason beside it, maybe empty. */
  readonly reason: string;
  /** Whether a Close frame went both ways. */
  readonly clean: boolean;
  /** Who began: this end or the peer. */
  readonly by: "local" | "remote";
}

/** What a {@linkcode WebSocketLifetime} brings to its end. */
export interface LifetimeParts {
  /** Says when the end has come. */
  readonly core: WebSocketCore;
  /** What is closed. */
  readonly transport: Transport;
  /** Bounds and deadlines. */
  readonly options: ResolvedWebSocketOptions;
  /** The reading half. */
  readonly input: WebSocketInput;
  /** Those who wait for pongs. */
  readonly pings: WebSocketPings;
  /** When to say 1001. */
  readonly shutdownSignal: AbortSignal | undefined;
}

/**
 * When a connection ends, and how: keepalive and its deadline, the closing handshake, a signal, a
 * write that failed. It has the writing half, whose failures it learns of.
 */
export class WebSocketLifetime {
  /** The writing half. */
  readonly output: WebSocketOutput;

  readonly #core: WebSocketCore;
  readonly #transport: Transport;
  readonly #options: ResolvedWebSocketOptions;
  readonly #input: WebSocketInput;
  readonly #pings: WebSocketPings;
  readonly #shutdownSignal: AbortSignal | undefined;
  readonly #deadline: Deadline;
  #onAbort: (() => void) | undefined;
  /** Made for who asks for it. */
  #closed: PromiseWithResolvers<WebSocketClosure> | undefined;
  /** How it ended, as soon as it has. */
  #ended: WebSocketClosure | undefined;
  /** When the deadline is armed for. */
  #armedMs = Infinity;
  #isFinishing = false;
  #isDisconnecting = false;
  /** Why the connection was given up; the core does not know. */
  #dropped: { readonly error: unknown } | undefined;
  /** Why nothing can be written. */
  #broken: { readonly error: unknown } | undefined;

  /** @param parts What to bring to its end. */
  constructor(parts: LifetimeParts) {
    const { core, transport, options } = parts;
    this.#core = core;
    this.#transport = transport;
    this.#options = options;
    this.#input = parts.input;
    this.#pings = parts.pings;
    this.#shutdownSignal = parts.shutdownSignal;
    this.#deadline = options.wheel.create(() => this.#onDeadline());
    this.output = new WebSocketOutput(core, transport, options, (error) => {
      this.#onWriteFailure(error);
    });
  }

  /** Why the connection was given up, if it was. */
  get dropped(): { readonly error: unknown } | undefined {
    return this.#dropped;
  }

  /** Resolves when the connection has ended and is closed. It never rejects. */
  get closed(): Promise<WebSocketClosure> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers();
      if (this.#ended !== undefined) this.#closed.resolve(this.#ended);
    }
    return this.#closed.promise;
  }

  /** Begins to look at the signals. */
  watch(): void {
    const { signal } = this.#options;
    const shutdownSignal = this.#shutdownSignal;
    if (signal?.aborted) return this.#drop(signal.reason);
    if (signal !== undefined) {
      this.#onAbort = () => this.#drop(signal.reason);
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    if (shutdownSignal?.aborted) this.close(CloseCode.GOING_AWAY);
    else if (shutdownSignal !== undefined) joinShutdown(shutdownSignal, this);
  }

  /**
   * Begins to close.
   *
   * @throws {RangeError} If the code may not be sent, or the reason is too long.
   */
  close(code: number, reason: string = ""): void {
    this.#core.close(code, reason, this.#options.wheel.now());
    this.settle();
  }

  /** Arms the deadline for what the core is waiting for. */
  arm(): void {
    if (this.#isDisconnecting) return;
    const dueMs = this.#core.deadlineMs;
    if (dueMs >= this.#armedMs) return;
    this.#armedMs = dueMs;
    // 0 would disarm it.
    this.#deadline.arm(Math.max(1, dueMs - this.#options.wheel.now()));
  }

  /** Does what the state of the core asks for. */
  settle(): void {
    if (this.#isDisconnecting) return;
    if (this.#core.mustDisconnect) void this.#disconnect();
    else {
      this.output.flush();
      if (this.#core.state !== "open" && !this.#isFinishing) void this.#finish();
      this.arm();
    }
  }

  /** Reads on to the end of the closing handshake, and to that of the stream. */
  async #finish(): Promise<void> {
    this.#isFinishing = true;
    while (!this.#core.mustDisconnect && !this.#isDisconnecting) {
      this.output.flush();
      await this.#input.read();
      try {
        this.#input.poll();
      } catch {
        // Whoever reads messages is told; here it is the end and nothing else.
      }
    }
    this.settle();
  }

  /** Writes what is left and closes. */
  async #disconnect(): Promise<void> {
    this.#isDisconnecting = true;
    const { wheel, closeTimeoutMs } = this.#options;
    const isReading = this.#input.isReading;
    this.#armedMs = 0;
    this.#deadline.arm(closeTimeoutMs);
    await this.output.settled();
    const { closure } = this.#core;
    const isGone = closure?.code === CloseCode.ABNORMAL_CLOSURE || this.output.isBroken;
    // A reset would take our last words from the peer: it is to end first, if it wants to.
    const bounds = closure?.clean ? {} : { maxBytes: 0, timeoutMs: closeTimeoutMs };
    if (!isGone && !isReading) await lingeringClose(this.#transport, { wheel, ...bounds });
    this.#conclude();
  }

  /** Gives the connection up. */
  #drop(error: unknown): void {
    if (this.#isDisconnecting) return;
    this.#isDisconnecting = true;
    this.#dropped = { error };
    this.#conclude();
  }

  #conclude(): void {
    closeQuietly(this.#transport);
    this.#deadline.cancel();
    if (this.#onAbort !== undefined) {
      this.#options.signal?.removeEventListener("abort", this.#onAbort);
    }
    if (this.#shutdownSignal !== undefined) leaveShutdown(this.#shutdownSignal, this);
    this.#core.receiveEnd();
    const closure = this.#closure();
    const error = this.#dropped?.error ??
      new ConnectionClosedError("Cannot go on: the connection is closed");
    this.output.close(error);
    this.#pings.close(error);
    const { code, reason, clean, by } = closure;
    this.#ended = { code, reason, clean, by };
    this.#closed?.resolve(this.#ended);
  }

  /** How it ended; makes the core end, so that it lets go of what it holds. */
  #closure(): WebSocketClosure {
    const { closure } = this.#core;
    if (closure !== undefined) return closure;
    this.#core.close(CloseCode.GOING_AWAY);
    try {
      this.#core.nextEvent();
    } catch {
      // What was said about the end counts.
    }
    const by = this.#broken === undefined ? "local" : "remote";
    return { code: CloseCode.ABNORMAL_CLOSURE, reason: "", clean: false, by };
  }

  #onDeadline(): void {
    this.#armedMs = Infinity;
    if (this.#isDisconnecting) return closeQuietly(this.#transport);
    if (this.#broken !== undefined) return this.#drop(this.#broken.error);
    this.#core.handleTimeout(this.#options.wheel.now());
    this.settle();
  }

  /** Nothing can be sent. What has come, such as why, can still be read for a while. */
  #onWriteFailure(error: unknown): void {
    if (this.#isDisconnecting) return;
    // Time was up: the transport is closed already.
    if (error instanceof TimeoutError) return this.#drop(error);
    this.#broken = { error };
    this.#armedMs = 0;
    this.#deadline.arm(this.#options.closeTimeoutMs);
  }
}
