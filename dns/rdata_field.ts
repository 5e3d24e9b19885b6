// This module is sans-I/O.

import { decodeBase64, encodeBase64, encodeHex } from "@std/encoding";
import { DnsMessageError } from "./errors.ts";
import { joinLabels, labelsOf, nameToWire } from "./name.ts";
import { printCharacterString } from "./character_string.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import type { RdataText } from "./rdata_text.ts";
import { formatRecordType, parseRecordType } from "./record_type.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

const EMPTY = new Uint8Array(0);

/** One field of some RDATA: what the four ways through a type do with it. */
export interface RdataField<T> {
  /** Reads the field from the wire. */
  decode(reader: WireReader): T;
  /** Writes it. */
  encode(writer: WireWriter, value: T): void;
  /** Reads it from text. */
  parse(text: RdataText): T;
  /** Prints it; the empty text where there is nothing to say. */
  print(value: T): string;
}

/** The fields of some RDATA, in order of the wire, which is that of the text as well. */
export type RdataFields<D> = { readonly [Name in keyof D]-?: RdataField<D[Name]> };

/** The codec of a type that is nothing but its fields one after another. */
export function fieldCodec<D>(
  type: string,
  code: number,
  fields: RdataFields<D>,
): RdataCodec<D> {
  const entries: [keyof D, RdataField<D[keyof D]>][] = [];
  for (const name of Object.keys(fields) as (keyof D)[]) entries.push([name, fields[name]]);
  return {
    type,
    code,
    decode(reader: WireReader): D {
      const data = {} as D;
      for (const [name, field] of entries) data[name] = field.decode(reader);
      return data;
    },
    encode(writer: WireWriter, data: D): void {
      for (const [name, field] of entries) field.encode(writer, data[name]);
    },
    parse(text: RdataText): D {
      const data = {} as D;
      for (const [name, field] of entries) data[name] = field.parse(text);
      return data;
    },
    print(data: D): string {
      const parts = entries.map(([name, field]) => field.print(data[name]));
      return parts.filter((part) => part !== "").join(" ");
    },
  };
}

/** Says that a value has no place on the wire. */
export function failValue(what: string, value: unknown): never {
  const shown = String(value).slice(0, 32);
  throw new DnsMessageError("ERR_DNS_BAD_VALUE", `Cannot encode ${what}: "${shown}" does not fit`);
}

/** Prints an unsigned number, if it is one and not above `max`. */
function printNumber(value: number, max: number): string {
  return Number.isInteger(value) && value >= 0 && value <= max
    ? `${value}`
    : failValue("number", value);
}

/** One byte. */
export const u8: RdataField<number> = {
  decode: (reader) => reader.u8(),
  encode: (writer, value) => writer.u8(value),
  parse: (text) => text.u8(),
  print: (value) => printNumber(value, 0xff),
};

/** Two bytes. */
export const u16: RdataField<number> = {
  decode: (reader) => reader.u16(),
  encode: (writer, value) => writer.u16(value),
  parse: (text) => text.u16(),
  print: (value) => printNumber(value, 0xffff),
};

/** Four bytes. */
export const u32: RdataField<number> = {
  decode: (reader) => reader.u32(),
  encode: (writer, value) => writer.u32(value),
  parse: (text) => text.u32(),
  print: (value) => printNumber(value, 0xffff_ffff),
};

/** Four bytes, in text with units if one wants. */
export const duration: RdataField<number> = { ...u32, parse: (text) => text.ttl() };

/** A number of one or two bytes that has names in text; it is printed as a number. */
export function mnemonic(
  field: RdataField<number>,
  codes: Readonly<Record<string, number>>,
): RdataField<number> {
  const byName = new Map(Object.entries(codes));
  return {
    ...field,
    parse(text: RdataText): number {
      const code = byName.get(text.peek()?.toUpperCase() ?? "");
      if (code === undefined) return field.parse(text);
      text.token();
      return code;
    },
  };
}

/** The same, printed under its name where it has one: the last of them. */
export function named(
  field: RdataField<number>,
  codes: Readonly<Record<string, number>>,
): RdataField<number> {
  const byCode = new Map(Object.entries(codes).map(([name, code]) => [code, name]));
  return {
    ...mnemonic(field, codes),
    print: (value) => byCode.get(value) ?? field.print(value),
  };
}

