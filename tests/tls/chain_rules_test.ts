import { assertEquals, assertThrows } from "@std/assert";
import type { Certificate } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import {
  type ChainRules,
  checkIntermediate,
  checkLeaf,
  checkPurpose,
  checkRoot,
  mayBeSameKey,
} from "../../tls/chain_rules.ts";
import { algorithm, type BuiltExtension, commonName } from "./certificate_builder.ts";
import {
  altNames,
  basicConstraints,
  ca,
  dns,
  email,
  extendedKeyUsage,
  inhibitAnyPolicy,
  keyUsage,
  KeyUsageBit,
  leaf,
  nameConstraints,
  NOW,
  policies,
  policyMapping,
  requirePolicy,
  subjectKey,
  unknownExtension,
} from "./chain_certificates.ts";

const RULES: ChainRules = { time: NOW, purpose: "serverAuth" };
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const ANY_PURPOSE = "2.5.29.37.0";
const ANY_POLICY = "2.5.29.32.0";

function outcome(check: (certificate: Certificate, rules: ChainRules) => void) {
  return (certificate: Certificate, rules: Partial<ChainRules> = {}): string => {
    try {
      check(certificate, { ...RULES, ...rules });
      return "accepts";
    } catch (error) {
      if (!(error instanceof CertificateVerificationError)) throw error;
      assertEquals(error.certificate, certificate);
      return error.code;
    }
  };
}

const ofLeaf = outcome(checkLeaf);
const ofIntermediate = outcome(checkIntermediate);
const ofRoot = outcome(checkRoot);

const leafWith = (...extensions: BuiltExtension[]): Certificate => leaf({ extensions });
const caWith = (...extensions: BuiltExtension[]): Certificate =>
  ca({ name: "ca", by: "root", extensions });
const rootWith = (...extensions: BuiltExtension[]): Certificate => ca({ name: "root", extensions });
/** An extension under another identifier, or one that is not critical. */
const changed = (extension: BuiltExtension, change: Partial<BuiltExtension>): BuiltExtension => ({
  ...extension,
  ...change,
});
const weakKey = {
  publicKey: (writer: Parameters<typeof algorithm>[0]) =>
    writer.writeSequence(() => {
      algorithm(writer, "1.3.101.113");
      writer.writeBitString(new Uint8Array(57));
    }),
};

Deno.test("sound certificates are accepted everywhere", () => {
  assertEquals(ofLeaf(leaf()), "accepts");
  assertEquals(ofIntermediate(ca({ name: "ca", by: "root" })), "accepts");
  assertEquals(ofRoot(ca({ name: "root" })), "accepts");
});

Deno.test("both ends of the validity belong to it", () => {
  for (
    const [check, certificate] of [
      [ofLeaf, leaf()],
      [ofIntermediate, ca({ name: "ca", by: "root" })],
      [ofRoot, ca({ name: "root" })],
    ] as const
  ) {
    const { notBefore, notAfter } = certificate;
    assertEquals(check(certificate, { time: notBefore }), "accepts");
    assertEquals(check(certificate, { time: notAfter }), "accepts");
    assertEquals(check(certificate, { time: notBefore - 1 }), "ERR_X509_NOT_YET_VALID");
    assertEquals(check(certificate, { time: notAfter + 1 }), "ERR_X509_EXPIRED");
  }
});

const SERIALS: readonly (readonly [number | Uint8Array, boolean])[] = [
  [0, false],
  [-1, false],
  [1, true],
  [new Uint8Array(20).fill(0x7f), true],
  [new Uint8Array([0, ...new Uint8Array(20).fill(0x80)]), true],
  [new Uint8Array(21).fill(0x7f), false],
];

Deno.test("serial numbers are positive and of at most 20 bytes, but for roots", () => {
  for (const [serialNumber, isGood] of SERIALS) {
    const expected = isGood ? "accepts" : "ERR_X509_BAD_SERIAL";
    assertEquals(ofLeaf(leaf({ serialNumber })), expected);
    assertEquals(ofIntermediate(ca({ name: "ca", by: "root", serialNumber })), expected);
    assertEquals(ofRoot(ca({ name: "root", serialNumber })), "accepts");
  }
});

