// This module is sans-I/O.

import type { RdataCodec } from "./rdata_codec.ts";
import {
  characterString,
  failValue,
  fieldCodec,
  type RdataField,
  textToEnd,
  u16,
  u8,
} from "./rdata_field.ts";
import { printCharacterString } from "./character_string.ts";
import type { RdataText } from "./rdata_text.ts";
import type {
  CaaData,
  GposData,
  HinfoData,
  IsdnData,
  TextData,
  UriData,
  X25Data,
} from "./record_data.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

const TAG = /^[0-9A-Za-z]{1,255}$/;

function textCodec(type: string, code: number): RdataCodec<TextData> {
  return {
    type,
    code,
    decode(reader: WireReader): TextData {
      // RFC 1035 section 3.3.14: one or more.
      const strings = [reader.characterString()];
      while (reader.offset < reader.end) strings.push(reader.characterString());
      return { strings };
    },
    encode(writer: WireWriter, { strings }: TextData): void {
      if (strings.length === 0) failValue(type, "no string at all");
      for (const string of strings) writer.characterString(string);
    },
    parse(text: RdataText): TextData {
      const strings = [text.characterString()];
      while (!text.atEnd) strings.push(text.characterString());
      return { strings };
    },
    print: ({ strings }) => strings.map(printCharacterString).join(" "),
  };
}

/** RFC 8659 section 4.1: letters and digits, whose case tells nothing but is kept. */
const tag: RdataField<string> = {
  decode(reader: WireReader): string {
    const value = String.fromCharCode(...reader.characterString());
    return TAG.test(value) ? value : reader.fail("its tag is not letters and digits");
  },
  encode(writer: WireWriter, value: string): void {
    if (!TAG.test(value)) failValue("tag", value);
    writer.u8(value.length);
    for (let index = 0; index < value.length; index++) writer.u8(value.charCodeAt(index));
  },
  parse(text: RdataText): string {
    const value = text.token();
    return TAG.test(value) ? value : text.fail("it is no tag of letters and digits");
  },
  print: (value) => TAG.test(value) ? value : failValue("tag", value),
};

const ISDN: RdataCodec<IsdnData> = {
  type: "ISDN",
  code: 20,
  decode(reader: WireReader): IsdnData {
    const isdnAddress = reader.characterString();
    if (reader.remaining === 0) return { isdnAddress };
    return { isdnAddress, subaddress: reader.characterString() };
  },
  encode(writer: WireWriter, data: IsdnData): void {
    writer.characterString(data.isdnAddress);
    if (data.subaddress !== undefined) writer.characterString(data.subaddress);
  },
  parse(text: RdataText): IsdnData {
    const isdnAddress = text.characterString();
    return text.atEnd ? { isdnAddress } : { isdnAddress, subaddress: text.characterString() };
  },
  print(data: IsdnData): string {
    const address = printCharacterString(data.isdnAddress);
    if (data.subaddress === undefined) return address;
    return `${address} ${printCharacterString(data.subaddress)}`;
  },
};

/** The types that are strings of bytes. */
export const STRING_CODECS: readonly RdataCodec<unknown>[] = [
  fieldCodec<HinfoData>("HINFO", 13, { cpu: characterString, os: characterString }),
  textCodec("TXT", 16),
  fieldCodec<X25Data>("X25", 19, { psdnAddress: characterString }),
  ISDN,
  fieldCodec<GposData>("GPOS", 27, {
    longitude: characterString,
    latitude: characterString,
    altitude: characterString,
  }),
  textCodec("NINFO", 56),
  textCodec("SPF", 99),
  fieldCodec<UriData>("URI", 256, { priority: u16, weight: u16, target: textToEnd(1) }),
  fieldCodec<CaaData>("CAA", 257, { flags: u8, tag, value: textToEnd(0) }),
  textCodec("AVC", 258),
  textCodec("RESINFO", 261),
  textCodec("WALLET", 262),
];
