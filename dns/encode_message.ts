// This module is sans-I/O.

import { Flag, TYPE_OPT } from "./_message_wire.ts";
import { type Edns, measureEdns, writeEdns } from "./edns.ts";
import { DnsMessageError } from "./errors.ts";
import type { Message, Question, ResourceRecord } from "./message.ts";
import { canonicalName, isSubdomain } from "./name.ts";
import { parseOpcode } from "./opcode.ts";
import { parseRcode } from "./rcode.ts";
import { findRdataCodec } from "./rdata.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { opaqueCodec } from "./rdata_opaque.ts";
import { parseRecordClass } from "./record_class.ts";
import type { OpaqueData } from "./record_data.ts";
import { parseRecordType } from "./record_type.ts";
import { WireWriter } from "./wire_writer.ts";

/** What is to be encoded; what is absent is 0, false, empty, `QUERY` or `NOERROR`. */
export type MessageInit = Partial<Message>;

/** How {@linkcode encodeMessage} writes. */
export interface EncodeMessageOptions {
  /**
   * Size above which the message is truncated: whole RRsets at its end are left out, and TC is set
   * (RFC 2181 section 9). Questions, the OPT record and a signature at the very end (TSIG, SIG) stay.
   * 12 to 65,535 bytes.
   *
   * @default {undefined} A message above 65,535 bytes is refused
   */
  readonly maxBytes?: number;
  /**
   * Labels that names may point to, 0 to 8,192; 0 switches compression off.
   *
   * @default {1024}
   */
  readonly maxCompressionLabels?: number;
}

const HEADER_BYTES = 12;
const MOST_BYTES = 65_535;
const FLAGS_AT = 2;
const ANSWER_COUNT_AT = 6;
const CLASS_IN = 1;

/**
 * Encodes a message (RFC 1035 section 4.1). Names are compressed where that is lawful (RFC 3597
 * section 4).
 *
 * Records of the additional section are left out silently, except for the addresses that a referral
 * needs (RFC 9471).
 *
 * @param message The message; a type or class of any lawful spelling, names with or without a final
 * dot.
 * @param options How to truncate and compress.
 * @returns The message, without the length that stands in front of it over TCP.
 * @throws {DnsMessageError} If a value does not fit its place, or the message is too long.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example An answer with an extended response code
 * ```ts
 * import { decodeMessage, encodeMessage } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeMessage({
 *   response: true,
 *   rcode: "BADVERS",
 *   edns: { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options: [] },
 * });
 * assertEquals(bytes.length, 23);
 * assertEquals(decodeMessage(bytes).rcode, "BADVERS");
 * ```
 */
export function encodeMessage(
  message: MessageInit,
  options: EncodeMessageOptions = {},
): Uint8Array<ArrayBuffer> {
  const { maxBytes = MOST_BYTES, maxCompressionLabels = 1024 } = options;
  if (!Number.isInteger(maxBytes) || maxBytes < HEADER_BYTES || maxBytes > MOST_BYTES) {
    throw new RangeError(
      `Cannot use maxBytes ${maxBytes}: expected an integer from ${HEADER_BYTES} to ${MOST_BYTES}`,
    );
  }
  // Room for the one record that turns out to be too much.
  const writer = new WireWriter({ maxBytes: 3 * MOST_BYTES, maxCompressionLabels });
  const { id = 0, questions = [], answers = [], authorities = [] } = message;
  const tail = tailOf(message);
  writer.u16(id);
  writer.u16(flagsOf(message, tail.rcode));
  writer.u16(questions.length);
  writer.u16(answers.length);
  writer.u16(authorities.length);
  writer.u16(tail.records.length + tail.count);
  for (const question of questions) writeQuestion(writer, question);
  const start = writer.length;
  const fits = writeSection(writer, answers, maxBytes) &&
    writeSection(writer, authorities, maxBytes) &&
    writeSection(writer, tail.records, maxBytes) &&
    writeTail(writer, tail, maxBytes);
  if (!fits) {
    if (options.maxBytes === undefined) failLong(maxBytes);
    writer.truncate(start);
    writeTruncated(writer, message, tail, maxBytes);
  }
  return writer.finish();
}

