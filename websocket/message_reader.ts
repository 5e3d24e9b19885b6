// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { ReceiveBuffer } from "../nbio/receive_buffer.ts";
import { CloseCode } from "./close_code.ts";
import type { Inflater } from "./compression.ts";
import { copySmall, MAX_SMALL_BYTES } from "./copy_small.ts";
import { WebSocketProtocolError } from "./errors.ts";
import type { BinaryEvent, PieceEvent, PingEvent, PongEvent, TextEvent } from "./events.ts";
import { FrameDecoder, Opcode } from "./frame_decoder.ts";
import { MessageAssembler } from "./message_assembler.ts";
import { decodeUtf8 } from "./utf8_text.ts";
import { Utf8Validator } from "./utf8_validator.ts";

/** The payload of a Close frame has come. */
export interface ClosePayload {
  /** Tells it from the events. */
  readonly type: "close-payload";
  /** Its bytes, at most 125. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** What {@linkcode MessageReader.next} finds. */
export type ReadEvent =
  | TextEvent
  | BinaryEvent
  | PieceEvent
  | PingEvent
  | PongEvent
  | ClosePayload;

/** What a {@linkcode MessageReader} needs to know. */
export interface MessageReaderOptions {
  /** Whether frames have to be masked. */
  readonly isMasked: boolean;
  /** Longest message, in bytes, inflated; Infinity for no bound. */
  readonly maxMessageBytes: number;
  /** Most bytes that may wait unparsed; Infinity for no bound. */
  readonly maxBufferedBytes: number;
  /** Where permessage-deflate was agreed on. */
  readonly inflater: Inflater | undefined;
}

/** Payload of which so much is to come is read straight to where the message is put together. */
const DIRECT_FROM_BYTES = 16_384;
/** Memory for reads of a connection that says nothing. */
const IDLE_BYTES = 512;
/** What comes at once lately is expected to come again, up to here. */
const MAX_BURST_BYTES = 16_384;
/** Reads that bring much less than expected, until less is expected. */
const CALM_READS = 4;
/** Frames above this have the next read make room for a whole one. */
const LONG_FRAME_BYTES = 32_768;
/** A long frame may make the next read as large as this. */
const MAX_READ_HINT_BYTES = 131_072 + 1_024;
/**
 * Room that a read has beyond what is expected. One that fills all its room makes the runtime try
 * again before it waits, which costs a call of the system for every third message.
 */
const SPARE_READ_BYTES = 512;
/** DEFLATE grows up to 1,032 times: a piece of a message is 1 MiB at most. */
const INFLATE_SLICE_BYTES = 1_024;
const EMPTY = new Uint8Array(0);

/**
 * Reads messages and control frames out of bytes, one at a time and no further:
 * what follows is not looked at before it is asked for.
 *
 * A message that is whole in the buffer goes straight out of it. Any other is
 * validated and assembled as it comes.
 */
export class MessageReader {
  /** Whether the next message to begin is given in pieces. */
  deliversPieces = false;
  /** Whether the payload of a ping is a copy of its own; else it is valid until the next call. */
  deliversPings = true;

  readonly #buffer: ReceiveBuffer;
  readonly #decoder: FrameDecoder;
  readonly #assembler: MessageAssembler;
  /** Made when it is needed: most connections never do. */
  #pieces: MessageAssembler | undefined;
  #validator: Utf8Validator | undefined;
  readonly #inflater: Inflater | undefined;
  readonly #maxDeflatedBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #maxMessageBytes: number;
  /** Whether the head of the frame at hand was read, and its payload was not yet. */
  #isInFrame = false;
  #isText = false;
  #isInflating = false;
  #isInPieces = false;
  #isDiscarding = false;
  /** Compressed bytes of the message at hand. */
  #deflatedBytes = 0;
  /** Bytes at the end of what the assembler holds that nobody has looked at. */
  #directBytes = 0;
  /** Whether the last `writable()` was memory of the assembler. */
  #readsDirectly = false;
  /** Whether a read may be under way: memory that is being written to stays here. */
  #isReading = false;
  /** Size of the last frame, which the next may be like. */
  #frameBytes = 0;
  /** What the next read may bring. Memory that shrank behind every batch would cost a read more. */
  #burstBytes = IDLE_BYTES;
  #calmReads = 0;
  #sink: ((piece: Uint8Array) => void) | undefined;

