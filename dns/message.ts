// This module is sans-I/O.

import type { Edns } from "./edns.ts";
import type { RecordDataMap } from "./record_data.ts";

/** Mnemonic of a type with data of its own, or `TYPE` and a number. */
export type RecordType = keyof RecordDataMap;

/** A record of one type. */
export interface RecordOf<T extends RecordType> {
  /** Owner: an absolute name. */
  readonly name: string;
  /** Mnemonic of the type; `TYPE` and a number where it has none, or its data are opaque. */
  readonly type: T;
  /** Mnemonic of the class, or `CLASS` and a number. */
  readonly class: string;
  /** Time to live in seconds, as it stands on the wire: 0 to 4,294,967,295. */
  readonly ttl: number;
  /**
   * What the record says. In an update, where records stand for absence or deletion, the RDATA may
   * be missing (RFC 2136 section 2.4): then this has `bytes`, which are empty, whatever the type.
   */
  readonly data: RecordDataMap[T];
}

/** A resource record (RFC 1035 section 4.1.3), told apart by `type`. */
export type ResourceRecord<T extends RecordType = RecordType> = {
  [K in T]: RecordOf<K>;
}[T];

/** A question (RFC 1035 section 4.1.2). */
export interface Question {
  /** The name asked for, absolute. */
  readonly name: string;
  /** Mnemonic of the type, or `TYPE` and a number. */
  readonly type: string;
  /** Mnemonic of the class, or `CLASS` and a number. */
  readonly class: string;
}

/** The header of a message but for its counts (RFC 1035 section 4.1.1, RFC 4035 section 3). */
export interface MessageHeader {
  /** Id that a response repeats, 0 to 65,535. */
  readonly id: number;
  /** QR: whether it is a response. */
  readonly response: boolean;
  /** Kind of message: a mnemonic, or `OPCODE` and a number. */
  readonly opcode: string;
  /** AA: whether the server is an authority for the name. */
  readonly authoritative: boolean;
  /** TC: whether something was left out because the message was too long. */
  readonly truncated: boolean;
  /** RD: whether the server is asked to resolve. */
  readonly recursionDesired: boolean;
  /** RA: whether the server would. */
  readonly recursionAvailable: boolean;
  /** Z: the bit that must be zero. */
  readonly zero: boolean;
  /** AD: whether all data are authentic. */
  readonly authenticData: boolean;
  /** CD: whether the server is asked not to check that. */
  readonly checkingDisabled: boolean;
  /** Response code with the bits of EDNS: a mnemonic, or `RCODE` and a number. */
  readonly rcode: string;
}

/** A message (RFC 1035 section 4). */
export interface Message extends MessageHeader {
  /** What is asked. */
  readonly questions: readonly Question[];
  /** Records that answer. */
  readonly answers: readonly ResourceRecord[];
  /** Records that point to authorities, or say that there is nothing. */
  readonly authorities: readonly ResourceRecord[];
  /** Records that may help, without the OPT record. */
  readonly additionals: readonly ResourceRecord[];
  /** What the OPT record says; absent where there is none. */
  readonly edns?: Edns | undefined;
}

/**
 * Makes a record without RDATA, as in updates: with class `ANY` it deletes or asks for a set of
 * records, with `NONE` it asks for the absence of one (RFC 2136 sections 2.4 and 2.5).
 *
 * @param name Owner.
 * @param type Mnemonic of the type; `ANY` for all of them.
 * @param recordClass `ANY` or `NONE`.
 * @returns The record, its TTL 0.
 *
 * @example Deleting all addresses of a name
 * ```ts
 * import { emptyRecord, encodeMessage } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const update = encodeMessage({
 *   opcode: "UPDATE",
 *   questions: [{ name: "example.", type: "SOA", class: "IN" }],
 *   authorities: [emptyRecord("a.example.", "A", "ANY")],
 * });
 * assertEquals(update.subarray(-8), new Uint8Array([0, 255, 0, 0, 0, 0, 0, 0]));
 * ```
 */
export function emptyRecord(
  name: string,
  type: string,
  recordClass: "ANY" | "NONE",
): ResourceRecord {
  // The one record whose data are not those of its type.
  return { name, type: type as "TYPE0", class: recordClass, ttl: 0, data: { bytes: NO_BYTES } };
}

const NO_BYTES = new Uint8Array(0);
