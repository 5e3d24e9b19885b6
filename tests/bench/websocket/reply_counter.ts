const FINAL = 0x80;
const CLOSE = 8;

/** Counts the messages of a server by walking over their frames, without looking at payloads. */
export class ReplyCounter {
  readonly #head = new Uint8Array(10);
  readonly #view = new DataView(this.#head.buffer);
  #headLength = 0;
  /** Bytes of the frame under way that have not come. */
  #missing = 0;

  /**
   * Counts what has come.
   *
   * @param bytes The next bytes of the server.
   * @returns How many messages end in them.
   * @throws {Error} If the server closes or what comes is no unmasked frame.
   */
  count(bytes: Uint8Array): number {
    let replies = 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#missing === 0) {
        at = this.#readHead(bytes, at);
        if (this.#headLength > 0) return replies;
      }
      const passed = Math.min(this.#missing, bytes.length - at);
      at += passed;
      this.#missing -= passed;
      if (this.#missing === 0 && this.#endsMessage()) replies++;
    }
    return replies;
  }

  /** Reads what there is of a head; gives where it stopped. `#headLength` is 0 at its end. */
  #readHead(bytes: Uint8Array, start: number): number {
    let at = start;
    while (at < bytes.length) {
      this.#head[this.#headLength++] = bytes[at++]!;
      if (this.#headLength < 2) continue;
      const length = this.#head[1]!;
      if (length > 127 || this.#head[0]! === (FINAL | CLOSE)) {
        throw new Error(`Cannot go on: the server sent a frame that begins ${this.#head}`);
      }
      if (this.#headLength < (length < 126 ? 2 : length === 126 ? 4 : 10)) continue;
      this.#headLength = 0;
      this.#missing = length < 126
        ? length
        : length === 126
        ? this.#view.getUint16(2)
        : Number(this.#view.getBigUint64(2));
      break;
    }
    return at;
  }

  #endsMessage(): boolean {
    const first = this.#head[0]!;
    return first >= FINAL && (first & 15) < CLOSE;
  }
}
