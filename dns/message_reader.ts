// This module is sans-I/O.

import {
  describeHeader,
  opcodeOf,
  readHeader,
  readQuestion,
  readRecordData,
  TYPE_OPT,
} from "./_message_wire.ts";
import { type Edns, readEdns } from "./edns.ts";
import { DnsMessageError } from "./errors.ts";
import type { MessageHeader, Question, ResourceRecord } from "./message.ts";
import { formatRecordClass } from "./record_class.ts";
import { formatRecordType } from "./record_type.ts";
import { WireReader } from "./wire_reader.ts";

/** Parts of a message that hold records, in order. */
export type MessageSection = "answer" | "authority" | "additional";

/** What stands in front of the RDATA of a record, OPT included. */
export interface RecordHead {
  /** Where the record stands. */
  readonly section: MessageSection;
  /** Owner, absolute. */
  readonly name: string;
  /** Mnemonic of the type. */
  readonly type: string;
  /** Number of the type. */
  readonly typeCode: number;
  /** Mnemonic of the class; for OPT `CLASS` and the payload size. */
  readonly class: string;
  /** Number of the class. */
  readonly classCode: number;
  /** Time to live in seconds, as it stands on the wire. */
  readonly ttl: number;
  /** Where the record starts, in bytes from the start of the message. */
  readonly offset: number;
  /** Where its RDATA start. */
  readonly rdataOffset: number;
  /** Bytes of its RDATA. */
  readonly rdataLength: number;
}

/** How many records each part of a message should have. */
export interface MessageCounts {
  /** Questions. */
  readonly question: number;
  /** Records in the answer section. */
  readonly answer: number;
  /** Records in the authority section. */
  readonly authority: number;
  /** Records in the additional section, OPT included. */
  readonly additional: number;
}

const SECTIONS = ["answer", "authority", "additional"] as const;

/**
 * Reads a message step by step and in order: questions first, then records, whose RDATA are decoded
 * only if they are asked for. What is skipped is only checked for its framing.
 *
 * After an error every later call may throw another one or give nothing of use. The bytes must not
 * change while they are read.
 *
 * @example Addresses, and nothing else
 * ```ts
 * import { encodeMessage, MessageReader } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new MessageReader(encodeMessage({
 *   answers: [
 *     { name: "a.example.", type: "CNAME", class: "IN", ttl: 5, data: { target: "b.example." } },
 *     { name: "b.example.", type: "A", class: "IN", ttl: 5, data: { address: "192.0.2.1" } },
 *   ],
 * }));
 * const addresses: string[] = [];
 * for (let head = reader.nextHead(); head?.section === "answer"; head = reader.nextHead()) {
 *   const record = head.type === "A" ? reader.record() : undefined;
 *   if (record?.type === "A") addresses.push(record.data.address);
 * }
 * assertEquals(addresses, ["192.0.2.1"]);
 * ```
 */
export class MessageReader {
  /** The header; of the response code only the four bits that stand there. */
  readonly header: MessageHeader;
  /** What the header announces. */
  readonly counts: MessageCounts;

  readonly #reader: WireReader;
  readonly #opcode: number;
  #questionsLeft: number;
  #section = 0;
  /** Records that are left in the section. */
  #recordsLeft: number;
  #head: RecordHead | undefined;

  /**
   * Reads the header of a message.
   *
   * @param bytes The message, without the length that stands in front of it over TCP.
   * @throws {DnsMessageError} If it is too short for a header.
   */
  constructor(bytes: Uint8Array) {
    const reader = new WireReader(bytes);
    const { id, flags } = readHeader(reader);
    this.header = describeHeader(id, flags, 0);
    this.counts = {
      question: reader.u16(),
      answer: reader.u16(),
      authority: reader.u16(),
      additional: reader.u16(),
    };
    this.#reader = reader;
    this.#opcode = opcodeOf(flags);
    this.#questionsLeft = this.counts.question;
    this.#recordsLeft = this.counts.answer;
  }

  /** How many bytes stand behind what was read so far, or skipped. */
  get remaining(): number {
    return this.#reader.remaining;
  }

