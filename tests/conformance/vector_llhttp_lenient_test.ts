import { assertEquals } from "@std/assert";
import type { HttpLenience } from "../../http/limits.ts";
import { loadVectors } from "../_support/vectors.ts";
import { readEverySplit } from "./transcript.ts";
import { readAsClient } from "./transcript_connection.ts";
import { REQUEST_READERS } from "./transcript_readers.ts";
import { type Difference, unlisted } from "./vector_difference.ts";
import { bytesOfBase64, type VectorCase } from "./vector_message.ts";

/** What is legal without any lenience of ours. */
const DIFFERENCES: readonly Difference[] = [
  {
    name: "request/connection.md:392 `close` / CRLF between requests, explicit `close` (lenient)",
    gives: "complete",
    clause: "RFC 9112 section 9.6",
    reason: "what comes behind the last request is not looked at",
  },
  {
    name: "response/connection.md:191 HTTP/1.1 with keep-alive disabled, content-length (lenient)",
    gives: "complete",
    clause: "RFC 9112 section 9.6",
    reason: "what comes behind the last response is not looked at",
  },
];

/** What a rule of ours lets through as well, and how. */
const ALLOWED: readonly { readonly name: string; readonly lenience: HttpLenience }[] = [
  {
    name: "request/sample.md:333 Line folding in header value with CRLF",
    lenience: { allowObsFold: true },
  },
  { name: "request/sample.md:571 X-SSL-Nonsense", lenience: { allowObsFold: true } },
];

const vectors = loadVectors<{ readonly cases: readonly VectorCase[] }>("llhttp-lenient");

for (const { name: reader, read } of REQUEST_READERS) {
  Deno.test({
    name: `${reader} refuses what llhttp takes only when lenient`,
    ignore: vectors === undefined,
    fn() {
      const judgements = vectors!.cases.map((item) => {
        const readItem = item.type === "request" ? read : readAsClient;
        const lenience = { allowMissingHost: true };
        const bytes = bytesOfBase64(item.input);
        const { transcript, deviationCount } = readEverySplit(readItem, bytes, { lenience });
        assertEquals(deviationCount, 0, `${item.name} depends on how it is split`);
        const isAgreed = transcript.outcome.startsWith("error");
        return { name: item.name, wanted: "error", got: transcript.outcome, isAgreed };
      });
      assertEquals(unlisted(judgements, DIFFERENCES), []);
    },
  });

  for (const { name, lenience } of ALLOWED) {
    Deno.test({
      name: `${reader} takes ${name} with ${Object.keys(lenience)}`,
      ignore: vectors === undefined,
      fn() {
        const item = vectors!.cases.find((candidate) => candidate.name === name)!;
        const options = { lenience: { ...lenience, allowMissingHost: true } };
        const bytes = bytesOfBase64(item.input);
        const { transcript, deviationCount } = readEverySplit(read, bytes, options);
        assertEquals(deviationCount, 0);
        assertEquals(transcript.outcome, "complete");
        assertEquals(transcript.messages[0]!.body, "");
        const wanted = item.expect.messages![0]!.headers!.map(unfolded);
        assertEquals(transcript.messages[0]!.headers.map(unfolded), wanted);
      },
    });
  }
}

/** A field without the white space that a fold leaves behind, which llhttp keeps as sent. */
function unfolded([name, value]: readonly [string, string]): string {
  return `${name}: ${value.replaceAll(/[ \t]+/g, " ").trim()}`;
}
