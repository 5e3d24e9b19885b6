import { assertEquals } from "@std/assert";
import { parseRetryAfter } from "../../http/retry_after.ts";

const NOW_MS = 784_111_777_000;

const VALID: readonly (readonly [name: string, value: string, delayMs: number])[] = [
  ["seconds", "120", 120_000],
  ["no time", "0", 0],
  ["seconds with zeros in front", "007", 7_000],
  ["the most seconds", "999999999999999", 999_999_999_999_999_000],
  ["a date", "Sun, 06 Nov 1994 08:49:40 GMT", 3_000],
  ["a date of RFC 850", "Sunday, 06-Nov-94 08:49:40 GMT", 3_000],
  ["a date of asctime", "Sun Nov  6 08:49:40 1994", 3_000],
  ["this very moment", "Sun, 06 Nov 1994 08:49:37 GMT", 0],
  ["a date that has passed", "Sun, 06 Nov 1994 08:49:36 GMT", 0],
];

for (const [name, value, delayMs] of VALID) {
  Deno.test(`parseRetryAfter() reads ${name}`, () => {
    assertEquals(parseRetryAfter(value, NOW_MS), delayMs);
  });
}

const INVALID: readonly (readonly [name: string, value: string])[] = [
  ["nothing", ""],
  ["a word", "soon"],
  ["a sign", "-1"],
  ["a plus", "+1"],
  ["a fraction", "1.5"],
  ["an exponent", "1e3"],
  ["hexadecimal digits", "0x10"],
  ["two values", "1, 2"],
  ["a digit too many", "1000000000000000"],
  ["no day of the calendar", "Sun, 31 Feb 2100 08:49:37 GMT"],
  ["a date in a long text", `${" ".repeat(64)}Sun, 06 Nov 2094 08:49:40 GMT`],
];

for (const [name, value] of INVALID) {
  Deno.test(`parseRetryAfter() gives undefined for ${name}`, () => {
    assertEquals(parseRetryAfter(value, NOW_MS), undefined);
  });
}

Deno.test("parseRetryAfter() takes linear time", () => {
  assertEquals(parseRetryAfter("9".repeat(1_000_000), NOW_MS), undefined);
  assertEquals(parseRetryAfter("1-".repeat(1_000_000), NOW_MS), undefined);
});
