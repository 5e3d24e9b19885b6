import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError } from "../../dns/errors.ts";
import { WireReader } from "../../dns/wire_reader.ts";
import { WireWriter } from "../../dns/wire_writer.ts";

function codeOf(run: () => unknown): string {
  return assertThrows(run, DnsMessageError).code;
}

Deno.test("WireWriter writes what WireReader reads", () => {
  const writer = new WireWriter();
  writer.u8(255);
  writer.u16(65_535);
  writer.u32(2 ** 32 - 1);
  writer.u48(2 ** 48 - 1);
  writer.u64(2n ** 64n - 1n);
  writer.characterString(new Uint8Array(255).fill(7));
  writer.bytes(new Uint8Array([1, 2]));
  const reader = new WireReader(writer.finish());
  assertEquals(reader.u8(), 255);
  assertEquals(reader.u16(), 65_535);
  assertEquals(reader.u32(), 2 ** 32 - 1);
  assertEquals(reader.u48(), 2 ** 48 - 1);
  assertEquals(reader.u64(), 2n ** 64n - 1n);
  assertEquals(reader.characterString(), new Uint8Array(255).fill(7));
  assertEquals(reader.rest(), new Uint8Array([1, 2]));
});

const TOO_MUCH: Record<string, (writer: WireWriter, value: number) => void> = {
  u8: (writer, value) => writer.u8(value === 1 ? 2 ** 8 : value),
  u16: (writer, value) => writer.u16(value === 1 ? 2 ** 16 : value),
  u32: (writer, value) => writer.u32(value === 1 ? 2 ** 32 : value),
  u48: (writer, value) => writer.u48(value === 1 ? 2 ** 48 : value),
};

for (const [name, write] of Object.entries(TOO_MUCH)) {
  Deno.test(`WireWriter.${name}() throws on a number out of range and writes nothing`, () => {
    const writer = new WireWriter();
    // 1 stands for the first number that is too large.
    for (const value of [-1, 0.5, NaN, Infinity, 1]) {
      assertEquals(codeOf(() => write(writer, value)), "ERR_DNS_BAD_VALUE");
    }
    assertEquals(writer.length, 0);
  });
}

Deno.test("WireWriter throws on values that do not fit", () => {
  const writer = new WireWriter();
  assertEquals(codeOf(() => writer.u64(-1n)), "ERR_DNS_BAD_VALUE");
  assertEquals(codeOf(() => writer.u64(2n ** 64n)), "ERR_DNS_BAD_VALUE");
  assertEquals(codeOf(() => writer.characterString(new Uint8Array(256))), "ERR_DNS_BAD_VALUE");
  assertEquals(codeOf(() => writer.name("a..b")), "ERR_DNS_BAD_NAME");
  assertEquals(writer.finish(), new Uint8Array(0));
});

Deno.test("WireWriter.name() points to the longest end that stands before, in the same case", () => {
  const writer = new WireWriter();
  for (const name of ["a.b.c.", "x.b.c.", "a.b.c", "A.b.c.", "b.C.", ".", "c.", "c.b."]) {
    writer.name(name);
  }
  const names = ["a.b.c.", "x.b.c.", "a.b.c.", "A.b.c.", "b.C.", ".", "c.", "c.b."];
  const bytes = writer.finish();
  assertEquals(bytes.length, 7 + 4 + 2 + 4 + 5 + 1 + 2 + 5);
  const reader = new WireReader(bytes);
  assertEquals(names.map(() => reader.name()), names);
  assertEquals(reader.remaining, 0);
});

Deno.test("WireWriter.name() writes no pointer beyond 14 bits, and none over what is there", () => {
  const writer = new WireWriter();
  writer.bytes(new Uint8Array(16_382));
  // The labels stand at 16382 and 16384: only the first may be pointed to.
  writer.name("a.b.");
  writer.name("a.b.");
  writer.name("c.b.");
  writer.name("c.b.");
  const bytes = writer.finish();
  const reader = new WireReader(bytes, 16_382);
  assertEquals([reader.name(), reader.name()], ["a.b.", "a.b."]);
  assertEquals(reader.offset, 16_382 + 5 + 2);
  assertEquals([reader.name(), reader.name()], ["c.b.", "c.b."]);
  assertEquals(reader.remaining, 0);
});

