// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";
import type { Certificate } from "./certificate.ts";
import {
  CertificateVerificationError,
  type CertificateVerificationErrorCode,
} from "./certificate_verification_error.ts";
import { ChainBudget, type ChainBudgets, type ChainSteps } from "./chain_budget.ts";
import { checkPolicies } from "./chain_policy.ts";
import {
  type CertificatePurpose,
  type ChainRules,
  checkIntermediate,
  checkLeaf,
  checkPurpose,
  checkRoot,
  mayBeSameKey,
} from "./chain_rules.ts";
import type { DistinguishedName } from "./distinguished_name.ts";
import { equalBytes } from "./equal_bytes.ts";
import { constrainedNames, findNameConstraintViolation } from "./name_constraints.ts";
import { type SignatureScheme, signatureSchemeOf } from "./signature_algorithm.ts";
import { verifyHostname, type VerifyHostnameOptions } from "./verify_hostname.ts";

/** What a {@linkcode ChainBuilder} works with. */
export interface ChainBuilderOptions extends ChainBudgets, VerifyHostnameOptions {
  /** Certificates that are trusted. */
  readonly roots: readonly Certificate[];
  /** The instant of verification, in milliseconds since the epoch. */
  readonly time: number;
  /**
   * Certificates that may lead from the leaf to a root, in any order. Nobody trusts them.
   *
   * @default {[]}
   */
  readonly intermediates?: readonly Certificate[];
  /**
   * Name or address of the host; see {@linkcode verifyHostname}.
   *
   * @default {undefined} (names are not looked at)
   */
  readonly name?: string | Uint8Array;
  /**
   * What the leaf has to be good for, and every CA above it.
   *
   * @default {"serverAuth"}
   */
  readonly purpose?: CertificatePurpose;
}

/** What a {@linkcode ChainBuilder} needs or has found. */
export type ChainEvent =
  | {
    /** A signature has to be checked; the answer goes to `receiveSignature`. */
    readonly type: "check-signature";
    /** How it is checked. */
    readonly scheme: SignatureScheme;
    /** The certificate whose signature it is. */
    readonly certificate: Certificate;
    /** The certificate with the key. */
    readonly issuer: Certificate;
  }
  | {
    /** The leaf is verified. */
    readonly type: "verified";
    /** The chain, leaf first, root last. */
    readonly chain: readonly Certificate[];
  };

/** The first ones tell enough. */
const MAX_REFUSALS = 32;

/** A certificate that may have signed another. */
interface Issuer {
  readonly certificate: Certificate;
  readonly isRoot: boolean;
  /** What its own rules say; `undefined` before they were asked, `null` if all is well. */
  refusal: CertificateVerificationError | null | undefined;
  /** Whether it has signed a certificate, as far as that is known. */
  readonly signed: Map<Certificate, boolean>;
}

/** The issuers of the certificate at one depth, and how many of them were tried. */
interface Level {
  readonly issuers: readonly Issuer[];
  tried: number;
}

/**
 * Finds a chain from a leaf to a trusted root by RFC 5280 section 6, as a state machine: it asks for
 * every signature it needs, one at a time, and is told the answer.
 *
 * Paths are tried depth first, roots before others. A step is taken only after every rule that is
 * cheaper than a signature; no signature is asked for twice. A certificate whose subject and key are
 * on the path already is passed over, so that no path has a cycle.
 *
 * @example Answering by hand
 * ```ts
 * import { ChainBuilder, parseCertificates } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const [root] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
 * const [leaf] = parseCertificates(await Deno.readTextFile("tests/tls/leaf.pem"));
 * const builder = new ChainBuilder(leaf!, { roots: [root!], time: Date.UTC(2026, 0) });
 * const event = builder.nextEvent();
 * assertEquals(event.type === "check-signature" && event.scheme.type, "ecdsa");
 * builder.receiveSignature(true);
 * assertEquals(builder.nextEvent(), { type: "verified", chain: [leaf!, root!] });
 * ```
 */
