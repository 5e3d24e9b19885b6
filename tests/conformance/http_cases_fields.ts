import { accepted, type HttpCase, refused, request } from "./http_case.ts";

function badEnd(name: string, wire: string): HttpCase {
  return refused(`line end: ${name}`, "RFC 9112 section 2.2", wire);
}

function badField(name: string, line: string, clause = "RFC 9112 section 5"): HttpCase {
  return refused(`field: ${name}`, clause, request("GET", "/", [line, "X-After: 1"]));
}

function badValue(name: string, code: number): HttpCase {
  const character = String.fromCharCode(code);
  return badField(`${name} in the value`, `X: a${character}b`, "RFC 9110 section 5.5");
}

function badHost(name: string, ...lines: readonly string[]): HttpCase {
  return refused(
    `Host: ${name}`,
    "RFC 9112 section 3.2",
    ["GET / HTTP/1.1", ...lines, "", ""].join("\r\n"),
  );
}

function goodHost(value: string): HttpCase {
  const wire = `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`;
  return accepted(`Host: ${JSON.stringify(value)}`, "RFC 9110 section 7.2", wire, "OK");
}

function absolute(target: string, host: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

function disagreement(target: string, host: string): HttpCase {
  const name = `absolute-form: ${target} against Host ${host}`;
  return refused(name, "stricter than RFC 9112 section 3.2.2", absolute(target, host));
}

function agreement(target: string, host: string): HttpCase {
  const name = `absolute-form: ${target} with Host ${host}`;
  return accepted(name, "RFC 9112 section 3.2.2", absolute(target, host));
}

/** Line ends, field lines, Host, and its agreement with the target. */
export const FIELD_CASES: readonly HttpCase[] = [
  badEnd("LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
  badEnd("LF behind a field", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n"),
  badEnd("LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
  badEnd("LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
  badEnd("LF CR", "GET / HTTP/1.1\n\rHost: a\n\r\n\r"),
  badEnd("LF behind an empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\nY: 1\r\n\r\n"),
  badEnd("LF behind a name", "GET / HTTP/1.1\r\nHost: a\r\nX\nY: 1\r\n\r\n"),
  badEnd("CR behind the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"),
  badEnd("CR behind a field", "GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n"),
  badEnd("CR inside a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
  badEnd("CR behind the colon", "GET / HTTP/1.1\r\nHost: a\r\nX:\rY: 1\r\n\r\n"),
  badEnd("CR inside a name", "GET / HTTP/1.1\r\nHost: a\r\nX\rY: 1\r\n\r\n"),
  badEnd("CR CR LF behind the request line", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
  badEnd("CR CR LF behind a field", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
  badEnd("CR CR LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"),
  badEnd(
    "CR and a letter as the empty line",
    "GET / HTTP/1.1\r\nHost: a\r\n\rXGET /b HTTP/1.1\r\n",
  ),

  badField("folded with a space", "X: a\r\n b", "RFC 9112 section 5.2"),
  badField("folded with a tab", "X: a\r\n\tb", "RFC 9112 section 5.2"),
  badField("folded with nothing but a space", "X: a\r\n ", "RFC 9112 section 5.2"),
  badField("folded at once behind the colon", "X:\r\n a", "RFC 9112 section 5.2"),
  refused(
    "field: white space in front of the first",
    "RFC 9112 section 2.2",
    "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n",
  ),
  badField("space in front of the colon", "X : a", "RFC 9112 section 5.1"),
  badField("tab in front of the colon", "X\t: a", "RFC 9112 section 5.1"),
  refused(
    "field: space between Host and colon",
    "RFC 9112 section 5.1",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
  ),
  refused(
    "field: space between Content-Length and colon",
    "RFC 9112 section 5.1",
    request("POST", "/", ["Content-Length : 5"], "hello"),
  ),
  refused(
    "field: space between Transfer-Encoding and colon",
    "RFC 9112 section 5.1",
    request("POST", "/", ["Transfer-Encoding : chunked"], "0\r\n\r\n"),
  ),
  badField("empty name", ": a"),
  badField("colon alone", ":"),
  badField("no colon", "X"),
  badField("no colon but a value", "X a"),
  ...[...'()<>@,;\\"/[]?={} '].map((mark) =>
    badField(`name with ${JSON.stringify(mark)}`, `X${mark}Y: a`)
  ),
  badField("name with NUL", "X\x00Y: a"),
  badField("name with a control character", "\x01X: a"),
  badField("name with DEL", "X\x7f: a"),
  badField("name outside ASCII", "X\x80: a"),
  badField("name with a soft hyphen", "Content\xc2\xadLength: 5"),
  badValue("NUL", 0x00),
  badValue("start of heading", 0x01),
  badValue("bell", 0x07),
  badValue("backspace", 0x08),
  badValue("vertical tab", 0x0b),
  badValue("form feed", 0x0c),
  badValue("escape", 0x1b),
  badValue("unit separator", 0x1f),
  badValue("DEL", 0x7f),
  badField("control character at the end of the value", "X: a\x0c", "RFC 9110 section 5.5"),
  badField("control character as the value", "X: \x00", "RFC 9110 section 5.5"),
  accepted(
    "field: every mark of a token in the name",
    "RFC 9110 section 5.6.2",
    request("GET", "/", ["!#$%&'*+-.^_`|~09azAZ: a"]),
  ),
  accepted(
    "field: no white space behind the colon",
    "RFC 9112 section 5",
    request("GET", "/", ["X:a"]),
  ),
  accepted(
    "field: white space around the value",
    "RFC 9112 section 5.1",
    request("GET", "/field/x", ["X: \t a\tb \t"]),
    "a\tb",
  ),
  accepted("field: empty value", "RFC 9112 section 5", request("GET", "/field/x", ["X:"]), ""),
  accepted(
    "field: value of white space alone",
    "RFC 9112 section 5",
    request("GET", "/field/x", ["X: \t "]),
    "",
  ),
  accepted(
    "field: bytes outside ASCII in the value",
    "RFC 9110 section 5.5",
    request("GET", "/", ["X: \x80\xff"]),
  ),
  accepted(
    "field: repeated, joined in order",
    "RFC 9110 section 5.3",
    request("GET", "/field/x", ["X: a", "Y: 1", "x: b"]),
    "a, b",
  ),
  accepted(
    "field: repeated Cookie, joined with a semicolon",
    "RFC 6265 section 5.4",
    request("GET", "/field/cookie", ["Cookie: a=1", "Cookie: b=2"]),
    "a=1; b=2",
  ),
  accepted(
    "field: name in any case",
    "RFC 9110 section 5.1",
    "GET / HTTP/1.1\r\nhOsT: a\r\n\r\n",
    "OK",
  ),

  badHost("missing"),
  badHost("missing, others there", "X: 1"),
  badHost("empty", "Host:"),
  badHost("white space alone", "Host: \t"),
  badHost("twice the same", "Host: a", "Host: a"),
  badHost("two different", "Host: a", "Host: b"),
  badHost("two, the first empty", "Host:", "Host: a"),
  badHost("two, apart and in other case", "Host: a", "X: 1", "HOST: a"),
  badHost("comma list", "Host: a, b"),
  badHost("comma list without a space", "Host: a,b"),
  badHost("comma behind", "Host: a,"),
  badHost("user", "Host: user@a"),
  badHost("user and password", "Host: user:pw@a"),
  badHost("at sign in front", "Host: @a"),
  badHost("path", "Host: a/b"),
  badHost("slash", "Host: a/"),
  badHost("query", "Host: a?b"),
  badHost("fragment", "Host: a#b"),
  badHost("scheme", "Host: http://a"),
  badHost("backslash", "Host: a\\b"),
  badHost("space", "Host: a b"),
  badHost("quotes", 'Host: "a"'),
  badHost("byte outside ASCII", "Host: \xff"),
  badHost("port alone", "Host: :80"),
  badHost("port of letters", "Host: a:http"),
  badHost("port with a sign", "Host: a:-1"),
  badHost("port too high", "Host: a:65536"),
  badHost("two ports", "Host: a:80:80"),
  badHost("bracket not closed", "Host: [::1"),
  badHost("empty brackets", "Host: []"),
  badHost("letters in brackets", "Host: [zz::1]"),
  badHost("text behind the brackets", "Host: [::1]a"),
  refused(
    "Host: two with HTTP/1.0",
    "RFC 9112 section 3.2",
    "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
  ),
  refused(
    "Host: malformed with HTTP/1.0",
    "RFC 9112 section 3.2",
    "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n",
  ),
  {
    name: "Host: missing with HTTP/1.0",
    clause: "RFC 9112 section 3.2",
    send: ["GET / HTTP/1.0\r\n\r\n"],
    expect: { responses: [{ status: 200, body: "OK" }], closes: true },
  },
  ...[
    "a",
    "a:80",
    "a:65535",
    "a.b-c.example",
    "A",
    "127.0.0.1",
    "127.0.0.1:8080",
    "[::1]",
    "[2001:db8::1]:443",
    "a.",
  ]
    .map(goodHost),

  disagreement("http://b/", "a"),
  disagreement("http://a:81/", "a"),
  disagreement("http://a/", "a:81"),
  disagreement("http://a.b/", "a"),
  disagreement("https://a/", "a:80"),
  refused(
    "authority-form: CONNECT a:443 against Host b:443",
    "stricter than RFC 9112 section 3.2.3",
    "CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n",
  ),
  refused("absolute-form: without Host", "RFC 9112 section 3.2", "GET http://a/ HTTP/1.1\r\n\r\n"),
  agreement("http://a/", "a"),
  agreement("http://A/", "a"),
  agreement("HTTP://a/", "a"),
  agreement("http://a:81/", "a:81"),
  agreement("http://a:80/", "a"),
  agreement("http://a", "a"),
  agreement("http://a?b", "a"),
];
