import { assertEquals, assertThrows } from "@std/assert";
import { parseCertificate } from "../../tls/certificate.ts";
import {
  encodeCertificate,
  encodeDistinguishedName,
  encodeEcdsaSignature,
  encodeTbsCertificate,
  signingAlgorithmOf,
} from "../../tls/certificate_builder.ts";
import { DistinguishedName } from "../../tls/distinguished_name.ts";
import { decodeEcdsaSignature } from "../../tls/signature_algorithm.ts";
import { buildCertificate } from "./certificate_builder.ts";

const SAMPLE = parseCertificate(buildCertificate());
const ALGORITHM = new Uint8Array([0x30, 5, 6, 3, 0x2b, 0x65, 0x70]);
const FIELDS = {
  serialNumber: new Uint8Array([0, 0x80, 1]),
  signatureAlgorithm: ALGORITHM,
  issuer: encodeDistinguishedName([["2.5.4.3", "issuer"]]),
  notBefore: Date.UTC(2049, 0),
  notAfter: Date.UTC(2050, 0),
  subject: encodeDistinguishedName([["2.5.4.10", "Company"], ["2.5.4.3", "é, +"]]),
  subjectPublicKeyInfo: SAMPLE.subjectPublicKeyInfo.raw,
  extensions: [
    { oid: "1.2.3", critical: true, value: new Uint8Array([5, 0]) },
    { oid: "1.2.4", critical: false, value: new Uint8Array([1]) },
  ],
};

Deno.test("encodeCertificate() gives what the strict parser reads back", () => {
  const tbs = encodeTbsCertificate(FIELDS);
  const signature = new Uint8Array(64).fill(3);
  const certificate = parseCertificate(encodeCertificate(tbs, ALGORITHM, signature));
  assertEquals(certificate.tbs, tbs);
  assertEquals(certificate.version, 3);
  assertEquals(certificate.serialHex, "008001");
  assertEquals(certificate.signatureAlgorithm.oid, "1.3.101.112");
  assertEquals(`${certificate.issuer}`, "CN=issuer");
  assertEquals(`${certificate.subject}`, "CN=é\\, \\+,O=Company");
  assertEquals([certificate.notBefore, certificate.notAfter], [FIELDS.notBefore, FIELDS.notAfter]);
  assertEquals(certificate.subjectPublicKeyInfo.raw, FIELDS.subjectPublicKeyInfo);
  assertEquals(certificate.extensions, FIELDS.extensions);
  assertEquals(certificate.signature, signature);
});

Deno.test("encodeTbsCertificate() throws on a time that no certificate can have", () => {
  const time = { notAfter: Date.UTC(10_000, 0) };
  assertThrows(() => encodeTbsCertificate({ ...FIELDS, ...time }), RangeError);
});

Deno.test("encodeDistinguishedName() throws on what is no Unicode", () => {
  assertThrows(() => encodeDistinguishedName([["2.5.4.3", "\ud800"]]), TypeError);
  assertEquals(DistinguishedName.parse(encodeDistinguishedName([])).isEmpty, true);
});

Deno.test("encodeEcdsaSignature() is undone by decodeEcdsaSignature()", () => {
  const edges = [1, 0x7f, 0x80, 0xff];
  for (const first of [0, ...edges]) {
    for (const last of edges) {
      const raw = new Uint8Array(64);
      for (const at of [0, 32]) raw[at] = first;
      for (const at of [31, 63]) raw[at] = last;
      const der = encodeEcdsaSignature(raw);
      assertEquals(decodeEcdsaSignature(der, "P-256"), raw);
    }
  }
});

for (
  const [oid, namedCurve, expected] of [
    ["1.2.840.113549.1.1.1", undefined, "300d06092a864886f70d01010b0500"],
    ["1.2.840.10045.2.1", "P-256", "300a06082a8648ce3d040302"],
    ["1.2.840.10045.2.1", "P-384", "300a06082a8648ce3d040303"],
    ["1.2.840.10045.2.1", "P-521", "300a06082a8648ce3d040304"],
    ["1.3.101.112", undefined, "300506032b6570"],
    ["1.2.840.10045.2.1", "secp256k1", undefined],
    ["1.2.840.10045.2.1", "toString", undefined],
    ["1.2.840.113549.1.1.10", undefined, undefined],
    ["1.3.101.113", undefined, undefined],
  ] as const
) {
  Deno.test(`signingAlgorithmOf() knows what it does with ${namedCurve ?? oid}`, () => {
    const key = {
      raw: new Uint8Array(),
      publicKey: new Uint8Array(),
      algorithm: { oid, name: undefined, parameters: undefined },
      ...namedCurve === undefined ? {} : { namedCurve },
    };
    assertEquals(signingAlgorithmOf(key)?.der.toHex(), expected);
  });
}
