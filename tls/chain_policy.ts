// This module is sans-I/O.

import type { Certificate } from "./certificate.ts";
import { CertificateVerificationError } from "./certificate_verification_error.ts";

const ANY_POLICY = "2.5.29.32.0";

/**
 * Holds that a path shows a policy where one of its CAs requires one (RFC 5280 section 6.1, with
 * every policy acceptable to the caller).
 *
 * Without such a requirement policies cannot change the outcome, and nothing is looked at. With it,
 * a policy has to be common to all certificates; a path in which policies are mapped to each other
 * is refused.
 *
 * @param chain The path, leaf first, the root left out.
 * @param count Called for every policy that is looked at; it may throw to end the work.
 * @throws {CertificateVerificationError} If a policy is required and not shown (`ERR_X509_POLICY`).
 */
export function checkPolicies(chain: readonly Certificate[], count: () => void): void {
  const isRequired = chain.some(({ policyConstraints }) =>
    policyConstraints?.requireExplicitPolicy !== undefined
  );
  if (!isRequired) return;
  let explicitPolicy = chain.length + 1;
  let inhibitAnyPolicy = chain.length + 1;
  let isMapped = false;
  // Every policy is valid so far.
  let valid: ReadonlySet<string> = new Set([ANY_POLICY]);
  for (let depth = chain.length - 1; depth >= 0; depth--) {
    const certificate = chain[depth]!;
    const { isSelfIssued, policyConstraints } = certificate;
    const isAnyAllowed = inhibitAnyPolicy > 0 || (isSelfIssued && depth > 0);
    valid = commonPolicies(valid, certificate, isAnyAllowed, count);
    const isShown = valid.size > 0 && !isMapped;
    if (explicitPolicy === 0 && !isShown) throw missingPolicy(certificate, depth);
    // RFC 5280 sections 6.1.4 (h) to (j), and for the leaf 6.1.5 (a) and (b).
    if (depth === 0 || !isSelfIssued) {
      explicitPolicy = Math.max(explicitPolicy - 1, 0);
      inhibitAnyPolicy = Math.max(inhibitAnyPolicy - 1, 0);
    }
    const required = policyConstraints?.requireExplicitPolicy ?? explicitPolicy;
    if (depth > 0 || required === 0) explicitPolicy = Math.min(explicitPolicy, required);
    inhibitAnyPolicy = Math.min(
      inhibitAnyPolicy,
      certificate.inhibitAnyPolicy ?? inhibitAnyPolicy,
    );
    if (depth === 0) {
      if (explicitPolicy === 0 && !isShown) throw missingPolicy(certificate, depth);
    } else if (certificate.policyMappings !== undefined) isMapped = true;
  }
}

function commonPolicies(
  valid: ReadonlySet<string>,
  { certificatePolicies = [] }: Certificate,
  isAnyAllowed: boolean,
  count: () => void,
): ReadonlySet<string> {
  for (let i = certificatePolicies.length + valid.size; i > 0; i--) count();
  const own = new Set(certificatePolicies.map(({ oid }) => oid));
  if (own.delete(ANY_POLICY) && isAnyAllowed) return valid;
  return valid.has(ANY_POLICY) ? own : new Set([...valid].filter((oid) => own.has(oid)));
}

function missingPolicy(certificate: Certificate, depth: number): CertificateVerificationError {
  return new CertificateVerificationError(
    "ERR_X509_POLICY",
    "Cannot verify chain: a CA requires a policy, and the certificates have none in common",
    { certificate, depth },
  );
}
