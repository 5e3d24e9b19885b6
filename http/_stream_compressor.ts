/** What is used of a stream of `node:zlib`. */
export interface TransformStreamLike {
  write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
  flush(kind: number, done: () => void): void;
  end(): void;
  read(): Uint8Array | null;
  destroy(): void;
  on(event: "readable" | "end", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

/** One body on its way through a compressor: what goes in, comes out when it is asked for. */
export class StreamCompressor {
  readonly #stream: TransformStreamLike;
  readonly #flushKind: number;
  #failure: Error | undefined;
  #isEnded = false;
  #wake: (() => void) | undefined;

  /**
   * @param stream Compresses.
   * @param flushKind How it flushes.
   */
  constructor(stream: TransformStreamLike, flushKind: number) {
    this.#stream = stream;
    this.#flushKind = flushKind;
    stream.on("readable", () => this.#onEvent());
    stream.on("end", () => {
      this.#isEnded = true;
      this.#onEvent();
    });
    stream.on("error", (error) => {
      this.#failure = error;
      this.#onEvent();
    });
  }

  /**
   * Compresses some bytes.
   *
   * @param bytes Not to be changed until this has settled.
   * @param pieces Takes what comes out by then, which may be nothing.
   */
  async write(bytes: Uint8Array, pieces: Uint8Array[]): Promise<void> {
    await this.#run(pieces, (done) => void this.#stream.write(bytes, done));
  }

  /**
   * Lets everything out that has gone in.
   *
   * @param pieces Takes it.
   */
  async flush(pieces: Uint8Array[]): Promise<void> {
    await this.#run(pieces, (done) => this.#stream.flush(this.#flushKind, done));
  }

  /**
   * Ends the body.
   *
   * @param pieces Takes the rest.
   */
  async finish(pieces: Uint8Array[]): Promise<void> {
    await this.#run(pieces, () => this.#stream.end());
  }

  /** Lets go of the memory; what waits for something fails. */
  close(): void {
    this.#failure ??= new Error("Cannot compress: the stream was closed");
    this.#stream.destroy();
    this.#onEvent();
  }

  /** Output has to be taken all the time: a stream that has too much of it does not go on. */
  async #run(pieces: Uint8Array[], start: (done: () => void) => void): Promise<void> {
    let isDone = false;
    start(() => {
      isDone = true;
      this.#onEvent();
    });
    for (;;) {
      const piece = this.#failure === undefined ? this.#stream.read() : null;
      if (piece !== null) {
        pieces.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      } else if (this.#failure !== undefined) throw this.#failure;
      else if (isDone || this.#isEnded) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #onEvent(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
