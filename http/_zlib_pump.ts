/** What is used of a stream of `node:zlib`. */
export interface ZlibStream {
  /** Bytes of the input that were made use of. */
  readonly bytesWritten: number;
  write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
  flush(kind: number, done: () => void): void;
  end(): void;
  read(): Uint8Array | null;
  destroy(): void;
  on(event: "readable" | "end", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

/**
 * One body on its way through a stream of `node:zlib`, in either direction. Output is asked for
 * piece by piece, and nothing is made ahead of it; whoever has put something in takes all that
 * comes out before the next, or closes.
 */
export class ZlibPump {
  readonly #stream: ZlibStream;
  readonly #flushKind: number;
  #failure: Error | undefined;
  #isEnded = false;
  #wake: (() => void) | undefined;

  /**
   * @param stream Compresses or decompresses.
   * @param flushKind How it flushes; 0 for one that is not asked to.
   */
  constructor(stream: ZlibStream, flushKind = 0) {
    this.#stream = stream;
    this.#flushKind = flushKind;
    stream.on("readable", () => this.#onEvent());
    stream.on("end", () => {
      this.#isEnded = true;
      this.#onEvent();
    });
    stream.on("error", (error) => {
      this.#failure ??= error;
      this.#onEvent();
    });
  }

  /** Bytes that were made use of: less than was put in, if the body had ended in front of it. */
  get usedBytes(): number {
    return this.#stream.bytesWritten;
  }

  /**
   * Puts some bytes in.
   *
   * @param bytes Not to be changed until all output has been taken.
   * @returns What comes out by then, which may be nothing.
   */
  write(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
    return this.#run((done) => void this.#stream.write(bytes, () => done()));
  }

  /**
   * Lets everything out that has gone in.
   *
   * @returns The output.
   */
  flush(): AsyncGenerator<Uint8Array, void> {
    return this.#run((done) => this.#stream.flush(this.#flushKind, done));
  }

  /**
   * Says that no more goes in.
   *
   * @returns The rest of the output.
   */
  finish(): AsyncGenerator<Uint8Array, void> {
    return this.#run(() => this.#stream.end());
  }

  /** Lets go of the memory; what waits for something fails. */
  close(): void {
    this.#failure ??= new Error("Cannot go on: the stream was closed");
    this.#stream.destroy();
    this.#onEvent();
  }

  /** Output has to be taken all the time: a stream that has too much of it does not go on. */
  async *#run(start: (done: () => void) => void): AsyncGenerator<Uint8Array, void> {
    let isDone = false;
    start(() => {
      isDone = true;
      this.#onEvent();
    });
    for (;;) {
      const piece = this.#stream.read();
      if (piece !== null) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
      else if (this.#failure !== undefined) throw this.#failure;
      else if (isDone || this.#isEnded) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #onEvent(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
