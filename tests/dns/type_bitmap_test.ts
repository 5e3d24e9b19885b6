import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { RdataText } from "../../dns/rdata_text.ts";
import { formatRecordType } from "../../dns/record_type.ts";
import { typeBitmap } from "../../dns/type_bitmap.ts";
import { WireReader } from "../../dns/wire_reader.ts";
import { WireWriter } from "../../dns/wire_writer.ts";

function encode(types: readonly string[]): string {
  const writer = new WireWriter();
  typeBitmap.encode(writer, types);
  return writer.finish().toHex();
}

function decode(hex: string): readonly string[] {
  return typeBitmap.decode(new WireReader(Uint8Array.fromHex(hex)));
}

const VALID: readonly (readonly [types: readonly string[], hex: string])[] = [
  [[], ""],
  [["TYPE0"], "000180"],
  [["A"], "000140"],
  // RFC 4034 section 4.3.
  [
    ["A", "MX", "RRSIG", "NSEC", "TYPE1234"],
    `0006400100000003041b${"00".repeat(26)}20`,
  ],
  [["ANY"], `0020${"00".repeat(31)}01`],
  [["URI"], "010180"],
  [["TYPE65535"], `ff20${"00".repeat(31)}01`],
];

for (const [types, hex] of VALID) {
  Deno.test(`typeBitmap reads and writes [${types}]`, () => {
    assertEquals(encode(types), hex);
    assertEquals(decode(hex), types);
    assertEquals(typeBitmap.print(types), types.join(" "));
    assertEquals(typeBitmap.parse(RdataText.from(types.join(" "))), types);
  });
}

Deno.test("typeBitmap brings every type alone back", () => {
  for (let code = 0; code <= 0xffff; code += 251) {
    const types = [formatRecordType(code)];
    assertEquals(decode(encode(types)), types);
  }
});

Deno.test("typeBitmap sorts types, and takes doubles and other spellings for one", () => {
  const types = ["MX", "a", "TYPE15", "A", "TYPE1"];
  assertEquals(encode(types), encode(["A", "MX"]));
  assertEquals(typeBitmap.print(types), "A MX");
  assertEquals(typeBitmap.parse(RdataText.from("MX a TYPE15 A")), ["A", "MX"]);
});

const INVALID: Readonly<Record<string, string>> = {
  "a window without a length": "00",
  "a window of no bytes": "0000",
  "a window of 33 bytes": `0021${"ff".repeat(33)}`,
  "a window beyond the end": "000240",
  "a window twice": "000140000140",
  "windows out of order": "010140000140",
  "zeros at the end of a window": "00024000",
  "a window of zeros": "000100",
};

for (const [what, hex] of Object.entries(INVALID)) {
  Deno.test(`typeBitmap refuses ${what}`, () => {
    assertThrows(() => decode(hex), DnsMessageError);
  });
}

Deno.test("typeBitmap refuses what is no type", () => {
  assertThrows(() => encode(["FOO"]), DnsMessageError);
  assertThrows(() => typeBitmap.print(["FOO"]), DnsMessageError);
  assertThrows(() => typeBitmap.parse(RdataText.from("A FOO")), DnsTextError);
});
