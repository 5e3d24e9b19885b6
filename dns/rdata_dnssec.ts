// This module is sans-I/O.

import type { RdataCodec } from "./rdata_codec.ts";
import {
  base64ToEnd,
  duration,
  failValue,
  fieldCodec,
  hexToEnd,
  mnemonic,
  oldName,
  type RdataField,
  recordType,
  u16,
  u32,
  u8,
  uncompressedName,
} from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import { formatRecordType } from "./record_type.ts";
import type { DnskeyData, DsData, RrsigData, ZonemdData } from "./record_data.ts";
import { formatSignatureTime, parseSignatureTime } from "./signature_time.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

/**
 * Algorithms under the names that zone files use (IANA, DNS Security Algorithm Numbers); the last
 * name of each is the one `dig` prints.
 */
export const ALGORITHMS: Readonly<Record<string, number>> = {
  "RSAMD5": 1,
  "DH": 2,
  "DSA": 3,
  "RSASHA1": 5,
  "DSA-NSEC3-SHA1": 6,
  "NSEC3DSA": 6,
  "RSASHA1-NSEC3-SHA1": 7,
  "NSEC3RSASHA1": 7,
  "RSASHA256": 8,
  "RSASHA512": 10,
  "ECC-GOST": 12,
  "ECCGOST": 12,
  "ECDSAP256SHA256": 13,
  "ECDSAP384SHA384": 14,
  "ED25519": 15,
  "ED448": 16,
  "SM2SM3": 17,
  "ECC-GOST12": 23,
  "INDIRECT": 252,
  "PRIVATEDNS": 253,
  "PRIVATEOID": 254,
};
/** RFC 8078 section 4 has a word for 0 as well. */
const algorithm = mnemonic(u8, { "DELETE": 0, ...ALGORITHMS });

/** Protocols of keys: RFC 2535 section 3.1.3. */
const protocol = mnemonic(u8, { "TLS": 1, "EMAIL": 2, "DNSSEC": 3, "IPSEC": 4, "ALL": 255 });

const digestType = mnemonic(u8, {
  "SHA1": 1,
  "SHA-1": 1,
  "SHA256": 2,
  "SHA-256": 2,
  "GOST": 3,
  "SHA384": 4,
  "SHA-384": 4,
});

/** Four bytes of seconds since 1970, printed as a date. */
export const signatureTime: RdataField<number> = {
  ...u32,
  parse: (text) => parseSignatureTime(text.token()) ?? text.fail("it is no time"),
  print: formatSignatureTime,
};

const keyFields = fieldCodec<DnskeyData>("DNSKEY", 48, {
  flags: u16,
  protocol,
  algorithm,
  publicKey: base64ToEnd(0),
});

/** The codec of a type of keys; without a key only where `saysNone` tells that there is none. */
function keyCodec(
  type: string,
  code: number,
  saysNone: (data: DnskeyData) => boolean,
): RdataCodec<DnskeyData> {
  const isWhole = (data: DnskeyData): boolean => data.publicKey.length > 0 || saysNone(data);
  return {
    type,
    code,
    decode(reader: WireReader): DnskeyData {
      // By hand: signed answers are full of them.
      const data = {
        flags: reader.u16(),
        protocol: reader.u8(),
        algorithm: reader.u8(),
        publicKey: reader.rest(),
      };
      return isWhole(data) ? data : reader.fail("its key is empty");
    },
    encode(writer: WireWriter, data: DnskeyData): void {
      if (!isWhole(data)) failValue("key", "no byte at all");
      keyFields.encode(writer, data);
    },
    parse(text: RdataText): DnskeyData {
      const data = keyFields.parse(text);
      return isWhole(data) ? data : text.fail("the key is missing");
    },
    print: keyFields.print,
  };
}

/** RFC 2535 section 3.1.2: with both bits set there is no key. */
const NO_KEY = 0xc000;

