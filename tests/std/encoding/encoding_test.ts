import { assertEquals, assertThrows } from "@std/assert";
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { decodeHex, encodeHex } from "@std/encoding/hex";

// RFC 4648 section 10.
const ROWS: readonly [text: string, base64: string, hex: string][] = [
  ["", "", ""],
  ["f", "Zg==", "66"],
  ["fo", "Zm8=", "666f"],
  ["foo", "Zm9v", "666f6f"],
  ["foobar", "Zm9vYmFy", "666f6f626172"],
];

for (const [text, base64, hex] of ROWS) {
  Deno.test(`encodeBase64() and decodeBase64() agree on "${text}"`, () => {
    assertEquals(encodeBase64(text), base64);
    assertEquals(decodeBase64(base64), new TextEncoder().encode(text));
  });
  Deno.test(`encodeHex() and decodeHex() agree on "${text}"`, () => {
    assertEquals(encodeHex(text), hex);
    assertEquals(decodeHex(hex), new TextEncoder().encode(text));
  });
}

Deno.test("decodeBase64() and decodeHex() throw on other characters", () => {
  assertThrows(() => decodeBase64("Zg!="), TypeError);
  assertThrows(() => decodeHex("6g"), TypeError);
  assertThrows(() => decodeHex("666"), TypeError);
});
