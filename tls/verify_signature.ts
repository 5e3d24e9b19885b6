import { CertificateVerificationError } from "./certificate_verification_error.ts";
import { importPublicKey } from "./public_key.ts";
import { decodeEcdsaSignature, type SignatureScheme } from "./signature_algorithm.ts";
import type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/**
 * Checks a signature by Web Crypto. The scheme says that key and algorithm are worth it: take it
 * from {@linkcode signatureSchemeOf}.
 *
 * @param scheme How it is to be checked.
 * @param key The key of the signer.
 * @param signature The signature as it stands in a certificate: DER for ECDSA.
 * @param data What was signed.
 * @returns Whether the signature is the key's, and in the one form it may have.
 * @throws {CertificateVerificationError} If the runtime does not take the key
 * (`ERR_X509_UNSUPPORTED_KEY`): a point that is not on its curve, for example.
 *
 * @example A signature that is none
 * ```ts
 * import { parseCertificates, verifySignature } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const [certificate] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
 * const key = certificate!.subjectPublicKeyInfo;
 * const scheme = { type: "ecdsa", hash: "SHA-256", curve: "P-256" } as const;
 * const signature = new Uint8Array([0x30, 6, 2, 1, 5, 2, 1, 7]);
 * assertEquals(await verifySignature(scheme, key, signature, new Uint8Array(9)), false);
 * ```
 */
export async function verifySignature(
  scheme: SignatureScheme,
  key: SubjectPublicKeyInfo,
  signature: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const raw = scheme.type === "ecdsa" ? decodeEcdsaSignature(signature, scheme.curve) : signature;
  if (raw === undefined) return false;
  try {
    const cryptoKey = await importKey(scheme, key);
    return await crypto.subtle.verify(parametersOf(scheme), cryptoKey, raw, data);
  } catch (cause) {
    // What is wrong with a key shows at one call or the other, as errors of several classes.
    throw new CertificateVerificationError(
      "ERR_X509_UNSUPPORTED_KEY",
      "Cannot verify signature: the runtime does not take the key",
      { cause },
    );
  }
}

async function importKey(scheme: SignatureScheme, key: SubjectPublicKeyInfo): Promise<CryptoKey> {
  const hash = scheme.type === "ed25519" ? {} : { hash: scheme.hash };
  const padding = scheme.type === "rsa-pss" ? "pss" : "pkcs1";
  return await importPublicKey(key, { ...hash, padding });
}

function parametersOf(scheme: SignatureScheme): AlgorithmIdentifier | RsaPssParams | EcdsaParams {
  switch (scheme.type) {
    case "rsa-pkcs1":
      return { name: "RSASSA-PKCS1-v1_5" };
    case "rsa-pss":
      return { name: "RSA-PSS", saltLength: scheme.saltLength };
    case "ecdsa":
      return { name: "ECDSA", hash: scheme.hash };
    case "ed25519":
      return { name: "Ed25519" };
  }
}
