import { assertEquals } from "@std/assert";
import { serve } from "../../http/serve.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { loadVectors } from "../_support/vectors.ts";
import { readEverySplit } from "./transcript.ts";
import { REQUEST_READERS } from "./transcript_readers.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";
import { mapLive } from "./vector_live.ts";
import { bytesOfBase64 } from "./vector_message.ts";

/** A head with the tier of danger that the guardian puts it in. */
interface GuardianCase {
  readonly name: string;
  /** In base64: the head alone, without a body. */
  readonly input: string;
  readonly expect: { readonly tier: "Severe" | "Ambiguous" | "Acceptable" | "Compliant" };
}

/** What we serve, and keep the connection, where the guardian would not. */
const SERVED: readonly Omit<Difference, "gives">[] = [
  {
    name: "guardian/ambiguous: Transfer_Encoding with underscore.",
    clause: "RFC 9110 section 5.1",
    reason: "a field of another name; whoever maps names to variables has to look out",
  },
  {
    name: "guardian/ambiguous: Transfer-Encoding with multiple delimiters",
    clause: "RFC 9110 section 5.1",
    reason: "a field of another name",
  },
  {
    name: "guardian/ambiguous: Get with a body and Transfer-Encoding",
    clause: "RFC 9110 section 9.3.1",
    reason: "a body of GET means nothing, and is framed like any other",
  },
  {
    name: "guardian/ambiguous: Head with a body and Transfer-Encoding",
    clause: "RFC 9110 section 9.3.2",
    reason: "a body of HEAD means nothing, and is framed like any other",
  },
  {
    name: "guardian/real-life-test-cases: Has a CL in GET",
    clause: "RFC 9110 section 9.3.1",
    reason: "a body of GET means nothing, and is framed like any other",
  },
];

/** What we refuse where the guardian would not. */
const REFUSED: readonly (Omit<Difference, "gives"> & { readonly status: number })[] = [
  {
    name: "guardian/rfc-compliant: Different Transfer-Encoding headers",
    status: 501,
    clause: "RFC 9112 section 6.1",
    reason: "codings other than chunked are not understood",
  },
  {
    name: "guardian/rfc-compliant: Transfer-Encoding with a param: chunked;custom_param",
    status: 400,
    clause: "RFC 9112 section 7.1",
    reason: "chunked has no parameters, and a parameter has a value",
  },
  {
    name:
      "guardian/more-compliant-tests: Multiple transfer encoding headers in a single request OK",
    status: 501,
    clause: "RFC 9112 section 6.1",
    reason: "codings other than chunked are not understood",
  },
  {
    name: "guardian/rfc-compliant: International in URI",
    status: 400,
    clause: "RFC 3986 section 2",
    reason: "bytes outside ASCII have to be percent-encoded; allowed by name only",
  },
];

const vectors = loadVectors<{ readonly cases: readonly GuardianCase[] }>("desync-guardian");
const ignore = vectors === undefined;

for (const { name: reader, read } of REQUEST_READERS) {
  Deno.test({
    name: `${reader} agrees with the tiers of http-desync-guardian`,
    ignore,
    fn() {
      const judgements = vectors!.cases.map((item) => {
        const { transcript, deviationCount } = readEverySplit(read, bytesOfBase64(item.input));
        assertEquals(deviationCount, 0, `${item.name} depends on how it is split`);
        const got = transcript.messages.length > 0 && transcript.statusHint === undefined
          ? "served"
          : `refused ${transcript.statusHint}`;
        return judgement(item, got);
      });
      assertEquals(unlisted(judgements, differences("served")), []);
    },
  });
}

Deno.test({
  name: "serve() agrees with the tiers of http-desync-guardian",
  ignore,
  async fn() {
    // Answers without reading, as the bodies never come.
    await using server = serve((ctx) => ctx.text("OK"), { hostname: "127.0.0.1", port: 0 });
    const { hostname, port } = server.addr as Deno.NetAddr;
    const judgements = await mapLive(vectors!.cases, async (item) => {
      return judgement(item, await outcomeOf({ hostname, port }, item));
    });
    assertEquals(unlisted(judgements, differences("served and kept")), []);
  },
});

function differences(served: string): Difference[] {
  return [
    ...SERVED.map((row) => ({ ...row, gives: served })),
    ...REFUSED.map(({ status, ...row }) => ({ ...row, gives: `refused ${status}` })),
  ];
}

function judgement(item: GuardianCase, got: string): Judgement {
  const { name, expect: { tier: wanted } } = item;
  const isRefused = got.startsWith("refused");
  const isAgreed = {
    Severe: got === "refused 400",
    Ambiguous: isRefused || got === "served and closed",
    Acceptable: isRefused || got.startsWith("served"),
    Compliant: got.startsWith("served"),
  }[wanted];
  return { name, wanted, got, isAgreed };
}

/** What the head alone brings; the connection is left where it says that it stays. */
async function outcomeOf(address: RawAddress, item: GuardianCase): Promise<string> {
  const bytes = bytesOfBase64(item.input);
  await using client = await RawClient.connect(address);
  await client.send(bytes);
  const response = await client.response(textOf(bytes).startsWith("HEAD "));
  if (response === undefined) return `nothing, then ${client.end}`;
  const { status } = response;
  if (fieldOf(response, "connection")?.toLowerCase() !== "close") {
    return status === 200 ? "served and kept" : `${status} and kept`;
  }
  const end = await client.closed();
  if (end !== "eof" || client.leftover.length > 0) return `${status}, then ${end}`;
  return status === 200 ? "served and closed" : `refused ${status}`;
}
