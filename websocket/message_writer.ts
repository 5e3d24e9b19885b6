// This module is sans-I/O.

import type { WebSocketCompression } from "./compression.ts";
import { WebSocketStateError } from "./errors.ts";
import { Opcode } from "./frame_decoder.ts";
import { FrameEncoder } from "./frame_encoder.ts";

/** Options of sending a message. */
export interface SendOptions {
  /**
   * Whether the message may be compressed where that was agreed on. Set it to
   * false for a secret beside text of others, whose size would tell of it.
   *
   * @default {true}
   */
  readonly compress?: boolean;
}

const RSV1 = 0x40;
const ENCODER = new TextEncoder();

/** The kind of a message in fragments, and how its next one begins. */
interface OpenMessage {
  readonly isText: boolean;
  readonly isCompressed: boolean;
  /** Opcode and RSV1 of the next frame. */
  first: number;
  /** A high surrogate that waits for its other half. */
  surrogate: string;
}

/** Turns messages into frames, compressed where that is worth it. */
export class MessageWriter {
  readonly #encoder: FrameEncoder;
  readonly #compression: Required<WebSocketCompression> | undefined;
  #open: OpenMessage | undefined;

  /**
   * @param randomMaskKey Gives the key of one frame; only on a client.
   * @param compression What was agreed on.
   */
  constructor(
    randomMaskKey: (() => number) | undefined,
    compression: Required<WebSocketCompression> | undefined,
  ) {
    this.#encoder = new FrameEncoder({ randomMaskKey });
    this.#compression = compression;
  }

  /** Bytes not written: those that wait and those the last `take()` gave. */
  get queuedBytes(): number {
    return this.#encoder.queuedBytes;
  }

  /** Takes the next bytes to write. */
  take(): Uint8Array | undefined {
    return this.#encoder.take();
  }

  /** Lets go of spare memory. */
  shrink(): void {
    this.#encoder.shrink();
  }

  /** Nothing more is sent: frees the compressor. */
  close(): void {
    this.#open = undefined;
    this.#compression?.deflater.close();
  }

  /**
   * @throws {WebSocketStateError} If a message in fragments is under way.
   */
  writeText(text: string, options?: SendOptions): void {
    if (this.#open !== undefined) throw this.#midMessage("text");
    if (this.#compression !== undefined && options?.compress !== false) {
      // UTF-8 has at most three bytes for a unit: most short text is never encoded to see it.
      if (text.length * 3 >= this.#compression.thresholdBytes) {
        return this.#writeWhole(Opcode.TEXT, ENCODER.encode(text), options);
      }
    }
    this.#encoder.writeText(Opcode.TEXT, text);
  }

  /**
   * @throws {WebSocketStateError} If a message in fragments is under way.
   */
  writeBinary(bytes: Uint8Array, options?: SendOptions): void {
    if (this.#open !== undefined) throw this.#midMessage("binary");
    this.#writeWhole(Opcode.BINARY, bytes, options);
  }

  /**
   * @throws {WebSocketStateError} If the message under way is of the other kind.
   */
  writeFragment(fragment: string | Uint8Array, isFinal: boolean, options?: SendOptions): void {
    const isText = typeof fragment === "string";
    const message = this.#open ??= this.#begin(isText, options);
    if (message.isText !== isText) throw this.#midMessage(isText ? "text" : "binary");
    const payload = isText ? encodeUnits(message, fragment, isFinal) : fragment;
    if (message.isCompressed) {
      const deflated = this.#compression!.deflater.deflate(payload, isFinal);
      this.#encoder.writeFrame(message.first, deflated, { isFinal, mustCopy: true });
    } else {
      this.#encoder.writeFrame(message.first, payload, { isFinal });
    }
    message.first = Opcode.CONTINUATION;
    if (isFinal) this.#open = undefined;
  }

  /** Writes a control frame, which may stand between fragments. */
  writeControl(opcode: number, payload: Uint8Array): void {
    this.#encoder.writeFrame(opcode, payload);
  }

  #writeWhole(opcode: number, bytes: Uint8Array, options: SendOptions | undefined): void {
    const compression = this.#compression;
    const isWorthIt = compression !== undefined && options?.compress !== false &&
      bytes.length >= compression.thresholdBytes;
    if (!isWorthIt) return this.#encoder.writeFrame(opcode, bytes);
    const deflated = compression.deflater.deflate(bytes, true);
    this.#encoder.writeFrame(opcode | RSV1, deflated, { mustCopy: true });
  }

  #begin(isText: boolean, options: SendOptions | undefined): OpenMessage {
    const isCompressed = this.#compression !== undefined && options?.compress !== false;
    const opcode = isText ? Opcode.TEXT : Opcode.BINARY;
    return { isText, isCompressed, first: isCompressed ? opcode | RSV1 : opcode, surrogate: "" };
  }

  #midMessage(event: string): WebSocketStateError {
    const kind = this.#open!.isText ? "text" : "binary";
    return new WebSocketStateError(
      "ERR_WEBSOCKET_MESSAGE_OPEN",
      `Cannot send ${event}: a ${kind} message in fragments is under way`,
      { state: `in ${kind} message`, event },
    );
  }
}

/** UTF-8 of a fragment; half of a surrogate pair waits for the next. */
function encodeUnits(message: OpenMessage, fragment: string, isFinal: boolean): Uint8Array {
  let text = message.surrogate + fragment;
  message.surrogate = "";
  const last = text.charCodeAt(text.length - 1);
  if (!isFinal && last >= 0xd800 && last <= 0xdbff) {
    message.surrogate = text.slice(-1);
    text = text.slice(0, -1);
  }
  return ENCODER.encode(text);
}
