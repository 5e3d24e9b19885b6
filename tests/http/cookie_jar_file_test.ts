import { assertEquals, assertThrows } from "@std/assert";
import {
  formatCookieJson,
  formatNetscapeCookies,
  parseCookieJson,
  parseNetscapeCookies,
} from "../../http/cookie_jar_file.ts";
import type { StoredCookie } from "../../http/stored_cookie.ts";
import { storedCookie as cookie } from "../_support/stored_cookie.ts";

const COOKIES: readonly StoredCookie[] = [
  cookie(),
  cookie({ name: "", value: "b=c" }),
  cookie({ name: "__proto__", value: '"\\\xff"', path: "/\xe9", createdUnixMs: 1.5 }),
  cookie({ domain: "[::1]", isSecure: true, isHttpOnly: true, expiresUnixMs: 4_000 }),
  cookie({ isHostOnly: false, name: "c", value: "", sameSite: "None", isSecure: true }),
  cookie({ name: "__Host-x", isSecure: true, partitionKey: "https://example.org" }),
];

Deno.test("parseCookieJson() reads what formatCookieJson() writes", () => {
  assertEquals(parseCookieJson(formatCookieJson(COOKIES)), [...COOKIES]);
  assertEquals(parseCookieJson(formatCookieJson([])), []);
});

const OK = { name: "a", value: "b", domain: "example.com", path: "/" };

Deno.test("parseCookieJson() reads own properties only, and pollutes nothing", () => {
  const entry = `{"__proto__":{"isSecure":true},"constructor":{},${
    JSON.stringify(OK).slice(1, -1)
  }}`;
  const [read] = parseCookieJson(`{"__proto__":{"x":1},"version":1,"cookies":[${entry}]}`);
  assertEquals(read, cookie({ domain: "example.com" }));
  assertEquals(({} as Record<string, unknown>)["x"], undefined);
});

Deno.test("parseCookieJson() reads nothing from a prototype that others have polluted", () => {
  Object.defineProperty(Object.prototype, "isHttpOnly", { value: true, configurable: true });
  try {
    const [read] = parseCookieJson(JSON.stringify({ version: 1, cookies: [OK] }));
    assertEquals(read?.isHttpOnly, false);
  } finally {
    delete (Object.prototype as { isHttpOnly?: unknown }).isHttpOnly;
  }
});

const NO_COOKIES: readonly (readonly [name: string, file: unknown])[] = [
  ["no object", 1],
  ["null", null],
  ["an array", []],
  ["another version", { version: 2, cookies: [] }],
  ["no cookies", { version: 1 }],
  ["cookies that are no array", { version: 1, cookies: {} }],
];

const BAD_ENTRIES: readonly (readonly [name: string, entry: unknown])[] = [
  ["no object", 1],
  ["null", null],
  ["no name", { ...OK, name: undefined }],
  ["a name that is no string", { ...OK, name: 1 }],
  ["a name with an equals sign", { ...OK, name: "a=b" }],
  ["a name with a semicolon", { ...OK, name: "a;b" }],
  ["a line end in the name", { ...OK, name: "a\nb" }],
  ["a line end in the value", { ...OK, value: "a\r\nb: c" }],
  ["NUL in the value", { ...OK, value: "\0" }],
  ["a semicolon in the value", { ...OK, value: "a; b=c" }],
  ["a character that is no byte", { ...OK, value: "\u0100" }],
  ["neither name nor value", { ...OK, name: "", value: "" }],
  ["an empty domain", { ...OK, domain: "" }],
  ["a domain in upper case", { ...OK, domain: "Example.com" }],
  ["a domain with a blank", { ...OK, domain: "a b" }],
  ["a domain beyond ASCII", { ...OK, domain: "b\xfc.example" }],
  ["a path without slash", { ...OK, path: "x" }],
  ["a path with a line end", { ...OK, path: "/\n" }],
  ["a flag that is none", { ...OK, isSecure: "yes" }],
  ["an unknown SameSite", { ...OK, sameSite: "lax" }],
  ["an end that is no number", { ...OK, expiresUnixMs: "1" }],
  ["an end that is null", { ...OK, expiresUnixMs: null }],
  ["a partition that is no string", { ...OK, partitionKey: 1 }],
  ["a partition with a line end", { ...OK, partitionKey: "https://a\n" }],
  ["a prefix without secure", { ...OK, name: "__Secure-a" }],
  ["a prefix for hosts, for a domain", {
    ...OK,
    name: "__Host-a",
    isSecure: true,
    isHostOnly: false,
  }],
  ["a prefix for hosts, below a path", { ...OK, name: "__host-a", isSecure: true, path: "/x" }],
  ["a prefix without HttpOnly", { ...OK, name: "__Http-a", isSecure: true }],
  ["a value that looks like a prefix", { ...OK, name: "", value: "__Host-a=b", isSecure: true }],
];

for (const [name, file] of NO_COOKIES) {
  Deno.test(`parseCookieJson() refuses a file with ${name}`, () => {
    assertThrows(() => parseCookieJson(JSON.stringify(file)), SyntaxError);
  });
}

