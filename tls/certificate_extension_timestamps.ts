// This module is sans-I/O.

import type { SignedCertificateTimestamp } from "./certificate_extension.ts";
import type { DerReader } from "./der_reader.ts";

/** Bytes of a timestamp before its extensions: version, log and time. */
const HEAD_BYTES = 1 + 32 + 8;
/** Bytes of the rest, without extensions and signature: lengths and algorithms. */
const REST_BYTES = 2 + 2 + 2;

/**
 * Reads a list of timestamps of logs (RFC 6962 section 3.3) from its value: an
 * OCTET STRING with a structure of TLS. Timestamps of other versions are left
 * out, as the RFC says.
 */
export function readTimestamps(reader: DerReader): readonly SignedCertificateTimestamp[] {
  reader.readOctetString();
  const { bytes, contentEnd } = reader;
  const timestamps: SignedCertificateTimestamp[] = [];
  let offset = reader.contentStart;
  if (contentEnd - offset < 4 || uint16(bytes, offset) !== contentEnd - offset - 2) {
    throw reader.error("a list of timestamps has another length", offset);
  }
  offset += 2;
  while (offset < contentEnd) {
    const start = offset + 2;
    const end = start <= contentEnd ? start + uint16(bytes, offset) : start;
    if (end > contentEnd || end === start) {
      throw reader.error("a timestamp is empty or cut off", offset);
    }
    if (bytes[start] === 0) timestamps.push(readTimestamp(reader, start, end));
    offset = end;
  }
  return timestamps;
}

function readTimestamp(reader: DerReader, start: number, end: number): SignedCertificateTimestamp {
  const { bytes } = reader;
  const isLongEnough = end - start >= HEAD_BYTES + REST_BYTES;
  const extensionsStart = start + HEAD_BYTES + 2;
  const rest = isLongEnough ? extensionsStart + uint16(bytes, extensionsStart - 2) : end;
  if (!isLongEnough || rest + 4 > end || uint16(bytes, rest + 2) !== end - rest - 4) {
    throw reader.error("a timestamp has another length", start);
  }
  let timestamp = 0;
  for (let i = start + 33; i < start + HEAD_BYTES; i++) timestamp = timestamp * 256 + bytes[i]!;
  if (!Number.isSafeInteger(timestamp)) throw reader.error("a timestamp is too late", start + 33);
  return {
    version: 1,
    logId: bytes.subarray(start + 1, start + 33),
    timestamp,
    extensions: bytes.subarray(extensionsStart, rest),
    hashAlgorithm: bytes[rest]!,
    signatureAlgorithm: bytes[rest + 1]!,
    signature: bytes.subarray(rest + 4, end),
  };
}

function uint16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! << 8 | bytes[offset + 1]!;
}
