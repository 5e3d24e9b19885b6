// This module is sans-I/O.

/**
 * What a WebSocket connection asks of a compression engine. The core knows
 * permessage-deflate as far as frames go (RFC 7692 section 7.2); DEFLATE itself
 * is handed in.
 *
 * Both directions are synchronous calls with bounded output: a message that
 * came or left in one turn needs no promise. Both engines make their context at
 * first use, so that a connection that never compresses holds none.
 */

/** Takes the DEFLATE off the messages of one connection, in their order. */
export interface Inflater {
  /**
   * Inflates a piece of the compressed payload of the message at hand.
   *
   * Every piece of output goes to `sink` before the call returns, and at most
   * 64 KiB is inflated ahead of it: `sink` counts, and throws where it is too
   * much. What it throws ends the call and is passed on; the inflater is only
   * closed after that.
   *
   * @param chunk Part of the payload, cut anywhere, maybe empty; it is not kept
   * and not changed.
   * @param isFinal Whether the message ends with it. The `00 00 ff ff` that the
   * sender took away is put back then, and without context takeover the next
   * message starts afresh.
   * @param sink Takes the output, in order. A piece is valid during its call only.
   * @throws {WebSocketProtocolError} `ERR_WEBSOCKET_BAD_COMPRESSED_DATA` if this
   * is no DEFLATE.
   */
  inflate(chunk: Uint8Array, isFinal: boolean, sink: (piece: Uint8Array) => void): void;

  /** Frees the context, in the middle of a message too. Safe to call twice. */
  close(): void;
}

/** Puts DEFLATE on the messages of one connection, in their order. */
export interface Deflater {
  /**
   * Compresses a piece of the message at hand and flushes it to a whole byte.
   *
   * @param chunk What to compress, maybe empty; it is not kept and not changed.
   * @param isFinal Whether the message ends with it. The output then lacks the
   * `00 00 ff ff` of the flush, and is never empty: an empty message is `00` (RFC
   * 7692 section 7.2.3.6). Without context takeover the next starts afresh.
   * @returns What came out, valid until the next call of any deflater.
   */
  deflate(chunk: Uint8Array, isFinal: boolean): Uint8Array;

  /** Frees the context, in the middle of a message too. Safe to call twice. */
  close(): void;
}

/** The compression two ends have agreed on, as one of them uses it. */
export interface WebSocketCompression {
  /** For what comes. */
  readonly inflater: Inflater;
  /** For what is sent. */
  readonly deflater: Deflater;
  /**
   * Messages of fewer bytes are sent as they are; 0 compresses all. In UTF-8
   * bytes, at least 0.
   *
   * @default {128}
   */
  readonly thresholdBytes?: number;
}
