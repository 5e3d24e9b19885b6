import { assertEquals } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { type Certificate, parseCertificates } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { signatureSchemeOf } from "../../tls/signature_algorithm.ts";
import { verifySignature } from "../../tls/verify_signature.ts";
import { loadTlsCases } from "./vector_tls.ts";

/** The certificates of a chain, as one file or the other calls them. */
interface AnyChain {
  readonly id: string;
  readonly leaf?: string;
  readonly intermediates?: readonly string[];
  readonly roots?: readonly string[];
  readonly peer_certificate?: string;
  readonly untrusted_intermediates?: readonly string[];
  readonly trusted_certs?: readonly string[];
}

/** The pathological ones would take most of the time, and are all alike. */
const MAX_CERTIFICATES = 12;

const files = ["chain-limbo", "chain-go", "chain-webpki", "chain-bettertls-path"];
const loaded = files.map((file) => loadTlsCases<AnyChain>(file));

function certificatesOf(chain: AnyChain): Certificate[] {
  const texts = [
    chain.leaf ?? chain.peer_certificate!,
    ...chain.intermediates ?? chain.untrusted_intermediates ?? [],
    ...chain.roots ?? chain.trusted_certs ?? [],
  ];
  if (texts.length > MAX_CERTIFICATES) return [];
  try {
    return texts.flatMap((text) => parseCertificates(text));
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    // What cannot be read is the business of other tests.
    return [];
  }
}

async function ours(issuer: Certificate, certificate: Certificate): Promise<boolean | undefined> {
  const { subjectPublicKeyInfo: key } = issuer;
  try {
    const scheme = signatureSchemeOf(certificate.signatureAlgorithm, key);
    return await verifySignature(scheme, key, certificate.signature, certificate.tbs);
  } catch (error) {
    if (error instanceof CertificateVerificationError) return undefined;
    throw error;
  }
}

Deno.test({
  name: "verifySignature() agrees with node:crypto about who has signed whom",
  ignore: loaded.includes(undefined),
  async fn() {
    const counts = { good: 0, bad: 0, refused: 0 };
    for (const chain of loaded.flatMap((chains) => chains!)) {
      const certificates = certificatesOf(chain);
      for (const issuer of certificates) {
        for (const certificate of certificates) {
          if (!issuer.subject.equals(certificate.issuer)) continue;
          const verdict = await ours(issuer, certificate);
          counts[verdict === undefined ? "refused" : verdict ? "good" : "bad"]++;
          if (verdict === undefined) continue;
          const { publicKey } = new X509Certificate(issuer.raw);
          const wanted = new X509Certificate(certificate.raw).verify(publicKey);
          assertEquals(verdict, wanted, `${chain.id}: ${issuer.subject} ${certificate.subject}`);
        }
      }
    }
    assertEquals(counts, { good: 619, bad: 5, refused: 26 });
  },
});
