import { assertEquals } from "@std/assert";
import { formatSignatureTime, parseSignatureTime } from "../../dns/signature_time.ts";

/** What the platform's calendar says. */
function expected(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\..*/g, "");
}

Deno.test("formatSignatureTime() agrees with the platform around every change of day until 2106", () => {
  for (let seconds = 0; seconds < 2 ** 32; seconds += 86_400) {
    assertEquals(formatSignatureTime(seconds), expected(seconds));
    assertEquals(parseSignatureTime(expected(seconds)), seconds);
  }
  for (const seconds of [1, 59, 3599, 86_399, 951_782_399, 951_868_800, 2 ** 32 - 1]) {
    assertEquals(formatSignatureTime(seconds), expected(seconds));
    assertEquals(parseSignatureTime(expected(seconds)), seconds);
  }
});

Deno.test("parseSignatureTime() knows the last second, and none behind it", () => {
  assertEquals(parseSignatureTime("21060207062815"), 2 ** 32 - 1);
  assertEquals(parseSignatureTime("21060207062816"), undefined);
});

for (
  const text of [
    "",
    "-1",
    "+1",
    "1.5",
    "4294967296",
    "12345678901",
    "2003032217310",
    "200303221731033",
    "19691231235959",
    "20031301000000",
    "20030001000000",
    "20030100000000",
    "20030132000000",
    "20030229000000",
    "21000229000000",
    "20030431000000",
    "20030101240000",
    "20030101006000",
    "20030101000060",
    "2003032217310x",
  ]
) {
  Deno.test(`parseSignatureTime() refuses "${text}"`, () => {
    assertEquals(parseSignatureTime(text), undefined);
  });
}

Deno.test("parseSignatureTime() knows leap days", () => {
  assertEquals(parseSignatureTime("20000229000000"), 951_782_400);
  assertEquals(parseSignatureTime("4294967295"), 2 ** 32 - 1);
});
