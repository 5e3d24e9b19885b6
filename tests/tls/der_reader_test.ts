import { assertEquals, assertThrows } from "@std/assert";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { DerReader, DerTag } from "../../tls/der_reader.ts";

const readerOf = (...bytes: number[]): DerReader => new DerReader(new Uint8Array(bytes));
const zeros = (count: number): number[] => new Array(count).fill(0);

const LENGTHS: readonly { name: string; head: number[]; length: number }[] = [
  { name: "0", head: [4, 0], length: 0 },
  { name: "127", head: [4, 127], length: 127 },
  { name: "128", head: [4, 0x81, 128], length: 128 },
  { name: "255", head: [4, 0x81, 255], length: 255 },
  { name: "256", head: [4, 0x82, 1, 0], length: 256 },
  { name: "65,536", head: [4, 0x83, 1, 0, 0], length: 65_536 },
];

for (const { name, head, length } of LENGTHS) {
  Deno.test(`DerReader.read() reads an element of ${name} bytes, and not of one less`, () => {
    const reader = readerOf(...head, ...zeros(length));
    assertEquals(reader.read(), 4);
    assertEquals(reader.view().length, length);
    assertEquals([reader.isAtEnd, reader.peek()], [true, -1]);
    reader.finish();
    if (length === 0) return;
    assertThrows(() => readerOf(...head, ...zeros(length - 1)).read(), CertificateError);
  });
}

const INVALID: readonly { name: string; bytes: number[]; read: (reader: DerReader) => unknown }[] =
  [
    ...([
      ["nothing", []],
      ["a tag alone", [4]],
      ["a length that is cut off", [4, 0x82, 1]],
      ["a missing content", [4, 1]],
      ["an indefinite length", [4, 0x80, 0, 0]],
      ["a length of five bytes", [4, 0x85, 0, 0, 0, 0, 1, 0]],
      ["a length of 2^32 - 1", [4, 0x84, 0xff, 0xff, 0xff, 0xff]],
      ["the reserved length", [4, 0xff]],
      ["a long length of 127", [4, 0x81, 127, ...zeros(127)]],
      ["a length that starts with zero", [4, 0x82, 0, 128, ...zeros(128)]],
      ["a tag of more than one byte", [0x1f, 0x20, 0]],
      ["a constructed tag of more than one byte", [0xbf, 0x20, 0]],
    ] as const).map(([name, bytes]) => ({
      name,
      bytes: [...bytes],
      read: (reader: DerReader) => reader.read(),
    })),
    { name: "another tag", bytes: [4, 0], read: (reader) => reader.read(DerTag.NULL) },
    ...[[], [1], [0x7f], [0xfe], [0, 0], [0xff, 0xff]].map((content) => ({
      name: `a boolean of ${content}`,
      bytes: [1, content.length, ...content],
      read: (reader: DerReader) => reader.readBoolean(),
    })),
    ...[[], [0, 0], [0, 0x7f], [0xff, 0x80], [0xff, 0xff, 1]].map((content) => ({
      name: `an integer of ${content}`,
      bytes: [2, content.length, ...content],
      read: (reader: DerReader) => reader.readInteger(),
    })),
    ...[[0x80], [0xff], [0, 0x80, 0, 0, 0], [1, 0, 0, 0, 0]].map((content) => ({
      name: `a small integer of ${content}`,
      bytes: [2, content.length, ...content],
      read: (reader: DerReader) => reader.readSmallInteger(),
    })),
    ...[[], [1], [8, 0], [0xff, 0], [1, 1], [7, 0x40]].map((content) => ({
      name: `a bit string of ${content}`,
      bytes: [3, content.length, ...content],
      read: (reader: DerReader) => reader.readBitString(),
    })),
    {
      name: "a constructed bit string",
      bytes: [0x23, 4, 3, 2, 0, 1],
      read: (reader) => reader.readBitString(),
    },
    {
      name: "an empty object identifier",
      bytes: [6, 0],
      read: (reader) => reader.readObjectIdentifier(),
    },
    {
      name: "an element that is longer than its parent",
      bytes: [0x30, 2, 4, 1, 0],
      read(reader) {
        reader.enter(DerTag.SEQUENCE);
        reader.read();
      },
    },
    {
      name: "an element inside of one that is skipped",
      bytes: [0x30, 4, 0x31, 2, 4, 1, 0],
      read: (reader) => reader.skip(),
    },
    {
      name: "what is left over in an element",
      bytes: [0x30, 2, 5, 0],
      read: (reader) => reader.leave(reader.enter(DerTag.SEQUENCE)),
    },
    {
      name: "what stands behind the end",
      bytes: [5, 0, 5, 0],
      read(reader) {
        reader.read();
        reader.finish();
      },
    },
  ];

