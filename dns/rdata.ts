// This module is sans-I/O.

// How to add a record type:
//
// 1. `record_type.ts`: its mnemonic and number.
// 2. `record_data.ts`: an interface with its fields in the words of the RFC, and a line in
//    `RecordDataMap`.
// 3. The `rdata_*.ts` of its family: `fieldCodec(type, number, fields)` where the RDATA is fields
//    one after another, with the fields of `rdata_field.ts`; else a codec by hand. Think about:
//    - names: `preservedName`, unless an older RFC says otherwise. No new type compresses (RFC 3597
//      section 4) and none is lower-cased in canonical form (RFC 6840 section 5.1).
//    - text and wire: one value, one form of each. What has two forms is brought into one when it is
//      read, or refused.
//    - bounds: lengths come from the reader and the writer; a minimum is the field's.
// 4. The list at the end of that file.
// 5. `tests/dns/rdata_samples.ts`: how random valid data of it is made, which puts the type under
//    every property in `rdata_test.ts`, and a row of wire and text from the RFC in the test of its
//    family.

import { DnsMessageError, DnsTextError } from "./errors.ts";
import { ADDRESS_CODECS } from "./rdata_address.ts";
import { CERTIFICATE_CODECS } from "./rdata_certificate.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { DNSSEC_CODECS } from "./rdata_dnssec.ts";
import { GATEWAY_CODECS } from "./rdata_gateway.ts";
import { LOC } from "./rdata_location.ts";
import { NAME_CODECS } from "./rdata_names.ts";
import { NSEC_CODECS } from "./rdata_nsec.ts";
import { OPAQUE_CODECS, OPAQUE_MARK, opaqueCodec, parseOpaque } from "./rdata_opaque.ts";
import { APL } from "./rdata_prefix_list.ts";
import { SERVICE_CODECS } from "./rdata_service.ts";
import { STRING_CODECS } from "./rdata_strings.ts";
import { RdataText } from "./rdata_text.ts";
import { TRANSACTION_CODECS } from "./rdata_transaction.ts";
import type { RecordData, RecordDataMap } from "./record_data.ts";
import { formatRecordType, parseRecordType } from "./record_type.ts";
import { WireReader } from "./wire_reader.ts";
import { WireWriter } from "./wire_writer.ts";

const CODECS: readonly RdataCodec<unknown>[] = [
  ...ADDRESS_CODECS,
  ...CERTIFICATE_CODECS,
  ...DNSSEC_CODECS,
  ...GATEWAY_CODECS,
  LOC,
  ...NAME_CODECS,
  ...NSEC_CODECS,
  ...OPAQUE_CODECS,
  APL,
  ...SERVICE_CODECS,
  ...STRING_CODECS,
  ...TRANSACTION_CODECS,
];

/** Up to here a codec is found by its index; the few above it are looked up. */
const DENSE_COUNT = 512;
const BY_CODE: ReadonlyMap<number, RdataCodec<unknown>> = new Map(
  CODECS.map((codec) => [codec.code, codec]),
);
const DENSE = Array.from({ length: DENSE_COUNT }, (_, code) => BY_CODE.get(code));
const BY_TYPE: ReadonlyMap<string, RdataCodec<unknown>> = new Map(
  CODECS.map((codec) => [codec.type, codec]),
);

/** A type of record this package knows, or `TYPE` and a number. */
export type RdataType = keyof RecordDataMap;

/** A type under its number as text: its data are bytes, whatever the type. */
const GENERIC_TYPE = /^TYPE/i;

/**
 * Gives the codec of a record type.
 *
 * @param type Mnemonic, in any case, or number.
 * @returns The codec; for a type this package does not know, and for the text `TYPE` with any number,
 * one whose data is bytes (RFC 3597).
 * @throws {RangeError} If `type` names none.
 *
 * @example A known and an unknown type
 * ```ts
 * import { rdataCodec } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rdataCodec(15).type, "MX");
 * assertEquals(rdataCodec("TYPE65280").print({ bytes: new Uint8Array([1]) }), "\\# 1 01");
 * ```
 */