  /** @param options Role, bounds and compression. */
  constructor(options: MessageReaderOptions) {
    const { isMasked, maxMessageBytes, inflater } = options;
    const maxBytes = Math.min(options.maxBufferedBytes, Number.MAX_SAFE_INTEGER);
    this.#maxBufferedBytes = maxBytes;
    this.#buffer = new ReceiveBuffer({ maxBytes, idleBytes: IDLE_BYTES });
    this.#decoder = new FrameDecoder({ isMasked, allowRsv1: inflater !== undefined });
    this.#assembler = new MessageAssembler(maxMessageBytes);
    this.#inflater = inflater;
    this.#maxMessageBytes = maxMessageBytes;
    this.#maxDeflatedBytes = deflateBound(maxMessageBytes);
  }

  /** Bytes that have come and were not looked at. */
  get bufferedBytes(): number {
    return this.#buffer.length + this.#directBytes;
  }

  /** Bytes of a message whose end has not come. */
  get unfinishedBytes(): number {
    return this.#assembler.length + this.#buffer.length;
  }

  /** Bytes of memory held. */
  get heldBytes(): number {
    return this.#buffer.capacity + this.#assembler.capacity;
  }

  /**
   * Where the next read goes; never empty. Only {@linkcode MessageReader.receive}
   * and `shrink()` have to wait for the {@linkcode MessageReader.commit} that
   * follows.
   */
  writable(): Uint8Array<ArrayBuffer> {
    const directBytes = this.#missingDirectBytes();
    this.#isReading = true;
    this.#readsDirectly = directBytes > 0;
    if (this.#readsDirectly) return this.#assembler.writable(directBytes);
    return this.#buffer.writable(this.#buffer.length === 0 ? this.#readHint() : 1);
  }

  /** Notes how many bytes a read has put where {@linkcode MessageReader.writable} said. */
  commit(byteCount: number): void {
    this.#isReading = false;
    if (!this.#readsDirectly) {
      this.#buffer.commit(byteCount);
      return this.#expect(byteCount);
    }
    // What came in the meantime may have made it worthless.
    if (this.#isDiscarding) this.#decoder.skipPayload(byteCount);
    else this.#commitDirectly(byteCount);
  }

  /** Takes bytes by copying them; all or, where that throws, none. */
  receive(chunk: Uint8Array): void {
    const directBytes = Math.min(chunk.length, this.#missingDirectBytes());
    const rest = chunk.length - directBytes;
    const space = rest > 0 ? this.#buffer.writable(rest) : EMPTY;
    for (let at = 0; at < directBytes;) {
      const target = this.#assembler.writable(directBytes - at);
      target.set(chunk.subarray(at, at + target.length));
      this.#commitDirectly(target.length);
      at += target.length;
    }
    if (rest === 0) return;
    space.set(directBytes === 0 ? chunk : chunk.subarray(directBytes));
    this.#buffer.commit(rest);
  }

  /** From here on only Close frames are of interest. */
  discard(): void {
    if (this.#isDiscarding) return;
    this.#isDiscarding = true;
    this.#decoder.skipPayload(this.#directBytes);
    this.#directBytes = 0;
    this.#assembler.clear();
    this.#pieces?.clear();
  }

  /** Forgets what has come, and lets go of memory. */
  clear(): void {
    this.discard();
    this.#buffer.consume(this.#buffer.length);
  }

  /** Lets go of spare memory; not while a read is under way. */
  shrink(): void {
    this.#burstBytes = IDLE_BYTES;
    this.#buffer.shrink();
  }

  /**
   * Reads on to the next message or control frame.
   *
   * @returns What was found; `undefined` where more input is needed.
   * @throws {WebSocketProtocolError} If the peer broke the protocol.
   * @throws {LimitExceededError} If a message is too long.
   */
  next(): ReadEvent | undefined {
    const buffer = this.#buffer;
    const decoder = this.#decoder;
    for (;;) {
      if (!this.#isInFrame) {
        const headBytes = decoder.readHead(buffer.bytes, buffer.start, buffer.end);
        if (headBytes === 0) return undefined;
        buffer.consume(headBytes);
        this.#frameBytes = headBytes + decoder.payloadBytes;
        this.#isInFrame = true;
        if (decoder.opcode < Opcode.CLOSE && !this.#isDiscarding) {
          if (this.#isWhole()) return this.#takeWhole();
          this.#beginFrame();
        }
      }
      const event = decoder.opcode >= Opcode.CLOSE
        ? this.#nextControl()
        : this.#isDiscarding
        ? this.#skipData()
        : this.#nextData();
      if (event !== undefined) return event;
      // A control frame waits for the rest of its payload, all others for any.
      const waits = decoder.opcode >= Opcode.CLOSE || buffer.length === 0;
      if (this.#isInFrame && waits) return undefined;
    }
  }

  /** Whether the frame at hand is a whole message that needs nothing but to be taken. */
  #isWhole(): boolean {
    const { opcode, isFinal, isCompressed, payloadBytes } = this.#decoder;
    return opcode !== Opcode.CONTINUATION && isFinal && !isCompressed && !this.deliversPieces &&
      payloadBytes <= this.#buffer.length && payloadBytes <= this.#maxMessageBytes;
  }

  #takeWhole(): TextEvent | BinaryEvent {
    const buffer = this.#buffer;
    const { start } = buffer;
    const end = this.#decoder.takePayload(buffer.bytes, start, buffer.end);
    buffer.consume(end - start);
    this.#isInFrame = false;
    if (this.#decoder.opcode === Opcode.BINARY) {
      return { type: "binary", data: this.#takeBytes(start, end) };
    }
    const data = decodeUtf8(buffer.bytes, start, end);
    if (data === undefined) throw badUtf8();
    return { type: "text", data };
  }

  /** Bytes that were consumed, in memory that is never written to again. */
  #takeBytes(start: number, end: number): Uint8Array<ArrayBuffer> {
    const buffer = this.#buffer;
    const { bytes } = buffer;
    const length = end - start;
    if (length <= MAX_SMALL_BYTES) return copySmall(bytes, start, end);
    const isMostOfIt = length >= LONG_FRAME_BYTES && length * 4 >= bytes.length * 3;
    if (!isMostOfIt || this.#isReading) return bytes.slice(start, end);
    // The memory itself is given away, and the little behind the message moves out: a copy would be
    // a quarter of the work for a message of 64 KiB.
    return buffer.detach().subarray(start, end);
  }

  /** The head of a data frame is known: what its payload is, and whether there is room for it. */
  #beginFrame(): void {
    const { opcode, isCompressed, payloadBytes } = this.#decoder;
    if (opcode !== Opcode.CONTINUATION) {
      this.#isText = opcode === Opcode.TEXT;
      this.#isInflating = isCompressed;
      this.#isInPieces = this.deliversPieces;
      this.#deflatedBytes = 0;
    }
    if (this.#isInPieces) return;
    if (!this.#isInflating) return this.#assembler.announce(payloadBytes);
    this.#deflatedBytes += payloadBytes;
    // What comes out is bounded where it comes out. This bounds the work for what never does.
    if (this.#deflatedBytes > this.#maxDeflatedBytes) {
      throw new LimitExceededError(
        `Cannot receive message: ${this.#deflatedBytes} compressed bytes are too many`,
        { limit: "maxMessageBytes", max: this.#maxMessageBytes },
      );
    }
  }

  #nextControl(): PingEvent | PongEvent | ClosePayload | undefined {
    const buffer = this.#buffer;
    const decoder = this.#decoder;
    if (buffer.length < decoder.remainingBytes) return undefined;
    const { start } = buffer;
    const end = decoder.takePayload(buffer.bytes, start, buffer.end);
    const isLent = decoder.opcode === Opcode.PING && !this.deliversPings;
    const data = isLent ? buffer.bytes.subarray(start, end) : buffer.bytes.slice(start, end);
    buffer.consume(end - start);
    this.#isInFrame = false;
    if (decoder.opcode === Opcode.CLOSE) return { type: "close-payload", data };
    return { type: decoder.opcode === Opcode.PING ? "ping" : "pong", data };
  }

  #skipData(): undefined {
    const skipped = this.#decoder.skipPayload(this.#buffer.length);
    this.#buffer.consume(skipped);
    if (this.#decoder.remainingBytes === 0) this.#isInFrame = false;
  }

  /** What has come of the payload of a data frame; an event at the end of a message. */
  #nextData(): TextEvent | BinaryEvent | PieceEvent | undefined {
    const decoder = this.#decoder;
    if (this.#directBytes > 0) this.#takeDirect();
    const buffer = this.#buffer;
    const { start } = buffer;
    const sliceBytes = this.#isInflating && this.#isInPieces ? INFLATE_SLICE_BYTES : Infinity;
    const end = decoder.takePayload(
      buffer.bytes,
      start,
      Math.min(buffer.end, start + sliceBytes),
    );
    buffer.consume(end - start);
    const isFrameDone = decoder.remainingBytes === 0;
    const isMessageDone = isFrameDone && decoder.isFinal;
    if (!this.#isInflating) {
      if (end > start) this.#take(buffer.bytes, start, end, decoder.remainingBytes);
    } else if (end > start || isMessageDone) {
      this.#inflater!.inflate(
        end > start ? buffer.bytes.subarray(start, end) : EMPTY,
        isMessageDone,
        this.#sink ??= (piece) => this.#take(piece, 0, piece.length, 0),
      );
    }
    if (isFrameDone) this.#isInFrame = false;
    if (isMessageDone && this.#isText && this.#validator?.isComplete === false) throw badUtf8();
    if (this.#isInPieces) return this.#takePiece(isMessageDone);
    return isMessageDone ? this.#takeMessage() : undefined;
  }

  #commitDirectly(byteCount: number): void {
    this.#assembler.commit(byteCount);
    this.#directBytes += byteCount;
  }

  /** Looks at payload that a read has put where it belongs. */
  #takeDirect(): void {
    const { bytes, length } = this.#assembler;
    const start = length - this.#directBytes;
    this.#decoder.takePayload(bytes, start, length);
    this.#directBytes = 0;
    if (this.#isText) this.#validate(bytes, start, length);
  }

  /** Takes plain payload, or what came out of compressed one. */
  #take(bytes: Uint8Array, start: number, end: number, expectedBytes: number): void {
    if (this.#isText) this.#validate(bytes, start, end);
    if (this.#isInPieces) this.#allPieces.append(bytes, start, end);
    else this.#assembler.append(bytes, start, end, expectedBytes);
  }

  get #allPieces(): MessageAssembler {
    return this.#pieces ??= new MessageAssembler(Infinity);
  }

  #validate(bytes: Uint8Array, start: number, end: number): void {
    this.#validator ??= new Utf8Validator();
    if (this.#validator.push(bytes, start, end) !== -1) throw badUtf8();
  }

  #takePiece(isFinal: boolean): PieceEvent | undefined {
    const pieces = this.#allPieces;
    if (pieces.length === 0 && !isFinal) return undefined;
    const kind = this.#isText ? "text" : "binary";
    return { type: "piece", kind, data: pieces.takeBytes(), isFinal };
  }

  #takeMessage(): TextEvent | BinaryEvent {
    if (!this.#isText) return { type: "binary", data: this.#assembler.takeBytes() };
    const data = this.#assembler.takeText();
    if (data === undefined) throw badUtf8();
    return { type: "text", data };
  }

  /** How much of the frame at hand is yet to be read to where it belongs; 0 for not at all. */
  #missingDirectBytes(): number {
    if (!this.#isInFrame || this.#isInflating || this.#isInPieces || this.#isDiscarding) return 0;
    if (this.#decoder.opcode >= Opcode.CLOSE || this.#buffer.length > 0) return 0;
    const missing = this.#decoder.remainingBytes - this.#directBytes;
    // Once begun it goes on to the last byte: what follows must not overtake it.
    return missing >= DIRECT_FROM_BYTES || this.#directBytes > 0 ? missing : 0;
  }

  /** Learns from a read how large the next one should be. */
  #expect(byteCount: number): void {
    const { bytes, end } = this.#buffer;
    if (end === bytes.length) {
      this.#burstBytes = Math.max(this.#burstBytes, Math.min(4 * end, MAX_BURST_BYTES));
    } else if (4 * byteCount <= this.#burstBytes && this.#burstBytes > IDLE_BYTES) {
      if (++this.#calmReads < CALM_READS) return;
      this.#burstBytes /= 4;
    }
    this.#calmReads = 0;
  }

  /** Frames of one size follow each other: with room for a whole one, one read does. */
  #readHint(): number {
    const isLong = this.#frameBytes > LONG_FRAME_BYTES && this.#frameBytes <= MAX_READ_HINT_BYTES;
    const byteCount = isLong ? this.#frameBytes + SPARE_READ_BYTES : this.#burstBytes;
    return Math.min(byteCount, this.#maxBufferedBytes);
  }
}

/** What the longest message may be when it is compressed badly: zlib's own bound. */
function deflateBound(bytes: number): number {
  return bytes + Math.ceil(bytes / 8) + Math.ceil(bytes / 64) + 64;
}

function badUtf8(): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_UTF8",
    "Cannot accept text: it is no UTF-8",
    {
      closeCodeHint: CloseCode.INVALID_PAYLOAD_DATA,
    },
  );
}
