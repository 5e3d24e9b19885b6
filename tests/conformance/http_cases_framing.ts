import { accepted, chunked, type HttpCase, refused, request } from "./http_case.ts";

const HELLO = "5\r\nhello\r\n0\r\n\r\n";
const EMPTY = "0\r\n\r\n";

function badLength(name: string, ...values: readonly string[]): HttpCase {
  const fields = values.map((value) => `Content-Length:${value}`);
  return refused(
    `Content-Length: ${name}`,
    "RFC 9112 section 6.3, rule 5",
    request("POST", "/", fields, "hello"),
  );
}

function badCoding(
  name: string,
  values: readonly string[],
  status: number | readonly number[] = 400,
): HttpCase {
  const fields = values.map((value) => `Transfer-Encoding:${value}`);
  const wire = request("POST", "/", fields, HELLO);
  return refused(`Transfer-Encoding: ${name}`, "RFC 9112 section 6.3, rule 4", wire, status);
}

function lengthAndCoding(name: string, ...fields: readonly string[]): HttpCase {
  const wire = request("POST", "/", fields, HELLO);
  return refused(`both lengths: ${name}`, "RFC 9112 section 6.1", wire, [400, 501]);
}

/** How the body of a request ends: lengths and codings. */
export const FRAMING_CASES: readonly HttpCase[] = [
  badLength("empty", ""),
  badLength("list of the same", " 5, 5"),
  badLength("list of the same without a space", " 5,5"),
  badLength("list of two different", " 5, 6"),
  badLength("comma behind", " 5,"),
  badLength("twice the same", " 5", " 5"),
  badLength("two different", " 5", " 6"),
  badLength("two, one of them 0", " 0", " 5"),
  badLength("plus sign", " +5"),
  badLength("minus sign", " -5"),
  badLength("minus zero", " -0"),
  badLength("hexadecimal", " 0x5"),
  badLength("hexadecimal digit", " a"),
  badLength("underscore", " 0_5"),
  badLength("fraction", " 5.0"),
  badLength("exponent", " 5e0"),
  badLength("space inside", " 5 5"),
  badLength("tab inside", " 5\t5"),
  badLength("letter behind", " 5x"),
  badLength("semicolon behind", " 5;"),
  badLength("quotes", ' "5"'),
  badLength("digits outside ASCII", " \xd9\xa5"),
  badLength("no-break space behind", " 5\xc2\xa0"),
  badLength("word", " five"),
  badLength("2^53", " 9007199254740992"),
  badLength("2^64 + 5", " 18446744073709551621"),
  badLength("hundred digits", ` ${"9".repeat(100)}`),
  badLength("leading zero, stricter than RFC 9110 section 8.6", " 05"),
  accepted(
    "Content-Length: 5",
    "RFC 9112 section 6.3, rule 6",
    request("POST", "/", ["Content-Length: 5"], "hello"),
    "hello",
  ),
  accepted(
    "Content-Length: 0",
    "RFC 9112 section 6.3, rule 6",
    request("POST", "/", ["Content-Length: 0"]),
    "",
  ),
  accepted(
    "Content-Length: tabs around",
    "RFC 9112 section 5.1",
    request("POST", "/", ["Content-Length:\t5\t"], "hello"),
    "hello",
  ),
  accepted(
    "Content-Length: neither field, so no body",
    "RFC 9112 section 6.3, rule 7",
    request("POST", "/"),
    "",
  ),
  accepted(
    "Content-Length: with GET",
    "RFC 9110 section 9.3.1",
    request("GET", "/", ["Content-Length: 5"], "hello"),
    "OK",
  ),

  lengthAndCoding("length first", "Content-Length: 15", "Transfer-Encoding: chunked"),
  lengthAndCoding("coding first", "Transfer-Encoding: chunked", "Content-Length: 15"),
  lengthAndCoding("length 0", "Content-Length: 0", "Transfer-Encoding: chunked"),
  lengthAndCoding("coding identity", "Content-Length: 15", "Transfer-Encoding: identity"),
  lengthAndCoding("coding unknown", "Content-Length: 15", "Transfer-Encoding: xchunked"),
  lengthAndCoding("coding empty", "Content-Length: 15", "Transfer-Encoding:"),
  lengthAndCoding("coding in capitals", "Content-Length: 15", "TRANSFER-ENCODING: CHUNKED"),

  badCoding("empty", [""]),
  badCoding("white space alone", [" \t"]),
  badCoding("chunked twice in a list", [" chunked, chunked"]),
  badCoding("chunked twice in two fields", [" chunked", " chunked"]),
  badCoding("chunked not last", [" chunked, gzip"]),
  badCoding("chunked not last, in two fields", [" chunked", " gzip"]),
  badCoding("chunked then identity", [" chunked, identity"]),
  badCoding("chunked in the middle", [" gzip, chunked, deflate"]),
  badCoding("chunked with a parameter", [" chunked;q=1"]),
  badCoding("chunked with an empty parameter", [" chunked;"]),
  badCoding("chunked and a word", [" chunked x"]),
  badCoding("two words with a tab", [" chunked\tx"]),
  badCoding("quotes", [' "chunked"']),
  badCoding("vertical tab in front", [" \x0bchunked"]),
  badCoding("NUL behind", [" chunked\x00"]),
  badCoding("no-break space behind", [" chunked\xa0"]),
  badCoding("comma in front", [" , chunked"]),
  badCoding("comma behind", [" chunked,"]),
  badCoding("empty element inside", [" gzip,, chunked"], [400, 501]),
  badCoding("empty field and chunked", ["", " chunked"]),
  badCoding("identity", [" identity"], [400, 501]),
  badCoding("identity, chunked", [" identity, chunked"], [400, 501]),
  badCoding("gzip alone", [" gzip"], [400, 501]),
  badCoding("gzip, chunked", [" gzip, chunked"], 501),
  badCoding("gzip with a parameter, chunked", [" gzip;q=1, chunked"], [400, 501]),
  badCoding("unknown", [" pigeon"], [400, 501]),
  badCoding("unknown, chunked", [" pigeon, chunked"], 501),
  badCoding("xchunked", [" xchunked"], [400, 501]),
  badCoding("chunkedchunked", [" chunkedchunked"], [400, 501]),
  refused(
    "Transfer-Encoding: with HTTP/1.0",
    "RFC 9112 section 6.1",
    `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${HELLO}`,
  ),
  refused(
    "Transfer-Encoding: with HTTP/1.0 and keep-alive",
    "RFC 9112 section 6.1",
    `POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${HELLO}`,
  ),
  refused(
    "Transfer-Encoding: malformed with GET",
    "RFC 9112 section 6.3, rule 4",
    request("GET", "/", ["Transfer-Encoding: chunked, chunked"], EMPTY),
  ),
  accepted("Transfer-Encoding: chunked", "RFC 9112 section 7.1", chunked(HELLO), "hello"),
  accepted(
    "Transfer-Encoding: in capitals",
    "RFC 9112 section 7",
    request("POST", "/", ["Transfer-Encoding: CHUNKED"], HELLO),
    "hello",
  ),
  accepted(
    "Transfer-Encoding: tab behind",
    "RFC 9112 section 5.1",
    request("POST", "/", ["Transfer-Encoding: chunked\t"], HELLO),
    "hello",
  ),
  accepted(
    "Transfer-Encoding: with GET",
    "RFC 9110 section 9.3.1",
    request("GET", "/", ["Transfer-Encoding: chunked"], HELLO),
    "OK",
  ),
  accepted(
    "Transfer-Encoding: name with an underscore is another field",
    "RFC 9110 section 5.1",
    request("POST", "/", ["Transfer_Encoding: chunked", "Content-Length: 5"], "hello"),
    "hello",
  ),
];