/** The number of a type, given out as its mnemonic. */
export const recordType: RdataField<string> = {
  decode: (reader) => formatRecordType(reader.u16()),
  encode: (writer, value) => writer.u16(typeCodeOf(value)),
  parse(text: RdataText): string {
    const token = text.token();
    const code = parseRecordType(token);
    return code === undefined ? text.fail("it names no type") : formatRecordType(code);
  },
  print: (value) => formatRecordType(typeCodeOf(value)),
};

/** The number of a type in data handed in. */
export function typeCodeOf(type: string): number {
  return parseRecordType(type) ?? failValue("type", type);
}

/** Names that are printed as they are: nothing in them needs an escape. */
const PLAIN_NAME = /^(?:[0-9A-Za-z_*-]+\.)+$/;

/** A name as absolute text in its one escaping, whoever wrote it. */
export function printName(name: string): string {
  return PLAIN_NAME.test(name) ? name : joinLabels(labelsOf(name));
}

/** A name of the types of RFC 1035: compressed both ways, lower case in canonical form. */
export const compressedName: RdataField<string> = {
  decode: (reader) => reader.name(),
  encode: (writer, value) => writer.name(value),
  parse: (text) => text.name(),
  print: printName,
};

/**
 * A name that senders of old have compressed, so that it is read with pointers and written without
 * (RFC 3597 section 4); lower case in canonical form.
 */
export const oldName: RdataField<string> = {
  ...compressedName,
  encode: (writer, value) => writer.uncompressedName(value),
};

/** A name never compressed, lower case in canonical form (RFC 4034 section 6.2). */
export const uncompressedName: RdataField<string> = {
  ...oldName,
  decode: (reader) => reader.uncompressedName(),
};

/** A name never compressed, whose case the canonical form keeps (RFC 6840 section 5.1). */
export const preservedName: RdataField<string> = {
  ...uncompressedName,
  encode: (writer, value) => writer.bytes(nameToWire(value)),
};

/** A `<character-string>`. */
export const characterString: RdataField<Uint8Array> = {
  decode: (reader) => reader.characterString(),
  encode: (writer, value) => writer.characterString(value),
  parse: (text) => text.characterString(),
  print: printCharacterString,
};

/** What is left of the RDATA, in text one string of any length. */
export function textToEnd(minBytes: number): RdataField<Uint8Array> {
  return {
    ...bytesToEnd(minBytes),
    parse: (text) => checkTextLength(text, text.bytesOf(text.token()), minBytes),
    print: printCharacterString,
  };
}

/** What is left of the RDATA, in text base64, which may be split by blanks. */
export function base64ToEnd(minBytes: number): RdataField<Uint8Array> {
  return {
    ...bytesToEnd(minBytes),
    parse: (text) => checkTextLength(text, text.atEnd ? EMPTY : text.base64Rest(), minBytes),
    print: (value) => encodeBase64(value),
  };
}

/** What is left of the RDATA, in text hexadecimal, which may be split by blanks. */
export function hexToEnd(minBytes: number): RdataField<Uint8Array> {
  return {
    ...bytesToEnd(minBytes),
    parse: (text) => checkTextLength(text, text.atEnd ? EMPTY : text.hexRest(), minBytes),
    print: printHex,
  };
}

/** Hexadecimal digits, upper case as the RFCs print them. */
export function printHex(bytes: Uint8Array): string {
  return encodeHex(bytes).toUpperCase();
}

/** Reads base64 that is one token: something comes behind it. */
export function parseBase64Token(text: RdataText): Uint8Array {
  const token = text.token();
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64(token);
  } catch {
    text.fail("it is not base64");
  }
  // Blanks and bits behind the last byte would make two texts of one value.
  return encodeBase64(bytes) === token ? bytes : text.fail("it is not base64");
}

/** Refuses text that stands for too few bytes, or too many for any RDATA. */
export function checkTextLength(
  text: RdataText,
  bytes: Uint8Array,
  minBytes: number,
  maxBytes: number = 65_535,
): Uint8Array {
  if (bytes.length >= minBytes && bytes.length <= maxBytes) return bytes;
  return text.fail(`it has ${bytes.length} bytes, expected ${minBytes} to ${maxBytes}`);
}

function bytesToEnd(minBytes: number): Pick<RdataField<Uint8Array>, "decode" | "encode"> {
  return {
    decode(reader: WireReader): Uint8Array {
      if (reader.remaining < minBytes) reader.fail(`its last field is under ${minBytes} bytes`);
      return reader.rest();
    },
    encode(writer: WireWriter, value: Uint8Array): void {
      if (value.length < minBytes) failValue("last field", value);
      writer.bytes(value);
    },
  };
}
