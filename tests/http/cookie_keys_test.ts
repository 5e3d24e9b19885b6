import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { CookieKeys } from "../../http/cookie_keys.ts";

function importKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", secret, algorithm, true, ["sign"]);
}

async function bytesOf(key: Promise<CryptoKey>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", await key));
}

Deno.test("CookieKeys takes bytes and text, and keeps a copy", async () => {
  const secret = new Uint8Array(32).fill(1);
  const keys = new CookieKeys([secret, "\xe4".repeat(16)], importKey);
  secret.fill(2);
  assertEquals(keys.count, 2);
  assertEquals(await bytesOf(keys.at(0)), new Uint8Array(32).fill(1));
  assertEquals(await bytesOf(keys.at(1)), new TextEncoder().encode("\xe4".repeat(16)));
  assertStrictEquals(keys.at(0), keys.at(0));
});

Deno.test("CookieKeys throws on keys that are short, missing or too many", () => {
  const good = new Uint8Array(32);
  assertEquals(new CookieKeys(new Array(16).fill(good), importKey).count, 16);
  const bad = [[], [new Uint8Array(31)], ["a".repeat(31)], [good, ""], new Array(17).fill(good)];
  for (const secrets of bad) assertThrows(() => new CookieKeys(secrets, importKey), RangeError);
});
