import { accepted, type HttpCase, refused, request } from "./http_case.ts";

const FIELDS = "Host: a\r\n\r\n";

function badLine(name: string, line: string, status: number | readonly number[] = 400): HttpCase {
  return refused(`request line: ${name}`, "RFC 9112 section 3", `${line}\r\n${FIELDS}`, status);
}

function badVersion(version: string): HttpCase {
  const name = `version ${JSON.stringify(version)}`;
  return refused(name, "RFC 9112 section 2.3", `GET / ${version}\r\n${FIELDS}`);
}

function otherVersion(version: string): HttpCase {
  return refused(
    `version ${version}`,
    "RFC 9110 section 15.6.6",
    `GET / ${version}\r\n${FIELDS}`,
    505,
  );
}

function badTarget(name: string, target: string): HttpCase {
  return refused(`target: ${name}`, "RFC 9112 section 3.2", `GET ${target} HTTP/1.1\r\n${FIELDS}`);
}

/** The request line: its parts, the forms of the target, versions, other protocols. */
export const START_LINE_CASES: readonly HttpCase[] = [
  accepted("request line: smallest", "RFC 9112 section 3", request("GET", "/"), "OK"),
  badLine("two spaces behind the method", "GET  / HTTP/1.1"),
  badLine("two spaces in front of the version", "GET /  HTTP/1.1"),
  badLine("tab behind the method", "GET\t/ HTTP/1.1"),
  badLine("tab in front of the version", "GET /\tHTTP/1.1"),
  badLine("vertical tab as separator", "GET\x0b/ HTTP/1.1"),
  badLine("space in front of the method", " GET / HTTP/1.1"),
  badLine("space behind the version", "GET / HTTP/1.1 "),
  badLine("word behind the version", "GET / HTTP/1.1 x"),
  badLine("no method", "/ HTTP/1.1"),
  badLine("empty method", " / HTTP/1.1"),
  badLine("no target", "GET HTTP/1.1"),
  badLine("empty target", "GET  HTTP/1.1"),
  badLine("method and nothing else", "GET"),
  badLine("method with a bracket", "G[T / HTTP/1.1"),
  badLine("method with a colon", "GET: / HTTP/1.1"),
  badLine("method with NUL", "G\x00T / HTTP/1.1"),
  badLine("method with DEL", "G\x7fT / HTTP/1.1"),
  badLine("method outside ASCII", "G\xc3\x8bT / HTTP/1.1"),
  badLine("method of 5,000 characters", `${"M".repeat(5000)} / HTTP/1.1`, [400, 414, 501]),

  refused("HTTP/0.9: without an empty line", "RFC 9112 appendix C.1", "GET /\r\n"),
  refused("HTTP/0.9: with fields", "RFC 9112 appendix C.1", `GET /\r\n${FIELDS}`),
  refused("HTTP/0.9: with a trailing space", "RFC 9112 appendix C.1", "GET / \r\n"),
  ...[
    "HTTP/1",
    "HTTP/1.",
    "HTTP/.1",
    "HTTP/1.1.1",
    "HTTP/1.10",
    "HTTP/11.1",
    "HTTP/01.1",
    "HTTP/1,1",
    "HTTP/1.1x",
    "HTTP/a.b",
    "HTTP/+1.1",
    "HTTP/ 1.1",
    "HTTP 1.1",
    "HTTP1.1",
    "http/1.1",
    "Http/1.1",
    "HTTPS/1.1",
    "ICY/1.1",
    "HTTP/1.1\x00",
    "HTTP/\xb1.1",
  ].map(badVersion),
  ...["HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/2.1", "HTTP/3.0", "HTTP/9.9"].map(
    otherVersion,
  ),
  refused(
    "HTTP/2 preface",
    "RFC 9113 section 3.4",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    [400, 505],
  ),
  {
    name: "TLS ClientHello on the plain port",
    clause: "RFC 8446 section 5.1",
    // A record header and the start of a handshake message.
    send: [`\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03${"\x5a".repeat(32)}\x00`],
    // Whoever looks at the bytes has to see what is wrong.
    expect: {
      responses: [{ status: 400, body: /TLS|https/i, fields: { connection: "close" } }],
      closes: true,
    },
    isRefusal: true,
  },

  badTarget("NUL", "/a\x00b"),
  badTarget("control character", "/a\x01b"),
  badTarget("escape character", "/a\x1bb"),
  badTarget("DEL", "/a\x7fb"),
  badTarget("space", "/a b"),
  badTarget("tab", "/a\tb"),
  badTarget("bare CR", "/a\rb"),
  badTarget("bare LF", "/a\nb"),
  badTarget("byte outside ASCII", "/\xff"),
  badTarget("UTF-8", "/\xc3\xa9"),
  badTarget("control character in the query", "/?a=\x02"),
  badTarget("NUL in the query", "/?a=\x00"),
  badTarget("fragment", "/a#b"),
  badTarget("fragment behind a query", "/?a#b"),
  badTarget("none of the four forms", "a"),
  badTarget("relative path", "a/b"),
  badTarget("parent path", "../a"),
  badTarget("query alone", "?a"),
  badTarget("scheme without slashes", "http:a"),
  badTarget("scheme with one slash", "http:/a"),
  badTarget("empty authority", "http:///"),
  badTarget("authority with userinfo", "http://user@a/"),
  badTarget("authority with user and password", "http://user:pw@a/"),
  badTarget("authority with a bad port", "http://a:x/"),
  badTarget("authority outside CONNECT", "a:80"),
  badTarget("backslash instead of a slash", "\\a"),
  accepted(
    "target: percent-encoded NUL",
    "RFC 3986 section 2.1",
    request("GET", "/target/%00"),
    "/target/%00",
  ),
  accepted(
    "target: question marks and slashes in the query",
    "RFC 3986 section 3.4",
    request("GET", "/target?a=b?c/d"),
    "/target?a=b?c/d",
  ),
  accepted(
    "target: several slashes",
    "RFC 3986 section 3.3",
    request("GET", "/target//a"),
    "/target//a",
  ),
  accepted(
    "target: dot segments are kept",
    "RFC 9112 section 3.2.1",
    request("GET", "/target/../a"),
    "/target/../a",
  ),

  refused("asterisk-form: GET", "RFC 9112 section 3.2.4", request("GET", "*")),
  refused(
    "asterisk-form: POST",
    "RFC 9112 section 3.2.4",
    request("POST", "*", ["Content-Length: 0"]),
  ),
  refused("asterisk-form: CONNECT", "RFC 9112 section 3.2.3", request("CONNECT", "*")),
  refused("asterisk-form: with a path", "RFC 9112 section 3.2.4", request("OPTIONS", "*/a")),
  accepted("asterisk-form: OPTIONS", "RFC 9112 section 3.2.4", request("OPTIONS", "*")),
  refused("authority-form: GET", "RFC 9112 section 3.2.3", request("GET", "a:443")),
  refused("authority-form: OPTIONS", "RFC 9112 section 3.2.3", request("OPTIONS", "a:443")),
  refused("CONNECT with origin-form", "RFC 9112 section 3.2.3", request("CONNECT", "/")),
  refused("CONNECT with absolute-form", "RFC 9112 section 3.2.3", request("CONNECT", "http://a/")),
  refused("CONNECT without a port", "RFC 9112 section 3.2.3", request("CONNECT", "a")),
  refused("CONNECT with an empty port", "RFC 9112 section 3.2.3", request("CONNECT", "a:")),
  refused("CONNECT without a host", "RFC 9112 section 3.2.3", request("CONNECT", ":443")),
  refused("CONNECT with userinfo", "RFC 9112 section 3.2.3", request("CONNECT", "user@a:443")),

  refused("empty line: two in front", "RFC 9112 section 2.2", `\r\n\r\n${request("GET", "/")}`),
  refused("empty line: LF alone in front", "RFC 9112 section 2.2", `\n${request("GET", "/")}`),
  refused("empty line: CR alone in front", "RFC 9112 section 2.2", `\r${request("GET", "/")}`),
  refused("empty line: with a space", "RFC 9112 section 2.2", ` \r\n${request("GET", "/")}`),
  accepted(
    "empty line: one in front is skipped",
    "RFC 9112 section 2.2",
    `\r\n${request("GET", "/")}`,
    "OK",
  ),
];
