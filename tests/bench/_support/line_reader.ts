/** Longest line a child may print, in UTF-16 code units. */
const MAX_LINE_LENGTH = 1_000_000;

/** Splits a stream of bytes into lines, one pull at a time. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(source: ReadableStream<Uint8Array>) {
    this.#reader = source.getReader();
  }

  /**
   * The next line without its newline, or `undefined` at the end of the stream.
   *
   * @throws {RangeError} If a line is longer than a million characters.
   */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      if (this.#text.length > MAX_LINE_LENGTH) {
        throw new RangeError("Cannot read line: it is longer than a million characters");
      }
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Gives up the stream. */
  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}
