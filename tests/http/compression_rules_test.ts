import { assertEquals } from "@std/assert";
import {
  addVary,
  isCompressibleType,
  markCoded,
  mayBeCompressed,
  weakenNotModified,
} from "../../http/compression_rules.ts";
import { HeaderList } from "../../http/header_list.ts";

for (
  const [type, expected] of [
    ["text/html", true],
    ["TEXT/HTML; charset=utf-8", true],
    ["text/event-stream", true],
    ["application/json", true],
    ["application/problem+json; charset=utf-8", true],
    ["application/atom+xml", true],
    ["image/svg+xml", true],
    ["application/wasm", true],
    ["application/octet-stream", false],
    ["application/jsonx", false],
    ["image/png", false],
    ["font/woff2", false],
    ["application/zip", false],
    ["application/x+jsonp", false],
    ["", false],
  ] as const
) {
  Deno.test(`isCompressibleType() says ${expected} of ${JSON.stringify(type)}`, () => {
    assertEquals(isCompressibleType(type), expected);
  });
}

for (
  const [name, status, fields, expected] of [
    ["a plain answer", 200, {}, true],
    ["an error", 500, {}, true],
    ["a part", 206, {}, false],
    ["a part by another status", 200, { "content-range": "bytes 0-1/2" }, false],
    ["no content", 204, {}, false],
    ["reset content", 205, {}, false],
    ["not modified", 304, {}, false],
    ["no answer", 0, {}, false],
    ["what is coded", 200, { "content-encoding": "br" }, false],
    ["what is said to be as it is", 200, { "content-encoding": "identity" }, false],
    ["no-transform", 200, { "cache-control": "public, No-Transform" }, false],
    ["no-transform among others", 200, { "cache-control": "no-transform,max-age=1" }, false],
    ["what only looks so", 200, { "cache-control": "x-no-transform" }, true],
    ["a digest of the content", 200, { "content-digest": "sha-256=:AA==:" }, false],
    ["an old digest", 200, { "digest": "sha-256=AA==" }, false],
  ] as const
) {
  Deno.test(`mayBeCompressed() says ${expected} of ${name}`, () => {
    const headers = new HeaderList(fields as Record<string, string>);
    assertEquals(mayBeCompressed({ method: "GET", status, headers }), expected);
  });
}

Deno.test("mayBeCompressed() leaves a tunnel alone", () => {
  const headers = new HeaderList();
  assertEquals(mayBeCompressed({ method: "CONNECT", status: 200, headers }), false);
  assertEquals(mayBeCompressed({ method: "CONNECT", status: 403, headers }), true);
});

for (
  const [before, after] of [
    [[], ["Accept-Encoding"]],
    [["Accept"], ["Accept", "Accept-Encoding"]],
    [["accept-encoding"], ["accept-encoding"]],
    [["Accept, Accept-Encoding"], ["Accept, Accept-Encoding"]],
    [["Accept", "Accept-Encoding"], ["Accept", "Accept-Encoding"]],
    [["*"], ["*"]],
    [["X-Accept-Encoding"], ["X-Accept-Encoding", "Accept-Encoding"]],
  ] as const
) {
  Deno.test(`addVary() makes ${JSON.stringify(after)} of ${JSON.stringify(before)}`, () => {
    const headers = new HeaderList(before.map((value) => ["vary", value] as const));
    addVary(headers);
    assertEquals(headers.getAll("vary"), [...after]);
  });
}

for (
  const [tag, expected] of [
    [`"a"`, `W/"a"`],
    [`W/"a"`, `W/"a"`],
    ["a", "a"],
  ] as const
) {
  Deno.test(`markCoded() makes ${expected} of the tag ${tag}`, () => {
    const headers = new HeaderList({
      "etag": tag,
      "content-length": "10",
      "accept-ranges": "bytes",
    });
    markCoded(headers, "br");
    assertEquals([...headers], [["etag", expected], ["content-encoding", "br"]]);
  });
}

for (
  const [held, expected] of [
    [undefined, `"a"`],
    [`W/"a"`, `W/"a"`],
    [`"b", W/"a"`, `W/"a"`],
    [`"a"`, `"a"`],
    [`W/"a", "a"`, `"a"`],
    [`W/"b"`, `"a"`],
    ["*", `"a"`],
    ["broken", `"a"`],
  ] as const
) {
  Deno.test(`weakenNotModified() answers ${expected} to ${held}`, () => {
    const headers = new HeaderList({ etag: `"a"` });
    weakenNotModified(headers, held);
    assertEquals(headers.get("etag"), expected);
  });
}
