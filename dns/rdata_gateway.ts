// This module is sans-I/O.

import { encodeBase64 } from "@std/encoding";
import { ipv4, ipv6 } from "./rdata_address.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import {
  base64ToEnd,
  checkTextLength,
  failValue,
  parseBase64Token,
  preservedName,
  printHex,
  printName,
  type RdataField,
  u8,
} from "./rdata_field.ts";
import type { RdataText } from "./rdata_text.ts";
import type { AmtrelayData, HipData, IpseckeyData } from "./record_data.ts";
import type { WireReader } from "./wire_reader.ts";
import type { WireWriter } from "./wire_writer.ts";

/** No gateway: nothing on the wire, in text a dot. */
const none: RdataField<string> = {
  decode: () => ".",
  encode(_writer, value): void {
    if (value !== ".") failValue("gateway of type 0", value);
  },
  parse: (text) => text.token() === "." ? "." : text.fail('it is not "."'),
  print: () => ".",
};

/** By the type: RFC 4025 section 2.3, RFC 8777 section 4.2.3. */
const GATEWAYS = [none, ipv4, ipv6, preservedName] as const;

const key = base64ToEnd(0);

const IPSECKEY: RdataCodec<IpseckeyData> = {
  type: "IPSECKEY",
  code: 45,
  decode(reader: WireReader): IpseckeyData {
    const precedence = reader.u8();
    const gatewayType = reader.u8();
    const algorithm = reader.u8();
    const field = GATEWAYS[gatewayType] ?? reader.fail(`gateway type ${gatewayType} is unknown`);
    const gateway = field.decode(reader);
    return { precedence, gatewayType, algorithm, gateway, publicKey: reader.rest() };
  },
  encode(writer: WireWriter, data: IpseckeyData): void {
    writer.u8(data.precedence);
    writer.u8(data.gatewayType);
    writer.u8(data.algorithm);
    gatewayOf(data.gatewayType).encode(writer, data.gateway);
    writer.bytes(data.publicKey);
  },
  parse(text: RdataText): IpseckeyData {
    const precedence = text.u8();
    const gatewayType = text.u8();
    if (gatewayType >= GATEWAYS.length) text.fail("this gateway type is unknown");
    const algorithm = text.u8();
    const gateway = gatewayOf(gatewayType).parse(text);
    return { precedence, gatewayType, algorithm, gateway, publicKey: key.parse(text) };
  },
  print(data: IpseckeyData): string {
    const gateway = gatewayOf(data.gatewayType).print(data.gateway);
    const numbers = [data.precedence, data.gatewayType, data.algorithm].map(u8.print).join(" ");
    return `${numbers} ${gateway} ${key.print(data.publicKey)}`.trimEnd();
  },
};

/** RFC 8777 section 4.1: the top bit of the type byte. */
const DISCOVERY_OPTIONAL = 0x80;

const AMTRELAY: RdataCodec<AmtrelayData> = {
  type: "AMTRELAY",
  code: 260,
  decode(reader: WireReader): AmtrelayData {
    const precedence = reader.u8();
    const byte = reader.u8();
    const relayType = byte & 0x7f;
    const field = GATEWAYS[relayType] ?? reader.fail(`relay type ${relayType} is unknown`);
    const discoveryOptional = byte !== relayType;
    return { precedence, discoveryOptional, relayType, relay: field.decode(reader) };
  },
  encode(writer: WireWriter, data: AmtrelayData): void {
    writer.u8(data.precedence);
    const field = gatewayOf(data.relayType);
    writer.u8(data.discoveryOptional ? data.relayType | DISCOVERY_OPTIONAL : data.relayType);
    field.encode(writer, data.relay);
  },
  parse(text: RdataText): AmtrelayData {
    const precedence = text.u8();
    const discoveryOptional = text.integer(1) === 1;
    const relayType = text.u8();
    if (relayType >= GATEWAYS.length) text.fail("this relay type is unknown");
    const relay = gatewayOf(relayType).parse(text);
    return { precedence, discoveryOptional, relayType, relay };
  },
  print(data: AmtrelayData): string {
    const relay = gatewayOf(data.relayType).print(data.relay);
    const precedence = u8.print(data.precedence);
    return `${precedence} ${data.discoveryOptional ? 1 : 0} ${data.relayType} ${relay}`;
  },
};

function gatewayOf(type: number): RdataField<string> {
  return GATEWAYS[type] ?? failValue("gateway type", type);
}

const HIP: RdataCodec<HipData> = {
  type: "HIP",
  code: 55,
  decode(reader: WireReader): HipData {
    const hitLength = reader.u8();
    const publicKeyAlgorithm = reader.u8();
    const publicKeyLength = reader.u16();
    // RFC 8005 section 5: both are at least one byte.
    if (hitLength === 0 || publicKeyLength === 0) reader.fail("its HIT or its key is empty");
    const hit = reader.take(hitLength);
    const publicKey = reader.take(publicKeyLength);
    const rendezvousServers: string[] = [];
    while (reader.remaining > 0) rendezvousServers.push(reader.uncompressedName());
    return { publicKeyAlgorithm, hit, publicKey, rendezvousServers };
  },
  encode(writer: WireWriter, data: HipData): void {
    if (data.hit.length === 0) failValue("HIT", "no byte at all");
    if (data.publicKey.length === 0) failValue("public key", "no byte at all");
    writer.u8(data.hit.length);
    writer.u8(data.publicKeyAlgorithm);
    writer.u16(data.publicKey.length);
    writer.bytes(data.hit);
    writer.bytes(data.publicKey);
    for (const server of data.rendezvousServers) preservedName.encode(writer, server);
  },
  parse(text: RdataText): HipData {
    const publicKeyAlgorithm = text.u8();
    const hit = checkTextLength(text, text.hex(), 1, 255);
    const publicKey = checkTextLength(text, parseBase64Token(text), 1);
    const rendezvousServers: string[] = [];
    while (!text.atEnd) rendezvousServers.push(text.name());
    return { publicKeyAlgorithm, hit, publicKey, rendezvousServers };
  },
  print(data: HipData): string {
    const start = [
      u8.print(data.publicKeyAlgorithm),
      printHex(data.hit),
      encodeBase64(data.publicKey),
    ];
    return [...start, ...data.rendezvousServers.map(printName)].join(" ");
  },
};

/** The types that name a host by what it has, or by nothing. */
export const GATEWAY_CODECS: readonly RdataCodec<unknown>[] = [IPSECKEY, HIP, AMTRELAY];
