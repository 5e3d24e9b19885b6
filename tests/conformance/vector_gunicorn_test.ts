import { assertEquals } from "@std/assert";
import { loadVectors } from "../_support/vectors.ts";
import { readEverySplit } from "./transcript.ts";
import { REQUEST_READERS } from "./transcript_readers.ts";
import { type Difference, unlisted } from "./vector_difference.ts";
import { bytesOfBase64, judge, type VectorCase } from "./vector_message.ts";

/** The limits of gunicorn that a case needs, by its names for them. */
interface GunicornCase extends VectorCase {
  readonly config?: {
    readonly limit_request_line?: number;
    readonly limit_request_fields?: number;
  };
  /** Whether the stream ends behind the input. */
  readonly eof?: boolean;
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: "gunicorn/valid/005",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 9112 section 3.2",
    reason: "a target has no fragment",
  },
  {
    name: "gunicorn/valid/009",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 9112 sections 3.2 and 6.1",
    reason: "a target has no fragment; Transfer-Encoding stands beside Content-Length as well",
  },
  {
    name: "gunicorn/valid/025_line",
    gives: "error ERR_HTTP_UNKNOWN_TRANSFER_CODING",
    clause: "RFC 9112 section 6.1",
    reason: "codings other than chunked are answered with 501",
  },
  {
    name: "gunicorn/valid/027",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 3986 section 2",
    reason: "bytes outside ASCII have to be percent-encoded; allowed by name only",
  },
  {
    name: "gunicorn/valid/030",
    gives: "error ERR_HTTP_UNKNOWN_TRANSFER_CODING",
    clause: "RFC 9112 section 7",
    reason: "identity is no transfer coding any more",
  },
  {
    name: "gunicorn/valid/040",
    gives: "message 1 with another header section",
    clause: "RFC 9110 section 5.1",
    reason: "gunicorn drops names with an underscore; to us they are fields like others",
  },
  {
    name: "gunicorn/valid/rfc9112_smuggle_te_identity_chunked_01",
    gives: "error ERR_HTTP_UNKNOWN_TRANSFER_CODING",
    clause: "RFC 9112 section 7",
    reason: "identity is no transfer coding any more",
  },
  {
    name: "gunicorn/valid/rfc9112_target_absolute_userinfo_01",
    gives: "error ERR_HTTP_BAD_TARGET",
    clause: "RFC 9110 section 4.2.4",
    reason: "userinfo from outside is an error",
  },
  {
    name: "gunicorn/valid/rfc9112_target_authority_connect_01",
    gives: "upgrade",
    clause: "RFC 9110 section 9.3.6",
    reason: "gunicorn takes CONNECT for a request like others; behind it may come a tunnel",
  },
  {
    name: "gunicorn/invalid/003c",
    gives: "complete",
    clause: "RFC 9110 section 9.1",
    reason: "a method is any token",
  },
  {
    name: "gunicorn/invalid/007",
    gives: "complete",
    clause: "RFC 9110 section 5.4",
    reason: "our limit is on the section, not on one field, and larger",
  },
  {
    name: "gunicorn/invalid/041",
    gives: "complete",
    clause: "RFC 9110 section 5.3",
    reason: "which of two Content-Type counts is for the handler to say",
  },
  {
    name: "gunicorn/invalid/limit_header_default_01",
    gives: "complete",
    clause: "RFC 9110 section 5.4",
    reason: "our limit is on the section, and larger",
  },
];

const vectors = loadVectors<{ readonly cases: readonly GunicornCase[] }>("gunicorn");

for (const { name: reader, read } of REQUEST_READERS) {
  Deno.test({
    name: `${reader} agrees with gunicorn`,
    ignore: vectors === undefined,
    fn() {
      const judgements = vectors!.cases.map((item) => {
        const { transcript, deviationCount } = readEverySplit(read, bytesOfBase64(item.input), {
          // Most of these requests leave Host out; what else they show is of use.
          lenience: { allowMissingHost: true },
          limits: {
            maxRequestLineBytes: item.config?.limit_request_line ?? 4094,
            maxHeaderCount: item.config?.limit_request_fields ?? 100,
          },
          isEnd: item.eof === true,
        });
        assertEquals(deviationCount, 0, `${item.name} depends on how it is split`);
        return judge(item, transcript);
      });
      assertEquals(unlisted(judgements, DIFFERENCES), []);
    },
  });
}
