import { assertEquals } from "@std/assert";
import { rankCharsets, rankEncodings, rankLanguages, rankTypes } from "../../http/negotiation.ts";
import { parsePreferences } from "../../http/negotiation_parser.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, unlisted } from "./vector_difference.ts";

/** A call of the source's library; those about freshness have another kind. */
interface NegotiationCase {
  readonly name: string;
  readonly kind: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What is offered, and in which order the server likes it. */
  readonly args: readonly [offers?: string[], options?: { readonly preferred?: string[] }];
  readonly expect: string | readonly string[] | null;
}

const RANKS = {
  mediaType: { field: "accept", rank: rankTypes },
  language: { field: "accept-language", rank: rankLanguages },
  encoding: { field: "accept-encoding", rank: rankEncodings },
  charset: { field: "accept-charset", rank: rankCharsets },
} as const;

/** What a field leaves unsaid: without offers we give what it says and nothing else. */
const UNSAID = "it names what an absent field, or no coding, stands for as if the client had";

const DIFFERENCES: readonly Difference[] = [
  {
    name: "charset() {}",
    gives: "null",
    clause: "RFC 9110 section 12.5.2",
    reason: UNSAID,
  },
  {
    name: "language() {}",
    gives: "null",
    clause: "RFC 9110 section 12.5.4",
    reason: UNSAID,
  },
  {
    name: "languages() {}",
    gives: "[]",
    clause: "RFC 9110 section 12.5.4",
    reason: UNSAID,
  },
  {
    name: "mediaType() {}",
    gives: "null",
    clause: "RFC 9110 section 12.5.1",
    reason: UNSAID,
  },
  {
    name: "mediaTypes() {}",
    gives: "[]",
    clause: "RFC 9110 section 12.5.1",
    reason: UNSAID,
  },
  {
    name: "encodings() {}",
    gives: "[]",
    clause: "RFC 9110 section 12.5.3",
    reason: UNSAID,
  },
  {
    name: 'encodings() {"accept-encoding":"gzip"}',
    gives: '["gzip"]',
    clause: "RFC 9110 section 12.5.3",
    reason: UNSAID,
  },
  {
    name: 'encodings() {"accept-encoding":"gzip, deflate"}',
    gives: '["gzip","deflate"]',
    clause: "RFC 9110 section 12.5.3",
    reason: UNSAID,
  },
  {
    name: 'encodings() {"accept-encoding":"gzip;foo=bar;q=1, deflate;q=1"}',
    gives: '["gzip","deflate"]',
    clause: "RFC 9110 section 12.5.3",
    reason: UNSAID,
  },
];

const vectors = loadVectors<{ readonly cases: readonly NegotiationCase[] }>("negotiation");

/** The answer of ours to the same question. */
function answer({ method, headers, args }: NegotiationCase): unknown {
  const isList = method.endsWith("s");
  const { field, rank } = RANKS[(isList ? method.slice(0, -1) : method) as keyof typeof RANKS];
  const [offers, options] = args;
  const value = headers[field];
  const found = offers === undefined
    ? wishes(value)
    : rank(value, inOrder(offers, options?.preferred ?? []));
  return isList ? found : found[0] ?? null;
}

/** What a client takes of anything: the field itself, the best first. */
function wishes(field: string | undefined): string[] {
  if (field === undefined) return [];
  const preferences = parsePreferences(field).filter(({ quality }) => quality > 0);
  return preferences.sort((a, b) => b.quality - a.quality).map(({ value }) => value);
}

/** The order of our offers is what the source calls preferred. */
function inOrder(offers: readonly string[], preferred: readonly string[]): string[] {
  const rest = offers.filter((offer) => !preferred.includes(offer));
  return [...preferred.filter((offer) => offers.includes(offer)), ...rest];
}

function withoutCase(value: unknown): string {
  return JSON.stringify(value).toLowerCase();
}

Deno.test({
  name: "negotiation agrees with negotiator",
  ignore: vectors === undefined,
  fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "negotiate");
    assertEquals(cases.length, 188);
    const judgements = cases.map((item) => {
      const got = answer(item);
      // With offers the spelling is that of the offer; without, ours is lower case.
      const isAgreed = item.args[0] === undefined
        ? withoutCase(got) === withoutCase(item.expect)
        : JSON.stringify(got) === JSON.stringify(item.expect);
      return {
        name: item.name,
        wanted: JSON.stringify(item.expect),
        got: JSON.stringify(got),
        isAgreed,
      };
    });
    assertEquals(unlisted(judgements, DIFFERENCES), []);
  },
});
