// This module is sans-I/O.

const LENGTH_BYTES = 2;
const MAX_MESSAGE_BYTES = 65_535;
const INITIAL_BYTES = 512;
/** Memory that an idle connection gives back. */
const MAX_IDLE_BYTES = 8_192;

/**
 * Puts the two bytes of its length in front of a message, as TCP wants it (RFC 1035 section
 * 4.2.2). They must leave together: some servers take a lonely length for a broken message (RFC 7766
 * section 8).
 *
 * @param message The message, at most 65,535 bytes. Copied.
 * @returns Length and message.
 * @throws {RangeError} If it is longer.
 *
 * @example Three bytes become five
 * ```ts
 * import { frameMessage } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(frameMessage(new Uint8Array([7, 8, 9])), new Uint8Array([0, 3, 7, 8, 9]));
 * ```
 */
export function frameMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = message;
  if (length > MAX_MESSAGE_BYTES) {
    throw new RangeError(`Cannot frame message: it has ${length} bytes, expected at most 65535`);
  }
  const frame = new Uint8Array(LENGTH_BYTES + length);
  frame[0] = length >>> 8;
  frame[1] = length;
  frame.set(message, LENGTH_BYTES);
  return frame;
}

/**
 * Cuts a stream into messages, however it is split or joined (RFC 1035 section 4.2.2, RFC 7766
 * section 8). It holds one unfinished message, at most 64 KiB, in memory that grows with what has
 * come and not with what was announced. Linear in the bytes.
 *
 * @example One message in two pieces, and half of the next
 * ```ts
 * import { MessageDeframer } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const deframer = new MessageDeframer();
 * deframer.receive(new Uint8Array([0, 2, 7]));
 * assertEquals(deframer.next(), undefined);
 * deframer.receive(new Uint8Array([8, 0, 5]));
 * assertEquals(deframer.next(), new Uint8Array([7, 8]));
 * assertEquals(deframer.next(), undefined);
 * assertEquals(deframer.pendingByteCount, 2);
 * ```
 */
export class MessageDeframer {
  /** What has come and was not given out, at the start. */
  #bytes = new Uint8Array(INITIAL_BYTES);
  #start = 0;
  #end = 0;

  /** Bytes that have come and belong to no message given out so far, lengths included. */
  get pendingByteCount(): number {
    return this.#end - this.#start;
  }

  /**
   * Takes what has come. Whole messages should be taken out before the next call: they wait in
   * memory until then.
   *
   * @param chunk The bytes, copied; none is no mistake.
   */
  receive(chunk: Uint8Array): void {
    this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * Takes out the next whole message.
   *
   * @returns The message, in memory of its own, empty if its length is 0; `undefined` if more has
   * to come.
   */
  next(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#start === this.#end) this.#rest();
    const bytes = this.#bytes;
    const start = this.#start + LENGTH_BYTES;
    if (start > this.#end) return undefined;
    const end = start + (bytes[start - 2]! << 8 | bytes[start - 1]!);
    if (end > this.#end) return undefined;
    this.#start = end;
    return bytes.slice(start, end);
  }

  /** Nothing waits: begins anew, without the memory a long message has needed. */
  #rest(): void {
    this.#start = this.#end = 0;
    if (this.#bytes.length > MAX_IDLE_BYTES) this.#bytes = new Uint8Array(INITIAL_BYTES);
  }

  #makeRoom(byteCount: number): void {
    if (this.#end + byteCount <= this.#bytes.length) return;
    const pending = this.#bytes.subarray(this.#start, this.#end);
    // Doubling keeps the copies linear; at most a message and a chunk are ever held.
    const size = Math.max(this.#bytes.length, 2 * (pending.length + byteCount));
    const isEnough = pending.length + byteCount <= this.#bytes.length;
    const target = isEnough ? this.#bytes : new Uint8Array(size);
    target.set(pending);
    this.#bytes = target;
    this.#end = pending.length;
    this.#start = 0;
  }
}
