import { frame, join, KEY } from "../../_support/websocket_frames.ts";

/** What the frames of a ring have in common. */
export interface FrameRingOptions {
  /** 1 for text, 2 for binary messages. */
  readonly opcode: number;
  /** The three reserved bits; 4 for compressed messages. */
  readonly reserved: number;
  /** Most frames that are taken at once. */
  readonly inFlight: number;
}

/** Masked frames to be sent over and over, each run of them in one piece of memory. */
export class FrameRing {
  /** Number of different frames. */
  readonly count: number;
  /** The frames, and behind them the first ones again. */
  readonly #bytes: Uint8Array<ArrayBuffer>;
  /** Where each frame begins, and the end. */
  readonly #offsets: readonly number[];

  /**
   * @param payloads The payload of each frame.
   * @param options What they have in common.
   */
  constructor(
    payloads: readonly Uint8Array[],
    { opcode, reserved, inFlight }: FrameRingOptions,
  ) {
    this.count = payloads.length;
    const once = payloads.map((payload) => frame({ opcode, reserved, payload, key: KEY }));
    const frames = Array.from(
      { length: this.count + inFlight },
      (_, index) => once[index % this.count]!,
    );
    const offsets = [0];
    for (const { length } of frames) offsets.push(offsets.at(-1)! + length);
    this.#offsets = offsets;
    this.#bytes = join(...frames);
  }

  /** The bytes of `count` frames, no more than `inFlight`, from that of `index` on. */
  take(index: number, count: number): Uint8Array<ArrayBuffer> {
    const first = index % this.count;
    return this.#bytes.subarray(this.#offsets[first], this.#offsets[first + count]);
  }
}
