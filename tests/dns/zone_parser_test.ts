import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { printRecord } from "../../dns/print_record.ts";
import { parseZone, ZoneParser, type ZoneParserOptions } from "../../dns/zone_parser.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

/** Records as lines, their fields with one blank between each two. */
function linesOf(text: string, options: ZoneParserOptions = {}): string[] {
  return parseZone(bytesOf(text), options).map((record) =>
    printRecord(record).replaceAll("\t", " ")
  );
}

function linesOfChunks(chunks: Iterable<Uint8Array>, options: ZoneParserOptions): string[] {
  const parser = new ZoneParser(options);
  const lines: string[] = [];
  const drain = (): void => {
    for (let record = parser.next(); record !== undefined; record = parser.next()) {
      lines.push(printRecord(record).replaceAll("\t", " "));
    }
  };
  for (const chunk of chunks) {
    parser.write(chunk);
    drain();
  }
  parser.end();
  drain();
  return lines;
}

const FILES: Readonly<Record<string, string>> = {
  "sub": "a A 192.0.2.1\n$ORIGIN deeper\n@ A 192.0.2.2\n$TTL 9\nb A 192.0.2.3",
  "blank": " A 192.0.2.4\n",
  "empty": "",
  "loop": "$INCLUDE loop\n",
  "broken": "a A 192.0.2.1\nb A x\n",
};

const include = (file: string): string => FILES[file]!;

const VALID: readonly {
  name: string;
  text: string;
  options?: ZoneParserOptions;
  lines: readonly string[];
}[] = [
  { name: "nothing", text: "", lines: [] },
  {
    name: "TTL and class in either order, or left out",
    text: "a 1 IN A 192.0.2.1\nb IN 2 A 192.0.2.1\nc CH TXT x\nd 3 TXT y\n 4 TXT z",
    lines: [
      "a.example. 1 IN A 192.0.2.1",
      "b.example. 2 IN A 192.0.2.1",
      'c.example. 2 CH TXT "x"',
      'd.example. 3 CH TXT "y"',
      'd.example. 4 CH TXT "z"',
    ],
  },
  {
    name: "types and classes in any case, and by number",
    text: "a 1 in a 192.0.2.1\na 1 class1 type1 192.0.2.2\nx 1 CLASS32 TYPE65280 \\# 1 fF",
    lines: [
      "a.example. 1 IN A 192.0.2.1",
      "a.example. 1 IN A 192.0.2.2",
      "x.example. 1 CLASS32 TYPE65280 \\# 1 FF",
    ],
  },
  {
    name: "owners that look like something else",
    text: "IN 1 IN A 192.0.2.1\n300 2 A 192.0.2.2\nA A 192.0.2.3\n",
    lines: [
      "IN.example. 1 IN A 192.0.2.1",
      "300.example. 2 IN A 192.0.2.2",
      "A.example. 2 IN A 192.0.2.3",
    ],
  },
  {
    name: "$ORIGIN, absolute and relative, and @",
    text: "$TTL 1\n@ NS @\n$ORIGIN sub\n@ NS ns\n$origin b.\nc NS c\n$ORIGIN .\nc NS @",
    lines: [
      "example. 1 IN NS example.",
      "sub.example. 1 IN NS ns.sub.example.",
      "c.b. 1 IN NS c.b.",
      "c. 1 IN NS .",
    ],
  },
  {
    name: "the same owner under another origin",
    text: "$TTL 1\na NS .\n$ORIGIN b.\na NS .\n",
    lines: ["a.example. 1 IN NS .", "a.b. 1 IN NS ."],
  },
  {
    name: "$TTL with units, over the last TTL",
    text: "a 5 NS .\n NS .\n$TTL 1h30m\n NS .\n 7 NS .\n NS .",
    lines: [5, 5, 5_400, 7, 5_400].map((ttl) => `a.example. ${ttl} IN NS .`),
  },
  {
    name: "the TTL of a SOA record that has none",
    text: "@ SOA . . 1 2 3 4 5\n@ NS .",
    lines: ["example. 5 IN SOA . . 1 2 3 4 5", "example. 5 IN NS ."],
  },
  {
    name: "a SOA record over lines",
    text: "@ 1 SOA ns host (\n\t1 ; serial\n\t1h 2m\n\t1w )\t5; last\n",
    lines: ["example. 1 IN SOA ns.example. host.example. 1 3600 120 604800 5"],
  },
  {
    name: "split hexadecimal and base64",
    text: "$TTL 1\n@ DS 1 8 200 ( 0001 02\n 0F 10 )\n@ DNSKEY 256 3 8 Zm (\n9 v )",
    lines: ["example. 1 IN DS 1 8 200 0001020F10", "example. 1 IN DNSKEY 256 3 8 Zm9v"],
  },
  {
    name: "bytes in names and strings",
    text: '$TTL 1\n\xc3\xa9\\.\\  TXT \xc3\xa9 "\\195\\169\\""',
    lines: ['\\195\\169\\.\\032.example. 1 IN TXT "\\195\\169" "\\195\\169\\""'],
  },
  {
    name: "$INCLUDE with an origin and without",
    text: '$TTL 1\nx NS .\n$INCLUDE sub\n NS .\ny NS .\n$INCLUDE "sub" other\nz NS .',
    options: { include },
    lines: [
      "x.example. 1 IN NS .",
      "a.example. 1 IN A 192.0.2.1",
      "deeper.example. 1 IN A 192.0.2.2",
      "b.deeper.example. 9 IN A 192.0.2.3",
      "x.example. 1 IN NS .",
      "y.example. 1 IN NS .",
      "a.other.example. 1 IN A 192.0.2.1",
      "deeper.other.example. 1 IN A 192.0.2.2",
      "b.deeper.other.example. 9 IN A 192.0.2.3",
      "z.example. 1 IN NS .",
    ],
  },
  {
    name: "an included file that goes on with the owner, and an empty one",
    text: "$TTL 1\nx NS .\n$INCLUDE blank\n$INCLUDE empty\n NS .",
    options: { include },
    lines: ["x.example. 1 IN NS .", "x.example. 1 IN A 192.0.2.4", "x.example. 1 IN NS ."],
  },
  {
    name: "$GENERATE between records",
    text: "$TTL 1\n$GENERATE 1-2 h$ A 192.0.2.$\nx NS .",
    lines: ["h1.example. 1 IN A 192.0.2.1", "h2.example. 1 IN A 192.0.2.2", "x.example. 1 IN NS ."],
  },
  {
    name: "records of updates without RDATA",
    text: "a 0 ANY A\na 0 NONE ANY",
    lines: ["a.example. 0 ANY A", "a.example. 0 NONE ANY"],
  },
];

