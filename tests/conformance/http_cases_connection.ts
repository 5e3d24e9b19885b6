import { type ExpectedResponse, type HttpCase, refused, request, type Step } from "./http_case.ts";

const OK: ExpectedResponse = { status: 200, body: "OK" };
/** Nobody needs to be told that he left in mid-message, but may be. */
const UNFINISHED: ExpectedResponse = { status: [400, 408], isOptional: true };
const GET = request("GET", "/");
/** The date format of RFC 9110 section 5.6.7. */
const IMF_FIXDATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

function exchange(
  name: string,
  clause: string,
  send: readonly Step[],
  responses: readonly ExpectedResponse[],
  closes: boolean | "either",
): HttpCase {
  return { name, clause, send, expect: { responses, closes } };
}

function connection(name: string, fields: readonly string[], closes: boolean): HttpCase {
  const response = closes ? { ...OK, fields: { connection: "close", "keep-alive": null } } : OK;
  return exchange(`connection: ${name}`, "RFC 9112 section 9.3", [request("GET", "/", fields)], [response], closes);
}

function http10(name: string, fields: readonly string[], closes: boolean): HttpCase {
  const wire = ["GET / HTTP/1.0", ...fields, "", ""].join("\r\n");
  const response = closes ? OK : { ...OK, fields: { connection: "keep-alive" } };
  return exchange(`connection: HTTP/1.0, ${name}`, "RFC 9112 section 9.3", [wire], [response], closes);
}

function pipelined(count: number): HttpCase {
  const targets = Array.from({ length: count }, (_, index) => `/target/${index}`);
  return exchange(
    `pipelining: ${count} answered in order`,
    "RFC 9112 section 9.3.2",
    [targets.map((target) => request("GET", target)).join("")],
    targets.map((body) => ({ status: 200, body })),
    false,
  );
}

function expecting(target: string, length: number, expectation = "100-continue"): string {
  return request("POST", target, [`Content-Length: ${length}`, `Expect: ${expectation}`]);
}

