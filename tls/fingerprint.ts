import { encodeBase64 } from "@std/encoding";
import type { Certificate } from "./certificate.ts";
import type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/** Hashes a fingerprint may be made with. */
export type FingerprintHash = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

/** How {@linkcode certificateFingerprint} hashes. */
export interface CertificateFingerprintOptions {
  /**
   * Which hash. SHA-1 is there to look up old notes, not to trust anything.
   *
   * @default {"SHA-256"}
   */
  readonly hash?: FingerprintHash;
}

const HASHES: readonly FingerprintHash[] = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];

/**
 * Hashes a whole certificate.
 *
 * @param certificate The certificate.
 * @param options Which hash.
 * @returns The hash: 20 to 64 bytes.
 * @throws {RangeError} If there is no such hash.
 *
 * @example A fingerprint as tools print it
 * ```ts
 * import { certificateFingerprint, parseCertificates } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const pem = await Deno.readTextFile("tests/tls/ca.pem");
 * const [certificate] = parseCertificates(pem);
 * const bytes = await certificateFingerprint(certificate!);
 * const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
 * assertEquals(text.length, 95);
 * ```
 */
export async function certificateFingerprint(
  certificate: Certificate,
  options: CertificateFingerprintOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { hash = "SHA-256" } = options;
  if (!HASHES.includes(hash)) {
    const shown = JSON.stringify(String(hash).slice(0, 32));
    throw new RangeError(`Cannot hash certificate: ${shown} is not one of ${HASHES.join(", ")}`);
  }
  return new Uint8Array(await crypto.subtle.digest(hash, certificate.raw));
}

/**
 * Makes the pin of a public key: SHA-256 of its SPKI (RFC 7469 section 2.4), in
 * base64. A new certificate for the same key has the same pin.
 *
 * @param subjectPublicKeyInfo The key.
 * @returns The pin, 44 characters.
 *
 * @example Pinning the key of a CA
 * ```ts
 * import { parseCertificates, publicKeyPin } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const [certificate] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
 * const pin = await publicKeyPin(certificate!.subjectPublicKeyInfo);
 * assertEquals(pin.length, 44);
 * ```
 */
export async function publicKeyPin(subjectPublicKeyInfo: SubjectPublicKeyInfo): Promise<string> {
  return encodeBase64(await crypto.subtle.digest("SHA-256", subjectPublicKeyInfo.raw));
}
