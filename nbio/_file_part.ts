/**
 * A part of a file in pieces, the next of which is read while one is written.
 *
 * @module
 */

import { describeFile } from "./_file_step.ts";
import { FileError } from "./file_error.ts";
import type { PositionalFile } from "./positional_file.ts";

/** Size of the first pieces, and of those for a peer that is slower than the file. */
const FIRST_PIECE_BYTES = 262_144;

const GROWTH_FACTOR = 2;

/** Pieces in a row that lay ready when they were wanted, before they get smaller. */
const MAX_READY_PIECES = 16;

/** What {@linkcode FilePart} reads. */
export interface FilePartOptions {
  /** Where it begins. */
  readonly offset: number;
  /** Bytes that it has, or reading fails. */
  readonly length: number;
  /** Most bytes of a piece. */
  readonly bufferBytes: number;
  /** Drops a read that waits for its turn. */
  readonly signal: AbortSignal;
}

/** At most two pieces are held: one that has been handed out, and one that is read. */
export class FilePart {
  readonly #source: PositionalFile;
  readonly #options: FilePartOptions;
  readonly #firstBytes: number;
  /** The buffer read into last, and the one of the piece before. */
  readonly #buffers: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  #ahead: Promise<Uint8Array> | undefined;
  #isReady = false;
  #readyCount = 0;
  #hasTaken = false;
  #pieceBytes: number;
  /** Bytes of the part that have been read, or are being read. */
  #readBytes = 0;

  constructor(source: PositionalFile, options: FilePartOptions) {
    this.#source = source;
    this.#options = options;
    this.#firstBytes = Math.min(FIRST_PIECE_BYTES, options.bufferBytes);
    this.#pieceBytes = this.#firstBytes;
  }

  /**
   * Begins to read the next piece, unless there is none. The last but one that
   * was handed out is void from now on.
   */
  readAhead(): void {
    const leftBytes = this.#options.length - this.#readBytes;
    if (leftBytes === 0) return;
    const room = this.#nextBuffer(Math.min(this.#pieceBytes, leftBytes));
    this.#isReady = false;
    this.#ahead = this.#read(room, this.#options.offset + this.#readBytes);
    // It may fail while the piece before is written, when nobody looks yet.
    this.#ahead.catch(() => {});
    this.#readBytes += room.length;
  }

  /** The piece whose reading began last. */
  async take(): Promise<Uint8Array> {
    // The first one is always waited for.
    if (this.#hasTaken) this.#adapt();
    this.#hasTaken = true;
    const piece = await this.#ahead!;
    this.#options.signal.throwIfAborted();
    return piece;
  }

  /** Waits until nothing is being read. */
  async settle(): Promise<void> {
    await this.#ahead?.catch(() => {});
  }

  /**
   * Larger pieces cost less, since each costs a change of thread; but two of
   * them are held for as long as the peer makes us wait, and slow peers are
   * many. So pieces grow while reading them is what the peer waits for.
   */
  #adapt(): void {
    if (!this.#isReady) {
      this.#readyCount = 0;
      const { bufferBytes } = this.#options;
      this.#pieceBytes = Math.min(this.#pieceBytes * GROWTH_FACTOR, bufferBytes);
    } else if (++this.#readyCount === MAX_READY_PIECES) {
      this.#readyCount = 0;
      const pieceBytes = Math.floor(this.#pieceBytes / GROWTH_FACTOR);
      this.#pieceBytes = Math.max(pieceBytes, this.#firstBytes);
    }
  }

  #nextBuffer(byteCount: number): Uint8Array {
    const buffers = this.#buffers;
    buffers.reverse();
    const { length } = buffers[0];
    if (length < byteCount || length > this.#pieceBytes) buffers[0] = new Uint8Array(byteCount);
    return buffers[0].subarray(0, byteCount);
  }

  async #read(room: Uint8Array, offset: number): Promise<Uint8Array> {
    const { signal, length } = this.#options;
    const byteCount = await this.#source.readAt(room, offset, { signal });
    if (byteCount < room.length) {
      throw fileEndedError(this.#source, offset + byteCount, this.#options.offset + length);
    }
    this.#isReady = true;
    return room;
  }
}

/** A file that ends before what was promised of it. */
export function fileEndedError(
  { path }: PositionalFile,
  endBytes: number,
  wantedBytes: number,
): FileError {
  return new FileError(
    `Cannot read ${describeFile(path)}: it ends at byte ${endBytes}, wanted up to ${wantedBytes}`,
    { code: "ERR_NET_FILE_ENDED", step: "read", path },
  );
}
