// This module is sans-I/O.

/** Bytes of one slab: what a list that is kept holds on to beside its own. */
const SLAB_BYTES = 16 * 1024;
/** Longer ones get memory of their own: they would use a slab up too quickly. */
const MAX_SHARED_BYTES = SLAB_BYTES / 8;

/**
 * Memory for the copies of small heads, one slab for many of them: an array
 * buffer for each head would cost more than reading it.
 *
 * What was stored is never overwritten: a full slab is left to those who have
 * stored something in it.
 */
export class HeadSlab {
  /** Where the last piece was stored. */
  bytes: Uint8Array = new Uint8Array(SLAB_BYTES);
  /** Where it begins there. */
  start = 0;
  #used = 0;

  /**
   * Stores a copy; {@linkcode HeadSlab.bytes} and {@linkcode HeadSlab.start} say
   * where.
   *
   * @param source Where from.
   * @param from Offset of the first byte.
   * @param length How many bytes.
   */
  store(source: Uint8Array, from: number, length: number): void {
    if (this.#used + length > this.bytes.length) this.#renew(length);
    this.start = this.#used;
    this.#used += length;
    const { bytes, start } = this;
    // Heads are short, and a view of the source costs more than this loop.
    for (let index = 0; index < length; index++) bytes[start + index] = source[from + index]!;
  }

  #renew(length: number): void {
    this.bytes = new Uint8Array(length > MAX_SHARED_BYTES ? length : SLAB_BYTES);
    this.#used = 0;
  }
}
