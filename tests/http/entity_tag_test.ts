import { assertEquals, assertThrows } from "@std/assert";
import {
  formatEntityTag,
  matchesStrongly,
  matchesWeakly,
  parseEntityTag,
  parseEntityTagList,
} from "../../http/entity_tag.ts";

const strong = (value: string) => ({ value, isWeak: false });
const weak = (value: string) => ({ value, isWeak: true });

for (
  const [text, wanted] of [
    ['"a"', strong("a")],
    ['""', strong("")],
    ['W/"a"', weak("a")],
    ['W/""', weak("")],
    ['"a,b\\c\u00e9!#~"', strong("a,b\\c\u00e9!#~")],
  ] as const
) {
  Deno.test(`parseEntityTag() reads ${text}, and formatEntityTag() writes it`, () => {
    assertEquals(parseEntityTag(text), wanted);
    assertEquals(formatEntityTag(wanted), text);
    assertEquals(parseEntityTagList(text), [wanted]);
  });
}

for (
  const text of ["", "a", '"', '"a', 'a"', '"a" ', ' "a"', 'w/"a"', 'W/ "a"', "W/a", '"a b"']
    .concat(['"a"b"', '"\x7f"', '"\u0100"', '"\x00"', 'W/W/"a"', "'a'", "*"])
) {
  Deno.test(`parseEntityTag() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseEntityTag(text), undefined);
  });
}

for (
  const [text, wanted] of [
    ["*", "*"],
    [" * ", "*"],
    ['"a","b"', [strong("a"), strong("b")]],
    ['"a",\t"b"', [strong("a"), strong("b")]],
    [',, "a" , ,W/"b",', [strong("a"), weak("b")]],
    ['"a,b"', [strong("a,b")]],
  ] as const
) {
  Deno.test(`parseEntityTagList() reads ${JSON.stringify(text)}`, () => {
    assertEquals(parseEntityTagList(text), wanted as ReturnType<typeof parseEntityTagList>);
  });
}

for (const text of ["", ",", '"a" "b"', '"a""b"', '"a", b', '*, "a"', '"a", *', '"a', '"a"x']) {
  Deno.test(`parseEntityTagList() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseEntityTagList(text), undefined);
  });
}

Deno.test("parseEntityTagList() reads as many tags as it may", () => {
  for (const [count, isRead] of [[255, true], [256, true], [257, false]] as const) {
    const text = Array.from({ length: count }, (_, index) => `"${index}"`).join(",");
    assertEquals(parseEntityTagList(text) !== undefined, isRead);
    assertEquals(parseEntityTagList(text, { maxTagCount: 0 })?.length, count);
  }
  for (const maxTagCount of [-1, 1.5, NaN]) {
    assertThrows(() => parseEntityTagList("*", { maxTagCount }), RangeError);
  }
});

Deno.test("parseEntityTagList() looks at no byte twice", () => {
  const text = '"a" ' + " ".repeat(1_000_000);
  assertEquals(parseEntityTagList(text), [strong("a")]);
});

Deno.test("formatEntityTag() refuses what no tag may contain", () => {
  for (const value of ['"', " ", "\n", "\x00", "\x7f", "\u0100"]) {
    assertThrows(() => formatEntityTag(strong(value)), TypeError);
  }
});

// RFC 9110 section 8.8.3.2, its table.
for (
  const [a, b, strongly, weakly] of [
    [weak("1"), weak("1"), false, true],
    [weak("1"), weak("2"), false, false],
    [weak("1"), strong("1"), false, true],
    [strong("1"), strong("1"), true, true],
    [strong("1"), strong("2"), false, false],
  ] as const
) {
  Deno.test(`${formatEntityTag(a)} and ${formatEntityTag(b)} are compared`, () => {
    assertEquals([matchesStrongly(a, b), matchesWeakly(a, b)], [strongly, weakly]);
    assertEquals([matchesStrongly(b, a), matchesWeakly(b, a)], [strongly, weakly]);
  });
}
