/**
 * The furthest that compressed data refers back, read out of the data itself: a decompressor cannot
 * tell, as it takes what lies further back than was agreed on if it happens to have it.
 */

/** RFC 1951 section 3.2.5: the least length of each code from 257, and its extra bits. */
const LENGTHS = [
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99],
  ...[115, 131, 163, 195, 227, 258],
];
const LENGTH_BITS = LENGTHS.map((_, code) => code < 8 || code === 28 ? 0 : (code - 4) >> 2);
/** The same for distances: each two codes cover twice as much as the two before. */
const DISTANCE_BITS = Array.from({ length: 30 }, (_, code) => code < 4 ? 0 : (code - 2) >> 1);
const DISTANCES = DISTANCE_BITS.map((_, code) =>
  1 + DISTANCE_BITS.slice(0, code).reduce((sum, bits) => sum + 2 ** bits, 0)
);
/** RFC 1951 section 3.2.7. */
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= 8 * this.#bytes.length;
  }

  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++, this.#at++) {
      if (this.isAtEnd) throw new RangeError("The data ends within a block");
      value |= (this.#bytes[this.#at >> 3]! >> (this.#at & 7) & 1) << index;
    }
    return value;
  }

  skipToByte(): void {
    this.#at = (this.#at + 7) & ~7;
  }
}

/** A canonical prefix code: how many codes of each length there are, and the symbols in order. */
interface PrefixCode {
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}

function makeCode(lengths: readonly number[]): PrefixCode {
  const counts = new Array<number>(16).fill(0);
  for (const length of lengths) counts[length]!++;
  counts[0] = 0;
  const symbols = [...lengths.keys()].filter((symbol) => lengths[symbol]! > 0)
    .sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  return { counts, symbols };
}

function readSymbol(reader: BitReader, { counts, symbols }: PrefixCode): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length < 16; length++) {
    code |= reader.bits(1);
    const count = counts[length]!;
    if (code - first < count) return symbols[index + code - first]!;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw new RangeError("There is no such code");
}

const FIXED_LITERALS = makeCode(
  Array.from(
    { length: 288 },
    (_, symbol) => symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  ),
);
const FIXED_DISTANCES = makeCode(new Array(30).fill(5));

function readCodes(reader: BitReader): [literals: PrefixCode, distances: PrefixCode] {
  const literalCount = 257 + reader.bits(5);
  const distanceCount = 1 + reader.bits(5);
  const codeCount = 4 + reader.bits(4);
  const codeLengths = new Array<number>(19).fill(0);
  for (let index = 0; index < codeCount; index++) codeLengths[CODE_ORDER[index]!] = reader.bits(3);
  const code = makeCode(codeLengths);
  const lengths: number[] = [];
  while (lengths.length < literalCount + distanceCount) {
    const symbol = readSymbol(reader, code);
    if (symbol < 16) lengths.push(symbol);
    else if (symbol === 16) repeat(lengths, lengths.at(-1)!, 3 + reader.bits(2));
    else repeat(lengths, 0, symbol === 17 ? 3 + reader.bits(3) : 11 + reader.bits(7));
  }
  return [makeCode(lengths.slice(0, literalCount)), makeCode(lengths.slice(literalCount))];
}

function repeat(lengths: number[], length: number, count: number): void {
  for (let index = 0; index < count; index++) lengths.push(length);
}

/** @returns The largest distance in raw DEFLATE that ends with a whole block; 0 for none. */
export function furthestDistance(bytes: Uint8Array): number {
  const reader = new BitReader(bytes);
  let furthest = 0;
  while (!reader.isAtEnd) {
    reader.bits(1);
    const type = reader.bits(2);
    if (type === 0) {
      reader.skipToByte();
      const length = reader.bits(16);
      reader.bits(16);
      for (let index = 0; index < length; index++) reader.bits(8);
      continue;
    }
    const [literals, distances] = type === 1
      ? [FIXED_LITERALS, FIXED_DISTANCES]
      : readCodes(reader);
    furthest = Math.max(furthest, furthestInBlock(reader, literals, distances));
  }
  return furthest;
}

function furthestInBlock(reader: BitReader, literals: PrefixCode, distances: PrefixCode): number {
  let furthest = 0;
  for (;;) {
    const symbol = readSymbol(reader, literals);
    if (symbol === 256) return furthest;
    if (symbol < 256) continue;
    reader.bits(LENGTH_BITS[symbol - 257]!);
    const code = readSymbol(reader, distances);
    furthest = Math.max(furthest, DISTANCES[code]! + reader.bits(DISTANCE_BITS[code]!));
  }
}
