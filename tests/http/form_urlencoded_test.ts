import { assertEquals, assertThrows } from "@std/assert";
import { HttpProtocolError } from "../../http/errors.ts";
import { parseFormUrlEncoded } from "../../http/form_urlencoded.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

for (
  const [wire, fields] of [
    ["", []],
    ["&&&", []],
    ["a", [["a", ""]]],
    ["a=", [["a", ""]]],
    ["=b", [["", "b"]]],
    ["=", [["", ""]]],
    ["a=b=c", [["a", "b=c"]]],
    ["a=1&a=2&", [["a", "1"], ["a", "2"]]],
    ["a+b=%2B+%20", [["a b", "+  "]]],
    ["%C3%BC=%e2%82%ac", [["\u00fc", "\u20ac"]]],
    ["\xc3\xbc=1", [["\u00fc", "1"]]],
    ["\xc3%bc=1", undefined],
    ["a=\xef\xbb\xbfb", [["a", "\ufeffb"]]],
    ["a=%00%0D%0A;", [["a", "\0\r\n;"]]],
    ["%26=%3D%25", [["&", "=%"]]],
  ] as const
) {
  Deno.test(`parseFormUrlEncoded() of ${JSON.stringify(wire)}`, () => {
    if (fields === undefined) {
      assertThrows(() => parseFormUrlEncoded(bytesOf(wire)), HttpProtocolError);
    } else assertEquals(parseFormUrlEncoded(bytesOf(wire)), fields.map(([a, b]) => [a, b]));
  });
}

for (
  const wire of [
    "%",
    "a=%",
    "a=%2",
    "a=%2g",
    "a=%g2",
    "%u00fc",
    "\xff",
    "%ff",
    "%c3",
    "a=%ed%a0%80",
  ]
) {
  Deno.test(`parseFormUrlEncoded() throws on ${JSON.stringify(wire)}`, () => {
    const error = assertThrows(() => parseFormUrlEncoded(bytesOf(wire)), HttpProtocolError);
    assertEquals([error.code, error.statusHint], ["ERR_HTTP_BAD_FORM", 400]);
  });
}

Deno.test("parseFormUrlEncoded() decodes other charsets", () => {
  const latin1 = { charset: "iso-8859-1" };
  assertEquals(parseFormUrlEncoded(bytesOf("a=%fc\xfc+%2b"), latin1), [["a", "\u00fc\u00fc +"]]);
  assertEquals(parseFormUrlEncoded(bytesOf("%82%a0=1"), { charset: "shift_jis" }), [[
    "\u3042",
    "1",
  ]]);
  for (const wire of ["%", "%4", "a=%zz"]) {
    assertThrows(() => parseFormUrlEncoded(bytesOf(wire), latin1), HttpProtocolError);
  }
  assertThrows(
    () => parseFormUrlEncoded(bytesOf("%82"), { charset: "shift_jis" }),
    HttpProtocolError,
  );
  assertThrows(() => parseFormUrlEncoded(bytesOf("a"), { charset: "x-none" }), RangeError);
});

Deno.test("parseFormUrlEncoded() refuses more than maxFields fields", () => {
  const form = (count: number) => bytesOf(new Array(count).fill("a").join("&&"));
  assertEquals(parseFormUrlEncoded(form(1_000)).length, 1_000);
  const error = assertThrows(() => parseFormUrlEncoded(form(1_001)), LimitExceededError);
  assertEquals([error.limit, error.max, error.statusHint], ["maxFields", 1_000, 413]);
  assertEquals(parseFormUrlEncoded(form(2), { maxFields: 2 }).length, 2);
  assertThrows(() => parseFormUrlEncoded(form(3), { maxFields: 2 }), LimitExceededError);
  assertEquals(parseFormUrlEncoded(form(5_000), { maxFields: 0 }).length, 5_000);
  assertThrows(() => parseFormUrlEncoded(form(1), { maxFields: -1 }), RangeError);
});

Deno.test("parseFormUrlEncoded() agrees with URLSearchParams where that does not guess", () => {
  const random = new SeededRandom(5);
  for (let round = 0; round < 2_000; round++) {
    const params = new URLSearchParams();
    for (let count = random.int(5); count > 0; count--) {
      const text = () =>
        String.fromCodePoint(...Array.from({ length: 3 }, () => random.int(0xd000)));
      params.append(text(), text());
    }
    assertEquals(parseFormUrlEncoded(bytesOf(params.toString())), [...params]);
  }
});
