// This module is sans-I/O.

import { formatIpv4, parseIpv4, parseIpv6 } from "../nbio/ip_address.ts";
import { formatIpv6At } from "./rdata_address.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { failValue } from "./rdata_field.ts";
import { printOpaque } from "./rdata_opaque.ts";
import type { RdataText } from "./rdata_text.ts";
import type { AplData, AplItem } from "./record_data.ts";
import type { WireReader } from "./wire_reader.ts";
import { WireWriter } from "./wire_writer.ts";

const IPV4 = 1;
const IPV6 = 2;
/** RFC 3123 section 4: the top bit of the byte with the length. */
const NEGATION = 0x80;
const MAX_ADDRESS_BYTES = 0x7f;
const ITEM = /^(!?)([12]):([^/]+)\/(\d{1,3})$/;

/** The codec of APL. */
export const APL: RdataCodec<AplData> = {
  type: "APL",
  code: 42,
  decode(reader: WireReader): AplData {
    const items: AplItem[] = [];
    while (reader.remaining > 0) items.push(decodeItem(reader));
    return { items };
  },
  encode(writer: WireWriter, { items }: AplData): void {
    for (const item of items) encodeItem(writer, item);
  },
  parse(text: RdataText): AplData {
    const items: AplItem[] = [];
    while (!text.atEnd) items.push(parseItem(text));
    return { items };
  },
  print(data: AplData): string {
    // Families other than 1 and 2 have no text of their own.
    if (data.items.every((item) => typeof item.address === "string")) {
      return data.items.map(printItem).join(" ");
    }
    const writer = new WireWriter();
    APL.encode(writer, data);
    return printOpaque(writer.finish());
  },
};

function decodeItem(reader: WireReader): AplItem {
  const family = reader.u16();
  const prefix = reader.u8();
  const byte = reader.u8();
  const part = reader.take(byte & MAX_ADDRESS_BYTES);
  // RFC 3123 section 4: zeros at the end are not sent.
  if (part.at(-1) === 0) reader.fail("an address ends in zero bytes");
  const negation = byte >= NEGATION;
  const width = widthOf(family);
  if (width === undefined) return { family, negation, prefix, address: part };
  if (part.length > width || prefix > 8 * width) reader.fail("a prefix is longer than its family");
  const bytes = new Uint8Array(width);
  bytes.set(part);
  return { family, negation, prefix, address: formatAddress(bytes) };
}

function encodeItem(writer: WireWriter, item: AplItem): void {
  const part = bytesOf(item);
  const width = widthOf(item.family);
  if (width !== undefined && item.prefix > 8 * width) failValue("prefix", item.prefix);
  if (part.length > MAX_ADDRESS_BYTES || part.at(-1) === 0) failValue("address", part);
  writer.u16(item.family);
  writer.u8(item.prefix);
  writer.u8(item.negation ? part.length | NEGATION : part.length);
  writer.bytes(part);
}

function parseItem(text: RdataText): AplItem {
  const match = ITEM.exec(text.token());
  if (match === null) text.fail("it is no address with family and prefix");
  const [, mark, digit, address = "", prefixText] = match;
  const family = Number(digit);
  const prefix = Number(prefixText);
  const bytes = family === IPV4 ? parseIpv4(address) : parseIpv6(address);
  if (bytes === undefined) text.fail("it has no address of its family");
  if (prefix > 8 * bytes.length) text.fail(`its prefix is longer than ${8 * bytes.length}`);
  return { family, negation: mark === "!", prefix, address: formatAddress(bytes) };
}

function printItem(item: AplItem): string {
  const { family, negation, prefix } = item;
  const bytes = addressOf(item);
  if (!(prefix <= 8 * bytes.length)) failValue("prefix", prefix);
  const address = formatAddress(bytes);
  return `${negation ? "!" : ""}${family}:${address}/${prefix}`;
}

/** The bytes of the address that are sent. */
function bytesOf({ family, address }: AplItem): Uint8Array {
  if (widthOf(family) === undefined) {
    return typeof address === "string"
      ? failValue(`address of family ${family}`, address)
      : address;
  }
  const bytes = addressOf({ family, address });
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

/** All bytes of an IPv4 or IPv6 address. */
function addressOf({ family, address }: Pick<AplItem, "family" | "address">): Uint8Array {
  const text = typeof address === "string" ? address : "";
  const bytes = family === IPV4 ? parseIpv4(text) : parseIpv6(text);
  return bytes ?? failValue(`address of family ${family}`, address);
}

function widthOf(family: number): number | undefined {
  if (family === IPV4) return 4;
  return family === IPV6 ? 16 : undefined;
}

function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6At(bytes, 0);
}
