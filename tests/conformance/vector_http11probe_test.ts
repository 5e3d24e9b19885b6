import { assertEquals } from "@std/assert";
import { bytesOf } from "../_support/raw_bytes.ts";
import type { RawAddress } from "../_support/raw_client.ts";
import { loadVectors } from "../_support/vectors.ts";
import { request } from "./http_case.ts";
import { startTarget } from "./http_target.ts";
import { readEverySplit, type Transcript } from "./transcript.ts";
import { REQUEST_READERS } from "./transcript_readers.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";
import { CHECKS, isUnfinished, keysOf, type ProbeCase } from "./vector_http11probe.ts";
import { describeOutcome, exchange, mapLive } from "./vector_live.ts";
import { bytesOfBase64 } from "./vector_message.ts";

const DIFFERENCES: readonly Difference[] = [
  {
    name: "CAP-ETAG-304",
    gives: "200, 200/open",
    clause: "RFC 9110 section 13.2.1",
    reason: "a condition is for who knows the representation; the target has no validators",
  },
  {
    name: "CAP-ETAG-IN-304",
    gives: "200, 200/open",
    clause: "RFC 9110 section 13.2.1",
    reason: "a condition is for who knows the representation; the target has no validators",
  },
  {
    name: "CAP-INM-WILDCARD",
    gives: "200, 200/open",
    clause: "RFC 9110 section 13.2.1",
    reason: "a condition is for who knows the representation; the target has no validators",
  },
  {
    name: "CAP-ETAG-WEAK",
    gives: "200, 200/open",
    clause: "RFC 9110 section 13.2.1",
    reason: "a condition is for who knows the representation; the target has no validators",
  },
  {
    name: "COMP-METHOD-CASE",
    gives: "200/open",
    clause: "RFC 9110 section 9.1",
    reason:
      "a method is any token, and get another one than GET; the target answers all it does not know",
  },
  {
    name: "COMP-GET-WITH-CL-BODY",
    gives: "200/open",
    clause: "RFC 9110 section 9.3.1",
    reason: "a body of GET means nothing, and is framed like any other",
  },
  {
    name: "COMP-UPGRADE-INVALID-VER",
    gives: "200/open",
    clause: "RFC 9110 section 7.8",
    reason: "the target upgrades to nothing; a server may ignore Upgrade",
  },
  {
    name: "COMP-HTTP12-VERSION",
    gives: "505/closed",
    clause: "RFC 9110 section 15.6.6",
    reason: "a version above 1.1 is told so, not hung up on",
  },
  {
    name: "COMP-DUPLICATE-CT",
    gives: "200/open",
    clause: "RFC 9110 section 5.3",
    reason: "which of two Content-Type counts is for the handler to say",
  },
  {
    name: "MAL-URL-PERCENT-NULL",
    gives: "200/open",
    clause: "RFC 3986 section 2.1",
    reason: "a percent-encoded NUL is legal; it is never decoded in the target",
  },
  {
    name: "MAL-POST-CL-HUGE-NO-BODY",
    gives: "413/closed",
    clause: "RFC 9110 section 15.5.14",
    reason: "a body of a gigabyte is refused with the status made for it",
  },
  {
    name: "SMUG-TRANSFER_ENCODING",
    gives: "200/open",
    clause: "RFC 9110 section 5.1",
    reason: "a field of another name",
  },
  {
    name: "SMUG-EXPECT-100-CL",
    gives: "200/open",
    clause: "RFC 9110 section 10.1.1",
    reason: "legal, and framed by its length",
  },
  {
    name: "SMUG-OPTIONS-CL-BODY",
    gives: "204/open",
    clause: "RFC 9110 section 9.3.7",
    reason: "a body of OPTIONS is legal, and framed by its length",
  },
  {
    name: "SMUG-CL0-BODY-POISON",
    gives: "200, 200/open",
    clause: "RFC 9112 section 6.3, rule 6",
    reason: "what comes behind a body of length 0 starts the next request; its method is XGET",
  },
];

const vectors = loadVectors<{ readonly cases: readonly ProbeCase[] }>("http11probe");
const ignore = vectors === undefined;

for (const { name: reader, read } of REQUEST_READERS) {
  Deno.test({
    name: `${reader} takes the requests of http11probe the same however split`,
    ignore,
    fn() {
      for (const item of vectors!.cases) {
        const { transcript, deviationCount } = readEverySplit(read, bytesOfSteps(item));
        assertEquals(deviationCount, 0, `${item.name} depends on how it is split`);
        checkSmuggling(item, transcript);
      }
    },
  });
}

Deno.test({
  name: "serve() passes http11probe",
  ignore,
  async fn() {
    await using target = startTarget();
    const judgements = await mapLive(vectors!.cases, (item) => judge(target.address, item));
    assertEquals(unlisted(judgements, DIFFERENCES), []);
  },
});

/** Of what is meant to smuggle, a parser lets nothing through behind the first error. */
function checkSmuggling(item: ProbeCase, transcript: Transcript): void {
  const isSmuggling = /^SMUG-(CLTE|TECL)-SMUGGLED/.test(item.name);
  if (!isSmuggling) return;
  assertEquals(transcript.messages, [], item.name);
  assertEquals(transcript.outcome.startsWith("error"), true, item.name);
}

async function judge(address: RawAddress, item: ProbeCase): Promise<Judgement> {
  const outcome = await exchange(address, piecesOf(item), {
    isHead: item.name === "COMP-HEAD-NO-BODY",
    endsSide: isUnfinished(item),
  });
  const keys = keysOf(outcome);
  const check = CHECKS[item.name];
  const { pass = [] } = item.expect;
  const isAgreed = check?.(outcome) ?? keys.some((key) => pass.includes(key));
  const wanted = check === undefined ? pass.join(" or ") : "what its own check says";
  return { name: item.name, wanted, got: describeOutcome(outcome), isAgreed };
}

function piecesOf(item: ProbeCase): Uint8Array[] {
  if (item.input !== undefined) return [bytesOfBase64(item.input)];
  return item.steps!.map((step) => {
    if (step.input !== undefined) return bytesOfBase64(step.input);
    // Our target gives no ETag to be repeated; any will do.
    return bytesOf(request("GET", "/", ['If-None-Match: "a"']));
  });
}

function bytesOfSteps(item: ProbeCase): Uint8Array {
  const pieces = piecesOf(item);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}
