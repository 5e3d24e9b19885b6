/** Keys that are made at once: asking for each would cost more than masking. */
const KEY_COUNT = 1_024;
let keys: Uint32Array<ArrayBuffer> | undefined;
let usedCount = KEY_COUNT;

/**
 * Gives a fresh key for one frame of a client (RFC 6455 section 5.3).
 *
 * @returns 32 unpredictable bits.
 */
export function randomMaskKey(): number {
  keys ??= new Uint32Array(KEY_COUNT);
  if (usedCount === KEY_COUNT) {
    crypto.getRandomValues(keys);
    usedCount = 0;
  }
  return keys[usedCount++]!;
}
