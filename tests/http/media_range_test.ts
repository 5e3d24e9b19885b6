import { assertEquals } from "@std/assert";
import { isMediaRange, matchesMediaRange } from "../../http/media_range.ts";

for (const range of ["text/plain", "text/*", "*/*", "application/*+json", "a/b.c+d", "A/B"]) {
  Deno.test(`isMediaRange() takes ${range}`, () => {
    assertEquals(isMediaRange(range), true);
  });
}

for (
  const text of [
    "",
    "/",
    "text",
    "text/",
    "/plain",
    "*/plain",
    "*/*+json",
    "text/plain; a=b",
    "text/plain ",
    "a/b/c",
    "a b/c",
    "\u00e4/b",
  ]
) {
  Deno.test(`isMediaRange() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(isMediaRange(text), false);
  });
}

for (
  const [range, inside, outside] of [
    [
      "application/json",
      [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;",
      ],
      [
        "application/jsonp",
        "application/json, text/plain",
        "text/json",
        "application/json charset",
      ],
    ],
    ["text/*", ["text/plain", "text/html;a=b"], ["text/", "text", "texts/plain", "text/*", "*/*"]],
    [
      "application/*+json",
      ["application/ld+json", "application/a+b+json"],
      ["application/+json", "application/json", "text/ld+json", "application/ld+jsonx"],
    ],
    ["*/*", ["a/b", "", "nonsense", undefined], []],
    ["text/plain", [], ["", undefined, "text /plain", "text/plain/x", ";text/plain"]],
  ] as [string, (string | undefined)[], (string | undefined)[]][]
) {
  Deno.test(`matchesMediaRange() knows what lies in ${range}`, () => {
    for (const type of inside) assertEquals(matchesMediaRange(range, type), true, type);
    for (const type of outside) assertEquals(matchesMediaRange(range, type), false, type);
  });
}