/** Reuse and end of connections, pipelining, Expect, responses without a body, no desync. */
export const CONNECTION_CASES: readonly HttpCase[] = [
  connection("kept without a word", [], false),
  connection("kept with keep-alive", ["Connection: keep-alive"], false),
  connection("kept with another token", ["Connection: X-Close, closed"], false),
  connection("closed with close", ["Connection: close"], true),
  connection("closed with CLOSE", ["Connection: CLOSE"], true),
  connection("closed with keep-alive, close", ["Connection: keep-alive, close"], true),
  connection("closed with close, keep-alive", ["Connection: close, keep-alive"], true),
  connection("closed with close in a second field", ["Connection: keep-alive", "Connection: close"], true),
  connection("closed with empty elements around close", ["Connection: , ,close ,"], true),
  connection("closed with a tab behind close", ["Connection: close\t"], true),
  http10("closed without a word", [], true),
  http10("closed with close", ["Connection: close"], true),
  http10("kept with keep-alive", ["Connection: keep-alive"], false),
  http10("kept with Keep-Alive", ["Connection: Keep-Alive"], false),
  http10("closed with keep-alive, close", ["Connection: keep-alive, close"], true),
  exchange(
    "connection: the first response tells how long it is kept",
    "RFC 9112 section 9.3",
    [GET],
    [{ ...OK, fields: { "keep-alive": "timeout=60" } }],
    false,
  ),
  exchange(
    "connection: nothing is answered behind close",
    "RFC 9112 section 9.6",
    [request("GET", "/", ["Connection: close"]) + GET],
    [OK],
    true,
  ),
  exchange(
    "connection: what comes behind close is not even looked at",
    "RFC 9112 section 9.6",
    [`${request("GET", "/", ["Connection: close"])}\x00\x00\r\n\r\n`],
    [OK],
    true,
  ),
  exchange(
    "connection: the handler closes",
    "RFC 9112 section 9.6",
    [request("GET", "/close")],
    [{ status: 200, fields: { connection: "close" } }],
    true,
  ),
  exchange("connection: the client ends its side and reads", "RFC 9112 section 9.6", [GET, "end"], [OK], true),
  exchange("connection: nothing sent", "RFC 9112 section 9.5", ["end"], [], true),
  exchange("connection: an empty line and no more", "RFC 9112 section 2.2", ["\r\n", "end"], [], true),
  exchange("Date: in every response", "RFC 9110 section 6.6.1", [GET], [{ ...OK, fields: { date: IMF_FIXDATE } }], false),
  exchange(
    "Date: in a refusal",
    "RFC 9110 section 6.6.1",
    ["GET / HTTP/1.1\r\n\r\n"],
    [{ status: 400, fields: { date: IMF_FIXDATE } }],
    true,
  ),

  pipelined(2),
  pipelined(32),
  pipelined(33),
  pipelined(300),
  exchange(
    "pipelining: an empty line between two",
    "RFC 9112 section 2.2",
    [`${request("POST", "/", ["Content-Length: 2"], "hi")}\r\n${GET}`],
    [{ status: 200, body: "hi" }, OK],
    false,
  ),
  exchange(
    "pipelining: bodies of both kinds",
    "RFC 9112 section 9.3.2",
    [
      request("POST", "/", ["Content-Length: 2"], "hi") +
      request("POST", "/", ["Transfer-Encoding: chunked"], "2\r\nyo\r\n0\r\n\r\n") +
      GET,
    ],
    [{ status: 200, body: "hi" }, { status: 200, body: "yo" }, OK],
    false,
  ),
  exchange(
    "pipelining: a good request in front of a bad one is answered",
    "RFC 9112 section 9.3.2",
    [`${GET}GET / HTTP/1.1\r\n\r\n${GET}`],
    [OK, { status: 400, fields: { connection: "close" } }],
    true,
  ),
  exchange(
    "pipelining: a body that turns out bad ends it",
    "RFC 9112 section 9.3.2",
    [request("POST", "/", ["Transfer-Encoding: chunked"], `2\r\nhiX0\r\n\r\n${GET}`) + GET],
    [{ status: 400, fields: { connection: "close" } }],
    true,
  ),
  exchange(
    "pipelining: HEAD between two GET",
    "RFC 9110 section 9.3.2",
    [GET + request("HEAD", "/") + GET],
    [OK, { status: 200, isHead: true }, OK],
    false,
  ),

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
  exchange("no body: HEAD refused", "RFC 9110 section 9.3.2", ["HEAD / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n"], [{
    status: 400,
    isHead: true,
  }], true),
  exchange("body: a stream is chunked with HTTP/1.1", "RFC 9112 section 7.1", [request("GET", "/stream")], [{
    status: 200,
    framing: "chunked",
    body: "stream",
  }], false),
  exchange("body: a stream ends with the connection with HTTP/1.0", "RFC 9112 section 6.3, rule 8", [
    "GET /stream HTTP/1.0\r\n\r\n",
  ], [{ status: 200, framing: "close", body: "stream", fields: { "transfer-encoding": null } }], true),
  exchange("body: a stream ends with the connection with HTTP/1.0 and keep-alive", "RFC 9112 section 6.3, rule 8", [
    "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  ], [{ status: 200, framing: "close", body: "stream", fields: { "transfer-encoding": null } }], true),

  exchange("Expect: 100 when the body is read", "RFC 9110 section 10.1.1", [
    expecting("/", 5),
    "await response",
    "hello",
  ], [{ status: 100 }, { status: 200, body: "hello" }], false),
  exchange("Expect: 100 in other letters", "RFC 9110 section 10.1.1", [
    expecting("/", 5, "100-Continue"),
    "await response",
    "hello",
  ], [{ status: 100 }, { status: 200, body: "hello" }], false),
  exchange("Expect: 100 for a chunked body", "RFC 9110 section 10.1.1", [
    request("POST", "/", ["Transfer-Encoding: chunked", "Expect: 100-continue"]),
    "await response",
    "5\r\nhello\r\n0\r\n\r\n",
  ], [{ status: 100 }, { status: 200, body: "hello" }], false),
  exchange("Expect: no 100 where the handler does not read", "RFC 9110 section 10.1.1", [
    expecting("/unread", 5),
  ], [{ status: 200, body: "unread", fields: { connection: "close" } }], true),
  exchange("Expect: answered without 100, the body is no request", "RFC 9110 section 10.1.1", [
    expecting("/unread", GET.length),
    "await response",
    GET,
  ], [{ status: 200, body: "unread" }], true),
  exchange("Expect: refused without 100", "RFC 9110 section 10.1.1", [
    expecting("/status/403", 5),
  ], [{ status: 403, fields: { connection: "close" } }], true),
  exchange("Expect: no 100 to HTTP/1.0", "RFC 9110 section 10.1.1", [
    "POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
  ], [{ status: 200, body: "hello" }], true),
  exchange("Expect: no 100 without a body", "RFC 9110 section 10.1.1", [
    request("POST", "/", ["Content-Length: 0", "Expect: 100-continue"]),
  ], [{ status: 200, body: "" }], false),
  refused("Expect: unknown", "RFC 9110 section 15.5.18", expecting("/", 5, "200-ok"), 417),
  refused("Expect: known and unknown", "RFC 9110 section 15.5.18", expecting("/", 5, "100-continue, x"), 417),

  exchange("unfinished: request line", "RFC 9112 section 8", ["GET / HT", "end"], [UNFINISHED], true),
  exchange("unfinished: header section", "RFC 9112 section 8", ["GET / HTTP/1.1\r\nHost: a\r\n", "end"], [
    UNFINISHED,
  ], true),
  exchange("unfinished: body shorter than its length", "RFC 9112 section 8", [
    request("POST", "/", ["Content-Length: 10"], "hello"),
    "end",
  ], [UNFINISHED], true),
  exchange("unfinished: chunked body without its end", "RFC 9112 section 8", [
    request("POST", "/", ["Transfer-Encoding: chunked"], "5\r\nhello\r\n"),
    "end",
  ], [UNFINISHED], true),

  exchange("no desync: the body of a GET is no request", "RFC 9110 section 9.3.1", [
    request("GET", "/", [`Content-Length: ${GET.length}`], GET),
  ], [OK], false),
  exchange("no desync: an unread body is no request", "RFC 9112 section 9.3", [
    request("POST", "/unread", [`Content-Length: ${GET.length}`], GET),
  ], [{ status: 200, body: "unread" }], false),
  exchange("no desync: an unread chunked body is no request", "RFC 9112 section 9.3", [
    request("POST", "/unread", ["Transfer-Encoding: chunked"], `${GET.length.toString(16)}\r\n${GET}\r\n0\r\n\r\n`),
  ], [{ status: 200, body: "unread" }], false),
  exchange("no desync: an unread body that turns out bad ends the connection", "RFC 9112 section 9.3", [
    request("POST", "/unread", ["Transfer-Encoding: chunked"], `5\r\nhelloX${GET}`),
  ], [{ status: [200, 400] }], true),
  exchange("no desync: the body of HEAD is no request", "RFC 9110 section 9.3.2", [
    request("HEAD", "/", [`Content-Length: ${GET.length}`], GET),
  ], [{ status: 200, isHead: true }], false),
  exchange("no desync: a request behind Content-Length 0 is another one", "RFC 9112 section 6.3, rule 6", [
    request("POST", "/", ["Content-Length: 0"]) + GET,
  ], [{ status: 200, body: "" }, OK], false),
  exchange("no desync: Upgrade to something unknown is ignored", "RFC 9110 section 7.8", [
    request("GET", "/", ["Connection: Upgrade", "Upgrade: unknown"]) + GET,
  ], [OK, OK], false),
  exchange("no desync: Upgrade with a body that holds a request", "RFC 9110 section 7.8", [
    request("POST", "/", ["Connection: Upgrade", "Upgrade: h2c", `Content-Length: ${GET.length}`], GET),
  ], [{ status: 200, body: GET }], false),
  exchange("no desync: CONNECT that is refused opens no tunnel", "RFC 9110 section 9.3.6", [
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
  ], [{ status: [400, 404, 405, 501] }], "either"),
];
