// This module is sans-I/O.

import { DnsMessageError } from "./errors.ts";
import type { EdnsOption } from "./edns_option.ts";
import { decodeEdnsOption, writeEdnsOption } from "./edns_option_codec.ts";
import { WireReader } from "./wire_reader.ts";
import { WireWriter } from "./wire_writer.ts";

/** What an OPT record says (RFC 6891 section 6.1), but for the bits of the response code. */
export interface Edns {
  /** Bytes of the largest UDP payload the sender can take; less than 512 counts as 512. */
  readonly udpPayloadSize: number;
  /** Version of EDNS; 0 is the only one there is. */
  readonly version: number;
  /** DO: whether records of DNSSEC are wanted (RFC 3225). */
  readonly dnssecOk: boolean;
  /** The 15 bits behind DO, 0 to 32,767: CO (16,384) and those that must be zero. */
  readonly flags: number;
  /** The options in order; a code may occur again. */
  readonly options: readonly EdnsOption[];
}

/** Owner, type, class, TTL and length. */
const OPT_HEAD_BYTES = 11;
const OPT = 41;
const DNSSEC_OK = 0x8000;

/**
 * Decodes the options of an OPT record.
 *
 * @param rdata The RDATA of the record.
 * @returns The options in order; unknown ones as bytes.
 * @throws {DnsMessageError} If an option runs over the end or is malformed.
 *
 * @example A cookie behind an unknown option
 * ```ts
 * import { decodeEdnsOptions } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const options = decodeEdnsOptions(
 *   new Uint8Array([0xfd, 0xe9, 0, 1, 7, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]),
 * );
 * assertEquals(options[0], { type: "unknown", code: 65001, bytes: new Uint8Array([7]) });
 * assertEquals(options[1]?.type, "cookie");
 * ```
 */
export function decodeEdnsOptions(rdata: Uint8Array): EdnsOption[] {
  return readOptions(new WireReader(rdata));
}

/**
 * Encodes options as the RDATA of an OPT record.
 *
 * @param options The options in order.
 * @returns The bytes.
 * @throws {DnsMessageError} If a value does not fit its place.
 *
 * @example Asking for the name of the server
 * ```ts
 * import { encodeEdnsOptions } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const rdata = encodeEdnsOptions([{ type: "nsid", bytes: new Uint8Array(0) }]);
 * assertEquals(rdata, new Uint8Array([0, 3, 0, 0]));
 * ```
 */
export function encodeEdnsOptions(options: readonly EdnsOption[]): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writeOptions(writer, options);
  return writer.finish();
}

/** The parts of an OPT record, from its class and TTL and the RDATA that `reader` is bounded to. */
export function readEdns(reader: WireReader, classCode: number, ttl: number): Edns {
  const options = reader.remaining === 0 ? [] : readOptions(reader);
  return {
    udpPayloadSize: classCode,
    version: ttl >>> 16 & 0xff,
    dnssecOk: (ttl & DNSSEC_OK) !== 0,
    flags: ttl & 0x7fff,
    options,
  };
}

/** Writes a whole OPT record; `extendedRcode` has the upper eight bits of the response code. */
export function writeEdns(writer: WireWriter, edns: Edns, extendedRcode: number): void {
  if ((edns.flags & 0x7fff) !== edns.flags) {
    writer.fail(`EDNS flags ${edns.flags} are not an integer from 0 to 32767`);
  }
  writer.u8(0);
  writer.u16(OPT);
  writer.u16(edns.udpPayloadSize);
  writer.u8(extendedRcode);
  writer.u8(edns.version);
  writer.u16((edns.dnssecOk ? DNSSEC_OK : 0) | edns.flags);
  const start = writer.length;
  writer.u16(0);
  writeOptions(writer, edns.options);
  writer.setU16(start, writer.length - start - 2);
}

/** Bytes of the OPT record that {@linkcode writeEdns} writes. */
export function measureEdns(edns: Edns): number {
  return edns.options.length === 0
    ? OPT_HEAD_BYTES
    : OPT_HEAD_BYTES + encodeEdnsOptions(edns.options).length;
}

function readOptions(reader: WireReader): EdnsOption[] {
  const options: EdnsOption[] = [];
  while (reader.remaining > 0) {
    const offset = reader.offset;
    const code = reader.remaining < 4 ? failOption(offset) : reader.u16();
    const length = reader.u16();
    if (length > reader.remaining) failOption(offset);
    options.push(decodeEdnsOption(code, reader.take(length)));
  }
  return options;
}

function failOption(offset: number): never {
  throw new DnsMessageError(
    "ERR_DNS_BAD_OPT",
    `Cannot decode OPT: an option runs over the end of the RDATA (offset ${offset})`,
    { offset },
  );
}

function writeOptions(writer: WireWriter, options: readonly EdnsOption[]): void {
  for (const option of options) writeEdnsOption(writer, option);
}
