import { assert, assertEquals, assertFalse } from "@std/assert";
import { ChunkedDecoder } from "../../http/chunked_decoder.ts";
import type { HttpLenience, HttpLimits } from "../../http/limits.ts";
import { resolveLimits } from "../../http/limits.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { countingBytes, decodeChunked, refusalOf, sameForEverySplit } from "../_support/wire.ts";

const VALID: { name: string; wire: string; data?: string; trailers?: [string, string][] }[] = [
  { name: "an empty body", wire: "0\r\n\r\n" },
  { name: "one chunk", wire: "5\r\nhello\r\n0\r\n\r\n", data: "hello" },
  { name: "several chunks", wire: "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", data: "abcdef" },
  {
    name: "digits in both cases",
    wire: "a\r\n0123456789\r\nB\r\nabcdefghijk\r\n0\r\n\r\n",
    data: "0123456789abcdefghijk",
  },
  { name: "leading zeros", wire: "0003\r\nabc\r\n00\r\n\r\n", data: "abc" },
  {
    name: "data that looks like framing",
    wire: "9\r\n0\r\n\r\n1\r\na\r\n0\r\n\r\n",
    data: "0\r\n\r\n1\r\na",
  },
  { name: "an extension without value", wire: "1;a\r\nx\r\n0;b\r\n\r\n", data: "x" },
  { name: "an extension with a value", wire: "1;a=b\r\nx\r\n0\r\n\r\n", data: "x" },
  { name: "several extensions", wire: '1;a;b=c;d="e";f\r\nx\r\n0\r\n\r\n', data: "x" },
  { name: "an empty quoted value", wire: '1;a=""\r\nx\r\n0\r\n\r\n', data: "x" },
  { name: "separators in a quoted value", wire: '1;a=";=, \t\x80"\r\nx\r\n0\r\n\r\n', data: "x" },
  { name: "escapes in a quoted value", wire: '1;a="\\"\\\\\\a\\ "\r\nx\r\n0\r\n\r\n', data: "x" },
  { name: "blanks behind the semicolon", wire: "1; \ta\r\nx\r\n0\r\n\r\n", data: "x" },
  { name: "blanks around the equals sign", wire: '1;a \t= "b"\r\nx\r\n0\r\n\r\n', data: "x" },
  { name: "blanks between name and semicolon", wire: "1;a ;b\r\nx\r\n0\r\n\r\n", data: "x" },
  {
    name: "blanks between value and semicolon",
    wire: '1;a=b ;c="d"\t;e\r\nx\r\n0\r\n\r\n',
    data: "x",
  },
  {
    name: "trailers",
    wire: "0\r\nA: b\r\nX-Sum:\t1 \r\n\r\n",
    trailers: [["A", "b"], ["X-Sum", "1"]],
  },
  {
    name: "repeated trailers",
    wire: "1\r\nx\r\n0\r\nA: 1\r\na: 2\r\n\r\n",
    data: "x",
    trailers: [["A", "1"], ["a", "2"]],
  },
];

for (const { name, wire, data = "", trailers } of VALID) {
  Deno.test(`ChunkedDecoder.step() decodes ${name} however it is split`, () => {
    const body = sameForEverySplit(wire, (chunks) => decodeChunked(chunks));
    assertEquals(body, { data, trailers, isDone: true, length: wire.length });
  });

  Deno.test(`ChunkedDecoder.step() asks for more after every strict prefix of ${name}`, () => {
    for (let length = 0; length < wire.length; length++) {
      const body = decodeChunked([bytesOf(wire.slice(0, length))]);
      assertFalse(body.isDone);
      assert(data.startsWith(body.data));
    }
  });

  Deno.test(`ChunkedDecoder.step() leaves alone what follows ${name}`, () => {
    for (const rest of ["G", "\0", "\r\n", wire]) {
      const body = sameForEverySplit(wire + rest, (chunks) => decodeChunked(chunks));
      assertEquals([body.length, body.data], [wire.length, data]);
    }
  });
}