for (const { name, text, options, lines } of VALID) {
  Deno.test(`ZoneParser.next() reads ${name}, however they are split`, () => {
    const all = { origin: "example", ...options };
    assertEquals(linesOf(text, all), lines);
    const splits = text.length > 100
      ? [Array.from(bytesOf(text), (byte) => Uint8Array.of(byte))]
      : everySplit(bytesOf(text));
    for (const chunks of splits) assertEquals(linesOfChunks(chunks, all), lines);
  });
}

const INVALID: readonly {
  name: string;
  text: string;
  code: string;
  at: [line: number, column: number];
  options?: ZoneParserOptions;
}[] = [
  { name: "an owner alone", text: "a", code: "ERR_DNS_BAD_TEXT", at: [1, 2] },
  { name: "no type", text: "a 1 IN", code: "ERR_DNS_BAD_TEXT", at: [1, 7] },
  { name: "no data", text: "\na 1 IN A", code: "ERR_DNS_BAD_RDATA", at: [2, 9] },
  {
    name: "a token behind the data",
    text: "a 1 A 192.0.2.1 x",
    code: "ERR_DNS_BAD_RDATA",
    at: [1, 17],
  },
  { name: "an unknown type", text: "a 1 IN FOO x", code: "ERR_DNS_BAD_TYPE", at: [1, 8] },
  { name: "a type in quotes", text: 'a 1 IN "A" 192.0.2.1', code: "ERR_DNS_BAD_TYPE", at: [1, 8] },
  { name: "two classes", text: "a 1 IN CH A 192.0.2.1", code: "ERR_DNS_BAD_TYPE", at: [1, 8] },
  { name: "two TTLs", text: "a 1 2 A 192.0.2.1", code: "ERR_DNS_BAD_TYPE", at: [1, 5] },
  { name: "a bad TTL", text: "a 1x A 192.0.2.1", code: "ERR_DNS_BAD_TTL", at: [1, 3] },
  { name: "no TTL anywhere", text: "a A 192.0.2.1", code: "ERR_DNS_BAD_TTL", at: [1, 3] },
  { name: "no owner before", text: " 1 A 192.0.2.1", code: "ERR_DNS_BAD_NAME", at: [1, 2] },
  { name: "a bad owner", text: "a..b 1 A 192.0.2.1", code: "ERR_DNS_BAD_NAME", at: [1, 1] },
  { name: "an owner in quotes", text: '"a" 1 A 192.0.2.1', code: "ERR_DNS_BAD_NAME", at: [1, 1] },
  { name: "an unknown directive", text: "$FOO 1", code: "ERR_DNS_BAD_DIRECTIVE", at: [1, 1] },
  {
    name: "$ORIGIN without a name",
    text: "$ORIGIN ; x",
    code: "ERR_DNS_BAD_DIRECTIVE",
    at: [1, 8],
  },
  { name: "$ORIGIN with more", text: "$ORIGIN a b", code: "ERR_DNS_BAD_DIRECTIVE", at: [1, 11] },
  { name: "$ORIGIN with an empty label", text: "$ORIGIN .a", code: "ERR_DNS_BAD_NAME", at: [1, 9] },
  { name: "$TTL without units it knows", text: "$TTL 1y", code: "ERR_DNS_BAD_TTL", at: [1, 6] },
  { name: "$TTL with more", text: "$TTL 1 2", code: "ERR_DNS_BAD_DIRECTIVE", at: [1, 8] },
  {
    name: "$INCLUDE without a callback",
    text: "$INCLUDE a",
    code: "ERR_DNS_BAD_DIRECTIVE",
    at: [1, 1],
  },
  {
    name: "$INCLUDE without a file",
    text: "$INCLUDE",
    code: "ERR_DNS_BAD_DIRECTIVE",
    at: [1, 9],
    options: { include },
  },
  { name: "data too long", text: "a 1 TYPE1 \\# 2 00", code: "ERR_DNS_BAD_RDATA", at: [1, 16] },
  {
    name: "data that are none of the type",
    text: "a 1 A \\# 1 00",
    code: "ERR_DNS_BAD_RDATA",
    at: [1, 12],
  },
  { name: "a line that is not ended", text: 'a 1 TXT "', code: "ERR_DNS_UNBALANCED", at: [1, 10] },
];

