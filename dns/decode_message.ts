// This module is sans-I/O.

import {
  describeHeader,
  failOpt,
  opcodeOf,
  readHeader,
  readOpt,
  readQuestion,
  readRecordData,
  TYPE_OPT,
} from "./_message_wire.ts";
import type { Edns } from "./edns.ts";
import { DnsMessageError } from "./errors.ts";
import type { Message, Question, ResourceRecord } from "./message.ts";
import { WireReader } from "./wire_reader.ts";

/** A root name, a type and a class. */
const MIN_QUESTION_BYTES = 5;
/** With a TTL and a length. */
const MIN_RECORD_BYTES = 11;

/** How {@linkcode decodeMessage} takes what it gets. */
export interface DecodeMessageOptions {
  /**
   * What becomes of bytes behind the last record: the message is refused, or their number is told.
   *
   * @default {"reject"}
   */
  readonly trailingBytes?: "reject" | "report";
}

/** A message as it was decoded. */
export interface DecodedMessage extends Message {
  /** What the OPT record says; `undefined` where there is none. */
  readonly edns: Edns | undefined;
  /** How many bytes stand behind the last record; always 0 unless they are to be reported. */
  readonly trailingByteCount: number;
}

/**
 * Decodes a whole message (RFC 1035 section 4.1), strictly: what is malformed in any record of a
 * known type refuses the message. Takes time linear in its bytes and in the text of its names.
 * To skip sections, or to look only at some records, take {@linkcode MessageReader}.
 *
 * @param bytes The message, without the length that stands in front of it over TCP. Nothing of it
 * is kept.
 * @param options How to take trailing bytes.
 * @returns The message.
 * @throws {DnsMessageError} If it is broken; `code` says how, `offset` where.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A question
 * ```ts
 * import { decodeMessage, encodeMessage } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const query = encodeMessage({
 *   id: 7,
 *   recursionDesired: true,
 *   questions: [{ name: "example.com.", type: "AAAA", class: "IN" }],
 * });
 * const { id, recursionDesired, questions } = decodeMessage(query);
 * assertEquals([id, recursionDesired], [7, true]);
 * assertEquals(questions, [{ name: "example.com.", type: "AAAA", class: "IN" }]);
 * ```
 */
export function decodeMessage(
  bytes: Uint8Array,
  options: DecodeMessageOptions = {},
): DecodedMessage {
  const { trailingBytes = "reject" } = options;
  if (trailingBytes !== "reject" && trailingBytes !== "report") {
    throw new RangeError(`Cannot use trailingBytes ${trailingBytes}: expected reject or report`);
  }
  const reader = new WireReader(bytes);
  const { id, flags } = readHeader(reader);
  const opcode = opcodeOf(flags);
  const questionCount = reader.u16();
  const answerCount = reader.u16();
  const authorityCount = reader.u16();
  const additionalCount = reader.u16();
  const questions = makeList<Question>(reader, questionCount, MIN_QUESTION_BYTES);
  for (let index = 0; index < questionCount; index++) questions[index] = readQuestion(reader);
  const answers = readSection(reader, answerCount, opcode);
  const authorities = readSection(reader, authorityCount, opcode);
  const additionals: ResourceRecord[] = [];
  const opt = readAdditionals(reader, additionalCount, opcode, additionals);
  const trailingByteCount = reader.remaining;
  if (trailingByteCount > 0 && trailingBytes === "reject") failTrailing(reader);
  const header = describeHeader(id, flags, opt === undefined ? 0 : opt.extendedRcode);
  const edns = opt?.edns;
  return { ...header, questions, answers, authorities, additionals, edns, trailingByteCount };
}

/**
 * A list with room for what was announced: growing it would cost as much as filling it. What cannot
 * be there gets no memory.
 */
function makeList<T>(reader: WireReader, count: number, minBytes: number): T[] {
  if (count * minBytes <= reader.remaining) return count === 0 ? [] : new Array<T>(count);
  throw new DnsMessageError(
    "ERR_DNS_TRUNCATED",
    `Cannot decode message: ${count} entries need more than the ${reader.remaining} bytes there are`,
    { offset: reader.offset },
  );
}

/** Reads the records of the answer or the authority section. */
function readSection(reader: WireReader, count: number, opcode: number): ResourceRecord[] {
  const records = makeList<ResourceRecord>(reader, count, MIN_RECORD_BYTES);
  for (let index = 0; index < count; index++) {
    const name = reader.name();
    const type = reader.u16();
    // RFC 6891 section 6.1.1: it stands in the additional section.
    if (type === TYPE_OPT) failOpt("it is not in the additional section", reader.offset);
    const classCode = reader.u16();
    const ttl = reader.u32();
    const length = reader.u16();
    records[index] = readRecordData(reader, name, type, classCode, ttl, length, opcode);
  }
  return records;
}

interface Opt {
  readonly edns: Edns;
  readonly extendedRcode: number;
}

/** Reads the records of the additional section into `records`; gives what an OPT record says. */
function readAdditionals(
  reader: WireReader,
  count: number,
  opcode: number,
  records: ResourceRecord[],
): Opt | undefined {
  let opt: Opt | undefined;
  for (let left = count; left > 0; left--) {
    const name = reader.name();
    const type = reader.u16();
    const classCode = reader.u16();
    const ttl = reader.u32();
    const length = reader.u16();
    if (type !== TYPE_OPT) {
      records.push(readRecordData(reader, name, type, classCode, ttl, length, opcode));
    } else if (opt !== undefined) {
      // RFC 6891 section 6.1.1.
      failOpt("there is another one", reader.offset);
    } else {
      opt = { edns: readOpt(reader, name, classCode, ttl, length), extendedRcode: ttl >>> 24 };
    }
  }
  return opt;
}

function failTrailing({ remaining, offset }: WireReader): never {
  throw new DnsMessageError(
    "ERR_DNS_TRAILING_BYTES",
    `Cannot decode message: ${remaining} bytes stand behind its last record (offset ${offset})`,
    { offset },
  );
}
