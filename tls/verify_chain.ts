import { type Clock, systemClock } from "../nbio/clock.ts";
import type { Certificate } from "./certificate.ts";
import { CertificateVerificationError } from "./certificate_verification_error.ts";
import type { ChainSteps } from "./chain_budget.ts";
import { ChainBuilder, type ChainBuilderOptions, type ChainEvent } from "./chain_builder.ts";
import { verifySignature } from "./verify_signature.ts";

/** What {@linkcode verifyChain} verifies against. */
export interface VerifyChainOptions extends Omit<ChainBuilderOptions, "time"> {
  /**
   * The instant of verification, in milliseconds since the epoch.
   *
   * @default {clock.wallNow()}
   */
  readonly time?: number;
  /**
   * Where the time comes from if none is given.
   *
   * @default {systemClock}
   */
  readonly clock?: Pick<Clock, "wallNow">;
  /**
   * Ends the work: the reason is thrown.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/** A chain that was verified. */
export interface VerifiedChain {
  /** The chain, leaf first, root last; the leaf alone if it is a root itself. */
  readonly chain: readonly Certificate[];
  /** What it has cost. */
  readonly steps: ChainSteps;
}

/** Everything that is honoured; what is not in here is refused, not dropped. */
const OPTIONS: Readonly<Record<keyof VerifyChainOptions, true>> = {
  roots: true,
  intermediates: true,
  time: true,
  clock: true,
  name: true,
  uri: true,
  srv: true,
  purpose: true,
  maxDepth: true,
  maxSignatures: true,
  maxNameComparisons: true,
  maxPathSteps: true,
  maxIntermediates: true,
  signal: true,
};

/**
 * Verifies a certificate up to a trusted root, by RFC 5280 section 6 and strictly:
 *
 * - Every signature is good, by an algorithm and a key that are worth it: no SHA-1 or MD5, RSA of
 *   2,048 to 8,192 bits, P-256, P-384, P-521 and Ed25519. The root's own signature says nothing and
 *   is not looked at.
 * - `time` is in the validity of every certificate, the root's too.
 * - CAs say that they are, may sign certificates and are for the purpose; their path lengths and
 *   name constraints hold, those of the root too.
 * - Below the root there is nothing but version 3, with positive serial numbers of at most 20 bytes.
 * - No critical extension is passed over.
 * - The leaf names the host, where `name` is given (see `verifyHostname`).
 *
 * Of several paths one has to be good. The work is bounded by budgets; see {@linkcode ChainBudgets}.
 *
 * Nothing is known of revocation: there is no option for CRLs or OCSP, and unknown options throw.
 *
 * @param leaf The certificate to verify.
 * @param options Roots and the rest.
 * @returns The chain and what it has cost.
 * @throws {CertificateVerificationError} If it is refused; the reason is in `code`.
 * @throws {LimitExceededError} If a budget is used up.
 * @throws {RangeError} If an option is out of its range.
 * @throws {TypeError} If an option is not known, or `name` is neither a name nor an address.
 *
 * @example A trusted root, and none
 * ```ts
 * import { CertificateVerificationError, parseCertificates, verifyChain } from "@nbio/net/tls";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [root] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
 * const [leaf] = parseCertificates(await Deno.readTextFile("tests/tls/leaf.pem"));
 * const { chain, steps } = await verifyChain(leaf!, { roots: [root!], name: "localhost" });
 * assertEquals([chain, steps.signatures], [[leaf!, root!], 1]);
 *
 * const error = await assertRejects(
 *   () => verifyChain(leaf!, { roots: [], name: "localhost" }),
 *   CertificateVerificationError,
 * );
 * assertEquals(error.code, "ERR_X509_UNKNOWN_ISSUER");
 * ```
 */
export async function verifyChain(
  leaf: Certificate,
  options: VerifyChainOptions,
): Promise<VerifiedChain> {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(OPTIONS, name) || value === undefined) continue;
    throw new TypeError(`Cannot verify chain: there is no option ${JSON.stringify(name)}`);
  }
  const { clock = systemClock, signal, time = clock.wallNow() } = options;
  signal?.throwIfAborted();
  const builder = new ChainBuilder(leaf, { ...options, time });
  for (;;) {
    const event = builder.nextEvent();
    if (event.type === "verified") return { chain: event.chain, steps: builder.steps };
    const verdict = await checkSignature(event);
    signal?.throwIfAborted();
    builder.receiveSignature(verdict);
  }
}

async function checkSignature(
  { scheme, certificate, issuer }: Extract<ChainEvent, { type: "check-signature" }>,
): Promise<boolean | CertificateVerificationError> {
  const { signature, tbs } = certificate;
  try {
    return await verifySignature(scheme, issuer.subjectPublicKeyInfo, signature, tbs);
  } catch (error) {
    if (error instanceof CertificateVerificationError) return error;
    throw error;
  }
}