for (const { name, text, code, at, options } of INVALID) {
  Deno.test(`ZoneParser.next() throws on ${name}, and again`, () => {
    for (const chunks of everySplit(bytesOf(text))) {
      const parser = new ZoneParser({ origin: "example.", file: "a.zone", ...options });
      const run = () => {
        for (const chunk of chunks) {
          parser.write(chunk);
          while (parser.next() !== undefined);
        }
        parser.end();
        while (parser.next() !== undefined);
      };
      const error = assertThrows(run, DnsTextError);
      assertEquals([error.code, error.file, error.line, error.column], [code, "a.zone", ...at]);
      assertStrictEquals(assertThrows(() => parser.next()), error);
    }
  });
}

Deno.test("ZoneParser names the included file of an error", () => {
  const run = () => linesOf("$TTL 1\n$INCLUDE broken", { origin: ".", include });
  const error = assertThrows(run, DnsTextError);
  assertEquals([error.file, error.line, error.column], ["broken", 2, 5]);
});

Deno.test("ZoneParser tells include() where it stands, and reads what comes in pieces", () => {
  const places: unknown[] = [];
  const lines = linesOf("$TTL 1\n\n$INCLUDE a\\032b o.", {
    file: "main",
    include(file, place) {
      places.push([file, place]);
      return ["x N", bytesOf("S .\ny"), "", " NS ."];
    },
  });
  assertEquals(places, [["a b", { file: "main", line: 3 }]]);
  assertEquals(lines, ["x.o. 1 IN NS .", "y.o. 1 IN NS ."]);
});

Deno.test("ZoneParser gives what include() throws as it is", () => {
  const reason = new Deno.errors.NotFound("no");
  const include = (): string => {
    throw reason;
  };
  assertStrictEquals(assertThrows(() => linesOf("$INCLUDE a", { include })), reason);
});

Deno.test("ZoneParser bounds how deep and how many files are included", () => {
  const deep = assertThrows(() => linesOf("$INCLUDE loop", { include }), LimitExceededError);
  assertEquals([deep.limit, deep.max], ["maxIncludeDepth", 10]);
  const options = { include, maxIncludeCount: 3 };
  assertEquals(linesOf("$INCLUDE empty\n".repeat(3), options), []);
  const many = assertThrows(
    () => linesOf("$INCLUDE empty\n".repeat(4), options),
    LimitExceededError,
  );
  assertEquals([many.limit, many.max], ["maxIncludeCount", 3]);
  const none = assertThrows(
    () => linesOf("$INCLUDE empty", { include, maxIncludeDepth: 0 }),
    LimitExceededError,
  );
  assertEquals(none.limit, "maxIncludeDepth");
});

