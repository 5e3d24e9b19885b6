/** Our codec and that of npm: decoding with a look at every field, and encoding. */

import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { decodeMessage } from "../../../dns/decode_message.ts";
import { encodeMessage } from "../../../dns/encode_message.ts";
import type { Message, ResourceRecord } from "../../../dns/message.ts";
import { installPeer } from "../_support/npm_peer.ts";

/** One way to decode and encode. */
export interface Codec {
  /** Decodes a message and reads every field; gives a number that depends on them. */
  decode(bytes: Uint8Array): number;
  /** Prepares the encoding of what the bytes say. */
  encoder(bytes: Uint8Array): () => Uint8Array;
}

/** Reads a text, so that one put together of pieces is put together now. */
function text(value: string): number {
  return value.length + value.charCodeAt(value.length - 1);
}

function bits(...values: readonly boolean[]): number {
  let sum = 0;
  for (const value of values) if (value) sum++;
  return sum;
}

function readMessage(message: Message): number {
  const { edns } = message;
  let sum = message.id + text(message.opcode) + text(message.rcode) + bits(
    message.response,
    message.authoritative,
    message.truncated,
    message.recursionDesired,
    message.recursionAvailable,
    message.zero,
    message.authenticData,
    message.checkingDisabled,
  );
  for (const { name, type, class: recordClass } of message.questions) {
    sum += text(name) + text(type) + text(recordClass);
  }
  for (const record of message.answers) sum += readRecord(record);
  for (const record of message.authorities) sum += readRecord(record);
  for (const record of message.additionals) sum += readRecord(record);
  if (edns !== undefined) {
    sum += edns.udpPayloadSize + edns.version + edns.flags + edns.options.length;
  }
  return sum;
}

function readRecord(record: ResourceRecord): number {
  const sum = text(record.name) + text(record.type) + text(record.class) + record.ttl;
  switch (record.type) {
    case "A":
    case "AAAA":
      return sum + text(record.data.address);
    case "NS":
      return sum + text(record.data.target);
    case "RRSIG": {
      const { data } = record;
      return sum + text(data.typeCovered) + data.algorithm + data.labels + data.originalTtl +
        data.signatureExpiration + data.signatureInception + data.keyTag +
        text(data.signerName) + data.signature.length + data.signature[7]!;
    }
    default:
      throw new Error(`No sample has a record of type ${record.type}`);
  }
}

const OURS: Codec = {
  decode: (bytes) => readMessage(decodeMessage(bytes)),
  encoder(bytes) {
    const message = decodeMessage(bytes);
    return () => encodeMessage(message);
  },
};

interface DnsPacketRecord {
  readonly name: string;
  readonly type: string;
  readonly class: string;
  readonly ttl: number;
  readonly flush: boolean;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
  readonly udpPayloadSize: number;
  readonly ednsVersion: number;
  readonly flags: number;
  readonly options: readonly unknown[];
}

interface DnsPacket {
  readonly id: number;
  readonly opcode: string;
  readonly rcode: string;
  readonly flag_qr: boolean;
  readonly flag_aa: boolean;
  readonly flag_tc: boolean;
  readonly flag_rd: boolean;
  readonly flag_ra: boolean;
  readonly flag_z: boolean;
  readonly flag_ad: boolean;
  readonly flag_cd: boolean;
  readonly questions: readonly { name: string; type: string; class: string }[];
  readonly answers: readonly DnsPacketRecord[];
  readonly authorities: readonly DnsPacketRecord[];
  readonly additionals: readonly DnsPacketRecord[];
}

interface DnsPacketModule {
  decode(bytes: Uint8Array): DnsPacket;
  encode(packet: DnsPacket): Uint8Array;
}

function readPacket(packet: DnsPacket): number {
  let sum = packet.id + text(packet.opcode) + text(packet.rcode) + bits(
    packet.flag_qr,
    packet.flag_aa,
    packet.flag_tc,
    packet.flag_rd,
    packet.flag_ra,
    packet.flag_z,
    packet.flag_ad,
    packet.flag_cd,
  );
  for (const { name, type, class: recordClass } of packet.questions) {
    sum += text(name) + text(type) + text(recordClass);
  }
  for (const record of packet.answers) sum += readPacketRecord(record);
  for (const record of packet.authorities) sum += readPacketRecord(record);
  for (const record of packet.additionals) sum += readPacketRecord(record);
  return sum;
}

function readPacketRecord(record: DnsPacketRecord): number {
  const sum = text(record.name) + text(record.type);
  if (record.type === "OPT") {
    return sum + record.udpPayloadSize + record.ednsVersion + record.flags + record.options.length;
  }
  return sum + text(record.class) + record.ttl + Number(record.flush) + readPacketData(record);
}

function readPacketData({ type, data }: DnsPacketRecord): number {
  if (type !== "RRSIG") return text(data);
  return text(data.typeCovered) + data.algorithm + data.labels + data.originalTTL +
    data.expiration + data.inception + data.keyTag + text(data.signersName) +
    data.signature.length + data.signature[7];
}

/** npm `dns-packet`, installed where it is missing. */
function loadDnsPacket(): Codec {
  const modules = installPeer("dns-packet", "5.6.1");
  const peer: DnsPacketModule = createRequire(import.meta.url)(`${modules}/dns-packet`);
  return {
    // It wants a Buffer, which is a view here: nothing is copied.
    decode: ({ buffer, byteOffset, length }) =>
      readPacket(peer.decode(Buffer.from(buffer, byteOffset, length))),
    encoder(bytes) {
      const packet = peer.decode(Buffer.from(bytes));
      return () => peer.encode(packet);
    },
  };
}

/** Every codec by its name. */
export function loadCodecs(): Readonly<Record<string, Codec>> {
  return { "ours": OURS, "dns-packet": loadDnsPacket() };
}
