import { CertificateError } from "./certificate_errors.ts";
import { CertificateVerificationError } from "./certificate_verification_error.ts";
import { encodeRsaPublicKeyInfo, signatureSchemeOf } from "./signature_algorithm.ts";
import type { SubjectPublicKeyInfo } from "./subject_public_key_info.ts";

/** What the exported key is for. */
export interface ImportPublicKeyOptions {
  /**
   * Hash of RSA signatures; of no meaning for other keys. A key of rsassaPss may
   * name the one hash it is for: then there is no other.
   *
   * @default {"SHA-256"} (or what the key says)
   */
  readonly hash?: "SHA-256" | "SHA-384" | "SHA-512";
  /**
   * Padding of RSA signatures; of no meaning for other keys. A key of rsassaPss is
   * for PSS only.
   *
   * @default {"pkcs1"}
   */
  readonly padding?: "pkcs1" | "pss";
}

const RSA_PSS = "1.2.840.113549.1.1.10";
const HASHES = ["SHA-256", "SHA-384", "SHA-512"] as const;
const PADDINGS = ["pkcs1", "pss"] as const;

/**
 * Exports a public key to Web Crypto, to verify signatures with. Whether a point
 * lies on its curve is for the runtime to say, and Deno says so when the key is used.
 *
 * @param subjectPublicKeyInfo The key.
 * @param options What the key is for, where it does not say so itself.
 * @returns The key: RSASSA-PKCS1-v1_5, RSA-PSS, ECDSA or Ed25519.
 * @throws {CertificateError} If the runtime does not know such keys, or refuses
 * this one.
 * @throws {RangeError} If an option is none of its values, or `hash` another than
 * the key is for.
 *
 * @example The key of a CA
 * ```ts
 * import { importPublicKey, parseCertificates } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const [certificate] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
 * const key = await importPublicKey(certificate!.subjectPublicKeyInfo);
 * assertEquals([key.type, key.usages], ["public", ["verify"]]);
 * ```
 */
export async function importPublicKey(
  subjectPublicKeyInfo: SubjectPublicKeyInfo,
  options: ImportPublicKeyOptions = {},
): Promise<CryptoKey> {
  const { padding = "pkcs1" } = options;
  checkOption("padding", padding, PADDINGS);
  const onlyHash = hashOf(subjectPublicKeyInfo);
  const { hash = onlyHash ?? "SHA-256" } = options;
  checkOption("hash", hash, onlyHash === undefined ? HASHES : [onlyHash]);
  const { algorithm, publicKey } = subjectPublicKeyInfo;
  // Web Crypto takes RSA keys under the general algorithm only.
  const isPss = algorithm.oid === RSA_PSS;
  const raw = isPss ? encodeRsaPublicKeyInfo(publicKey) : subjectPublicKeyInfo.raw;
  const parameters = importParameters(subjectPublicKeyInfo, hash, padding);
  const name = subjectPublicKeyInfo.namedCurve ?? algorithm.name ?? algorithm.oid;
  if (parameters === undefined) throw unknownKey(name);
  try {
    return await crypto.subtle.importKey("spki", raw, parameters, true, ["verify"]);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "NotSupportedError") {
      throw unknownKey(name, cause);
    }
    const message = "Cannot export public key: the runtime refuses it";
    throw new CertificateError("ERR_X509_BAD_PUBLIC_KEY", message, { cause });
  }
}

/** The hash that an RSA key for PSS alone is bound to (RFC 4055 section 3.3), if it is to one. */
function hashOf(key: SubjectPublicKeyInfo): string | undefined {
  if (key.algorithm.oid !== RSA_PSS || key.algorithm.parameters === undefined) return undefined;
  try {
    const scheme = signatureSchemeOf(key.algorithm, key);
    return "hash" in scheme ? scheme.hash : undefined;
  } catch (cause) {
    if (!(cause instanceof CertificateVerificationError)) throw cause;
    throw unknownKey("rsassaPss with such parameters", cause);
  }
}

function unknownKey(name: string, cause?: unknown): CertificateError {
  const message = `Cannot export public key: the runtime does not know ${name}`;
  return new CertificateError("ERR_X509_UNKNOWN_KEY_ALGORITHM", message, { cause });
}

function checkOption(name: string, value: string, values: readonly string[]): void {
  if (values.includes(value)) return;
  const shown = JSON.stringify(String(value).slice(0, 32));
  throw new RangeError(
    `Cannot export public key: ${name} ${shown} is not one of ${values.join(", ")}`,
  );
}

function importParameters(
  { algorithm, namedCurve }: SubjectPublicKeyInfo,
  hash: string,
  padding: "pkcs1" | "pss",
): RsaHashedImportParams | EcKeyImportParams | { readonly name: string } | undefined {
  switch (algorithm.oid) {
    case "1.2.840.113549.1.1.1":
      return { name: padding === "pss" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5", hash };
    case RSA_PSS:
      return { name: "RSA-PSS", hash };
    case "1.2.840.10045.2.1":
      return namedCurve?.startsWith("P-") ? { name: "ECDSA", namedCurve } : undefined;
    case "1.3.101.112":
      return { name: "Ed25519" };
    default:
      return undefined;
  }
}
