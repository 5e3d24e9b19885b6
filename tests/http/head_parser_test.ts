import { assert, assertEquals, assertFalse } from "@std/assert";
import { HeadParser, type MessageKind } from "../../http/head_parser.ts";
import { resolveLimits } from "../../http/limits.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import {
  countingBytes,
  feedHead,
  type ParsedHead,
  parseHead,
  refusalOf,
  sameForEverySplit,
} from "../_support/wire.ts";

const HOST = "Host: a\r\n";

interface Valid {
  readonly name: string;
  readonly kind?: MessageKind;
  readonly wire: string;
  readonly head: Partial<ParsedHead>;
}

interface Invalid {
  readonly name: string;
  readonly kind?: MessageKind;
  readonly wire: string;
  readonly code: string;
  readonly statusHint?: number;
}

/** A request with one field line more than Host. */
function withField(line: string): string {
  return `GET / HTTP/1.1\r\n${HOST}${line}\r\n\r\n`;
}

function withLine(line: string): string {
  return `${line}\r\n${HOST}\r\n`;
}

const VALID: Valid[] = [
  {
    name: "a minimal request",
    wire: withLine("GET / HTTP/1.1"),
    head: { method: "GET", target: "/", status: 0, minorVersion: 1, fields: [["Host", "a"]] },
  },
  {
    name: "HTTP/1.0 without fields",
    wire: "GET /x HTTP/1.0\r\n\r\n",
    head: { target: "/x", minorVersion: 0, fields: [] },
  },
  {
    name: "one empty line in front",
    wire: `\r\n${withLine("GET / HTTP/1.1")}`,
    head: { method: "GET", target: "/", fields: [["Host", "a"]] },
  },
  {
    name: "an unknown method with every kind of token character",
    wire: withLine("a!#$%&'*+-.^_`|~9 / HTTP/1.1"),
    head: { method: "a!#$%&'*+-.^_`|~9" },
  },
  {
    name: "a method of 64 bytes",
    wire: withLine(`${"M".repeat(64)} / HTTP/1.1`),
    head: { method: "M".repeat(64) },
  },
  {
    name: "a method in lower case, which is another method",
    wire: withLine("get / HTTP/1.1"),
    head: { method: "get" },
  },
  {
    name: "a query with characters that a path may not hold",
    wire: withLine('GET /a?b="<>\\?c HTTP/1.1'),
    head: { target: '/a?b="<>\\?c' },
  },
  {
    name: "a path with characters outside of RFC 3986",
    wire: withLine("GET /^`{|}%zz HTTP/1.1"),
    head: { target: "/^`{|}%zz" },
  },
  {
    name: "blanks around values, and inside",
    wire: withField("X:\t  a \t b\t "),
    head: { fields: [["Host", "a"], ["X", "a \t b"]] },
  },
  {
    name: "no blank in front of a value",
    wire: withField("X:a"),
    head: { fields: [["Host", "a"], ["X", "a"]] },
  },
  {
    name: "empty values",
    wire: withField("X:\r\nY: \t \r\nZ:"),
    head: { fields: [["Host", "a"], ["X", ""], ["Y", ""], ["Z", ""]] },
  },
  {
    name: "colons and obs-text in a value",
    wire: withField("X: a:b::\x80\xff"),
    head: { fields: [["Host", "a"], ["X", "a:b::\x80\xff"]] },
  },
  {
    name: "duplicates in their order and spelling",
    wire: withField("x-a: 1\r\nX-A: 2"),
    head: { fields: [["Host", "a"], ["x-a", "1"], ["X-A", "2"]] },
  },
  {
    name: "a field name with every kind of token character",
    wire: withField("!#$%&'*+-.^_`|~9z: v"),
    head: { fields: [["Host", "a"], ["!#$%&'*+-.^_`|~9z", "v"]] },
  },
  {
    name: "a minimal response",
    kind: "response",
    wire: "HTTP/1.1 200 OK\r\n\r\n",
    head: { status: 200, reason: "OK", minorVersion: 1, fields: [] },
  },
  {
    name: "a response with HTTP/1.0",
    kind: "response",
    wire: "HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n",
    head: { status: 404, reason: "Not Found", minorVersion: 0, fields: [["A", "b"]] },
  },
  {
    name: "an empty reason phrase",
    kind: "response",
    wire: "HTTP/1.1 204 \r\n\r\n",
    head: { status: 204, reason: "" },
  },
  {
    name: "no space in front of an empty reason phrase",
    kind: "response",
    wire: "HTTP/1.1 204\r\n\r\n",
    head: { status: 204, reason: "" },
  },
  {
    name: "tab, spaces and obs-text in a reason phrase",
    kind: "response",
    wire: "HTTP/1.1 999  a\t\xe4 \r\n\r\n",
    head: { status: 999, reason: " a\t\xe4 " },
  },
  {
    name: "the lowest status",
    kind: "response",
    wire: "HTTP/1.1 100 Continue\r\n\r\n",
    head: { status: 100 },
  },
];

