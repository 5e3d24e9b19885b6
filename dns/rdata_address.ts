// This module is sans-I/O.

import { parseIpv4, parseIpv6 } from "../nbio/ip_address.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { failValue, fieldCodec, type RdataField, u16 } from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import type { AddressData, EuiData, L32Data, L64Data, NidData } from "./record_data.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

const COLON = 0x3a;
/** A dot, where digits count from the character 0. */
const DOT_DIGIT = -2;

// Addresses are most of what answers hold: see the bench of decoding.
const DECIMAL = Array.from({ length: 256 }, (_, byte) => `${byte}`);
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16));
const HEX_PAIR = HEX.map((digits) => digits.padStart(2, "0"));

/** An IPv4 address of four bytes. */
export const ipv4: RdataField<string> = {
  decode(reader: WireReader): string {
    const value = reader.u32();
    return `${DECIMAL[value >>> 24]}.${DECIMAL[value >>> 16 & 0xff]}.${
      DECIMAL[value >>> 8 & 0xff]
    }.${DECIMAL[value & 0xff]}`;
  },
  encode(writer: WireWriter, value: string): void {
    const number = ipv4Number(value);
    if (number < 0) failValue("IPv4 address", value);
    writer.u32(number);
  },
  parse(text: RdataText): string {
    const token = text.token();
    // The strict form is the only one, so that the text is canonical as it is.
    return parseIpv4(token) === undefined ? text.fail("it is no IPv4 address") : token;
  },
  print: (value) => ipv4Number(value) < 0 ? failValue("IPv4 address", value) : value,
};

/** An IPv6 address of sixteen bytes. */
export const ipv6: RdataField<string> = {
  decode(reader: WireReader): string {
    const at = reader.offset;
    if (reader.remaining < 16) reader.take(16);
    reader.offset = at + 16;
    return formatIpv6At(reader.bytes, at);
  },
  encode(writer: WireWriter, value: string): void {
    if (!writeGroups(writer, value)) {
      writer.bytes(parseIpv6(value) ?? failValue("IPv6 address", value));
    }
  },
  parse(text: RdataText): string {
    const bytes = parseIpv6(text.token());
    return bytes === undefined ? text.fail("it is no IPv6 address") : formatIpv6At(bytes, 0);
  },
  print(value): string {
    return formatIpv6At(parseIpv6(value) ?? failValue("IPv6 address", value), 0);
  },
};

/**
 * What `formatIpv6` of nbio gives for the sixteen bytes at `at`, four times as fast: an answer with
 * glue holds many.
 */
export function formatIpv6At(bytes: Uint8Array, at: number): string {
  let runStart = 8;
  let runLength = 0;
  let start = 0;
  for (let index = 0; index < 8; index++) {
    if (bytes[at + 2 * index] !== 0 || bytes[at + 2 * index + 1] !== 0) start = index + 1;
    else if (index + 1 - start > runLength) {
      runLength = index + 1 - start;
      runStart = start;
    }
  }
  if (runStart === 0 && runLength >= 5 && runLength < 7) return formatMixed(bytes, at, runLength);
  // RFC 5952 section 4.2.2: a single group of zeros is written out.
  if (runLength < 2) return formatGroups(bytes, at, 0, 8);
  const head = formatGroups(bytes, at, 0, runStart);
  return `${head}::${formatGroups(bytes, at, runStart + runLength, 8)}`;
}

/** Behind six groups of zeros, or five and `ffff`, comes an IPv4 address. */
function formatMixed(bytes: Uint8Array, at: number, runLength: number): string {
  if (runLength === 5 && (bytes[at + 10]! & bytes[at + 11]!) !== 0xff) {
    return `::${formatGroups(bytes, at, 5, 8)}`;
  }
  const dotted = bytes.subarray(at + 12, at + 16).join(".");
  return runLength === 5 ? `::ffff:${dotted}` : `::${dotted}`;
}

function formatGroups(bytes: Uint8Array, at: number, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) {
    const high = bytes[at + 2 * index]!;
    const low = bytes[at + 2 * index + 1]!;
    if (index > start) text += ":";
    text += high === 0 ? HEX[low]! : HEX[high]! + HEX_PAIR[low]!;
  }
  return text;
}

