import { assertEquals } from "@std/assert";
import { isTextType, mediaTypeOf } from "../../http/media_types.ts";

for (
  const [name, type] of [
    ["index.html", "text/html; charset=utf-8"],
    ["a/b.c/style.CSS", "text/css; charset=utf-8"],
    ["app.js", "text/javascript; charset=utf-8"],
    ["app.mjs", "text/javascript; charset=utf-8"],
    ["a.json", "application/json"],
    ["a.wasm", "application/wasm"],
    ["a.svg", "image/svg+xml"],
    ["a.webp", "image/webp"],
    ["a.avif", "image/avif"],
    ["a.woff2", "font/woff2"],
    ["a.mp4", "video/mp4"],
    ["a.md", "text/markdown; charset=utf-8"],
    ["a.txt", "text/plain; charset=utf-8"],
    ["a.csv", "text/csv; charset=utf-8"],
    ["a.pdf", "application/pdf"],
    ["a.tar.gz", "application/gzip"],
    ["a", "application/octet-stream"],
    ["html", "application/octet-stream"],
    [".html", "application/octet-stream"],
    ["a.", "application/octet-stream"],
    ["a.html/b", "application/octet-stream"],
    ["a.no-such-type", "application/octet-stream"],
    ["a.__proto__", "application/octet-stream"],
    ["a.constructor", "application/octet-stream"],
    ["", "application/octet-stream"],
  ] as const
) {
  Deno.test(`mediaTypeOf() knows ${JSON.stringify(name)}`, async () => {
    assertEquals(await mediaTypeOf(name), type);
  });
}

Deno.test("mediaTypeOf() takes types and charset from its options", async () => {
  const types = { html: "text/x-a; charset=latin1", foo: "text/x-foo", bin: "image/x" };
  assertEquals(await mediaTypeOf("a.HTML", { types }), "text/x-a; charset=latin1");
  assertEquals(await mediaTypeOf("a.foo", { types }), "text/x-foo; charset=utf-8");
  assertEquals(await mediaTypeOf("a.foo", { types, charset: "x" }), "text/x-foo; charset=x");
  assertEquals(await mediaTypeOf("a.foo", { types, charset: undefined }), "text/x-foo");
  assertEquals(await mediaTypeOf("a.bin", { types }), "image/x");
});

Deno.test("isTextType() looks at the type alone", () => {
  assertEquals(isTextType("TEXT/plain; charset=x"), true);
  assertEquals(isTextType("application/javascript"), true);
  assertEquals(isTextType("application/json"), false);
  assertEquals(isTextType("x; text/plain"), false);
});
