import { everySplit } from "../../nbio/testing_split.ts";

/** Longer inputs are cut at some offsets only. */
const MAX_WHOLE_BYTES = 512;
const CUT_COUNT = 64;

/**
 * The ways in which an input is fed: whole, byte by byte, and in two at every
 * offset; an input above 512 bytes at 64 offsets spread over it.
 */
export function* boundedSplits(bytes: Uint8Array): Generator<Uint8Array[], void> {
  if (bytes.length <= MAX_WHOLE_BYTES) return yield* everySplit(bytes);
  yield [bytes.slice()];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let index = 1; index < CUT_COUNT; index++) {
    const cut = Math.floor((bytes.length * index) / CUT_COUNT);
    yield [bytes.slice(0, cut), bytes.slice(cut)];
  }
}
