import { assertEquals } from "@std/assert";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import type { GeneralName } from "../../tls/general_name.ts";
import { HostnameError, verifyHostname } from "../../tls/verify_hostname.ts";
import { type Difference, type Judgement, loadTlsCases, unlisted } from "./vector_tls.ts";

/** Names of a certificate and a host. */
interface MatchCase {
  readonly id: string;
  readonly san: readonly (readonly [type: string, value: string])[];
  readonly hostname: string;
  readonly expect: "ok" | "err";
  /** Whether it is only the common name that matches. */
  readonly usesCnFallback?: boolean;
  readonly tags?: readonly string[];
}

/** A certificate and a host. */
interface CertificateCase {
  readonly id: string;
  readonly cert: string;
  readonly hostname: string;
  readonly expect: "ok" | "err";
}

/** By its tag, as every case of it is alike: two texts are equal and neither is a name. */
const NOT_A_NAME = "identical-but-not-a-dns-name";

/** The name to be looked for is none: the caller is told so. */
const NO_NAME: Omit<Difference, "name"> = {
  gives: "no name",
  clause: "RFC 9525 section 6.1.1",
  reason: "what is looked for is no DNS name; texts that are none match nothing, equal or not",
};

const MATCH_DIFFERENCES: readonly Difference[] = [
  {
    name: "curl-hostcheck#12",
    gives: "err",
    clause: "RFC 9525 section 6.4",
    reason: "an address matches an iPAddress only, never a dNSName that looks like it",
  },
  { name: "curl-hostcheck#20", ...NO_NAME },
  { name: "curl-hostcheck#22", ...NO_NAME },
  { name: "curl-hostcheck#24", ...NO_NAME },
  {
    name: "curl-hostcheck#26",
    gives: "err",
    clause: "RFC 5280 section 4.2.1.6",
    reason: "a dNSName in preferred syntax does not end with a dot",
  },
  { name: "go-match#12", ...NO_NAME },
  {
    name: "go-match#26",
    gives: "err",
    clause: "RFC 9525 section 7.1",
    reason: "a wildcard right below a top-level domain stands for names of many owners",
  },
  { name: "go-match#28", ...NO_NAME },
  {
    name: "node-checkServerIdentity#30",
    gives: "err",
    clause: "RFC 9525 section 6.3",
    reason: "a wildcard is a whole label",
  },
];

const TRAILING_DOT: Omit<Difference, "name"> = {
  gives: "ok",
  clause: "RFC 1034 section 3.1, RFC 9525 section 6.3",
  reason: "a dot at the end makes the name that is looked for absolute, and no other name",
};

const OPENSSL_DIFFERENCES: readonly Difference[] = [
  { name: "openssl-v3nametest#6", ...TRAILING_DOT },
  { name: "openssl-v3nametest#58", ...TRAILING_DOT },
  { name: "openssl-v3nametest#918", ...NO_NAME },
];

const CERTIFICATE_DIFFERENCES: readonly Difference[] = [
  {
    name: "limbo::webpki::san::public-suffix-multi-label-wildcard-san",
    gives: "ok",
    clause: "RFC 9525 section 6.3",
    reason: "which suffixes are public is a list that changes, and no part of this package",
  },
];

function verdict(subjectAltName: readonly GeneralName[] | undefined, hostname: string): string {
  try {
    verifyHostname({ subjectAltName }, hostname);
    return "ok";
  } catch (error) {
    if (error instanceof HostnameError) return "err";
    if (error instanceof TypeError) return "no name";
    throw error;
  }
}

/** Some of the certificates cannot even be read, and are to be refused. */
function verdictOf(pem: string, hostname: string): string {
  try {
    return verdict(parseCertificates(pem)[0]!.subjectAltName, hostname);
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

function toName([type, value]: readonly [string, string]): GeneralName {
  switch (type) {
    case "DNS":
      return { type: "dns", value };
    case "IP":
      return { type: "ip", value: parseIpAddress(value)!.bytes };
    case "URI":
      return { type: "uri", value };
    default:
      return { type: "ediParty", raw: new Uint8Array() };
  }
}

function judgement(name: string, expected: string, got: string): Judgement {
  const isAgreed = (got === "ok") === (expected === "ok");
  return { name, wanted: expected, got, isAgreed };
}

/** Common names do not count (RFC 9525 section 2), which the vectors say of themselves. */
function judgeMatch({ id, san, hostname, expect, usesCnFallback, tags }: MatchCase): Judgement {
  const isRefused = usesCnFallback === true || tags?.includes(NOT_A_NAME) === true;
  return judgement(id, isRefused ? "err" : expect, verdict(san.map(toName), hostname));
}

const matches = loadTlsCases<MatchCase>("hostname-match");
const openssl = loadTlsCases<MatchCase>("hostname-openssl");
const certificates = loadTlsCases<CertificateCase>("hostname-certs");

Deno.test({
  name: "verifyHostname() decides the tables of other projects",
  ignore: matches === undefined,
  fn() {
    assertEquals(unlisted(matches!.map(judgeMatch), MATCH_DIFFERENCES), []);
  },
});

Deno.test({
  name: "verifyHostname() decides the matrix of OpenSSL",
  ignore: openssl === undefined,
  fn() {
    assertEquals(unlisted(openssl!.map(judgeMatch), OPENSSL_DIFFERENCES), []);
  },
});

Deno.test({
  name: "verifyHostname() decides by the names of certificates",
  ignore: certificates === undefined,
  fn() {
    const judgements = certificates!.map(({ id, cert, hostname, expect }) => {
      return judgement(id, expect, verdictOf(cert, hostname));
    });
    assertEquals(unlisted(judgements, CERTIFICATE_DIFFERENCES), []);
  },
});
