import { assertEquals } from "@std/assert";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Reader, readEverySplit, type Transcript } from "./transcript.ts";
import { readAsClient } from "./transcript_connection.ts";
import { REQUEST_READERS } from "./transcript_readers.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";
import { bytesOfBase64, judge, type VectorCase } from "./vector_message.ts";

/** A chunked body alone. */
interface ChunkedCase {
  readonly name: string;
  readonly type: "chunked-body";
  readonly input: string;
  /** Whether the trailer section belongs to the input. */
  readonly consumeTrailer: boolean;
  readonly expect: {
    readonly outcome: "complete" | "incomplete" | "error";
    /** In base64. */
    readonly body?: string;
  };
}

const REQUEST_DIFFERENCES: readonly Difference[] = [
  {
    name: "httparse/test_request_empty_lines_prefix",
    gives: "error ERR_HTTP_BAD_REQUEST_LINE",
    clause: "RFC 9112 section 2.2",
    reason: "one empty line in front is skipped, not two",
  },
  {
    name: "httparse/test_request_path_backslash",
    gives: "error ERR_HTTP_BARE_LF",
    clause: "RFC 9112 section 2.2",
    reason: "LF alone ends no line",
  },
  {
    name: "httparse/test_request_header_no_space_after_colon",
    gives: "message 1 with another header section",
    clause: "RFC 9112 section 5",
    reason: "the value stands in the input; the file has lost it from what it wants",
  },
  {
    name: "httparse/test_request_with_invalid_but_short_version",
    gives: "incomplete",
    clause: "RFC 9112 section 2.3",
    reason: "a version is looked at when it is whole",
  },
  {
    name: "picohttpparser/test_request: accept MSB chars",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 3986 section 2",
    reason: "bytes outside ASCII have to be percent-encoded; allowed by name only",
  },
  {
    name: "picohttpparser/test_request: accept multiple spaces between tokens",
    gives: "error ERR_HTTP_BAD_REQUEST_LINE",
    clause: "RFC 9112 section 3",
    reason: "exactly one space stands between the parts of a request line",
  },
  {
    name: "lighttpd/test_request: two dots",
    gives: "complete",
    clause: "RFC 3986 section 3.2.2",
    reason: "a reg-name may have an empty label; lighttpd's policy",
  },
  {
    name: "lighttpd/test_request: leading dash",
    gives: "complete",
    clause: "RFC 3986 section 3.2.2",
    reason: "a reg-name may start with a dash; lighttpd's policy",
  },
  {
    name: "lighttpd/test_request: broken IPv4 address - non-digit",
    gives: "complete",
    clause: "RFC 3986 section 3.2.2",
    reason: "what is no IPv4 address is a reg-name; lighttpd's policy",
  },
  {
    name: "lighttpd/test_request: #1232 - duplicate headers with line-wrapping - test 2",
    gives: "error ERR_HTTP_OBS_FOLD",
    clause: "RFC 9112 section 5.2",
    reason: "a folded line is refused",
  },
  {
    name: "lighttpd/test_request: line-folding",
    gives: "error ERR_HTTP_OBS_FOLD",
    clause: "RFC 9112 section 5.2",
    reason: "a folded line is refused",
  },
  {
    name: "lighttpd/test_request: Duplicate Content-Type headers",
    gives: "complete",
    clause: "RFC 9110 section 5.3",
    reason: "which of two Content-Type counts is for the handler to say",
  },
  {
    name: "lighttpd/test_request: GET with Content-Length",
    gives: "complete",
    clause: "RFC 9110 section 9.3.1",
    reason: "a body of GET means nothing and is framed all the same; lighttpd's policy",
  },
];

const RESPONSE_DIFFERENCES: readonly Difference[] = [
  {
    name: "httparse/test_response_no_cr",
    gives: "error ERR_HTTP_BARE_LF",
    clause: "RFC 9112 section 2.2",
    reason: "LF alone ends no line",
  },
  {
    name: "picohttpparser/test_response: parse multiline",
    gives: "error ERR_HTTP_OBS_FOLD",
    clause: "RFC 9112 section 5.2",
    reason: "a folded line is refused",
  },
  {
    name: "picohttpparser/test_response: incomplete 11",
    gives: "error ERR_HTTP_BARE_LF",
    clause: "RFC 9112 section 2.2",
    reason: "LF alone ends no line",
  },
];

