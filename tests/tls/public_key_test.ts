import { assertEquals, assertRejects } from "@std/assert";
import { parseCertificate } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { DerWriter } from "../../tls/der_writer.ts";
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

const RSA_PSS = "1.2.840.113549.1.1.10";
/** RSASSA-PSS with SHA-384 twice and a salt of 48 bytes. */
const SHA384_ONLY = "3034a00f300d06096086480165030402020500" +
  "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130";
/** The same with SHA-1, the default that RFC 4055 gives an empty list. */
const SHA1_ONLY = "3000";

/** A key under the identifier that is for PSS alone. */
function pssKey(publicKey: Uint8Array, parameters?: string): SubjectPublicKeyInfo {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeSequence(() => {
      writer.writeObjectIdentifier(RSA_PSS);
      if (parameters !== undefined) writer.writeRaw(Uint8Array.fromHex(parameters));
    });
    writer.writeBitString(publicKey);
  });
  return parseKey(writer.finish());
}

for (
  const [what, parameters, hash, options] of [
    ["without parameters", undefined, "SHA-256", {}],
    ["without parameters, for a hash", undefined, "SHA-512", { hash: "SHA-512" }],
    ["bound to a hash", SHA384_ONLY, "SHA-384", {}],
    ["bound to a hash, named as well", SHA384_ONLY, "SHA-384", { hash: "SHA-384" }],
    ["for the other padding", undefined, "SHA-256", { padding: "pkcs1" }],
  ] as const
) {
  Deno.test(`importPublicKey() gives an RSA key for PSS alone that verifies: ${what}`, async () => {
    const { privateKey, key } = await generated({ name: "RSA-PSS", ...RSA, hash });
    const signing = { name: "RSA-PSS", saltLength: 32 };
    const data = new Uint8Array([1, 2, 3]);
    const signature = await crypto.subtle.sign(signing, privateKey, data);
    const imported = await importPublicKey(pssKey(key.publicKey, parameters), options);
    assertEquals(imported.algorithm.name, "RSA-PSS");
    assertEquals(await crypto.subtle.verify(signing, imported, signature, data), true);
  });
}

Deno.test("importPublicKey() throws on another hash than an RSA key for PSS is bound to", async () => {
  const { key } = await generated({ name: "RSA-PSS", ...RSA });
  const bound = pssKey(key.publicKey, SHA384_ONLY);
  await assertRejects(() => importPublicKey(bound, { hash: "SHA-256" }), RangeError);
  const weak = pssKey(key.publicKey, SHA1_ONLY);
  const error = await assertRejects(() => importPublicKey(weak), CertificateError);
  assertEquals(error.code, "ERR_X509_UNKNOWN_KEY_ALGORITHM");
});
