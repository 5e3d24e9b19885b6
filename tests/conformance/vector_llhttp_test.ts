import { assert, assertEquals } from "@std/assert";
import { loadVectors } from "../_support/vectors.ts";
import { type Reader, readEverySplit } from "./transcript.ts";
import { readAsClient } from "./transcript_connection.ts";
import { REQUEST_READERS } from "./transcript_readers.ts";
import { type Difference, unlisted } from "./vector_difference.ts";
import { bytesOfBase64, judge, type VectorCase } from "./vector_message.ts";

const REQUEST_DIFFERENCES: readonly Difference[] = [
  {
    name: "request/method.md:96 CONNECT with body",
    gives: "message 1 with another body",
    clause: "RFC 9112 section 6.3, rule 6",
    reason: "Content-Length frames a body whatever the method; llhttp drops it with CONNECT",
  },
  {
    name: "request/uri.md:165 Fragment in URI",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 9112 section 3.2",
    reason: "a target has no fragment",
  },
  {
    name: "request/uri.md:222 `host:port` and basic auth",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 9110 section 4.2.4",
    reason: "userinfo from outside is an error",
  },
  {
    name: "request/connection.md:81 `keep-alive` / No restart when keep-alive is off (1.0)",
    gives: "complete",
    clause: "RFC 9112 section 9.6",
    reason: "what comes behind the last request is not looked at",
  },
  {
    name:
      "request/connection.md:342 `close` / CRLF between requests, explicit `close` followed by tab",
    gives: "complete",
    clause: "RFC 9112 section 9.6",
    reason: "what comes behind the last request is not looked at",
  },
  {
    name: "request/content-length.md:4 `Content-Length` with zeroes",
    gives: "error ERR_HTTP_BAD_CONTENT_LENGTH",
    clause: "stricter than RFC 9110 section 8.6",
    reason: "a leading zero is read as octal by some, and sent by nobody",
  },
  {
    name: "request/content-length.md:75 Error on `Content-Length` overflow",
    gives: "incomplete",
    clause: "RFC 9112 section 6.3",
    reason: "framing fields are read when the header section is complete; this one is not",
  },
  {
    name: "request/transfer-encoding.md:186 `chunked` / Trailing headers",
    gives: "error ERR_HTTP_BAD_TRAILER",
    clause: "RFC 9110 section 6.5.1",
    reason: "Vary and Content-Type may not stand in a trailer section",
  },
  {
    name:
      "request/transfer-encoding.md:793 POST with `chunked` as last transfer-encoding (multiple headers)",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 9112 section 3.2",
    reason: "a target has no fragment; deflate would be answered with 501",
  },
  {
    name: "request/invalid.md:356 Invalid method",
    gives: "complete",
    clause: "RFC 9110 section 9.1",
    reason: "a method is any token; llhttp has a list",
  },
];

const RESPONSE_DIFFERENCES: readonly Difference[] = [
  {
    name: "response/sample.md:645 HTTP version 0.9",
    gives: "error ERR_HTTP_UNSUPPORTED_VERSION",
    clause: "RFC 9112 section 2.3",
    reason: "a version other than 1.0 and 1.1 is not spoken here",
  },
  {
    name: "response/sample.md:695 Response starting with CRLF",
    gives: "error ERR_HTTP_BAD_VERSION",
    clause: "RFC 9112 section 2.2",
    reason: "an empty line is skipped in front of requests only",
  },
  {
    name: "response/connection.md:164 HTTP/1.1 with keep-alive disabled and 204 status",
    gives: "complete",
    clause: "RFC 9112 section 9.6",
    reason: "what comes behind the last response is not looked at",
  },
  {
    name: "response/transfer-encoding.md:43 `chunked` before other transfer-encoding",
    gives: "error ERR_HTTP_BAD_TRANSFER_ENCODING",
    clause: "stricter than RFC 9112 section 6.3, rule 4",
    reason: "a body whose coding nobody here can undo is no use to the caller",
  },
  {
    name:
      "response/transfer-encoding.md:110 `chunkedchunked` transfer-encoding does not enable chunked enconding",
    gives: "error ERR_HTTP_UNKNOWN_TRANSFER_CODING",
    clause: "stricter than RFC 9112 section 6.3, rule 4",
    reason: "a body whose coding nobody here can undo is no use to the caller",
  },
  {
    name: "response/pipelining.md:4 Should parse multiple events",
    gives: "error ERR_HTTP_BAD_VERSION",
    clause: "RFC 9112 section 2.2",
    reason: "an empty line is skipped in front of requests only",
  },
];

const vectors = loadVectors<{ readonly cases: readonly VectorCase[] }>("llhttp");

const ignore = vectors === undefined;

for (const { name: reader, read } of REQUEST_READERS) {
  Deno.test({
    name: `${reader} agrees with llhttp on requests`,
    ignore,
    fn: () => checkAll("request", read, REQUEST_DIFFERENCES),
  });

  Deno.test({
    name: `${reader} finds the end of a request as safe as llhttp does`,
    ignore,
    fn: () => checkEnds("request", read),
  });
}

Deno.test({
  name: "HttpConnection agrees with llhttp on responses",
  ignore,
  fn: () => checkAll("response", readAsClient, RESPONSE_DIFFERENCES),
});

Deno.test({
  name: "HttpConnection finds the end of a response as safe as llhttp does",
  ignore,
  fn: () => checkEnds("response", readAsClient),
});

function checkAll(type: string, read: Reader, differences: readonly Difference[]): void {
  const judgements = casesOf(type).map((item) => {
    // Most requests leave Host out; what else they show is of use.
    const lenience = { allowMissingHost: true };
    const bytes = bytesOfBase64(item.input);
    const { transcript, deviationCount } = readEverySplit(read, bytes, { lenience });
    assertEquals(deviationCount, 0, `${item.name} depends on how it is split`);
    return judge(item, transcript);
  });
  assertEquals(unlisted(judgements, differences), []);
}

/** Some cases say whether the stream may end behind them. */
function checkEnds(type: string, read: Reader): void {
  const cases = casesOf(type).filter((item) => item.expect.finish !== undefined);
  assert(cases.length > 0);
  for (const item of cases) {
    const options = { lenience: { allowMissingHost: true }, isEnd: true };
    const { outcome } = read([bytesOfBase64(item.input)], options);
    const isSafe = item.expect.finish !== "unsafe";
    assertEquals(outcome, isSafe ? "complete" : "error ERR_HTTP_TRUNCATED_MESSAGE", item.name);
  }
}

function casesOf(type: string): VectorCase[] {
  return vectors!.cases.filter((item) => item.type === type);
}
