// This module is sans-I/O.

import type { ResourceRecord } from "./message.ts";
import { printRdata } from "./rdata.ts";
import { failValue, printName, typeCodeOf, u32 } from "./rdata_field.ts";
import { formatRecordClass, parseRecordClass } from "./record_class.ts";
import { formatRecordType } from "./record_type.ts";

/** How a record is printed. */
export interface PrintRecordOptions {
  /**
   * Whether fields begin in the columns `dig` has them in, reached with tabs of 8; else there is
   * one tab between each two.
   *
   * @default {false}
   */
  readonly aligned?: boolean;
}

const TAB_WIDTH = 8;
const TTL_COLUMN = 24;
const CLASS_COLUMN = 32;
const TYPE_COLUMN = 40;
const RDATA_COLUMN = 48;

/**
 * Prints a record in presentation format (RFC 1035 section 5.1): owner, TTL, class, type and data
 * on one line, names absolute. {@linkcode parseRecord} reads it back.
 *
 * @param record The record.
 * @param options Whether columns are aligned.
 * @returns The line, without its end.
 * @throws {DnsMessageError} If a value of the data fits neither wire nor text.
 *
 * @example In columns
 * ```ts
 * import { parseRecord, printRecord } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const record = parseRecord("example. 3600 MX 10 mx.example.");
 * assertEquals(printRecord(record), "example.\t3600\tIN\tMX\t10 mx.example.");
 * assertEquals(
 *   printRecord(record, { aligned: true }),
 *   "example.\t\t3600\tIN\tMX\t10 mx.example.",
 * );
 * ```
 */
export function printRecord(record: ResourceRecord, options: PrintRecordOptions = {}): string {
  const rdata = printRecordData(record);
  const head = printRecordHead(record);
  if (options.aligned === true) return alignRecord(head, rdata);
  const { name, ttl, class: recordClass, type } = head;
  const line = `${name}\t${ttl}\t${recordClass}\t${type}`;
  return rdata === "" ? line : `${line}\t${rdata}`;
}

/**
 * Prints the data of a record on one line, names absolute.
 *
 * @param record The record.
 * @returns The text; empty for a record without RDATA, as updates have them (RFC 2136).
 * @throws {DnsMessageError} If a value of the data fits neither wire nor text.
 *
 * @example With data and without
 * ```ts
 * import { emptyRecord, parseRecord, printRecordData } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printRecordData(parseRecord("a. 5 MX 10 b.")), "10 b.");
 * assertEquals(printRecordData(emptyRecord("a.", "MX", "ANY")), "");
 * ```
 */
export function printRecordData(record: ResourceRecord): string {
  const { class: recordClass, data } = record;
  const isEmpty = (recordClass === "ANY" || recordClass === "NONE") && "bytes" in data &&
    data.bytes.length === 0;
  return isEmpty ? "" : printRdata(record.type, data);
}

/** The fields in front of the data as they are printed. */
export type RecordHeadText = Readonly<Record<"name" | "ttl" | "class" | "type", string>>;

/**
 * Prints the fields in front of the data of a record, each in its one form.
 *
 * @param record The record.
 * @throws {DnsMessageError} If one of them fits neither wire nor text.
 */
export function printRecordHead(record: ResourceRecord): RecordHeadText {
  const { name, ttl, class: recordClass, type } = record;
  return {
    name: printName(name),
    ttl: u32.print(ttl),
    class: formatRecordClass(parseRecordClass(recordClass) ?? failValue("class", recordClass)),
    // `TYPE` and the number of a known type tells that the data are bytes.
    type: /^TYPE/i.test(type) ? `TYPE${typeCodeOf(type)}` : formatRecordType(typeCodeOf(type)),
  };
}

/**
 * Puts the fields of a record into the columns of `dig`.
 *
 * @param head The fields in front of the data; those that are empty are left out.
 * @param rdata The data; nothing is printed for none.
 */
export function alignRecord(head: RecordHeadText, rdata: string): string {
  const { name, ttl, class: recordClass, type } = head;
  const line = new AlignedLine();
  line.add(name, TTL_COLUMN);
  line.add(ttl, CLASS_COLUMN);
  line.add(recordClass, TYPE_COLUMN);
  if (rdata === "") return line.text + type;
  line.add(type, RDATA_COLUMN);
  return line.text + rdata;
}

/**
 * Puts the fields of a question into the columns of `dig`.
 *
 * @param name The name asked for.
 * @param recordClass The class.
 * @param type The type.
 */
export function alignQuestion(name: string, recordClass: string, type: string): string {
  const line = new AlignedLine();
  line.add(name, CLASS_COLUMN);
  line.add(recordClass, TYPE_COLUMN);
  return line.text + type;
}

/** A line whose fields begin at tab stops where they can. */
class AlignedLine {
  text = "";
  #column = 0;

  /** Appends a field and the space up to the column of the next one: at least one character. */
  add(field: string, column: number): void {
    const from = this.#column + field.length;
    const to = Math.max(column, from + 1);
    const tabCount = Math.floor(to / TAB_WIDTH) - Math.floor(from / TAB_WIDTH);
    const spaceCount = tabCount > 0 ? to % TAB_WIDTH : to - from;
    this.text += field + "\t".repeat(tabCount) + " ".repeat(spaceCount);
    this.#column = to;
  }
}
