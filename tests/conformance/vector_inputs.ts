/** The inputs of all request vectors and of the suite, for what compares parsers with each other. */

import { bytesOf } from "../_support/raw_bytes.ts";
import { loadVectors } from "../_support/vectors.ts";
import { HTTP_CASES } from "./http_server_suite.ts";
import { bytesOfBase64 } from "./vector_message.ts";

/** Some bytes for a server. */
export interface VectorInput {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const FILES = [
  "llhttp",
  "llhttp-lenient",
  "gunicorn",
  "parsers",
  "http11probe",
  "desync-guardian",
  "te-mutations",
] as const;

interface AnyCase {
  readonly name: string;
  readonly type: string;
  readonly input?: string;
}

/** What is sent to a server in the vector files that are there, and in the cases of the suite. */
export function requestInputs(): VectorInput[] {
  const inputs: VectorInput[] = FILES.flatMap((file) =>
    (loadVectors<{ readonly cases: readonly AnyCase[] }>(file)?.cases ?? [])
      .filter(({ type, input }) => (type === "request" || type === "exchange") && input)
      .map(({ name, input }) => ({ name: `${file}: ${name}`, bytes: bytesOfBase64(input!) }))
  );
  for (const { name, send } of HTTP_CASES) {
    // Cases with filler or waiting are about the connection, not about parsing.
    if (!send.every((step) => typeof step === "string" && step !== "await response")) continue;
    const wire = send.filter((step) => step !== "end").join("");
    if (wire.length > 0) inputs.push({ name: `suite: ${name}`, bytes: bytesOf(wire) });
  }
  return inputs;
}

/** Larger inputs would slow down what makes many others from them. */
const MAX_SEED_BYTES = 512;

/** The smaller inputs, to be mutated. */
export function seedInputs(): Uint8Array[] {
  return requestInputs().map(({ bytes }) => bytes).filter(({ length }) => length <= MAX_SEED_BYTES);
}
