import { assertEquals } from "@std/assert";
import { evaluateConditions } from "../../http/conditional_request.ts";
import { parseHttpDate } from "../../http/date_parser.ts";
import { parseEntityTag } from "../../http/entity_tag.ts";
import { HeaderList } from "../../http/header_list.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, unlisted } from "./vector_difference.ts";

/** Whether a client's copy is still fresh; cases about negotiation have another kind. */
interface FreshnessCase {
  readonly name: string;
  readonly kind: string;
  readonly req: Readonly<Record<string, string>>;
  readonly res: Readonly<Record<string, string>>;
  readonly expect: boolean;
}

const NOW_MS = Date.UTC(2026, 0, 1);

const DIFFERENCES: readonly Difference[] = [
  {
    name: String
      .raw`fresh {"cache-control":" no-cache","if-none-match":"\"foo\""} {"etag":"\"foo\""}`,
    gives: "true",
    clause: "RFC 9111 section 5.2.1.4",
    reason: "no-cache asks caches to validate, which a 304 of the origin does; it answers in full",
  },
];

const vectors = loadVectors<{ readonly cases: readonly FreshnessCase[] }>("negotiation");

function isFresh({ req, res }: FreshnessCase): boolean {
  const { etag, "last-modified": modified } = res;
  const request = { method: "GET", headers: new HeaderList(fields(req)), nowMs: NOW_MS };
  const outcome = evaluateConditions(request, {
    etag: etag === undefined ? undefined : parseEntityTag(etag),
    lastModifiedMs: modified === undefined ? undefined : parseHttpDate(modified, NOW_MS),
  });
  return outcome === "not-modified";
}

/** As a parser of heads would give them: without blanks at the ends. */
function fields(of: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(of).map(([name, value]) => [name, value.trim()]);
}

Deno.test({
  name: "conditions are evaluated as fresh evaluates them",
  ignore: vectors === undefined,
  fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "fresh");
    assertEquals(cases.length, 12);
    const judgements = cases.map((item) => ({
      name: item.name,
      wanted: String(item.expect),
      got: String(isFresh(item)),
      isAgreed: isFresh(item) === item.expect,
    }));
    assertEquals(unlisted(judgements, DIFFERENCES), []);
  },
});
