import { assertEquals } from "@std/assert";
import { parseContentType } from "../../http/content_type.ts";

for (
  const [value, type, parameters] of [
    ["text/html", "text/html", {}],
    ["Text/HTML;Charset=UTF-8", "text/html", { charset: "UTF-8" }],
    ["a/b ;\t c = d".replace(" = ", "="), "a/b", { c: "d" }],
    ['a/b; c="d e;=,f"', "a/b", { c: "d e;=,f" }],
    ['a/b; c="\\"\\\\\\x"', "a/b", { c: '"\\x' }],
    ['a/b; c=""', "a/b", { c: "" }],
    ["a/b;", "a/b", {}],
    ["a/b; ;;c=d; ", "a/b", { c: "d" }],
    ["application/vnd.api+json", "application/vnd.api+json", {}],
    ['a/b; c="\u00e9"', "a/b", { c: "\u00e9" }],
  ] as const
) {
  Deno.test(`parseContentType() parses ${value}`, () => {
    const parsed = parseContentType(value)!;
    assertEquals(parsed.type, type);
    assertEquals(Object.fromEntries(parsed.parameters), { ...parameters });
  });
}

for (
  const value of [
    "",
    "/",
    "a",
    "a/",
    "/b",
    "a /b",
    "a/ b",
    " a/b",
    "a/b c",
    "a/b, c/d",
    "a/b; c",
    "a/b; c=",
    "a/b; =d",
    "a/b; c =d",
    "a/b; c= d",
    "a/b; c=d e",
    'a/b; c="d',
    'a/b; c="d\\',
    'a/b; c="d"e',
    'a/b; c="\0"',
    'a/b; c="\r\n"',
    "a/b; c=d; C=e",
    "\u0100/b",
  ]
) {
  Deno.test(`parseContentType() refuses ${JSON.stringify(value)}`, () => {
    assertEquals(parseContentType(value), undefined);
  });
}
