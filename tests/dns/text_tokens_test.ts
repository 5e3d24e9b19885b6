import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { placeOf, tokenAt, tokenError } from "../../dns/text_tokens.ts";
import { tokenizeEntry } from "../../dns/zone_tokenizer.ts";

Deno.test("tokenError() finds a token in its line, and the end behind the last one", () => {
  const tokens = tokenizeEntry('a (\n  "b"\n c )', { line: 5 });
  const places = [0, 1, 2, 3].map((index) => {
    const { line, column } = tokenError(tokens, index, "ERR_DNS_BAD_TEXT", "no");
    return [line, column];
  });
  assertEquals(places, [[5, 1], [6, 3], [7, 2], [7, 3]]);
});

Deno.test("tokenAt() throws where there is no such token", () => {
  assertThrows(() => tokenAt(tokenizeEntry("a"), 1), DnsTextError);
});

Deno.test("placeOf() names the file, if there is one", () => {
  assertEquals([placeOf("f", 1, 2), placeOf(undefined, 3, 4)], ["f:1:2", "text:3:4"]);
});
