import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError } from "../../dns/errors.ts";
import { WireReader } from "../../dns/wire_reader.ts";

function bytesOf(...parts: readonly (number | string)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...part].map((character) => character.charCodeAt(0))
    ),
  );
}

function codeOf(run: () => unknown): string {
  return assertThrows(run, DnsMessageError).code;
}

Deno.test("WireReader reads numbers in network order", () => {
  const reader = new WireReader(
    bytesOf(1, 0xff, 2, 0xff, 0, 0, 1, 0x80, 0, 0, 0, 0, 3, 0x80, 0, 0, 0, 0, 0, 0, 4),
  );
  assertEquals(reader.u8(), 1);
  assertEquals(reader.u16(), 0xff02);
  assertEquals(reader.u32(), 0xff000001);
  assertEquals(reader.u48(), 0x8000_0000_0003);
  assertEquals(reader.u64(), 0x8000_0000_0000_0004n);
  assertEquals(reader.remaining, 0);
});

Deno.test("WireReader throws where a field goes beyond the end, and stays where it was", () => {
  const reads: Record<string, (reader: WireReader) => unknown> = {
    u8: (reader) => reader.u8(),
    u16: (reader) => reader.u16(),
    u32: (reader) => reader.u32(),
    u48: (reader) => reader.u48(),
    u64: (reader) => reader.u64(),
  };
  for (const [index, read] of Object.values(reads).entries()) {
    const needed = [1, 2, 4, 6, 8][index]!;
    // The byte behind the end is there, but is none of ours.
    const reader = new WireReader(new Uint8Array(20), 3, 3 + needed - 1);
    const error = assertThrows(() => read(reader), DnsMessageError);
    assertEquals([error.code, error.offset, reader.offset], ["ERR_DNS_TRUNCATED", 3, 3]);
    reader.end++;
    read(reader);
    assertEquals(reader.remaining, 0);
  }
});

Deno.test("WireReader refuses a range that is not within the bytes", () => {
  for (const [offset, end] of [[-1, 2], [3, 2], [0, 5], [NaN, 2], [0, NaN]] as const) {
    assertThrows(() => new WireReader(new Uint8Array(4), offset, end), RangeError);
  }
});

Deno.test("WireReader.take() gives copies, of a Buffer too", () => {
  for (const length of [3, 30, 300, 5000]) {
    const bytes = new Uint8Array(length + 100).fill(1);
    class View extends Uint8Array<ArrayBuffer> {}
    for (const message of [bytes, new View(bytes.buffer)]) {
      bytes.fill(1);
      const reader = new WireReader(message, 4);
      const first = reader.take(length);
      const second = reader.take(70);
      bytes.fill(2);
      assertEquals([first.length, new Set(first)], [length, new Set([1])]);
      assertEquals(new Set(second), new Set([1]));
      first.fill(3);
      assertEquals(new Set(second), new Set([1]));
      assertEquals(first.constructor, Uint8Array);
    }
  }
  assertEquals(codeOf(() => new WireReader(new Uint8Array(3)).take(4)), "ERR_DNS_TRUNCATED");
});

Deno.test("WireReader.characterString() reads a length and that many bytes", () => {
  const reader = new WireReader(bytesOf(0, 2, "ab", 2, "c"));
  assertEquals(reader.characterString(), new Uint8Array(0));
  assertEquals(reader.characterString(), bytesOf("ab"));
  assertEquals(codeOf(() => reader.characterString()), "ERR_DNS_TRUNCATED");
});

Deno.test("WireReader.name() follows pointers to any label of a name before", () => {
  // 0: a.bc.def.  10: x + pointer to bc  14: pointer to 10  16: pointer to def  18: y + pointer to 14
  const bytes = bytesOf(
    1,
    "a",
    2,
    "bc",
    3,
    "def",
    0,
    1,
    "x",
    0xc0,
    2,
    0xc0,
    10,
    0xc0,
    5,
    1,
    "y",
    0xc0,
    14,
    9,
  );
  const inOrder = new WireReader(bytes);
  const names = ["a.bc.def.", "x.bc.def.", "x.bc.def.", "def.", "y.x.bc.def."];
  assertEquals(names.map(() => inOrder.name()), names);
  assertEquals(inOrder.remaining, 1);
  // It makes no difference what was read before.
  [0, 10, 14, 16, 18].forEach((offset, index) => {
    assertEquals(new WireReader(bytes, offset).name(), names[index]);
  });
});

Deno.test("WireReader.name() gives the same with and without names before, whatever is in them", () => {
  // Labels with escapes, so that text and wire have other lengths, and pointers into labels.
  const bytes = bytesOf(
    2,
    1,
    "a",
    1,
    ".",
    1,
    "b",
    0,
    ...Array.from({ length: 8 }, (_, to) => [0xc0, to]).flat(),
  );
  for (let count = 0; count < 8; count++) {
    const fresh = new WireReader(bytes, 8 + 2 * count);
    const used = new WireReader(bytes);
    used.name();
    used.offset = 8 + 2 * count;
    const outcome = (reader: WireReader) => {
      try {
        return reader.name();
      } catch (error) {
        return (error as DnsMessageError).code;
      }
    };
    assertEquals(outcome(used), outcome(fresh));
  }
});

