import { assertEquals } from "@std/assert";
import { formatHttpDate } from "../../http/date.ts";
import { parseHttpDate } from "../../http/date_parser.ts";

const NOW_MS = Date.UTC(2026, 10, 21);

for (
  const [text, wanted] of [
    ["Sun, 06 Nov 1994 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sunday, 06-Nov-94 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sun Nov  6 08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sun Nov 16 08:49:37 1994", Date.UTC(1994, 10, 16, 8, 49, 37)],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["Tue, 29 Feb 2000 23:59:59 GMT", Date.UTC(2000, 1, 29, 23, 59, 59)],
    ["Fri, 31 Dec 9999 23:59:59 GMT", Date.UTC(9999, 11, 31, 23, 59, 59)],
    ["Wed, 31 Dec 1969 23:59:59 GMT", -1000],
    ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
    // Two digits: at most 50 years ahead.
    ["Saturday, 21-Nov-75 00:00:00 GMT", Date.UTC(2075, 10, 21)],
    ["Saturday, 21-Nov-77 00:00:00 GMT", Date.UTC(1977, 10, 21)],
    ["Saturday, 21-Nov-26 00:00:00 GMT", NOW_MS],
  ] as const
) {
  Deno.test(`parseHttpDate() reads ${text}`, () => {
    assertEquals(parseHttpDate(text, NOW_MS), wanted);
  });
}

for (
  const text of [
    "",
    "foo",
    "0",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "sun, 06 nov 1994 08:49:37 gmt",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Now 1994 08:49:37 GMT",
    "Sun, 06 anF 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Thu, 29 Feb 1900 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:00:61 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Thursday, 29-Feb-25 08:49:37 GMT ",
  ]
) {
  Deno.test(`parseHttpDate() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseHttpDate(text, NOW_MS), undefined);
  });
}

Deno.test("parseHttpDate() reads what formatHttpDate() writes, day by day", () => {
  for (let day = 0; day < 80_000; day++) {
    const ms = day * 86_400_000 + (day % 86_400) * 1000;
    assertEquals(parseHttpDate(formatHttpDate(ms), NOW_MS), ms);
  }
});
