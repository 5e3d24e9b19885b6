import { assertEquals, assertThrows } from "@std/assert";
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { encodeHex } from "@std/encoding/hex";

// RFC 4648 section 10.
const ROWS: readonly [text: string, base64: string, hex: string][] = [
  ["", "", ""],
  ["f", "Zg==", "66"],
  ["fo", "Zm8=", "666f"],
  ["foo", "Zm9v", "666f6f"],
  ["foobar", "Zm9vYmFy", "666f6f626172"],
];

for (const [text, base64, hex] of ROWS) {
  Deno.test(`decodeBase64() gives the bytes of "${text}"`, () => {
    assertEquals(decodeBase64(base64), new TextEncoder().encode(text));
  });
  Deno.test(`encodeBase64() gives the characters of "${text}", as text and as bytes`, () => {
    assertEquals(encodeBase64(text), base64);
    assertEquals(encodeBase64(new TextEncoder().encode(text)), base64);
    assertEquals(encodeBase64(new TextEncoder().encode(text).buffer), base64);
  });
  Deno.test(`encodeHex() gives the digits of "${text}", as text and as bytes`, () => {
    assertEquals(encodeHex(text), hex);
    assertEquals(encodeHex(new TextEncoder().encode(text)), hex);
    assertEquals(encodeHex(new TextEncoder().encode(text).buffer), hex);
  });
}

Deno.test("decodeBase64() throws on other characters", () => {
  assertThrows(() => decodeBase64("Zg!="), TypeError);
});

Deno.test("encodeBase64Url() and decodeBase64Url() have letters of their own and no padding", () => {
  const bytes = new Uint8Array([0xfb, 0xef, 0xff, 0xff]);
  assertEquals(encodeBase64Url(bytes), "--___w");
  assertEquals(encodeBase64Url(bytes.buffer), "--___w");
  assertEquals(encodeBase64Url("f"), "Zg");
  assertEquals(decodeBase64Url("--___w"), bytes);
  assertEquals(decodeBase64Url("--___w=="), bytes);
});

Deno.test("decodeBase64Url() throws on other characters", () => {
  assertThrows(() => decodeBase64Url("++//"), TypeError);
});
