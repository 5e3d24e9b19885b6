// This module is sans-I/O.

/**
 * To add an option: its interface in `edns_option.ts`, there also in the union; a codec in `CODECS`
 * below; rows in the table of `tests/dns/edns_option_codec_test.ts`. Nothing else knows them.
 */

import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "../nbio/ip_address.ts";
import { DnsMessageError } from "./errors.ts";
import type {
  AlgorithmsOption,
  ChainOption,
  ClientSubnetOption,
  CookieOption,
  EdnsOption,
  ExpireOption,
  ExtendedErrorOption,
  KeepaliveOption,
  KeyTagOption,
  NsidOption,
  PaddingOption,
  ReportChannelOption,
  UnknownOption,
  ZoneVersionOption,
} from "./edns_option.ts";
import { nameToWire } from "./name.ts";
import { WireReader } from "./wire_reader.ts";
import { WireWriter } from "./wire_writer.ts";

interface OptionCodec<T extends EdnsOption> {
  readonly code: number;
  /** The caller checks that all was read. */
  decode(reader: WireReader): T;
  encode(writer: WireWriter, option: T): void;
}

type KnownOption = Exclude<EdnsOption, UnknownOption>;

const NSID: OptionCodec<NsidOption> = {
  code: 3,
  decode: (reader) => ({ type: "nsid", bytes: reader.rest() }),
  encode: (writer, { bytes }) => writer.bytes(bytes),
};

const CLIENT_SUBNET: OptionCodec<ClientSubnetOption> = {
  code: 8,
  decode: readClientSubnet,
  encode: writeClientSubnet,
};

const EXPIRE: OptionCodec<ExpireOption> = {
  code: 9,
  decode: (reader) => ({
    type: "expire",
    seconds: reader.remaining === 0 ? undefined : reader.u32(),
  }),
  encode(writer, { seconds }) {
    if (seconds !== undefined) writer.u32(seconds);
  },
};

const COOKIE: OptionCodec<CookieOption> = {
  code: 10,
  decode(reader) {
    const client = reader.take(8);
    return { type: "cookie", client, server: checkServerCookie(reader, reader.rest()) };
  },
  encode(writer, { client, server }) {
    if (client.length !== 8) writer.fail(`a client cookie has ${client.length} bytes, not 8`);
    writer.bytes(client);
    writer.bytes(checkServerCookie(writer, server));
  },
};

const KEEPALIVE: OptionCodec<KeepaliveOption> = {
  code: 11,
  decode: (reader) => ({
    type: "keepalive",
    idleTimeoutMs: reader.remaining === 0 ? undefined : reader.u16() * 100,
  }),
  encode(writer, { idleTimeoutMs }) {
    if (idleTimeoutMs !== undefined) writer.u16(idleTimeoutMs / 100);
  },
};

const PADDING: OptionCodec<PaddingOption> = {
  code: 12,
  decode: (reader) => ({ type: "padding", bytes: reader.rest() }),
  encode: (writer, { bytes }) => writer.bytes(bytes),
};

const CHAIN: OptionCodec<ChainOption> = {
  code: 13,
  decode: (reader) => ({ type: "chain", closestTrustPoint: reader.uncompressedName() }),
  encode: (writer, { closestTrustPoint }) => writer.bytes(nameToWire(closestTrustPoint)),
};

const KEY_TAG: OptionCodec<KeyTagOption> = {
  code: 14,
  decode(reader) {
    const tags: number[] = [];
    while (reader.remaining > 0) tags.push(reader.u16());
    return { type: "key-tag", tags };
  },
  encode(writer, { tags }) {
    for (const tag of tags) writer.u16(tag);
  },
};

const EXTENDED_ERROR: OptionCodec<ExtendedErrorOption> = {
  code: 15,
  decode: readExtendedError,
  encode(writer, { infoCode, text }) {
    if (!text.isWellFormed()) {
      writer.fail("the text of an extended error has half a surrogate pair");
    }
    writer.u16(infoCode);
    writer.bytes(new TextEncoder().encode(text));
  },
};