Deno.test("WireWriter.name() keeps within the bound of its table", () => {
  for (const maxCompressionLabels of [0, 1, 2, 3, 8192]) {
    const writer = new WireWriter({ maxCompressionLabels });
    const names = Array.from({ length: 40 }, (_, index) => `n${index % 10}.example.com.`);
    for (const name of names) writer.name(name);
    const bytes = writer.finish();
    const reader = new WireReader(bytes);
    assertEquals(names.map(() => reader.name()), names);
    if (maxCompressionLabels === 0) assertEquals(bytes.length, 40 * 16);
  }
});

Deno.test("WireWriter.canonical makes names lower case and whole", () => {
  const writer = new WireWriter();
  writer.canonical = true;
  writer.name("A\\065.B.");
  writer.uncompressedName("A\\065.B.");
  const bytes = writer.finish();
  assertEquals(bytes, new Uint8Array([2, 97, 97, 1, 98, 0, 2, 97, 97, 1, 98, 0]));
});

Deno.test("WireWriter.truncate() forgets the names behind the cut", () => {
  const writer = new WireWriter();
  writer.name("a.example.");
  const { length } = writer;
  writer.name("b.test.");
  writer.name("c.example.");
  writer.truncate(length);
  writer.name("b.test.");
  writer.name("c.example.");
  const reader = new WireReader(writer.finish());
  assertEquals([reader.name(), reader.name(), reader.name()], [
    "a.example.",
    "b.test.",
    "c.example.",
  ]);
  assertThrows(() => new WireWriter().truncate(1), RangeError);
  assertThrows(() => new WireWriter().truncate(-1), RangeError);
});

Deno.test("WireWriter.setU16() writes over what is there, and nowhere else", () => {
  const writer = new WireWriter();
  writer.u32(0);
  writer.setU16(2, 0x1234);
  assertThrows(() => writer.setU16(3, 0), RangeError);
  assertThrows(() => writer.setU16(-1, 0), RangeError);
  assertEquals(codeOf(() => writer.setU16(0, 65_536)), "ERR_DNS_BAD_VALUE");
  assertEquals(writer.finish(), new Uint8Array([0, 0, 0x12, 0x34]));
});

Deno.test("WireWriter takes as many bytes as maxBytes says", () => {
  for (const maxCompressionLabels of [0, 1024]) {
    const writes: readonly ((writer: WireWriter) => void)[] = [
      (writer) => writer.u32(0),
      (writer) => writer.bytes(new Uint8Array(4)),
      (writer) => writer.name("ab."),
      (writer) => writer.uncompressedName("ab."),
    ];
    for (const write of writes) {
      write(new WireWriter({ maxBytes: 4, maxCompressionLabels }));
      const writer = new WireWriter({ maxBytes: 3, maxCompressionLabels });
      assertEquals(codeOf(() => write(writer)), "ERR_DNS_TOO_LONG");
    }
  }
  const pointing = new WireWriter({ maxBytes: 14 });
  pointing.name("example.net.");
  assertEquals(codeOf(() => pointing.name("example.net.")), "ERR_DNS_TOO_LONG");
  for (const maxBytes of [-1, 0.5, NaN, 2 ** 24 + 1]) {
    assertThrows(() => new WireWriter({ maxBytes }), RangeError);
  }
  for (const maxCompressionLabels of [-1, 0.5, NaN, 8193]) {
    assertThrows(() => new WireWriter({ maxCompressionLabels }), RangeError);
  }
});

Deno.test("WireWriter.finish() gives bytes of its own, while another writer is at work", () => {
  const first = new WireWriter();
  first.name("a.example.");
  const second = new WireWriter();
  second.name("b.example.");
  first.name("c.example.");
  const bytes = first.finish();
  const copy = bytes.slice();
  const third = new WireWriter();
  third.name("c.example.");
  second.name("c.example.");
  const reader = new WireReader(second.finish());
  assertEquals([reader.name(), reader.name()], ["b.example.", "c.example."]);
  assertEquals(new WireReader(third.finish()).name(), "c.example.");
  assertEquals(bytes, copy);
  assertEquals([first.length, first.finish()], [0, new Uint8Array(0)]);
});
