import { assertEquals } from "@std/assert";
import { cookieKey, isExpiredCookie, type StoredCookie } from "../../http/stored_cookie.ts";
import { storedCookie } from "../_support/stored_cookie.ts";

const COOKIE = storedCookie();

Deno.test("cookieKey() differs by every part of the identity, and by nothing else", () => {
  const others: StoredCookie[] = [
    { ...COOKIE, name: "A" },
    { ...COOKIE, domain: "a.example.com" },
    { ...COOKIE, isHostOnly: false },
    { ...COOKIE, path: "/a" },
    { ...COOKIE, partitionKey: "https://example.org" },
  ];
  const keys = [COOKIE, ...others].map(cookieKey);
  assertEquals(new Set(keys).size, keys.length);
  const same = { ...COOKIE, value: "c", isSecure: true, isHttpOnly: true, createdUnixMs: 1 };
  assertEquals(cookieKey(same), cookieKey(COOKIE));
});

Deno.test("isExpiredCookie() holds from the instant on", () => {
  assertEquals(isExpiredCookie(COOKIE, Infinity), false);
  const cookie = { ...COOKIE, expiresUnixMs: 1_000 };
  assertEquals([999, 1_000, 1_001].map((now) => isExpiredCookie(cookie, now)), [false, true, true]);
});
