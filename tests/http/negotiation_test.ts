import { assertEquals, assertThrows } from "@std/assert";
import {
  negotiateCharset,
  negotiateEncoding,
  negotiateLanguage,
  negotiateType,
  rankCharsets,
  rankEncodings,
  rankLanguages,
  rankTypes,
} from "../../http/negotiation.ts";

const FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const AXIOS = "application/json, text/plain, */*";
const JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";

for (
  const [field, offers, ranked] of [
    [undefined, ["a/b", "c/d"], ["a/b", "c/d"]],
    ["", ["a/b", "c/d"], ["a/b", "c/d"]],
    [";q=nonsense", ["a/b"], ["a/b"]],
    ["*/*", ["a/b", "c/d"], ["a/b", "c/d"]],
    ["c/d", ["a/b", "c/d"], ["c/d"]],
    ["C/D", ["a/b", "c/D"], ["c/D"]],
    ["c/*, a/b;q=0.1", ["a/b", "c/d"], ["c/d", "a/b"]],
    ["a/b;q=0, */*", ["a/b", "c/d"], ["c/d"]],
    ["*/*;q=0", ["a/b"], []],
    [FIREFOX, ["application/json", "text/html"], ["text/html", "application/json"]],
    [AXIOS, ["text/html", "application/json"], ["application/json", "text/html"]],
    [JAVA, ["application/json", "text/html"], ["text/html", "application/json"]],
    ["*", ["a/b"], ["a/b"]],
    ["*/b", ["a/b"], []],
    ["a", ["a/b"], []],
    ["a/b", ["a", "", "a/b"], ["a/b"]],
    // RFC 9110 section 12.5.1, the second example.
    [
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5",
      [
        "text/html",
        "text/plain;format=fixed",
        "image/jpeg",
        "text/plain",
        "text/plain;format=flowed",
      ],
      [
        "text/plain;format=flowed",
        "text/plain",
        "image/jpeg",
        "text/plain;format=fixed",
        "text/html",
      ],
    ],
    ["a/b;c=D", ["a/b;C=d;e=f", "a/b"], ["a/b;C=d;e=f"]],
    ['a/b;c="d"', ["a/b;c=d"], ["a/b;c=d"]],
    ["a/b, a/b;q=0", ["a/b"], ["a/b"]],
  ] as [string | undefined, string[], string[]][]
) {
  Deno.test(`rankTypes() ranks by ${JSON.stringify(field)}`, () => {
    assertEquals(rankTypes(field, offers), ranked);
    assertEquals(negotiateType(field, offers), ranked[0]);
  });
}

for (
  const [field, offers, ranked] of [
    [undefined, ["de", "en"], ["de", "en"]],
    ["", ["de", "en"], ["de", "en"]],
    ["en", ["de", "en-GB", "en"], ["en", "en-GB"]],
    ["EN-gb", ["en-GB"], ["en-GB"]],
    ["en-GB", ["en-US", "en"], ["en"]],
    ["en-GB;q=0, en", ["en-GB", "en", "en-US"], ["en", "en-US"]],
    ["en-GB;q=0", ["en"], []],
    ["e", ["en"], []],
    ["en", ["eng"], []],
    ["de-CH-1996, de;q=0.5", ["de-AT", "de-CH-1996"], ["de-CH-1996", "de-AT"]],
    ["zh;q=0.5, zh-Hant", ["zh-Hans", "zh-Hant-TW"], ["zh-Hant-TW", "zh-Hans"]],
    ["*;q=0.1, fr", ["en", "fr"], ["fr", "en"]],
    ["fr, *;q=0", ["en"], []],
  ] as [string | undefined, string[], string[]][]
) {
  Deno.test(`rankLanguages() ranks by ${JSON.stringify(field)}`, () => {
    assertEquals(rankLanguages(field, offers), ranked);
    assertEquals(negotiateLanguage(field, offers), ranked[0]);
  });
}

const CODINGS = ["zstd", "br", "gzip", "identity"];
for (
  const [field, offers, ranked] of [
    [undefined, CODINGS, ["identity"]],
    [undefined, ["gzip"], []],
    ["", CODINGS, ["identity"]],
    ["gzip, deflate, br", CODINGS, ["br", "gzip", "identity"]],
    ["gzip, deflate, br, zstd", CODINGS, CODINGS],
    ["gzip;q=1.0, br;q=0.9", CODINGS, ["gzip", "br", "identity"]],
    ["gzip, *;q=0.1", CODINGS, ["gzip", "zstd", "br", "identity"]],
    ["identity;q=0.5, gzip;q=0.1", CODINGS, ["identity", "gzip"]],
    ["identity;q=0", CODINGS, []],
    ["*;q=0", CODINGS, []],
    ["*;q=0, identity", CODINGS, ["identity"]],
    ["*;q=0, gzip", CODINGS, ["gzip"]],
    ["X-GZIP", CODINGS, ["gzip", "identity"]],
    ["gzip", ["x-gzip"], ["x-gzip"]],
    ["gzip;q=0.001", CODINGS, ["gzip", "identity"]],
  ] as [string | undefined, string[], string[]][]
) {
  Deno.test(`rankEncodings() ranks ${offers} by ${JSON.stringify(field)}`, () => {
    assertEquals(rankEncodings(field, offers), ranked);
    assertEquals(negotiateEncoding(field, offers), ranked[0]);
  });
}

for (
  const [field, offers, ranked] of [
    [undefined, ["utf-8", "latin1"], ["utf-8", "latin1"]],
    ["latin1", ["utf-8", "Latin1"], ["Latin1"]],
    ["*;q=0.5, latin1", ["utf-8", "latin1"], ["latin1", "utf-8"]],
    ["utf-8;q=0, *", ["utf-8", "latin1"], ["latin1"]],
  ] as [string | undefined, string[], string[]][]
) {
  Deno.test(`rankCharsets() ranks by ${JSON.stringify(field)}`, () => {
    assertEquals(rankCharsets(field, offers), ranked);
    assertEquals(negotiateCharset(field, offers), ranked[0]);
  });
}

Deno.test("negotiation reads a bounded number of preferences", () => {
  const field = `${"x/y,".repeat(100)}a/b`;
  assertEquals(negotiateType(field, ["a/b"]), undefined);
  assertEquals(negotiateType(field, ["a/b"], { maxPreferenceCount: 101 }), "a/b");
  assertThrows(() => negotiateType("a/b", [], { maxPreferenceCount: -1 }), RangeError);
});
