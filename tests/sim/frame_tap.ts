import { joinBytes } from "./http_plan.ts";
import { check } from "./simulation_error.ts";
import type { WireTap } from "./stream_connection.ts";

const OPCODE_CLOSE = 0x8;
const MAX_CONTROL_BYTES = 125;

/**
 * Looks at what an end of a WebSocket writes, with nothing of the package: frames that are whole
 * and masked as they have to be, fragments in their order, and nothing behind a close.
 *
 * @param role Whose bytes they are.
 * @param onFound Told of what does not hold.
 * @returns The tap for its connection.
 */
export function frameTap(role: "client" | "server", onFound: (error: unknown) => void): WireTap {
  let watch: FrameWatch | undefined = new FrameWatch(role);
  return (bytes) => {
    try {
      watch?.receive(bytes);
    } catch (error) {
      // What comes behind a mistake means nothing.
      watch = undefined;
      onFound(error);
    }
  };
}

class FrameWatch {
  readonly #isMasked: boolean;
  #isHandshake = true;
  #held: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #payloadLeft = 0;
  #isFragmented = false;
  #isClosed = false;

  constructor(role: "client" | "server") {
    this.#isMasked = role === "client";
  }

  receive(bytes: Uint8Array): void {
    this.#held = joinBytes([this.#held, bytes]);
    while (this.#isHandshake ? this.#skipHandshake() : this.#skipFrame());
  }

  #skipHandshake(): boolean {
    const end = new TextDecoder("latin1").decode(this.#held).indexOf("\r\n\r\n");
    if (end < 0) return false;
    this.#held = this.#held.slice(end + 4);
    this.#isHandshake = false;
    return true;
  }

  #skipFrame(): boolean {
    const skipped = Math.min(this.#payloadLeft, this.#held.length);
    this.#payloadLeft -= skipped;
    this.#held = this.#held.slice(skipped);
    if (this.#payloadLeft > 0 || this.#held.length < 2) return false;
    const [first, second] = this.#held as unknown as [number, number];
    const short = second & 0x7f;
    const extraBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const headBytes = 2 + extraBytes + (second & 0x80 ? 4 : 0);
    if (this.#held.length < headBytes) return false;
    const view = new DataView(this.#held.buffer);
    this.#payloadLeft = short === 127
      ? Number(view.getBigUint64(2))
      : short === 126
      ? view.getUint16(2)
      : short;
    this.#checkHead(first, (second & 0x80) !== 0);
    this.#held = this.#held.slice(headBytes);
    return true;
  }

  #checkHead(first: number, isMasked: boolean): void {
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    check(!this.#isClosed, "a frame behind a close", { opcode });
    check(isMasked === this.#isMasked, `a frame with mask ${isMasked}`, { opcode });
    if (opcode >= 0x8) {
      check(isFinal && this.#payloadLeft <= MAX_CONTROL_BYTES, "a control frame that is none");
      this.#isClosed = opcode === OPCODE_CLOSE;
      return;
    }
    check((opcode === 0) === this.#isFragmented, "a fragment out of its order", { opcode });
    this.#isFragmented = !isFinal;
  }
}
