import { assertEquals } from "@std/assert";
import {
  cookieDomainsOf,
  isAddressHost,
  isLoopbackHost,
  matchesCookieDomain,
} from "../../http/cookie_domain.ts";

const MATCHES = [
  ["example.com", "example.com", true],
  ["a.example.com", "example.com", true],
  ["aexample.com", "example.com", false],
  ["example.com", "a.example.com", false],
  ["example.com", "", false],
  ["example.com.", "example.com", false],
  ["a.example.com.", "example.com.", true],
  ["127.0.0.1", "0.0.1", false],
  ["127.0.0.1", "127.0.0.1", true],
  ["[::1]", "[::1]", true],
  ["[::1]", "1]", false],
] as const;

for (const [host, domain, wanted] of MATCHES) {
  Deno.test(`matchesCookieDomain() of "${host}" and "${domain}" is ${wanted}`, () => {
    assertEquals(matchesCookieDomain(host, domain), wanted);
  });
}

Deno.test("isAddressHost() tells addresses from names", () => {
  const addresses = ["127.0.0.1", "::1", "[::1]", "[2001:db8::1]"];
  const names = ["", "localhost", "1.2.3.4.example", "1.2.3", "[", "[]", "[1.2.3.4.5]", "a:b"];
  assertEquals(addresses.map(isAddressHost), addresses.map(() => true));
  assertEquals(names.map(isAddressHost), names.map(() => false));
});

Deno.test("isLoopbackHost() tells this machine from others", () => {
  const near = ["localhost", "localhost.", "a.b.localhost", "127.0.0.1", "127.255.0.9", "[::1]"];
  const far = ["", "localhost.com", "alocalhost", "128.0.0.1", "0.0.0.0", "[::2]", "127.0.0.1.a"];
  assertEquals(near.map(isLoopbackHost), near.map(() => true));
  assertEquals(far.map(isLoopbackHost), far.map(() => false));
});

Deno.test("cookieDomainsOf() gives a host and what is above it", () => {
  assertEquals(cookieDomainsOf("a.b.c"), ["a.b.c", "b.c", "c"]);
  assertEquals(cookieDomainsOf("a.b."), ["a.b.", "b."]);
  assertEquals(cookieDomainsOf("127.0.0.1"), ["127.0.0.1"]);
  assertEquals(cookieDomainsOf(""), [""]);
});

Deno.test("cookieDomainsOf() is bounded", () => {
  assertEquals(cookieDomainsOf("a.".repeat(126) + "a").length, 127);
  assertEquals(cookieDomainsOf("a.".repeat(100_000)).length, 127);
  assertEquals(cookieDomainsOf(".".repeat(100_000)).length, 127);
});
