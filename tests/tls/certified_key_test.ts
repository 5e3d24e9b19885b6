import { assertEquals, assertRejects } from "@std/assert";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { importCertifiedKey } from "../../tls/certified_key.ts";
import { createDevelopmentCa } from "../../tls/development_certificate.ts";
import { formatPem } from "../../tls/pem.ts";
import { verifyChain } from "../../tls/verify_chain.ts";
import { createDevelopmentCertificate } from "../../tls/development_certificate.ts";
import { buildCertificate } from "./certificate_builder.ts";

const CA = await createDevelopmentCa();

for (const keyType of ["P-256", "P-384", "Ed25519", "RSA"] as const) {
  Deno.test(`importCertifiedKey() gives a CA of ${keyType} that signs as before`, async () => {
    const { certificatePem, privateKeyPem } = await createDevelopmentCa({ keyType });
    const ca = await importCertifiedKey(certificatePem, privateKeyPem);
    assertEquals([ca.certificatePem, ca.privateKeyPem], [certificatePem, privateKeyPem]);
    const { leaf } = await createDevelopmentCertificate(["a.test"], { ca });
    await verifyChain(leaf.certificate, { roots: [ca.certificate], name: "a.test" });
  });
}

Deno.test("importCertifiedKey() passes over what stands around the blocks", async () => {
  const other = formatPem("X", new Uint8Array([1]));
  const certificate = `# ca\n${other}${CA.certificatePem}${
    (await createDevelopmentCa()).certificatePem
  }`;
  const ca = await importCertifiedKey(certificate, `${other}${CA.privateKeyPem}`);
  assertEquals(ca.certificate.raw, CA.certificate.raw);
});

const cut = (pem: string): string => pem.slice(0, -20);
const broken = formatPem("PRIVATE KEY", new Uint8Array([0x30, 3, 2, 1, 0]));
const rsa = await createDevelopmentCa({ keyType: "RSA" });
const unknown = formatPem(
  "CERTIFICATE",
  buildCertificate({
    publicKey: (writer) =>
      writer.writeSequence(() => {
        writer.writeSequence(() => writer.writeObjectIdentifier("1.3.101.113"));
        writer.writeBitString(new Uint8Array(57));
      }),
  }),
);

for (
  const [what, certificate, key, code] of [
    ["no certificate", "", CA.privateKeyPem, "ERR_X509_BAD_PEM"],
    ["a certificate that is cut off", cut(CA.certificatePem), CA.privateKeyPem, "ERR_X509_BAD_PEM"],
    ["a key that is cut off", CA.certificatePem, cut(CA.privateKeyPem), "ERR_X509_BAD_PEM"],
    ["no key", CA.certificatePem, CA.certificatePem, "ERR_X509_BAD_PRIVATE_KEY"],
    ["two keys", CA.certificatePem, CA.privateKeyPem.repeat(2), "ERR_X509_BAD_PRIVATE_KEY"],
    [
      "a key of another label",
      CA.certificatePem,
      CA.privateKeyPem.replaceAll("PRIVATE", "EC PRIVATE"),
      "ERR_X509_BAD_PRIVATE_KEY",
    ],
    ["a key that is none", CA.certificatePem, broken, "ERR_X509_BAD_PRIVATE_KEY"],
    ["a key of another kind", CA.certificatePem, rsa.privateKeyPem, "ERR_X509_BAD_PRIVATE_KEY"],
    [
      "another's key",
      CA.certificatePem,
      (await createDevelopmentCa()).privateKeyPem,
      "ERR_X509_BAD_PRIVATE_KEY",
    ],
    [
      "another's RSA key",
      rsa.certificatePem,
      (await createDevelopmentCa({ keyType: "RSA" })).privateKeyPem,
      "ERR_X509_BAD_PRIVATE_KEY",
    ],
    ["an unknown kind of keys", unknown, CA.privateKeyPem, "ERR_X509_UNKNOWN_KEY_ALGORITHM"],
  ] as const
) {
  Deno.test(`importCertifiedKey() throws on ${what}`, async () => {
    const error = await assertRejects(() => importCertifiedKey(certificate, key), CertificateError);
    assertEquals(error.code, code);
  });
}