const REPORT_CHANNEL: OptionCodec<ReportChannelOption> = {
  code: 18,
  decode: (reader) => ({ type: "report-channel", agentDomain: reader.uncompressedName() }),
  encode: (writer, { agentDomain }) => writer.bytes(nameToWire(agentDomain)),
};

const ZONE_VERSION: OptionCodec<ZoneVersionOption> = {
  code: 19,
  decode: (reader) => ({
    type: "zone-version",
    version: reader.remaining === 0 ? undefined : {
      labelCount: reader.u8(),
      versionType: reader.u8(),
      bytes: reader.rest(),
    },
  }),
  encode(writer, { version }) {
    if (version === undefined) return;
    writer.u8(version.labelCount);
    writer.u8(version.versionType);
    writer.bytes(version.bytes);
  },
};

const CODECS: {
  readonly [T in KnownOption["type"]]: OptionCodec<Extract<KnownOption, { type: T }>>;
} = {
  "nsid": NSID,
  "dau": algorithmsCodec("dau", 5),
  "dhu": algorithmsCodec("dhu", 6),
  "n3u": algorithmsCodec("n3u", 7),
  "client-subnet": CLIENT_SUBNET,
  "expire": EXPIRE,
  "cookie": COOKIE,
  "keepalive": KEEPALIVE,
  "padding": PADDING,
  "chain": CHAIN,
  "key-tag": KEY_TAG,
  "extended-error": EXTENDED_ERROR,
  "report-channel": REPORT_CHANNEL,
  "zone-version": ZONE_VERSION,
};

const BY_CODE: ReadonlyMap<number, OptionCodec<EdnsOption>> = new Map(
  Object.values(CODECS).map((codec) => [codec.code, codec as OptionCodec<EdnsOption>]),
);

/**
 * Decodes one option of EDNS.
 *
 * @param code Its number.
 * @param bytes What it holds.
 * @returns The option; one that is not known keeps its bytes, and they must not change.
 * @throws {DnsMessageError} If a known option is malformed.
 *
 * @example Why an answer failed
 * ```ts
 * import { decodeEdnsOption } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeEdnsOption(15, new Uint8Array([0, 18, 0x78])), {
 *   type: "extended-error",
 *   infoCode: 18,
 *   text: "x",
 * });
 * ```
 */
