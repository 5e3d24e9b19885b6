import { assertEquals } from "@std/assert";
import { parseCookieDate } from "../../http/cookie_date.ts";

const iso = (text: string) => {
  const unixMs = parseCookieDate(text);
  return unixMs === undefined ? undefined : new Date(unixMs).toISOString();
};

const VALID = [
  ["IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
  ["RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
  ["asctime", "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37.000Z"],
  ["the first year", "1 jan 1601 0:0:0", "1601-01-01T00:00:00.000Z"],
  ["the last year", "31 dec 9999 23:59:59", "9999-12-31T23:59:59.000Z"],
  ["two digits below 70", "1 jan 69 0:0:0", "2069-01-01T00:00:00.000Z"],
  ["two digits from 70 on", "1 jan 70 0:0:0", "1970-01-01T00:00:00.000Z"],
  ["two digits to 99", "1 jan 99 0:0:0", "1999-01-01T00:00:00.000Z"],
  ["a leap day", "29 feb 2000 0:0:0", "2000-02-29T00:00:00.000Z"],
  ["something behind each token", "1st january 2020ad 1:2:3x", "2020-01-01T01:02:03.000Z"],
  ["bytes beyond ASCII behind a token", "1\xa0 jan\xe9 2020\xff 1:2:3", "2020-01-01T01:02:03.000Z"],
] as const;

for (const [name, text, wanted] of VALID) {
  Deno.test(`parseCookieDate() reads ${name}`, () => assertEquals(iso(text), wanted));
}

const INVALID = [
  ["nothing", ""],
  ["delimiters", " ,;-/ "],
  ["no time", "1 jan 2020"],
  ["no day", "jan 2020 1:2:3"],
  ["no month", "1 2020 1:2:3"],
  ["no year", "1 jan 1:2:3"],
  ["a year too early", "1 jan 1600 0:0:0"],
  ["a year of five digits", "1 jan 10000 0:0:0"],
  ["a day 0", "0 jan 2020 0:0:0"],
  ["a day too much", "31 apr 2020 0:0:0"],
  ["no leap day in 1900", "29 feb 1900 0:0:0"],
  ["hour 24", "1 jan 2020 24:0:0"],
  ["minute 60", "1 jan 2020 0:60:0"],
  ["second 60", "1 jan 2020 0:0:60"],
  ["a time that is none before one that is", "1 jan 2020 99:0:0 1:2:3"],
  ["three digits of seconds", "1 jan 2020 1:2:345"],
  ["letters that go over two months", "1 anf 2020 1:2:3"],
  ["a date of another format", "2020-01-01T01:02:03Z"],
] as const;

for (const [name, text] of INVALID) {
  Deno.test(`parseCookieDate() refuses ${name}`, () => assertEquals(iso(text), undefined));
}

Deno.test("parseCookieDate() agrees with the platform on every day of 800 years", () => {
  for (let unixMs = Date.UTC(1601, 0, 1); unixMs < Date.UTC(2401, 0, 1); unixMs += 86_400_000) {
    const text = new Date(unixMs).toUTCString();
    if (parseCookieDate(text) !== unixMs) assertEquals(parseCookieDate(text), unixMs, text);
  }
});

Deno.test("parseCookieDate() takes time linear in the length", () => {
  for (const piece of ["1", "1:", "jan", " ", "\xff", "1 ", "1:2:3"]) {
    assertEquals(parseCookieDate(piece.repeat(200_000)), undefined);
  }
});
