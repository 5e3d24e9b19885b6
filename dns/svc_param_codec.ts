// This module is sans-I/O.

import { decodeBase64, encodeBase64 } from "@std/encoding";
import { escapeByte, printCharacterString } from "./character_string.ts";
import { parseIpv4, parseIpv6 } from "../nbio/ip_address.ts";
import { formatIpv6At, ipv4, ipv6 } from "./rdata_address.ts";
import { failValue, type RdataField, u16 } from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import { formatSvcParamKey, parseSvcParamKey } from "./svc_param_key.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

/** How the value of one parameter is read and written. */
export interface SvcParamCodec<T> {
  /** Reads the value, up to the end of the reader. */
  decode(reader: WireReader): T;
  /** Writes the value without its length. */
  encode(writer: WireWriter, value: T): void;
  /** Reads the text behind the equals sign, which is not empty; `undefined` without such a sign. */
  parse(value: string | undefined, text: RdataText): T;
  /** Prints the text behind the equals sign; `undefined` where there is none. */
  print(value: T): string | undefined;
}

const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** The value as a list of texts; RFC 9460 forbids escapes in these parameters. */
function plainList(value: string | undefined, text: RdataText): string[] {
  return plainText(value, text).split(",");
}

/** The value without its quotes, where no escape is allowed. */
function plainText(value: string | undefined, text: RdataText): string {
  if (value === undefined) return text.fail("the parameter needs a value");
  if (value.includes("\\")) text.fail("an escape is not allowed in this parameter");
  return value.startsWith('"') ? value.slice(1, -1) : value;
}

/** The bytes of the value: empty where there is none. */
function bytesOf(value: string | undefined, text: RdataText): Uint8Array {
  return value === undefined ? new Uint8Array(0) : text.bytesOf(value);
}

/** Items of a value list (RFC 9460 appendix A.1), none of them empty. */
function splitList(bytes: Uint8Array, text: RdataText): Uint8Array[] {
  const items: Uint8Array[] = [];
  let item: number[] = [];
  for (let at = 0; at <= bytes.length; at++) {
    if (at === bytes.length || bytes[at] === COMMA) {
      if (item.length === 0) text.fail("an item of its list is empty");
      if (item.length > 255) text.fail("an item of its list has more than 255 bytes");
      items.push(new Uint8Array(item));
      item = [];
      continue;
    }
    if (bytes[at] === BACKSLASH) {
      at++;
      // Only the comma and the backslash have an escape in a list.
      if (bytes[at] !== COMMA && bytes[at] !== BACKSLASH) text.fail("it has a broken escape");
    }
    item.push(bytes[at]!);
  }
  return items;
}

/** Prints a value list: escaped once as a list and once as a string. */
function printList(items: readonly Uint8Array[]): string {
  const printed = items.map((item) => {
    let list = "";
    for (const byte of item) {
      // The list's backslash, escaped once more for the string.
      if (byte === COMMA || byte === BACKSLASH) list += "\\\\";
      list += escapeByte(byte);
    }
    return list;
  });
  return `"${printed.join(",")}"`;
}

/** Items with a byte of length each. */
function decodeItems(reader: WireReader): Uint8Array[] {
  const items: Uint8Array[] = [];
  while (reader.remaining > 0) {
    const item = reader.characterString();
    if (item.length === 0) reader.fail("an item of a parameter's list is empty");
    items.push(item);
  }
  return items;
}

function encodeItems(writer: WireWriter, items: readonly Uint8Array[]): void {
  for (const item of items) {
    if (item.length === 0) failValue("item of a parameter", "no byte at all");
    writer.characterString(item);
  }
}

