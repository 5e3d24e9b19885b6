import { assertEquals } from "@std/assert";
import { encodeBase32Hex } from "../../dns/base32hex.ts";

// RFC 4648 section 10, without padding.
for (
  const [text, digits] of [
    ["", ""],
    ["f", "CO"],
    ["fo", "CPNG"],
    ["foo", "CPNMU"],
    ["foob", "CPNMUOG"],
    ["fooba", "CPNMUOJ1"],
    ["foobar", "CPNMUOJ1E8"],
  ] as const
) {
  Deno.test(`encodeBase32Hex() gives the digits of "${text}"`, () => {
    assertEquals(encodeBase32Hex(new TextEncoder().encode(text)), digits);
  });
}
