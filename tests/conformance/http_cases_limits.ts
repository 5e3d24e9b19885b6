import {
  accepted,
  chunked,
  type ExpectedResponse,
  type HttpCase,
  refused,
  request,
  type Step,
} from "./http_case.ts";

/** The defaults the server documents; each is met, and passed by one. */
const MAX_REQUEST_LINE_BYTES = 8 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_HEADER_COUNT = 128;
const MAX_CHUNK_LINE_BYTES = 4 * 1024;
const MAX_CHUNK_OVERHEAD_BYTES = 16 * 1024;
const MAX_TRAILER_BYTES = 8 * 1024;
const MAX_TRAILER_COUNT = 64;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_DRAIN_BYTES = 256 * 1024;

const URI_TOO_LONG = "RFC 9110 section 15.5.15";
const FIELDS_TOO_LARGE = "RFC 6585 section 5";
const CONTENT_TOO_LARGE = "RFC 9110 section 15.5.14";

function lineOf(bytes: number): string {
  const rest = "GET / HTTP/1.1".length;
  return request("GET", `/${"a".repeat(bytes - rest)}`);
}

/** Field lines with that many bytes in all, line ends included. */
function fieldLines(bytes: number, first: string): string {
  const start = `${first}\r\nX: `;
  return `${start}${"a".repeat(bytes - start.length - 2)}\r\n`;
}

function headOf(bytes: number): string {
  return `GET / HTTP/1.1\r\n${fieldLines(bytes, "Host: a")}\r\n`;
}

function headWith(count: number): string {
  return request("GET", "/", Array.from({ length: count - 1 }, (_, index) => `X-${index}: a`));
}

function chunkLineOf(bytes: number): string {
  return chunked(`5;${"a".repeat(bytes - 2)}\r\nhello\r\n0\r\n\r\n`);
}

/** One byte of data and 1,024 bytes of extension in each chunk, and the rest in a last one. */
function overheadOf(bytes: number): string {
  const whole = Math.floor(bytes / 1024);
  const chunk = `1;${"a".repeat(1023)}\r\nx\r\n`;
  const rest = bytes % 1024;
  const last = rest === 0 ? "" : rest === 1 ? "01\r\nx\r\n" : `1;${"a".repeat(rest - 1)}\r\nx\r\n`;
  return chunked(`${chunk.repeat(whole)}${last}0\r\n\r\n`);
}

function trailersOf(bytes: number): string {
  return chunked(`0\r\n${fieldLines(bytes, "Y: a")}\r\n`);
}

function trailersWith(count: number): string {
  return chunked(
    `0\r\n${Array.from({ length: count }, (_, index) => `X-${index}: a\r\n`).join("")}\r\n`,
  );
}

function lengthOf(bytes: number, target: string): string {
  return request("POST", target, [`Content-Length: ${bytes}`]);
}

function bodyOf(bytes: number): HttpCase {
  return {
    ...accepted(`body: ${bytes} bytes into memory`, CONTENT_TOO_LARGE, "", `${bytes}`),
    send: [lengthOf(bytes, "/count"), { fill: bytes }],
  };
}

function chunkedBodyOf(
  bytes: number,
  response: ExpectedResponse,
  closes: boolean | "either",
): HttpCase {
  const size = 1024 * 1024;
  const send: Step[] = [request("POST", "/count", ["Transfer-Encoding: chunked"])];
  for (let left = bytes; left > 0; left -= size) {
    const length = Math.min(size, left);
    send.push(`${length.toString(16)}\r\n`, { fill: length }, "\r\n");
  }
  send.push("0\r\n\r\n");
  const name = `body: ${bytes} bytes in chunks into memory`;
  return { name, clause: CONTENT_TOO_LARGE, send, expect: { responses: [response], closes } };
}

/** A body that the handler does not read. */
function unread(name: string, bytes: number, closes: boolean): HttpCase {
  return {
    name: `unread body: ${name}`,
    clause: "RFC 9112 section 9.3",
    send: [lengthOf(bytes, "/unread"), { fill: bytes }],
    expect: { responses: [{ status: 200, body: "unread" }], closes },
  };
}