Deno.test("nothing but version 3 is accepted below a root", () => {
  const bare = (name: string): Certificate => leaf({ name, by: name, version: 1, isBare: true });
  assertEquals(ofLeaf(bare("leaf")), "ERR_X509_OLD_VERSION");
  assertEquals(ofIntermediate(bare("ca")), "ERR_X509_OLD_VERSION");
  assertEquals(ofRoot(bare("root")), "accepts");
});

Deno.test("names of issuers are not empty", () => {
  assertEquals(ofLeaf(leaf({ issuer: commonName() })), "ERR_X509_EMPTY_NAME");
  assertEquals(
    ofIntermediate(ca({ name: "ca", by: "root", subject: commonName() })),
    "ERR_X509_EMPTY_NAME",
  );
  assertEquals(ofRoot(ca({ name: "root", subject: commonName() })), "ERR_X509_EMPTY_NAME");
});

Deno.test("keys nobody can check with are refused everywhere", () => {
  assertEquals(ofLeaf(leaf(weakKey)), "ERR_X509_UNSUPPORTED_KEY");
  assertEquals(
    ofIntermediate(ca({ name: "ca", by: "root", ...weakKey })),
    "ERR_X509_UNSUPPORTED_KEY",
  );
  assertEquals(ofRoot(ca({ name: "root", ...weakKey })), "ERR_X509_UNSUPPORTED_KEY");
});

Deno.test("unknown critical extensions are refused everywhere, others nowhere", () => {
  const code = "ERR_X509_UNKNOWN_CRITICAL_EXTENSION";
  assertEquals(ofLeaf(leafWith(unknownExtension(true))), code);
  assertEquals(ofIntermediate(caWith(unknownExtension(true))), code);
  assertEquals(ofRoot(rootWith(unknownExtension(true))), code);
  assertEquals(ofLeaf(leafWith(unknownExtension(false))), "accepts");
});

const any = altNames(dns("leaf.example"));
/** What goes together, and what does not. */
const LEAF_ROWS: readonly (readonly [string, BuiltExtension[], string])[] = [
  ["a critical subjectAltName", [changed(any, { critical: true })], "accepts"],
  ["names that are none", [altNames(dns("a b"))], "accepts"],
  ["a malformed mail address", [altNames(email("a"))], "EXTENSION_RULE"],
  ["name constraints", [nameConstraints({ permitted: [dns("a")] })], "EXTENSION_RULE"],
  ["a key for certificates", [keyUsage(KeyUsageBit.KEY_CERT_SIGN)], "EXTENSION_RULE"],
  ["a key for nothing of TLS", [keyUsage(KeyUsageBit.CRL_SIGN)], "KEY_USAGE"],
  ["the purpose", [extendedKeyUsage(CLIENT_AUTH, SERVER_AUTH)], "accepts"],
  ["another purpose", [extendedKeyUsage(CLIENT_AUTH)], "EXTENDED_KEY_USAGE"],
  ["any purpose", [extendedKeyUsage(ANY_PURPOSE)], "EXTENDED_KEY_USAGE"],
  ["policies", [policies(ANY_POLICY)], "accepts"],
  ["an optional policy constraint", [requirePolicy(0, false)], "EXTENSION_RULE"],
  ["an optional inhibitAnyPolicy", [inhibitAnyPolicy(0, false)], "EXTENSION_RULE"],
  ["any policy mapped", [policyMapping(ANY_POLICY, "1.2.3")], "EXTENSION_RULE"],
  ["a mapping to any policy", [policyMapping("1.2.3", ANY_POLICY)], "EXTENSION_RULE"],
  ["a mapping", [policyMapping("1.2.3", "1.2.4")], "accepts"],
  ["a critical identifier", [changed(subjectKey(1), { critical: true })], "EXTENSION_RULE"],
];

for (const [name, extensions, code] of LEAF_ROWS) {
  Deno.test(`checkLeaf() decides on ${name}`, () => {
    const expected = code === "accepts" ? code : `ERR_X509_${code}`;
    assertEquals(ofLeaf(leafWith(...extensions)), expected);
  });
}

Deno.test("a leaf without subject needs a critical subjectAltName", () => {
  const subject = commonName();
  assertEquals(ofLeaf(leaf({ subject })), "ERR_X509_EXTENSION_RULE");
  const extensions = [changed(any, { critical: true })];
  assertEquals(ofLeaf(leaf({ subject, extensions })), "accepts");
});

