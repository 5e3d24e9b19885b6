import { assertEquals, assertThrows } from "@std/assert";
import { parseCookies } from "../../http/cookie_parser.ts";
import {
  type CookieAttributes,
  formatDeleteCookie,
  formatSetCookie,
  prefixRule,
} from "../../http/cookie_set.ts";

for (
  const [what, attributes, text] of [
    ["nothing", {}, ""],
    ["Expires", { expiresUnixMs: 784_111_777_999 }, "; Expires=Sun, 06 Nov 1994 08:49:37 GMT"],
    ["Expires at the epoch", { expiresUnixMs: 0 }, "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
    ["Max-Age", { maxAgeSeconds: 60 }, "; Max-Age=60"],
    ["Max-Age 0", { maxAgeSeconds: 0 }, "; Max-Age=0"],
    ["400 days", { maxAgeSeconds: 34_560_000 }, "; Max-Age=34560000"],
    ["Domain", { domain: "sub.example.com" }, "; Domain=sub.example.com"],
    ["Path", { path: "/a b/%20,=" }, "; Path=/a b/%20,="],
    ["Secure", { secure: true }, "; Secure"],
    ["HttpOnly", { httpOnly: true }, "; HttpOnly"],
    ["SameSite=Strict", { sameSite: "Strict" }, "; SameSite=Strict"],
    ["SameSite=Lax", { sameSite: "Lax" }, "; SameSite=Lax"],
    ["SameSite=None", { sameSite: "None", secure: true }, "; Secure; SameSite=None"],
    ["Partitioned", { partitioned: true, secure: true }, "; Secure; Partitioned"],
    ["Priority", { priority: "Low" }, "; Priority=Low"],
    ["what is false or undefined", {
      secure: false,
      httpOnly: false,
      partitioned: false,
      path: undefined,
      domain: undefined,
      sameSite: undefined,
      priority: undefined,
      maxAgeSeconds: undefined,
      expiresUnixMs: undefined,
    }, ""],
  ] as [string, CookieAttributes, string][]
) {
  Deno.test(`formatSetCookie() says ${what}`, () => {
    assertEquals(formatSetCookie("a", "b", attributes), `a=b${text}`);
  });
}

for (
  const [what, name, value, attributes] of [
    ["no name", "", "b", {}],
    ["a blank in the name", "a b", "c", {}],
    ["an equals sign in the name", "a=b", "c", {}],
    ["a semicolon in the name", "a;b", "c", {}],
    ["a name above ASCII", "\xe4", "c", {}],
    ["CR LF in the name", "a\r\nb", "c", {}],
    ["a semicolon in the value", "a", "b; Domain=evil", {}],
    ["a comma in the value", "a", "b,c", {}],
    ["a blank in the value", "a", "b c", {}],
    ["a backslash in the value", "a", "b\\c", {}],
    ["a quotation mark in the value", "a", 'b"c', {}],
    ["a lone quotation mark", "a", '"', {}],
    ["three quotation marks", "a", '"""', {}],
    ["CR LF in the value", "a", "b\r\nSet-Cookie: c=d", {}],
    ["NUL in the value", "a", "b\0", {}],
    ["DEL in the value", "a", "b\x7f", {}],
    ["a value above ASCII", "a", "\xfc", {}],
    ["a line end behind the value", "a", "b\n", {}],
    ["an empty domain", "a", "b", { domain: "" }],
    ["a dot in front of the domain", "a", "b", { domain: ".example.com" }],
    ["a dot behind the domain", "a", "b", { domain: "example.com." }],
    ["a domain with a port", "a", "b", { domain: "example.com:80" }],
    ["a domain with a semicolon", "a", "b", { domain: "a;b" }],
    ["a domain with a line end", "a", "b", { domain: "a\n" }],
    ["a domain above ASCII", "a", "b", { domain: "\xfc.example" }],
    ["a long domain", "a", "b", { domain: `${"a".repeat(63)}.`.repeat(4) + "a" }],
    ["an empty path", "a", "b", { path: "" }],
    ["a path without slash", "a", "b", { path: "a" }],
    ["a path with a semicolon", "a", "b", { path: "/a;b" }],
    ["a path with CR", "a", "b", { path: "/\r" }],
    ["a path that ends in a blank", "a", "b", { path: "/ " }],
    ["a path above ASCII", "a", "b", { path: "/\xfc" }],
    ["a long path", "a", "b", { path: `/${"a".repeat(1_024)}` }],
    ["SameSite=None without Secure", "a", "b", { sameSite: "None" }],
    ["an unknown SameSite", "a", "b", { sameSite: "lax; Domain=a" as "Lax" }],
    ["Partitioned without Secure", "a", "b", { partitioned: true }],
    ["an unknown Priority", "a", "b", { priority: "Highest" as "High" }],
  ] as [string, string, string, CookieAttributes][]
) {
  Deno.test(`formatSetCookie() throws a TypeError on ${what}`, () => {
    assertThrows(() => formatSetCookie(name, value, attributes), TypeError);
  });
}

for (
  const [what, attributes] of [
    ["a negative Max-Age", { maxAgeSeconds: -1 }],
    ["a broken Max-Age", { maxAgeSeconds: 1.5 }],
    ["a Max-Age that is none", { maxAgeSeconds: NaN }],
    ["a Max-Age without end", { maxAgeSeconds: Infinity }],
    ["a Max-Age of more than 400 days", { maxAgeSeconds: 34_560_001 }],
    ["an Expires before the epoch", { expiresUnixMs: -1 }],
    ["an Expires that is none", { expiresUnixMs: NaN }],
    ["an Expires after the year 9999", { expiresUnixMs: 253_402_300_800_000 }],
  ] as [string, CookieAttributes][]
) {
  Deno.test(`formatSetCookie() throws a RangeError on ${what}`, () => {
    assertThrows(() => formatSetCookie("a", "b", attributes), RangeError);
  });
}

const HOST = { secure: true, path: "/" };
for (
  const [name, attributes, isAllowed] of [
    ["__Secure-a", { secure: true }, true],
    ["__Secure-a", { secure: true, domain: "a.example", path: "/b" }, true],
    ["__Secure-a", {}, false],
    ["__secure-a", {}, false],
    ["__Host-a", HOST, true],
    ["__Host-a", { path: "/" }, false],
    ["__Host-a", { secure: true }, false],
    ["__Host-a", { secure: true, path: "/b" }, false],
    ["__Host-a", { ...HOST, domain: "a.example" }, false],
    ["__HOST-a", { ...HOST, domain: "a.example" }, false],
    ["__Http-a", { secure: true, httpOnly: true }, true],
    ["__Http-a", { secure: true, httpOnly: true, domain: "a.example" }, true],
    ["__Http-a", { secure: true }, false],
    ["__Http-a", { httpOnly: true }, false],
    ["__Host-Http-a", { ...HOST, httpOnly: true }, true],
    ["__Host-Http-a", HOST, false],
    ["__host-http-a", { ...HOST, httpOnly: true, domain: "a.example" }, false],
    ["__Hosta", {}, true],
    ["_Host-a", {}, true],
    ["a__Host-", {}, true],
  ] as [string, CookieAttributes, boolean][]
) {
  const outcome = isAllowed ? "allows" : "refuses";
  Deno.test(`formatSetCookie() ${outcome} ${name} with ${JSON.stringify(attributes)}`, () => {
    const format = (): string => formatSetCookie(name, "b", attributes);
    if (isAllowed) assertEquals(format().startsWith(`${name}=b`), true);
    else assertThrows(format, TypeError);
  });
}

for (const [length, isAllowed] of [[4_095, true], [4_096, true], [4_097, false]] as const) {
  const outcome = isAllowed ? "allows" : "refuses";
  Deno.test(`formatSetCookie() ${outcome} ${length} bytes of name and value`, () => {
    for (const nameLength of [1, 100, length]) {
      const name = "n".repeat(nameLength);
      const format = (): string => formatSetCookie(name, "v".repeat(length - nameLength));
      if (isAllowed) assertEquals(format().length, length + 1);
      else assertThrows(format, RangeError);
    }
  });
}

Deno.test("formatSetCookie() allows a path of 1,024 bytes and a domain of 253", () => {
  const path = `/${"a".repeat(1_023)}`;
  const domain = `${`${"a".repeat(62)}.`.repeat(4)}a`;
  assertEquals(domain.length, 253);
  assertEquals(formatSetCookie("a", "b", { path }), `a=b; Path=${path}`);
  assertEquals(formatSetCookie("a", "b", { domain }), `a=b; Domain=${domain}`);
});

Deno.test("formatSetCookie() takes every octet of RFC 6265, and parseCookies() gives it back", () => {
  for (let code = 0; code < 0x180; code++) {
    const value = `<${String.fromCharCode(code)}>`;
    const isOctet = code > 0x20 && code < 0x7f && !'",;\\'.includes(value[1]!);
    if (!isOctet) assertThrows(() => formatSetCookie("a", value), TypeError);
    else assertEquals(parseCookies(formatSetCookie("a", value)).get("a"), value);
  }
  for (const value of ["", '""', '"b"']) {
    assertEquals(parseCookies(formatSetCookie("a", value)).get("a"), value);
  }
});

for (
  const [name, scope, text] of [
    ["a", {}, ""],
    ["a", { path: "/b", domain: "c.example" }, "; Domain=c.example; Path=/b"],
    ["a", { secure: true }, "; Secure"],
    ["a", { partitioned: true }, "; Secure; Partitioned"],
    ["a", { sameSite: "None" }, "; Secure; SameSite=None"],
    ["__Secure-a", { path: "/b" }, "; Path=/b; Secure"],
    ["__Host-a", {}, "; Path=/; Secure"],
    ["__Http-a", {}, "; Secure; HttpOnly"],
    ["__Host-Http-a", {}, "; Path=/; Secure; HttpOnly"],
  ] as const
) {
  Deno.test(`formatDeleteCookie() deletes ${name} of ${JSON.stringify(scope)}`, () => {
    const end = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0";
    assertEquals(formatDeleteCookie(name, scope), `${name}=; ${end}${text}`);
  });
}

Deno.test("formatDeleteCookie() throws on what formatSetCookie() refuses", () => {
  assertThrows(() => formatDeleteCookie("a b"), TypeError);
  assertThrows(() => formatDeleteCookie("__Host-a", { domain: "a.example" }), TypeError);
  assertThrows(() => formatDeleteCookie("__Host-a", { path: "/b" }), TypeError);
});

Deno.test("prefixRule() tells what a prefix promises", () => {
  const rule = (name: string): boolean[] => Object.values(prefixRule(name));
  assertEquals(rule("a"), [false, false, false]);
  assertEquals(rule("__Secure-a"), [true, false, false]);
  assertEquals(rule("__Http-a"), [true, true, false]);
  assertEquals(rule("__Host-a"), [true, false, true]);
  assertEquals(rule("__Host-Http-a"), [true, true, true]);
});
