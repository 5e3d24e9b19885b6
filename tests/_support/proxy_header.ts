import { bytesOf } from "./raw_bytes.ts";

/** A header of version 2 of the PROXY protocol, however wrong. */
export function proxyV2(
  versionAndCommand: number,
  familyAndTransport: number,
  rest: readonly number[],
): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(
    ...bytesOf("\r\n\r\n\0\r\nQUIT\n"),
    versionAndCommand,
    familyAndTransport,
    rest.length >> 8,
    rest.length & 0xff,
    ...rest,
  );
}

/** A field behind the addresses. */
export function tlv(type: number, value: string): number[] {
  return [type, value.length >> 8, value.length & 0xff, ...bytesOf(value)];
}

/** A header of version 2 for a client with an IPv4 address. */
export function proxyV2Tcp4(
  source: readonly number[],
  sourcePort: number,
  tlvs: readonly number[] = [],
): Uint8Array<ArrayBuffer> {
  const ports = [sourcePort >> 8, sourcePort & 0xff, 0, 80];
  return proxyV2(0x21, 0x11, [...source, 10, 0, 0, 1, ...ports, ...tlvs]);
}
