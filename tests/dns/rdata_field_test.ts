import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import {
  base64ToEnd,
  characterString,
  checkTextLength,
  compressedName,
  duration,
  fieldCodec,
  hexToEnd,
  mnemonic,
  named,
  oldName,
  parseBase64Token,
  preservedName,
  printName,
  type RdataField,
  recordType,
  textToEnd,
  u16,
  u32,
  u8,
  uncompressedName,
} from "../../dns/rdata_field.ts";
import { RdataText } from "../../dns/rdata_text.ts";
import { WireReader } from "../../dns/wire_reader.ts";
import { WireWriter } from "../../dns/wire_writer.ts";

function encode<T>(field: RdataField<T>, value: T, canonical = false): string {
  const writer = new WireWriter();
  writer.canonical = canonical;
  field.encode(writer, value);
  return writer.finish().toHex();
}

function decode<T>(field: RdataField<T>, hex: string): T {
  return field.decode(new WireReader(Uint8Array.fromHex(hex)));
}

function parse<T>(field: RdataField<T>, text: string): T {
  return field.parse(RdataText.from(text, { origin: "o." }));
}

const NUMBERS: Readonly<Record<string, readonly [RdataField<number>, bytes: number]>> = {
  u8: [u8, 1],
  u16: [u16, 2],
  u32: [u32, 4],
  duration: [duration, 4],
};

for (const [name, [field, bytes]] of Object.entries(NUMBERS)) {
  const max = 256 ** bytes - 1;
  Deno.test(`${name} holds 0 to ${max}`, () => {
    for (const value of [0, 1, max - 1, max]) {
      const hex = value.toString(16).padStart(2 * bytes, "0");
      assertEquals(encode(field, value), hex);
      assertEquals(decode(field, hex), value);
      assertEquals(field.print(value), `${value}`);
      assertEquals(parse(field, `${value}`), value);
    }
    for (const value of [-1, max + 1, 0.5, NaN, Infinity]) {
      assertThrows(() => encode(field, value), DnsMessageError);
      assertThrows(() => field.print(value), DnsMessageError);
    }
    for (const text of [`${max + 1}`, "-1", "x", ""]) {
      assertThrows(() => parse(field, text), DnsTextError);
    }
    assertThrows(() => decode(field, "00".repeat(bytes - 1)), DnsMessageError);
  });
}

Deno.test("duration reads units", () => {
  assertEquals(parse(duration, "1h1m"), 3_660);
});

const CODES = { "OLD-ONE": 1, "ONE": 1, "TWO": 2 };

Deno.test("mnemonic() reads names in any case and prints numbers", () => {
  const field = mnemonic(u8, CODES);
  assertEquals(["one", "Old-One", "TWO", "3"].map((text) => parse(field, text)), [1, 1, 2, 3]);
  assertEquals(field.print(2), "2");
  for (const text of ["three", '"one"', "256", "__proto__"]) {
    assertThrows(() => parse(field, text), DnsTextError);
  }
});

Deno.test("named() prints the last name of a number, or the number", () => {
  const field = named(u8, CODES);
  assertEquals([1, 2, 3].map((code) => field.print(code)), ["ONE", "TWO", "3"]);
  assertEquals(parse(field, "old-one"), 1);
  assertThrows(() => field.print(256), DnsMessageError);
});

Deno.test("recordType is a mnemonic on both sides", () => {
  assertEquals([encode(recordType, "mx"), decode(recordType, "000f")], ["000f", "MX"]);
  assertEquals([parse(recordType, "type15"), recordType.print("TYPE15")], ["MX", "MX"]);
  assertThrows(() => encode(recordType, "FOO"), DnsMessageError);
  assertThrows(() => parse(recordType, "FOO"), DnsTextError);
});

Deno.test("printName() makes names absolute and escapes what needs it", () => {
  assertEquals(["a", "a b.c", ".", "\\097."].map(printName), ["a.", "a\\032b.c.", ".", "a."]);
  assertThrows(() => printName("a\n..b"), DnsMessageError);
});

