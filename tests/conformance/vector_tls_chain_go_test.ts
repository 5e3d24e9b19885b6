import { assertEquals } from "@std/assert";
import type { CertificatePurpose } from "../../tls/chain_rules.ts";
import { type Difference, loadTlsCases, unlisted } from "./vector_tls.ts";
import { type ChainVector, runChains } from "./vector_tls_chain.ts";

/** A case of Go's crypto/x509. */
interface GoCase {
  readonly id: string;
  readonly expect: "ok" | "err";
  readonly leaf: string;
  readonly intermediates: readonly string[];
  readonly roots: readonly string[];
  /** Seconds since the epoch. */
  readonly time: number;
  readonly dnsName: string;
  /** Numbers of Go's constants; one of them has to be allowed. */
  readonly ekus: readonly number[];
}

const PURPOSES: Readonly<Record<number, CertificatePurpose>> = {
  0: "any",
  1: "serverAuth",
  2: "clientAuth",
  3: "codeSigning",
  4: "emailProtection",
};

const UNKNOWN_TYPE: Omit<Difference, "name"> = {
  gives: "ERR_X509_BAD_EXTENSION",
  clause: "RFC 5280 section 4.2.1.6",
  reason: "a general name of a type that the RFC does not have; Go passes over it",
};
const SHA1: Omit<Difference, "name"> = {
  gives: "ERR_X509_WEAK_SIGNATURE",
  clause: "issue: weak hashes refused",
  reason: "signed with SHA-1, which Go takes only if told so",
};

const DIFFERENCES: readonly Difference[] = [
  { name: "go::nc#28", ...UNKNOWN_TYPE },
  { name: "go::nc#38", ...UNKNOWN_TYPE },
  { name: "go::verify7::dnssec-exp", ...SHA1 },
  { name: "go::verify9::dnssec-exp/RootInIntermediates", ...SHA1 },
  {
    name: "go::verify25::noname",
    gives: "ERR_X509_BAD_SERIAL",
    clause: "RFC 5280 section 4.1.2.2",
    reason: "the serial number of the leaf is zero",
  },
];

/** One vector for each purpose, of which one has to pass. */
function toVectors(item: GoCase): ChainVector[] {
  const ekus = item.ekus.length === 0 ? [1] : item.ekus;
  return ekus.map((eku) => ({
    ...item,
    time: item.time * 1_000,
    options: { purpose: PURPOSES[eku]!, ...item.dnsName !== "" && { name: item.dnsName } },
  }));
}

const cases = loadTlsCases<GoCase>("chain-go");

Deno.test({
  name: "verifyChain() decides Go's chains, and within its budgets",
  ignore: cases === undefined,
  async fn() {
    const { judgements, most } = await runChains(cases!.flatMap(toVectors));
    const accepted = new Set(
      judgements.filter(({ got }) => got === "accepts").map(({ name }) => name),
    );
    const joined = judgements.filter(({ name, got }) => got === "accepts" || !accepted.has(name));
    assertEquals(joined.length, cases!.length);
    assertEquals(unlisted(joined, DIFFERENCES), []);
    assertEquals(most, { signatures: 5, nameComparisons: 7, pathSteps: 5 });
  },
});
