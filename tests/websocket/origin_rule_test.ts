import { assertEquals, assertThrows } from "@std/assert";
import { HeaderList } from "../../http/header_list.ts";
import { originRule, type WebSocketOrigin } from "../../websocket/origin_rule.ts";

function allows(
  rule: WebSocketOrigin,
  origin: string | readonly string[] | undefined,
  host: string | undefined = "example.com",
  isSecure = false,
): boolean {
  const headers = new HeaderList(host === undefined ? [] : [["Host", host]]);
  const origins = origin === undefined ? [] : typeof origin === "string" ? [origin] : origin;
  for (const value of origins) headers.append("Origin", value);
  return originRule(rule)({ method: "GET", minorVersion: 1, headers, isSecure });
}

const SAME: readonly [origin: string, host: string][] = [
  ["http://example.com", "example.com"],
  ["https://example.com", "example.com"],
  ["http://example.com", "example.com:80"],
  ["https://example.com", "example.com:443"],
  ["http://example.com:8080", "example.com:8080"],
  ["http://example.com", "EXAMPLE.com"],
  ["http://[::1]:8080", "[::1]:8080"],
  ["http://[::1]", "[::1]"],
  ["http://127.0.0.1", "127.0.0.1:"],
];

for (const [origin, host] of SAME) {
  Deno.test(`originRule() takes ${origin} for the origin of ${host}`, () => {
    assertEquals(allows("same-origin", origin, host), true);
  });
}

const OTHER: readonly [origin: string, host: string][] = [
  ["http://evil.example", "example.com"],
  ["http://example.com.evil.example", "example.com"],
  ["http://evilexample.com", "example.com"],
  ["http://example.com:8080", "example.com"],
  ["http://example.com", "example.com:8080"],
  ["https://example.com", "example.com:80"],
  ["http://example.com", "example.com:443"],
  ["http://[::1]:1", "[::1]"],
  ["null", "example.com"],
  ["", "example.com"],
  ["example.com", "example.com"],
  ["ftp://example.com", "example.com"],
  ["http://example.com/", "example.com"],
  ["http://user@example.com", "example.com"],
  ["http://evil.example#example.com", "example.com"],
  ["http://example.com http://evil.example", "example.com"],
  ["http://example.com, http://example.com", "example.com"],
  [`http://${"a".repeat(600)}`, "a".repeat(600)],
];

for (const [origin, host] of OTHER) {
  Deno.test(`originRule() does not take "${origin.slice(0, 40)}" for that of ${host.slice(0, 20)}`, () => {
    assertEquals(allows("same-origin", origin, host), false);
  });
}

Deno.test("originRule() wants https where the request came over TLS", () => {
  assertEquals(allows("same-origin", "http://example.com", "example.com", true), false);
  assertEquals(allows("same-origin", "https://example.com", "example.com", true), true);
});

Deno.test("originRule() lets who sends no origin pass, and no two", () => {
  for (const rule of ["same-origin", "https://a.example", /x/, []] satisfies WebSocketOrigin[]) {
    assertEquals(allows(rule, undefined), true);
    assertEquals(allows(rule, ["https://a.example", "https://a.example"]), false);
  }
  assertEquals(allows("same-origin", "http://example.com", undefined), true);
  assertEquals(allows("same-origin", "http://example.com", ""), false);
});

Deno.test("originRule() takes a list of names and expressions", () => {
  const rule = ["https://a.example", /https:\/\/[a-z]+\.b\.example/, "null", "app://x"];
  const passes = (origin: string): boolean => allows(rule, origin);
  assertEquals(
    ["https://a.example", "https://x.b.example", "null", "app://x"].map(passes),
    [true, true, true, true],
  );
  assertEquals(
    [
      "http://a.example",
      "https://a.example:8443",
      "https://A.example",
      "https://x.b.example.evil.example",
      "https://evil.example/https://x.b.example",
      "http://example.com",
      `https://${"x".repeat(512)}.b.example`,
    ].filter(passes),
    [],
  );
});

Deno.test("originRule() takes an expression with g or y time after time", () => {
  for (const rule of [/https:\/\/a\.example/g, /https:\/\/a\.example/y]) {
    const test = originRule(rule);
    const headers = new HeaderList({ Origin: "https://a.example" });
    const request = { method: "GET", minorVersion: 1, headers };
    assertEquals([test(request), test(request), test(request)], [true, true, true]);
  }
});

Deno.test("originRule() lets everybody pass with a star", () => {
  assertEquals(allows("*", "https://evil.example"), true);
  assertEquals(allows("*", "null"), true);
  assertEquals(allows("*", undefined), true);
});

Deno.test("originRule() asks a function", () => {
  const asked: (string | undefined)[] = [];
  const rule = (origin: string | undefined): boolean => {
    asked.push(origin);
    return origin === "https://a.example";
  };
  assertEquals(allows(rule, "https://a.example"), true);
  assertEquals(allows(rule, "https://b.example"), false);
  assertEquals(allows(rule, undefined), false);
  assertEquals(allows(rule, ["https://a.example", "https://a.example"]), false);
  assertEquals(asked, ["https://a.example", "https://b.example", undefined]);
});

Deno.test("originRule() throws on what no browser writes", () => {
  for (const origin of ["", "example.com", "https://a.example/", "https://A.example", "https://"]) {
    assertThrows(() => originRule(origin), RangeError);
    assertThrows(() => originRule([origin]), RangeError);
  }
  assertThrows(() => originRule(["*"]), RangeError);
  assertThrows(() => originRule(["same-origin"]), RangeError);
  originRule(new Array(10_000).fill("https://a.example"));
  assertThrows(() => originRule(new Array(10_001).fill("https://a.example")), RangeError);
});
