// This module is sans-I/O.

/** The pieces that reading a whole message and reading it step by step share. */

import { type Edns, readEdns } from "./edns.ts";
import { DnsMessageError } from "./errors.ts";
import type { MessageHeader, Question, ResourceRecord } from "./message.ts";
import { formatOpcode } from "./opcode.ts";
import { formatRcode } from "./rcode.ts";
import { rdataCodec } from "./rdata.ts";
import { formatRecordClass } from "./record_class.ts";
import { formatRecordType } from "./record_type.ts";
import type { WireReader } from "./wire_reader.ts";

const HEADER_BYTES = 12;
export const TYPE_OPT = 41;
const TYPE_A = 1;
const CLASS_IN = 1;
const CLASS_CHAOS = 3;
/** From here on a class is no class of data but a way of asking or updating. */
const CLASS_NONE = 254;
const CLASS_ANY = 255;
const OPCODE_UPDATE = 5;

/** Bits of the second word of the header. */
export const Flag = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  Z: 0x0040,
  AD: 0x0020,
  CD: 0x0010,
} as const;

/** The code of the kind of message in the second word of the header. */
export function opcodeOf(flags: number): number {
  return flags >>> 11 & 0xf;
}

/** The header as an object; `extendedRcode` has the upper eight bits of the response code. */
export function describeHeader(id: number, flags: number, extendedRcode: number): MessageHeader {
  return {
    id,
    response: (flags & Flag.QR) !== 0,
    opcode: formatOpcode(opcodeOf(flags)),
    authoritative: (flags & Flag.AA) !== 0,
    truncated: (flags & Flag.TC) !== 0,
    recursionDesired: (flags & Flag.RD) !== 0,
    recursionAvailable: (flags & Flag.RA) !== 0,
    zero: (flags & Flag.Z) !== 0,
    authenticData: (flags & Flag.AD) !== 0,
    checkingDisabled: (flags & Flag.CD) !== 0,
    rcode: formatRcode(extendedRcode << 4 | flags & 0xf),
  };
}

/** Reads id and flags, after making sure that the whole header is there. */
export function readHeader(reader: WireReader): { readonly id: number; readonly flags: number } {
  if (reader.remaining < HEADER_BYTES) {
    throw new DnsMessageError(
      "ERR_DNS_TRUNCATED",
      `Cannot decode message: its header needs 12 bytes, but there are ${reader.remaining}`,
      { offset: reader.offset },
    );
  }
  return { id: reader.u16(), flags: reader.u16() };
}

export function readQuestion(reader: WireReader): Question {
  const name = reader.name();
  const type = formatRecordType(reader.u16());
  const classCode = reader.u16();
  return { name, type, class: classCode === CLASS_IN ? "IN" : formatRecordClass(classCode) };
}

/** The rest of a record whose owner, type, class, TTL and length were read. */
export function readRecordData(
  reader: WireReader,
  name: string,
  typeCode: number,
  classCode: number,
  ttl: number,
  length: number,
  opcode: number,
): ResourceRecord {
  const start = reader.offset;
  const messageEnd = reader.end;
  const end = start + length;
  if (end > messageEnd) failLength(length, messageEnd - start, start);
  const recordClass = classCode === CLASS_IN ? "IN" : formatRecordClass(classCode);
  if (isOpaqueHere(typeCode, classCode, length, opcode)) {
    const isMissing = classCode === CLASS_ANY || classCode === CLASS_NONE;
    const type = isMissing ? formatRecordType(typeCode) : `TYPE${typeCode}`;
    const data = { bytes: reader.take(length) };
    // See `RecordOf`: where RDATA are missing, the data are not those of the type.
    return { name, type: type as "TYPE0", class: recordClass, ttl, data };
  }
  const codec = rdataCodec(typeCode);
  reader.end = end;
  const data = codec.decode(reader);
  if (reader.offset !== end) reader.fail(`${end - reader.offset} bytes are too many`);
  reader.end = messageEnd;
  return { name, type: codec.type, class: recordClass, ttl, data } as ResourceRecord;
}

/**
 * Whether the RDATA are not those of the type: missing as RFC 2136 section 2.4 has it, or an
 * address of the Chaos net, which is a name and a number.
 */
function isOpaqueHere(type: number, recordClass: number, length: number, opcode: number): boolean {
  if (recordClass === CLASS_IN && opcode !== OPCODE_UPDATE) return false;
  if (length === 0) {
    return recordClass === CLASS_NONE || recordClass === CLASS_ANY || opcode === OPCODE_UPDATE;
  }
  return recordClass === CLASS_CHAOS && type === TYPE_A;
}

/** An OPT record whose owner, class, TTL and length were read. */
export function readOpt(
  reader: WireReader,
  name: string,
  classCode: number,
  ttl: number,
  length: number,
): Edns {
  const start = reader.offset;
  // RFC 6891 section 6.1.2.
  if (name !== ".") failOpt(`its owner is not the root`, start);
  const messageEnd = reader.end;
  if (start + length > messageEnd) failLength(length, messageEnd - start, start);
  reader.end = start + length;
  const edns = readEdns(reader, classCode, ttl);
  reader.end = messageEnd;
  return edns;
}

export function failOpt(reason: string, offset: number): never {
  throw new DnsMessageError(
    "ERR_DNS_BAD_OPT",
    `Cannot decode OPT: ${reason} (offset ${offset})`,
    { offset },
  );
}

function failLength(length: number, remaining: number, offset: number): never {
  throw new DnsMessageError(
    "ERR_DNS_TRUNCATED",
    `Cannot decode record: its RDATA have ${length} bytes, but there are ${remaining} (offset ${offset})`,
    { offset },
  );
}
