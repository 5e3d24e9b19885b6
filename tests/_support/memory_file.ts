import type { FileHandle } from "../../nbio/file_handle.ts";

/**
 * A file in memory that a test can watch, hold up and break.
 *
 * Every call is noted in {@linkcode MemoryFile.calls} when it begins; those that overlap, which a
 * real file would mix up, are counted.
 */
export class MemoryFile implements FileHandle {
  /** What is in the file; a test may replace it at any time. */
  bytes: Uint8Array<ArrayBuffer>;
  /** What `stat` tells instead of the truth. */
  statedSize: number | undefined;
  /** Most bytes one read or write moves. */
  maxCallBytes: number = Infinity;
  /** What reads and writes say instead of the truth, once each, in order. */
  readonly counts: (number | null)[] = [];
  /** Called, and awaited, at the beginning of every call but `seekSync` and `close`. */
  onCall: (call: string, index: number) => void | Promise<void> = () => {};
  /** Called by every `seekSync`. */
  onSeek: (offset: number) => void = () => {};
  /** The calls so far: `seek 5`, `read 10`, `write 3`, `stat`, `truncate 7`, `sync`, `close`. */
  readonly calls: string[] = [];
  /** Calls that began while another was under way. */
  overlapCount = 0;
  /** Whether a call is under way. */
  busy = false;
  #position = 0;

  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)) {
    this.bytes = bytes;
  }

  /** How many calls began with this word. */
  count(name: string): number {
    return this.calls.filter((call) => call.split(" ")[0] === name).length;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#call(`read ${p.length}`, () => {
      const end = this.#position + Math.min(p.length, this.maxCallBytes);
      const part = this.bytes.subarray(this.#position, end);
      p.set(part);
      this.#position += part.length;
      return this.#claim(part.length || null);
    });
  }

  write(p: Uint8Array): Promise<number> {
    return this.#call(`write ${p.length}`, () => {
      const part = p.subarray(0, this.maxCallBytes);
      const end = this.#position + part.length;
      if (end > this.bytes.length) this.#resize(end);
      this.bytes.set(part, this.#position);
      this.#position = end;
      return this.#claim(part.length) ?? 0;
    });
  }

  seekSync(offset: number, whence: Deno.SeekMode): number {
    if (whence !== Deno.SeekMode.Start) throw new Error("Only from the start");
    this.#note(`seek ${offset}`);
    this.onSeek(offset);
    this.#position = offset;
    return offset;
  }

  stat(): Promise<{ size: number }> {
    return this.#call("stat", () => ({ size: this.statedSize ?? this.bytes.length }));
  }

  truncate(length: number): Promise<void> {
    return this.#call(`truncate ${length}`, () => this.#resize(length));
  }

  sync(): Promise<void> {
    return this.#call("sync", () => {});
  }

  close(): void {
    this.#note("close");
  }

  #resize(length: number): void {
    this.bytes = new Uint8Array(this.bytes.buffer.transfer(length));
  }

  #claim(count: number | null): number | null {
    return this.counts.length > 0 ? this.counts.shift()! : count;
  }

  #note(call: string): void {
    if (this.busy) this.overlapCount++;
    this.calls.push(call);
  }

  async #call<T>(call: string, operate: () => T): Promise<T> {
    this.#note(call);
    this.busy = true;
    try {
      // A real file never answers in the turn in which it was asked.
      await Promise.resolve();
      await this.onCall(call, this.calls.length - 1);
      return operate();
    } finally {
      this.busy = false;
    }
  }
}
