import { assertThrows } from "@std/assert";
import {
  checkFieldName,
  checkFieldValue,
  checkMethod,
  checkReason,
  checkStatus,
  checkTarget,
} from "../../http/field_text.ts";

/** What must never get into a head, wherever it stands. */
const SPLITTERS = [
  "\r",
  "\n",
  "\0",
  "\r\n",
  "\u010d",
  "\u010a",
  "\u0100",
  "\u2028",
  "\ud83d\ude00",
];

const CHECKS: [name: string, check: (text: string) => void, good: string[], bad: string[]][] = [
  ["checkFieldName()", checkFieldName, ["a", "X-Y_9", "!#$%&'*+-.^_`|~"], [
    "",
    " ",
    "a:",
    "(",
    "\xe4",
  ]],
  ["checkMethod()", checkMethod, ["GET", "x", "M-SEARCH"], ["", "G T", "G/T", "\xe4"]],
  [
    "checkFieldValue()",
    checkFieldValue,
    ["", "a", "a b\tc", "\x80\xff", "\u00e4"],
    [" ", " a", "a ", "\ta", "a\t", "\x7f", "\x1f"],
  ],
  ["checkTarget()", checkTarget, ["/", "*", "a:1", "http://a/?b", "/%00"], [
    "",
    "/ ",
    "/#",
    "/\t",
    "/\xe4",
  ]],
  ["checkReason()", checkReason, ["", "OK", "a\tb", "\xe4", " "], ["\x7f", "\x1f"]],
];

for (const [name, check, good, bad] of CHECKS) {
  Deno.test(`${name} lets pass what its grammar allows`, () => {
    for (const text of good) check(text);
  });

  Deno.test(`${name} refuses everything else`, () => {
    for (const text of bad) assertThrows(() => check(text), TypeError);
  });

  Deno.test(`${name} refuses whatever could split a message, in every place`, () => {
    for (const splitter of SPLITTERS) {
      for (const text of [splitter, `a${splitter}`, `${splitter}a`, `a${splitter}a`]) {
        assertThrows(() => check(text), TypeError);
      }
    }
  });
}

Deno.test("checkStatus() takes whole numbers from its lowest to 999", () => {
  for (const status of [100, 101, 200, 599, 600, 999]) checkStatus(status, 100);
  checkStatus(200, 200);
  for (const status of [99, 1000, -1, 0, 200.5, NaN, Infinity, "200" as unknown as number]) {
    assertThrows(() => checkStatus(status, 100), RangeError);
  }
  assertThrows(() => checkStatus(199, 200), RangeError);
});