const KEY = keyCodec("KEY", 25, ({ flags }) => (flags & NO_KEY) === NO_KEY);
const DNSKEY = keyCodec("DNSKEY", 48, () => false);
/** RFC 8078 section 4: the one that deletes. */
const CDNSKEY = keyCodec("CDNSKEY", 60, ({ flags, protocol, algorithm }) => {
  return flags === 0 && protocol === 3 && algorithm === 0;
});

function signatureCodec(
  type: string,
  code: number,
  signerName: RdataField<string>,
): RdataCodec<RrsigData> {
  const codec = fieldCodec<RrsigData>(type, code, {
    typeCovered: recordType,
    algorithm,
    labels: u8,
    originalTtl: duration,
    signatureExpiration: signatureTime,
    signatureInception: signatureTime,
    keyTag: u16,
    signerName,
    signature: base64ToEnd(0),
  });
  return { ...codec, decode: (reader) => decodeSignature(reader, signerName) };
}

/** By hand: every record of a signed answer has one beside it. */
function decodeSignature(reader: WireReader, signerName: RdataField<string>): RrsigData {
  return {
    typeCovered: formatRecordType(reader.u16()),
    algorithm: reader.u8(),
    labels: reader.u8(),
    originalTtl: reader.u32(),
    signatureExpiration: reader.u32(),
    signatureInception: reader.u32(),
    keyTag: reader.u16(),
    signerName: signerName.decode(reader),
    signature: reader.rest(),
  };
}

/** Wraps a codec whose digest has the length its number says. */
function digestCodec<D extends { readonly digest: Uint8Array }>(
  codec: RdataCodec<D>,
  expectedBytes: (data: D) => number | undefined,
): RdataCodec<D> {
  const isWrong = (data: D): boolean =>
    data.digest.length !== (expectedBytes(data) ?? data.digest.length);
  return {
    ...codec,
    decode(reader: WireReader): D {
      const data = codec.decode(reader);
      return isWrong(data) ? reader.fail("its digest is not as long as its type") : data;
    },
    encode(writer: WireWriter, data: D): void {
      if (isWrong(data)) failValue("digest", `${data.digest.length} bytes`);
      codec.encode(writer, data);
    },
    parse(text: RdataText): D {
      const data = codec.parse(text);
      return isWrong(data) ? text.fail("the digest is not as long as its type") : data;
    },
  };
}

/** Bytes of a digest by its type: RFC 3658, 4509, 5933, 6605. */
const DS_DIGEST_BYTES: Readonly<Record<number, number>> = { 1: 20, 2: 32, 3: 32, 4: 48 };
/** Bytes of a digest by its algorithm: RFC 8976 section 2.2.3. */
const ZONE_DIGEST_BYTES: Readonly<Record<number, number>> = { 1: 48, 2: 64 };

function dsCodec(type: string, code: number): RdataCodec<DsData> {
  const codec = fieldCodec<DsData>(type, code, {
    keyTag: u16,
    algorithm,
    digestType,
    digest: hexToEnd(1),
  });
  return digestCodec(codec, (data) => DS_DIGEST_BYTES[data.digestType]);
}

const ZONEMD = fieldCodec<ZonemdData>("ZONEMD", 63, {
  serial: u32,
  scheme: u8,
  hashAlgorithm: u8,
  digest: hexToEnd(12),
});

/** The types of DNSSEC that hold keys, signatures and digests. */
export const DNSSEC_CODECS: readonly RdataCodec<unknown>[] = [
  signatureCodec("SIG", 24, oldName),
  KEY,
  dsCodec("DS", 43),
  signatureCodec("RRSIG", 46, uncompressedName),
  DNSKEY,
  dsCodec("CDS", 59),
  CDNSKEY,
  digestCodec(ZONEMD, (data) => ZONE_DIGEST_BYTES[data.hashAlgorithm]),
  dsCodec("DLV", 32769),
];
