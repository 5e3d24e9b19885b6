import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import {
  canonicalPath,
  decodePath,
  encodePath,
  type RoutePathOptions,
} from "../../http/route_path.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

function statusOf(path: string, options: RoutePathOptions = {}): number {
  return assertThrows(() => canonicalPath(path, options), HttpError).status;
}

const DECODED: readonly [path: string, canonical: string][] = [
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a%62c", "/abc"],
  ["/%E2%82%AC", "/€"],
  ["/%f0%9f%98%80", "/😀"],
  ["/a%2fb%2Fc", "/a%2Fb%2Fc"],
  ["/100%25/%252e%252e", "/100%25/%252e%252e"],
  ["/%2500", "/%2500"],
  ["/a%00", "/a%00"],
  ["/a%3Fb%23c", "/a?b#c"],
  ["/a%20b%0a", "/a b\n"],
  ["/%EF%BB%BFa", "/\ufeffa"],
  ["/a+b;c=d,e", "/a+b;c=d,e"],
  // As bytes, one character each: from a target that may hold them.
  ["/caf\u00c3\u00a9", "/café"],
  ["/.well-known", "/.well-known"],
  ["/...", "/..."],
  ["/a..b/..c/d..", "/a..b/..c/d.."],
];

for (const [path, canonical] of DECODED) {
  Deno.test(`canonicalPath() makes ${JSON.stringify(canonical)} of ${JSON.stringify(path)}`, () => {
    assertEquals(canonicalPath(path), canonical);
  });
}

const MALFORMED = ["/%", "/%a", "/a%/b", "/%zz", "/%u002e", "/%-1", "/% 1"];
const NOT_UTF8 = [
  "/%ff",
  "/%c0%ae",
  "/%c0%af",
  "/%ed%a0%80",
  "/%f4%90%80%80",
  "/%e2%82",
  "/\u00e9",
];

for (const path of [...MALFORMED, ...NOT_UTF8]) {
  Deno.test(`canonicalPath() answers 400 to ${JSON.stringify(path)}`, () => {
    for (const dotSegments of ["reject", "resolve", "keep"] as const) {
      assertEquals(statusOf(path, { dotSegments }), 400);
    }
  });
}

const DOTS: readonly [path: string, resolved: string, kept: string][] = [
  ["/.", "/", "/."],
  ["/..", "/", "/.."],
  ["/a/.", "/a/", "/a/."],
  ["/a/..", "/", "/a/.."],
  ["/a/./b", "/a/b", "/a/./b"],
  ["/a/../b", "/b", "/a/../b"],
  ["/../../b", "/b", "/../../b"],
  ["/a/b/../../../c", "/c", "/a/b/../../../c"],
  ["/a/%2e%2E/b", "/b", "/a/../b"],
  ["/a/.%2e", "/", "/a/.."],
  ["/%2e", "/", "/."],
  ["/a//../b", "/a/b", "/a//../b"],
  ["/..//b", "//b", "/..//b"],
];

for (const [path, resolved, kept] of DOTS) {
  Deno.test(`canonicalPath() treats the dots of ${path} as it is told`, () => {
    assertEquals(statusOf(path), 400);
    assertEquals(canonicalPath(path, { dotSegments: "resolve" }), resolved);
    assertEquals(canonicalPath(path, { dotSegments: "keep" }), kept);
  });
}

for (const path of ["/..%2fa", "/a%2F..", "/a%2f.%2fb", "/..%5ca", "/a%5c..", "/a%5C..%2f"]) {
  Deno.test(`canonicalPath() rejects the hidden dot segment of ${path}`, () => {
    assertEquals(statusOf(path), 400);
    canonicalPath(path, { dotSegments: "resolve" });
  });
}

Deno.test("canonicalPath() treats slashes as it is told", () => {
  assertEquals(canonicalPath("//a///b//"), "//a///b//");
  assertEquals(canonicalPath("//a///b//", { duplicateSlashes: "merge" }), "/a/b/");
  assertEquals(canonicalPath("//a///b//", { duplicateSlashes: "redirect" }), "/a/b/");
  const both = { duplicateSlashes: "merge", dotSegments: "resolve" } as const;
  assertEquals(canonicalPath("/a//../b", both), "/b");
});

Deno.test("canonicalPath() has nothing to do with its own result", () => {
  const random = new SeededRandom(7);
  const pieces = ["/", "a", ".", "..", "%2e", "%2F", "%25", "%00", "%41", "b", "//", "%20", ";"];
  const options = (["resolve", "keep"] as const).flatMap((dotSegments) =>
    (["keep", "merge"] as const).map((duplicateSlashes) => ({ dotSegments, duplicateSlashes }))
  );
  for (let turn = 0; turn < 5_000; turn++) {
    let path = "/";
    for (let left = random.int(8); left >= 0; left--) path += pieces[random.int(pieces.length)];
    for (const option of options) {
      const once = canonicalPath(path, option);
      assertEquals(canonicalPath(once, option), once, path);
    }
  }
});

Deno.test("canonicalPath() gives text or 400 for random bytes, and no dot segment", () => {
  const random = new SeededRandom(11);
  for (let turn = 0; turn < 20_000; turn++) {
    let path = "/";
    for (let left = random.int(12); left > 0; left--) {
      path += random.int(3) === 0 ? "%" : String.fromCharCode(0x21 + random.int(0x5e));
    }
    try {
      const canonical = canonicalPath(path);
      assert(!/(^|[/\\])\.\.?($|[/\\])/.test(canonical), path);
    } catch (error) {
      assert(error instanceof HttpError && error.status === 400, path);
    }
  }
});

Deno.test("decodePath() is linear in the length of a path", () => {
  assertEquals(decodePath(`/${"%41".repeat(100_000)}`).length, 100_001);
  assertEquals(statusOf(`/${"../".repeat(100_000)}`), 400);
});

Deno.test("encodePath() writes what decodes to the same path", () => {
  for (const path of ["/a b/ü", "/a%2Fb/100%25", "/a?b#c", "/a\\b", "/%00", "/😀"]) {
    assertEquals(canonicalPath(encodePath(path)), path);
  }
});

Deno.test("encodePath() never begins a host", () => {
  assertEquals(encodePath("//evil.example/a"), "/evil.example/a");
  assertEquals(encodePath("/\\evil.example"), "/evil.example");
  assertEquals(encodePath("///a//b"), "/a//b");
});