export function rdataCodec(type: string | number): RdataCodec<unknown> {
  if (typeof type === "number") {
    return DENSE[type] ?? BY_CODE.get(type) ?? opaqueCodec(formatRecordType(type), type);
  }
  const found = findRdataCodec(type);
  if (found !== undefined) return found;
  throw new RangeError(`Cannot find codec: "${type.slice(0, 32)}" is no type of record`);
}

/** What {@linkcode rdataCodec} gives for a text; `undefined` if it names no type. */
export function findRdataCodec(type: string): RdataCodec<unknown> | undefined {
  const found = BY_TYPE.get(type);
  if (found !== undefined) return found;
  const code = parseRecordType(type);
  if (code === undefined) return undefined;
  if (GENERIC_TYPE.test(type)) return opaqueCodec(`TYPE${code}`, code);
  return BY_CODE.get(code) ?? opaqueCodec(formatRecordType(code), code);
}

/**
 * Decodes RDATA that stands alone, so that names in it cannot be compressed.
 *
 * @param type Mnemonic, in any case, or number.
 * @param bytes The RDATA.
 * @returns The data; it keeps no view of `bytes`.
 * @throws {DnsMessageError} If the bytes are no RDATA of the type.
 * @throws {RangeError} If `type` names none.
 *
 * @example Preference and exchange of MX
 * ```ts
 * import { decodeRdata } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array([0, 10, 2, 0x6d, 0x78, 0]);
 * assertEquals(decodeRdata("MX", bytes), { preference: 10, exchange: "mx." });
 * ```
 */
export function decodeRdata<T extends RdataType>(type: T, bytes: Uint8Array): RecordDataMap[T];
/** Decodes RDATA of a type not known before it comes. */
export function decodeRdata(type: string | number, bytes: Uint8Array): RecordData;
export function decodeRdata(type: string | number, bytes: Uint8Array): RecordData {
  return decodeAlone(rdataCodec(type), bytes);
}