/** What `parseIpv4` of nbio reads, as one number and without an array; -1 for no address. */
function ipv4Number(text: string): number {
  let number = 0;
  let partCount = 0;
  let part = -1;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit >= 0 && digit <= 9) {
      // A leading zero is octal to some and nothing to others.
      if (part === 0) return -1;
      part = part < 0 ? digit : 10 * part + digit;
      if (part > 255) return -1;
    } else if (digit === DOT_DIGIT && part >= 0 && partCount < 3) {
      number = number * 256 + part;
      partCount++;
      part = -1;
    } else {
      return -1;
    }
  }
  return partCount === 3 && part >= 0 ? number * 256 + part : -1;
}

/** The groups of the address at hand; nothing is read from it before it is written. */
const groupScratch = new Uint16Array(8);

/** Writes an address of hexadecimal groups; `false`, and nothing written, for any other text. */
function writeGroups(writer: WireWriter, text: string): boolean {
  let count = 0;
  let gap = text.startsWith("::") ? 0 : -1;
  let at = gap === 0 ? 2 : 0;
  while (at < text.length) {
    const start = at;
    let value = 0;
    for (let digit; at < start + 4 && (digit = hexValue(text.charCodeAt(at))) >= 0; at++) {
      value = value << 4 | digit;
    }
    if (at === start || count === 8) return false;
    groupScratch[count++] = value;
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== COLON || at === text.length) return false;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      at++;
    }
  }
  if (gap < 0 ? count !== 8 : count === 8) return false;
  const missing = 8 - count;
  for (let index = 0; index < 8; index++) {
    const isMissing = index >= gap && index < gap + missing;
    const from = index < gap ? index : index - missing;
    writer.u16(isMissing ? 0 : groupScratch[from]!);
  }
  return true;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** `groups` groups of hexadecimal digits, two or four each, with `separator` between them. */
function groupedHex(groups: number, digits: 2 | 4, separator: string): RdataField<string> {
  const form = digits === 2 ? /^[0-9a-f]{2}$/i : /^[0-9a-f]{1,4}$/i;
  const canonical = (value: string): string | undefined => {
    const parts = value.length > 32 ? [] : value.split(separator);
    if (parts.length !== groups || !parts.every((part) => form.test(part))) return undefined;
    return parts.map((part) => part.toLowerCase().padStart(digits, "0")).join(separator);
  };
  return {
    decode(reader: WireReader): string {
      const parts = [];
      for (let group = 0; group < groups; group++) {
        const value = digits === 2 ? reader.u8() : reader.u16();
        parts.push(value.toString(16).padStart(digits, "0"));
      }
      return parts.join(separator);
    },
    encode(writer: WireWriter, value: string): void {
      const text = canonical(value) ?? failValue("hexadecimal groups", value);
      for (const part of text.split(separator)) {
        if (digits === 2) writer.u8(parseInt(part, 16));
        else writer.u16(parseInt(part, 16));
      }
    },
    parse: (text) => canonical(text.token()) ?? text.fail(`it is not ${groups} groups of digits`),
    print: (value) => canonical(value) ?? failValue("hexadecimal groups", value),
  };
}

const A: RdataCodec<AddressData> = {
  type: "A",
  code: 1,
  decode: (reader) => ({ address: ipv4.decode(reader) }),
  encode: (writer, data) => ipv4.encode(writer, data.address),
  parse: (text) => ({ address: ipv4.parse(text) }),
  print: (data) => ipv4.print(data.address),
};

const AAAA: RdataCodec<AddressData> = {
  type: "AAAA",
  code: 28,
  decode: (reader) => ({ address: ipv6.decode(reader) }),
  encode: (writer, data) => ipv6.encode(writer, data.address),
  parse: (text) => ({ address: ipv6.parse(text) }),
  print: (data) => ipv6.print(data.address),
};

const NID = fieldCodec<NidData>("NID", 104, {
  preference: u16,
  nodeId: groupedHex(4, 4, ":"),
});
const L32 = fieldCodec<L32Data>("L32", 105, { preference: u16, locator32: ipv4 });
const L64 = fieldCodec<L64Data>("L64", 106, {
  preference: u16,
  locator64: groupedHex(4, 4, ":"),
});
const EUI48 = fieldCodec<EuiData>("EUI48", 108, { address: groupedHex(6, 2, "-") });
const EUI64 = fieldCodec<EuiData>("EUI64", 109, { address: groupedHex(8, 2, "-") });

/** The types that hold addresses of some kind. */
export const ADDRESS_CODECS: readonly RdataCodec<unknown>[] = [
  A,
  AAAA,
  NID,
  L32,
  L64,
  EUI48,
  EUI64,
];
