import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { CookieEncrypter } from "../../http/cookie_encrypter.ts";
import { formatSetCookie } from "../../http/cookie_set.ts";

const KEYS = [1, 2].map((byte) => new Uint8Array(32).fill(byte));

for (const value of ["", "ada", "a; b\r\n\0", "\ufeff\u00fc\u{1f36a}", "v".repeat(3_000)]) {
  const shown = value.slice(0, 8);
  Deno.test(`CookieEncrypter decrypts what it encrypted: ${JSON.stringify(shown)}`, async () => {
    const encrypter = new CookieEncrypter(KEYS);
    const text = await encrypter.encrypt("cart", value);
    assertEquals(/^[A-Za-z0-9_-]+$/.test(text), true);
    assertEquals(await encrypter.decrypt("cart", text), { value, isOutdated: false });
    formatSetCookie("cart", text);
  });
}

Deno.test("CookieEncrypter.encrypt() gives another text each time", async () => {
  const encrypter = new CookieEncrypter(KEYS);
  assertNotEquals(await encrypter.encrypt("cart", "a"), await encrypter.encrypt("cart", "a"));
});

Deno.test("CookieEncrypter.encrypt() is AES-256-GCM, whose key HKDF gives", async () => {
  const text = await new CookieEncrypter(KEYS).encrypt("cart", "apples");
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  const key = new Uint8Array(hkdfSync("sha256", KEYS[0]!, "", "nbio cookie encryption", 32));
  const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  cipher.setAAD(new TextEncoder().encode("cart"));
  cipher.setAuthTag(bytes.subarray(-16));
  assertEquals(cipher.update(bytes.subarray(12, -16)).toString() + cipher.final("utf8"), "apples");
});

Deno.test("CookieEncrypter.decrypt() says which texts are to be made anew", async () => {
  const text = await new CookieEncrypter([KEYS[1]!]).encrypt("cart", "a");
  const encrypter = new CookieEncrypter(KEYS);
  assertEquals(await encrypter.decrypt("cart", text), { value: "a", isOutdated: true });
  assertEquals(await new CookieEncrypter([KEYS[0]!]).decrypt("cart", text), undefined);
});

Deno.test("CookieEncrypter.decrypt() refuses another name", async () => {
  const encrypter = new CookieEncrypter(KEYS);
  const text = await encrypter.encrypt("cart", "a");
  for (const name of ["order", "Cart", "", "cart "]) {
    assertEquals(await encrypter.decrypt(name, text), undefined);
  }
});

Deno.test("CookieEncrypter.decrypt() refuses every changed or cut text", async () => {
  const encrypter = new CookieEncrypter(KEYS);
  const text = await encrypter.encrypt("cart", "abc");
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  for (let index = 0; index < bytes.length; index++) {
    bytes[index]! ^= 1;
    const changed = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    bytes[index]! ^= 1;
    assertEquals(await encrypter.decrypt("cart", changed), undefined);
  }
  for (let length = 0; length < text.length; length++) {
    assertEquals(await encrypter.decrypt("cart", text.slice(0, length)), undefined);
  }
});

Deno.test("CookieEncrypter.decrypt() refuses nothing, garbage and what no client keeps", async () => {
  const encrypter = new CookieEncrypter(KEYS);
  const long = await encrypter.encrypt("cart", "v".repeat(4_000));
  for (
    const text of [undefined, "", "a", "=", "A".repeat(37), "A".repeat(64), "!".repeat(64), long]
  ) {
    assertEquals(await encrypter.decrypt("cart", text), undefined);
  }
});

Deno.test("CookieEncrypter throws on keys that are none", () => {
  assertThrows(() => new CookieEncrypter([]), RangeError);
  assertThrows(() => new CookieEncrypter([new Uint8Array(31)]), RangeError);
});
