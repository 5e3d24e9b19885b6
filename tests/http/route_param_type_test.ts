import { assertEquals } from "@std/assert";
import { isOfType, type NamedRouteParamType, numberOf } from "../../http/route_param_type.ts";

const UUID = "0190163d-8694-739B-aea5-966c26f8ad91";

const ROWS: readonly [NamedRouteParamType, accepted: string[], refused: string[]][] = [
  ["int", ["0", "7", "007", "-1", "9007199254740991", "-9007199254740991"], [
    "",
    "-",
    "+1",
    "1.0",
    "1e3",
    "0x1",
    "9007199254740992",
    "12345678901234567",
    "1a",
    " 1",
    "١",
  ]],
  ["float", ["0", "1.5", "-0.25", "1e3", "1E-7", "1e+21", "00.5"], [
    "",
    "-",
    ".5",
    "1.",
    "1e",
    "1e999",
    "Infinity",
    "NaN",
    "0x1",
    "1".repeat(65),
  ]],
  ["hex", ["0", "ff", "DEADbeef", "a".repeat(500)], ["", "g", "0x1", "-1", "f f"]],
  ["uuid", [UUID, UUID.toUpperCase(), "0".repeat(8) + "-0000-0000-0000-" + "0".repeat(12)], [
    "",
    UUID.slice(1),
    `${UUID}0`,
    UUID.replace("-", "0"),
    UUID.replace("0190", "019g"),
    `{${UUID}}`,
  ]],
];

for (const [type, accepted, refused] of ROWS) {
  Deno.test(`isOfType() knows ${type}, also within longer text`, () => {
    const test = (text: string) => isOfType(type, `9/${text}/9`, 2, 2 + text.length);
    assertEquals(accepted.filter((text) => !test(text)), []);
    assertEquals(refused.filter(test), []);
  });
}

Deno.test("numberOf() gives numbers, and zero without a sign", () => {
  assertEquals(numberOf("/42/", 1, 3), 42);
  assertEquals(numberOf("-1.5e2", 0, 6), -150);
  assertEquals(Object.is(numberOf("-0", 0, 2), 0), true);
});

Deno.test("isOfType() takes every number as JavaScript writes it for a float", () => {
  for (const value of [Number.MAX_VALUE, Number.MIN_VALUE, 1e21, -1e-7, 0.1 + 0.2]) {
    const text = String(value);
    assertEquals(isOfType("float", text, 0, text.length), true, text);
    assertEquals(numberOf(text, 0, text.length), value);
  }
});
