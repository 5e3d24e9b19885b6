import { assert, assertEquals, assertFalse, assertGreater } from "@std/assert";
import { FieldParser, OFFSETS_PER_FIELD } from "../../http/field_parser.ts";
import { HeaderList } from "../../http/header_list.ts";
import type { HttpLenience } from "../../http/limits.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { countingBytes, refusalOf, sameForEverySplit } from "../_support/wire.ts";

interface Bounds {
  readonly maxBytes?: number;
  readonly maxCount?: number;
}

function createParser(
  { maxBytes = 1000, maxCount = 100 }: Bounds = {},
  lenience: HttpLenience = {},
) {
  const limits = {
    maxBytes,
    maxCount,
    bytesOption: "maxTrailerBytes",
    countOption: "maxTrailerCount",
  };
  return new FieldParser(limits, lenience);
}

/** The fields and the length of a section; `undefined` where it is not complete. */
function parse(chunks: readonly Uint8Array[], parser = createParser()) {
  const start = 5;
  const bytes = new Uint8Array(start + chunks.reduce((sum, chunk) => sum + chunk.length, 0)).fill(
    0x41,
  );
  let end = start;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
    if (!parser.parse(bytes, start, end)) continue;
    return { fields: [...HeaderList.fromFields(bytes, start, parser)], length: parser.length };
  }
  return undefined;
}

const VALID = [
  { name: "an empty section", wire: "\r\n", fields: [] },
  { name: "one field", wire: "A: b\r\n\r\n", fields: [["A", "b"]] },
  { name: "an empty value", wire: "A:\r\nB: \r\n\r\n", fields: [["A", ""], ["B", ""]] },
  { name: "blanks at both ends", wire: "A: \tb c\t \r\n\r\n", fields: [["A", "b c"]] },
  {
    name: "a value of one blank byte class after another",
    wire: "A:\t\xa0\r\n\r\n",
    fields: [["A", "\xa0"]],
  },
  {
    name: "duplicates",
    wire: "A: 1\r\na: 2\r\nA: 1\r\n\r\n",
    fields: [["A", "1"], ["a", "2"], ["A", "1"]],
  },
];

for (const { name, wire, fields } of VALID) {
  Deno.test(`FieldParser.parse() reads ${name} however it is split`, () => {
    assertEquals(sameForEverySplit(wire, (chunks) => parse(chunks)), {
      fields: fields as [string, string][],
      length: wire.length,
    });
    assertEquals(parse([bytesOf(`${wire}\0 : junk`)])?.length, wire.length);
    for (let length = 0; length < wire.length; length++) {
      assertEquals(parse([bytesOf(wire.slice(0, length))]), undefined);
    }
  });
}

