import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  decodeLatin1,
  encodeAscii,
  equalsIgnoreCase,
  isBlank,
  rangesEqualIgnoreCase,
} from "../../http/ascii.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

Deno.test("decodeLatin1() makes one character of each of the 256 bytes", () => {
  const text = decodeLatin1(ALL_BYTES, 0, 256);
  assertEquals(text.length, 256);
  for (let byte = 0; byte < 256; byte++) assertEquals(text.charCodeAt(byte), byte);
});

for (const length of [0, 1, 1023, 1024, 1025, 2048, 2049, 200_000]) {
  Deno.test(`decodeLatin1() decodes ${length} bytes from the middle of a buffer`, () => {
    const bytes = Uint8Array.from({ length: length + 10 }, (_, index) => index * 7);
    const text = decodeLatin1(bytes, 5, 5 + length);
    assertEquals(
      text,
      Array.from(bytes.subarray(5, 5 + length), (b) => String.fromCharCode(b)).join(""),
    );
  });
}

for (
  const [left, right, expected] of [
    ["", "", true],
    ["host", "host", true],
    ["HOST", "host", true],
    ["hOsT", "host", true],
    ["hos", "host", false],
    ["hosts", "host", false],
    ["hosu", "host", false],
    ["a-1_", "a-1_", true],
    // Pairs that differ in the bit that tells the case of letters, and are none.
    ["@", "`", false],
    ["[", "{", false],
    ["\r", "-", false],
    ["\x10", "0", false],
    ["\xc4", "\xe4", false],
  ] as const
) {
  Deno.test(`equalsIgnoreCase() finds ${JSON.stringify(left)} and ${JSON.stringify(right)} ${expected ? "equal" : "different"}`, () => {
    const bytes = bytesOf(`x${left}y${right}z`);
    const start = left.length + 2;
    assertEquals(equalsIgnoreCase(bytes, 1, 1 + left.length, right), expected);
    assertEquals(
      rangesEqualIgnoreCase(bytes, 1, 1 + left.length, start, start + right.length),
      expected,
    );
  });
}

Deno.test("equalsIgnoreCase() ignores case for letters and nothing else", () => {
  for (let byte = 0; byte < 256; byte++) {
    for (const code of [0x61, 0x7a, 0x2d, 0x30, 0x7b]) {
      const isSame = String.fromCharCode(byte).toLowerCase() === String.fromCharCode(code);
      assertEquals(equalsIgnoreCase(ALL_BYTES, byte, byte + 1, String.fromCharCode(code)), isSame);
    }
  }
});

Deno.test("rangesEqualIgnoreCase() compares a range with itself", () => {
  assert(rangesEqualIgnoreCase(ALL_BYTES, 3, 200, 3, 200));
  assertFalse(rangesEqualIgnoreCase(ALL_BYTES, 3, 200, 4, 201));
});

Deno.test("isBlank() is true for space and tab alone", () => {
  for (let byte = 0; byte < 256; byte++) assertEquals(isBlank(byte), byte === 32 || byte === 9);
  assertFalse(isBlank(undefined));
});

Deno.test("encodeAscii() makes one byte of each character", () => {
  assertEquals(encodeAscii("a: b\r\n"), Uint8Array.of(0x61, 0x3a, 0x20, 0x62, 0x0d, 0x0a));
  assertEquals(encodeAscii(""), new Uint8Array(0));
});
