import type { Transport } from "../nbio/transport.ts";
import type { WebSocketCore } from "./connection.ts";
import type { BinaryEvent, PieceEvent, TextEvent } from "./events.ts";

/** What a reader is given: a message, a piece of one, or that none will come. */
export type InputEvent = TextEvent | BinaryEvent | PieceEvent | "end";

/** What the reading half tells its connection. */
export interface WebSocketInputHooks {
  /** The instant, as exact as a deadline has to be. */
  now(): number;
  /** A pong has come. */
  onPong(payload: Uint8Array): void;
}

/**
 * The reading half of a connection: one read at a time, and only when somebody asks.
 *
 * Most of the memory of an idle connection and much of the time of a short message is what waits
 * for a read: one promise and nothing else (`tests/bench/websocket/main.ts`).
 */
export class WebSocketInput {
  readonly #core: WebSocketCore;
  readonly #transport: Transport;
  readonly #hooks: WebSocketInputHooks;
  #reading: Promise<unknown> | undefined;
  /** What whoever began the read wants to be done when it has ended. */
  #goOn: () => unknown = nothing;
  #isListening = false;
  /** When the last read ended, or somebody began to wait. */
  #readMs = 0;

  /**
   * @param core Takes the bytes.
   * @param transport Where they come from.
   * @param hooks Who wants to know.
   */
  constructor(core: WebSocketCore, transport: Transport, hooks: WebSocketInputHooks) {
    this.#core = core;
    this.#transport = transport;
    this.#hooks = hooks;
  }

  /** Whether a read waits at the transport. */
  get isReading(): boolean {
    return this.#reading !== undefined;
  }

  /**
   * Looks at what has come.
   *
   * @returns What is next; `undefined` where more has to come.
   * @throws {Error} As `nextEvent()` of the core.
   */
  poll(): InputEvent | undefined {
    for (;;) {
      const event = this.#core.nextEvent();
      if (event === undefined) return undefined;
      if (event.type === "close") return "end";
      if (event.type === "pong") this.#hooks.onPong(event.data);
      else if (event.type !== "ping") return event;
    }
  }

  /** Reads once, for all who wait. Never rejects: the core tells what went wrong. */
  read(): Promise<void>;
  /**
   * Reads once, for all who wait, and goes on at once.
   *
   * @param goOn Called when the read has ended, however.
   * @returns What that gives.
   */
  read<T>(goOn: () => T | Promise<T>): Promise<T>;
  read(goOn: () => unknown = nothing): Promise<unknown> {
    if (this.#reading !== undefined) return this.#reading.then(goOn, goOn);
    this.#goOn = goOn;
    return this.#reading = this.#startRead();
  }

  #startRead(): Promise<unknown> {
    try {
      return this.#transport.read(this.#core.writable()).then(this.#onRead, this.#onFailure);
    } catch (error) {
      return Promise.reject(error).catch(this.#onFailure);
    }
  }

  /** Somebody waits for input: silence of the peer counts. */
  listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#readMs = this.#hooks.now();
    this.#core.resumeReading(this.#readMs);
  }

  /** Nobody does any more. Gives whether that is new. */
  rest(): boolean {
    if (!this.#isListening) return false;
    this.#isListening = false;
    // Nobody has waited since: the clock need not be asked again.
    this.#core.pauseReading(this.#readMs);
    return true;
  }

  readonly #onRead = (count: number | null): unknown => {
    this.#readMs = this.#hooks.now();
    if (count === null) this.#core.receiveEnd();
    else this.#core.commit(count, this.#readMs);
    return this.#end();
  };

  /** A reset, or closed by us: in either case no more comes. */
  readonly #onFailure = (): unknown => {
    this.#core.receiveEnd();
    return this.#end();
  };

  #end(): unknown {
    this.#reading = undefined;
    return this.#goOn();
  }
}

function nothing(): void {}
