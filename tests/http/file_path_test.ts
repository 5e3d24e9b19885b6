import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { isServableName, parseFilePath } from "../../http/file_path.ts";

for (
  const [path, names, isFolder] of [
    ["/", [], true],
    ["/a", ["a"], false],
    ["/a/", ["a"], true],
    ["/a/b.txt", ["a", "b.txt"], false],
    ["/a%20b", ["a b"], false],
    ["/caf%C3%A9", ["caf\u00e9"], false],
    ["/caf\u00c3\u00a9", ["caf\u00e9"], false],
    ["/...", ["..."], false],
    ["/a..", ["a.."], false],
    ["/..a", ["..a"], false],
    ["/.well-known/x", [".well-known", "x"], false],
    // Decoded once: what is left is a name.
    ["/%252e%252e", ["%2e%2e"], false],
    ["/..%252f..", ["..%2f.."], false],
    ["/100%25", ["100%"], false],
    ["/%25", ["%"], false],
    ["/a%252Fb", ["a%2Fb"], false],
    ["/a:b", ["a:b"], false],
    ["/%F0%9F%98%80", ["\u{1f600}"], false],
  ] as const
) {
  Deno.test(`parseFilePath() reads ${path}`, () => {
    assertEquals(parseFilePath(path), { names, isFolder });
  });
}

for (
  const [path, status] of [
    ["", 400],
    ["a", 400],
    ["*", 400],
    ["/..", 400],
    ["/../a", 400],
    ["/.", 400],
    ["/./a", 400],
    ["/a/../b", 400],
    ["/%2e%2e/a", 400],
    ["/.%2E/a", 400],
    ["/%2e/a", 400],
    ["/a%2fb", 400],
    ["/..%2fb", 400],
    ["/a%5cb", 400],
    ["/a\\b", 400],
    ["/..\\b", 400],
    ["/a%00", 400],
    ["/a%00.html", 400],
    ["/a%0a", 400],
    ["/a%7f", 400],
    ["/%", 400],
    ["/%zz", 400],
    ["/%c0%af", 400],
    ["/%c0%ae%c0%ae/a", 400],
    ["/%ff", 400],
    ["//a", 404],
    ["/a//b", 404],
    ["//", 404],
    ["///etc/passwd", 404],
  ] as const
) {
  Deno.test(`parseFilePath() refuses ${JSON.stringify(path)} with ${status}`, () => {
    assertEquals(assertThrows(() => parseFilePath(path), HttpError).status, status);
  });
}

for (
  const name of ["a:b", "a.txt::$DATA", "C:", "a.", "a ", "con", "NUL.txt", "com1", "lpt9.log"]
    .concat(["a|b", "a?", "a*", "<a", 'a"', "CONIN$", "nul .txt", "aux"])
) {
  Deno.test(`parseFilePath() refuses ${name} on Windows, and nowhere else`, () => {
    const path = `/${encodeURIComponent(name)}`;
    assertEquals(parseFilePath(path).names, [name]);
    const refused = assertThrows(() => parseFilePath(path, { isWindows: true }), HttpError);
    assertEquals(refused.status, 404);
    assertEquals([isServableName(name), isServableName(name, { isWindows: true })], [true, false]);
  });
}

Deno.test("isServableName() agrees with parseFilePath()", () => {
  for (
    const name of ["a", "a b", "%", "%2F", "a:b", "\u{1f600}", "..", ".", "a\\b", "a\nb", "\x7f"]
  ) {
    let isRead = true;
    try {
      assertEquals(parseFilePath(`/${encodeURIComponent(name)}`).names, [name]);
    } catch {
      isRead = false;
    }
    assertEquals(isServableName(name), isRead, name);
  }
  assertEquals(isServableName("a\ufffd"), false);
  assertEquals(isServableName(""), false);
});
