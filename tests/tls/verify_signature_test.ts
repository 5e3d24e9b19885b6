import { assertEquals, assertRejects } from "@std/assert";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import type { SignatureScheme } from "../../tls/signature_algorithm.ts";
import {
  readSubjectPublicKeyInfo,
  type SubjectPublicKeyInfo,
} from "../../tls/subject_public_key_info.ts";
import { verifySignature } from "../../tls/verify_signature.ts";

interface Case {
  readonly scheme: SignatureScheme;
  readonly generate: RsaHashedKeyGenParams | EcKeyGenParams | { readonly name: string };
  readonly sign: AlgorithmIdentifier | RsaPssParams | EcdsaParams;
}

const RSA_2048 = { modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]) };

function rsa(name: "rsa-pkcs1" | "rsa-pss", hash: "SHA-256" | "SHA-512"): Case {
  const saltLength = hash === "SHA-256" ? 32 : 64;
  const webName = name === "rsa-pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  return {
    scheme: name === "rsa-pss" ? { type: name, hash, saltLength } : { type: name, hash },
    generate: { name: webName, hash, ...RSA_2048 },
    sign: { name: webName, saltLength },
  };
}

function ecdsa(curve: "P-256" | "P-384" | "P-521", hash: "SHA-256" | "SHA-384" | "SHA-512"): Case {
  return {
    scheme: { type: "ecdsa", hash, curve },
    generate: { name: "ECDSA", namedCurve: curve },
    sign: { name: "ECDSA", hash },
  };
}

const CASES: readonly Case[] = [
  rsa("rsa-pkcs1", "SHA-256"),
  rsa("rsa-pss", "SHA-512"),
  ecdsa("P-256", "SHA-256"),
  ecdsa("P-256", "SHA-512"),
  ecdsa("P-384", "SHA-384"),
  ecdsa("P-521", "SHA-512"),
  ecdsa("P-521", "SHA-256"),
  { scheme: { type: "ed25519" }, generate: { name: "Ed25519" }, sign: { name: "Ed25519" } },
];

const DATA = new TextEncoder().encode("what was signed");

async function make({ scheme, generate, sign }: Case) {
  const pair = await crypto.subtle.generateKey(generate, true, ["sign", "verify"]) as CryptoKeyPair;
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const raw = new Uint8Array(await crypto.subtle.sign(sign, pair.privateKey, DATA));
  const key = readSubjectPublicKeyInfo(new DerReader(spki));
  return { key, signature: scheme.type === "ecdsa" ? toDer(raw) : raw };
}

function toDer(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  const half = raw.length / 2;
  const numbers = [raw.subarray(0, half), raw.subarray(half)];
  writer.writeSequence(() => {
    for (const bytes of numbers) writer.writeInteger(BigInt(`0x${bytes.toHex()}`));
  });
  return writer.finish();
}

for (const item of CASES) {
  const name = Object.values(item.scheme).join(" ");
  Deno.test(`verifySignature() tells a good signature from a bad one: ${name}`, async () => {
    const { scheme } = item;
    const { key, signature } = await make(item);
    assertEquals(await verifySignature(scheme, key, signature, DATA), true);
    assertEquals(await verifySignature(scheme, key, signature, DATA.slice(1)), false);
    assertEquals(await verifySignature(scheme, key, signature.slice(0, -1), DATA), false);
    assertEquals(
      await verifySignature(scheme, key, new Uint8Array([...signature, 0]), DATA),
      false,
    );
    const other = signature.slice();
    other[other.length - 1]! ^= 1;
    assertEquals(await verifySignature(scheme, key, other, DATA), false);
    assertEquals(await verifySignature(scheme, key, new Uint8Array(), DATA), false);
  });
}

Deno.test("verifySignature() takes an RSA key that is for PSS alone", async () => {
  const item = rsa("rsa-pss", "SHA-256");
  const { key, signature } = await make(item);
  const writer = new DerWriter();
  writer.writeSequence(() => {
    writer.writeSequence(() => writer.writeObjectIdentifier("1.2.840.113549.1.1.10"));
    writer.writeBitString(key.publicKey);
  });
  const pssKey = readSubjectPublicKeyInfo(new DerReader(writer.finish()));
  assertEquals(await verifySignature(item.scheme, pssKey, signature, DATA), true);
});

Deno.test("verifySignature() throws on a point that is not on its curve", async () => {
  const item = ecdsa("P-256", "SHA-256");
  const { key, signature } = await make(item);
  const raw = key.raw.slice();
  raw[raw.length - 1]! ^= 1;
  const broken: SubjectPublicKeyInfo = readSubjectPublicKeyInfo(new DerReader(raw));
  const error = await assertRejects(
    () => verifySignature(item.scheme, broken, signature, DATA),
    CertificateVerificationError,
  );
  assertEquals(error.code, "ERR_X509_UNSUPPORTED_KEY");
});
