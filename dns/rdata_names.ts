// This module is sans-I/O.

import type { RdataCodec } from "./rdata_codec.ts";
import {
  characterString,
  compressedName,
  duration,
  fieldCodec,
  named,
  oldName,
  preservedName,
  printName,
  type RdataField,
  recordType,
  u16,
  u32,
  u8,
  uncompressedName,
} from "./rdata_field.ts";
import type {
  AfsdbData,
  DsyncData,
  KxData,
  LpData,
  MinfoData,
  MxData,
  NaptrData,
  PxData,
  RpData,
  RtData,
  SoaData,
  SrvData,
  TargetData,
} from "./record_data.ts";
import type { WireReader } from "./wire_reader.ts";

function targetCodec(
  type: string,
  code: number,
  name: RdataField<string> = compressedName,
): RdataCodec<TargetData> {
  return fieldCodec<TargetData>(type, code, { target: name });
}

// By hand, because they are in most answers: an object of known shape, no loop over fields.
const NS: RdataCodec<TargetData> = { ...targetCodec("NS", 2), decode: decodeTarget };
const CNAME: RdataCodec<TargetData> = { ...targetCodec("CNAME", 5), decode: decodeTarget };
const PTR: RdataCodec<TargetData> = { ...targetCodec("PTR", 12), decode: decodeTarget };

function decodeTarget(reader: WireReader): TargetData {
  return { target: reader.name() };
}

const MX: RdataCodec<MxData> = {
  type: "MX",
  code: 15,
  decode: (reader) => ({ preference: reader.u16(), exchange: reader.name() }),
  encode(writer, data): void {
    writer.u16(data.preference);
    writer.name(data.exchange);
  },
  parse: (text) => ({ preference: text.u16(), exchange: text.name() }),
  print: (data) => `${u16.print(data.preference)} ${printName(data.exchange)}`,
};

const SOA: RdataCodec<SoaData> = {
  ...fieldCodec<SoaData>("SOA", 6, {
    mname: compressedName,
    rname: compressedName,
    serial: u32,
    refresh: duration,
    retry: duration,
    expire: duration,
    minimum: duration,
  }),
  decode: (reader) => ({
    mname: reader.name(),
    rname: reader.name(),
    serial: reader.u32(),
    refresh: reader.u32(),
    retry: reader.u32(),
    expire: reader.u32(),
    minimum: reader.u32(),
  }),
};

const SRV: RdataCodec<SrvData> = {
  ...fieldCodec<SrvData>("SRV", 33, { priority: u16, weight: u16, port: u16, target: oldName }),
  decode: (reader) => ({
    priority: reader.u16(),
    weight: reader.u16(),
    port: reader.u16(),
    target: reader.name(),
  }),
};

const MINFO = fieldCodec<MinfoData>("MINFO", 14, {
  rmailbx: compressedName,
  emailbx: compressedName,
});
const RP = fieldCodec<RpData>("RP", 17, { mbox: oldName, txt: oldName });
const AFSDB = fieldCodec<AfsdbData>("AFSDB", 18, { subtype: u16, hostname: oldName });
const RT = fieldCodec<RtData>("RT", 21, { preference: u16, intermediateHost: oldName });
const PX = fieldCodec<PxData>("PX", 26, { preference: u16, map822: oldName, mapx400: oldName });
const NAPTR = fieldCodec<NaptrData>("NAPTR", 35, {
  order: u16,
  preference: u16,
  flags: characterString,
  services: characterString,
  regexp: characterString,
  replacement: oldName,
});
const KX = fieldCodec<KxData>("KX", 36, { preference: u16, exchanger: uncompressedName });
const LP = fieldCodec<LpData>("LP", 107, { preference: u16, fqdn: preservedName });
const DSYNC = fieldCodec<DsyncData>("DSYNC", 66, {
  recordType,
  // RFC 9859 section 5.1.
  scheme: named(u8, { NOTIFY: 1 }),
  port: u16,
  target: preservedName,
});

/** The types that are names, or numbers and names. */
export const NAME_CODECS: readonly RdataCodec<unknown>[] = [
  NS,
  targetCodec("MD", 3),
  targetCodec("MF", 4),
  CNAME,
  SOA,
  targetCodec("MB", 7),
  targetCodec("MG", 8),
  targetCodec("MR", 9),
  PTR,
  MINFO,
  MX,
  RP,
  AFSDB,
  RT,
  PX,
  SRV,
  NAPTR,
  KX,
  targetCodec("NSAP-PTR", 23, preservedName),
  targetCodec("DNAME", 39, uncompressedName),
  DSYNC,
  LP,
];
