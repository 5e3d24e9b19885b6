import { assertEquals } from "@std/assert";
import type { HttpLenience } from "../../http/limits.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { type ParsedHead, parseHead, refusalOf, sameForEverySplit } from "../_support/wire.ts";

const HOST = "Host: a\r\n";

/** A request with one field line more than Host. */
function withField(line: string): string {
  return `GET / HTTP/1.1\r\n${HOST}${line}\r\n\r\n`;
}

function withLine(line: string): string {
  return `${line}\r\n${HOST}\r\n`;
}

interface LenientCase {
  readonly option: keyof HttpLenience;
  readonly wire: string;
  readonly head: Partial<ParsedHead>;
  readonly strictCode: string;
}

const LENIENT: LenientCase[] = [
  {
    option: "allowBareLf",
    wire: "GET / HTTP/1.1\nHost: a\nX: b\r\n\n",
    head: { fields: [["Host", "a"], ["X", "b"]] },
    strictCode: "ERR_HTTP_BARE_LF",
  },
  {
    option: "allowBareLf",
    wire: "\nGET / HTTP/1.1\nHost: a\n\n",
    head: { fields: [["Host", "a"]] },
    strictCode: "ERR_HTTP_BARE_LF",
  },
  {
    option: "allowObsFold",
    wire: withField("X: a \r\n  b\r\n\tc\r\nY: d"),
    head: { fields: [["Host", "a"], ["X", "a     b   c"], ["Y", "d"]] },
    strictCode: "ERR_HTTP_OBS_FOLD",
  },
  {
    option: "allowObsFold",
    wire: withField("X:\r\n \r\n\tb\r\n \t"),
    head: { fields: [["Host", "a"], ["X", "b"]] },
    strictCode: "ERR_HTTP_OBS_FOLD",
  },
  {
    option: "allowObsFold",
    wire: "GET / HTTP/1.1\r\nHost:\r\n a\r\nContent-Length:\r\n\t5\r\n\r\n",
    head: { fields: [["Host", "a"], ["Content-Length", "5"]] },
    strictCode: "ERR_HTTP_OBS_FOLD",
  },
  {
    option: "allowMissingHost",
    wire: "GET / HTTP/1.1\r\n\r\n",
    head: { fields: [] },
    strictCode: "ERR_HTTP_MISSING_HOST",
  },
  {
    option: "allowRepeatedContentLength",
    wire: withField("Content-Length: 5\r\nContent-Length: 5"),
    head: { fields: [["Host", "a"], ["Content-Length", "5"], ["Content-Length", "5"]] },
    strictCode: "ERR_HTTP_BAD_CONTENT_LENGTH",
  },
  {
    option: "allowNonAsciiTarget",
    wire: withLine("GET /\xc3\xa4?\xff HTTP/1.1"),
    head: { target: "/\xc3\xa4?\xff" },
    strictCode: "ERR_HTTP_BAD_TARGET",
  },
  {
    option: "allowHostMismatch",
    wire: withLine("GET http://b/ HTTP/1.1"),
    head: { target: "http://b/" },
    strictCode: "ERR_HTTP_HOST_MISMATCH",
  },
];

const ALL_LENIENCE = {
  allowBareLf: true,
  allowObsFold: true,
  allowMissingHost: true,
  allowRepeatedContentLength: true,
  allowNonAsciiTarget: true,
  allowHostMismatch: true,
  allowChunkSizeWhitespace: true,
} as const satisfies Required<HttpLenience>;

for (const { option, wire, head, strictCode } of LENIENT) {
  Deno.test(`HeadParser.parse() reads ${JSON.stringify(wire)} with ${option} alone`, () => {
    const lenience = { [option]: true };
    const parsed = sameForEverySplit(wire, (chunks) => parseHead("request", chunks, { lenience }))!;
    for (const key of Object.keys(head) as (keyof ParsedHead)[]) {
      assertEquals(parsed[key], head[key]);
    }
    // Every other option together changes nothing.
    for (const others of [{}, { ...ALL_LENIENCE, [option]: false }]) {
      const parse = () => parseHead("request", [bytesOf(wire)], { lenience: others });
      assertEquals(refusalOf(parse).code, strictCode);
    }
  });
}

for (
  const [name, wire, code] of [
    ["a bare CR", withField("A: b\rC: d"), "ERR_HTTP_BARE_CR"],
    ["a bare CR behind the version", "GET / HTTP/1.1\rHost: a\r\n\r\n", "ERR_HTTP_BARE_CR"],
    ["two empty lines in front", `\n\n${withLine("GET / HTTP/1.1")}`, "ERR_HTTP_BARE_LF"],
    ["a blank in front of the colon", withField("A : b"), "ERR_HTTP_BAD_FIELD_NAME"],
    ["an empty name", withField(": b"), "ERR_HTTP_BAD_FIELD_NAME"],
    ["a line without colon", withField("A b"), "ERR_HTTP_BAD_FIELD_NAME"],
    ["a NUL in a value", withField("A: \0"), "ERR_HTTP_BAD_FIELD_VALUE"],
    ["a NUL in the target", withLine("GET /\0 HTTP/1.1"), "ERR_HTTP_BAD_TARGET"],
    ["a space in the target", withLine("GET /a b HTTP/1.1"), "ERR_HTTP_BAD_VERSION"],
    ["HTTP/0.9", "GET /\r\n", "ERR_HTTP_BAD_REQUEST_LINE"],
    ["a fold in front of the fields", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "ERR_HTTP_OBS_FOLD"],
    ["two Hosts", withField("Host: a"), "ERR_HTTP_BAD_HOST"],
    [
      "two lengths",
      withField("Content-Length: 1\r\nContent-Length: 2"),
      "ERR_HTTP_BAD_CONTENT_LENGTH",
    ],
    [
      "chunked twice",
      withField("Transfer-Encoding: chunked, chunked"),
      "ERR_HTTP_BAD_TRANSFER_ENCODING",
    ],
  ] as const
) {
  Deno.test(`HeadParser.parse() refuses ${name} with every option on`, () => {
    const refusal = sameForEverySplit(
      wire,
      (chunks) => refusalOf(() => parseHead("request", chunks, { lenience: ALL_LENIENCE })),
    );
    assertEquals([refusal.code, refusal.statusHint], [code, 400]);
  });
}

Deno.test("HeadParser.parse() refuses a fold that would hide digits or a host", () => {
  for (const line of ["Content-Length: 1\r\n 2", "Host: a\r\n b"]) {
    const wire = `GET / HTTP/1.0\r\n${line}\r\n\r\n`;
    const refusal = sameForEverySplit(
      wire,
      (chunks) =>
        refusalOf(() => parseHead("request", chunks, { lenience: { allowObsFold: true } })),
    );
    assertEquals(refusal.statusHint, 400);
  }
});
