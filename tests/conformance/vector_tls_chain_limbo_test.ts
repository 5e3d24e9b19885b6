import { assertEquals } from "@std/assert";
import { type Difference, loadTlsCases, unlisted } from "./vector_tls.ts";
import { type ChainVector, runChains } from "./vector_tls_chain.ts";

/** A case of x509-limbo. */
interface LimboCase {
  readonly id: string;
  readonly expect: "ok" | "err";
  readonly peer_certificate: string;
  readonly untrusted_intermediates: readonly string[];
  readonly trusted_certs: readonly string[];
  readonly validation_time: string | null;
  readonly validation_kind: "SERVER" | "CLIENT";
  readonly expected_peer_name: { readonly value: string } | null;
  readonly max_chain_depth: number | null;
}

/** Where a case names no time: when the vectors were made. */
const NOW = Date.UTC(2026, 10, 21);
/** More than our option takes. */
const MOST_DEPTH = 100;

const CRL: Omit<Difference, "name"> = {
  gives: "accepts",
  clause: "issue: no claim about CRL or OCSP",
  reason: "the certificate is fine; only a revocation list that comes with it is not",
};
const COMMON_NAME: Omit<Difference, "name"> = {
  gives: "accepts",
  clause: "RFC 9525 section 6.3",
  reason: "a common name is no name of a host, whatever it says; only subjectAltName is looked at",
};

const DIFFERENCES: readonly Difference[] = [
  { name: "crl::crlnumber-critical", ...CRL },
  { name: "crl::issuer-missing-crlsign", ...CRL },
  {
    name: "pathlen::validation-ignores-pathlen-in-leaf",
    gives: "ERR_X509_KEY_USAGE",
    clause: "RFC 8446 section 4.4.2.2",
    reason: "its path lengths are fine, but the key of the leaf may sign nothing but certificates",
  },
  {
    name: "rfc5280::nc::invalid-dnsname-leading-period",
    gives: "accepts",
    clause: "RFC 5280 section 4.2.1.10",
    reason: "the dot is in wide use; it is read so that it permits less and excludes more",
  },
  {
    name: "webpki::aki::root-with-aki-all-fields",
    gives: "accepts",
    clause: "RFC 5280 section 4.2.1.1",
    reason: "issuer and serial number are allowed there, and trusted roots in use have them",
  },
  { name: "webpki::cn::case-mismatch", ...COMMON_NAME },
  { name: "webpki::cn::ipv4-leading-zeros-mismatch", ...COMMON_NAME },
  { name: "webpki::cn::ipv6-uncompressed-mismatch", ...COMMON_NAME },
  { name: "webpki::cn::not-in-san", ...COMMON_NAME },
  { name: "webpki::cn::utf8-vs-punycode-mismatch", ...COMMON_NAME },
  {
    name: "webpki::eku::ee-anyeku",
    gives: "accepts",
    clause: "RFC 5280 section 4.2.1.12",
    reason: "the leaf names serverAuth as well; the CA/Browser Forum alone forbids the other",
  },
  {
    name: "webpki::eku::ee-without-eku",
    gives: "accepts",
    clause: "RFC 5280 section 4.2.1.12",
    reason: "without the extension every purpose is allowed; rfc5280::eku::ee-without-eku wants so",
  },
  {
    name: "webpki::san::public-suffix-multi-label-wildcard-san",
    gives: "accepts",
    clause: "RFC 9525 section 6.3",
    reason: "which suffixes are public is a list that changes, and no part of this package",
  },
];

function toVector(item: LimboCase): ChainVector {
  const { validation_time: time, expected_peer_name: peer, max_chain_depth: depth } = item;
  return {
    id: item.id,
    expect: item.expect,
    leaf: item.peer_certificate,
    intermediates: item.untrusted_intermediates,
    roots: item.trusted_certs,
    time: time === null ? NOW : Date.parse(time),
    options: {
      purpose: item.validation_kind === "CLIENT" ? "clientAuth" : "serverAuth",
      ...peer !== null && { name: peer.value },
      ...depth !== null && { maxDepth: Math.min(depth, MOST_DEPTH) },
    },
  };
}

const cases = loadTlsCases<LimboCase>("chain-limbo");

Deno.test({
  name: "verifyChain() decides x509-limbo, and within its budgets",
  ignore: cases === undefined,
  async fn() {
    const { judgements, most } = await runChains(cases!.map(toVector));
    assertEquals(unlisted(judgements, DIFFERENCES), []);
    // nc-dos-2 runs into the bound on comparisons; a hundred issuers of one name cost no signature,
    // because another key is named.
    assertEquals(most, { signatures: 3, nameComparisons: 250_000, pathSteps: 100 });
  },
});
