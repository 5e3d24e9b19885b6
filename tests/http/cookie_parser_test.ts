import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseCookies } from "../../http/cookie_parser.ts";

for (
  const [what, field, pairs] of [
    ["nothing", undefined, []],
    ["an empty field", "", []],
    ["blanks and separators", " ;\t; ;;", []],
    ["one pair", "a=b", [["a", "b"]]],
    ["pairs in order", "b=2; a=1", [["b", "2"], ["a", "1"]]],
    ["duplicates", "a=1; a=2; a=1", [["a", "1"], ["a", "2"], ["a", "1"]]],
    ["pairs without blanks", "a=1;b=2", [["a", "1"], ["b", "2"]]],
    ["blanks everywhere", "\t a \t=\t 1 \t;  b = 2 ", [["a", "1"], ["b", "2"]]],
    ["blanks inside", "a b=c d", [["a b", "c d"]]],
    ["an equals sign in the value", "a==b=;c=", [["a", "=b="], ["c", ""]]],
    ["no name", "=a; b", [["", "a"], ["", "b"]]],
    ["neither name nor value", "=; = ;a=b", [["a", "b"]]],
    ["quotation marks", 'a="b"; c="; d"', [["a", '"b"'], ["c", '"'], ["", 'd"']]],
    ["commas", "a=1, b=2", [["a", "1, b=2"]]],
    ["attributes of old", "$Version=1; a=b; $Path=/", [
      ["$Version", "1"],
      ["a", "b"],
      ["$Path", "/"],
    ]],
    ["percent-encoding", "%61=%62; b=%; c=%ff", [["%61", "%62"], ["b", "%"], ["c", "%ff"]]],
    ["bytes above ASCII", "\xe4=\xff", [["\xe4", "\xff"]]],
    ["control characters", "a=\x00\x01\x7f; \r\n=b", [["a", "\x00\x01\x7f"], ["\r\n", "b"]]],
    ["names of the language", "__proto__=1; constructor=2", [
      ["__proto__", "1"],
      ["constructor", "2"],
    ]],
    ["several fields", ["a=1; b=2", "", "a=3"], [["a", "1"], ["b", "2"], ["a", "3"]]],
    ["a separator at a field's end", ["a=1;", ";a=3"], [["a", "1"], ["a", "3"]]],
    // Clients take these for names without a prefix, and let scripts set them.
    ["U+00A0 in front of a prefix", "\xa0__Host-a=1", [["\xa0__Host-a", "1"]]],
    ["U+0085 behind a prefix", "__Host-a\x85=1", [["__Host-a\x85", "1"]]],
    ["a vertical tab in front of a prefix", "\x0b__Host-a=1", [["\x0b__Host-a", "1"]]],
    ["other white space", "\u2000\ufeff__Host-a=1", [["\u2000\ufeff__Host-a", "1"]]],
  ] as [string, string | string[] | undefined, [string, string][]][]
) {
  Deno.test(`parseCookies() reads ${what}`, () => {
    const cookies = parseCookies(field);
    assertEquals([...cookies], pairs);
    assertEquals(cookies.size, pairs.length);
  });
}

Deno.test("RequestCookies finds the first, all, or none of a name, whose case matters", () => {
  const cookies = parseCookies("a=1; A=2; a=3; =4");
  assertEquals([cookies.get("a"), cookies.getAll("a"), cookies.has("a")], ["1", ["1", "3"], true]);
  assertEquals([cookies.get("A"), cookies.getAll("A"), cookies.has("A")], ["2", ["2"], true]);
  assertEquals([cookies.get("b"), cookies.getAll("b"), cookies.has("b")], [undefined, [], false]);
  assertEquals([cookies.get(""), cookies.has("")], ["4", true]);
  assertEquals([cookies.get("__proto__"), cookies.has("toString")], [undefined, false]);
});

for (const [count, size] of [[2_999, 2_999], [3_000, 3_000], [3_001, 3_000]] as const) {
  Deno.test(`parseCookies() reads ${size} of ${count} pairs`, () => {
    const cookies = parseCookies("a=b;".repeat(count - 1) + "z=1");
    assertEquals(cookies.size, size);
    assertEquals(cookies.has("z"), size === count);
  });
}

Deno.test("parseCookies() counts pairs over several fields, and up to another bound", () => {
  assertEquals(parseCookies(["a=1; b=2", "c=3; d=4"], { maxCookieCount: 3 }).size, 3);
  assertEquals(parseCookies(["a=1; b=2", "c=3; d=4"], { maxCookieCount: 2 }).size, 2);
  for (const maxCookieCount of [0, Infinity]) {
    assertEquals(parseCookies("a=b;".repeat(5_000), { maxCookieCount }).size, 5_000);
  }
});

Deno.test("parseCookies() throws on a bound that is none", () => {
  for (const maxCookieCount of [-1, 1.5, NaN]) {
    assertThrows(() => parseCookies("", { maxCookieCount }), RangeError);
  }
});

/** Text that counts the characters that are looked at. */
class CountingText {
  work = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get length(): number {
    return this.#text.length;
  }

  charCodeAt(index: number): number {
    this.work++;
    return this.#text.charCodeAt(index);
  }

  slice(start: number, end: number): string {
    this.work += end - start;
    return this.#text.slice(start, end);
  }
}

for (
  const [what, unit] of [
    ["pairs", "a=b; "],
    ["separators", ";"],
    ["names without value", "a;"],
    ["equals signs", "="],
    ["blanks", " \t"],
    ["blanks and equals signs", " = ;"],
    ["one long name", "a"],
  ] as const
) {
  Deno.test(`parseCookies() does linear work on ${what}`, () => {
    for (const length of [8_192, 16_384, 32_768, 65_536]) {
      const text = new CountingText(unit.repeat(length / unit.length));
      // An array keeps what is not a string from being taken for one.
      parseCookies([text as unknown as string], { maxCookieCount: 0 });
      assert(text.work <= 5 * length + 64, `${text.work} looks at ${length} characters`);
    }
  });
}
