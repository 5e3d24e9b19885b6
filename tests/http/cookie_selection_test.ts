import { assertEquals } from "@std/assert";
import type { CookieRequest } from "../../http/cookie_acceptance.ts";
import { formatCookieField, selectCookies } from "../../http/cookie_selection.ts";
import type { StoredCookie } from "../../http/stored_cookie.ts";
import { storedCookie as cookie } from "../_support/stored_cookie.ts";

const REQUEST: CookieRequest = {
  host: "www.example.com",
  path: "/shop/cart",
  isSecure: true,
  isHttpApi: true,
  isCrossSite: false,
  isSafeMethod: true,
  isTopLevel: false,
};

const LINK = { isCrossSite: true, isTopLevel: true };
const FORM = { ...LINK, isSafeMethod: false };

const ROWS: readonly (readonly [
  name: string,
  changes: Partial<StoredCookie>,
  request: Partial<CookieRequest>,
  isSent: boolean,
])[] = [
  ["its host", {}, {}, true],
  ["a host below, where it is for one host", { domain: "example.com" }, {}, false],
  ["a host below", { domain: "example.com", isHostOnly: false }, {}, true],
  ["a host above", { domain: "a.www.example.com", isHostOnly: false }, {}, false],
  ["another path", { path: "/x" }, {}, false],
  ["a connection that is not secure", { isSecure: true }, { isSecure: false }, false],
  ["a secure connection", { isSecure: true }, {}, true],
  ["a script", { isHttpOnly: true }, { isHttpApi: false }, false],
  ["the instant before its end", { expiresUnixMs: 1_001 }, {}, true],
  ["the instant of its end", { expiresUnixMs: 1_000 }, {}, false],
  ["its partition", { partitionKey: "https://a.example" }, {}, true],
  ["another partition", { partitionKey: "https://b.example" }, {}, false],
  ["another site's request", {}, { isCrossSite: true }, false],
  ["another site's request, being Lax", { sameSite: "Lax" }, { isCrossSite: true }, false],
  ["another site's request, being None", { sameSite: "None" }, { isCrossSite: true }, true],
  ["another site's link", {}, LINK, true],
  ["another site's link, being Lax", { sameSite: "Lax" }, LINK, true],
  ["another site's link, being Strict", { sameSite: "Strict" }, LINK, false],
  ["another site's form", {}, FORM, false],
  ["another site's form, being None", { sameSite: "None" }, FORM, true],
  ["a script that other sites see", {}, { ...LINK, isHttpApi: false }, false],
];

for (const [name, changes, request, isSent] of ROWS) {
  Deno.test(`selectCookies() ${isSent ? "sends" : "does not send"} a cookie to ${name}`, () => {
    const all = [cookie(changes)];
    const sent = selectCookies(all, { ...REQUEST, ...request }, 1_000, "https://a.example");
    assertEquals(sent.length, isSent ? 1 : 0);
  });
}

Deno.test("selectCookies() keeps partitioned cookies back without a partition", () => {
  const all = [cookie({ partitionKey: "https://a.example" })];
  assertEquals(selectCookies(all, REQUEST, 0, undefined), []);
});

Deno.test("selectCookies() puts longer paths first, then what is older, and changes nothing", () => {
  const all = [
    cookie({ name: "new", createdUnixMs: 2 }),
    cookie({ name: "old", createdUnixMs: 1 }),
    cookie({ name: "long", path: "/shop", createdUnixMs: 3 }),
  ];
  const names = selectCookies(all, REQUEST, 0, undefined).map(({ name }) => name);
  assertEquals(names, ["long", "old", "new"]);
  assertEquals(all.map(({ name }) => name), ["new", "old", "long"]);
});

Deno.test("formatCookieField() writes pairs, and values without names alone", () => {
  assertEquals(formatCookieField([]), undefined);
  const all = [cookie(), cookie({ name: "" }), cookie({ name: "c", value: "" })];
  assertEquals(formatCookieField(all), "a=b; b; c=");
});
