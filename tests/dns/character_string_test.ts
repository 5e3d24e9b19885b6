import { assertEquals } from "@std/assert";
import { printCharacterString } from "../../dns/character_string.ts";
import { RdataText } from "../../dns/rdata_text.ts";

Deno.test("printCharacterString() gives one form of every byte, which reads back", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const text = printCharacterString(bytes);
  assertEquals(RdataText.from(text).bytesOf(text), bytes);
  assertEquals(text.length, 2 + 95 + 2 + 4 * 161);
});

Deno.test("printCharacterString() quotes nothing at all", () => {
  assertEquals(printCharacterString(new Uint8Array(0)), '""');
});
