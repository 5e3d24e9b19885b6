// This module is sans-I/O.

/**
 * Below this many bytes a plain loop is faster than setting up word access.
 * tests/bench/websocket/mask_bench.ts shows where.
 */
const WORDS_FROM_BYTES = 100;
/** From here on eight bytes at a time are worth the big integers. */
const LONG_WORDS_FROM_BYTES = 1_024;

/** Four bytes of the key, and the same twice, as the platform orders words. */
const KEY_BYTES = new Uint8Array(8);
const KEY_WORD = new Int32Array(KEY_BYTES.buffer);
const KEY_LONG = new BigUint64Array(KEY_BYTES.buffer);

/**
 * Puts a mask on bytes in place, or takes it off: both are the same (RFC 6455
 * section 5.3). A payload may come in pieces: the key that is returned goes with
 * the next one.
 *
 * @param bytes Memory that holds the payload, and is changed.
 * @param start Index of its first byte.
 * @param end Index behind its last byte.
 * @param key The four bytes of the key as one number, the first the highest. Only
 * the low 32 bits count.
 * @returns The key rotated for the byte at `end`.
 *
 * @example A payload in two pieces
 * ```ts
 * import { applyMask } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * // The masked "Hello" of RFC 6455 section 5.7.
 * const payload = new Uint8Array([0x7f, 0x9f, 0x4d, 0x51, 0x58]);
 * const rotated = applyMask(payload, 0, 3, 0x37fa213d);
 * applyMask(payload, 3, 5, rotated);
 * assertEquals(new TextDecoder().decode(payload), "Hello");
 * ```
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number): number {
  if (end - start < WORDS_FROM_BYTES) return maskBytes(bytes, start, end, key);
  const unit = end - start < LONG_WORDS_FROM_BYTES ? 4 : 8;
  // Words have to be aligned in the memory below, wherever the view starts.
  const misaligned = (bytes.byteOffset + start) & (unit - 1);
  const aligned = misaligned === 0 ? start : start + unit - misaligned;
  const rotated = maskBytes(bytes, start, aligned, key);
  const count = Math.floor((end - aligned) / unit);
  setKey(rotated);
  if (unit === 4) {
    maskWords(new Int32Array(bytes.buffer, bytes.byteOffset + aligned, count));
  } else {
    maskLongs(new BigUint64Array(bytes.buffer, bytes.byteOffset + aligned, count));
  }
  return maskBytes(bytes, aligned + count * unit, end, rotated);
}

/** One byte at a time, four to a round. */
function maskBytes(bytes: Uint8Array, start: number, end: number, key: number): number {
  const key0 = key >>> 24;
  const key1 = (key >>> 16) & 0xff;
  const key2 = (key >>> 8) & 0xff;
  const key3 = key & 0xff;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    bytes[at]! ^= key0;
    bytes[at + 1]! ^= key1;
    bytes[at + 2]! ^= key2;
    bytes[at + 3]! ^= key3;
  }
  if (at < end) bytes[at]! ^= key0;
  if (at + 1 < end) bytes[at + 1]! ^= key1;
  if (at + 2 < end) bytes[at + 2]! ^= key2;
  const shift = ((end - start) & 3) << 3;
  return shift === 0 ? key : (key << shift) | (key >>> (32 - shift));
}

function maskWords(words: Int32Array): void {
  const key = KEY_WORD[0]!;
  for (let index = 0; index < words.length; index++) words[index]! ^= key;
}

function maskLongs(words: BigUint64Array): void {
  const key = KEY_LONG[0]!;
  const { length } = words;
  let index = 0;
  for (const last = length - 3; index < last; index += 4) {
    words[index]! ^= key;
    words[index + 1]! ^= key;
    words[index + 2]! ^= key;
    words[index + 3]! ^= key;
  }
  for (; index < length; index++) words[index]! ^= key;
}

/** Lays the key out as it lies in memory, whatever the byte order of the machine. */
function setKey(key: number): void {
  for (let index = 0; index < 8; index++) KEY_BYTES[index] = key >>> (24 - ((index & 3) << 3));
}
