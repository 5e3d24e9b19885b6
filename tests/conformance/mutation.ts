import type { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

/** Pieces that parsers have been misled by. */
const PIECES = [
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  "=",
  '"',
  "\\",
  "0",
  "ffffffffffffffff",
  "0\r\n\r\n",
  "\r\n\r\n",
  "Host: a\r\n",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: h2c\r\n",
  "Expect: 100-continue\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
].map(bytesOf);

const MAX_CHANGES = 4;

/**
 * An input changed in one to four places: bytes replaced, taken out, doubled,
 * pieces put in, or the rest exchanged for that of another input.
 */
export function mutated(random: SeededRandom, inputs: readonly Uint8Array[]): Uint8Array {
  let bytes: Uint8Array = random.pick(inputs);
  for (let left = 1 + random.int(MAX_CHANGES); left > 0; left--) {
    bytes = changed(random, bytes, inputs);
  }
  return bytes;
}

function changed(
  random: SeededRandom,
  bytes: Uint8Array,
  inputs: readonly Uint8Array[],
): Uint8Array {
  const start = random.int(bytes.length + 1);
  const end = Math.min(bytes.length, start + random.int(8));
  const other = random.pick(inputs);
  switch (random.int(6)) {
    case 0:
      return joined(bytes.subarray(0, start), random.bytes(1), bytes.subarray(start + 1));
    case 1:
      return joined(bytes.subarray(0, start), bytes.subarray(end));
    case 2:
      return joined(bytes.subarray(0, end), bytes.subarray(start));
    case 3:
      return joined(bytes.subarray(0, start), other.subarray(random.int(other.length + 1)));
    default:
      return joined(bytes.subarray(0, start), random.pick(PIECES), bytes.subarray(start));
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