Deno.test("a leaf that is a CA names its key", () => {
  const digitalSignature = keyUsage(KeyUsageBit.DIGITAL_SIGNATURE);
  const bare = leafWith(basicConstraints(), digitalSignature);
  assertEquals(ofLeaf(bare), "ERR_X509_KEY_IDENTIFIER");
  assertEquals(ofLeaf(caWith(digitalSignature)), "accepts");
});

Deno.test("other purposes do not want a key for TLS", () => {
  const certificate = leafWith(keyUsage(KeyUsageBit.CRL_SIGN), extendedKeyUsage(CLIENT_AUTH));
  assertEquals(ofLeaf(certificate, { purpose: "any" }), "accepts");
  assertEquals(ofLeaf(certificate, { purpose: "clientAuth" }), "ERR_X509_KEY_USAGE");
  assertEquals(ofLeaf(certificate, { purpose: "codeSigning" }), "ERR_X509_EXTENDED_KEY_USAGE");
});

/** Rules for whoever signs, below a root and as one. */
const ISSUER_ROWS: readonly (readonly [string, BuiltExtension[], string])[] = [
  ["a path length", [basicConstraints(0)], "accepts"],
  ["basicConstraints that are not critical", [basicConstraints(0, false)], "EXTENSION_RULE"],
  ["a key for signatures alone", [keyUsage(KeyUsageBit.DIGITAL_SIGNATURE)], "KEY_USAGE"],
  ["the purpose", [extendedKeyUsage(SERVER_AUTH)], "accepts"],
  ["any purpose", [extendedKeyUsage(ANY_PURPOSE)], "accepts"],
  ["another purpose", [extendedKeyUsage(CLIENT_AUTH)], "EXTENDED_KEY_USAGE"],
  ["name constraints", [nameConstraints({ permitted: [dns("a")] })], "accepts"],
];

for (const [name, extensions, code] of ISSUER_ROWS) {
  Deno.test(`checkIntermediate() and checkRoot() decide on ${name}`, () => {
    const expected = code === "accepts" ? code : `ERR_X509_${code}`;
    assertEquals(ofIntermediate(caWith(...extensions)), expected);
    assertEquals(ofRoot(rootWith(...extensions)), expected);
  });
}

Deno.test("who is no CA has not signed", () => {
  assertEquals(ofIntermediate(leaf()), "ERR_X509_NOT_A_CA");
  assertEquals(ofRoot(leaf()), "ERR_X509_NOT_A_CA");
});

Deno.test("a CA below a root names its key and its issuer's", () => {
  const parts = [basicConstraints(), keyUsage(KeyUsageBit.KEY_CERT_SIGN)];
  const withoutOwn = leaf({ name: "ca", by: "root", extensions: parts });
  assertEquals(ofIntermediate(withoutOwn), "ERR_X509_KEY_IDENTIFIER");
  // A root's own description has no identifier of the issuer.
  assertEquals(ofIntermediate(ca({ name: "ca" })), "ERR_X509_KEY_IDENTIFIER");
  assertEquals(ofRoot(ca({ name: "root" })), "accepts");
});

Deno.test("a root does not name another key as its issuer's", () => {
  assertEquals(ofRoot(ca({ name: "root", by: "root", byKey: 1, key: 1 })), "accepts");
  assertEquals(
    ofRoot(ca({ name: "root", by: "root", byKey: 2, key: 1 })),
    "ERR_X509_KEY_IDENTIFIER",
  );
  assertEquals(ofRoot(ca({ name: "root", by: "above", byKey: 2, key: 1 })), "accepts");
});

Deno.test("checkPurpose() throws on what is none", () => {
  for (const purpose of ["serverAuth", "clientAuth", "any"]) checkPurpose(purpose);
  for (const purpose of ["", "toString", "server"]) {
    assertThrows(() => checkPurpose(purpose), RangeError);
  }
});

Deno.test("mayBeSameKey() takes a missing identifier for any", () => {
  const [one, other] = [new Uint8Array([1]), new Uint8Array([2])];
  assertEquals(mayBeSameKey(undefined, one), true);
  assertEquals(mayBeSameKey(one, undefined), true);
  assertEquals(mayBeSameKey(one, one.slice()), true);
  assertEquals(mayBeSameKey(one, other), false);
});
