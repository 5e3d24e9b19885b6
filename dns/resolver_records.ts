/**
 * {@linkcode findRecords}: from a question to its records, over as many aliases as it takes.
 *
 * @module
 */

import { followAnswer, type FollowedAnswer, type FoundRecords } from "./answer_chain.ts";
import type { Question } from "./message.ts";
import type { ResolverConfig } from "./resolver_config.ts";
import {
  DnsResponseError,
  type DnsResponseErrorCode,
  responseErrorCode,
} from "./resolver_errors.ts";
import type { AskedAnswer, AskOptions, QuestionAsker } from "./resolver_query.ts";

/** What records are found with. */
export interface FindRecordsOptions {
  /** Who asks. */
  readonly asker: QuestionAsker;
  /** Whom. */
  readonly config: ResolverConfig;
  /** How. */
  readonly ask: AskOptions;
  /** Aliases to follow. */
  readonly maxAliasCount: number;
}

/**
 * Finds the records a question asks for. An alias whose target the message does not tell of is
 * followed by another question (RFC 1034 section 5.3.3, step 4c).
 *
 * @param question The question.
 * @param options Who asks whom, and how.
 * @returns The records, at least one.
 * @throws {DnsResponseError} If there are none, or the servers fail.
 * @throws {DnsTimeoutError} If no server answers in time.
 * @throws {Error} What asking throws.
 */
export async function findRecords(
  question: Question,
  options: FindRecordsOptions,
): Promise<FoundRecords> {
  const { asker, config, ask, maxAliasCount } = options;
  let aliases: readonly string[] = [];
  let current = question;
  // Each round adds an alias, and too many of them are an end.
  for (;;) {
    const asked = asker.ask(current, config, ask);
    const answer = asked instanceof Promise ? await asked : asked;
    if (answer.error !== undefined) throw answer.error;
    const found = followAnswer(answer.message, current, { aliases, maxAliasCount });
    if (found.type === "records") return found;
    if (found.type !== "alias") throw toResponseError(question, answer, found);
    ({ aliases } = found);
    current = { ...question, name: found.name };
  }
}

function toResponseError(
  question: Question,
  { message, server, over }: AskedAnswer,
  found: Exclude<FollowedAnswer, { type: "records" | "alias" }>,
): DnsResponseError {
  const [code, reason] = describe(found, message.rcode);
  const { name, type } = question;
  const at = found.name === name ? "" : `, which leads to ${found.name}`;
  return new DnsResponseError(code, `Cannot resolve ${name} ${type}${at}: ${reason}`, {
    question,
    response: message,
    attempts: server === undefined || over === undefined
      ? []
      : [{ server, over, outcome: message.rcode }],
  });
}

function describe(
  { type }: { readonly type: Exclude<FollowedAnswer["type"], "records" | "alias"> },
  rcode: string,
): [DnsResponseErrorCode, string] {
  switch (type) {
    case "nxdomain":
      return ["ERR_DNS_NXDOMAIN", "there is no such name"];
    case "nodata":
      return ["ERR_DNS_NODATA", "the name has no such records"];
    case "referral":
      return ["ERR_DNS_LAME", "the server does not resolve"];
    case "alias-loop":
      return ["ERR_DNS_ALIAS_LOOP", "its aliases lead in a circle"];
    case "alias-limit":
      return ["ERR_DNS_ALIAS_LIMIT", "there are too many aliases"];
    default:
      return [responseErrorCode(rcode), rcode];
  }
}
