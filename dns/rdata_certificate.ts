// This module is sans-I/O.

import { ALGORITHMS } from "./rdata_dnssec.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { base64ToEnd, fieldCodec, hexToEnd, mnemonic, named, u16, u8 } from "./rdata_field.ts";
import type {
  CertData,
  DhcidData,
  DripData,
  OpenpgpkeyData,
  SshfpData,
  TlsaData,
} from "./record_data.ts";

/** RFC 4398 section 2.1. */
const certificateType = named(u16, {
  "PKIX": 1,
  "SPKI": 2,
  "PGP": 3,
  "IPKIX": 4,
  "ISPKI": 5,
  "IPGP": 6,
  "ACPKIX": 7,
  "IACPKIX": 8,
  "URI": 253,
  "OID": 254,
});

function tlsaCodec(type: string, code: number): RdataCodec<TlsaData> {
  return fieldCodec<TlsaData>(type, code, {
    // RFC 7218 section 2.
    usage: mnemonic(u8, { "PKIX-TA": 0, "PKIX-EE": 1, "DANE-TA": 2, "DANE-EE": 3, PRIVCERT: 255 }),
    selector: mnemonic(u8, { CERT: 0, SPKI: 1, PRIVSEL: 255 }),
    matchingType: mnemonic(u8, { FULL: 0, "SHA2-256": 1, "SHA2-512": 2, PRIVMATCH: 255 }),
    certificateAssociationData: hexToEnd(0),
  });
}

/** The types that hold certificates, keys and fingerprints of other protocols. */
export const CERTIFICATE_CODECS: readonly RdataCodec<unknown>[] = [
  fieldCodec<CertData>("CERT", 37, {
    certificateType,
    keyTag: u16,
    algorithm: named(u8, ALGORITHMS),
    certificate: base64ToEnd(0),
  }),
  fieldCodec<SshfpData>("SSHFP", 44, {
    algorithm: u8,
    fingerprintType: u8,
    fingerprint: hexToEnd(1),
  }),
  // RFC 4701 section 3.1: what is in it is for DHCP alone.
  fieldCodec<DhcidData>("DHCID", 49, { identity: base64ToEnd(1) }),
  tlsaCodec("TLSA", 52),
  tlsaCodec("SMIMEA", 53),
  fieldCodec<OpenpgpkeyData>("OPENPGPKEY", 61, { publicKey: base64ToEnd(1) }),
  fieldCodec<DripData>("HHIT", 67, { cbor: base64ToEnd(1) }),
  fieldCodec<DripData>("BRID", 68, { cbor: base64ToEnd(1) }),
];
