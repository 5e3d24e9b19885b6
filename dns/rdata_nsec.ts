// This module is sans-I/O.

import { encodeBase32Hex } from "./base32hex.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import {
  checkTextLength,
  failValue,
  fieldCodec,
  mnemonic,
  preservedName,
  printHex,
  type RdataField,
  u16,
  u32,
  u8,
} from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import type { CsyncData, Nsec3Data, Nsec3ParamData, NsecData } from "./record_data.ts";
import { typeBitmap } from "./type_bitmap.ts";

const hashAlgorithm = mnemonic(u8, { "SHA1": 1, "SHA-1": 1 });

/** RFC 5155 section 3.3: a hyphen stands for no salt. */
const salt: RdataField<Uint8Array> = {
  decode: (reader) => reader.characterString(),
  encode: (writer, value) => writer.characterString(value),
  parse(text: RdataText): Uint8Array {
    if (text.peek() !== "-") return checkTextLength(text, text.hex(), 1, 255);
    text.token();
    return new Uint8Array(0);
  },
  print: (value) => value.length === 0 ? "-" : printHex(value),
};

/** RFC 5155 section 3.2: its length is 1 to 255. */
const hash: RdataField<Uint8Array> = {
  decode(reader): Uint8Array {
    const value = reader.characterString();
    return value.length === 0 ? reader.fail("it has no hash") : value;
  },
  encode(writer, value): void {
    if (value.length === 0) failValue("hash", "no byte at all");
    writer.characterString(value);
  },
  parse: (text) => checkTextLength(text, text.base32hex(), 1, 255),
  print: encodeBase32Hex,
};

const NSEC: RdataCodec<NsecData> = {
  ...fieldCodec<NsecData>("NSEC", 47, { nextDomainName: preservedName, types: typeBitmap }),
  decode: (reader) => ({
    nextDomainName: reader.uncompressedName(),
    types: typeBitmap.decode(reader),
  }),
};

const NSEC3: RdataCodec<Nsec3Data> = {
  ...fieldCodec<Nsec3Data>("NSEC3", 50, {
    hashAlgorithm,
    flags: u8,
    iterations: u16,
    salt,
    nextHashedOwnerName: hash,
    types: typeBitmap,
  }),
  decode: (reader) => ({
    hashAlgorithm: reader.u8(),
    flags: reader.u8(),
    iterations: reader.u16(),
    salt: reader.characterString(),
    nextHashedOwnerName: hash.decode(reader),
    types: typeBitmap.decode(reader),
  }),
};

/** The types that list types, and the parameters of NSEC3. */
export const NSEC_CODECS: readonly RdataCodec<unknown>[] = [
  NSEC,
  NSEC3,
  fieldCodec<Nsec3ParamData>("NSEC3PARAM", 51, { hashAlgorithm, flags: u8, iterations: u16, salt }),
  fieldCodec<CsyncData>("CSYNC", 62, { serial: u32, flags: u16, types: typeBitmap }),
];