/** RFC 9460 section 8. */
const mandatory: SvcParamCodec<readonly string[]> = {
  decode(reader: WireReader): string[] {
    const keys: string[] = [];
    // Not even the first one may be 0, which is the parameter itself.
    let last = 0;
    do {
      const key = reader.u16();
      if (key <= last) reader.fail("the keys of the mandatory parameter do not ascend");
      keys.push(formatSvcParamKey(last = key));
    } while (reader.remaining > 0);
    return keys;
  },
  encode(writer: WireWriter, value: readonly string[]): void {
    for (const code of mandatoryCodes(value)) writer.u16(code);
  },
  parse(value: string | undefined, text: RdataText): string[] {
    const codes = new Set<number>();
    for (const name of plainList(value, text)) {
      const code = parseSvcParamKey(name) ?? text.fail("it lists a key that is none");
      if (code === 0 || codes.has(code)) text.fail("it lists a key twice, or itself");
      codes.add(code);
    }
    return [...codes].sort((a, b) => a - b).map(formatSvcParamKey);
  },
  print: (value) => mandatoryCodes(value).map(formatSvcParamKey).join(","),
};

function mandatoryCodes(names: readonly string[]): number[] {
  const codes = new Set(names.map((name) => parseSvcParamKey(name) ?? failValue("key", name)));
  if (codes.size !== names.length || codes.size === 0 || codes.has(0)) {
    failValue("mandatory keys", names);
  }
  return [...codes].sort((a, b) => a - b);
}

/** RFC 9460 section 7.1: protocol ids as strings of one character per byte. */
const alpn: SvcParamCodec<readonly string[]> = {
  decode(reader: WireReader): string[] {
    const items = decodeItems(reader);
    if (items.length === 0) reader.fail("alpn has no protocol");
    return items.map((item) => String.fromCharCode(...item));
  },
  encode(writer: WireWriter, value: readonly string[]): void {
    if (value.length === 0) failValue("alpn", "no protocol at all");
    encodeItems(writer, value.map(byteString));
  },
  parse(value: string | undefined, text: RdataText): string[] {
    return splitList(bytesOf(value, text), text).map((item) => String.fromCharCode(...item));
  },
  print: (value) => printList(value.map(byteString)),
};

function byteString(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return code <= 0xff ? code : failValue("protocol id", text);
  });
}

/** A parameter that is there or not. */
const flag: SvcParamCodec<true> = {
  decode: () => true,
  encode(_writer: WireWriter, value: unknown): void {
    if (value !== true) failValue("flag", value);
  },
  parse(value: string | undefined, text: RdataText): true {
    return bytesOf(value, text).length === 0 ? true : text.fail("the parameter has no value");
  },
  print: () => undefined,
};

/** RFC 9460 section 7.2. */
const port: SvcParamCodec<number> = {
  decode: (reader) => reader.u16(),
  encode: (writer, value) => writer.u16(value),
  parse: (value, text) => parseU16(plainText(value, text), text),
  print: u16.print,
};

function parseU16(digits: string, text: RdataText): number {
  const value = /^\d{1,5}$/.test(digits) ? Number(digits) : Infinity;
  return value <= 0xffff ? value : text.fail("it is no number from 0 to 65535");
}

/** RFC 9460 section 7.3: one address or more. */
function hints(
  address: RdataField<string>,
  parse: (text: string) => string | undefined,
): SvcParamCodec<readonly string[]> {
  return {
    decode(reader: WireReader): string[] {
      const addresses = [address.decode(reader)];
      while (reader.remaining > 0) addresses.push(address.decode(reader));
      return addresses;
    },
    encode(writer: WireWriter, value: readonly string[]): void {
      if (value.length === 0) failValue("hint", "no address at all");
      for (const one of value) address.encode(writer, one);
    },
    parse: (value, text) =>
      plainList(value, text).map((one) => parse(one) ?? text.fail("it is no list of addresses")),
    print: (value) => value.map(address.print).join(","),
  };
}

function canonicalIpv4(text: string): string | undefined {
  return parseIpv4(text) === undefined ? undefined : text;
}

