/**
 * What the tests of cores, and their assertions, take from `node:assert`, `node:crypto` and
 * `node:util`, for runtimes that have no such modules. A bundle for them has this file instead.
 */

/** A value as text that tells different values apart. */
export function inspect(value: unknown): string {
  const seen: unknown[] = [];
  return JSON.stringify(value, (_key, part) => {
    if (typeof part === "object" && part !== null) {
      if (seen.includes(part)) return "(seen)";
      seen.push(part);
      return part instanceof Error ? `${part.name}: ${part.message}` : part;
    }
    return typeof part === "string" ? part : `(${String(part)})`;
  });
}

/** The error whose message tells how two values differ. */
export class AssertionError extends Error {
  /** @param values The value that came, and the one that was wanted. */
  constructor(values: { readonly actual: unknown; readonly expected: unknown }) {
    super(`actual ${inspect(values.actual)}, expected ${inspect(values.expected)}`);
  }
}

interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(): Uint8Array;
}

/**
 * A hash that is ready at once, which browsers do not have: SHA-1, the only one cores are handed.
 *
 * @throws {RangeError} If another one is asked for.
 */
export function createHash(name: string): Hash {
  if (name !== "sha1") throw new RangeError(`Cannot hash: ${name} is not sha1`);
  const input: number[] = [];
  const hash: Hash = {
    update(bytes) {
      input.push(...bytes);
      return hash;
    },
    digest: () => sha1(input),
  };
  return hash;
}

/** FIPS 180-4 sections 5.1.1 and 6.1.2. */
function sha1(input: readonly number[]): Uint8Array {
  const blockCount = Math.ceil((input.length + 9) / 64);
  const message = new DataView(new ArrayBuffer(blockCount * 64));
  input.forEach((byte, index) => message.setUint8(index, byte));
  message.setUint8(input.length, 0x80);
  message.setUint32(message.byteLength - 4, input.length * 8);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let offset = 0; offset < message.byteLength; offset += 64) {
    addBlock(state, new DataView(message.buffer, offset, 64));
  }
  const digest = new DataView(new ArrayBuffer(20));
  state.forEach((word, index) => digest.setUint32(index * 4, word));
  return new Uint8Array(digest.buffer);
}

function addBlock(state: number[], block: DataView): void {
  const words = Array.from({ length: 16 }, (_, index) => block.getUint32(index * 4));
  let [a, b, c, d, e] = state as [number, number, number, number, number];
  for (let t = 0; t < 80; t++) {
    if (t >= 16) {
      words[t] = rotate(words[t - 3]! ^ words[t - 8]! ^ words[t - 14]! ^ words[t - 16]!, 1);
    }
    const sum = rotate(a, 5) + mix(t, b, c, d) + e + words[t]!;
    [a, b, c, d, e] = [sum >>> 0, a, rotate(b, 30), c, d];
  }
  [a, b, c, d, e].forEach((word, index) => state[index] = (state[index]! + word) >>> 0);
}

function rotate(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0;
}

/** The function and the constant of a round. */
function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}
