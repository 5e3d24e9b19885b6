/** What the runners of the certificate vectors share. */

import { decodeBase64 } from "@std/encoding";
import { NetError } from "../../nbio/errors.ts";
import { loadVectors } from "../_support/vectors.ts";

export { type Difference, type Judgement, unlisted } from "./vector_difference.ts";

interface TlsVectors<Case> {
  readonly count: number;
  readonly cases: readonly Case[];
}

/**
 * The cases of `tls-<name>.json`, or `undefined` where the vectors are missing.
 *
 * @throws {Error} If the file does not hold as many cases as it says.
 */
export function loadTlsCases<Case>(name: string): readonly Case[] | undefined {
  const vectors = loadVectors<TlsVectors<Case>>(`tls-${name}`);
  if (vectors === undefined) return undefined;
  const { count, cases } = vectors;
  if (cases.length !== count) throw new Error(`${name} holds ${cases.length} of ${count} cases`);
  return cases;
}

/** The bytes of a certificate, a key or a signature in a vector. */
export function vectorBytes(base64: string): Uint8Array<ArrayBuffer> {
  return decodeBase64(base64);
}

/**
 * `"accepts"`, or the code of the documented error with which `action` refuses.
 *
 * @throws Whatever else it throws: that is a fault, whatever the vector wants.
 */
export function outcomeOf(action: () => unknown): string {
  try {
    action();
    return "accepts";
  } catch (error) {
    if (error instanceof NetError) return error.code;
    throw error;
  }
}
