// This module is sans-I/O.

import { encodeBase64 } from "@std/encoding";
import { algorithm } from "./rdata_dnssec.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { base64ToEnd, fieldCodec, hexToEnd, mnemonic, u16, u8 } from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import type { CertData, DhcidData, OpenpgpkeyData, SshfpData, TlsaData } from "./record_data.ts";

/** RFC 4398 section 2.1. */
const certificateType = mnemonic(u16, {
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

const dhcidFields = fieldCodec<DhcidData>("DHCID", 49, {
  identifierType: u16,
  digestType: u8,
  digest: hexToEnd(0),
});

/** RFC 4701 section 3.1: in text the fields are one base64. */
const DHCID: RdataCodec<DhcidData> = {
  ...dhcidFields,
  parse(text: RdataText): DhcidData {
    const bytes = text.base64Rest();
    if (bytes.length < 3) text.fail(`it has ${bytes.length} bytes, expected at least 3`);
    return {
      identifierType: bytes[0]! << 8 | bytes[1]!,
      digestType: bytes[2]!,
      digest: bytes.slice(3),
    };
  },
  print({ identifierType, digestType, digest }: DhcidData): string {
    return encodeBase64(
      new Uint8Array([identifierType >> 8, identifierType, digestType, ...digest]),
    );
  },
};

/** The types that hold certificates, keys and fingerprints of other protocols. */
export const CERTIFICATE_CODECS: readonly RdataCodec<unknown>[] = [
  fieldCodec<CertData>("CERT", 37, {
    certificateType,
    keyTag: u16,
    algorithm,
    certificate: base64ToEnd(0),
  }),
  fieldCodec<SshfpData>("SSHFP", 44, {
    algorithm: u8,
    fingerprintType: u8,
    fingerprint: hexToEnd(1),
  }),
  DHCID,
  tlsaCodec("TLSA", 52),
  tlsaCodec("SMIMEA", 53),
  fieldCodec<OpenpgpkeyData>("OPENPGPKEY", 61, { publicKey: base64ToEnd(1) }),
];