/** The defaults: what just fits, and what is one too many. */
export const LIMIT_CASES: readonly HttpCase[] = [
  accepted(
    "request line: one byte under the limit",
    URI_TOO_LONG,
    lineOf(MAX_REQUEST_LINE_BYTES - 1),
  ),
  accepted("request line: as long as allowed", URI_TOO_LONG, lineOf(MAX_REQUEST_LINE_BYTES)),
  refused("request line: one byte too long", URI_TOO_LONG, lineOf(MAX_REQUEST_LINE_BYTES + 1), 414),
  refused("request line: 1 MiB", URI_TOO_LONG, lineOf(1024 * 1024), 414),
  refused(
    "request line: too long and without an end",
    URI_TOO_LONG,
    `GET /${"a".repeat(16 * 1024)}`,
    414,
  ),

  accepted(
    "header section: one byte under the limit",
    FIELDS_TOO_LARGE,
    headOf(MAX_HEADER_BYTES - 1),
  ),
  accepted("header section: as large as allowed", FIELDS_TOO_LARGE, headOf(MAX_HEADER_BYTES)),
  refused(
    "header section: one byte too large",
    FIELDS_TOO_LARGE,
    headOf(MAX_HEADER_BYTES + 1),
    431,
  ),
  refused("header section: one field of 1 MiB", FIELDS_TOO_LARGE, headOf(1024 * 1024), 431),
  refused(
    "header section: one name of 64 KiB",
    FIELDS_TOO_LARGE,
    request("GET", "/", [`${"a".repeat(65536)}: a`]),
    431,
  ),
  refused(
    "header section: too large and without an end",
    FIELDS_TOO_LARGE,
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(64 * 1024)}`,
    431,
  ),
  accepted(
    "header section: one field under the limit",
    FIELDS_TOO_LARGE,
    headWith(MAX_HEADER_COUNT - 1),
  ),
  accepted(
    "header section: as many fields as allowed",
    FIELDS_TOO_LARGE,
    headWith(MAX_HEADER_COUNT),
  ),
  refused(
    "header section: one field too many",
    FIELDS_TOO_LARGE,
    headWith(MAX_HEADER_COUNT + 1),
    431,
  ),
  refused("header section: 5,000 fields", FIELDS_TOO_LARGE, headWith(5000), 431),

  accepted(
    "chunk line: one byte under the limit",
    "RFC 9112 section 7.1.1",
    chunkLineOf(MAX_CHUNK_LINE_BYTES - 1),
    "hello",
  ),
  accepted(
    "chunk line: as long as allowed",
    "RFC 9112 section 7.1.1",
    chunkLineOf(MAX_CHUNK_LINE_BYTES),
    "hello",
  ),
  refused(
    "chunk line: one byte too long",
    "RFC 9112 section 7.1.1",
    chunkLineOf(MAX_CHUNK_LINE_BYTES + 1),
  ),
  refused(
    "chunk line: 5,000 leading zeros",
    "RFC 9112 section 7.1",
    chunked(`${"0".repeat(5000)}5\r\nhello\r\n0\r\n\r\n`),
  ),
  accepted(
    "chunk extensions: one byte under the limit",
    "RFC 9112 section 7.1.1",
    overheadOf(MAX_CHUNK_OVERHEAD_BYTES - 1),
  ),
  accepted(
    "chunk extensions: as many bytes as allowed",
    "RFC 9112 section 7.1.1",
    overheadOf(MAX_CHUNK_OVERHEAD_BYTES),
  ),
  refused(
    "chunk extensions: one byte too many",
    "RFC 9112 section 7.1.1",
    overheadOf(MAX_CHUNK_OVERHEAD_BYTES + 1),
  ),
  refused(
    "chunk extensions: 20,000 of them",
    "RFC 9112 section 7.1.1",
    chunked(`${"1;a\r\nx\r\n".repeat(20_000)}0\r\n\r\n`),
  ),
  accepted(
    "chunks: 20,000 of one byte are legal",
    "RFC 9112 section 7.1",
    chunked(`${"1\r\nx\r\n".repeat(20_000)}0\r\n\r\n`),
    "x".repeat(20_000),
  ),

  accepted(
    "trailer section: one byte under the limit",
    FIELDS_TOO_LARGE,
    trailersOf(MAX_TRAILER_BYTES - 1),
    "",
  ),
  accepted(
    "trailer section: as large as allowed",
    FIELDS_TOO_LARGE,
    trailersOf(MAX_TRAILER_BYTES),
    "",
  ),
  refused(
    "trailer section: one byte too large",
    FIELDS_TOO_LARGE,
    trailersOf(MAX_TRAILER_BYTES + 1),
    431,
  ),
  accepted(
    "trailer section: one field under the limit",
    FIELDS_TOO_LARGE,
    trailersWith(MAX_TRAILER_COUNT - 1),
    "",
  ),
  accepted(
    "trailer section: as many fields as allowed",
    FIELDS_TOO_LARGE,
    trailersWith(MAX_TRAILER_COUNT),
    "",
  ),
  refused(
    "trailer section: one field too many",
    FIELDS_TOO_LARGE,
    trailersWith(MAX_TRAILER_COUNT + 1),
    431,
  ),
  refused("trailer section: 5,000 fields", FIELDS_TOO_LARGE, trailersWith(5000), 431),

  bodyOf(MAX_BODY_BYTES - 1),
  bodyOf(MAX_BODY_BYTES),
  refused(
    "body: announced one byte too large",
    CONTENT_TOO_LARGE,
    lengthOf(MAX_BODY_BYTES + 1, "/count"),
    413,
  ),
  refused(
    "body: announced as 2^53 - 1",
    CONTENT_TOO_LARGE,
    lengthOf(Number.MAX_SAFE_INTEGER, "/count"),
    413,
  ),
  refused(
    "body: too large, and the client waits for 100",
    CONTENT_TOO_LARGE,
    request("POST", "/count", [`Content-Length: ${MAX_BODY_BYTES + 1}`, "Expect: 100-continue"]),
    413,
  ),
  chunkedBodyOf(MAX_BODY_BYTES, { status: 200, body: `${MAX_BODY_BYTES}` }, false),
  // What is left of it may be little enough to be drained.
  chunkedBodyOf(MAX_BODY_BYTES + 1, { status: 413 }, "either"),

  unread("none at all", 0, false),
  unread("one byte under the bound is drained", MAX_DRAIN_BYTES - 1, false),
  unread("as large as the bound is drained", MAX_DRAIN_BYTES, false),
  unread("one byte over the bound ends the connection", MAX_DRAIN_BYTES + 1, true),
  unread("4 MiB end the connection", 4 * 1024 * 1024, true),
];