Deno.test("ZoneParser bounds what one $GENERATE makes", () => {
  const options = { origin: ".", ttl: 1, maxGenerateCount: 3 };
  assertEquals(linesOf("$GENERATE 0-2 a$ NS .", options).length, 3);
  const error = assertThrows(
    () => linesOf("$GENERATE 0-3 a$ NS .", options),
    LimitExceededError,
  );
  assertEquals([error.limit, error.max], ["maxGenerateCount", 3]);
});

Deno.test("ZoneParser bounds entries", () => {
  const error = assertThrows(
    () => linesOf(`a TXT ${"x ".repeat(100)}`, { maxEntryBytes: 100 }),
    LimitExceededError,
  );
  assertEquals(error.limit, "maxEntryBytes");
});

Deno.test("ZoneParser throws on options out of range", () => {
  const ROWS: readonly ZoneParserOptions[] = [
    { ttl: -1 },
    { ttl: 2 ** 32 },
    { class: "FOO" },
    { maxIncludeDepth: 1_001 },
    { maxIncludeCount: -1 },
    { maxGenerateCount: 1.5 },
    { maxEntryBytes: 1 },
  ];
  for (const options of ROWS) assertThrows(() => new ZoneParser(options), RangeError);
  assertThrows(() => new ZoneParser({ origin: "a..b" }), DnsTextError);
});

Deno.test("ZoneParser.write() throws behind the end", () => {
  const parser = new ZoneParser();
  parser.end();
  parser.end();
  assertThrows(() => parser.write("a"), TypeError);
  assertEquals(parser.next(), undefined);
});

Deno.test("ZoneParser shows origin and TTL as they change", () => {
  const parser = new ZoneParser({ origin: "a" });
  assertEquals([parser.origin, parser.ttl], ["a.", undefined]);
  parser.write("$ORIGIN b.\n$TTL 1m\n");
  assertEquals([parser.next(), parser.origin, parser.ttl], [undefined, "b.", 60]);
});

Deno.test("ZoneParser gives records of a large zone from pieces without piling them up", () => {
  const parser = new ZoneParser({ origin: "example.", ttl: 1 });
  const line = "host A 192.0.2.1 ; comment\n";
  let count = 0;
  for (let round = 0; round < 200; round++) {
    parser.write(line.repeat(100));
    while (parser.next() !== undefined) count++;
  }
  assertEquals(count, 20_000);
});

Deno.test("parseZone() takes text as UTF-8", () => {
  const [record] = parseZone('a 1 TXT "é"', { origin: "." });
  assertInstanceOf(record, Object);
  assertEquals(printRecord(record), 'a.\t1\tIN\tTXT\t"\\195\\169"');
});

Deno.test("ZoneParser does not count a byte-order mark in columns", () => {
  for (const mark of ["", "\ufeff"]) {
    const error = assertThrows(() => parseZone(`${mark}a. 1 FOO x`), DnsTextError);
    assertEquals([error.line, error.column], [1, 6]);
  }
});

Deno.test("ZoneParser takes addresses of class CH for bytes, as messages have them", () => {
  const data = { bytes: new Uint8Array([0, 1, 2]) };
  const record = { name: "a.", type: "TYPE1", class: "CH", ttl: 1, data } as const;
  for (const text of ["a. 1 CH A \\# 3 000102", "a. CH 1 TYPE1 \\# 3 000102"]) {
    assertEquals(parseZone(text), [record]);
  }
  assertEquals(parseZone("a. A \\# 3 000102", { class: "CH", ttl: 1 }), [record]);
  assertThrows(() => parseZone("a. 1 CH A 192.0.2.1"), DnsTextError);
});

Deno.test("ZoneParser.write() behind an error changes nothing of it", () => {
  const parser = new ZoneParser({ origin: "example." });
  parser.write("a 1 A x\n");
  const error = assertThrows(() => parser.next(), DnsTextError);
  parser.write("b 1 A 192.0.2.1\n");
  parser.end();
  assertStrictEquals(assertThrows(() => parser.next()), error);
});
