import { exchange, type ExpectedResponse, type HttpCase, refused, request } from "./http_case.ts";

const OK: ExpectedResponse = { status: 200, body: "OK" };
/** Nobody needs to be told that he left in mid-message, but may be. */
const UNFINISHED: ExpectedResponse = { status: [400, 408], isOptional: true };
const GET = request("GET", "/");

function expecting(target: string, length: number, expectation = "100-continue"): string {
  return request("POST", target, [`Content-Length: ${length}`, `Expect: ${expectation}`]);
}

/** Bodies of responses, Expect, unfinished requests, and that nothing in a body is a request. */
export const MESSAGE_CASES: readonly HttpCase[] = [
  exchange("no body: HEAD", "RFC 9110 section 9.3.2", [request("HEAD", "/")], [{
    status: 200,
    isHead: true,
    fields: { "content-length": "2", "transfer-encoding": null },
  }], false),
  exchange("no body: HEAD of a stream", "RFC 9110 section 9.3.2", [request("HEAD", "/stream")], [{
    status: 200,
    isHead: true,
  }], false),
  exchange("no body: 204", "RFC 9110 section 8.6", [request("GET", "/status/204")], [{
    status: 204,
    fields: { "content-length": null, "transfer-encoding": null },
  }], false),
  exchange("no body: 304", "RFC 9110 section 15.4.5", [request("GET", "/status/304")], [{
    status: 304,
    fields: { "transfer-encoding": null },
  }], false),
  exchange("no body: HEAD refused", "RFC 9110 section 9.3.2", [
    "HEAD / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
  ], [{
    status: 400,
    isHead: true,
  }], true),
  exchange("body: a stream is chunked with HTTP/1.1", "RFC 9112 section 7.1", [
    request("GET", "/stream"),
  ], [{
    status: 200,
    framing: "chunked",
    body: "stream",
  }], false),
  exchange(
    "body: a stream ends with the connection with HTTP/1.0",
    "RFC 9112 section 6.3, rule 8",
    [
      "GET /stream HTTP/1.0\r\n\r\n",
    ],
    [{ status: 200, framing: "close", body: "stream", fields: { "transfer-encoding": null } }],
    true,
  ),
  exchange(
    "body: a stream ends with the connection with HTTP/1.0 and keep-alive",
    "RFC 9112 section 6.3, rule 8",
    [
      "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ],
    [{ status: 200, framing: "close", body: "stream", fields: { "transfer-encoding": null } }],
    true,
  ),

  exchange(
    "Expect: 100 when the body is read",
    "RFC 9110 section 10.1.1",
    [
      expecting("/", 5),
      "await response",
      "hello",
    ],
    [{ status: 100 }, { status: 200, body: "hello" }],
    false,
  ),
  exchange(
    "Expect: 100 in other letters",
    "RFC 9110 section 10.1.1",
    [
      expecting("/", 5, "100-Continue"),
      "await response",
      "hello",
    ],
    [{ status: 100 }, { status: 200, body: "hello" }],
    false,
  ),
  exchange(
    "Expect: 100 for a chunked body",
    "RFC 9110 section 10.1.1",
    [
      request("POST", "/", ["Transfer-Encoding: chunked", "Expect: 100-continue"]),
      "await response",
      "5\r\nhello\r\n0\r\n\r\n",
    ],
    [{ status: 100 }, { status: 200, body: "hello" }],
    false,
  ),
  exchange(
    "Expect: no 100 where the handler does not read",
    "RFC 9110 section 10.1.1",
    [
      expecting("/unread", 5),
    ],
    [{ status: 200, body: "unread", fields: { connection: "close" } }],
    true,
  ),
  exchange(
    "Expect: answered without 100, the body is no request",
    "RFC 9110 section 10.1.1",
    [
      expecting("/unread", GET.length),
      "await response",
      GET,
    ],
    [{ status: 200, body: "unread" }],
    true,
  ),
  exchange(
    "Expect: refused without 100",
    "RFC 9110 section 10.1.1",
    [
      expecting("/status/403", 5),
    ],
    [{ status: 403, fields: { connection: "close" } }],
    true,
  ),
  exchange(
    "Expect: no 100 to HTTP/1.0",
    "RFC 9110 section 10.1.1",
    [
      "POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    ],
    [{ status: 200, body: "hello" }],
    true,
  ),
  exchange(
    "Expect: no 100 without a body",
    "RFC 9110 section 10.1.1",
    [
      request("POST", "/", ["Content-Length: 0", "Expect: 100-continue"]),
    ],
    [{ status: 200, body: "" }],
    false,
  ),
  refused("Expect: unknown", "RFC 9110 section 15.5.18", expecting("/", 5, "200-ok"), 417),
  refused(
    "Expect: known and unknown",
    "RFC 9110 section 15.5.18",
    expecting("/", 5, "100-continue, x"),
    417,
  ),

  exchange(
    "unfinished: request line",
    "RFC 9112 section 8",
    ["GET / HT", "end"],
    [UNFINISHED],
    true,
  ),
  exchange("unfinished: header section", "RFC 9112 section 8", [
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "end",
  ], [
    UNFINISHED,
  ], true),
  exchange(
    "unfinished: body shorter than its length",
    "RFC 9112 section 8",
    [
      request("POST", "/", ["Content-Length: 10"], "hello"),
      "end",
    ],
    [UNFINISHED],
    true,
  ),
  exchange(
    "unfinished: chunked body without its end",
    "RFC 9112 section 8",
    [
      request("POST", "/", ["Transfer-Encoding: chunked"], "5\r\nhello\r\n"),
      "end",
    ],
    [UNFINISHED],
    true,
  ),

  exchange(
    "no desync: the body of a GET is no request",
    "RFC 9110 section 9.3.1",
    [
      request("GET", "/", [`Content-Length: ${GET.length}`], GET),
    ],
    [OK],
    false,
  ),
  exchange(
    "no desync: an unread body is no request",
    "RFC 9112 section 9.3",
    [
      request("POST", "/unread", [`Content-Length: ${GET.length}`], GET),
    ],
    [{ status: 200, body: "unread" }],
    false,
  ),
  exchange(
    "no desync: an unread chunked body is no request",
    "RFC 9112 section 9.3",
    [
      request(
        "POST",
        "/unread",
        ["Transfer-Encoding: chunked"],
        `${GET.length.toString(16)}\r\n${GET}\r\n0\r\n\r\n`,
      ),
    ],
    [{ status: 200, body: "unread" }],
    false,
  ),
  exchange(
    "no desync: an unread body that turns out bad ends the connection",
    "RFC 9112 section 9.3",
    [
      request("POST", "/unread", ["Transfer-Encoding: chunked"], `5\r\nhelloX${GET}`),
    ],
    [{ status: [200, 400] }],
    true,
  ),
  exchange(
    "no desync: the body of HEAD is no request",
    "RFC 9110 section 9.3.2",
    [
      request("HEAD", "/", [`Content-Length: ${GET.length}`], GET),
    ],
    [{ status: 200, isHead: true }],
    false,
  ),
  exchange(
    "no desync: a request behind Content-Length 0 is another one",
    "RFC 9112 section 6.3, rule 6",
    [
      request("POST", "/", ["Content-Length: 0"]) + GET,
    ],
    [{ status: 200, body: "" }, OK],
    false,
  ),
  exchange(
    "no desync: Upgrade to something unknown is ignored",
    "RFC 9110 section 7.8",
    [
      request("GET", "/", ["Connection: Upgrade", "Upgrade: unknown"]) + GET,
    ],
    [OK, OK],
    false,
  ),
  exchange(
    "no desync: Upgrade with a body that holds a request",
    "RFC 9110 section 7.8",
    [
      request(
        "POST",
        "/",
        ["Connection: Upgrade", "Upgrade: h2c", `Content-Length: ${GET.length}`],
        GET,
      ),
    ],
    [{ status: 200, body: GET }],
    false,
  ),
  exchange(
    "no desync: CONNECT that is refused opens no tunnel",
    "RFC 9110 section 9.3.6",
    [
      "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    ],
    [{ status: [400, 404, 405, 501] }],
    "either",
  ),
];
