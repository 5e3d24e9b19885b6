import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { opaqueCodec } from "../../dns/rdata_opaque.ts";
import { RdataText } from "../../dns/rdata_text.ts";
import { testRdata } from "./rdata_rows.ts";

for (const type of ["NULL", "OPT", "WKS", "TYPE731"]) {
  testRdata(type, [
    { text: "\\# 6 ABCD EF 01 2345", hex: "abcdef012345", printed: "\\# 6 ABCDEF012345" },
    { text: "\\# 0", hex: "" },
  ], {
    text: {
      "nothing": "",
      "no mark": "6 abcdef012345",
      "another mark": "# 0",
      "no length": "\\#",
      "a length too small": "\\# 1 0000",
      "a length too large": "\\# 3 0000",
      "half a byte": "\\# 1 000",
      "no hexadecimal": "\\# 1 0g",
    },
  });
}

Deno.test("opaqueCodec() parses what stands behind the mark", () => {
  const text = RdataText.from("\\# 3 AB cdef");
  assertEquals(opaqueCodec("NULL", 10).parse(text), { bytes: new Uint8Array([0xab, 0xcd, 0xef]) });
});

for (const text of ['"\\#" 1 AB', "1 AB", "#"]) {
  Deno.test(`opaqueCodec() does not take ${text} for marked bytes`, () => {
    assertThrows(() => opaqueCodec("NULL", 10).parse(RdataText.from(text)), DnsTextError);
  });
}
