/** The format of the http11probe vectors, and the checks its own validators make by name. */

import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import type { LiveOutcome } from "./vector_live.ts";

/** One probe: bytes, or several pieces on one connection. */
export interface ProbeCase {
  readonly name: string;
  readonly type: "exchange" | "sequence";
  /** In base64; of an exchange. */
  readonly input?: string;
  /** Of a sequence; a dynamic step depends on the answer before it. */
  readonly steps?: readonly { readonly input?: string; readonly dynamic?: boolean }[];
  /** Whether the answer's body or fields decide as well. */
  readonly inspectsBodyOrHeaders?: boolean;
  readonly expect: {
    /** Keys like `400`, `200/closed`, `none/closed`, `none/timeout`. */
    readonly pass?: readonly string[];
  };
}

/** Probes that are no whole request: the client has to end its side. */
const UNFINISHED: ReadonlySet<string> = new Set([
  "COMP-CHUNKED-NO-FINAL",
  "COMP-POST-CL-UNDERSEND",
  "MAL-EMPTY-REQUEST",
]);

/** Whether the server would wait for more of this probe. */
export function isUnfinished(item: ProbeCase): boolean {
  return UNFINISHED.has(item.name);
}

/** The keys of `expect.pass` and `expect.warn` that an outcome matches. */
export function keysOf(outcome: LiveOutcome): string[] {
  const { responses, isOpen, end } = outcome;
  const state = isOpen ? "open" : end === "eof" ? "closed" : "timeout";
  const status = responses[0]?.status ?? "none";
  return [`${status}/${state}`, `${status}`];
}

type Check = (outcome: LiveOutcome) => boolean;

const first = ({ responses }: LiveOutcome): RawResponse | undefined => responses[0];
const statuses = ({ responses }: LiveOutcome): string =>
  responses.map((response) => response.status).join(",");
const isRefused: Check = (outcome) => statuses(outcome) === "400" && !outcome.isOpen;
const isOkWith = (body: string): Check => (outcome) =>
  first(outcome)?.status === 200 && first(outcome)?.body === body;
const has = (name: string, pattern: RegExp): Check => (outcome) =>
  pattern.test(fieldOf(first(outcome)!, name) ?? "");

/**
 * What decides where status and connection alone do not: for exchanges that are
 * inspected, and for all sequences.
 */
export const CHECKS: Readonly<Record<string, Check>> = {
  "COMP-CHUNKED-MULTI": isOkWith("hello world"),
  "COMP-CHUNKED-TRAILER-VALID": isOkWith("hello"),
  "COMP-HEAD-NO-BODY": (outcome) =>
    first(outcome)?.status === 200 && first(outcome)?.body === "" && !outcome.hasLeftover,
  "COMP-405-ALLOW": (outcome) => first(outcome)?.status === 405 && has("allow", /GET/)(outcome),
  "COMP-DATE-FORMAT": has("date", /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/),
  "COMP-NO-CL-IN-204": (outcome) =>
    first(outcome)?.status === 204 && fieldOf(first(outcome)!, "content-length") === undefined,
  "COMP-CONTENT-TYPE": has("content-type", /^text\/plain/),
  "COOK-NUL": isRefused,
  "COOK-MULTI-HEADER": (outcome) => /a=1[^]*b=2/.test(first(outcome)?.body ?? ""),
  "COOK-PARSED-MULTI": isOkWith("a=1\nb=2\nc=3"),
  "NORM-SP-BEFORE-COLON-CL": isRefused,
  "NORM-CASE-TE": isRefused,
  "CAP-ETAG-304": (outcome) => statuses(outcome) === "200,304",
  "CAP-ETAG-IN-304": (outcome) =>
    statuses(outcome) === "200,304" && fieldOf(outcome.responses[1]!, "etag") !== undefined,
  "CAP-INM-WILDCARD": (outcome) => statuses(outcome) === "200,304",
  "CAP-IMS-INVALID": (outcome) => statuses(outcome) === "200,200",
  "CAP-ETAG-WEAK": (outcome) => statuses(outcome) === "200,304",
  "SMUG-CLTE-CONN-CLOSE": isRefused,
  "SMUG-CLTE-DESYNC": isRefused,
  "SMUG-CLTE-SMUGGLED-GET-CL-PLUS": isRefused,
  "SMUG-CLTE-SMUGGLED-GET-TE-OBS-FOLD": isRefused,
  "SMUG-CLTE-SMUGGLED-GET-TE-TRAILING-SPACE": isRefused,
  "SMUG-CLTE-SMUGGLED-GET-TE-CASE-MISMATCH": isRefused,
  "SMUG-TECL-SMUGGLED-GET": isRefused,
  // The body is the body: each of the two requests is answered, and no third.
  "SMUG-GET-CL-PREFIX-DESYNC": (outcome) => statuses(outcome) === "200,200",
  "SMUG-OPTIONS-CL-BODY-DESYNC": (outcome) => statuses(outcome) === "204,200",
  "SMUG-CL0-BODY-POISON": (outcome) => statuses(outcome).startsWith("200,4"),
  "SMUG-OPTIONS-TE-OBS-FOLD": isRefused,
  "SMUG-PIPELINE-SAFE": (outcome) => statuses(outcome) === "200,200",
};
