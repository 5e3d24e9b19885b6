import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { nameAt } from "../../dns/zone_name.ts";
import { tokenizeEntry } from "../../dns/zone_tokenizer.ts";

const VALID: readonly (readonly [text: string, name: string])[] = [
  ["@", "example."],
  ["\\@", "\\@.example."],
  ["a", "a.example."],
  ["a.", "a."],
  [".", "."],
  ["*.a\\.b", "*.a\\.b.example."],
  ["\\097", "a.example."],
  ["é.", "\\195\\169."],
  ["\\\\é.", "\\\\\\195\\169."],
  ["\\é.", "\\195\\169."],
  [`${"a".repeat(63)}.`, `${"a".repeat(63)}.`],
];

for (const [text, name] of VALID) {
  Deno.test(`nameAt() reads ${text}`, () => {
    assertEquals(nameAt(tokenizeEntry(`x ${text}`), 1, "example."), name);
  });
}

for (const text of ["a..b", ".a", "a".repeat(64), "\\25", "\\256", '"a"']) {
  Deno.test(`nameAt() refuses ${text} and tells where it is`, () => {
    const tokens = tokenizeEntry(`x (\n ${text} )`, { file: "f" });
    const error = assertThrows(() => nameAt(tokens, 1, "example."), DnsTextError);
    const place = [error.code, error.file, error.line, error.column];
    assertEquals(place, ["ERR_DNS_BAD_NAME", "f", 2, 2]);
  });
}

Deno.test("nameAt() takes names of 255 bytes with the origin, and no longer ones", () => {
  const label = "a".repeat(63);
  const tokens = (length: number) =>
    tokenizeEntry(`${label}.${label}.${label}.${"b".repeat(length)}`);
  assertEquals(nameAt(tokens(53), 0, "example.").length, 254);
  assertThrows(() => nameAt(tokens(54), 0, "example."), DnsTextError);
});
