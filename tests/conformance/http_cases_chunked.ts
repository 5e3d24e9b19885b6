import { accepted, chunked, type HttpCase, refused, request } from "./http_case.ts";

const EMPTY = "0\r\n\r\n";

function badSize(name: string, coded: string): HttpCase {
  return refused(`chunk size: ${name}`, "RFC 9112 section 7.1", chunked(coded));
}

function badData(name: string, coded: string): HttpCase {
  return refused(`chunk data: ${name}`, "RFC 9112 section 7.1", chunked(coded));
}

function badExtension(name: string, extension: string): HttpCase {
  const coded = `5${extension}\r\nhello\r\n${EMPTY}`;
  return refused(`chunk extension: ${name}`, "RFC 9112 section 7.1.1", chunked(coded));
}

function goodExtension(extension: string): HttpCase {
  const coded = `5${extension}\r\nhello\r\n${EMPTY}`;
  return accepted(
    `chunk extension: ${JSON.stringify(extension)}`,
    "RFC 9112 section 7.1.1",
    chunked(coded),
    "hello",
  );
}

function badTrailer(name: string, line: string, clause = "RFC 9110 section 6.5.1"): HttpCase {
  return refused(`trailer: ${name}`, clause, chunked(`5\r\nhello\r\n0\r\n${line}\r\n\r\n`));
}

const FORBIDDEN_TRAILERS = [
  "Transfer-Encoding: chunked",
  "Content-Length: 5",
  "Host: b",
  "Connection: close",
  "Trailer: X",
  "TE: trailers",
  "Upgrade: websocket",
  "Authorization: Basic YTpi",
  "Cookie: a=b",
  "Set-Cookie: a=b",
  "Content-Type: text/html",
  "Content-Encoding: gzip",
  "Content-Range: bytes 0-4/5",
  "Cache-Control: no-store",
  "Expect: 100-continue",
  "Range: bytes=0-1",
  "If-None-Match: *",
  "X-Forwarded-For: 127.0.0.1",
];

