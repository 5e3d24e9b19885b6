// This module is sans-I/O.

import type { Message, Question, ResourceRecord } from "./message.ts";
import { canonicalName, isSubdomain } from "./name.ts";

/** Long enough to be worth keeping; the answer never changes. */
const LOOPBACK_TTL = 86_400;

const NXDOMAIN_ZONES = ["invalid.", "onion."];

/**
 * Answers for names that never leave the host:
 *
 * - `localhost` and what is below it are the loopback addresses and nothing else (RFC 6761
 *   section 6.3, RFC 6303);
 * - `invalid` (RFC 6761 section 6.4) and `onion` (RFC 7686 section 2) and what is below them do not
 *   exist.
 *
 * `test`, `example` and the reverse names of private addresses are left to the servers: to a stub
 * they are names like others (RFC 6761 sections 6.1, 6.2 and 6.5). So is `local`, which many
 * networks use without multicast.
 *
 * @param question What is asked.
 * @returns The answer, as if a server had given it; `undefined` for a name like others.
 * @throws {DnsMessageError} If the name is none.
 *
 * @example Below localhost
 * ```ts
 * import { answerSpecialName } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const message = answerSpecialName({ name: "app.localhost.", type: "AAAA", class: "IN" });
 * assertEquals(message?.answers[0]?.data, { address: "::1" });
 * assertEquals(answerSpecialName({ name: "example.", type: "A", class: "IN" }), undefined);
 * ```
 */
export function answerSpecialName(question: Question): Message | undefined {
  const name = canonicalName(question.name);
  if (isSubdomain(name, "localhost.")) {
    return answer(question, "NOERROR", loopbackRecords(question));
  }
  if (NXDOMAIN_ZONES.some((zone) => isSubdomain(name, zone))) {
    return answer(question, "NXDOMAIN", []);
  }
  return undefined;
}

function loopbackRecords({ name, type, class: recordClass }: Question): ResourceRecord[] {
  if (recordClass !== "IN" && recordClass !== "ANY") return [];
  const head = { name, class: "IN", ttl: LOOPBACK_TTL };
  const records: ResourceRecord[] = [
    { ...head, type: "A", data: { address: "127.0.0.1" } },
    { ...head, type: "AAAA", data: { address: "::1" } },
  ];
  return type === "ANY" ? records : records.filter((record) => record.type === type);
}

function answer(question: Question, rcode: string, answers: readonly ResourceRecord[]): Message {
  return {
    id: 0,
    response: true,
    opcode: "QUERY",
    authoritative: true,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    zero: false,
    authenticData: false,
    checkingDisabled: false,
    rcode,
    questions: [question],
    answers,
    authorities: [],
    additionals: [],
    edns: undefined,
  };
}
