/** How the vectors of certificate chains are run: what becomes of each, and what all of them cost. */

import { NetError } from "../../nbio/errors.ts";
import { type Certificate, parseCertificate, parseCertificates } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import type { ChainSteps } from "../../tls/chain_budget.ts";
import { ChainBuilder, type ChainBuilderOptions } from "../../tls/chain_builder.ts";
import { verifyChain } from "../../tls/verify_chain.ts";
import { verifySignature } from "../../tls/verify_signature.ts";
import { type Judgement, vectorBytes } from "./vector_tls.ts";

/** A chain of a vector file, in the words of our options. */
export interface ChainVector {
  readonly id: string;
  readonly expect: "ok" | "err";
  /** In PEM, or in DER and base64. */
  readonly leaf: string;
  readonly intermediates: readonly string[];
  readonly roots: readonly string[];
  /** Milliseconds since the epoch; one second into the leaf's validity where it is missing. */
  readonly time?: number;
  readonly options?: Omit<ChainBuilderOptions, "roots" | "intermediates" | "time">;
}

/** What became of all chains of a file. */
export interface ChainRun {
  readonly judgements: readonly Judgement[];
  /** The most one chain has cost, refused ones as well. */
  readonly most: ChainSteps;
}

/** Runs chains one after the other. */
export async function runChains(vectors: readonly ChainVector[]): Promise<ChainRun> {
  const judgements: Judgement[] = [];
  let most: ChainSteps = { signatures: 0, nameComparisons: 0, pathSteps: 0 };
  for (const vector of vectors) {
    const { got, steps } = await run(vector);
    const wanted = vector.expect === "ok" ? "accepts" : "refuses";
    const isAgreed = (got === "accepts") === (wanted === "accepts");
    judgements.push({ name: vector.id, wanted, got, isAgreed });
    if (steps === undefined) continue;
    most = {
      signatures: Math.max(most.signatures, steps.signatures),
      nameComparisons: Math.max(most.nameComparisons, steps.nameComparisons),
      pathSteps: Math.max(most.pathSteps, steps.pathSteps),
    };
  }
  return { judgements, most };
}

interface Outcome {
  readonly got: string;
  readonly steps?: ChainSteps;
}

async function run(vector: ChainVector): Promise<Outcome> {
  const { time, options } = vector;
  let builder: ChainBuilder | undefined;
  let got: string;
  try {
    const leaf = parse(vector.leaf);
    const all = {
      ...options,
      roots: vector.roots.map(parse),
      intermediates: vector.intermediates.map(parse),
      time: time ?? leaf.notBefore + 1_000,
    };
    builder = new ChainBuilder(leaf, all);
    const counted = await codeOf(() => drive(builder!));
    got = await codeOf(() => verifyChain(leaf, all));
    if (got !== counted) throw new Error(`${vector.id}: ${got} by the driver, ${counted} without`);
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    got = error.code;
  }
  return builder === undefined ? { got } : { got, steps: builder.steps };
}

function parse(text: string): Certificate {
  if (text.includes("-----BEGIN")) return parseCertificates(text)[0]!;
  return parseCertificate(vectorBytes(text));
}

/** The way of `verifyChain`, with the builder in sight: it counts where the driver throws. */
async function drive(builder: ChainBuilder): Promise<void> {
  for (;;) {
    const event = builder.nextEvent();
    if (event.type === "verified") return;
    const { scheme, issuer: { subjectPublicKeyInfo: key }, certificate } = event;
    const { signature, tbs } = certificate;
    const verdict = await verifySignature(scheme, key, signature, tbs).catch((error) => {
      if (error instanceof CertificateVerificationError) return error;
      throw error;
    });
    builder.receiveSignature(verdict);
  }
}

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return "accepts";
  } catch (error) {
    if (error instanceof NetError) return error.code;
    throw error;
  }
}
