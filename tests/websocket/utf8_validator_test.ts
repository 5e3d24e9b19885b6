import { assertEquals } from "@std/assert";
import { everySplit } from "../../nbio/testing_split.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { Utf8Validator } from "../../websocket/utf8_validator.ts";

const FATAL = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    FATAL.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Offset of the first impossible byte over all pieces; -1 for none, -2 for an end too early. */
function validate(chunks: readonly Uint8Array[]): number {
  const validator = new Utf8Validator();
  let offset = 0;
  for (const chunk of chunks) {
    const found = validator.push(chunk);
    if (found !== -1) return offset + found;
    offset += chunk.length;
  }
  return validator.isComplete ? -1 : -2;
}

/** Bytes, and where they become impossible: -1 nowhere, -2 only by their end. */
const ROWS: [name: string, bytes: number[], found: number][] = [
  ["nothing", [], -1],
  ["ASCII", [0x00, 0x61, 0x7f], -1],
  ["the first of two bytes", [0xc2, 0x80], -1],
  ["the last of two bytes", [0xdf, 0xbf], -1],
  ["the first of three bytes", [0xe0, 0xa0, 0x80], -1],
  ["the last in front of the surrogates", [0xed, 0x9f, 0xbf], -1],
  ["the first behind the surrogates", [0xee, 0x80, 0x80], -1],
  ["U+FFFD", [0xef, 0xbf, 0xbd], -1],
  ["U+FFFF", [0xef, 0xbf, 0xbf], -1],
  ["the first of four bytes", [0xf0, 0x90, 0x80, 0x80], -1],
  ["the last character", [0xf4, 0x8f, 0xbf, 0xbf], -1],
  ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61], -1],
  ["a lone continuation", [0x61, 0x80], 1],
  ["C0", [0xc0, 0x80], 0],
  ["C1", [0xc1, 0xbf], 0],
  ["an overlong form of three bytes", [0xe0, 0x9f, 0xbf], 1],
  ["the first surrogate", [0xed, 0xa0, 0x80], 1],
  ["the last surrogate", [0xed, 0xbf, 0xbf], 1],
  ["an overlong form of four bytes", [0xf0, 0x8f, 0xbf, 0xbf], 1],
  ["the first above U+10FFFF", [0xf4, 0x90, 0x80, 0x80], 1],
  ["F5", [0xf5], 0],
  ["FE", [0xfe], 0],
  ["FF", [0x61, 0xff], 1],
  ["ASCII within a character", [0xe2, 0x82, 0x61], 2],
  ["a character within a character", [0xe2, 0xc3, 0xa9], 1],
  ["an end after one of two", [0xc3], -2],
  ["an end after two of three", [0xe2, 0x82], -2],
  ["an end after three of four", [0xf0, 0x9f, 0x98], -2],
];

for (const [name, bytes, found] of ROWS) {
  Deno.test(`Utf8Validator.push() finds ${found} in ${name} however it is split`, () => {
    for (const chunks of everySplit(new Uint8Array(bytes))) assertEquals(validate(chunks), found);
    assertEquals(isUtf8(new Uint8Array(bytes)), found === -1);
  });

  Deno.test(`Utf8Validator.push() finds the same behind long ASCII: ${name}`, () => {
    for (let length = 60; length < 90; length++) {
      const text = new Uint8Array([...new Array(length).fill(0x61), ...bytes, ...bytes]);
      if (found >= 0) assertEquals(validate([text]), length + found);
      assertEquals(validate([text]) === -1, isUtf8(text));
    }
  });
}

Deno.test("Utf8Validator.push() agrees with TextDecoder on every sequence of three bytes that matters", () => {
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0];
  edges.push(0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff);
  for (const a of edges) {
    for (const b of edges) {
      for (const c of edges) {
        for (const tail of [[], [0x80]]) {
          const bytes = new Uint8Array([a, b, c, ...tail]);
          assertEquals(validate([bytes]) === -1, isUtf8(bytes), String(bytes));
        }
      }
    }
  }
});

Deno.test("Utf8Validator.push() finds one bad byte at every position of a long text", () => {
  const random = new SeededRandom(5);
  for (let round = 0; round < 400; round++) {
    const length = 1 + random.int(300);
    const at = random.int(length);
    const memory = new Uint8Array(length + 8).fill(0x61);
    const bytes = memory.subarray(random.int(8)).subarray(0, length);
    bytes[at] = 0xff;
    assertEquals(new Utf8Validator().push(bytes), at);
  }
});

Deno.test("Utf8Validator.reset() forgets an unfinished character", () => {
  const validator = new Utf8Validator();
  validator.push(new Uint8Array([0xf0]));
  validator.reset();
  assertEquals(validator.isComplete, true);
  // F0 would have forbidden it.
  assertEquals(validator.push(new Uint8Array([0xe1, 0x80, 0x80])), -1);
});

Deno.test("Utf8Validator.push() looks at no more than it is told to", () => {
  const bytes = new Uint8Array([0xff, 0x61, 0x62, 0xff]);
  assertEquals(new Utf8Validator().push(bytes, 1, 3), -1);
  assertEquals(new Utf8Validator().push(bytes, 1, 4), 3);
});