function decodeAlone(codec: RdataCodec<unknown>, bytes: Uint8Array): RecordData {
  const reader = new WireReader(bytes);
  const data = codec.decode(reader) as RecordData;
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes are left`);
  // A pointer leads into the message, which is not there. Nothing else has two forms.
  if (!equalBytes(encodeAlone(codec, data, false), bytes)) {
    throw new DnsMessageError("ERR_DNS_BAD_POINTER", "Cannot decode RDATA: a name is compressed");
  }
  return data;
}

function encodeAlone(
  codec: RdataCodec<unknown>,
  data: RecordData,
  canonical: boolean,
): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter({ maxCompressionLabels: 0 });
  writer.canonical = canonical;
  codec.encode(writer, data);
  return writer.finish();
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** What {@linkcode encodeRdata} can do differently. */
export interface EncodeRdataOptions {
  /**
   * Whether to give the canonical form of RFC 4034 section 6.2, which signatures are over: names in
   * the types listed there, without NSEC and with RRSIG (RFC 6840 section 5.1), are lower-cased.
   *
   * @default {false}
   */
  readonly canonical?: boolean;
}

/**
 * Encodes RDATA without compression.
 *
 * @param type Mnemonic, in any case, or number.
 * @param data The data.
 * @param options The form.
 * @returns The RDATA without its length, at most 65,535 bytes.
 * @throws {DnsMessageError} If a value does not fit the wire.
 * @throws {RangeError} If `type` names none.
 *
 * @example The canonical form
 * ```ts
 * import { encodeRdata } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeRdata("MX", { preference: 10, exchange: "MX." }, { canonical: true });
 * assertEquals(bytes, new Uint8Array([0, 10, 2, 0x6d, 0x78, 0]));
 * ```
 */
export function encodeRdata<T extends RdataType>(
  type: T,
  data: RecordDataMap[T],
  options?: EncodeRdataOptions,
): Uint8Array<ArrayBuffer>;
/** Encodes RDATA of a type not known before. */
export function encodeRdata(
  type: string | number,
  data: RecordData,
  options?: EncodeRdataOptions,
): Uint8Array<ArrayBuffer>;
export function encodeRdata(
  type: string | number,
  data: RecordData,
  options: EncodeRdataOptions = {},
): Uint8Array<ArrayBuffer> {
  return encodeAlone(rdataCodec(type), data, options.canonical ?? false);
}

/** What {@linkcode parseRdata} needs to know beside the text. */
export interface ParseRdataOptions {
  /**
   * What relative names are under, absolute; without it they are refused.
   *
   * @default {undefined}
   */
  readonly origin?: string;
}

/**
 * Parses RDATA in presentation format: that of its type, or `\#`, the number of bytes and their
 * hexadecimal digits, which every type may be written in (RFC 3597 section 5).
 *
 * @param type Mnemonic, in any case, or number.
 * @param text The RDATA; line breaks only within parentheses.
 * @param options The origin.
 * @returns The data.
 * @throws {DnsTextError} If the text is no RDATA of the type.
 * @throws {RangeError} If `type` names none.
 *
 * @example Both forms
 * ```ts
 * import { parseRdata } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const data = { preference: 10, exchange: "mx." };
 * assertEquals(parseRdata("MX", "10 mx", { origin: "." }), data);
 * assertEquals(parseRdata("MX", "\\# 6 000A 026D7800"), data);
 * ```
 */
export function parseRdata<T extends RdataType>(
  type: T,
  text: string,
  options?: ParseRdataOptions,
): RecordDataMap[T];
/** Parses RDATA of a type not known before. */
export function parseRdata(
  type: string | number,
  text: string,
  options?: ParseRdataOptions,
): RecordData;
export function parseRdata(
  type: string | number,
  text: string,
  options: ParseRdataOptions = {},
): RecordData {
  const codec = rdataCodec(type);
  return readRdataText(codec, RdataText.from(text, options));
}

/**
 * Parses the rest of a text as the RDATA of a record, in the form of its type or as `\#`.
 *
 * @param codec The codec of the type.
 * @param text The tokens, of which none is left behind.
 * @returns The data.
 * @throws {DnsTextError} If they are no RDATA of the type.
 *
 * @example Behind a preference
 * ```ts
 * import { rdataCodec, RdataText, readRdataText } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const data = readRdataText(rdataCodec("A"), RdataText.from("192.0.2.1"));
 * assertEquals(data, { address: "192.0.2.1" });
 * ```
 */
export function readRdataText(codec: RdataCodec<unknown>, text: RdataText): RecordData {
  const data = text.peek() === OPAQUE_MARK ? readOpaqueText(codec, text) : codec.parse(text);
  if (text.atEnd) return data as RecordData;
  text.token();
  return text.fail("nothing may come behind the RDATA");
}

function readOpaqueText(codec: RdataCodec<unknown>, text: RdataText): unknown {
  text.token();
  const bytes = parseOpaque(text);
  try {
    const data = decodeAlone(codec, bytes);
    const printed = codec.print(data);
    // What text of the type may not say, it may not say in this form either.
    if (!printed.startsWith(OPAQUE_MARK)) codec.parse(RdataText.from(printed));
    return data;
  } catch (error) {
    if (!(error instanceof DnsMessageError || error instanceof DnsTextError)) throw error;
    return text.fail(`the bytes are no RDATA of ${codec.type}: ${error.message}`);
  }
}

/**
 * Prints RDATA in presentation format, on one line and with absolute names.
 *
 * @param type Mnemonic, in any case, or number.
 * @param data The data.
 * @returns The text; that of RFC 3597 where the type has none of its own.
 * @throws {DnsMessageError} If a value fits neither wire nor text.
 * @throws {RangeError} If `type` names none.
 *
 * @example Text with a quote
 * ```ts
 * import { printRdata } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const strings = [new TextEncoder().encode('a "b"')];
 * assertEquals(printRdata("TXT", { strings }), '"a \\"b\\""');
 * ```
 */
export function printRdata<T extends RdataType>(type: T, data: RecordDataMap[T]): string;
/** Prints RDATA of a type not known before. */
export function printRdata(type: string | number, data: RecordData): string;
export function printRdata(type: string | number, data: RecordData): string {
  return rdataCodec(type).print(data);
}