for (const { name, kind = "request", wire, head } of VALID) {
  Deno.test(`HeadParser.parse() reads ${name} however it is split`, () => {
    const parsed = sameForEverySplit(wire, (chunks) => parseHead(kind, chunks))!;
    for (const key of Object.keys(head) as (keyof ParsedHead)[]) {
      assertEquals(parsed[key], head[key], key);
    }
    assertEquals(parsed.length, wire.length);
  });

  Deno.test(`HeadParser.parse() asks for more after every strict prefix of ${name}`, () => {
    for (let length = 0; length < wire.length; length++) {
      const prefix = bytesOf(wire.slice(0, length));
      assertEquals(parseHead(kind, [prefix]), undefined, `${length} bytes`);
    }
  });

  Deno.test(`HeadParser.parse() leaves alone what follows ${name}`, () => {
    for (const rest of ["G", "\r\n", "\0\xff", wire]) {
      assertEquals(parseHead(kind, [bytesOf(wire + rest)])?.length, wire.length);
    }
  });
}

const INVALID_START_LINES: Invalid[] = [
  { name: "HTTP/0.9", wire: "GET /\r\n", code: "ERR_HTTP_BAD_REQUEST_LINE" },
  { name: "HTTP/0.9 with a space", wire: "GET / \r\n\r\n", code: "ERR_HTTP_BAD_VERSION" },
  { name: "HTTP/0.9 with a bare LF", wire: "GET /\n", code: "ERR_HTTP_BARE_LF" },
  { name: "only a method", wire: "GET\r\n\r\n", code: "ERR_HTTP_BAD_REQUEST_LINE" },
  { name: "no method", wire: withLine(" / HTTP/1.1"), code: "ERR_HTTP_BAD_REQUEST_LINE" },
  { name: "no target", wire: withLine("GET  HTTP/1.1"), code: "ERR_HTTP_BAD_REQUEST_LINE" },
  {
    name: "two spaces behind the method",
    wire: withLine("GET  / HTTP/1.1"),
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  {
    name: "a tab behind the method",
    wire: withLine("GET\t/ HTTP/1.1"),
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  {
    name: "two spaces behind the target",
    wire: withLine("GET /  HTTP/1.1"),
    code: "ERR_HTTP_BAD_VERSION",
  },
  {
    name: "a space in the target",
    wire: withLine("GET /a b HTTP/1.1"),
    code: "ERR_HTTP_BAD_VERSION",
  },
  {
    name: "a space behind the version",
    wire: withLine("GET / HTTP/1.1 "),
    code: "ERR_HTTP_BAD_VERSION",
  },
  { name: "a fourth word", wire: withLine("GET / HTTP/1.1 x"), code: "ERR_HTTP_BAD_VERSION" },
  {
    name: "a method that is not a token",
    wire: withLine("G(T / HTTP/1.1"),
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  {
    name: "a NUL in the method",
    wire: withLine("G\0T / HTTP/1.1"),
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  {
    name: "obs-text in the method",
    wire: withLine("G\xc9T / HTTP/1.1"),
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  {
    name: "a method of 65 bytes",
    wire: withLine(`${"M".repeat(65)} / HTTP/1.1`),
    code: "ERR_HTTP_BAD_METHOD",
  },
  {
    name: "two empty lines in front",
    wire: `\r\n\r\n${withLine("GET / HTTP/1.1")}`,
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  {
    name: "an empty line of a bare LF in front",
    wire: `\n${withLine("GET / HTTP/1.1")}`,
    code: "ERR_HTTP_BARE_LF",
  },
  {
    name: "a bare CR in front",
    wire: `\r${withLine("GET / HTTP/1.1")}`,
    code: "ERR_HTTP_BARE_CR",
  },
  {
    name: "a space in front",
    wire: withLine(" GET / HTTP/1.1"),
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  {
    name: "a fragment in the target",
    wire: withLine("GET /a#b HTTP/1.1"),
    code: "ERR_HTTP_BAD_TARGET",
  },
  {
    name: "a fragment behind a query",
    wire: withLine("GET /a?b#c HTTP/1.1"),
    code: "ERR_HTTP_BAD_TARGET",
  },
  {
    name: "a backslash in the path",
    wire: withLine("GET /\\ HTTP/1.1"),
    code: "ERR_HTTP_BAD_TARGET",
  },
  { name: "a quote in the path", wire: withLine('GET /" HTTP/1.1'), code: "ERR_HTTP_BAD_TARGET" },
  {
    name: "angle brackets in the path",
    wire: withLine("GET /<a> HTTP/1.1"),
    code: "ERR_HTTP_BAD_TARGET",
  },
  { name: "a NUL in the target", wire: withLine("GET /\0 HTTP/1.1"), code: "ERR_HTTP_BAD_TARGET" },
  { name: "a tab in the target", wire: withLine("GET /\ta HTTP/1.1"), code: "ERR_HTTP_BAD_TARGET" },
  {
    name: "an escape in the query",
    wire: withLine("GET /?\x1b HTTP/1.1"),
    code: "ERR_HTTP_BAD_TARGET",
  },
  { name: "DEL in the target", wire: withLine("GET /\x7f HTTP/1.1"), code: "ERR_HTTP_BAD_TARGET" },
  {
    name: "obs-text in the path",
    wire: withLine("GET /\xe4 HTTP/1.1"),
    code: "ERR_HTTP_BAD_TARGET",
  },
  {
    name: "obs-text in the query",
    wire: withLine("GET /?\xe4 HTTP/1.1"),
    code: "ERR_HTTP_BAD_TARGET",
  },
  {
    name: "a CR in the target",
    wire: withLine("GET /\ra HTTP/1.1"),
    code: "ERR_HTTP_BAD_REQUEST_LINE",
  },
  { name: "an LF in the target", wire: withLine("GET /\na HTTP/1.1"), code: "ERR_HTTP_BARE_LF" },
  {
    name: "a version in lower case",
    wire: withLine("GET / http/1.1"),
    code: "ERR_HTTP_BAD_VERSION",
  },
  { name: "another protocol", wire: withLine("GET / HTTQ/1.1"), code: "ERR_HTTP_BAD_VERSION" },
  { name: "a version without dot", wire: withLine("GET / HTTP/11"), code: "ERR_HTTP_BAD_VERSION" },
  {
    name: "a comma in the version",
    wire: withLine("GET / HTTP/1,1"),
    code: "ERR_HTTP_BAD_VERSION",
  },
  { name: "a short version", wire: withLine("GET / HTTP/1"), code: "ERR_HTTP_BAD_VERSION" },
  {
    name: "a version with two digits",
    wire: withLine("GET / HTTP/1.10"),
    code: "ERR_HTTP_BAD_VERSION",
  },
  {
    name: "a version with a leading zero",
    wire: withLine("GET / HTTP/01.1"),
    code: "ERR_HTTP_BAD_VERSION",
  },
  { name: "letters for a version", wire: withLine("GET / HTTP/a.b"), code: "ERR_HTTP_BAD_VERSION" },
  { name: "signs in a version", wire: withLine("GET / HTTP/1.-"), code: "ERR_HTTP_BAD_VERSION" },
  {
    name: "HTTP/2.0",
    wire: withLine("GET / HTTP/2.0"),
    code: "ERR_HTTP_UNSUPPORTED_VERSION",
    statusHint: 505,
  },
  {
    name: "HTTP/1.2",
    wire: withLine("GET / HTTP/1.2"),
    code: "ERR_HTTP_UNSUPPORTED_VERSION",
    statusHint: 505,
  },
  {
    name: "HTTP/0.9 with its version",
    wire: withLine("GET / HTTP/0.9"),
    code: "ERR_HTTP_UNSUPPORTED_VERSION",
    statusHint: 505,
  },
  {
    name: "HTTP/9.9",
    wire: withLine("GET / HTTP/9.9"),
    code: "ERR_HTTP_UNSUPPORTED_VERSION",
    statusHint: 505,
  },
  {
    name: "the preface of HTTP/2",
    wire: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    code: "ERR_HTTP_HTTP2_PREFACE",
    statusHint: 505,
  },
  {
    name: "a TLS ClientHello",
    wire: "\x16\x03\x01\x02\x00\x01\x00\x01",
    code: "ERR_HTTP_TLS_CLIENT_HELLO",
  },
  {
    name: "a bare LF behind the version",
    wire: "GET / HTTP/1.1\nHost: a\r\n\r\n",
    code: "ERR_HTTP_BARE_LF",
  },
  {
    name: "a bare CR behind the version",
    wire: "GET / HTTP/1.1\rHost: a\r\n\r\n",
    code: "ERR_HTTP_BARE_CR",
  },
  {
    name: "two CR behind the version",
    wire: "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    code: "ERR_HTTP_BARE_CR",
  },
];

const INVALID_STATUS_LINES: Invalid[] = ([
  ["an empty line in front", "\r\nHTTP/1.1 200 OK\r\n\r\n", "ERR_HTTP_BAD_VERSION"],
  ["another protocol", "ICY 200 OK\r\n\r\n", "ERR_HTTP_BAD_VERSION"],
  ["lower case", "http/1.1 200 OK\r\n\r\n", "ERR_HTTP_BAD_VERSION"],
  ["a request", "GET / HTTP/1.1\r\n\r\n", "ERR_HTTP_BAD_VERSION"],
  ["no status", "HTTP/1.1\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a tab in front of the status", "HTTP/1.1\t200 OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["two spaces in front of the status", "HTTP/1.1  200 OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a status with a sign", "HTTP/1.1 +20 OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a status with letters", "HTTP/1.1 2xx OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["text right behind the status", "HTTP/1.1 200OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["DEL in the reason", "HTTP/1.1 200 \x7f\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"],
  ["a bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "ERR_HTTP_BARE_CR"],
  ["a bare LF behind the reason", "HTTP/1.1 200 OK\n\r\n", "ERR_HTTP_BARE_LF"],
  ["a bare LF behind the status", "HTTP/1.1 200\n\r\n", "ERR_HTTP_BARE_LF"],
  ["a folded first field line", "HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
] as const).map(([name, wire, code]) => ({
  name: `a response with ${name}`,
  kind: "response",
  wire,
  code,
}));

const UNSUPPORTED_RESPONSES: Invalid[] = ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9"].map((version) => ({
  name: `a response with ${version}`,
  kind: "response",
  wire: `${version} 200 OK\r\n\r\n`,
  code: "ERR_HTTP_UNSUPPORTED_VERSION",
  statusHint: 505,
}));

const INVALID_FIELDS: Invalid[] = ([
  ["a bare LF behind a field line", "A: b\nC: d", "ERR_HTTP_BARE_LF"],
  ["a bare CR behind a field line", "A: b\rC: d", "ERR_HTTP_BARE_CR"],
  ["a bare CR at the end of a value", "A: b\r\r", "ERR_HTTP_BARE_CR"],
  ["a CR in a name", "A\r: b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["an LF in a name", "A\n: b", "ERR_HTTP_BARE_LF"],
  ["a space in front of the colon", "A : b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["a tab in front of the colon", "A\t: b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["an empty name", ": b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["a line without colon", "A b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["only a name", "A", "ERR_HTTP_BAD_FIELD_NAME"],
  ["parentheses in a name", "A(B): c", "ERR_HTTP_BAD_FIELD_NAME"],
  ["a quoted name", '"A": b', "ERR_HTTP_BAD_FIELD_NAME"],
  ["a slash in a name", "A/B: c", "ERR_HTTP_BAD_FIELD_NAME"],
  ["a NUL in a name", "A\0: b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["obs-text in a name", "\xc4: b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["a vertical tab in a name", "A\x0b: b", "ERR_HTTP_BAD_FIELD_NAME"],
  ["obs-fold with a space", "A: b\r\n c", "ERR_HTTP_OBS_FOLD"],
  ["obs-fold with a tab", "A: b\r\n\tc", "ERR_HTTP_OBS_FOLD"],
  ["obs-fold without text", "A: b\r\n ", "ERR_HTTP_OBS_FOLD"],
  ["obs-fold in Host", "X: a\r\nHost:\r\n b", "ERR_HTTP_OBS_FOLD"],
] as const).map(([name, line, code]) => ({ name, wire: withField(line), code }));

/** Every control character but those with a meaning of their own. */
const CONTROLS = Array.from({ length: 0x20 }, (_, byte) => byte).concat(0x7f)
  .filter((byte) => ![0x09, 0x0a, 0x0d].includes(byte));

const INVALID_VALUES: Invalid[] = CONTROLS.map((byte) => ({
  name: `control character ${byte} in a value`,
  wire: withField(`A: b${String.fromCharCode(byte)}c`),
  code: "ERR_HTTP_BAD_FIELD_VALUE",
}));

const INVALID_ENDS: Invalid[] = [
  {
    name: "white space in front of the first field line",
    wire: "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    code: "ERR_HTTP_OBS_FOLD",
  },
  {
    name: "a bare LF that ends the head",
    wire: `GET / HTTP/1.1\r\n${HOST}\n`,
    code: "ERR_HTTP_BARE_LF",
  },
  {
    name: "a bare CR that ends the head",
    wire: `GET / HTTP/1.1\r\n${HOST}\rX`,
    code: "ERR_HTTP_BARE_CR",
  },
];

for (
  const { name, kind = "request", wire, code, statusHint = 400 } of [
    ...INVALID_START_LINES,
    ...INVALID_STATUS_LINES,
    ...UNSUPPORTED_RESPONSES,
    ...INVALID_FIELDS,
    ...INVALID_VALUES,
    ...INVALID_ENDS,
  ]
) {
  Deno.test(`HeadParser.parse() refuses ${name} however it is split`, () => {
    const refusal = sameForEverySplit(
      wire,
      (chunks) => refusalOf(() => parseHead(kind, chunks)),
    );
    assertEquals(refusal, { code, statusHint, limit: undefined });
  });
}

Deno.test("HeadParser.reset() makes a parser ready for a head of any other shape", () => {
  const parser = new HeadParser("request", resolveLimits(), {});
  const wires = VALID.filter(({ kind }) => kind !== "response").map(({ wire }) => wire);
  const fresh = (wire: string) => parseHead("request", [bytesOf(wire)]);
  for (const wire of [...wires, ...wires.toReversed()]) {
    assertEquals(feedHead(parser, "request", [bytesOf(wire)]), fresh(wire));
    parser.reset();
  }
});

Deno.test("HeadParser.reset() makes a parser ready after a refused head", () => {
  const parser = new HeadParser("request", resolveLimits(), {});
  const wire = withLine("GET /next HTTP/1.1");
  for (const row of [...INVALID_START_LINES, ...INVALID_FIELDS]) {
    refusalOf(() => feedHead(parser, "request", [bytesOf(row.wire)]));
    parser.reset();
    assertEquals(feedHead(parser, "request", [bytesOf(wire)])?.target, "/next", row.name);
    parser.reset();
  }
});

Deno.test("HeadParser.reset() forgets the framing of the head before", () => {
  const parser = new HeadParser("request", resolveLimits(), {});
  feedHead(parser, "request", [bytesOf(withField("Content-Length: 7\r\nConnection: close"))]);
  assertEquals([parser.control.contentLength, parser.control.hasClose], [7, true]);
  parser.reset();
  feedHead(parser, "request", [bytesOf(withLine("GET / HTTP/1.1"))]);
  assertEquals([parser.control.contentLength, parser.control.hasClose], [-1, false]);
});

Deno.test("HeadParser.headers() gives more fields than the first table has room for", () => {
  for (const count of [31, 32, 33, 64, 65, 127]) {
    const lines = Array.from({ length: count }, (_, index) => `N${index}: v${index}\r\n`);
    const wire = `GET / HTTP/1.1\r\n${HOST}${lines.join("")}\r\n`;
    const fields = parseHead("request", [bytesOf(wire)])!.fields;
    assertEquals(fields.length, count + 1);
    assertEquals(fields.slice(1), lines.map((_, index) => [`N${index}`, `v${index}`]));
  }
});

Deno.test("HeadParser.headers() survives the buffer being overwritten", () => {
  const parser = new HeadParser("request", resolveLimits(), {});
  const bytes = bytesOf(withField("Cookie: a=b"));
  assert(parser.parse(bytes, 0, bytes.length));
  const headers = parser.headers(bytes, 0);
  bytes.fill(0x21);
  assertEquals([...headers], [["Host", "a"], ["Cookie", "a=b"]]);
});

Deno.test("HeadParser.isStarted tells a head from the silence between two", () => {
  const parser = new HeadParser("request", resolveLimits(), {});
  assertFalse(parser.isStarted);
  parser.parse(bytesOf("G"), 0, 1);
  assert(parser.isStarted);
  parser.reset();
  assertFalse(parser.isStarted);
});

Deno.test("HeadParser.isStarted is false while there is but an empty line", () => {
  const parser = new HeadParser("request", resolveLimits(), {});
  const bytes = bytesOf("\r\nGET");
  parser.parse(bytes, 0, 2);
  assertFalse(parser.isStarted);
  parser.parse(bytes, 0, 3);
  assert(parser.isStarted);
});

for (
  const [name, kind, create] of [
    [
      "a long method line",
      "request",
      (n) => withLine(`GET /${"a".repeat(n)}?${"b".repeat(n)} HTTP/1.1`),
    ],
    ["a long reason", "response", (n) => `HTTP/1.1 200 ${"r".repeat(n)}\r\n\r\n`],
    ["many fields", "request", (n) => withField("A: b\r\n".repeat(n) + "Z: z")],
    ["a long Connection", "request", (n) => withField(`Connection: ${"a, ".repeat(n)}`)],
    [
      "a long list of codings",
      "request",
      (n) => withField(`Transfer-Encoding: ${"a,".repeat(n)}b`),
    ],
  ] as [string, MessageKind, (n: number) => string][]
) {
  Deno.test(`HeadParser.parse() touches each byte of ${name} a bounded number of times`, () => {
    const limits = resolveLimits({ maxRequestLineBytes: 0, maxHeaderBytes: 0, maxHeaderCount: 0 });
    const perByte = [100, 200, 400].map((n) => {
      const wire = create(n);
      const { bytes, touches } = countingBytes(wire);
      const parser = new HeadParser(kind, limits, {});
      for (let end = 1; end < wire.length; end++) assertFalse(parser.parse(bytes, 0, end));
      assert(parser.parse(bytes, 0, wire.length));
      return touches() / wire.length;
    });
    // Twice the input, the same work for each byte: a rescan would double it.
    assert(perByte[2]! < perByte[0]! * 1.5, `${perByte.join(", ")} touches per byte`);
  });
}