export function decodeEdnsOption(code: number, bytes: Uint8Array): EdnsOption {
  const codec = BY_CODE.get(code);
  if (codec === undefined) return { type: "unknown", code, bytes };
  const reader = new WireReader(bytes);
  try {
    const option = codec.decode(reader);
    if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes are too many`);
    return option;
  } catch (cause) {
    throw new DnsMessageError("ERR_DNS_BAD_OPT", `Cannot decode option ${code} of EDNS`, { cause });
  }
}

/**
 * Encodes one option of EDNS.
 *
 * @param option The option.
 * @returns Its number, and what it holds.
 * @throws {DnsMessageError} If a value does not fit its place.
 *
 * @example A network of clients
 * ```ts
 * import { encodeEdnsOption } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const { code, bytes } = encodeEdnsOption({
 *   type: "client-subnet",
 *   sourcePrefixLength: 24,
 *   scopePrefixLength: 0,
 *   address: "192.0.2.0",
 * });
 * assertEquals(code, 8);
 * assertEquals(bytes, new Uint8Array([0, 1, 24, 0, 192, 0, 2]));
 * ```
 */
export function encodeEdnsOption(
  option: EdnsOption,
): { readonly code: number; readonly bytes: Uint8Array } {
  if (option.type === "unknown") return { code: option.code, bytes: option.bytes };
  const codec = CODECS[option.type] as OptionCodec<EdnsOption>;
  const writer = new WireWriter();
  codec.encode(writer, option);
  return { code: codec.code, bytes: writer.finish() };
}

/**
 * Writes a whole option of EDNS, its number and length in front.
 *
 * @param writer Where to.
 * @param option The option.
 * @throws {DnsMessageError} If a value does not fit its place; part of the option is written then.
 *
 * @example A cookie
 * ```ts
 * import { WireWriter, writeEdnsOption } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new WireWriter();
 * const client = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
 * writeEdnsOption(writer, { type: "cookie", client, server: new Uint8Array(0) });
 * assertEquals(writer.finish(), new Uint8Array([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]));
 * ```
 */
export function writeEdnsOption(writer: WireWriter, option: EdnsOption): void {
  if (option.type === "unknown") {
    writer.u16(option.code);
    writer.u16(option.bytes.length);
    return writer.bytes(option.bytes);
  }
  const codec = CODECS[option.type] as OptionCodec<EdnsOption>;
  writer.u16(codec.code);
  const lengthAt = writer.length;
  writer.u16(0);
  codec.encode(writer, option);
  writer.setU16(lengthAt, writer.length - lengthAt - 2);
}

function algorithmsCodec<T extends AlgorithmsOption["type"]>(
  type: T,
  code: number,
): OptionCodec<Extract<KnownOption, { type: T }>> {
  const codec: OptionCodec<AlgorithmsOption> = {
    code,
    decode: (reader) => ({ type, algorithms: [...reader.rest()] }),
    encode(writer, { algorithms }) {
      for (const algorithm of algorithms) writer.u8(algorithm);
    },
  };
  return codec as OptionCodec<Extract<KnownOption, { type: T }>>;
}

function readClientSubnet(reader: WireReader): ClientSubnetOption {
  const family = reader.u16();
  const sourcePrefixLength = reader.u8();
  const scopePrefixLength = reader.u8();
  if (family !== 1 && family !== 2) reader.fail(`family ${family} is neither IPv4 nor IPv6`);
  const address = new Uint8Array(family === 1 ? 4 : 16);
  const bits = address.length * 8;
  if (sourcePrefixLength > bits || scopePrefixLength > bits) {
    reader.fail(`a prefix is longer than ${bits} bits`);
  }
  // RFC 7871 section 6: as few bytes as the prefix needs, and its last bits zero.
  const prefix = reader.take(Math.ceil(sourcePrefixLength / 8));
  address.set(prefix);
  if (hasBitsBehind(address, sourcePrefixLength)) {
    reader.fail("the address goes on behind its prefix");
  }
  return {
    type: "client-subnet",
    sourcePrefixLength,
    scopePrefixLength,
    address: family === 1 ? formatIpv4(address) : formatIpv6(address),
  };
}

function writeClientSubnet(writer: WireWriter, option: ClientSubnetOption): void {
  const { sourcePrefixLength, scopePrefixLength } = option;
  const address = parseIpv4(option.address) ?? parseIpv6(option.address);
  if (address === undefined) return writer.fail("the address of a subnet is neither IPv4 nor IPv6");
  const bits = address.length * 8;
  if (!(sourcePrefixLength <= bits && scopePrefixLength <= bits)) {
    writer.fail(`a prefix of a subnet is longer than ${bits} bits`);
  }
  if (hasBitsBehind(address, sourcePrefixLength)) {
    writer.fail("the address of a subnet goes on behind its prefix");
  }
  writer.u16(bits === 32 ? 1 : 2);
  writer.u8(sourcePrefixLength);
  writer.u8(scopePrefixLength);
  writer.bytes(address.subarray(0, Math.ceil(sourcePrefixLength / 8)));
}

function hasBitsBehind(address: Uint8Array, prefixLength: number): boolean {
  return address.some((byte, index) => {
    const kept = Math.max(0, Math.min(8, prefixLength - index * 8));
    return (byte & 0xff >>> kept) !== 0;
  });
}

/** RFC 7873 section 4: none, or 8 to 32 bytes. */
function checkServerCookie(from: WireReader | WireWriter, server: Uint8Array): Uint8Array {
  const { length } = server;
  if (length === 0 || (length >= 8 && length <= 32)) return server;
  return from.fail(`a server cookie has ${length} bytes, not 8 to 32`);
}

function readExtendedError(reader: WireReader): ExtendedErrorOption {
  const infoCode = reader.u16();
  const bytes = reader.rest();
  // RFC 8914 section 2: the text may end in a NUL, which is no part of it.
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, end));
  return { type: "extended-error", infoCode, text };
}
