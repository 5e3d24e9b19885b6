import { assert, assertEquals, assertThrows } from "@std/assert";
import { parsePreferences, type Preference } from "../../http/negotiation_parser.ts";

for (
  const [what, field, ...wanted] of [
    ["nothing", ""],
    ["commas and blanks", " ,\t,, "],
    ["a name", "gzip", ["gzip", 1]],
    ["names in order and in lower case", "B, a,C", ["b", 1], ["a", 1], ["c", 1]],
    ["weights", "a;q=0, b;q=0.5, c;q=1.000, d;Q=0.001", ["a", 0], ["b", 0.5], ["c", 1], [
      "d",
      0.001,
    ]],
    ["blanks around everything", " a \t; \tq = 0.5 \t,\tb ", ["a", 0.5], ["b", 1]],
    ["weights of old clients", "a;q=.2, b;q=0., c;q=1., d;q=0.12345", ["a", 0.2], ["b", 0], [
      "c",
      1,
    ], [
      "d",
      0.12345,
    ]],
    ["a weight in quotation marks", 'a;q="0.5"', ["a", 0.5]],
    ["parameters", 'a/b;C=D;e="f,g;h\\"i";q=0.1', ["a/b", 0.1, ["c", "D"], ["e", 'f,g;h"i']]],
    ["parameters behind the weight", "a;q=0.1;b=c", ["a", 0.1, ["b", "c"]]],
    ["parameters of one name", "a;b=1;b=2", ["a", 1, ["b", "1"], ["b", "2"]]],
    ["parameters that are none", "a;;b;=c;d e=f;\xff=g", ["a", 1]],
    ["an empty parameter", "a;b=", ["a", 1, ["b", ""]]],
    ["a lone quotation mark", 'a;b=", c;d="e', ["a", 1, ["b", '", c;d="e']]],
    ["an open quotation mark", 'a;b="c, d', ["a", 1, ["b", '"c, d']]],
    ["a backslash at the end", 'a;b="\\', ["a", 1, ["b", '"\\']]],
    ["a range without value", ";q=0.5, a", ["a", 1]],
    // Everything that is no weight takes its range with it.
    ["a weight above 1", "a;q=1.1, b;q=2, c", ["c", 1]],
    ["a negative weight", "a;q=-0.1, c", ["c", 1]],
    ["a weight that is no number", "a;q=high, b;q=, d;q=0x1, e;q=1e-3, f;q=NaN, c", ["c", 1]],
    ["garbage", "\0\x7f\xff\ud800", ["\0\x7f\xff\ud800", 1]],
  ] as [string, string, ...[string, number, ...[string, string][]][]][]
) {
  Deno.test(`parsePreferences() reads ${what}`, () => {
    const preferences: Preference[] = wanted.map(([value, quality, ...params]) => ({
      value,
      params,
      quality,
    }));
    assertEquals(parsePreferences(field), preferences);
  });
}

for (const [count, read] of [[99, 99], [100, 100], [101, 100]] as const) {
  Deno.test(`parsePreferences() reads ${read} of ${count} preferences`, () => {
    assertEquals(parsePreferences("a,".repeat(count)).length, read);
  });
}

Deno.test("parsePreferences() takes another bound, and throws on one that is none", () => {
  assertEquals(parsePreferences("a,b,c", { maxPreferenceCount: 2 }).length, 2);
  assertEquals(parsePreferences("a,".repeat(500), { maxPreferenceCount: 0 }).length, 500);
  for (const maxPreferenceCount of [-1, 0.5, NaN]) {
    assertThrows(() => parsePreferences("", { maxPreferenceCount }), RangeError);
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

for (const unit of ["a,", ",", ";", '"', "\\", '"\\', " \t", "a;b=c,", "a;q=0;", "a"]) {
  Deno.test(`parsePreferences() does linear work on many ${JSON.stringify(unit)}`, () => {
    for (const length of [8_192, 16_384, 32_768, 65_536]) {
      const text = new CountingText(unit.repeat(length / unit.length));
      parsePreferences(text as unknown as string, { maxPreferenceCount: 0 });
      assert(text.work <= 5 * length + 64, `${text.work} looks at ${length} characters`);
    }
  });
}