Deno.test("WireReader.name() escapes in its one way", () => {
  const label = '.\\";()@$ \0\xffaZ~';
  const reader = new WireReader(bytesOf(label.length, label, 0));
  assertEquals(reader.name(), '\\.\\\\\\"\\;\\(\\)\\@\\$\\032\\000\\255aZ~.');
});

const LABEL_63 = [63, "x".repeat(63)] as const;
const BROKEN: Record<string, readonly [bytes: Uint8Array, offset: number, code: string]> = {
  "an end before the root": [bytesOf(1, "a"), 0, "ERR_DNS_TRUNCATED"],
  "an end within a label": [bytesOf(2, "a"), 0, "ERR_DNS_TRUNCATED"],
  "no byte at all": [bytesOf(), 0, "ERR_DNS_TRUNCATED"],
  "half a pointer": [bytesOf(0, 1, "a", 0xc0), 1, "ERR_DNS_TRUNCATED"],
  "a pointer to itself": [bytesOf(0xc0, 0), 0, "ERR_DNS_BAD_POINTER"],
  "a pointer to the label in front of it": [bytesOf(1, "a", 0xc0, 0), 0, "ERR_DNS_BAD_POINTER"],
  "a pointer forward": [bytesOf(0xc0, 2, 0), 0, "ERR_DNS_BAD_POINTER"],
  "a pointer beyond the end": [bytesOf(0, 0xff, 0xff), 1, "ERR_DNS_BAD_POINTER"],
  "pointers in a circle": [bytesOf(0xc0, 2, 0xc0, 0), 2, "ERR_DNS_BAD_POINTER"],
  "an extended label": [bytesOf(0x41, 0), 0, "ERR_DNS_BAD_NAME"],
  "a label of the kind that never was": [bytesOf(0x80, 0), 0, "ERR_DNS_BAD_NAME"],
  "256 bytes": [
    bytesOf(...LABEL_63, ...LABEL_63, ...LABEL_63, 62, "x".repeat(62), 0),
    0,
    "ERR_DNS_BAD_NAME",
  ],
  "256 bytes over a pointer": [
    bytesOf(...LABEL_63, ...LABEL_63, ...LABEL_63, 0, 62, "x".repeat(62), 0xc0, 0),
    193,
    "ERR_DNS_BAD_NAME",
  ],
};

for (const [what, [bytes, offset, code]] of Object.entries(BROKEN)) {
  Deno.test(`WireReader.name() throws on ${what}`, () => {
    assertEquals(codeOf(() => new WireReader(bytes, offset).name()), code);
    const used = new WireReader(bytes);
    try {
      used.name();
    } catch {
      // Only what it leaves behind matters.
    }
    used.offset = offset;
    assertEquals(codeOf(() => used.name()), code);
  });
}

Deno.test("WireReader.name() takes 255 bytes, over a pointer too", () => {
  const bytes = bytesOf(...LABEL_63, ...LABEL_63, ...LABEL_63, 0, 61, "x".repeat(61), 0xc0, 0);
  for (const start of [0, 193]) {
    const reader = new WireReader(bytes, start);
    if (start === 0) reader.name();
    assertEquals(reader.name().length, 254);
  }
});

Deno.test("WireReader.name() counts bytes, not characters, where it meets a name with escapes", () => {
  const zeros = (count: number) => [count, ...new Array<number>(count).fill(0)];
  const bytes = bytesOf(
    ...zeros(63),
    ...zeros(63),
    0,
    ...zeros(63),
    ...zeros(61),
    0xc0,
    0,
    ...zeros(63),
    ...zeros(62),
    0xc0,
    0,
  );
  const reader = new WireReader(bytes);
  reader.name();
  assertEquals(reader.name().length, 4 * (63 + 63 + 63 + 61) + 4);
  assertEquals(codeOf(() => reader.name()), "ERR_DNS_BAD_NAME");
});

Deno.test("WireReader.name() takes 127 pointers, not 128", () => {
  const chain = (count: number) => {
    const pointers = Array.from({ length: count }, (_, index) => {
      const target = index === 0 ? 0 : 2 * index - 1;
      return [0xc0 | target >>> 8, target & 0xff];
    });
    return new WireReader(bytesOf(0, ...pointers.flat()), 2 * count - 1);
  };
  assertEquals(chain(127).name(), ".");
  assertEquals(codeOf(() => chain(128).name()), "ERR_DNS_BAD_POINTER");
});

Deno.test("WireReader.uncompressedName() takes no pointer", () => {
  const bytes = bytesOf(1, "a", 0, 1, "b", 0xc0, 0);
  const reader = new WireReader(bytes);
  assertEquals(reader.uncompressedName(), "a.");
  assertEquals(codeOf(() => reader.uncompressedName()), "ERR_DNS_BAD_POINTER");
  assertEquals(new WireReader(bytes, 2).uncompressedName(), ".");
});

for (const [what, [bytes, offset, code]] of Object.entries(BROKEN)) {
  if (code === "ERR_DNS_BAD_POINTER" || what.includes("pointer")) continue;
  Deno.test(`WireReader.uncompressedName() throws on ${what}`, () => {
    assertEquals(codeOf(() => new WireReader(bytes, offset).uncompressedName()), code);
  });
}

Deno.test("WireReader.fail() names the offset", () => {
  const error = assertThrows(() => new WireReader(bytesOf(1, 2), 1).fail("no"), DnsMessageError);
  assertEquals([error.code, error.offset], ["ERR_DNS_BAD_RDATA", 1]);
});
