import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { OutputBuffer } from "../../http/output_buffer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

Deno.test("OutputBuffer.writeText() and writeBytes() append in order", () => {
  const out = new OutputBuffer();
  out.writeText("a\xff");
  out.writeBytes(bytesOf("bc"));
  out.writeText("");
  out.writeBytes(new Uint8Array(0));
  out.writeText("d");
  assertEquals(textOf(out.view()), "a\xffbcd");
  assertEquals(out.length, 5);
});

Deno.test("OutputBuffer grows at every size without losing a byte", () => {
  for (const size of [511, 512, 513, 1024, 1025, 100_000]) {
    const out = new OutputBuffer();
    const text = "0123456789".repeat(size / 10 + 1).slice(0, size);
    for (const character of text.slice(0, 600)) out.writeText(character);
    out.writeBytes(bytesOf(text.slice(600)));
    out.writeField("a", "b");
    assertEquals(textOf(out.view()), `${text}a: b\r\n`);
  }
});

Deno.test("OutputBuffer.take() gives bytes of its own and empties the buffer", () => {
  const out = new OutputBuffer();
  out.writeText("first");
  const taken = out.take();
  assertEquals(out.length, 0);
  out.writeText("other");
  assertEquals(textOf(taken), "first");
  assertNotEquals(taken.buffer, out.bytes.buffer);
});

Deno.test("OutputBuffer.clear() forgets what was written", () => {
  const out = new OutputBuffer();
  out.writeText("first");
  out.clear();
  out.writeText("x");
  assertEquals(textOf(out.view()), "x");
});

Deno.test("OutputBuffer.writeDecimal() writes what String() writes", () => {
  const powers = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
  const numbers = powers.flatMap((
    power,
  ) => [power - 1, power, power + 1, 9 * power - 1, 9 * power]);
  const binary = Array.from({ length: 53 }, (_, exponent) => 2 ** exponent);
  const values = [
    ...numbers,
    ...binary,
    ...binary.map((power) => power - 1),
    Number.MAX_SAFE_INTEGER,
  ];
  for (const value of values) {
    if (value < 0 || !Number.isSafeInteger(value)) continue;
    const out = new OutputBuffer();
    out.writeDecimal(value);
    assertEquals(textOf(out.view()), String(value));
  }
});

Deno.test("OutputBuffer.writeDecimal() makes room for the longest number", () => {
  const out = new OutputBuffer();
  out.writeText("x".repeat(511));
  out.writeDecimal(Number.MAX_SAFE_INTEGER);
  assertEquals(textOf(out.view()).slice(511), "9007199254740991");
});

for (
  const [name, value] of [
    ["a", "b"],
    ["X-!#$%&'*+-.^_`|~9", "b c\td"],
    ["empty", ""],
    ["obs-text", "\x80\xff"],
    ["one-character", "\xe4"],
  ] as const
) {
  Deno.test(`OutputBuffer.writeField() writes ${JSON.stringify(name)} with ${JSON.stringify(value)}`, () => {
    const out = new OutputBuffer();
    out.writeField(name, value);
    assertEquals(textOf(out.view()), `${name}: ${value}\r\n`);
  });
}

for (
  const [what, name, value] of [
    ["an empty name", "", "v"],
    ["CR in a name", "a\rb", "v"],
    ["LF in a name", "a\nb", "v"],
    ["NUL in a name", "a\0", "v"],
    ["a colon in a name", "a:b", "v"],
    ["a space in a name", "a ", "v"],
    ["obs-text in a name", "a\xe4", "v"],
    ["a character above U+00FF in a name", "a\u0161", "v"],
    ["CR LF in a value", "a", "v\r\nb: c"],
    ["CR in a value", "a", "\r"],
    ["LF in a value", "a", "v\n"],
    ["NUL in a value", "a", "\0v"],
    ["DEL in a value", "a", "v\x7f"],
    ["a character that ends in 0x0D", "a", "v\u010d"],
    ["a character that ends in 0x41", "a", "v\u0141"],
    ["a leading space", "a", " v"],
    ["a trailing tab", "a", "v\t"],
    ["only blanks", "a", " "],
  ] as const
) {
  Deno.test(`OutputBuffer.writeField() refuses ${what} and writes nothing`, () => {
    const out = new OutputBuffer();
    out.writeText("before");
    assertThrows(() => out.writeField(name, value), TypeError);
    assertEquals(textOf(out.view()), "before");
  });
}

Deno.test("OutputBuffer.view() shows what is there, also where it is as long as the last", () => {
  const out = new OutputBuffer();
  const shown: string[] = [];
  for (const text of ["ab", "cd", "e", "fg"]) {
    out.clear();
    out.writeText(text);
    shown.push(textOf(out.view()));
  }
  assertEquals(shown, ["ab", "cd", "e", "fg"]);
  // The same length, in other memory.
  out.reserve(100_000);
  out.clear();
  out.writeText("hi");
  assertEquals(textOf(out.view()), "hi");
});
