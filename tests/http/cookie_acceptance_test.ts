import { assertEquals } from "@std/assert";
import {
  acceptCookie,
  type CookieAcceptance,
  type CookieRequest,
  MAX_COOKIE_AGE_MS,
  overlaysSecureCookie,
} from "../../http/cookie_acceptance.ts";
import { parseSetCookie } from "../../http/cookie_set_parser.ts";
import type { StoredCookie } from "../../http/stored_cookie.ts";

const NOW = 1_000_000;

const REQUEST: CookieRequest = {
  host: "www.example.com",
  path: "/shop/cart",
  isSecure: true,
  isHttpApi: true,
  isCrossSite: false,
  isSafeMethod: true,
  isTopLevel: false,
};

const FACTS: CookieAcceptance = {
  isPublicSuffix: false,
  partitionKey: "https://example.org",
  maxCookieBytes: 4_096,
  nowUnixMs: NOW,
};

function accept(
  line: string,
  request: Partial<CookieRequest> = {},
  facts: Partial<CookieAcceptance> = {},
): StoredCookie | undefined {
  return acceptCookie(parseSetCookie(line)!, { ...REQUEST, ...request }, { ...FACTS, ...facts });
}

Deno.test("acceptCookie() keeps what the field says and what it does not", () => {
  assertEquals(accept("a=b"), {
    name: "a",
    value: "b",
    domain: "www.example.com",
    isHostOnly: true,
    path: "/shop",
    isSecure: false,
    isHttpOnly: false,
    sameSite: undefined,
    partitionKey: undefined,
    expiresUnixMs: undefined,
    createdUnixMs: NOW,
  });
  const line = "a=b; domain=example.com; path=/; secure; httponly; samesite=lax; partitioned; " +
    "max-age=1";
  assertEquals(accept(line), {
    name: "a",
    value: "b",
    domain: "example.com",
    isHostOnly: false,
    path: "/",
    isSecure: true,
    isHttpOnly: true,
    sameSite: "Lax",
    partitionKey: "https://example.org",
    expiresUnixMs: NOW + 1_000,
    createdUnixMs: NOW,
  });
});

const CROSS = { isCrossSite: true };
const INSECURE = { isSecure: false };
const SCRIPT = { isHttpApi: false };
const SUFFIX = { isPublicSuffix: true };

interface Row {
  readonly line: string;
  readonly request?: Partial<CookieRequest>;
  readonly facts?: Partial<CookieAcceptance>;
}

const ACCEPTED: readonly Row[] = [
  { line: "a=b; domain=www.example.com" },
  { line: "a=b; domain=", request: { host: "[::1]" } },
  { line: "a=b; domain=127.0.0.1", request: { host: "127.0.0.1" } },
  { line: "a=b; domain=github.io", request: { host: "github.io" }, facts: SUFFIX },
  { line: "a=b; samesite=none; secure", request: CROSS },
  { line: "a=b; samesite=strict", request: { ...CROSS, isTopLevel: true } },
  { line: "a=b", request: SCRIPT },
  { line: "a=b", request: INSECURE },
  { line: "__Secure-a=b; secure; domain=example.com" },
  { line: "__Host-a=b; secure; path=/" },
  { line: "__host-a=b; secure; path=/; domain=" },
  { line: "__Http-a=b; secure; httponly" },
  { line: "__Host-Http-a=b; secure; httponly; path=/" },
  { line: "__Hosta=b" },
  { line: "a=__Host-a" },
  { line: `${"a".repeat(2_048)}=${"b".repeat(2_048)}` },
];

for (const { line, request, facts } of ACCEPTED) {
  Deno.test(`acceptCookie() takes ${line.slice(0, 60)} ${JSON.stringify(request ?? {})}`, () => {
    assertEquals(accept(line, request, facts) !== undefined, true);
  });
}

