import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import type { MultipartLimits } from "../../http/multipart_limits.ts";
import { MultipartParser } from "../../http/multipart_parser.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { filePart, multipart, parseAll, part, type Seen } from "../_support/multipart_script.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

/** The outcome of a body, which must not depend on how it is cut. */
function seeEverySplit(
  body: string,
  boundary = "x",
  limits: MultipartLimits = {},
): Seen {
  const whole = parseAll(boundary, [bytesOf(body)], limits);
  for (const chunks of everySplit(bytesOf(body))) {
    assertEquals(parseAll(boundary, chunks, limits), whole);
  }
  return whole;
}

function contents(seen: Seen): string[] {
  return seen.parts.map(({ content }) => content);
}

interface ValidRow {
  readonly name: string;
  readonly body: string;
  readonly boundary?: string;
  readonly contents: readonly string[];
}

const HEAD = 'Content-Disposition: form-data; name="a"\r\n';

const VALID: readonly ValidRow[] = [
  { name: "one field", body: multipart("x", [part("a", "hello")]), contents: ["hello"] },
  { name: "no part", body: "--x--", contents: [] },
  { name: "no part and a line end", body: "--x--\r\n", contents: [] },
  {
    name: "several parts",
    body: multipart("x", [part("a", "1"), part("b", ""), filePart("c", "f", "3")]),
    contents: ["1", "", "3"],
  },
  {
    name: "a body without the last line end",
    body: `--x\r\n${part("a", "1")}\r\n--x--`,
    contents: ["1"],
  },
  {
    name: "a preamble and an epilogue",
    body: `This is\r\n--xa message\r\n${multipart("x", [part("a", "1")])}bye\r\n--x\r\n`,
    contents: ["1"],
  },
  {
    name: "empty lines in front",
    body: "\r\n\r\n" + multipart("x", [part("a", "1")]),
    contents: ["1"],
  },
  {
    name: "content of line ends",
    body: multipart("x", [part("a", "\r\n\r\n"), part("b", "\r"), part("c", "\n\r\n\r")]),
    contents: ["\r\n\r\n", "\r", "\n\r\n\r"],
  },
  {
    name: "content like a boundary",
    body: multipart("xyz", [
      part("a", "\r\n--xy\r\n-xyz\r\n--xyzz\r\n--xyz-\r\n--xyz\r\r\n--xyz-q\r\n-\r\n--"),
    ]),
    boundary: "xyz",
    contents: ["\r\n--xy\r\n-xyz\r\n--xyzz\r\n--xyz-\r\n--xyz\r\r\n--xyz-q\r\n-\r\n--"],
  },
  {
    name: "content that starts like a boundary",
    body: multipart("xyz", [part("a", "--xy"), part("b", "-"), part("c", "--xyza")]),
    boundary: "xyz",
    contents: ["--xy", "-", "--xyza"],
  },
  {
    name: "boundary without CR in front of its line",
    body: multipart("x", [part("a", "1\n--x\r\n2\r--x--")]),
    contents: ["1\n--x\r\n2\r--x--"],
  },
  {
    // RFC 2046 section 5.1.1: the content of a part may be missing altogether.
    name: "a part of a head alone",
    body: `--x\r\n${HEAD}\r\n--x\r\n${part("b", "2")}\r\n--x--`,
    contents: ["", "2"],
  },
  {
    name: "blanks behind a boundary",
    body: `--x \t\r\n${part("a", "1")}\r\n--x  \r\n${part("b", "2")}\r\n--x-- \r\n`,
    contents: ["1", "2"],
  },
  {
    name: "a folded field",
    body: `--x\r\nContent-Disposition: form-data;\r\n\tname="a"\r\n\r\n1\r\n--x--`,
    contents: ["1"],
  },
  {
    name: "a boundary of one repeated character",
    body: multipart("-".repeat(70), [part("a", "z" + "-".repeat(200) + "\r\n" + "-".repeat(71))]),
    boundary: "-".repeat(70),
    contents: ["z" + "-".repeat(200) + "\r\n" + "-".repeat(71)],
  },
  {
    name: "a boundary of every special character",
    body: multipart("'()+_,-./:=? z", [part("a", "1")]),
    boundary: "'()+_,-./:=? z",
    contents: ["1"],
  },
];

