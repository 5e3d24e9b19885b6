import { assertEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { DerReader, DerTag } from "../../tls/der_reader.ts";
import { DerWriter } from "../../tls/der_writer.ts";

function write(body: (writer: DerWriter) => void): Uint8Array {
  const writer = new DerWriter();
  body(writer);
  return writer.finish();
}

const VALID: readonly { name: string; body: (writer: DerWriter) => void; hex: string }[] = [
  { name: "zero", body: (w) => w.writeInteger(0), hex: "020100" },
  { name: "127", body: (w) => w.writeInteger(127), hex: "02017f" },
  { name: "128", body: (w) => w.writeInteger(128), hex: "02020080" },
  { name: "-1", body: (w) => w.writeInteger(-1), hex: "0201ff" },
  { name: "-128", body: (w) => w.writeInteger(-128), hex: "020180" },
  { name: "-129", body: (w) => w.writeInteger(-129), hex: "0202ff7f" },
  { name: "a large number", body: (w) => w.writeInteger(2n ** 64n), hex: "0209010000000000000000" },
  { name: "no bytes", body: (w) => w.writeInteger(new Uint8Array()), hex: "020100" },
  { name: "zeros", body: (w) => w.writeInteger(new Uint8Array(3)), hex: "020100" },
  {
    name: "bytes with zeros in front",
    body: (w) => w.writeInteger(new Uint8Array([0, 0, 0x80])),
    hex: "02020080",
  },
  { name: "true", body: (w) => w.writeBoolean(true), hex: "0101ff" },
  { name: "false", body: (w) => w.writeBoolean(false), hex: "010100" },
  { name: "null", body: (w) => w.writeNull(), hex: "0500" },
  { name: "an object identifier", body: (w) => w.writeObjectIdentifier("1.2.3"), hex: "06022a03" },
  {
    name: "bits, the unused ones as zeros",
    body: (w) => w.writeBitString(new Uint8Array([0xff]), 3),
    hex: "030203f8",
  },
  { name: "no bits", body: (w) => w.writeBitString(new Uint8Array()), hex: "030100" },
  { name: "bytes", body: (w) => w.writeOctetString(new Uint8Array([1])), hex: "040101" },
  { name: "DER in bytes", body: (w) => w.writeOctetString(() => w.writeNull()), hex: "04020500" },
  { name: "a text", body: (w) => w.writeUtf8String("é"), hex: "0c02c3a9" },
  { name: "a printable text", body: (w) => w.writePrintableString("a-b"), hex: "1303612d62" },
  { name: "an ASCII text", body: (w) => w.writeIa5String("a@b"), hex: "1603614062" },
  { name: "a time", body: (w) => w.writeTime(0), hex: "170d3730303130313030303030305a" },
  { name: "a context tag", body: (w) => w.writeContext(0, () => w.writeNull()), hex: "a0020500" },
  {
    name: "an implicit tag",
    body: (w) => w.writeContextPrimitive(30, new Uint8Array()),
    hex: "9e00",
  },
  { name: "DER as it is", body: (w) => w.writeRaw(new Uint8Array([5, 0])), hex: "0500" },
  {
    name: "a set in order",
    body: (w) =>
      w.writeSet(() => {
        w.writeInteger(2);
        w.writeNull();
        w.writeInteger(1);
      }),
    hex: "31080201010201020500",
  },
];

for (const { name, body, hex } of VALID) {
  Deno.test(`DerWriter writes ${name}`, () => assertEquals(write(body).toHex(), hex));
}

for (const length of [0, 127, 128, 255, 256, 65_535, 65_536]) {
  Deno.test(`DerWriter writes ${length} bytes that DerReader reads`, () => {
    const content = new Uint8Array(length).fill(7);
    const reader = new DerReader(
      new Uint8Array(write((w) => w.writeSequence(() => w.writeOctetString(content)))),
    );
    const outer = reader.enter(DerTag.SEQUENCE);
    assertEquals(reader.readOctetString(), content);
    reader.leave(outer);
    reader.finish();
  });
}

Deno.test("DerWriter writes integers that DerReader reads", () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 200; i++) {
    const value = BigInt.asIntN(64, BigInt(`0x${random.bytes(1 + random.int(8)).toHex()}`));
    const reader = new DerReader(new Uint8Array(write((w) => w.writeInteger(value))));
    const bytes = reader.readInteger();
    assertEquals(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toHex()}`)), value);
  }
});

const INVALID: readonly {
  name: string;
  body: (writer: DerWriter) => void;
  type: typeof RangeError | typeof TypeError;
}[] = [
  { name: "a fraction", body: (w) => w.writeInteger(0.5), type: RangeError },
  { name: "an inexact number", body: (w) => w.writeInteger(2 ** 53), type: RangeError },
  { name: "a long tag", body: (w) => w.writeElement(0x1f, new Uint8Array()), type: RangeError },
  { name: "tag 0", body: (w) => w.writeElement(0, new Uint8Array()), type: RangeError },
  { name: "tag 256", body: (w) => w.writeConstructed(256, () => {}), type: RangeError },
  { name: "context 31", body: (w) => w.writeContext(31, () => {}), type: RangeError },
  { name: "8 unused bits", body: (w) => w.writeBitString(new Uint8Array(1), 8), type: RangeError },
  {
    name: "unused bits of none",
    body: (w) => w.writeBitString(new Uint8Array(), 1),
    type: RangeError,
  },
  { name: "no identifier", body: (w) => w.writeObjectIdentifier("1"), type: TypeError },
  { name: "half a character", body: (w) => w.writeUtf8String("\ud800"), type: TypeError },
  { name: "what is not printable", body: (w) => w.writePrintableString("a@b"), type: TypeError },
  { name: "what is not ASCII", body: (w) => w.writeIa5String("é"), type: TypeError },
  { name: "a time beyond the calendar", body: (w) => w.writeTime(1e15), type: RangeError },
];

for (const { name, body, type } of INVALID) {
  Deno.test(`DerWriter throws on ${name} and writes nothing`, () => {
    const writer = new DerWriter();
    writer.writeNull();
    assertThrows(() => writer.writeSequence(() => body(writer)), type);
    assertEquals(writer.finish(), new Uint8Array([5, 0]));
  });
}

Deno.test("DerWriter.finish() throws inside of an element, and empties the writer", () => {
  const writer = new DerWriter();
  assertThrows(() => writer.writeSequence(() => writer.finish()), TypeError);
  writer.writeNull();
  assertEquals(writer.finish().length, 2);
  assertEquals(writer.finish().length, 0);
});

Deno.test("DerWriter nests 64 deep and no further", () => {
  const writer = new DerWriter();
  const nest = (depth: number): void => {
    if (depth > 0) writer.writeSequence(() => nest(depth - 1));
  };
  nest(64);
  writer.finish();
  assertThrows(() => nest(65), RangeError);
});