for (
  const [name, wire, code] of [
    ["a name without colon", "A\r\n\r\n", "ERR_HTTP_BAD_FIELD_NAME"],
    ["an empty name", ": a\r\n\r\n", "ERR_HTTP_BAD_FIELD_NAME"],
    ["an empty name in the second line", "A: a\r\n: a\r\n\r\n", "ERR_HTTP_BAD_FIELD_NAME"],
    ["a blank in front of the colon", "A : a\r\n\r\n", "ERR_HTTP_BAD_FIELD_NAME"],
    ["a NUL in a value", "A: a\0\r\n\r\n", "ERR_HTTP_BAD_FIELD_VALUE"],
    ["a NUL in front of a value", "A:\0\r\n\r\n", "ERR_HTTP_BAD_FIELD_VALUE"],
    ["a blank in front of the first line", " A: a\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
    ["a folded line", "A: a\r\n\tb\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
    ["a bare CR in a value", "A: a\rb\r\n\r\n", "ERR_HTTP_BARE_CR"],
    ["a bare CR at the end", "A: a\r\n\rB", "ERR_HTTP_BARE_CR"],
    ["a bare LF behind a value", "A: a\n\r\n", "ERR_HTTP_BARE_LF"],
    ["a bare LF behind an empty value", "A:\n\r\n", "ERR_HTTP_BARE_LF"],
    ["a bare LF at the end", "A: a\r\n\n", "ERR_HTTP_BARE_LF"],
    ["a bare LF in a name", "A\n: a\r\n\r\n", "ERR_HTTP_BARE_LF"],
  ] as const
) {
  Deno.test(`FieldParser.parse() refuses ${name} however it is split`, () => {
    const refusal = sameForEverySplit(wire, (chunks) => refusalOf(() => parse(chunks)));
    assertEquals(refusal, { code, statusHint: 400, limit: undefined });
  });
}

Deno.test("FieldParser.parse() refuses a fold in front of the first field even if folds are allowed", () => {
  const lenient = () => createParser({}, { allowObsFold: true });
  const run = (chunks: Uint8Array[]) => refusalOf(() => parse(chunks, lenient()));
  assertEquals(sameForEverySplit(" A: b\r\n\r\n", run).code, "ERR_HTTP_OBS_FOLD");
});

for (
  const [name, wire, fields] of [
    ["text after text", "A: a\r\n b\r\n\tc\r\n\r\n", [["A", "a   b   c"]]],
    ["no text between text", "A: a \r\n \r\n\t\r\n b\r\n\r\n", [["A", "a          b"]]],
    ["no text at the end", "A: a \r\n \r\n\t \r\nB: c\r\n\r\n", [["A", "a"], ["B", "c"]]],
    ["text after nothing", "A:\r\n \r\n b\r\n\r\n", [["A", "b"]]],
    ["nothing at all", "A:\r\n \r\n\t\r\nB: c\r\n\r\n", [["A", ""], ["B", "c"]]],
  ] as const
) {
  Deno.test(`FieldParser.parse() folds ${name} where that is allowed`, () => {
    const run = (chunks: Uint8Array[]) => parse(chunks, createParser({}, { allowObsFold: true }));
    const parsed = sameForEverySplit(wire, run);
    assertEquals(parsed, { fields: fields as unknown as [string, string][], length: wire.length });
  });
}

const THREE = "A: 1\r\nB: 2\r\nC: 3\r\n\r\n";

for (
  const [name, bounds, limit] of [
    ["bytes just under", { maxBytes: 19 }, undefined],
    ["bytes at", { maxBytes: 18 }, undefined],
    ["bytes over", { maxBytes: 17 }, "maxTrailerBytes"],
    ["bytes far over", { maxBytes: 1 }, "maxTrailerBytes"],
    ["bytes without", { maxBytes: Infinity }, undefined],
    ["lines just under", { maxCount: 4 }, undefined],
    ["lines at", { maxCount: 3 }, undefined],
    ["lines over", { maxCount: 2 }, "maxTrailerCount"],
    ["lines without", { maxCount: Infinity }, undefined],
  ] as const
) {
  Deno.test(`FieldParser.parse() holds a section to its limit: ${name} a limit`, () => {
    const outcome = sameForEverySplit(THREE, (chunks) => {
      const parser = createParser(bounds);
      return limit === undefined
        ? parse(chunks, parser)?.length
        : refusalOf(() => parse(chunks, parser));
    });
    const refusal = { code: "ERR_NET_LIMIT_EXCEEDED", statusHint: 431, limit };
    assertEquals(outcome, limit === undefined ? THREE.length : refusal as typeof outcome);
  });
}

Deno.test("FieldParser.parse() grows its table beyond 32 fields", () => {
  for (const count of [32, 33, 65, 99]) {
    const parser = createParser({ maxBytes: 10_000 });
    const wire = Array.from({ length: count }, (_, index) => `N${index}: ${index}\r\n`).join("") +
      "\r\n";
    const parsed = parse([bytesOf(wire)], parser);
    assertEquals(parsed?.fields.at(-1), [`N${count - 1}`, `${count - 1}`]);
    assertEquals(parser.count, count);
    assertGreater(parser.offsets.length, count * OFFSETS_PER_FIELD - 1);
  }
});

Deno.test("FieldParser.reset() makes a parser ready for another section", () => {
  const parser = createParser();
  for (const wire of [THREE, "\r\n", "A: b\r\n\r\n", THREE]) {
    assertEquals(parse([bytesOf(wire)], parser), parse([bytesOf(wire)]));
    parser.reset();
  }
  refusalOf(() => parse([bytesOf("A: b\r\nC\r\n")], parser));
  parser.reset();
  assertEquals(parse([bytesOf(THREE)], parser)?.fields.length, 3);
});

Deno.test("FieldParser.reset() forgets where a line was folded", () => {
  const parser = createParser({}, { allowObsFold: true });
  assertEquals(parse([bytesOf("A: a\r\n b\r\n\r\n")], parser)?.fields, [["A", "a   b"]]);
  parser.reset();
  assertEquals(parse([bytesOf("A: bcd  \r\n\r\n")], parser)?.fields, [["A", "bcd"]]);
});

/** How often a parser touches the bytes of an input that comes byte by byte. */
function countTouches(wire: string, lenience: HttpLenience): number {
  const { bytes, touches } = countingBytes(wire);
  const parser = createParser({ maxBytes: Infinity, maxCount: Infinity }, lenience);
  for (let end = 1; end < wire.length; end++) assertFalse(parser.parse(bytes, 0, end));
  assert(parser.parse(bytes, 0, wire.length));
  return touches();
}

for (
  const [name, unit, lenience] of [
    ["one long value", "aaaaaaaa", {}],
    ["one value of blanks", "    \t   ", {}],
    ["many fields", "b: c\r\nd: e", {}],
    ["many folds", "b\r\n c", { allowObsFold: true }],
    ["many folds without text", "\r\n \r\n  ", { allowObsFold: true }],
  ] as const
) {
  Deno.test(`FieldParser.parse() touches each byte a bounded number of times in ${name}`, () => {
    const joint = name === "many fields" ? "\r\n" : "";
    for (const first of ["a:", "a: x"]) {
      const counts = [100, 200, 400].map((repeats) => {
        const wire = `${first}${Array(repeats).fill(unit).join(joint)}\r\n\r\n`;
        return countTouches(wire, lenience) / wire.length;
      });
      // Twice the input, the same work for each byte: a rescan would double it.
      assert(counts[2]! < counts[0]! * 1.5, `${counts.join(", ")} touches per byte`);
    }
  });
}
