import { assert, assertEquals, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import type { Certificate } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import {
  basicConstraintsExtension,
  keyUsageExtension,
  nameConstraintsExtension,
} from "../../tls/certificate_extension_encoder.ts";
import { encodeDistinguishedName } from "../../tls/certificate_builder.ts";
import { type CertifiedKey, signCertificate, toCertifiedKey } from "../../tls/certified_key.ts";
import {
  createDevelopmentCa,
  createDevelopmentCertificate,
} from "../../tls/development_certificate.ts";
import { verifyChain } from "../../tls/verify_chain.ts";

const MS_PER_DAY = 86_400_000;
const NOW = Date.UTC(2026, 4, 6, 7, 8, 9, 10);
const NAMES = ["localhost", "*.app.test", "127.0.0.1", "::1"];
const CA = await createDevelopmentCa({ time: NOW });

const days = ({ notBefore, notAfter }: Certificate): number =>
  (notAfter - notBefore + 1_000) / MS_PER_DAY;

for (const keyType of ["P-256", "P-384", "Ed25519", "RSA"] as const) {
  Deno.test(`createDevelopmentCertificate() makes a chain of ${keyType} that verifies`, async () => {
    const { leaf, ca } = await createDevelopmentCertificate(NAMES, { keyType, time: NOW });
    for (const name of ["localhost", "x.app.test", "127.0.0.1", "::1"]) {
      const roots = [ca.certificate];
      const { chain } = await verifyChain(leaf.certificate, { roots, name, time: NOW });
      assertEquals(chain, [leaf.certificate, ca.certificate]);
    }
    const [nodeLeaf, nodeCa] = [leaf, ca].map(({ certificatePem }) =>
      new X509Certificate(certificatePem)
    );
    assertEquals(nodeLeaf!.checkIssued(nodeCa!), true);
    assertEquals(nodeLeaf!.verify(nodeCa!.publicKey), true);
    assertEquals([nodeLeaf!.ca, nodeCa!.ca], [false, true]);
  });
}

Deno.test("createDevelopmentCertificate() makes a leaf with what a server's has, and no more", async () => {
  const { leaf: { certificate } } = await createDevelopmentCertificate(NAMES, {
    ca: CA,
    time: NOW,
  });
  assertEquals(certificate.basicConstraints, { ca: false });
  assertEquals(certificate.extendedKeyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assertEquals(certificate.subjectAltName?.length, 4);
  assertEquals(`${certificate.subject}`, "CN=localhost,O=Development certificate");
  assertEquals(`${certificate.issuer}`, `${CA.certificate.subject}`);
  const { keyIdentifier } = certificate.authorityKeyIdentifier!;
  assertEquals(keyIdentifier, CA.certificate.subjectKeyIdentifier);
  assertEquals(certificate.subjectKeyIdentifier?.length, 20);
  const usages = Object.entries(certificate.keyUsage!).filter(([, isSet]) => isSet);
  assertEquals(usages, [["digitalSignature", true]]);
  const critical = certificate.extensions.filter(({ critical }) => critical);
  assertEquals(critical.map(({ oid }) => oid), ["2.5.29.19", "2.5.29.15"]);
  assertEquals(days(certificate), 397);
  assertEquals(certificate.notBefore, Math.floor((NOW - 3_600_000) / 1_000) * 1_000);
});

Deno.test("createDevelopmentCertificate() lets an RSA key encipher, for TLS 1.2", async () => {
  const { leaf } = await createDevelopmentCertificate(["a.test"], {
    ca: CA,
    keyType: "RSA",
    time: NOW,
  });
  const { keyUsage, subjectPublicKeyInfo } = leaf.certificate;
  assertEquals([keyUsage?.digitalSignature, keyUsage?.keyEncipherment], [true, true]);
  assertEquals(subjectPublicKeyInfo.modulusBits, 2048);
});

Deno.test("createDevelopmentCertificate() makes a leaf for clients only if asked", async () => {
  const verify = async (allowClientAuth: boolean) => {
    const { leaf } = await createDevelopmentCertificate(["a.test"], {
      ca: CA,
      allowClientAuth,
      time: NOW,
    });
    const options = { roots: [CA.certificate], purpose: "clientAuth", time: NOW } as const;
    return verifyChain(leaf.certificate, options);
  };
  await verify(true);
  const error = await assertRejects(() => verify(false), CertificateVerificationError);
  assertEquals(error.code, "ERR_X509_EXTENDED_KEY_USAGE");
});

Deno.test("createDevelopmentCertificate() gives each leaf its own key and serial number", async () => {
  const leaves = await Promise.all(
    Array.from(
      { length: 8 },
      () => createDevelopmentCertificate(["a.test"], { ca: CA, time: NOW }),
    ),
  );
  const serials = new Set(leaves.map(({ leaf }) => leaf.certificate.serialHex));
  const keys = new Set(leaves.map(({ leaf }) => leaf.privateKeyPem));
  assertEquals([serials.size, keys.size], [8, 8]);
  for (const { leaf: { certificate: { serialNumber } }, ca } of leaves) {
    assertEquals(serialNumber.length, 16);
    assert(serialNumber[0]! >= 0x40 && serialNumber[0]! < 0x80);
    assertEquals(ca, CA);
  }
});

Deno.test("createDevelopmentCertificate() has no common name for addresses and long names", async () => {
  for (const name of ["127.0.0.1", `${"a".repeat(60)}.test`]) {
    const { leaf } = await createDevelopmentCertificate([name], { ca: CA, time: NOW });
    assertEquals(`${leaf.certificate.subject}`, "O=Development certificate");
    await verifyChain(leaf.certificate, { roots: [CA.certificate], name, time: NOW });
  }
});

Deno.test("createDevelopmentCertificate() ends with its CA at the latest", async () => {
  const ca = await createDevelopmentCa({ validityDays: 10, time: NOW });
  const { leaf } = await createDevelopmentCertificate(["a.test"], { ca, time: NOW });
  assertEquals(leaf.certificate.notAfter, ca.certificate.notAfter);
  assertEquals(days(leaf.certificate), 10);
});

Deno.test("createDevelopmentCa() makes a CA that may sign leaves only", async () => {
  const { certificate } = await createDevelopmentCa({ time: NOW, commonName: "Büro" });
  assertEquals(certificate.basicConstraints, { ca: true, pathLength: 0 });
  assertEquals(certificate.subject.commonName, "Büro");
  assertEquals(certificate.isSelfIssued, true);
  assertEquals(certificate.subjectAltName, undefined);
  const usages = Object.entries(certificate.keyUsage!).filter(([, isSet]) => isSet);
  assertEquals(usages.map(([usage]) => usage), ["keyCertSign", "cRLSign"]);
  assertEquals(days(certificate), 3_650);
});

Deno.test("createDevelopmentCa() names each CA differently", async () => {
  const other = await createDevelopmentCa({ time: NOW });
  assert(!other.certificate.subject.equals(CA.certificate.subject));
  assert(/^Development CA [0-9A-F]{8}$/.test(other.certificate.subject.commonName!));
});

for (
  const [permittedNames, inside, outside] of [
    [["dev.test"], ["dev.test", "a.b.dev.test"], ["a.test", "127.0.0.1", "::1"]],
    [["10.0.0.0/8"], ["10.1.2.3"], ["11.0.0.1", "::1", "a.test"]],
    [["dev.test", "::1"], ["dev.test", "::1"], ["::2", "10.0.0.1", "test"]],
  ] as const
) {
  Deno.test(`createDevelopmentCa() restricts a CA to ${permittedNames.join()}`, async () => {
    const options = { permittedNames, time: NOW };
    const { leaf, ca } = await createDevelopmentCertificate(inside, options);
    const roots = [ca.certificate];
    for (const name of inside) await verifyChain(leaf.certificate, { roots, name, time: NOW });
    for (const name of outside) {
      const make = () => createDevelopmentCertificate([inside[0], name], { ca, time: NOW });
      await assertRejects(make, RangeError);
    }
  });
}

Deno.test("verifyChain() refuses what a restricted CA has signed all the same", async () => {
  const ca = await createDevelopmentCa({ permittedNames: ["dev.test"], time: NOW });
  const free: CertifiedKey = { ...CA, privateKey: ca.privateKey };
  // Signed by hand: the name of the restricted CA, and names it may not certify.
  const { leaf } = await createDevelopmentCertificate(["a.test"], { ca: CA, time: NOW });
  const { certificate } = leaf;
  const forged = await signCertificate(
    {
      serialNumber: certificate.serialNumber,
      issuer: ca.certificate.subject.raw,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      subject: certificate.subject.raw,
      subjectPublicKeyInfo: certificate.subjectPublicKeyInfo.raw,
      extensions: certificate.extensions.filter(({ oid }) => oid !== "2.5.29.35"),
    },
    ca.certificate.subjectPublicKeyInfo,
    free.privateKey,
  );
  const error = await assertRejects(
    () => verifyChain(forged, { roots: [ca.certificate], name: "a.test", time: NOW }),
    CertificateVerificationError,
  );
  assertEquals(error.code, "ERR_X509_NAME_CONSTRAINTS");
});

/** A CA that differs from what `createDevelopmentCa()` makes. */
async function oddCa(
  extensions: Parameters<typeof signCertificate>[0]["extensions"],
  attributes: readonly (readonly [string, string])[] = [["2.5.4.3", "odd"]],
): Promise<CertifiedKey> {
  const name = encodeDistinguishedName(attributes);
  const { certificate: { notBefore, notAfter, subjectPublicKeyInfo }, privateKey } = CA;
  const fields = {
    serialNumber: new Uint8Array([1]),
    issuer: name,
    subject: name,
    notBefore,
    notAfter,
    subjectPublicKeyInfo: subjectPublicKeyInfo.raw,
    extensions,
  };
  return toCertifiedKey(
    await signCertificate(fields, subjectPublicKeyInfo, privateKey),
    privateKey,
  );
}

Deno.test("createDevelopmentCertificate() takes a CA without an identifier of its key", async () => {
  const ca = await oddCa([basicConstraintsExtension(true)]);
  const { leaf } = await createDevelopmentCertificate(["a.test"], { ca, time: NOW });
  await verifyChain(leaf.certificate, { roots: [ca.certificate], name: "a.test", time: NOW });
});

Deno.test("createDevelopmentCertificate() throws on a CA that may not sign this leaf", async () => {
  const { leaf } = await createDevelopmentCertificate(["a.test"], { ca: CA, time: NOW });
  const later = await createDevelopmentCa({ time: NOW + 2 * MS_PER_DAY });
  const early = await createDevelopmentCa({ time: NOW - 11 * MS_PER_DAY, validityDays: 10 });
  const ca = basicConstraintsExtension(true);
  const cas = [
    leaf,
    later,
    early,
    await oddCa([basicConstraintsExtension(false), keyUsageExtension("keyCertSign")]),
    await oddCa([keyUsageExtension("keyCertSign")]),
    await oddCa([ca, keyUsageExtension("digitalSignature")]),
    await oddCa([ca], []),
    await oddCa([ca, nameConstraintsExtension({ excluded: [{ type: "dns", value: "test" }] })]),
  ];
  for (const ca of cas) {
    const make = () => createDevelopmentCertificate(["a.test"], { ca, time: NOW });
    await assertRejects(make, RangeError);
  }
});

Deno.test("createDevelopmentCertificate() throws on a CA whose key cannot sign here", async () => {
  const { certificate } = CA;
  const algorithm = { oid: "1.3.101.113", name: "ED448", parameters: undefined };
  const subjectPublicKeyInfo = { raw: certificate.raw, publicKey: certificate.raw, algorithm };
  const odd = new Proxy(certificate, {
    get: (target, key) =>
      key === "subjectPublicKeyInfo" ? subjectPublicKeyInfo : Reflect.get(target, key, target),
  });
  const make = () =>
    createDevelopmentCertificate(["a.test"], { ca: { ...CA, certificate: odd }, time: NOW });
  assertEquals(
    (await assertRejects(make, CertificateError)).code,
    "ERR_X509_UNKNOWN_KEY_ALGORITHM",
  );
});

Deno.test("the validity is 1 to 397 days for leaves, 1 to 3,650 for CAs", async () => {
  for (const validityDays of [0, -1, 1.5, NaN, 398]) {
    const make = () => createDevelopmentCertificate(["a.test"], { ca: CA, validityDays });
    await assertRejects(make, RangeError);
  }
  for (const validityDays of [0, 3_651]) {
    await assertRejects(() => createDevelopmentCa({ validityDays }), RangeError);
  }
  for (const validityDays of [1, 397]) {
    const options = { ca: CA, validityDays, time: NOW };
    const { leaf } = await createDevelopmentCertificate(["a.test"], options);
    assertEquals(days(leaf.certificate), validityDays);
  }
});

Deno.test("createDevelopmentCertificate() throws on options that are out of their range", async () => {
  const make = createDevelopmentCertificate;
  const wrong = { keyType: "DSA" } as unknown as { keyType: "RSA" };
  await assertRejects(() => make(["a.test"], wrong), RangeError);
  await assertRejects(() => make([]), RangeError);
  await assertRejects(() => make(["a.test"], { time: NaN }), RangeError);
  await assertRejects(() => make(["a.test"], { time: 1e17 }), RangeError);
  await assertRejects(() => make(["a.test"], { permittedNames: [] }), RangeError);
  await assertRejects(() => make(["a.test"], { ca: CA, permittedNames: ["test"] }), TypeError);
  for (const commonName of ["", "a".repeat(65), "\ud800"]) {
    await assertRejects(() => createDevelopmentCa({ commonName }), RangeError);
  }
});
