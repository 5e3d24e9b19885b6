import { assertEquals } from "@std/assert";
import { loadVectors } from "../_support/vectors.ts";
import { startTarget } from "./http_target.ts";
import { readEverySplit, type Transcript } from "./transcript.ts";
import { REQUEST_READERS } from "./transcript_readers.ts";
import { type Judgement, unlisted } from "./vector_difference.ts";
import { describeOutcome, exchange, isRefusal, type LiveOutcome, mapLive } from "./vector_live.ts";
import { bytesOfBase64 } from "./vector_message.ts";

/** A POST with one mutated Transfer-Encoding line, Content-Length 6 and six bytes. */
interface MutationCase {
  readonly name: string;
  /** In base64. */
  readonly input: string;
  readonly expect: { readonly outcome: "reject" | "accept" };
}

/** Those six bytes: an empty chunked body and one byte of somebody's next request. */
const BODY = "0\r\n\r\nX";

const vectors = loadVectors<{ readonly cases: readonly MutationCase[] }>("te-mutations");
const ignore = vectors === undefined;

for (const { name: reader, read } of REQUEST_READERS) {
  Deno.test({
    name: `${reader} is not misled by any mutation of Transfer-Encoding`,
    ignore,
    fn() {
      const judgements = vectors!.cases.map((item) => {
        const { transcript, deviationCount } = readEverySplit(read, bytesOfBase64(item.input));
        assertEquals(deviationCount, 0, `${item.name} depends on how it is split`);
        return judgeTranscript(item, transcript);
      });
      assertEquals(unlisted(judgements, []), []);
    },
  });
}

Deno.test({
  name: "serve() is not misled by any mutation of Transfer-Encoding",
  ignore,
  async fn() {
    await using target = startTarget();
    const judgements = await mapLive(vectors!.cases, async (item) => {
      return judgeLive(item, await exchange(target.address, [bytesOfBase64(item.input)]));
    });
    assertEquals(unlisted(judgements, []), []);
  },
});

function judgeTranscript(item: MutationCase, { outcome, messages }: Transcript): Judgement {
  const { name, expect: { outcome: wanted } } = item;
  const isOne = outcome === "complete" && messages.length === 1 && messages[0]!.body === BODY;
  const isAgreed = wanted === "reject" ? outcome.startsWith("error") : isOne;
  return { name, wanted, got: outcome, isAgreed };
}

function judgeLive(item: MutationCase, outcome: LiveOutcome): Judgement {
  const { name, expect: { outcome: wanted } } = item;
  const { responses, isOpen } = outcome;
  const isOne = responses.length === 1 && responses[0]!.body === BODY && isOpen;
  const isAgreed = wanted === "reject" ? isRefusal(outcome) : isOne;
  return { name, wanted, got: describeOutcome(outcome), isAgreed };
}
