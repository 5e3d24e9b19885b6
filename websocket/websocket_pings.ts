import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import type { WebSocketInputHooks } from "./websocket_input.ts";

/** Most pings that wait for their answers. */
const MAX_PINGS = 1_000;
const PAYLOAD_BYTES = 4;

interface Ping {
  readonly id: number;
  readonly sentMs: number;
  readonly answered: PromiseWithResolvers<number>;
}

/** The pings of one end that wait for their answers. */
export class WebSocketPings {
  readonly #waiting: Ping[] = [];
  #lastId = 0;

  /** The payload of the next ping. */
  nextPayload(): Uint8Array {
    if (this.#waiting.length >= MAX_PINGS) {
      throw new LimitExceededError("Cannot ping: too many pings wait for their answers", {
        limit: "MAX_PINGS",
        max: MAX_PINGS,
      });
    }
    const payload = new Uint8Array(PAYLOAD_BYTES);
    new DataView(payload.buffer).setUint32(0, this.#lastId + 1);
    return payload;
  }

  /** The ping with that payload was sent. Resolves with the milliseconds to its answer. */
  add(nowMs: number): Promise<number> {
    this.#lastId = (this.#lastId + 1) >>> 0;
    const answered = Promise.withResolvers<number>();
    // Nobody has to wait for it.
    answered.promise.catch(() => {});
    this.#waiting.push({ id: this.#lastId, sentMs: nowMs, answered });
    return answered.promise;
  }

  /** A pong has come: it may answer several pings (RFC 6455 section 5.5.3), or none of ours. */
  resolve(payload: Uint8Array, nowMs: number): void {
    if (payload.length !== PAYLOAD_BYTES) return;
    const id = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    const index = this.#waiting.findIndex((ping) => ping.id === id);
    for (const { sentMs, answered } of this.#waiting.splice(0, index + 1)) {
      answered.resolve(nowMs - sentMs);
    }
  }

  /** No answer will come. */
  close(error: unknown): void {
    for (const { answered } of this.#waiting.splice(0)) answered.reject(error);
  }
}

/** Brings pings and the reading half together. */
export class WebSocketPongs implements WebSocketInputHooks {
  readonly #pings: WebSocketPings;
  readonly #wheel: DeadlineWheel;

  /**
   * @param pings Wait for their answers.
   * @param wheel Whose clock counts.
   */
  constructor(pings: WebSocketPings, wheel: DeadlineWheel) {
    this.#pings = pings;
    this.#wheel = wheel;
  }

  now(): number {
    return this.#wheel.now();
  }

  onPong(payload: Uint8Array): void {
    this.#pings.resolve(payload, this.#wheel.now());
  }
}