const IGNORED: readonly Row[] = [
  { line: "a=b; domain=example.org" },
  { line: "a=b; domain=a.www.example.com" },
  { line: "a=b; domain=xample.com" },
  { line: "a=b; domain=.example.com." },
  { line: "a=b; domain=com", facts: SUFFIX },
  { line: "a=b; domain=0.0.1", request: { host: "127.0.0.1" } },
  { line: "a=b; domain=b\xfccher.example", request: { host: "xn--bcher-kva.example" } },
  { line: "a=b; secure", request: INSECURE },
  { line: "a=b; httponly", request: SCRIPT },
  { line: "a=b; samesite=none" },
  { line: "a=b; samesite=strict", request: CROSS },
  { line: "a=b; samesite=lax", request: CROSS },
  { line: "a=b", request: CROSS },
  { line: "a=b", request: { ...CROSS, ...SCRIPT, isTopLevel: true } },
  { line: "a=b; partitioned" },
  { line: "__Secure-a=b" },
  { line: "__sECURE-a=b" },
  { line: "__Host-a=b; path=/" },
  { line: "__Host-a=b; secure" },
  { line: "__Host-a=b; secure", request: { path: "/" } },
  { line: "__Host-a=b; secure; path=/x" },
  { line: "__HOST-a=b; secure; path=/; domain=www.example.com" },
  {
    line: "__Host-a=b; secure; path=/; domain=github.io",
    request: { host: "github.io" },
    facts: SUFFIX,
  },
  { line: "__Http-a=b; secure" },
  { line: "__Host-Http-a=b; secure; path=/" },
  { line: "=__Secure-a=b; secure" },
  { line: "__Host-a; secure; path=/" },
  { line: `${"a".repeat(2_048)}=${"b".repeat(2_049)}` },
];

for (const { line, request, facts } of IGNORED) {
  Deno.test(`acceptCookie() ignores ${line.slice(0, 60)} ${JSON.stringify(request ?? {})}`, () => {
    assertEquals(accept(line, request, facts), undefined);
  });
}

Deno.test("acceptCookie() makes a public suffix's own cookie one of the host alone", () => {
  const cookie = accept("a=b; domain=github.io", { host: "github.io" }, SUFFIX);
  assertEquals([cookie?.domain, cookie?.isHostOnly], ["github.io", true]);
});

const EXPIRIES = [
  ["max-age=0", 0],
  ["max-age=-5", 0],
  ["max-age=1; expires=6 nov 94 8:49:37", NOW + 1_000],
  ["expires=6 nov 94 8:49:37; max-age=-1", 0],
  ["max-age=34560000", NOW + MAX_COOKIE_AGE_MS],
  ["max-age=34560001", NOW + MAX_COOKIE_AGE_MS],
  [`max-age=${"9".repeat(400)}`, NOW + MAX_COOKIE_AGE_MS],
  ["expires=1 jan 9999 0:0:0", NOW + MAX_COOKIE_AGE_MS],
  ["expires=1 jan 1970 0:0:1", 1_000],
  ["expires=never", undefined],
] as const;

for (const [attributes, wanted] of EXPIRIES) {
  Deno.test(`acceptCookie() ends a cookie by ${attributes.slice(0, 40)}`, () => {
    assertEquals(accept(`a=b; ${attributes}`)?.expiresUnixMs, wanted);
  });
}

const OVERLAYS = [
  ["the same place", "id=1; secure", "id=2", true],
  ["a domain above", "id=1; secure", "id=2; domain=example.com", true],
  ["a domain below", "id=1; secure; domain=example.com", "id=2", true],
  ["a path below", "id=1; secure; path=/", "id=2; path=/x", true],
  ["a path above", "id=1; secure; path=/x", "id=2; path=/", false],
  ["another name", "ID=1; secure", "id=2", false],
  ["what is not secure", "id=1", "id=2", false],
] as const;

for (const [name, present, line, wanted] of OVERLAYS) {
  Deno.test(`overlaysSecureCookie() is ${wanted} for ${name}`, () => {
    assertEquals(overlaysSecureCookie(accept(line)!, [accept(present)!]), wanted);
  });
}

Deno.test("overlaysSecureCookie() is false for a domain beside", () => {
  const other = accept("id=1; secure", { host: "other.example.com" })!;
  assertEquals(overlaysSecureCookie(accept("id=2")!, [other]), false);
});
