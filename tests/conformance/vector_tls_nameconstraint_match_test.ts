import { assertEquals } from "@std/assert";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import type { GeneralName } from "../../tls/general_name.ts";
import { relateToSubtree } from "../../tls/name_constraints.ts";
import { type Judgement, loadTlsCases, unlisted } from "./vector_tls.ts";

/** A name and the root of a subtree. */
interface ConstraintCase {
  readonly id: string;
  readonly kind: "DNS" | "IP";
  readonly presented: string;
  /** For addresses the address and the mask. */
  readonly constraint: string | readonly [address: string, mask: string];
  readonly expect: "match" | "nomatch" | "err";
}

const OUTCOMES = {
  inside: "match",
  outside: "nomatch",
  partly: "nomatch",
  unknown: "err",
} as const;

function judge({ id, presented, constraint, expect: wanted }: ConstraintCase): Judgement {
  const isDns = typeof constraint === "string";
  const name = isDns ? { type: "dns", value: presented } as const : toAddress([presented]);
  const base = isDns ? { type: "dns", value: constraint } as const : toAddress(constraint);
  const got = OUTCOMES[relateToSubtree(name, base)];
  return { name: id, wanted, got, isAgreed: got === wanted };
}

function toAddress(parts: readonly string[]): GeneralName {
  const bytes = parts.flatMap((part) => [...parseIpAddress(part)!.bytes]);
  return { type: "ip", value: new Uint8Array(bytes) };
}

const cases = loadTlsCases<ConstraintCase>("nameconstraint-match");

Deno.test({
  name: "relateToSubtree() decides the vectors of webpki",
  ignore: cases === undefined,
  fn() {
    assertEquals(unlisted(cases!.map(judge), []), []);
  },
});
