import { assertEquals, assertThrows } from "@std/assert";
import { formatHttpDate } from "../../http/date.ts";

const MS_PER_DAY = 86_400_000;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

for (
  const [name, unixMs, expected] of [
    ["the epoch", 0, "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["the last millisecond of a second", 999, "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["the next second", 1000, "Thu, 01 Jan 1970 00:00:01 GMT"],
    ["the example of RFC 9110", 784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"],
    ["a leap day", 951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"],
    ["the end of the last year", LAST_MS, "Fri, 31 Dec 9999 23:59:59 GMT"],
  ] as const
) {
  Deno.test(`formatHttpDate() formats ${name}`, () => {
    assertEquals(formatHttpDate(unixMs), expected);
  });
}

Deno.test("formatHttpDate() agrees with Date on every day from 1970 to 2200", () => {
  const last = Date.UTC(2200, 0, 1);
  for (let unixMs = 0; unixMs <= last; unixMs += MS_PER_DAY) {
    const atDifferentTimes = unixMs + (unixMs / MS_PER_DAY * 7919 * 1000) % MS_PER_DAY;
    if (formatHttpDate(atDifferentTimes) === new Date(atDifferentTimes).toUTCString()) continue;
    assertEquals(formatHttpDate(atDifferentTimes), new Date(atDifferentTimes).toUTCString());
  }
});

Deno.test("formatHttpDate() agrees with Date around the turn of every year up to 9999", () => {
  for (let year = 1971; year <= 9999; year++) {
    for (const offset of [-1, 0, 58 * MS_PER_DAY, 59 * MS_PER_DAY, 60 * MS_PER_DAY]) {
      const unixMs = Date.UTC(year, 0, 1) + offset;
      if (formatHttpDate(unixMs) === new Date(unixMs).toUTCString()) continue;
      assertEquals(formatHttpDate(unixMs), new Date(unixMs).toUTCString());
    }
  }
});

Deno.test("formatHttpDate() refuses what has no place in the format", () => {
  for (const unixMs of [-1, LAST_MS + 1, NaN, Infinity, -Infinity]) {
    assertThrows(() => formatHttpDate(unixMs), RangeError);
  }
});
