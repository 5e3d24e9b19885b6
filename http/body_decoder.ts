// This module is sans-I/O.

import { ChunkedDecoder } from "./chunked_decoder.ts";
import { HttpProtocolError } from "./errors.ts";
import { Framing } from "./framing.ts";
import type { HeaderList } from "./header_list.ts";
import type { HttpLenience, ResolvedHttpLimits } from "./limits.ts";

/**
 * Takes one body apart by its framing: a number of bytes, chunks, or everything
 * until the connection ends. Data is given out in slices of the input.
 */
export class BodyDecoder {
  /** Where the data found by the last step starts in its input. */
  dataStart = 0;
  /** Where that data ends; equal to the start where there was none. */
  dataEnd = 0;

  readonly #chunked: ChunkedDecoder | undefined;
  #remaining: number;
  #isDone: boolean;

  /**
   * @param framing The decided framing.
   * @param limits Bounds on chunk lines and trailers.
   * @param lenience Rules to relax.
   */
  constructor(framing: number, limits: ResolvedHttpLimits, lenience: HttpLenience) {
    this.#chunked = framing === Framing.CHUNKED ? new ChunkedDecoder(limits, lenience) : undefined;
    this.#remaining = framing === Framing.UNTIL_CLOSE ? Infinity : Math.max(framing, 0);
    this.#isDone = framing === 0 || framing === Framing.TUNNEL;
  }

  /** Whether the whole body is behind us. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Bytes still to come where the length is known, else `undefined`. */
  get remainingBytes(): number | undefined {
    return this.#chunked === undefined && this.#remaining !== Infinity
      ? this.#remaining
      : undefined;
  }

  /** Bytes that {@linkcode BodyDecoder.skip} may be told of; 0 for a chunked body. */
  get passableBytes(): number {
    return this.#chunked === undefined ? this.#remaining : 0;
  }

  /** The trailer section of a chunked body; `undefined` where there is none. */
  get trailers(): HeaderList | undefined {
    return this.#chunked?.trailers;
  }

  /**
   * Reads on until data is found, the input is used up or the body is over.
   *
   * @param bytes Buffer with the input.
   * @param start Offset of the first byte not read yet.
   * @param end Offset behind the last byte that has come.
   * @returns Offset of the next byte to read. Bytes from there on must come
   * again, with more behind them.
   * @throws {HttpProtocolError} If the coding is broken.
   * @throws {LimitExceededError} If a limit is passed.
   */
  step(bytes: Uint8Array, start: number, end: number): number {
    if (this.#chunked === undefined) return this.#takeCounted(start, end);
    const position = this.#chunked.step(bytes, start, end);
    this.dataStart = this.#chunked.dataStart;
    this.dataEnd = this.#chunked.dataEnd;
    this.#isDone = this.#chunked.isDone;
    return position;
  }

  #takeCounted(start: number, end: number): number {
    const length = Math.min(end - start, this.#remaining);
    this.#remaining -= length;
    this.#isDone ||= this.#remaining === 0;
    this.dataStart = start;
    this.dataEnd = start + length;
    return this.dataEnd;
  }

  /**
   * Says that `length` bytes of a body without chunks were read past this
   * decoder, straight into their destination.
   */
  skip(length: number): void {
    this.#remaining -= length;
    this.#isDone ||= this.#remaining === 0;
  }

  /**
   * Says that the peer will send no more.
   *
   * @throws {HttpProtocolError} If the body is not complete.
   */
  end(): void {
    if (this.#isDone) return;
    if (this.#chunked === undefined && this.#remaining === Infinity) {
      this.#isDone = true;
      return;
    }
    throw new HttpProtocolError(
      "ERR_HTTP_TRUNCATED_MESSAGE",
      "Cannot read body: the connection ended in the middle of it",
    );
  }
}