/** The additional section: what may be left out, and what stays at its end. */
interface Tail {
  readonly records: readonly ResourceRecord[];
  readonly edns: Edns | undefined;
  /** TSIG and SIG(0) must be the last record (RFC 8945 section 5.1, RFC 2931 section 3.1). */
  readonly signature: ResourceRecord | undefined;
  /** Records that stay. */
  readonly count: number;
  /** Response code as a number. */
  readonly rcode: number;
}

function tailOf({ additionals = [], edns, rcode: rcodeText = "NOERROR" }: MessageInit): Tail {
  const last = additionals.at(-1);
  const signature = last?.type === "TSIG" || last?.type === "SIG" ? last : undefined;
  const rcode = rcodeText === "NOERROR" ? 0 : parseRcode(rcodeText) ?? failCode("rcode", rcodeText);
  if (rcode > 15 && edns === undefined) {
    failValue(`response code ${rcodeText} needs EDNS`);
  }
  return {
    records: signature === undefined ? additionals : additionals.slice(0, -1),
    edns,
    signature,
    count: (edns === undefined ? 0 : 1) + (signature === undefined ? 0 : 1),
    rcode,
  };
}

function flagsOf(message: MessageInit, rcode: number): number {
  const { opcode = "QUERY" } = message;
  const code = opcode === "QUERY" ? 0 : parseOpcode(opcode) ?? failCode("opcode", opcode);
  let flags = code << 11 | rcode & 0xf;
  if (message.response) flags |= Flag.QR;
  if (message.authoritative) flags |= Flag.AA;
  if (message.truncated) flags |= Flag.TC;
  if (message.recursionDesired) flags |= Flag.RD;
  if (message.recursionAvailable) flags |= Flag.RA;
  if (message.zero) flags |= Flag.Z;
  if (message.authenticData) flags |= Flag.AD;
  if (message.checkingDisabled) flags |= Flag.CD;
  return flags;
}

function writeQuestion(writer: WireWriter, { name, type, class: recordClass }: Question): void {
  writer.name(name);
  writer.u16(typeCodeOf(type));
  writer.u16(classCodeOf(recordClass));
}

/** Writes records until there are too many bytes; tells whether there were not. */
function writeSection(
  writer: WireWriter,
  records: readonly ResourceRecord[],
  maxBytes: number,
): boolean {
  for (const record of records) {
    writeRecord(writer, record);
    if (writer.length > maxBytes) return false;
  }
  return true;
}

function writeTail(writer: WireWriter, tail: Tail, maxBytes: number): boolean {
  if (tail.edns !== undefined) writeEdns(writer, tail.edns, tail.rcode >>> 4);
  if (tail.signature !== undefined) writeRecord(writer, tail.signature);
  return writer.length <= maxBytes;
}

function writeRecord(writer: WireWriter, record: ResourceRecord): void {
  const codec = codecOf(record);
  if (codec.code === TYPE_OPT) failValue("OPT is no record; it is written from `edns`");
  writer.name(record.name);
  writer.u16(codec.code);
  writer.u16(classCodeOf(record.class));
  writer.u32(record.ttl);
  const lengthAt = writer.length;
  writer.u16(0);
  codec.encode(writer, record.data);
  const length = writer.length - lengthAt - 2;
  if (length > 0xffff) writer.fail(`RDATA have ${length} bytes, more than 65535`);
  writer.setU16(lengthAt, length);
}