for (const [name, entry] of BAD_ENTRIES) {
  Deno.test(`parseCookieJson() refuses a cookie with ${name}`, () => {
    const text = JSON.stringify({ version: 1, cookies: [OK, entry] });
    assertThrows(() => parseCookieJson(text), SyntaxError);
  });
}

Deno.test("parseCookieJson() refuses every strict prefix of a file", () => {
  const text = formatCookieJson(COOKIES).trimEnd();
  for (let end = 0; end < text.length; end++) {
    assertThrows(() => parseCookieJson(text.slice(0, end)), SyntaxError);
  }
});

Deno.test("formatNetscapeCookies() writes what curl reads", () => {
  const text = formatNetscapeCookies(COOKIES);
  assertEquals(text.split("\n"), [
    "# Netscape HTTP Cookie File",
    "www.example.com\tFALSE\t/\tFALSE\t0\ta\tb",
    "www.example.com\tFALSE\t/\tFALSE\t0\t\tb=c",
    'www.example.com\tFALSE\t/\xe9\tFALSE\t0\t__proto__\t"\\\xff"',
    "#HttpOnly_[::1]\tFALSE\t/\tTRUE\t4\ta\tb",
    ".www.example.com\tTRUE\t/\tTRUE\t0\tc\t",
    "",
  ]);
});

Deno.test("formatNetscapeCookies() leaves out what would read as something else", () => {
  const all = [
    cookie({ value: "a\tb" }),
    cookie({ name: "a\tb" }),
    cookie({ path: "/\t" }),
    cookie({ expiresUnixMs: 0 }),
    cookie({ expiresUnixMs: -5_000 }),
    cookie({ partitionKey: "https://example.org" }),
  ];
  assertEquals(formatNetscapeCookies(all), "# Netscape HTTP Cookie File\n");
});

Deno.test("formatNetscapeCookies() ends no cookie early", () => {
  const text = formatNetscapeCookies([cookie({ expiresUnixMs: 3_001 })]);
  assertEquals(parseNetscapeCookies(text)[0]?.expiresUnixMs, 4_000);
});

Deno.test("parseNetscapeCookies() reads what formatNetscapeCookies() writes", () => {
  const kept = COOKIES.filter(({ partitionKey }) => partitionKey === undefined);
  const read = parseNetscapeCookies(formatNetscapeCookies(kept));
  const wanted = kept.map((it, index) => {
    return { ...it, sameSite: undefined, createdUnixMs: (index + 1) / 1_024 };
  });
  assertEquals(read, wanted);
});

Deno.test("parseNetscapeCookies() reads what others write", () => {
  const lines = [
    "# Netscape HTTP Cookie File",
    "# https://curl.se/docs/http-cookies.html",
    "",
    "   ",
    "#HttpOnly_.Example.com\tTRUE\t/\tTRUE\t2000000000\ta\tb\tc".replace("\tc", ""),
    "example.com\tfalse\t/\tfalse\t1700000000.25\tx\ty",
    "::1\tFALSE\t/\tFALSE\t\tx",
    "example.com\tFALSE\t/\tFALSE\t-1\tx\ty",
  ];
  for (const end of ["\n", "\r\n"]) {
    const read = parseNetscapeCookies(lines.join(end) + end);
    assertEquals(read.map(({ domain }) => domain), [
      "example.com",
      "example.com",
      "[::1]",
      "example.com",
    ]);
    assertEquals(read.map(({ expiresUnixMs }) => expiresUnixMs), [
      2_000_000_000_000,
      1_700_000_000_250,
      undefined,
      undefined,
    ]);
    assertEquals(read.map(({ isHttpOnly, isHostOnly }) => [isHttpOnly, isHostOnly]), [
      [true, false],
      [false, true],
      [false, true],
      [false, true],
    ]);
  }
});

const BAD_LINES = [
  "example.com",
  "example.com\tFALSE\t/\tFALSE\t0",
  "example.com\tFALSE\t/\tFALSE\t0\ta\tb\tc",
  "example.com FALSE / FALSE 0 a b",
  "example.com\tFALSE\t/\tFALSE\tnever\ta\tb",
  "example.com\tFALSE\t/\tFALSE\t1e9\ta\tb",
  "example.com\tFALSE\tx\tFALSE\t0\ta\tb",
  "\tFALSE\t/\tFALSE\t0\ta\tb",
  "example.com\tFALSE\t/\tFALSE\t0\t\t",
  "example.com\tFALSE\t/\tFALSE\t0\ta=b\tc",
  "example.com\tFALSE\t/\tFALSE\t0\ta\tb;c",
  "example.com\tFALSE\t/\tFALSE\t0\ta\tb\rc",
  "example.com\tFALSE\t/\tFALSE\t0\t__Secure-a\tb",
];

for (const line of BAD_LINES) {
  Deno.test(`parseNetscapeCookies() refuses ${JSON.stringify(line)}`, () => {
    assertThrows(() => parseNetscapeCookies(`# x\n${line}\n`), SyntaxError);
  });
}