const BAD_SIZES: [name: string, size: string][] = [
  ["no digit", ""],
  ["a plus sign", "+1"],
  ["a minus sign", "-1"],
  ["0x", "0x1"],
  ["0X", "0X1"],
  ["an underscore", "1_0"],
  ["a leading underscore", "_1"],
  ["a leading space", " 1"],
  ["a trailing space", "1 "],
  ["a leading tab", "\t1"],
  ["a trailing tab", "1\t"],
  ["a space inside", "1 1"],
  ["a space in front of a semicolon", "1 ;a"],
  ["a letter behind f", "g"],
  ["a dot", "1.0"],
  ["an exponent sign", "1e+1"],
  ["a comma", "1,1"],
  ["the suffix h", "1h"],
  ["a quoted number", '"1"'],
  ["a NUL", "1\0"],
  ["a vertical tab", "1\x0b"],
  ["a full-width digit", "\xef\xbc\x91"],
  ["2^53", "20000000000000"],
  ["2^64", "10000000000000000"],
  ["2^64 + 1 behind zeros", "0010000000000000001"],
  ["32 digits", "f".repeat(32)],
];

for (const [name, size] of BAD_SIZES) {
  Deno.test(`ChunkedDecoder.step() refuses a size with ${name} however it is split`, () => {
    for (const before of ["", "1\r\na\r\n"]) {
      const refusal = sameForEverySplit(
        `${before}${size}\r\na\r\n0\r\n\r\n`,
        (chunks) => refusalOf(() => decodeChunked(chunks)),
      );
      assertEquals(refusal, { code: "ERR_HTTP_BAD_CHUNK_SIZE", statusHint: 400, limit: undefined });
    }
  });
}

const BAD_EXTENSIONS: [name: string, extension: string][] = [
  ["an empty name", ";"],
  ["only blanks", "; "],
  ["two semicolons", ";;a"],
  ["an empty name with a value", ";=a"],
  ["a semicolon at the end", ";a;"],
  ["no value behind the equals sign", ";a="],
  ["blanks for a value", ";a= "],
  ["two equals signs", ";a==b"],
  ["a blank in a value", ";a=b c"],
  ["a blank in a name", ";a b"],
  ["a blank behind a name at the end", ";a "],
  ["a blank behind a value at the end", ";a=b "],
  ["a blank behind a quoted value at the end", ';a="b"\t'],
  ["an open quote", ';a="b'],
  ["text behind a quoted value", ';a="b"c'],
  ["a quote inside a token", ';a=b"c"'],
  ["a quoted name", ';"a"'],
  ["an escaped NUL", ';a="\\\0"'],
  ["a NUL in a name", ";a\0"],
  ["a NUL in a value", ";a=\0"],
  ["a NUL in a quoted value", ';a="\0"'],
  ["a bare CR in a quoted value", ';a="\rb"'],
  ["a bare LF in a quoted value", ';a="\nb"'],
  ["an escaped LF", ';a="\\\nb"'],
  ["a comma", ";a,b"],
  ["obs-text in a name", ";\xe4"],
];

for (const [name, extension] of BAD_EXTENSIONS) {
  Deno.test(`ChunkedDecoder.step() refuses an extension with ${name} however it is split`, () => {
    const refusal = sameForEverySplit(
      `1${extension}\r\na\r\n0\r\n\r\n`,
      (chunks) => refusalOf(() => decodeChunked(chunks)),
    );
    assertEquals(refusal, {
      code: "ERR_HTTP_BAD_CHUNK_EXTENSION",
      statusHint: 400,
      limit: undefined,
    });
  });
}