for (const row of VALID) {
  Deno.test(`MultipartParser reads ${row.name} however it is split`, () => {
    const seen = seeEverySplit(row.body, row.boundary);
    assertEquals([seen.outcome, contents(seen)], ["end", row.contents]);
    assert(seen.parts.every(({ isWhole }) => isWhole));
  });
}

Deno.test("MultipartParser tells name, file, type and fields of a part", () => {
  const body = multipart("x", [
    part("\xc3\xbc", "1", "X-A: b", "x-a: c"),
    filePart("f", "C:\\photos\\cat.jpg", "2"),
    filePart("empty", "", ""),
  ]);
  const { parts } = seeEverySplit(body);
  const summary = parts.map(({ name, filename, type }) => [name, filename, type]);
  assertEquals(summary, [
    ["\u00fc", undefined, "text/plain"],
    ["f", "cat.jpg", "application/octet-stream"],
    ["empty", "", "application/octet-stream"],
  ]);
  assertEquals(parts[0]!.headers.slice(1), [["X-A", "b"], ["x-a", "c"]]);
});

interface InvalidRow {
  readonly name: string;
  readonly body: string;
  readonly outcome: string;
  readonly statusHint?: number;
  readonly limits?: MultipartLimits;
  readonly contents?: readonly string[];
}

const BAD = "ERR_HTTP_BAD_MULTIPART";
const TRUNCATED = "ERR_HTTP_TRUNCATED_MULTIPART";

const INVALID: readonly InvalidRow[] = [
  { name: "nothing", body: "", outcome: TRUNCATED },
  { name: "another boundary", body: multipart("y", [part("a", "1")]), outcome: TRUNCATED },
  { name: "bare line feeds", body: `--x\n${HEAD}\n1\n--x--\n`, outcome: TRUNCATED },
  { name: "a head in bare line feeds", body: "--x\r\nA: b\n\n", outcome: "ERR_HTTP_BARE_LF" },
  { name: "a bare CR in a head", body: "--x\r\nA: b\rc: d\r\n\r\n", outcome: "ERR_HTTP_BARE_CR" },
  {
    name: "no field name",
    body: "--x\r\n: b\r\n\r\n1\r\n--x--",
    outcome: "ERR_HTTP_BAD_FIELD_NAME",
  },
  {
    name: "a boundary instead of a head",
    body: `--x\r\n--x\r\n${part("a", "1")}\r\n--x--`,
    outcome: "ERR_HTTP_BAD_FIELD_NAME",
  },
  {
    name: "a NUL in a head",
    body: "--x\r\nA: \0\r\n\r\n1\r\n--x--",
    outcome: "ERR_HTTP_BAD_FIELD_VALUE",
  },
  {
    name: "a fold in front of all fields",
    body: `--x\r\n ${HEAD}\r\n1\r\n--x--`,
    outcome: "ERR_HTTP_OBS_FOLD",
  },
  { name: "no disposition", body: "--x\r\nA: b\r\n\r\n1\r\n--x--", outcome: BAD },
  { name: "no head", body: "--x\r\n\r\n1\r\n--x--", outcome: BAD },
  { name: "two dispositions", body: `--x\r\n${HEAD}${HEAD}\r\n1\r\n--x--`, outcome: BAD },
  {
    name: "another disposition",
    body: '--x\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--x--',
    outcome: BAD,
  },
  {
    name: "no name",
    body: '--x\r\nContent-Disposition: form-data; filename="a"\r\n\r\n1\r\n--x--',
    outcome: BAD,
  },
  {
    name: "two names",
    body: "--x\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--x--",
    outcome: BAD,
  },
  { name: "text behind the blanks of a boundary", body: "--x  y\r\n", outcome: BAD },
  { name: "a bare CR behind the blanks of a boundary", body: "--x \r\r\n", outcome: BAD },
  { name: "too many blanks", body: `--x${" ".repeat(66)}\r\n`, outcome: BAD },
  {
    name: "an end in a content",
    body: `--x\r\n${part("a", "12\r\n--")}`,
    outcome: TRUNCATED,
    contents: ["12"],
  },
  { name: "an end in a head", body: `--x\r\n${HEAD}`, outcome: TRUNCATED },
  { name: "an end behind a boundary", body: "--x", outcome: TRUNCATED },
  { name: "an end behind half of a dash", body: "--x-", outcome: TRUNCATED },
  {
    name: "one part too many",
    body: multipart("x", [part("a", "1"), part("a", "2"), part("a", "3")]),
    outcome: "maxParts",
    statusHint: 413,
    limits: { maxParts: 2 },
    contents: ["1", "2"],
  },
  {
    name: "one field too many",
    body: multipart("x", [part("a", "1", "b: c")]),
    outcome: "maxPartHeaderCount",
    statusHint: 413,
    limits: { maxPartHeaderCount: 1 },
  },
  {
    name: "one byte of a head too many",
    body: multipart("x", [part("a", "1")]),
    outcome: "maxPartHeaderBytes",
    statusHint: 413,
    limits: { maxPartHeaderBytes: HEAD.length - 1 },
  },
  {
    name: "one byte of a content too many",
    body: multipart("x", [part("a", "1234"), part("b", "12345")]),
    outcome: "maxPartBytes",
    statusHint: 413,
    limits: { maxPartBytes: 4 },
    contents: ["1234", "1234"],
  },
  {
    name: "one byte of a preamble too many",
    body: "1234\r\n--x--",
    outcome: "maxPreambleBytes",
    statusHint: 413,
    limits: { maxPreambleBytes: 3 },
  },
  {
    name: "one byte of an epilogue too many",
    body: "--x--1234",
    outcome: "maxPreambleBytes",
    statusHint: 413,
    limits: { maxPreambleBytes: 3 },
  },
];