/** Fields of names: whether pointers are read, written, and names lower-cased in canonical form. */
const NAMES: Readonly<Record<string, readonly [RdataField<string>, boolean, boolean, boolean]>> = {
  compressedName: [compressedName, true, true, true],
  oldName: [oldName, true, false, true],
  uncompressedName: [uncompressedName, false, false, true],
  preservedName: [preservedName, false, false, false],
};

for (const [name, [field, reads, writes, lowers]] of Object.entries(NAMES)) {
  Deno.test(`${name} compresses and lower-cases where it may`, () => {
    const reader = new WireReader(Uint8Array.fromHex("014100c000"), 3);
    if (reads) assertEquals(field.decode(reader), "A.");
    else assertThrows(() => field.decode(reader), DnsMessageError);
    const writer = new WireWriter();
    writer.name("A.");
    field.encode(writer, "A.");
    assertEquals(writer.finish().toHex(), writes ? "014100c000" : "014100014100");
    assertEquals(encode(field, "A.", true), lowers ? "016100" : "014100");
    assertEquals(parse(field, "B"), "B.o.");
  });
}

Deno.test("characterString has at most 255 bytes", () => {
  const value = new Uint8Array(255).fill(0x61);
  assertEquals(decode(characterString, encode(characterString, value)), value);
  assertEquals(parse(characterString, characterString.print(value)), value);
  assertThrows(() => encode(characterString, new Uint8Array(256)), DnsMessageError);
});

const TO_END: Readonly<Record<string, readonly [typeof hexToEnd, text: string]>> = {
  textToEnd: [textToEnd, '"foo"'],
  base64ToEnd: [base64ToEnd, "Zm9v"],
  hexToEnd: [hexToEnd, "666F6F"],
};

for (const [name, [make, text]] of Object.entries(TO_END)) {
  Deno.test(`${name}() takes what is left, if it is enough`, () => {
    const value = new TextEncoder().encode("foo");
    for (const minBytes of [0, 2, 3]) {
      const field = make(minBytes);
      assertEquals([encode(field, value), field.print(value)], ["666f6f", text]);
      assertEquals([decode(field, "666f6f"), parse(field, text)], [value, value]);
    }
    const field = make(4);
    assertThrows(() => encode(field, value), DnsMessageError);
    assertThrows(() => decode(field, "666f6f"), DnsMessageError);
    assertThrows(() => parse(field, text), DnsTextError);
  });
}

Deno.test("parseBase64Token() takes one form of base64 only", () => {
  assertEquals(parseBase64Token(RdataText.from("Zg==")), new Uint8Array([0x66]));
  for (const text of ["Zg=", "Zh==", "Z", "@@@@"]) {
    assertThrows(() => parseBase64Token(RdataText.from(text)), DnsTextError);
  }
});

Deno.test("checkTextLength() holds bytes against both bounds", () => {
  const text = RdataText.from("x");
  const bytes = new Uint8Array(2);
  assertEquals(checkTextLength(text, bytes, 2, 2), bytes);
  assertThrows(() => checkTextLength(text, bytes, 3), DnsTextError);
  assertThrows(() => checkTextLength(text, bytes, 0, 1), DnsTextError);
  assertThrows(() => checkTextLength(text, new Uint8Array(65_536), 0), DnsTextError);
});

Deno.test("fieldCodec() goes through its fields in order", () => {
  const codec = fieldCodec<{ readonly a: number; readonly b: string; readonly c: Uint8Array }>(
    "TEST",
    65_280,
    { a: u8, b: preservedName, c: hexToEnd(0) },
  );
  const data = { a: 1, b: "x.", c: new Uint8Array([255]) };
  assertEquals([codec.type, codec.code, codec.print(data)], ["TEST", 65_280, "1 x. FF"]);
  assertEquals(codec.parse(RdataText.from("1 x. ff")), data);
  assertEquals(codec.decode(new WireReader(Uint8Array.fromHex("01017800ff"))), data);
  const writer = new WireWriter();
  codec.encode(writer, data);
  assertEquals(writer.finish().toHex(), "01017800ff");
  // An empty field leaves no blank behind.
  assertEquals(codec.print({ ...data, c: new Uint8Array(0) }), "1 x.");
});