/** The codec of a record; where RDATA are missing, as in updates, it is that of no bytes. */
function codecOf({ type, class: recordClass, data }: ResourceRecord): RdataCodec<unknown> {
  const isMissing = recordClass !== "IN" && (data as OpaqueData).bytes?.length === 0;
  if (isMissing) return opaqueCodec(type, typeCodeOf(type));
  return findRdataCodec(type) ?? failCode("type", type);
}

/** Writes as many whole RRsets as fit, from the first on, and what must be there. */
function writeTruncated(
  writer: WireWriter,
  message: MessageInit,
  tail: Tail,
  maxBytes: number,
): void {
  const { answers = [], authorities = [] } = message;
  const budget = maxBytes - measureTail(tail);
  if (writer.length > budget) failLong(maxBytes);
  const counts = [0, 0, 0];
  const sections = [answers, authorities, tail.records].map(groupRrsets);
  const lost = sections.flatMap((rrsets, index) => rrsets.map((rrset) => ({ rrset, index }))).find(
    ({ rrset, index }) => {
      const { length } = writer;
      if (writeSection(writer, rrset, budget)) {
        counts[index]! += rrset.length;
        return false;
      }
      writer.truncate(length);
      return true;
    },
  );
  if (lost !== undefined && (lost.index < 2 || lacksGlue(message, counts[2]!, tail.records))) {
    writer.setU16(FLAGS_AT, flagsOf(message, tail.rcode) | Flag.TC);
  }
  counts[2]! += tail.count;
  counts.forEach((count, index) => writer.setU16(ANSWER_COUNT_AT + 2 * index, count));
  writeTail(writer, tail, maxBytes);
}

/** Records of one owner, type and class together, in the order of the first of each. */
function groupRrsets(records: readonly ResourceRecord[]): ResourceRecord[][] {
  const rrsets = new Map<string, ResourceRecord[]>();
  for (const record of records) {
    const key = `${canonicalName(record.name)} ${record.type} ${record.class}`;
    const rrset = rrsets.get(key);
    if (rrset === undefined) rrsets.set(key, [record]);
    else rrset.push(record);
  }
  return [...rrsets.values()];
}

/** RFC 9471 section 3.1: a referral without all addresses below the zone it leads to needs TC. */
function lacksGlue(
  { answers = [], authorities = [] }: MessageInit,
  keptCount: number,
  records: readonly ResourceRecord[],
): boolean {
  if (answers.length > 0) return false;
  const inDomain = new Set<string>();
  for (const record of authorities) {
    if (record.type !== "NS" || !isSubdomain(record.data.target, record.name)) continue;
    inDomain.add(canonicalName(record.data.target));
  }
  return groupRrsets(records).flat().slice(keptCount).some(({ name, type }) =>
    (type === "A" || type === "AAAA") && inDomain.has(canonicalName(name))
  );
}

/** At most that many bytes are needed for what stays at the end. */
function measureTail({ edns, signature }: Tail): number {
  const ednsBytes = edns === undefined ? 0 : measureEdns(edns);
  if (signature === undefined) return ednsBytes;
  const writer = new WireWriter({ maxBytes: 2 * MOST_BYTES, maxCompressionLabels: 0 });
  writeRecord(writer, signature);
  return ednsBytes + writer.finish().length;
}

function typeCodeOf(type: string): number {
  return parseRecordType(type) ?? failCode("type", type);
}

function classCodeOf(recordClass: string): number {
  if (recordClass === "IN") return CLASS_IN;
  return parseRecordClass(recordClass) ?? failCode("class", recordClass);
}

function failCode(field: string, text: string): never {
  return failValue(`${JSON.stringify(text.slice(0, 32))} is no ${field}`);
}

function failValue(reason: string): never {
  throw new DnsMessageError("ERR_DNS_BAD_VALUE", `Cannot encode message: ${reason}`);
}

function failLong(maxBytes: number): never {
  throw new DnsMessageError(
    "ERR_DNS_TOO_LONG",
    `Cannot encode message: what must be in it exceeds ${maxBytes} bytes`,
  );
}