/** The chunked coding: sizes, data, extensions, trailers. */
export const CHUNKED_CASES: readonly HttpCase[] = [
  badSize("empty", "\r\nhello\r\n0\r\n\r\n"),
  badSize("plus sign", "+5\r\nhello\r\n0\r\n\r\n"),
  badSize("minus sign", "-5\r\nhello\r\n0\r\n\r\n"),
  badSize("minus zero", "-0\r\n\r\n"),
  badSize("0x in front", "0x5\r\nhello\r\n0\r\n\r\n"),
  badSize("0X in front", "0X5\r\nhello\r\n0\r\n\r\n"),
  badSize("h behind", "5h\r\nhello\r\n0\r\n\r\n"),
  badSize("underscore", "0_5\r\nhello\r\n0\r\n\r\n"),
  badSize("underscore in front", "_5\r\nhello\r\n0\r\n\r\n"),
  badSize("space in front", " 5\r\nhello\r\n0\r\n\r\n"),
  badSize("tab in front", "\t5\r\nhello\r\n0\r\n\r\n"),
  badSize("space behind", "5 \r\nhello\r\n0\r\n\r\n"),
  badSize("tab behind", "5\t\r\nhello\r\n0\r\n\r\n"),
  badSize("spaces inside", "0 5\r\nhello\r\n0\r\n\r\n"),
  badSize(
    "space in front of an extension, stricter than RFC 9112 section 7.1.1",
    "5 ;a\r\nhello\r\n0\r\n\r\n",
  ),
  badSize("no hexadecimal digit", "g\r\nhello\r\n0\r\n\r\n"),
  badSize("fraction", "5.0\r\nhello\r\n0\r\n\r\n"),
  badSize("comma", "5,5\r\nhello\r\n0\r\n\r\n"),
  badSize("quotes", '"5"\r\nhello\r\n0\r\n\r\n'),
  badSize("digit outside ASCII", "\xef\xbc\x95\r\nhello\r\n0\r\n\r\n"),
  badSize("NUL behind", "5\x00\r\nhello\r\n0\r\n\r\n"),
  badSize("2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
  badSize("2^53", "20000000000000\r\nhello"),
  badSize("2^64 - 1", "ffffffffffffffff\r\nhello"),
  badSize("forty digits", `${"f".repeat(40)}\r\nhello`),
  badSize("LF alone behind", "5\nhello\r\n0\r\n\r\n"),
  badSize("CR alone behind", "5\rhello\r\n0\r\n\r\n"),
  badSize("CR CR LF behind", "5\r\r\nhello\r\n0\r\n\r\n"),
  badSize("LF alone behind the last", "5\r\nhello\r\n0\n\r\n"),
  badSize("CR alone behind the last", "5\r\nhello\r\n0\rX\r\n"),
  badSize("spaces behind the last", "5\r\nhello\r\n0 \r\n\r\n"),
  accepted(
    "chunk size: capitals",
    "RFC 9112 section 7.1",
    chunked("A\r\n0123456789\r\n0\r\n\r\n"),
    "0123456789",
  ),
  accepted(
    "chunk size: small letters",
    "RFC 9112 section 7.1",
    chunked("a\r\n0123456789\r\n0\r\n\r\n"),
    "0123456789",
  ),
  accepted(
    "chunk size: leading zeros",
    "RFC 9112 section 7.1",
    chunked("0005\r\nhello\r\n0\r\n\r\n"),
    "hello",
  ),
  accepted(
    "chunk size: several zeros at the end",
    "RFC 9112 section 7.1",
    chunked("5\r\nhello\r\n000\r\n\r\n"),
    "hello",
  ),
  accepted("chunk size: no data at all", "RFC 9112 section 7.1", chunked(EMPTY), ""),
  accepted(
    "chunk size: one byte each",
    "RFC 9112 section 7.1",
    chunked("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"),
    "abc",
  ),

  badData("CRLF missing", "5\r\nhello0\r\n\r\n"),
  badData("one byte too many", "5\r\nhello!\r\n0\r\n\r\n"),
  badData("one byte too few", "5\r\nhell\r\n0\r\n\r\n"),
  badData("LF alone behind", "5\r\nhello\n0\r\n\r\n"),
  badData("CR alone behind", "5\r\nhello\r0\r\n\r\n"),
  badData("two bytes instead of CRLF", "5\r\nhelloXX0\r\n\r\n"),
  badData("empty line behind", "5\r\nhello\r\n\r\n0\r\n\r\n"),
  accepted(
    "chunk data: line ends inside",
    "RFC 9112 section 7.1",
    chunked("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"),
    "\r\n0\r\n\r\n",
  ),

  badExtension("empty name", ";"),
  badExtension("empty name and a space", "; "),
  badExtension("empty name between two", ";a;;b"),
  badExtension("value without a name", ";=a"),
  badExtension("empty value", ";a="),
  badExtension("two equals signs", ";a==b"),
  badExtension("two words", ";a b"),
  badExtension("two values", ";a=b c"),
  badExtension("space at the end", ";a=b "),
  badExtension("quotation not closed", ';a="b'),
  badExtension("text behind the quotation", ';a="b"c'),
  badExtension("NUL in the name", ";\x00a"),
  badExtension("NUL in the value", ";a=\x00"),
  badExtension("NUL in the quotation", ';a="\x00"'),
  badExtension("CR in the value", ";a=b\rc"),
  badExtension("CR in the quotation", ';a="b\rc"'),
  badExtension("LF in the value", ";a=b\nc"),
  badExtension("LF in the quotation", ';a="b\nc"'),
  badExtension("LF alone behind", ";a\n"),
  badExtension("control character", ";a=\x01"),
  badExtension("DEL", ";a=\x7f"),
  badExtension("byte outside ASCII in the name", ";\x80"),
  badExtension("brackets", ";(a)"),
  badExtension("comma", ";a,b"),
  ...[";a", ";a=b", ';a="b c"', ';a="b;c=\\"d\\""', ";a;b=c;d", "; a=b", ";a = b", ';a=""'].map(
    goodExtension,
  ),
  accepted(
    "chunk extension: on the last chunk",
    "RFC 9112 section 7.1.1",
    chunked("5\r\nhello\r\n0;a=b\r\n\r\n"),
    "hello",
  ),

  ...FORBIDDEN_TRAILERS.map((line) => badTrailer(line, line)),
  badTrailer("forbidden, in capitals", "CONTENT-LENGTH: 5"),
  badTrailer("folded", "X: a\r\n b", "RFC 9112 section 5.2"),
  badTrailer("space in front of the first", " X: a", "RFC 9112 section 5.2"),
  badTrailer("space in front of the colon", "X : a", "RFC 9112 section 5.1"),
  badTrailer("empty name", ": a", "RFC 9112 section 5"),
  badTrailer("no colon", "X", "RFC 9112 section 5"),
  badTrailer("NUL in the value", "X: \x00", "RFC 9110 section 5.5"),
  badTrailer("control character in the name", "X\x01: a", "RFC 9110 section 5.6.2"),
  badTrailer("CR in the value", "X: a\rb", "RFC 9112 section 2.2"),
  badTrailer("LF alone behind", "X: a\nY: b", "RFC 9112 section 2.2"),
  refused(
    "trailer: LF as the empty line",
    "RFC 9112 section 2.2",
    chunked("5\r\nhello\r\n0\r\n\n"),
  ),
  refused(
    "trailer: a request where the empty line belongs",
    "RFC 9112 section 7.1",
    chunked(`0\r\n${request("GET", "/")}`),
  ),
  accepted(
    "trailer: one",
    "RFC 9112 section 7.1.2",
    chunked("5\r\nhello\r\n0\r\nX-Sum: a\r\n\r\n"),
    "hello",
  ),
  accepted(
    "trailer: one that was announced",
    "RFC 9110 section 6.6.2",
    chunked("5\r\nhello\r\n0\r\nX-Sum: a\r\n\r\n", ["Trailer: X-Sum"]),
    "hello",
  ),
  accepted("trailer: repeated", "RFC 9112 section 7.1.2", chunked("0\r\nX: a\r\nX: b\r\n\r\n"), ""),
];
