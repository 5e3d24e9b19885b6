import { assertEquals, assertThrows } from "@std/assert";
import {
  knownContentCodings,
  parseContentCodings,
  refuseContentCodings,
} from "../../http/content_coding.ts";
import { HttpError } from "../../http/errors.ts";
import { LimitExceededError } from "../../nbio/errors.ts";

for (
  const [value, codings] of [
    [undefined, []],
    ["", []],
    ["identity", []],
    [" , ,", []],
    ["GZip", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["deflate, br,\tzstd", ["deflate", "br", "zstd"]],
    ["gzip, identity, gzip", ["gzip", "gzip"]],
  ] as const
) {
  Deno.test(`parseContentCodings() of ${JSON.stringify(value)}`, () => {
    assertEquals(parseContentCodings(value, 5), [...codings]);
  });
}

for (const value of ["compress", "gzip;q=1", "gzip br", "*", "gzip, aes128gcm", "\u00ff"]) {
  Deno.test(`parseContentCodings() throws an HttpError 415 on ${value}`, () => {
    const error = assertThrows(() => parseContentCodings(value, 5), HttpError);
    assertEquals(error.status, 415);
    assertEquals(error.headers, [["accept-encoding", "gzip, deflate, br, zstd"]]);
  });
}

Deno.test("parseContentCodings() throws on more codings than allowed", () => {
  assertEquals(parseContentCodings("br,br,br,br,br", 5).length, 5);
  const error = assertThrows(() => parseContentCodings("br,br,br,br,br,br", 5), LimitExceededError);
  assertEquals([error.limit, error.max, error.statusHint], ["maxContentCodings", 5, 415]);
  assertEquals(parseContentCodings("br,".repeat(50), Infinity).length, 50);
});

Deno.test("refuseContentCodings() refuses whatever is not plain", () => {
  for (const value of [undefined, "", "identity", "Identity, ", " , "]) refuseContentCodings(value);
  for (const value of ["gzip", "identity, br", "unknown"]) {
    const error = assertThrows(() => refuseContentCodings(value), HttpError);
    assertEquals([error.status, error.headers], [415, [["accept-encoding", "identity"]]]);
  }
});

Deno.test("knownContentCodings() gives nothing where one is unknown", () => {
  assertEquals(knownContentCodings("gzip, BR", 2), ["gzip", "br"]);
  assertEquals(knownContentCodings(undefined, 2), []);
  for (const value of ["compress", "gzip, compress", "compress, gzip, gzip, gzip"]) {
    assertEquals(knownContentCodings(value, 2), undefined);
  }
  assertThrows(() => knownContentCodings("gzip, br, gzip", 2), LimitExceededError);
});
