import { assertEquals } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { applyMask } from "../../websocket/mask.ts";

/** RFC 6455 section 5.3, word for word. */
function maskPlainly(bytes: Uint8Array, key: readonly number[]): Uint8Array {
  return bytes.map((byte, index) => byte ^ key[index % 4]!);
}

function keyNumber(key: readonly number[]): number {
  return (key[0]! << 24 | key[1]! << 16 | key[2]! << 8 | key[3]!) >>> 0;
}

const KEYS = [[0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [0x37, 0xfa, 0x21, 0x3d], [0x80, 0, 0, 1]];
/** Around the borders between the three loops, and of their words. */
const LENGTHS = [
  ...Array.from({ length: 18 }, (_, length) => length),
  ...[95, 99, 100, 101, 102, 103, 104, 127, 128, 129],
  ...[1_023, 1_024, 1_025, 1_031, 1_032, 1_055, 1_056, 1_057, 4_099],
];

Deno.test("applyMask() is the algorithm of the RFC at every length and alignment", () => {
  const random = new SeededRandom(1);
  for (const key of KEYS) {
    for (const length of LENGTHS) {
      const plain = random.bytes(length);
      const expected = maskPlainly(plain, key);
      for (let offset = 0; offset < 9; offset++) {
        const memory = new Uint8Array(offset + length + 8).fill(0xaa);
        memory.set(plain, offset);
        applyMask(memory, offset, offset + length, keyNumber(key));
        assertEquals(memory.subarray(offset, offset + length), expected);
        assertEquals(memory.subarray(0, offset), new Uint8Array(offset).fill(0xaa));
        assertEquals(memory.subarray(offset + length), new Uint8Array(8).fill(0xaa));
      }
    }
  }
});

Deno.test("applyMask() rotates the key for whatever piece comes next", () => {
  const key = KEYS[2]!;
  for (const length of [5, 130, 2_100]) {
    const plain = new SeededRandom(length).bytes(length);
    const expected = maskPlainly(plain, key);
    for (let first = 0; first <= length; first += length > 300 ? 37 : 1) {
      for (const second of [first, Math.min(length, first + 1), Math.min(length, first + 101)]) {
        const bytes = plain.slice();
        let rotated = applyMask(bytes, 0, first, keyNumber(key));
        rotated = applyMask(bytes, first, second, rotated);
        applyMask(bytes, second, length, rotated);
        assertEquals(bytes, expected);
      }
    }
  }
});

Deno.test("applyMask() works in a view that does not begin where its memory does", () => {
  const plain = new SeededRandom(3).bytes(3_000);
  for (let offset = 1; offset < 9; offset++) {
    const view = new Uint8Array(new ArrayBuffer(3_016), offset, 3_000);
    view.set(plain);
    applyMask(view, 0, 3_000, keyNumber(KEYS[2]!));
    assertEquals(view, maskPlainly(plain, KEYS[2]!));
  }
});