for (const { name, bytes, read } of INVALID) {
  Deno.test(`DerReader throws on ${name}`, () => {
    const error = assertThrows(() => read(readerOf(...bytes)), CertificateError);
    assertEquals(error.code, "ERR_X509_BAD_DER");
  });
}

Deno.test("DerReader reads numbers, flags and bits", () => {
  assertEquals(readerOf(1, 1, 0).readBoolean(), false);
  assertEquals(readerOf(1, 1, 0xff).readBoolean(), true);
  assertEquals(readerOf(0x81, 1, 0xff).readBoolean(0x81), true);
  assertEquals(readerOf(2, 2, 0, 0x80).readInteger(), new Uint8Array([0, 0x80]));
  assertEquals(readerOf(2, 1, 0).readSmallInteger(), 0);
  assertEquals(readerOf(2, 4, 0x7f, 0xff, 0xff, 0xff).readSmallInteger(), 2 ** 31 - 1);
  const bits = readerOf(3, 2, 7, 0x80);
  assertEquals([bits.readBitString(), bits.view()], [7, new Uint8Array([0x80])]);
  assertEquals(readerOf(3, 1, 0).readBitString(), 0);
  assertEquals(readerOf(0x16, 2, 0x41, 0x7f).readIa5String(), "A\x7f");
});

Deno.test("DerReader.readIa5String() throws on a byte that is not ASCII", () => {
  const error = assertThrows(() => readerOf(0x16, 2, 0x41, 0x80).readIa5String(), CertificateError);
  assertEquals([error.code, error.offset], ["ERR_X509_BAD_NAME", 3]);
});

Deno.test("DerReader.leave() goes back to what is around", () => {
  const reader = readerOf(0x30, 4, 0x31, 2, 5, 0, 4, 0);
  const outer = reader.enter(DerTag.SEQUENCE);
  const inner = reader.enter(DerTag.SET);
  reader.read(DerTag.NULL);
  reader.leave(inner);
  reader.leave(outer);
  assertEquals(reader.read(), 4);
  assertEquals(reader.stepCount, 4);
});

Deno.test("DerReader.skip() gives the element itself", () => {
  const reader = readerOf(0x30, 4, 0x31, 2, 5, 0);
  assertEquals(reader.skip(), 0x30);
  assertEquals([reader.elementStart, reader.contentStart, reader.contentEnd], [0, 2, 6]);
  assertEquals(reader.isAtEnd, true);
});

Deno.test("DerReader.skip() goes 32 elements deep and no further", () => {
  const nested = (depth: number): DerReader => {
    let bytes = [5, 0];
    for (let i = 0; i < depth; i++) {
      bytes = bytes.length < 128
        ? [0x30, bytes.length, ...bytes]
        : [0x30, 0x81, bytes.length, ...bytes];
    }
    return readerOf(...bytes);
  };
  assertEquals(nested(32).skip(), 0x30);
  assertThrows(() => nested(33).skip(), CertificateError);
});

for (const [start, end] of [[-1, 1], [1, 0], [0, 3], [0.5, 1], [0, NaN]] as const) {
  Deno.test(`DerReader throws on a part from ${start} to ${end} of two bytes`, () => {
    assertThrows(() => new DerReader(new Uint8Array(2), { start, end }), RangeError);
  });
}
