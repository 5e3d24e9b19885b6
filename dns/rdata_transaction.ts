// This module is sans-I/O.

import { encodeBase64 } from "@std/encoding";
import type { RdataCodec } from "./rdata_codec.ts";
import {
  checkTextLength,
  fieldCodec,
  parseBase64Token,
  preservedName,
  type RdataField,
  u16,
  u32,
} from "./rdata_field.ts";
import { formatRcode, parseRcode } from "./rcode.ts";
import { signatureTime } from "./rdata_dnssec.ts";
import type { RdataText } from "./rdata_text.ts";
import type { TkeyData, TsigData } from "./record_data.ts";

const MAX_RCODE = 4095;

/** Bytes with their number in front of them, two bytes on the wire, a token of its own in text. */
const countedBytes: RdataField<Uint8Array> = {
  decode: (reader) => reader.take(reader.u16()),
  encode(writer, value): void {
    writer.u16(value.length);
    writer.bytes(value);
  },
  parse(text: RdataText): Uint8Array {
    const length = text.u16();
    if (length === 0) return new Uint8Array(0);
    return checkTextLength(text, parseBase64Token(text), length, length);
  },
  print: (value) => value.length === 0 ? "0" : `${value.length} ${encodeBase64(value)}`,
};

/** RFC 8945 section 3: in TSIG this is another name of BADVERS. */
const BADSIG = 16;

/** An extended response code, printed as its mnemonic if it has one. */
const error: RdataField<number> = {
  ...u16,
  parse(text: RdataText): number {
    const code = parseRcode(text.peek() ?? "");
    if (code === undefined) return text.u16();
    text.token();
    return code;
  },
  print(value: number): string {
    if (value === BADSIG) return "BADSIG";
    const name = value > MAX_RCODE ? "RCODE" : formatRcode(value);
    return name.startsWith("RCODE") ? u16.print(value) : name;
  },
};

/** `dig` prints these as numbers; there is no RFC that says how. */
const time32: RdataField<number> = { ...signatureTime, print: u32.print };

/** 48 bits of seconds since 1970. */
const time48: RdataField<number> = {
  decode: (reader) => reader.u48(),
  encode: (writer, value) => writer.u48(value),
  parse: (text) => text.integer(2 ** 48 - 1),
  print: String,
};

/** The types that are about one exchange and not about a name. */
export const TRANSACTION_CODECS: readonly RdataCodec<unknown>[] = [
  fieldCodec<TkeyData>("TKEY", 249, {
    algorithm: preservedName,
    inception: time32,
    expiration: time32,
    mode: u16,
    error,
    key: countedBytes,
    otherData: countedBytes,
  }),
  fieldCodec<TsigData>("TSIG", 250, {
    algorithm: preservedName,
    timeSigned: time48,
    fudge: u16,
    mac: countedBytes,
    originalId: u16,
    error,
    otherData: countedBytes,
  }),
];
