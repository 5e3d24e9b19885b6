import { assertEquals } from "@std/assert";
import { type Difference, loadTlsCases, unlisted } from "./vector_tls.ts";
import { type ChainVector, runChains } from "./vector_tls_chain.ts";

/** A case of x509test: one thing that RFC 5280 forbids; `time` in seconds. */
type X509TestCase = ChainVector & { readonly time: number };

const DIFFERENCES: readonly Difference[] = [
  {
    name: "x509test::ok-v1",
    gives: "ERR_X509_BAD_CERTIFICATE",
    clause: "X.690 section 11.5",
    reason: "the default version is encoded; and below a root nothing but version 3 is taken",
  },
  {
    name: "x509test::ok-v2-issuer-asn1-differ",
    gives: "ERR_X509_OLD_VERSION",
    clause: "issue: v3 only below the root",
    reason: "the issuer is found although it is spelled otherwise, but the leaf is of version 2",
  },
  {
    name: "x509test::xf-ext-altname-critical-subject",
    gives: "accepts",
    clause: "RFC 5280 section 4.2.1.6",
    reason: "a critical subjectAltName beside a subject is against a SHOULD, and does no harm",
  },
  {
    name: "x509test::xf-v3-uniqueid-noexts1",
    gives: "accepts",
    clause: "RFC 5280 section 4.1.2.1",
    reason: "version 3 without extensions is against a SHOULD, and does no harm",
  },
];

const cases = loadTlsCases<X509TestCase>("chain-x509test");

Deno.test({
  name: "verifyChain() refuses what RFC 5280 forbids, and within its budgets",
  ignore: cases === undefined,
  async fn() {
    const vectors = cases!.map((item) => ({ ...item, time: item.time * 1_000 }));
    const { judgements, most } = await runChains(vectors);
    assertEquals(unlisted(judgements, DIFFERENCES), []);
    assertEquals(most, { signatures: 2, nameComparisons: 1, pathSteps: 2 });
  },
});