export class ChainBuilder {
  readonly #options: ChainBuilderOptions;
  readonly #budget: ChainBudget;
  readonly #rules: ChainRules;
  readonly #issuers = new Map<string, Issuer[]>();
  /** Leaf first. */
  readonly #path: Certificate[];
  /** One for each certificate on the path. */
  readonly #levels: Level[] = [];
  readonly #refusals: CertificateVerificationError[] = [];
  /** Of the refusals the one that came closest to a root. */
  #best: CertificateVerificationError | undefined;
  #bestRank = -1;
  #asked: { readonly issuer: Issuer; readonly event: ChainEvent } | undefined;
  /** Who was just found to have signed the last certificate on the path. */
  #signer: Issuer | undefined;
  /** How it has ended, for good. */
  #outcome: ChainEvent | NetError | undefined;

  /**
   * Makes a builder; nothing is looked at yet.
   *
   * @param leaf The certificate to verify.
   * @param options Roots, time and the rest.
   * @throws {RangeError} If an option is out of its range.
   * @throws {LimitExceededError} If there are more intermediates than `maxIntermediates`.
   */
  constructor(leaf: Certificate, options: ChainBuilderOptions) {
    const { time, purpose = "serverAuth", roots, intermediates = [] } = options;
    if (!Number.isFinite(time)) throw new RangeError(`Cannot build chain: time is ${time}`);
    checkPurpose(purpose);
    this.#options = options;
    this.#budget = new ChainBudget(options);
    this.#budget.checkIntermediates(intermediates.length);
    this.#rules = { time, purpose };
    this.#path = [leaf];
    for (const root of roots) this.#addIssuer(root, true);
    for (const intermediate of intermediates) this.#addIssuer(intermediate, false);
  }

  /** What the work has cost so far. */
  get steps(): ChainSteps {
    return this.#budget.steps;
  }

