import { assertEquals } from "@std/assert";
import { defaultCookiePath, matchesCookiePath } from "../../http/cookie_path.ts";

const DEFAULTS = [
  ["", "/"],
  ["none", "/"],
  ["none/a", "/"],
  ["/", "/"],
  ["/a", "/"],
  ["/a/", "/a"],
  ["/a/b", "/a"],
  ["//", "/"],
  ["/a//b", "/a/"],
] as const;

for (const [path, wanted] of DEFAULTS) {
  Deno.test(`defaultCookiePath() of "${path}" is "${wanted}"`, () => {
    assertEquals(defaultCookiePath(path), wanted);
  });
}

const MATCHES = [
  ["/a", "/a", true],
  ["/a", "/", true],
  ["/a/b", "/a", true],
  ["/a/b", "/a/", true],
  ["/a", "/a/", false],
  ["/ab", "/a", false],
  ["/A", "/a", false],
  ["/%61", "/a", false],
  ["/", "/a", false],
  ["/a/../b", "/a", true],
] as const;

for (const [path, cookiePath, wanted] of MATCHES) {
  Deno.test(`matchesCookiePath() of "${path}" and "${cookiePath}" is ${wanted}`, () => {
    assertEquals(matchesCookiePath(path, cookiePath), wanted);
  });
}
