// This module is sans-I/O.

import type { DnsCookie } from "./dns_server.ts";
import type { Edns } from "./edns.ts";
import { encodeMessage } from "./encode_message.ts";
import type { Question } from "./message.ts";
import { parseName } from "./name.ts";
import type { ResolvedQueryOptions } from "./query_options.ts";
import { formatRecordClass, parseRecordClass } from "./record_class.ts";
import { formatRecordType, parseRecordType } from "./record_type.ts";

/** What differs between the queries of one question. */
export interface QueryParts {
  /** Id that the answer has to repeat. */
  readonly id: number;
  /** The question as it stands there. */
  readonly question: Question;
  /** Whether there is an OPT record. */
  readonly hasEdns: boolean;
  /** The cookie in it, if any. */
  readonly cookie: DnsCookie | undefined;
}

/**
 * Encodes a query.
 *
 * @param parts What differs from query to query.
 * @param options What all queries of the machine share.
 * @returns The message.
 * @throws {DnsMessageError} If an option of EDNS does not fit the wire.
 */
export function encodeQuery(
  parts: QueryParts,
  options: ResolvedQueryOptions,
): Uint8Array<ArrayBuffer> {
  const { id, question } = parts;
  const { recursionDesired, checkingDisabled, authenticData } = options;
  const edns = ednsOf(parts, options);
  return encodeMessage({
    id,
    recursionDesired,
    checkingDisabled,
    authenticData,
    questions: [question],
    ...(edns === undefined ? {} : { edns }),
  });
}

function ednsOf({ hasEdns, cookie }: QueryParts, options: ResolvedQueryOptions): Edns | undefined {
  const { edns: udpPayloadSize, ednsOptions, dnssecOk } = options;
  if (!hasEdns || udpPayloadSize === false) return undefined;
  const all = cookie === undefined
    ? ednsOptions
    : [{ type: "cookie" as const, ...cookie }, ...ednsOptions];
  return { udpPayloadSize, version: 0, dnssecOk, flags: 0, options: all };
}

/**
 * Writes a question in the one way in which it comes back.
 *
 * @param question Any lawful spelling; the name counts as absolute.
 * @returns The name absolute with its one escaping, type and class as mnemonics.
 * @throws {DnsTextError} If the name is none.
 * @throws {RangeError} If type or class is none.
 */
export function normalizeQuestion({ name, type, class: recordClass }: Question): Question {
  const typeCode = parseRecordType(type);
  const classCode = parseRecordClass(recordClass);
  if (typeCode === undefined) failQuestion("type", type);
  if (classCode === undefined) failQuestion("class", recordClass);
  return {
    name: parseName(name, { origin: "." }),
    type: formatRecordType(typeCode),
    class: formatRecordClass(classCode),
  };
}

function failQuestion(field: string, text: string): never {
  throw new RangeError(`Cannot ask for ${field} ${JSON.stringify(text.slice(0, 32))}: unknown`);
}
