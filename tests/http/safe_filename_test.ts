import { assert, assertEquals, assertThrows } from "@std/assert";
import { baseFilename, safeFilename } from "../../http/safe_filename.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

for (
  const [path, base] of [
    ["a", "a"],
    ["a/b", "b"],
    ["a\\b", "b"],
    ["a/b\\c", "c"],
    ["a\\b/c", "c"],
    ["/", ""],
    ["a/", ""],
    [".", ""],
    ["..", ""],
    ["a/..", ""],
    ["...", "..."],
    [".profile", ".profile"],
    ["", ""],
  ] as const
) {
  Deno.test(`baseFilename() of ${JSON.stringify(path)}`, () => {
    assertEquals(baseFilename(path), base);
  });
}

for (
  const [name, safe] of [
    ["a.txt", "a.txt"],
    ["\u00fcber \u{1f600}.txt", "\u00fcber \u{1f600}.txt"],
    ["../../etc/passwd", "passwd"],
    ["C:\\x\\y.txt", "y.txt"],
    ["a\0b\r\n.txt", "a_b__.txt"],
    ['<a>:"|?*', "_a______"],
    [".htaccess", "htaccess"],
    ["a. . ", "a"],
    ["  a", "a"],
    ["", "file"],
    ["...", "file"],
    ["con", "_con"],
    ["Con.tar.gz", "_Con.tar.gz"],
    ["console", "console"],
    ["lpt9", "_lpt9"],
    ["\ud800", "\ufffd"],
    ["cod\u202egpj.exe", "cod_gpj.exe"],
  ] as const
) {
  Deno.test(`safeFilename() of ${JSON.stringify(name)}`, () => {
    assertEquals(safeFilename(name), safe);
  });
}

Deno.test("safeFilename() keeps the extension of a long name", () => {
  const size = (text: string) => new TextEncoder().encode(text).length;
  assertEquals(safeFilename("a".repeat(300) + ".jpeg"), "a".repeat(250) + ".jpeg");
  assertEquals(size(safeFilename("\u20ac".repeat(300) + ".txt")), 253);
  assertEquals(safeFilename("\u20ac".repeat(300), { maxBytes: 32 }), "\u20ac".repeat(10));
  assertEquals(safeFilename("a." + "b".repeat(300)).length, 255);
  assertEquals(safeFilename("a".repeat(255)).length, 255);
});

Deno.test("safeFilename() gives the fallback it is told", () => {
  assertEquals(safeFilename("..", { fallback: "upload" }), "upload");
});

Deno.test("safeFilename() throws on a bound that is none or too small", () => {
  for (const maxBytes of [-1, NaN, 31, 40.5]) {
    assertThrows(() => safeFilename("a", { maxBytes }), RangeError);
  }
});

Deno.test("safeFilename() never gives a path, whatever it gets", () => {
  const random = new SeededRandom(3);
  const pieces = ["..", "/", "\\", ".", " ", "\0", "a", "con", ":", "\ud83d", "\ude00", "~", "-"];
  for (let round = 0; round < 10_000; round++) {
    let name = "";
    for (let count = random.int(10); count > 0; count--) name += pieces[random.int(pieces.length)];
    const safe = safeFilename(name);
    // deno-lint-ignore no-control-regex
    assert(/^[^/\\\x00-\x1f:]+$/.test(safe) && !/^\.|[. ]$/.test(safe), JSON.stringify(name));
    assertEquals(safeFilename(safe), safe);
  }
});

Deno.test("safeFilename() drops an extension that leaves no room for a name", () => {
  const name = "a".repeat(40);
  const fitting = `.${"\u20ac".repeat(10)}`;
  assertEquals(safeFilename(name + fitting, { maxBytes: 32 }), `a${fitting}`);
  assertEquals(safeFilename(`${name}${fitting}b`, { maxBytes: 32 }), "a".repeat(32));
});