for (const row of INVALID) {
  Deno.test(`MultipartParser throws on ${row.name} however it is split`, () => {
    const seen = seeEverySplit(row.body, "x", row.limits);
    assertEquals([seen.outcome, seen.statusHint], [row.outcome, row.statusHint ?? 400]);
    if (row.contents !== undefined) assertEquals(contents(seen), row.contents);
  });
}

Deno.test("MultipartParser takes what is just within its limits", () => {
  const body = "1234\r\n" + multipart("x", [part("a", "1"), part("b", "1234", "c: d")]) + "12";
  const limits = {
    maxParts: 2,
    maxPartHeaderCount: 2,
    maxPartHeaderBytes: HEAD.length + "c: d\r\n".length,
    maxPartBytes: 4,
    maxPreambleBytes: 4,
  };
  assertEquals(seeEverySplit(body, "x", limits).outcome, "end");
  for (const off of [0, Infinity]) {
    const none = Object.fromEntries(Object.keys(limits).map((name) => [name, off]));
    const many = multipart("x", new Array(1_100).fill(part("a", "1")));
    const seen = parseAll("x", [bytesOf("p".repeat(10_000) + "\r\n" + many)], none);
    assertEquals([seen.outcome, seen.parts.length], ["end", 1_100]);
  }
});

Deno.test("MultipartParser refuses the 1,001st part, the 101st field and 8 KiB of head", () => {
  const many = (count: number) => multipart("x", new Array(count).fill(part("a", "")));
  assertEquals(parseAll("x", [bytesOf(many(1_000))]).outcome, "end");
  assertEquals(parseAll("x", [bytesOf(many(1_001))]).outcome, "maxParts");
  const fields = (count: number) =>
    multipart("x", [part("a", "1", ...new Array(count).fill("b: c"))]);
  assertEquals(parseAll("x", [bytesOf(fields(99))]).outcome, "end");
  assertEquals(parseAll("x", [bytesOf(fields(100))]).outcome, "maxPartHeaderCount");
  const long = (count: number) => multipart("x", [part("a", "1", `b: ${"c".repeat(count)}`)]);
  const rest = HEAD.length + "b: \r\n".length;
  assertEquals(parseAll("x", [bytesOf(long(8_192 - rest))]).outcome, "end");
  assertEquals(parseAll("x", [bytesOf(long(8_193 - rest))]).outcome, "maxPartHeaderBytes");
});

Deno.test("MultipartParser needs more after every strict prefix, and never throws on one", () => {
  const body = multipart("x", [part("a", "1"), filePart("b", "c", "\r\n--x2")]);
  for (let length = 0; length < body.length - 2; length++) {
    const seen = parseAll("x", [bytesOf(body.slice(0, length))], {}, false);
    assertEquals(seen.outcome, "more", `${length}`);
  }
});

for (const text of ["", " ", "a ", "a".repeat(71), "a\r", "\u00e4", 'a"b', "a;b", "a*b", "a\0"]) {
  Deno.test(`new MultipartParser() throws on the boundary ${JSON.stringify(text)}`, () => {
    assertThrows(() => new MultipartParser(text), TypeError);
  });
}