function canonicalIpv6(text: string): string | undefined {
  const bytes = parseIpv6(text);
  return bytes && formatIpv6At(bytes, 0);
}

/** RFC 9848. */
const ech: SvcParamCodec<Uint8Array> = {
  decode: (reader) =>
    reader.remaining === 0 ? reader.fail("ech has no configuration") : reader.rest(),
  encode(writer: WireWriter, value: Uint8Array): void {
    if (value.length === 0) failValue("ech", "no byte at all");
    writer.bytes(value);
  },
  parse(value: string | undefined, text: RdataText): Uint8Array {
    const base64 = plainText(value, text);
    const bytes = decodeOrNothing(base64);
    return bytes.length > 0 && encodeBase64(bytes) === base64
      ? bytes
      : text.fail("it is no base64, or empty");
  },
  print: (value) => encodeBase64(value),
};

function decodeOrNothing(base64: string): Uint8Array {
  try {
    return decodeBase64(base64);
  } catch {
    return new Uint8Array(0);
  }
}

/** RFC 9461 section 5: UTF-8. That the template has its variable is left to who uses it. */
const dohpath: SvcParamCodec<string> = {
  decode(reader: WireReader): string {
    const path = decodeUtf8(reader.rest());
    return path === undefined || path === "" ? reader.fail("dohpath is not UTF-8, or empty") : path;
  },
  encode(writer: WireWriter, value: string): void {
    if (value === "" || !value.isWellFormed()) failValue("dohpath", value);
    writer.bytes(new TextEncoder().encode(value));
  },
  parse(value: string | undefined, text: RdataText): string {
    const path = decodeUtf8(bytesOf(value, text));
    return path === undefined || path === "" ? text.fail("it is not UTF-8, or empty") : path;
  },
  print: (value) => printCharacterString(new TextEncoder().encode(value)),
};

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The numbers of a list in text, none of them twice (draft-ietf-tls-key-share-prediction). */
function parseGroups(value: string, text: RdataText): number[] {
  const values = new Set<number>();
  for (const part of plainList(value, text)) {
    const group = parseU16(part, text);
    if (values.has(group)) text.fail("it lists a group twice");
    values.add(group);
  }
  return [...values];
}

/** Numbers of two bytes; a list of none is nothing at all. */
const groups: SvcParamCodec<readonly number[]> = {
  decode(reader: WireReader): number[] {
    const values: number[] = [];
    while (reader.remaining > 0) values.push(reader.u16());
    return values;
  },
  encode(writer: WireWriter, value: readonly number[]): void {
    for (const group of value) writer.u16(group);
  },
  parse: (value, text) => value === undefined ? [] : parseGroups(value, text),
  print: (value) => value.length === 0 ? undefined : value.map(u16.print).join(","),
};

/** RFC 9953 section 3: the path of no segments is empty. */
const docpath: SvcParamCodec<readonly Uint8Array[]> = {
  decode: decodeItems,
  encode: encodeItems,
  parse: (value, text) => value === undefined ? [] : splitList(bytesOf(value, text), text),
  print: (value) => value.length === 0 ? undefined : printList(value),
};

/** Any other parameter. */
const opaque: SvcParamCodec<Uint8Array> = {
  decode: (reader) => reader.rest(),
  encode: (writer, value) => writer.bytes(value),
  parse: bytesOf,
  print: (value) => value.length === 0 ? undefined : printCharacterString(value),
};

/** By number, as the names are. */
const CODECS: readonly SvcParamCodec<unknown>[] = [
  mandatory,
  alpn,
  flag,
  port,
  hints(ipv4, canonicalIpv4),
  ech,
  hints(ipv6, canonicalIpv6),
  dohpath,
  flag,
  groups,
  docpath,
  flag,
];

/** The codec of the parameter of a number. */
export function svcParamCodec(code: number): SvcParamCodec<unknown> {
  return CODECS[code] ?? opaque;
}
