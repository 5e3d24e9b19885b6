import { assertEquals, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { parseCertificate, parseCertificates } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { certificateFingerprint, publicKeyPin } from "../../tls/fingerprint.ts";
import { importPublicKey } from "../../tls/public_key.ts";
import {
  readSubjectPublicKeyInfo,
  type SubjectPublicKeyInfo,
} from "../../tls/subject_public_key_info.ts";
import { buildCertificate } from "./certificate_builder.ts";

const parseKey = (raw: Uint8Array): SubjectPublicKeyInfo =>
  readSubjectPublicKeyInfo(new DerReader(new Uint8Array(raw)));

async function generated(algorithm: RsaHashedKeyGenParams | EcKeyGenParams | { name: string }) {
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { privateKey, publicKey } = pair as CryptoKeyPair;
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  return { privateKey, key: parseKey(spki), spki };
}

const RSA = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };

for (
  const { algorithm, signing, options } of [
    {
      algorithm: { name: "RSASSA-PKCS1-v1_5", ...RSA },
      signing: { name: "RSASSA-PKCS1-v1_5" },
      options: {},
    },
    {
      algorithm: { name: "RSA-PSS", ...RSA },
      signing: { name: "RSA-PSS", saltLength: 32 },
      options: { padding: "pss" },
    },
    {
      algorithm: { name: "ECDSA", namedCurve: "P-256" },
      signing: { name: "ECDSA", hash: "SHA-256" },
      options: {},
    },
    {
      algorithm: { name: "ECDSA", namedCurve: "P-384" },
      signing: { name: "ECDSA", hash: "SHA-384" },
      options: {},
    },
    { algorithm: { name: "Ed25519" }, signing: { name: "Ed25519" }, options: {} },
  ] as const
) {
  const curve = "namedCurve" in algorithm ? ` ${algorithm.namedCurve}` : "";
  Deno.test(`importPublicKey() gives a key that verifies: ${algorithm.name}${curve}`, async () => {
    const { privateKey, key, spki } = await generated(algorithm);
    const data = new Uint8Array([1, 2, 3]);
    const signature = await crypto.subtle.sign(signing, privateKey, data);
    const imported = await importPublicKey(key, options);
    assertEquals(await crypto.subtle.verify(signing, imported, signature, data), true);
    assertEquals(key.raw, spki);
    if (algorithm.name.startsWith("RSA")) assertEquals(key.modulusBits, 2048);
    if ("namedCurve" in algorithm) assertEquals(key.namedCurve, algorithm.namedCurve);
  });
}

const spkiOf = (hex: string): SubjectPublicKeyInfo => parseKey(Uint8Array.fromHex(hex));

Deno.test("importPublicKey() throws on algorithms that the runtime does not know", async () => {
  const keys = [
    `302a300506032b656e032100${"00".repeat(32)}`,
    "300a300406022a0303020001",
    "3019301006072a8648ce3d020106052b8104000a0305000401020304",
  ];
  for (const hex of keys) {
    const error = await assertRejects(() => importPublicKey(spkiOf(hex)), CertificateError);
    assertEquals(error.code, "ERR_X509_UNKNOWN_KEY_ALGORITHM");
  }
});

Deno.test("importPublicKey() gives a key of a point off its curve, with which nothing verifies", async () => {
  const head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
  const key = spkiOf(`${head}04${"01".repeat(64)}`);
  let isGood = false;
  try {
    const imported = await importPublicKey(key);
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    isGood = await crypto.subtle.verify(algorithm, imported, new Uint8Array(64), new Uint8Array());
  } catch (error) {
    // Runtimes differ in when they look.
    const isRefusal = error instanceof DOMException || error instanceof CertificateError;
    if (!isRefusal && !(error instanceof TypeError)) throw error;
  }
  assertEquals(isGood, false);
});

Deno.test("importPublicKey() throws on options that are none", async () => {
  const { subjectPublicKeyInfo } = parseCertificate(buildCertificate());
  const wrong = [{ hash: "SHA-1" }, { padding: "oaep" }] as unknown as { hash: "SHA-256" }[];
  for (const options of wrong) {
    await assertRejects(() => importPublicKey(subjectPublicKeyInfo, options), RangeError);
  }
});

Deno.test({
  name: "certificateFingerprint() and publicKeyPin() agree with node:crypto",
  ignore: (await Deno.permissions.query({ name: "read" })).state !== "granted",
  async fn() {
    for (const name of ["ca.pem", "leaf.pem"]) {
      const pem = await Deno.readTextFile(new URL(name, import.meta.url));
      const [certificate] = parseCertificates(pem);
      const node = new X509Certificate(pem);
      const show = (bytes: Uint8Array): string =>
        Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
      assertEquals(show(await certificateFingerprint(certificate!)), node.fingerprint256);
      assertEquals(
        show(await certificateFingerprint(certificate!, { hash: "SHA-1" })),
        node.fingerprint,
      );
      const spki = node.publicKey.export({ type: "spki", format: "der" });
      const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(spki));
      const { subjectPublicKeyInfo } = certificate!;
      assertEquals(await publicKeyPin(subjectPublicKeyInfo), new Uint8Array(digest).toBase64());
    }
  },
});

Deno.test("certificateFingerprint() throws on a hash that is none", async () => {
  const certificate = parseCertificate(buildCertificate());
  const options = { hash: "MD5" } as unknown as { hash: "SHA-1" };
  await assertRejects(() => certificateFingerprint(certificate, options), RangeError);
});
