/** One direction of a connection: bytes come out in order, cut as the reader likes. */
export class BytePipe {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** Number of bytes under way. */
  get length(): number {
    return this.#length;
  }

  /** Puts bytes in; they must not change afterwards. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** Takes up to `maxBytes` out, across the borders of writes. */
  read(maxBytes: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(Math.min(maxBytes, this.#length));
    let filled = 0;
    while (filled < taken.length) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, taken.length - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#length -= filled;
    return taken;
  }
}
