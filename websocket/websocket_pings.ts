import type { DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../nbio/errors.ts";
import { type CoarseClock, coarseClockOf } from "./coarse_clock.ts";
import type { WebSocketInputHooks } from "./websocket_input.ts";

/** Most pings that wait for their answers. */
const MAX_PINGS = 1_000;
const PAYLOAD_BYTES = 4;

interface Ping {
  readonly id: number;
  readonly sentMs: number;
  readonly answered: PromiseWithResolvers<number>;
}

/** The pings of one end that wait for their answers, and what the reading half asks for. */
export class WebSocketPings implements WebSocketInputHooks {
  readonly #wheel: DeadlineWheel;
  readonly #clock: CoarseClock;
  /** Made with the first ping: most connections never send one. */
  #waiting: Ping[] | undefined;
  #lastId = 0;

  /** @param wheel Whose clock counts. */
  constructor(wheel: DeadlineWheel) {
    this.#wheel = wheel;
    this.#clock = coarseClockOf(wheel);
    this.#clock.join();
  }

  now(): number {
    return this.#clock.now();
  }

  /** The payload of the next ping. */
  nextPayload(): Uint8Array {
    if (this.#waiting !== undefined && this.#waiting.length >= MAX_PINGS) {
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
  add(): Promise<number> {
    this.#lastId = (this.#lastId + 1) >>> 0;
    const answered = Promise.withResolvers<number>();
    // Nobody has to wait for it.
    answered.promise.catch(() => {});
    this.#waiting ??= [];
    this.#waiting.push({ id: this.#lastId, sentMs: this.#wheel.now(), answered });
    return answered.promise;
  }

  /** A pong has come: it may answer several pings (RFC 6455 section 5.5.3), or none of ours. */
  onPong(payload: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting === undefined || payload.length !== PAYLOAD_BYTES) return;
    const id = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    const index = waiting.findIndex((ping) => ping.id === id);
    const nowMs = this.#wheel.now();
    for (const { sentMs, answered } of waiting.splice(0, index + 1)) {
      answered.resolve(nowMs - sentMs);
    }
  }

  /** No answer will come, and nobody reads. Once. */
  close(error: unknown): void {
    this.#clock.leave();
    for (const { answered } of this.#waiting?.splice(0) ?? []) answered.reject(error);
  }
}
