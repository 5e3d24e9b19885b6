import { assertEquals } from "@std/assert";
import { type ParsedSetCookie, parseSetCookie } from "../../http/cookie_set_parser.ts";

const ROWS: readonly (readonly [name: string, line: string, wanted: Partial<ParsedSetCookie>])[] = [
  ["a pair", "a=b", { name: "a", value: "b" }],
  ["no value", "a=", { name: "a", value: "" }],
  ["no name", "=b", { name: "", value: "b" }],
  ["no equals sign", "b", { name: "", value: "b" }],
  ["an equals sign in the value", "a==b=", { name: "a", value: "=b=" }],
  ["an equals sign in an attribute only", "b; path=/", { name: "", value: "b", path: "/" }],
  ["blanks at the ends only", " a\t= b c \t", { name: "a", value: "b c" }],
  ["white space that is none", "\xa0a=b", { name: "\xa0a", value: "b" }],
  ["quotation marks as a part of the value", 'a="b"', { value: '"b"' }],
  ["names of attributes in any case", "a=b; SECURE; hTTPonly; partitioned", {
    isSecure: true,
    isHttpOnly: true,
    isPartitioned: true,
  }],
  ["attributes that need no value with one", "a=b; secure=no", { isSecure: true }],
  ["attributes nobody knows", "a=b; ; =; foo; path2=/x", { path: undefined, domain: "" }],
  ["the last path", "a=b; path=/x; path=/y", { path: "/y" }],
  ["the last path, even if it is none", "a=b; path=/x; path=y", { path: undefined }],
  ["the last domain", "a=b; domain=x; domain=.Y.com", { domain: "y.com" }],
  ["the last domain, even if it is empty", "a=b; domain=x; domain=", { domain: "" }],
  ["one dot before a domain", "a=b; domain=..x", { domain: ".x" }],
  ["the last Max-Age that is one", "a=b; max-age=5; max-age=x", { maxAgeSeconds: 5 }],
  ["Max-Age below 0", "a=b; max-age=-1", { maxAgeSeconds: -1 }],
  ["Max-Age of many digits", `a=b; max-age=${"9".repeat(999)}`, { maxAgeSeconds: Infinity }],
  ["no Max-Age with a sign", "a=b; max-age=+5", { maxAgeSeconds: undefined }],
  ["no Max-Age with a fraction", "a=b; max-age=5.5", { maxAgeSeconds: undefined }],
  ["no Max-Age of a minus", "a=b; max-age=-", { maxAgeSeconds: undefined }],
  ["the last date that is one", "a=b; expires=6 nov 94 8:49:37; expires=x", {
    expiresUnixMs: 784_111_777_000,
  }],
  ["SameSite in any case", "a=b; samesite=sTRICT", { sameSite: "Strict" }],
  ["the last SameSite, even if nobody knows it", "a=b; samesite=lax; samesite=x", {
    sameSite: undefined,
  }],
  ["a path of 1,024 bytes", `a=b; path=/${"x".repeat(1_023)}`, { path: `/${"x".repeat(1_023)}` }],
  ["no path of 1,025 bytes", `a=b; path=/y; path=/${"x".repeat(1_024)}`, { path: "/y" }],
];

for (const [name, line, wanted] of ROWS) {
  Deno.test(`parseSetCookie() reads ${name}`, () => {
    const cookie = parseSetCookie(line)!;
    const got = Object.keys(wanted).map((key) => [key, cookie[key as keyof ParsedSetCookie]]);
    assertEquals<unknown>(Object.fromEntries(got), wanted);
  });
}

for (const line of ["", "=", " = ", ";", "; a=b", "=; secure"]) {
  Deno.test(`parseSetCookie() ignores "${line}", neither name nor value`, () => {
    assertEquals(parseSetCookie(line), undefined);
  });
}

Deno.test("parseSetCookie() ignores a field with a control character, wherever it is", () => {
  for (let code = 0; code < 256; code++) {
    const isControl = (code < 0x20 && code !== 0x09) || code === 0x7f;
    const character = String.fromCharCode(code);
    for (const line of [`a${character}x=b`, `a=b${character}x`, `a=b; path=/${character}x`]) {
      assertEquals(parseSetCookie(line) === undefined, isControl, JSON.stringify(line));
    }
  }
});

Deno.test("parseSetCookie() takes time linear in the length", () => {
  for (const piece of [";", "=", " ", "a", "; ", "a=", "; path=/", "; domain=a", "\t;"]) {
    const line = `a=b;${piece.repeat(200_000)}`;
    assertEquals(parseSetCookie(line)?.name, "a");
    parseSetCookie(`${piece.repeat(200_000)};a=b`);
  }
});
