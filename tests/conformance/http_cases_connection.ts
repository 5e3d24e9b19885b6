import { exchange, type ExpectedResponse, type HttpCase, request } from "./http_case.ts";

const OK: ExpectedResponse = { status: 200, body: "OK" };
const GET = request("GET", "/");
/** The date format of RFC 9110 section 5.6.7. */
const IMF_FIXDATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

function connection(name: string, fields: readonly string[], closes: boolean): HttpCase {
  const response = closes ? { ...OK, fields: { connection: "close", "keep-alive": null } } : OK;
  return exchange(`connection: ${name}`, "RFC 9112 section 9.3", [request("GET", "/", fields)], [
    response,
  ], closes);
}

function http10(name: string, fields: readonly string[], closes: boolean): HttpCase {
  const wire = ["GET / HTTP/1.0", ...fields, "", ""].join("\r\n");
  const response = closes ? OK : { ...OK, fields: { connection: "keep-alive" } };
  return exchange(
    `connection: HTTP/1.0, ${name}`,
    "RFC 9112 section 9.3",
    [wire],
    [response],
    closes,
  );
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

/** Reuse and end of connections, and pipelining. */
export const CONNECTION_CASES: readonly HttpCase[] = [
  connection("kept without a word", [], false),
  connection("kept with keep-alive", ["Connection: keep-alive"], false),
  connection("kept with another token", ["Connection: X-Close, closed"], false),
  connection("closed with close", ["Connection: close"], true),
  connection("closed with CLOSE", ["Connection: CLOSE"], true),
  connection("closed with keep-alive, close", ["Connection: keep-alive, close"], true),
  connection("closed with close, keep-alive", ["Connection: close, keep-alive"], true),
  connection(
    "closed with close in a second field",
    ["Connection: keep-alive", "Connection: close"],
    true,
  ),
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
    "connection: only the first response does",
    "RFC 9112 section 9.3",
    [GET + GET],
    [{ ...OK, fields: { "keep-alive": "timeout=60" } }, { ...OK, fields: { "keep-alive": null } }],
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
  exchange("connection: the client ends its side and reads", "RFC 9112 section 9.6", [GET, "end"], [
    OK,
  ], true),
  exchange("connection: nothing sent", "RFC 9112 section 9.5", ["end"], [], true),
  exchange(
    "connection: an empty line and no more",
    "RFC 9112 section 2.2",
    ["\r\n", "end"],
    [],
    true,
  ),
  exchange("Date: in every response", "RFC 9110 section 6.6.1", [GET], [{
    ...OK,
    fields: { date: IMF_FIXDATE },
  }], false),
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
];
