import { assertEquals } from "@std/assert";
import { isDnsIdentifier, toAsciiLowerCase } from "../../tls/dns_identifier.ts";

const L63 = "a".repeat(63);
/** 253 characters. */
const LONGEST = `${L63}.${L63}.${L63}.${"b".repeat(61)}`;

const NAMES = ["a", "a.b", "A-1.xn--bcher-kva.example", "_sip._tcp.example", "1.a", L63, LONGEST];

const NO_NAMES = [
  "",
  ".",
  "..",
  "a.",
  ".a",
  "a..b",
  "-a.b",
  "a-.b",
  "a b",
  "a\0",
  "bücher.example",
  "\u212aelvin.example",
  "*.a.b",
  "a/b",
  "[::1]",
  "1",
  "127.1",
  "192.0.2.1",
  "a.0x7f",
  "a.0x",
  `${L63}a`,
  `${LONGEST}b`,
];

Deno.test("isDnsIdentifier() takes labels of letters, digits, hyphens and underscores", () => {
  for (const name of NAMES) assertEquals(isDnsIdentifier(name), true, name);
  for (const name of NO_NAMES) assertEquals(isDnsIdentifier(name), false, name);
});

Deno.test("isDnsIdentifier() takes one dot at the end where it is allowed", () => {
  const options = { allowTrailingDot: true };
  for (const name of NAMES) assertEquals(isDnsIdentifier(`${name}.`, options), true, name);
  for (const name of ["", ".", "..", "a..", "192.0.2.1."]) {
    assertEquals(isDnsIdentifier(name, options), false, name);
  }
});

Deno.test("isDnsIdentifier() takes a wildcard above two labels where it is allowed", () => {
  const options = { allowWildcard: true };
  for (const name of ["*.a.b", "a.b", "*._x.a.b"]) {
    assertEquals(isDnsIdentifier(name, options), true, name);
  }
  for (
    const name of [
      "*",
      "*.",
      "*.a",
      "*.a.",
      "*a.b.c",
      "a*.b.c",
      "a.*.b.c",
      "*.*.a.b",
      "**.a.b",
      "*..a",
    ]
  ) {
    assertEquals(isDnsIdentifier(name, options), false, name);
  }
});

Deno.test("toAsciiLowerCase() changes nothing but ASCII letters", () => {
  assertEquals(toAsciiLowerCase("AZaz[@`{\u212a\u0130"), "azaz[@`{\u212a\u0130");
});
