import { assertEquals } from "@std/assert";
import { isDnsIdentifier } from "../../tls/dns_identifier.ts";
import { type Judgement, loadTlsCases, unlisted } from "./vector_tls.ts";

/** A text that is a name to be looked for, or not; some say the same of a name in a certificate. */
interface SyntaxCase {
  readonly id: string;
  readonly name: string;
  readonly expect: "ok" | "err";
  readonly asPattern?: "ok" | "err";
}

function judge(item: SyntaxCase): Judgement[] {
  const asked = isDnsIdentifier(item.name, { allowTrailingDot: true });
  const judgements = [toJudgement(item.id, item.expect, asked)];
  if (item.asPattern === undefined) return judgements;
  const presented = isDnsIdentifier(item.name, { allowWildcard: true });
  return [...judgements, toJudgement(`${item.id} as pattern`, item.asPattern, presented)];
}

function toJudgement(name: string, wanted: "ok" | "err", isName: boolean): Judgement {
  const got = isName ? "ok" : "err";
  return { name, wanted, got, isAgreed: got === wanted };
}

const cases = loadTlsCases<SyntaxCase>("dnsname-syntax");

Deno.test({
  name: "isDnsIdentifier() tells names from what is none",
  ignore: cases === undefined,
  fn() {
    assertEquals(unlisted(cases!.flatMap(judge), []), []);
  },
});
