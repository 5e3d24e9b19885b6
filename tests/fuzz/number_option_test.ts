import { assertEquals, assertThrows } from "@std/assert";
import { numberOption } from "./number_option.ts";

const VALID: readonly { args: readonly string[]; value: number }[] = [
  { args: [], value: 7 },
  { args: ["--counts", "5"], value: 7 },
  { args: ["--count", "5"], value: 5 },
  { args: ["--count=5"], value: 5 },
  { args: ["--count", "1000000", "--count", "5"], value: 5 },
  { args: ["--count", "1000000", "--seed", "1", "--count=0"], value: 0 },
];

for (const { args, value } of VALID) {
  Deno.test(`numberOption() reads ${value} of "${args.join(" ")}"`, () => {
    assertEquals(numberOption("count", 7, args), value);
  });
}

for (
  const args of [["--count"], ["--count="], ["--count", "-1"], ["--count", "x"], ["--count=1.5"]]
) {
  Deno.test(`numberOption() throws on "${args.join(" ")}"`, () => {
    assertThrows(() => numberOption("count", 7, args), RangeError);
  });
}