for (
  const [name, wire, code] of [
    ["a bare LF behind a size", "1\na\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
    ["a bare LF behind an extension", "1;a\na\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
    ["a bare LF behind an extension value", "1;a=b\na\r\n0\r\n\r\n", "ERR_HTTP_BARE_LF"],
    ["a bare LF behind the last size", "0\n\r\n", "ERR_HTTP_BARE_LF"],
    ["a bare CR behind a size", "1\ra\r\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_SIZE"],
    ["a bare CR behind an extension", "1;a\ra\r\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_SIZE"],
    ["two CR behind a size", "1\r\r\na\r\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_SIZE"],
    ["data that is longer than its size", "1\r\nab\r\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_DATA"],
    ["no CRLF behind data", "1\r\na0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_DATA"],
    ["a bare LF behind data", "1\r\na\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_DATA"],
    ["a bare CR behind data", "1\r\na\r0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_DATA"],
    ["data that is shorter than its size", "3\r\na\r\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_DATA"],
    ["blanks behind data", "1\r\na \r\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_DATA"],
    ["a body without the final empty line", "0\r\nGET / HTTP/1.1\r\n", "ERR_HTTP_BAD_FIELD_NAME"],
    ["a bare LF for the final empty line", "0\r\n\n", "ERR_HTTP_BARE_LF"],
    ["a bare CR for the final empty line", "0\r\n\rX", "ERR_HTTP_BARE_CR"],
    ["a malformed trailer name", "0\r\nA : b\r\n\r\n", "ERR_HTTP_BAD_FIELD_NAME"],
    ["a NUL in a trailer", "0\r\nA: \0\r\n\r\n", "ERR_HTTP_BAD_FIELD_VALUE"],
    ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
    ["a bare LF behind a trailer", "0\r\nA: b\n\r\n", "ERR_HTTP_BARE_LF"],
  ] as const
) {
  Deno.test(`ChunkedDecoder.step() refuses ${name} however it is split`, () => {
    const refusal = sameForEverySplit(wire, (chunks) => refusalOf(() => decodeChunked(chunks)));
    assertEquals(refusal, { code, statusHint: 400, limit: undefined });
  });
}

for (
  const name of [
    "Content-Length",
    "transfer-encoding",
    "HOST",
    "Authorization",
    "Set-Cookie",
    "Trailer",
  ]
) {
  Deno.test(`ChunkedDecoder.step() refuses the trailer ${name} however it is split`, () => {
    const refusal = sameForEverySplit(
      `1\r\na\r\n0\r\nX: y\r\n${name}: 1\r\n\r\n`,
      (chunks) => refusalOf(() => decodeChunked(chunks)),
    );
    assertEquals(refusal, { code: "ERR_HTTP_BAD_TRAILER", statusHint: 400, limit: undefined });
  });
}

Deno.test("ChunkedDecoder.step() takes a size up to 2^53 - 1", () => {
  for (const size of ["1fffffffffffff", "1FFFFFFFFFFFFF", "001fffffffffffff", "2000000000000"]) {
    const body = decodeChunked([bytesOf(`${size}\r\nab`)]);
    assertEquals(body.data, "ab");
  }
});

Deno.test("ChunkedDecoder.step() gives slices of its input, one at a time", () => {
  const decoder = new ChunkedDecoder(resolveLimits(), {});
  const wire = bytesOf("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nrest");
  const slices: [number, string][] = [];
  let position = 0;
  while (!decoder.isDone) {
    position = decoder.step(wire, position, wire.length);
    const { dataStart, dataEnd } = decoder;
    slices.push([dataStart, textOf(wire.subarray(dataStart, dataEnd))]);
  }
  assertEquals(slices.filter(([, text]) => text !== ""), [[3, "abc"], [11, "de"]]);
  assertEquals(textOf(wire.subarray(position)), "rest");
});

Deno.test("ChunkedDecoder.step() gives a large chunk in as many slices as it comes in", () => {
  const decoder = new ChunkedDecoder(resolveLimits(), {});
  const head = bytesOf("f4240\r\n");
  assertEquals(decoder.step(head, 0, head.length), head.length);
  const piece = new Uint8Array(10_000).fill(7);
  for (let sent = 0; sent < 1_000_000; sent += piece.length) {
    assertEquals(decoder.step(piece, 0, piece.length), piece.length);
    assertEquals([decoder.dataStart, decoder.dataEnd], [0, piece.length]);
  }
  const end = bytesOf("\r\n0\r\n\r\n");
  let position = 0;
  while (!decoder.isDone) position = decoder.step(end, position, end.length);
  assertEquals(position, end.length);
});

Deno.test("ChunkedDecoder.step() does nothing after the end or without input", () => {
  const decoder = new ChunkedDecoder(resolveLimits(), {});
  const wire = bytesOf("0\r\n\r\nA");
  assertEquals(decoder.step(wire, 0, 0), 0);
  let position = 0;
  while (!decoder.isDone) position = decoder.step(wire, position, wire.length);
  assertEquals(decoder.step(wire, position, wire.length), position);
  assertEquals(decoder.dataStart, decoder.dataEnd);
  assertEquals(decoder.trailers, undefined);
});

Deno.test("ChunkedDecoder.step() keeps trailers in the input until they are complete", () => {
  const decoder = new ChunkedDecoder(resolveLimits(), {});
  const wire = bytesOf("0\r\nA: b\r\n\r\n");
  for (let end = 3; end < wire.length; end++) {
    assertEquals(decoder.step(wire, end === 3 ? 0 : 3, end), 3);
    assertEquals(decoder.trailers, undefined);
  }
  assertEquals(decoder.step(wire, 3, wire.length), wire.length);
  wire.fill(0);
  assertEquals(decoder.trailers?.get("a"), "b");
});

interface LimitCase {
  readonly name: string;
  readonly limits: HttpLimits;
  readonly longest: string;
  readonly tooLong: string;
  readonly limit: keyof HttpLimits;
  readonly statusHint?: number;
}

const END = "0\r\n\r\n";

/** A chunk of one byte with an extension of so many bytes, semicolon included. */
function chunkWith(extensionBytes: number): string {
  return `1;${"e".repeat(extensionBytes - 1)}\r\nx\r\n`;
}

const LIMITS: LimitCase[] = [
  {
    name: "maxChunkLineBytes by an extension",
    limits: { maxChunkLineBytes: 10 },
    longest: chunkWith(9) + chunkWith(9) + END,
    tooLong: chunkWith(9) + chunkWith(10) + END,
    limit: "maxChunkLineBytes",
  },
  {
    name: "maxChunkLineBytes by a quoted value",
    limits: { maxChunkLineBytes: 10 },
    longest: `1;ab="cd"\r\nx\r\n${END}`.replace("cd", "cde"),
    tooLong: `1;ab="cdef"\r\nx\r\n${END}`,
    limit: "maxChunkLineBytes",
  },
  {
    name: "maxChunkLineBytes by zeros",
    limits: { maxChunkLineBytes: 10 },
    longest: `0000000001\r\nx\r\n${END}`,
    tooLong: `00000000001\r\nx\r\n${END}`,
    limit: "maxChunkLineBytes",
  },
  {
    name: "maxChunkLineBytes in the last chunk",
    limits: { maxChunkLineBytes: 10 },
    longest: `0;${"e".repeat(8)}\r\n\r\n`,
    tooLong: `0;${"e".repeat(9)}\r\n\r\n`,
    limit: "maxChunkLineBytes",
  },
  {
    name: "the default of maxChunkLineBytes",
    limits: {},
    longest: chunkWith(4095) + END,
    tooLong: chunkWith(4096) + END,
    limit: "maxChunkLineBytes",
  },
  {
    name: "maxChunkOverheadBytes over many chunks",
    limits: { maxChunkOverheadBytes: 10 },
    longest: `${chunkWith(4)}1\r\ny\r\n${chunkWith(4)}${chunkWith(2)}${END}`,
    tooLong: `${chunkWith(4)}1\r\ny\r\n${chunkWith(4)}${chunkWith(3)}${END}`,
    limit: "maxChunkOverheadBytes",
  },
  {
    name: "maxChunkOverheadBytes by several extensions",
    limits: { maxChunkOverheadBytes: 10 },
    longest: `1;a;b=c;de\r\nx\r\n${END}`.replace("de", "def"),
    tooLong: `1;a;b=c;defg\r\nx\r\n${END}`,
    limit: "maxChunkOverheadBytes",
  },
  {
    name: "maxChunkOverheadBytes by zeros",
    limits: { maxChunkOverheadBytes: 10 },
    longest: `${"000001\r\nx\r\n".repeat(2)}${END}`,
    tooLong: `${"000001\r\nx\r\n".repeat(2)}00\r\n\r\n`,
    limit: "maxChunkOverheadBytes",
  },
  {
    name: "the default of maxChunkOverheadBytes",
    limits: {},
    longest: chunkWith(4000).repeat(4) + chunkWith(384) + END,
    tooLong: chunkWith(4000).repeat(4) + chunkWith(385) + END,
    limit: "maxChunkOverheadBytes",
  },
  {
    name: "maxTrailerBytes",
    limits: { maxTrailerBytes: 10 },
    longest: "0\r\nA: 34567\r\n\r\n",
    tooLong: "0\r\nA: 345678\r\n\r\n",
    limit: "maxTrailerBytes",
    statusHint: 431,
  },
  {
    name: "the default of maxTrailerBytes",
    limits: {},
    longest: `0\r\nA: ${"b".repeat(8192 - 5)}\r\n\r\n`,
    tooLong: `0\r\nA: ${"b".repeat(8192 - 4)}\r\n\r\n`,
    limit: "maxTrailerBytes",
    statusHint: 431,
  },
  {
    name: "maxTrailerCount",
    limits: { maxTrailerCount: 3 },
    longest: `0\r\n${"A: b\r\n".repeat(3)}\r\n`,
    tooLong: `0\r\n${"A: b\r\n".repeat(4)}\r\n`,
    limit: "maxTrailerCount",
    statusHint: 431,
  },
  {
    name: "the default of maxTrailerCount",
    limits: {},
    longest: `0\r\n${"A: b\r\n".repeat(64)}\r\n`,
    tooLong: `0\r\n${"A: b\r\n".repeat(65)}\r\n`,
    limit: "maxTrailerCount",
    statusHint: 431,
  },
];

for (const { name, limits, longest, tooLong, limit, statusHint = 400 } of LIMITS) {
  const cuts = (wire: string) => [
    [bytesOf(wire)],
    Array.from(bytesOf(wire), (byte) => Uint8Array.of(byte)),
    [bytesOf(wire.slice(0, 7)), bytesOf(wire.slice(7))],
  ];

  Deno.test(`ChunkedDecoder.step() takes what is just within ${name}`, () => {
    for (const chunks of cuts(longest)) assert(decodeChunked(chunks, { limits }).isDone);
  });

  Deno.test(`ChunkedDecoder.step() refuses what is just over ${name}`, () => {
    for (const chunks of cuts(tooLong)) {
      const refusal = refusalOf(() => decodeChunked(chunks, { limits }));
      assertEquals(refusal, { code: "ERR_NET_LIMIT_EXCEEDED", statusHint, limit });
    }
  });

  Deno.test(`ChunkedDecoder.step() takes what is over ${name} with the limit off`, () => {
    for (const off of [0, Infinity]) {
      assert(decodeChunked([bytesOf(tooLong)], { limits: { ...limits, [limit]: off } }).isDone);
    }
  });
}

Deno.test("ChunkedDecoder.step() counts nothing for a body sent byte by byte", () => {
  const limits = { maxChunkOverheadBytes: 1 };
  assertEquals(
    decodeChunked([bytesOf("1\r\nx\r\n".repeat(5000) + END)], { limits }).data.length,
    5000,
  );
});

const LENIENT: [option: keyof HttpLenience, wire: string, strictCode: string][] = [
  ["allowBareLf", "1\nx\n0\n\n", "ERR_HTTP_BARE_LF"],
  ["allowBareLf", "1;a\nx\r\n0;b=c\n\r\n", "ERR_HTTP_BARE_LF"],
  ["allowBareLf", "1\r\nx\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_DATA"],
  ["allowBareLf", "1\r\nx\r\n0\r\nA: b\n\n", "ERR_HTTP_BARE_LF"],
  ["allowObsFold", "1\r\nx\r\n0\r\nA: b\r\n c\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
  ["allowChunkSizeWhitespace", "1 \t\r\nx\r\n0 \r\n\r\n", "ERR_HTTP_BAD_CHUNK_SIZE"],
  ["allowChunkSizeWhitespace", "1  ;a\r\nx\r\n0\r\n\r\n", "ERR_HTTP_BAD_CHUNK_SIZE"],
];

for (const [option, wire, strictCode] of LENIENT) {
  Deno.test(`ChunkedDecoder.step() decodes ${JSON.stringify(wire)} with ${option} alone`, () => {
    const lenience = { [option]: true };
    const body = sameForEverySplit(wire, (chunks) => decodeChunked(chunks, { lenience }));
    assertEquals([body.data, body.isDone, body.length], ["x", true, wire.length]);
    const all = { allowBareLf: true, allowObsFold: true, allowChunkSizeWhitespace: true };
    for (const others of [{}, { ...all, [option]: false }]) {
      const refusal = refusalOf(() => decodeChunked([bytesOf(wire)], { lenience: others }));
      assertEquals(refusal.code, strictCode);
    }
  });
}

Deno.test("ChunkedDecoder.step() counts allowed blanks behind a size as overhead", () => {
  const lenience = { allowChunkSizeWhitespace: true };
  const limits = { maxChunkOverheadBytes: 5, maxChunkLineBytes: 8 };
  for (const [fits, tooLong] of [["1     ", "1      "], ["1   ;a", "1    ;a"]]) {
    const wire = (line: string) => `${line}\r\nx\r\n0\r\n\r\n`;
    const run = (chunks: Uint8Array[]) => decodeChunked(chunks, { limits, lenience });
    assert(sameForEverySplit(wire(fits!), run).isDone);
    const refusal = sameForEverySplit(
      wire(tooLong!),
      (chunks) => refusalOf(() => decodeChunked(chunks, { limits, lenience })),
    );
    assertEquals(refusal.limit, "maxChunkOverheadBytes");
  }
});

Deno.test("ChunkedDecoder.step() refuses blanks in front of and inside a size with lenience, too", () => {
  const lenience = { allowChunkSizeWhitespace: true, allowBareLf: true, allowObsFold: true };
  for (const size of [" 1", "1 1", "\t1", "0 1"]) {
    const wire = `${size}\r\nx\r\n0\r\n\r\n`;
    const refusal = refusalOf(() => decodeChunked([bytesOf(wire)], { lenience }));
    assertEquals(refusal.code, "ERR_HTTP_BAD_CHUNK_SIZE");
  }
});

for (
  const [name, create] of [
    ["a long extension", (n) => `1;${"e".repeat(n)}="${"v".repeat(n)}"\r\nx\r\n0\r\n\r\n`],
    ["many zeros", (n) => `${"0".repeat(n)}1\r\nx\r\n0\r\n\r\n`],
    ["many chunks", (n) => `${"1\r\nx\r\n".repeat(n)}0\r\n\r\n`],
    ["many trailers", (n) => `0\r\n${"A: b\r\n".repeat(n)}\r\n`],
  ] as [string, (n: number) => string][]
) {
  Deno.test(`ChunkedDecoder.step() touches each byte of ${name} a bounded number of times`, () => {
    const off = { maxChunkLineBytes: 0, maxChunkOverheadBytes: 0, maxTrailerBytes: 0 };
    const perByte = [100, 200, 400].map((n) => {
      const wire = create(n);
      const { bytes, touches } = countingBytes(wire);
      const decoder = new ChunkedDecoder(resolveLimits({ ...off, maxTrailerCount: 0 }), {});
      let position = 0;
      for (let end = 1; end <= wire.length; end++) {
        while (position < end) {
          const next = decoder.step(bytes, position, end);
          if (next === position) break;
          position = next;
        }
      }
      assert(decoder.isDone);
      return touches() / wire.length;
    });
    assert(perByte[2]! < perByte[0]! * 1.5, `${perByte.join(", ")} touches per byte`);
  });
}
