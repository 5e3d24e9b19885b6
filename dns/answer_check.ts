// This module is sans-I/O.

import { type DecodedMessage, decodeMessage } from "./decode_message.ts";
import { DnsMessageError } from "./errors.ts";
import type { Question } from "./message.ts";
import { MessageReader } from "./message_reader.ts";
import { canonicalName } from "./name.ts";

/** What an answer has to repeat. */
export interface ExpectedAnswer {
  /** The id of the query. */
  readonly id: number;
  /** The question as it was sent; type and class as mnemonics. */
  readonly question: Question;
  /**
   * Whether the letters of the name have to be in the same case.
   *
   * @default {false}
   */
  readonly exactCase?: boolean;
  /**
   * The query as it was sent: a question that repeats its bytes need not be decoded.
   *
   * @default {undefined}
   */
  readonly query?: Uint8Array;
}

/** It answers the question, whatever it says. */
export interface AcceptedVerdict {
  /** Tells the verdicts apart. */
  readonly type: "accepted";
  /** The message. Bytes behind it are ignored. */
  readonly message: DecodedMessage;
}

/** It answers the question, but does not say all; what it says was not even read. */
export interface TruncatedVerdict {
  /** Tells the verdicts apart. */
  readonly type: "truncated";
}

/** It answers the question but for the case of letters. */
export interface MiscasedVerdict {
  /** Tells the verdicts apart. */
  readonly type: "miscased";
}

/** It repeats id and question, but cannot be read. */
export interface MalformedVerdict {
  /** Tells the verdicts apart. */
  readonly type: "malformed";
  /** Why. */
  readonly error: DnsMessageError;
}

/** It is no answer to this. */
export interface UnrelatedVerdict {
  /** Tells the verdicts apart. */
  readonly type: "unrelated";
  /** What does not fit. */
  readonly reason: "header" | "id" | "query" | "opcode" | "question";
}

/** What a message is to one who waits for an answer, told apart by `type`. */
export type AnswerVerdict =
  | AcceptedVerdict
  | TruncatedVerdict
  | MiscasedVerdict
  | MalformedVerdict
  | UnrelatedVerdict;

const HEADER_BYTES = 12;
const TYPE_AND_CLASS_BYTES = 4;
const FORMERR = 1;

/**
 * Tells whether a message answers a query (RFC 5452 section 9.1): QR is set, and opcode, id, and
 * the one question, its name, type and class, are those of the query. A header alone that says
 * FORMERR is accepted as well: servers before EDNS answer so to what they cannot read.
 *
 * What does not fit costs next to nothing, so that a flood of it does not either. Address and port
 * of the sender are to be compared before.
 *
 * @param bytes The message, without the length in front of it over TCP.
 * @param expected What it has to repeat.
 * @returns The verdict. Never throws on what a peer sends.
 *
 * @example A query is no answer
 * ```ts
 * import { checkAnswer, encodeMessage } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const question = { name: "a.example.", type: "A", class: "IN" };
 * const query = encodeMessage({ id: 7, questions: [question] });
 * assertEquals(checkAnswer(query, { id: 7, question }), { type: "unrelated", reason: "query" });
 * ```
 */
export function checkAnswer(bytes: Uint8Array, expected: ExpectedAnswer): AnswerVerdict {
  if (bytes.length < HEADER_BYTES) return unrelated("header");
  if ((bytes[0]! << 8 | bytes[1]!) !== expected.id) return unrelated("id");
  if ((bytes[2]! & 0x80) === 0) return unrelated("query");
  if ((bytes[2]! & 0x78) !== 0) return unrelated("opcode");
  const match = isBareFormerr(bytes) || repeatsQuestion(bytes, expected.query)
    ? "same"
    : matchQuestion(bytes, expected.question);
  if (match === "other") return unrelated("question");
  if (match === "miscased" && expected.exactCase === true) return { type: "miscased" };
  // TC: what is there may be cut anywhere.
  if ((bytes[2]! & 0x02) !== 0) return { type: "truncated" };
  try {
    // Servers and middle boxes that pad are in use; what stands behind is never looked at.
    return { type: "accepted", message: decodeMessage(bytes, { trailingBytes: "report" }) };
  } catch (error) {
    if (error instanceof DnsMessageError) return { type: "malformed", error };
    throw error;
  }
}

/** A header that says FORMERR and announces nothing. */
function isBareFormerr(bytes: Uint8Array): boolean {
  return bytes.length === HEADER_BYTES && (bytes[3]! & 0x0f) === FORMERR &&
    bytes.subarray(4).every((byte) => byte === 0);
}

/** Whether the one question stands there byte by byte as in the query. */
function repeatsQuestion(bytes: Uint8Array, query: Uint8Array | undefined): boolean {
  if (query === undefined || bytes[4] !== 0 || bytes[5] !== 1) return false;
  let end = HEADER_BYTES;
  while (end < query.length && query[end] !== 0) end += query[end]! + 1;
  end += TYPE_AND_CLASS_BYTES + 1;
  if (bytes.length < end) return false;
  for (let offset = HEADER_BYTES; offset < end; offset++) {
    if (bytes[offset] !== query[offset]) return false;
  }
  return true;
}

function matchQuestion(bytes: Uint8Array, wanted: Question): "same" | "miscased" | "other" {
  if (bytes[4] !== 0 || bytes[5] !== 1) return "other";
  let question: Question | undefined;
  try {
    question = new MessageReader(bytes).nextQuestion();
  } catch (error) {
    if (error instanceof DnsMessageError) return "other";
    throw error;
  }
  if (question?.type !== wanted.type || question.class !== wanted.class) return "other";
  if (question.name === wanted.name) return "same";
  return canonicalName(question.name) === canonicalName(wanted.name) ? "miscased" : "other";
}

function unrelated(reason: UnrelatedVerdict["reason"]): UnrelatedVerdict {
  return { type: "unrelated", reason };
}