  /**
   * Reads the next question.
   *
   * @returns It; `undefined` if there is none left.
   * @throws {DnsMessageError} If it is broken.
   */
  nextQuestion(): Question | undefined {
    if (this.#questionsLeft === 0) return undefined;
    this.#questionsLeft--;
    return readQuestion(this.#reader);
  }

  /**
   * Goes on to the next record, over questions that are left and the RDATA of the record before.
   *
   * @returns What stands in front of its RDATA; `undefined` behind the last record.
   * @throws {DnsMessageError} If it is broken, or its RDATA end behind the message.
   */
  nextHead(): RecordHead | undefined {
    while (this.nextQuestion() !== undefined);
    while (this.#recordsLeft === 0) {
      if (this.#section === 2) return this.#head = undefined;
      this.#recordsLeft = this.counts[SECTIONS[++this.#section]!];
    }
    const reader = this.#reader;
    const offset = reader.offset;
    const name = reader.name();
    const typeCode = reader.u16();
    const classCode = reader.u16();
    const ttl = reader.u32();
    const rdataLength = reader.u16();
    const rdataOffset = reader.offset;
    if (rdataLength > reader.remaining) failRdata(rdataLength, reader);
    this.#recordsLeft--;
    reader.offset = rdataOffset + rdataLength;
    return this.#head = {
      section: SECTIONS[this.#section]!,
      name,
      type: formatRecordType(typeCode),
      typeCode,
      class: formatRecordClass(classCode),
      classCode,
      ttl,
      offset,
      rdataOffset,
      rdataLength,
    };
  }

  /**
   * Goes over all records in front of a section; those of the section come next.
   *
   * @param section Where to go on.
   * @throws {DnsMessageError} If a record that is skipped is broken in its framing.
   * @throws {RangeError} If a record of the section, or of one behind it, was read already.
   */
  skipTo(section: MessageSection): void {
    const target = SECTIONS.indexOf(section);
    if (target < 0) throw new RangeError(`Cannot skip to ${section}: it is no section`);
    const hasBegun = this.#section === target && this.#recordsLeft < this.counts[section];
    if (this.#section > target || hasBegun) {
      throw new RangeError(`Cannot skip to ${section}: records of it were read already`);
    }
    while (this.nextQuestion() !== undefined);
    while (this.#section < target) {
      while (this.#recordsLeft > 0) this.nextHead();
      this.#recordsLeft = this.counts[SECTIONS[++this.#section]!];
    }
    this.#head = undefined;
  }

  /**
   * Decodes the record whose head was read last. May be called again.
   *
   * @returns The record; of an OPT record as bytes, see {@linkcode MessageReader.edns}.
   * @throws {DnsMessageError} If its RDATA are broken.
   * @throws {RangeError} If no head was read, or there was none left.
   */
  record(): ResourceRecord {
    const head = this.#currentHead();
    return this.#at(head, (reader) =>
      readRecordData(
        reader,
        head.name,
        head.typeCode,
        head.classCode,
        head.ttl,
        head.rdataLength,
        this.#opcode,
      ));
  }

  /**
   * Decodes the OPT record whose head was read last. Whether it stands where it may, alone and at
   * the root is left to the caller, the response code too: its upper bits are `ttl >>> 24`.
   *
   * @returns What it says.
   * @throws {DnsMessageError} If its RDATA are broken.
   * @throws {RangeError} If the head that was read last is of another type.
   */
  edns(): Edns {
    const head = this.#currentHead();
    if (head.typeCode !== TYPE_OPT) {
      throw new RangeError(`Cannot decode EDNS: the record at hand is of type ${head.type}`);
    }
    return this.#at(head, (reader) => readEdns(reader, head.classCode, head.ttl));
  }

  #currentHead(): RecordHead {
    if (this.#head !== undefined) return this.#head;
    throw new RangeError("Cannot decode record: no head was read");
  }

  /** Reads within the RDATA of a record, and comes back behind them. */
  #at<T>({ rdataOffset, rdataLength }: RecordHead, read: (reader: WireReader) => T): T {
    const reader = this.#reader;
    const { end } = reader;
    reader.offset = rdataOffset;
    reader.end = rdataOffset + rdataLength;
    try {
      return read(reader);
    } finally {
      reader.end = end;
      reader.offset = rdataOffset + rdataLength;
    }
  }
}

function failRdata(length: number, { offset, remaining }: WireReader): never {
  throw new DnsMessageError(
    "ERR_DNS_TRUNCATED",
    `Cannot decode record: its RDATA have ${length} bytes, but there are ${remaining}`,
    { offset },
  );
}
