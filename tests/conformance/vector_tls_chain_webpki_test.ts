import { assertEquals } from "@std/assert";
import { type Difference, loadTlsCases, unlisted } from "./vector_tls.ts";
import { type ChainVector, runChains } from "./vector_tls_chain.ts";

/** A case of rustls/webpki: a leaf right below its root; `time` in seconds. */
type WebpkiCase = ChainVector & { readonly time: number };

const SUITE = "webpki::tls_server_certs::";

const DIFFERENCES: readonly Difference[] = [
  {
    name: `${SUITE}exclude_directory_name_not_implemented`,
    gives: "accepts",
    clause: "RFC 5280 section 4.2.1.10",
    reason: "webpki cannot compare directory names; the subject is not below the excluded one",
  },
  {
    name: `${SUITE}reject_constraints_on_unimplemented_names`,
    gives: "accepts",
    clause: "RFC 5280 section 4.2.1.10",
    reason: "webpki cannot compare mail addresses; this one is permitted",
  },
  {
    name: `${SUITE}we_incorrectly_ignore_name_constraints_on_name_in_subject`,
    gives: "ERR_X509_NAME_CONSTRAINTS",
    clause: "RFC 5280 section 4.2.1.10",
    reason: "the mail address in the subject is not permitted, as the name of the vector says",
  },
];

const cases = loadTlsCases<WebpkiCase>("chain-webpki");

Deno.test({
  name: "verifyChain() decides the chains of webpki, and within its budgets",
  ignore: cases === undefined,
  async fn() {
    const vectors = cases!.map((item) => ({ ...item, time: item.time * 1_000 }));
    const { judgements, most } = await runChains(vectors);
    assertEquals(unlisted(judgements, DIFFERENCES), []);
    assertEquals(most, { signatures: 1, nameComparisons: 4, pathSteps: 1 });
  },
});