const CHUNKED_DIFFERENCES: readonly Difference[] = [
  {
    name: "picohttpparser/chunked:422",
    gives: "error ERR_HTTP_BAD_CHUNK_SIZE",
    clause: "RFC 9112 section 7.1",
    reason: "a size of 2^64 - 1 is beyond the whole numbers we can count to",
  },
  {
    name: "picohttpparser/chunked:447",
    gives: "error ERR_HTTP_BARE_LF",
    clause: "RFC 9112 section 2.2",
    reason: "LF alone ends no line",
  },
];

const vectors = loadVectors<{ readonly cases: readonly (VectorCase | ChunkedCase)[] }>("parsers");

for (const { name: reader, read } of REQUEST_READERS) {
  Deno.test({
    name: `${reader} agrees with httparse, picohttpparser and lighttpd on requests`,
    ignore: vectors === undefined,
    fn() {
      const judgements = vectors!.cases.filter(isRequest).map((item) => judgeHead(read, item));
      assertEquals(unlisted(judgements, REQUEST_DIFFERENCES), []);
    },
  });

  Deno.test({
    name: `${reader} agrees with picohttpparser on chunked bodies`,
    ignore: vectors === undefined,
    fn() {
      const judgements = vectors!.cases.filter(isChunked).map((item) => judgeChunked(read, item));
      assertEquals(unlisted(judgements, CHUNKED_DIFFERENCES), []);
    },
  });
}

Deno.test({
  name: "HttpConnection agrees with httparse and picohttpparser on responses",
  ignore: vectors === undefined,
  fn() {
    const judgements = vectors!.cases.filter(isResponse)
      .map((item) => judgeHead(readAsClient, item));
    assertEquals(unlisted(judgements, RESPONSE_DIFFERENCES), []);
  },
});

function isRequest(item: VectorCase | ChunkedCase): item is VectorCase {
  return item.type === "request";
}

function isResponse(item: VectorCase | ChunkedCase): item is VectorCase {
  return item.type === "response";
}

function isChunked(item: VectorCase | ChunkedCase): item is ChunkedCase {
  return item.type === "chunked-body";
}

function readWhole(read: Reader, name: string, bytes: Uint8Array): Transcript {
  // Most of these requests leave Host out; one is about just that.
  const lenience = { allowMissingHost: !name.endsWith("Host missing") };
  const { transcript, deviationCount } = readEverySplit(read, bytes, { lenience });
  assertEquals(deviationCount, 0, `${name} depends on how it is split`);
  return transcript;
}

/** `head-complete` leaves open whether a body follows. */
function judgeHead(read: Reader, item: VectorCase): Judgement {
  const transcript = readWhole(read, item.name, bytesOfBase64(item.input));
  if (item.expect.outcome !== "head-complete") return judge(item, transcript);
  const isComplete = transcript.messages.length > 0 && !transcript.outcome.startsWith("error");
  const outcome = isComplete ? "head-complete" : transcript.outcome;
  const messages = item.expect.messages ?? [{}];
  return judge({ ...item, expect: { ...item.expect, messages } }, { ...transcript, outcome });
}

function judgeChunked(read: Reader, item: ChunkedCase): Judgement {
  const { name, expect: { outcome: wanted, body } } = item;
  const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  // Without `consumeTrailer` the source stops in front of the empty line.
  const tail = item.consumeTrailer || wanted !== "complete" ? "" : "\r\n";
  const bytes = bytesOf(head + textOf(bytesOfBase64(item.input)) + tail);
  const { outcome, messages } = readWhole(read, name, bytes);
  const isWanted = wanted === "error" ? outcome.startsWith("error") : outcome === wanted;
  const isSameBody = body === undefined || messages[0]!.body === textOf(bytesOfBase64(body));
  const got = isWanted && !isSameBody ? "another body" : outcome;
  return { name, wanted, got, isAgreed: isWanted && isSameBody };
}
