/**
 * A compression that is none of RFC 7692, but keeps the contract of
 * `websocket/compression.ts`: pairs of a count and a byte. It shows what the core
 * does with an engine, bombs included, without one.
 */

import type { Deflater, Inflater } from "../../websocket/compression.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";

/** As far as an engine may inflate ahead. */
const PIECE_BYTES = 65_536;

/** Gives a byte as often as the count in front of it says, times `factor`. */
export class RunLengthInflater implements Inflater {
  /** How often it was closed. */
  closedCount = 0;
  /** How many messages ended. */
  messageCount = 0;
  /** Bytes that came out of all messages. */
  inflatedBytes = 0;
  readonly #factor: number;
  #count = -1;

  /** @param factor Makes bombs. */
  constructor(factor = 1) {
    this.#factor = factor;
  }

  inflate(chunk: Uint8Array, isFinal: boolean, sink: (piece: Uint8Array) => void): void {
    if (this.closedCount > 0) throw new Error("Used after it was closed");
    for (const byte of chunk) {
      if (this.#count === -1) {
        if (byte === 0) {
          throw new WebSocketProtocolError("ERR_WEBSOCKET_BAD_COMPRESSED_DATA", "Cannot inflate", {
            closeCodeHint: 1007,
          });
        }
        this.#count = byte * this.#factor;
        continue;
      }
      for (let left = this.#count; left > 0; left -= PIECE_BYTES) {
        const piece = new Uint8Array(Math.min(left, PIECE_BYTES)).fill(byte);
        this.inflatedBytes += piece.length;
        sink(piece);
        // The contract: a piece is valid during the call only.
        piece.fill(0xff);
      }
      this.#count = -1;
    }
    if (isFinal) this.messageCount++;
  }

  close(): void {
    this.closedCount++;
  }
}

/** Writes runs of at most 255. */
export class RunLengthDeflater implements Deflater {
  /** How often it was closed. */
  closedCount = 0;
  #output = new Uint8Array(0);

  deflate(chunk: Uint8Array, _isFinal: boolean): Uint8Array {
    if (this.closedCount > 0) throw new Error("Used after it was closed");
    // The contract: what came out is valid until the next call.
    this.#output.fill(0);
    const pairs: number[] = [];
    for (let at = 0; at < chunk.length;) {
      const byte = chunk[at]!;
      let count = 1;
      while (count < 255 && chunk[at + count] === byte) count++;
      pairs.push(count, byte);
      at += count;
    }
    return this.#output = new Uint8Array(pairs);
  }

  close(): void {
    this.closedCount++;
  }
}