  /**
   * Goes on until a signature is needed, or the leaf is verified.
   *
   * @returns What is needed or was found; the same again until the answer has come, and for ever
   * after the end.
   * @throws {CertificateVerificationError} If the leaf is refused.
   * @throws {LimitExceededError} If a budget is used up.
   * @throws {TypeError} If `name` is neither a name nor an address.
   */
  nextEvent(): ChainEvent {
    if (this.#outcome instanceof NetError) throw this.#outcome;
    if (this.#outcome !== undefined) return this.#outcome;
    if (this.#asked !== undefined) return this.#asked.event;
    try {
      const event = this.#levels.length === 0 ? this.#begin() : this.#search();
      if (event.type === "verified") this.#outcome = event;
      return event;
    } catch (error) {
      if (error instanceof NetError) this.#outcome = error;
      throw error;
    }
  }

  /**
   * Takes the answer to the last event.
   *
   * @param verdict Whether the signature is good, or why nobody can tell.
   * @throws {TypeError} If no signature was asked for.
   */
  receiveSignature(verdict: boolean | CertificateVerificationError): void {
    if (this.#asked === undefined) throw new TypeError("Cannot take signature: none was asked for");
    const { issuer } = this.#asked;
    this.#asked = undefined;
    const certificate = this.#path.at(-1)!;
    issuer.signed.set(certificate, verdict === true);
    if (verdict === true) this.#signer = issuer;
    else if (verdict !== false) this.#record(verdict);
    else {
      const reason = "it is not signed by who is named as its issuer";
      this.#record(this.#refusal("ERR_X509_BAD_SIGNATURE", certificate, reason, -1));
    }
  }

  #begin(): ChainEvent {
    const leaf = this.#path[0]!;
    const { name, roots } = this.#options;
    if (name !== undefined) verifyHostname(leaf, name, this.#options);
    try {
      checkLeaf(leaf, this.#rules);
    } catch (error) {
      if (!(error instanceof CertificateVerificationError)) throw error;
      throw withPlace(error, leaf, 0);
    }
    // Who is trusted needs nobody to vouch for them.
    if (roots.some(({ raw }) => equalBytes(raw, leaf.raw))) {
      return { type: "verified", chain: [leaf] };
    }
    this.#enter(leaf);
    return this.#search();
  }

  #search(): ChainEvent {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      let issuer = this.#signer;
      this.#signer = undefined;
      if (issuer === undefined) {
        issuer = level.issuers[level.tried++];
        if (issuer === undefined) {
          this.#levels.pop();
          // The leaf stays: it is what the search is about.
          if (this.#levels.length > 0) this.#path.pop();
          continue;
        }
        this.#budget.countPathStep();
      }
      const event = this.#try(issuer);
      if (event !== undefined) return event;
    }
    const leaf = this.#path[0]!;
    const best = this.#best ??
      this.#refusal("ERR_X509_UNKNOWN_ISSUER", leaf, "no way leads to a root", -1);
    const refusals = this.#refusals.filter((refusal) => refusal !== best);
    throw withPlace(best, leaf, 0, refusals);
  }

  /** Takes a step if everything speaks for it; gives what has to be known first, or the end. */
  #try(issuer: Issuer): ChainEvent | undefined {
    const { certificate, isRoot } = issuer;
    const subject = this.#path.at(-1)!;
    const hasSigned = issuer.signed.get(subject);
    try {
      if (hasSigned === undefined) return this.#ask(issuer);
      if (!hasSigned || this.#isOnPath(certificate)) return undefined;
      this.#checkPlace(issuer);
      this.#checkNames(certificate);
      if (isRoot) checkPolicies(this.#path, () => this.#budget.countNameComparison());
    } catch (error) {
      if (!(error instanceof CertificateVerificationError)) throw error;
      this.#record(withPlace(error, certificate, this.#path.length));
      return undefined;
    }
    if (isRoot) return { type: "verified", chain: [...this.#path, certificate] };
    this.#path.push(certificate);
    this.#enter(certificate);
    return undefined;
  }

  /** Asks for a signature once all that costs less speaks for it. */
  #ask(issuer: Issuer): ChainEvent | undefined {
    if (this.#isOnPath(issuer.certificate)) return undefined;
    this.#checkPlace(issuer);
    const certificate = this.#path.at(-1)!;
    const key = issuer.certificate.subjectPublicKeyInfo;
    let scheme: SignatureScheme;
    try {
      scheme = signatureSchemeOf(certificate.signatureAlgorithm, key);
    } catch (error) {
      if (!(error instanceof CertificateVerificationError)) throw error;
      throw withPlace(error, certificate, this.#path.length - 1);
    }
    this.#budget.countSignature();
    const event: ChainEvent = {
      type: "check-signature",
      scheme,
      certificate,
      issuer: issuer.certificate,
    };
    this.#asked = { issuer, event };
    return event;
  }

  /** Whether an issuer may stand where it is about to be put. */
  #checkPlace(issuer: Issuer): void {
    const { certificate, isRoot } = issuer;
    if (issuer.refusal === undefined) issuer.refusal = ownRefusal(issuer, this.#rules) ?? null;
    if (issuer.refusal !== null) throw issuer.refusal;
    const identifier = this.#path.at(-1)!.authorityKeyIdentifier?.keyIdentifier;
    if (!mayBeSameKey(identifier, certificate.subjectKeyIdentifier)) {
      throw this.#refusal("ERR_X509_KEY_IDENTIFIER", certificate, "another key is named");
    }
    // RFC 5280 section 6.1.4 (l): self-issued certificates take no room.
    const below = this.#path.slice(1).filter(({ isSelfIssued }) => !isSelfIssued).length;
    const { pathLength = Infinity } = certificate.basicConstraints ?? {};
    if (below > pathLength) {
      throw this.#refusal("ERR_X509_PATH_LENGTH", certificate, `${below} CAs are below it`);
    }
    const depth = below + (isRoot || certificate.isSelfIssued ? 0 : 1);
    if (depth > this.#budget.maxDepth) {
      throw this.#refusal("ERR_X509_PATH_TOO_DEEP", certificate, `${depth} CAs are on the path`);
    }
  }

  /** RFC 5280 sections 6.1.3 (b) and (c): of what is self-issued, only the leaf is looked at. */
  #checkNames({ nameConstraints }: Certificate): void {
    if (nameConstraints === undefined) return;
    const count = (): void => this.#budget.countNameComparison();
    for (const [depth, certificate] of this.#path.entries()) {
      if (depth > 0 && certificate.isSelfIssued) continue;
      const names = constrainedNames(certificate);
      const violation = findNameConstraintViolation(names, nameConstraints, count);
      if (violation === undefined) continue;
      const { rule, name } = violation;
      const reason = `a name of type ${name.type} is ${rule === "excluded" ? "" : "not "}${rule}`;
      const message = `Cannot verify chain: ${reason}`;
      throw new CertificateVerificationError("ERR_X509_NAME_CONSTRAINTS", message, {
        certificate,
        depth,
      });
    }
  }

  #addIssuer(certificate: Certificate, isRoot: boolean): void {
    const key = nameKey(certificate.subject);
    const issuers = this.#issuers.get(key);
    const issuer: Issuer = { certificate, isRoot, refusal: undefined, signed: new Map() };
    if (issuers === undefined) this.#issuers.set(key, [issuer]);
    else issuers.push(issuer);
  }

  /** Makes the issuers of the last certificate on the path the next ones to try. */
  #enter(certificate: Certificate): void {
    const issuers = this.#issuers.get(nameKey(certificate.issuer)) ?? [];
    this.#levels.push({ issuers, tried: 0 });
    if (issuers.length > 0) return;
    const reason = "no certificate has the name of its issuer";
    this.#record(this.#refusal("ERR_X509_UNKNOWN_ISSUER", certificate, reason, -1), 0);
  }

  #isOnPath({ subject, subjectPublicKeyInfo: key }: Certificate): boolean {
    return this.#path.some((certificate) =>
      equalBytes(certificate.subjectPublicKeyInfo.raw, key.raw) &&
      certificate.subject.equals(subject)
    );
  }

  /** A refusal of the certificate that is about to be put on the path, or of one below. */
  #refusal(
    code: CertificateVerificationErrorCode,
    certificate: Certificate,
    reason: string,
    offset: 0 | -1 = 0,
  ): CertificateVerificationError {
    const depth = this.#path.length + offset;
    const message = `Cannot verify chain: ${reason}`;
    return new CertificateVerificationError(code, message, { certificate, depth });
  }

  /** Of those that came equally far, the first one counts; a missing issuer is the least of them. */
  #record(refusal: CertificateVerificationError, weight: 0 | 1 = 1): void {
    const rank = 2 * (this.#path.length - 1) + weight;
    if (rank > this.#bestRank) {
      this.#best = refusal;
      this.#bestRank = rank;
    }
    if (this.#refusals.length < MAX_REFUSALS) this.#refusals.push(refusal);
  }
}

function ownRefusal(
  { certificate, isRoot }: Issuer,
  rules: ChainRules,
): CertificateVerificationError | undefined {
  try {
    if (isRoot) checkRoot(certificate, rules);
    else checkIntermediate(certificate, rules);
    return undefined;
  } catch (error) {
    if (error instanceof CertificateVerificationError) return error;
    throw error;
  }
}

/** The same refusal, of a certificate at a place unless it says so itself. */
function withPlace(
  error: CertificateVerificationError,
  certificate: Certificate,
  depth: number,
  refusals: readonly CertificateVerificationError[] = error.refusals,
): CertificateVerificationError {
  return new CertificateVerificationError(error.code, error.message, {
    certificate: error.certificate ?? certificate,
    depth: error.depth ?? depth,
    refusals,
    cause: error.cause,
  });
}

/** Roots are many, and the same ones every time. */
const NAME_KEYS = new WeakMap<DistinguishedName, string>();

/** The same for two names exactly if they are equal (RFC 5280 section 7.1). */
function nameKey(name: DistinguishedName): string {
  let key = NAME_KEYS.get(name);
  if (key === undefined) {
    key = JSON.stringify(name.rdnKeys);
    NAME_KEYS.set(name, key);
  }
  return key;
}
