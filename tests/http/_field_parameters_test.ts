import { assertEquals } from "@std/assert";
import { parseParameters, tokenEnd } from "../../http/_field_parameters.ts";

Deno.test("tokenEnd() stops at the first character that is none of a token", () => {
  for (
    const [text, start, end] of [["abc", 0, 3], ["a b", 0, 1], [" a", 0, 0], ["a;b", 2, 3], [
      "\u00e9",
      0,
      0,
    ], ["", 0, 0]] as const
  ) {
    assertEquals(tokenEnd(text, start), end, text);
  }
});

for (
  const [text, strict, form] of [
    ["; a=b", "b", "b"],
    ['; a="b\\"c"', 'b"c', 'b"c'],
    ['; a="b\\c"', "bc", "b\\c"],
    ['; a="b\\\\c"', "b\\c", "b\\c"],
    ['; a="b\\"', undefined, "b\\"],
    ['; a="b\\"; c=d', undefined, undefined],
    ['; a="b\\', undefined, undefined],
    ["; a=b; a=b", undefined, undefined],
    ["a=b", undefined, undefined],
  ] as const
) {
  Deno.test(`parseParameters() reads ${JSON.stringify(text)} by the rules it is told`, () => {
    assertEquals(parseParameters(text, 0, "strict")?.get("a"), strict);
    assertEquals(parseParameters(text, 0, "form")?.get("a"), form);
  });
}