for (const value of [-1, NaN, 0.5]) {
  Deno.test(`new MultipartParser() throws on a limit of ${value}`, () => {
    for (
      const name of [
        "maxParts",
        "maxPartHeaderBytes",
        "maxPartHeaderCount",
        "maxPartBytes",
        "maxPreambleBytes",
      ]
    ) {
      assertThrows(() => new MultipartParser("x", { [name]: value }), RangeError);
    }
  });
}

Deno.test("MultipartParser.nextEvent() throws the same error again", () => {
  const parser = new MultipartParser("x");
  parser.receive(bytesOf("--x\r\n: \r\n"));
  const first = assertThrows(() => parser.nextEvent(), HttpProtocolError);
  parser.receive(bytesOf("--x--"));
  assertStrictEquals(assertThrows(() => parser.nextEvent()), first);
});

Deno.test("MultipartParser.receive() throws while there are events, and after the end", () => {
  const parser = new MultipartParser("x");
  parser.receive(bytesOf(multipart("x", [part("a", "1")])));
  assertThrows(() => parser.receive(bytesOf("a")), HttpStateError);
  parser.receive(new Uint8Array(0));
  while (parser.nextEvent() !== undefined);
  assert(parser.isClosed);
  parser.receive(bytesOf("epilogue"));
  assertEquals(parser.nextEvent(), undefined);
  parser.receiveEnd();
  assertThrows(() => parser.receive(bytesOf("a")), HttpStateError);
  assertEquals(parser.nextEvent(), undefined);
});

Deno.test("MultipartParser gives views of its input, but of nothing else", () => {
  const parser = new MultipartParser("x");
  const chunk = bytesOf(`--x\r\n${part("a", "hello\r\n--")}`);
  parser.receive(chunk);
  parser.nextEvent();
  const data = parser.nextEvent();
  assert(data?.type === "data" && data.bytes.buffer === chunk.buffer);
  assertEquals(parser.nextEvent(), undefined);
  // Bytes that were held back are no window into the parser.
  parser.receive(bytesOf("y"));
  const held = parser.nextEvent();
  assert(held?.type === "data");
  assertEquals(held.bytes, bytesOf("\r\n--"));
  held.bytes.fill(0);
  assertEquals(parser.nextEvent()?.type, "data");
  parser.receive(bytesOf("\r\n--x--"));
  assertEquals(parser.nextEvent(), { type: "part-end" });
  assertEquals(parser.nextEvent(), { type: "end" });
});

/** How often the parser looks at a byte of its input. */
function looksAt(content: Uint8Array, boundary: string): number {
  let count = 0;
  const counted = new Proxy(content, {
    get(target, key): unknown {
      if (typeof key === "string" && /^\d/.test(key)) count++;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const parser = new MultipartParser(boundary);
  for (const chunk of [bytesOf(`--${boundary}\r\n${part("a", "z")}`), counted]) {
    parser.receive(chunk);
    while (parser.nextEvent() !== undefined);
  }
  return count;
}

/** What makes a careless search look at bytes again and again. */
const HARD: Readonly<Record<string, { readonly boundary: string; readonly pattern: string }>> = {
  "nearly the boundary": { boundary: "a".repeat(70), pattern: "\r\n--" + "a".repeat(69) },
  "the boundary and a letter": { boundary: "a".repeat(70), pattern: `\r\n--${"a".repeat(70)}b` },
  "one letter of the boundary": { boundary: "a".repeat(70), pattern: "a" },
  "carriage returns": { boundary: "a".repeat(70), pattern: "\r" },
  "line ends": { boundary: "a", pattern: "\r\n" },
  "dashes": { boundary: "-".repeat(70), pattern: "-" },
};

for (const [name, { boundary, pattern }] of Object.entries(HARD)) {
  Deno.test(`MultipartParser looks at each byte of content of ${name} a few times`, () => {
    for (const length of [1 << 12, 1 << 13, 1 << 14, 1 << 15]) {
      const text = pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length);
      const count = looksAt(bytesOf(text), boundary);
      assert(count <= length * 4 + 200, `${count} looks at ${length} bytes`);
    }
  });
}

Deno.test("MultipartParser skips most of content unlike its boundary", () => {
  const count = looksAt(new Uint8Array(1 << 15).fill(0x7a), "a".repeat(60));
  assert(count < (1 << 15) / 50, `${count}`);
});
