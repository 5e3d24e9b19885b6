import { assertEquals, assertThrows } from "@std/assert";
import type { EdnsOption } from "../../dns/edns_option.ts";
import {
  decodeEdnsOption,
  encodeEdnsOption,
  writeEdnsOption,
} from "../../dns/edns_option_codec.ts";
import { DnsMessageError } from "../../dns/errors.ts";
import { WireWriter } from "../../dns/wire_writer.ts";

const bytes = (hex: string) =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

const ROWS: readonly (readonly [code: number, hex: string, option: EdnsOption])[] = [
  [3, "", { type: "nsid", bytes: bytes("") }],
  [3, "6162", { type: "nsid", bytes: bytes("6162") }],
  [5, "080d", { type: "dau", algorithms: [8, 13] }],
  [6, "0102", { type: "dhu", algorithms: [1, 2] }],
  [7, "01", { type: "n3u", algorithms: [1] }],
  [8, "00010000", subnet(0, 0, "0.0.0.0")],
  [8, "00011901c0000280", subnet(25, 1, "192.0.2.128")],
  [8, "0001202001020304", subnet(32, 32, "1.2.3.4")],
  [8, "0002382020010db8000001", subnet(56, 32, "2001:db8:0:100::")],
  [9, "", { type: "expire", seconds: undefined }],
  [9, "ffffffff", { type: "expire", seconds: 2 ** 32 - 1 }],
  [10, "0102030405060708", {
    type: "cookie",
    client: bytes("0102030405060708"),
    server: bytes(""),
  }],
  [10, `0102030405060708${"aa".repeat(8)}`, {
    type: "cookie",
    client: bytes("0102030405060708"),
    server: bytes("aa".repeat(8)),
  }],
  [10, `0102030405060708${"aa".repeat(32)}`, {
    type: "cookie",
    client: bytes("0102030405060708"),
    server: bytes("aa".repeat(32)),
  }],
  [11, "", { type: "keepalive", idleTimeoutMs: undefined }],
  [11, "00c8", { type: "keepalive", idleTimeoutMs: 20_000 }],
  [12, "0000ff", { type: "padding", bytes: bytes("0000ff") }],
  [13, "026465 00".replace(" ", ""), { type: "chain", closestTrustPoint: "de." }],
  [14, "4f664f67", { type: "key-tag", tags: [20_326, 20_327] }],
  [15, "0012c3a9", { type: "extended-error", infoCode: 18, text: "é" }],
  [15, "0000", { type: "extended-error", infoCode: 0, text: "" }],
  [18, "0161026465 00".replace(" ", ""), { type: "report-channel", agentDomain: "a.de." }],
  [19, "", { type: "zone-version", version: undefined }],
  [19, "0200000003e8", {
    type: "zone-version",
    version: { labelCount: 2, versionType: 0, bytes: bytes("000003e8") },
  }],
  [65_001, "00", { type: "unknown", code: 65_001, bytes: bytes("00") }],
  [4, "", { type: "unknown", code: 4, bytes: bytes("") }],
];

function subnet(source: number, scope: number, address: string): EdnsOption {
  return {
    type: "client-subnet",
    sourcePrefixLength: source,
    scopePrefixLength: scope,
    address,
  };
}

for (const [code, hex, option] of ROWS) {
  Deno.test(`option ${code} of EDNS with ${hex || "nothing"} is decoded and encoded`, () => {
    assertEquals(decodeEdnsOption(code, bytes(hex)), option);
    const encoded = encodeEdnsOption(option);
    assertEquals([encoded.code, encoded.bytes], [code, bytes(hex)]);
    const writer = new WireWriter();
    writer.name("example.");
    const start = writer.length;
    writeEdnsOption(writer, option);
    const { length } = encoded.bytes;
    const head = [code >>> 8, code & 0xff, length >>> 8, length & 0xff];
    // What stands in front of it makes no difference.
    assertEquals(writer.finish().slice(start), new Uint8Array([...head, ...encoded.bytes]));
  });
}

const MALFORMED: readonly (readonly [code: number, hex: string])[] = [
  [8, ""],
  [8, "000118"],
  [8, "00011800c000"],
  [8, "00011800c0000200"],
  [8, "00011800c00002ff"],
  [8, "00011900c0000281"],
  [8, "00012100c000020000"],
  [8, "00010021"],
  [8, "00028100"],
  [8, "00030000"],
  [9, "00"],
  [9, "0000000000"],
  [10, ""],
  [10, "01020304050607"],
  [10, `0102030405060708${"aa".repeat(7)}`],
  [10, `0102030405060708${"aa".repeat(33)}`],
  [11, "00"],
  [11, "000000"],
  [13, ""],
  [13, "c000"],
  [13, "0000"],
  [14, "00"],
  [15, ""],
  [15, "00"],
  [18, "0161"],
  [19, "00"],
];

for (const [code, hex] of MALFORMED) {
  Deno.test(`decodeEdnsOption() throws on option ${code} with ${hex || "nothing"}`, () => {
    const error = assertThrows(() => decodeEdnsOption(code, bytes(hex)), DnsMessageError);
    assertEquals(error.code, "ERR_DNS_BAD_OPT");
  });
}

Deno.test("decodeEdnsOption() leaves out a NUL at the end of an error's text, and only that", () => {
  const textOf = (hex: string) => decodeEdnsOption(15, bytes(hex));
  assertEquals(textOf("00007800"), { type: "extended-error", infoCode: 0, text: "x" });
  assertEquals(textOf("0000780000"), { type: "extended-error", infoCode: 0, text: "x\0" });
  assertEquals(textOf("0000ff"), { type: "extended-error", infoCode: 0, text: "\ufffd" });
});

const UNFIT: Record<string, EdnsOption> = {
  "an algorithm of two bytes": { type: "dau", algorithms: [256] },
  "no address": subnet(24, 0, "example."),
  "an address with bits behind its prefix": subnet(24, 0, "192.0.2.1"),
  "a prefix longer than the address": subnet(33, 0, "192.0.2.0"),
  "a scope longer than the address": subnet(0, 129, "::"),
  "a prefix that is no number": subnet(NaN, 0, "0.0.0.0"),
  "a short client cookie": { type: "cookie", client: bytes("01"), server: bytes("") },
  "a short server cookie": { type: "cookie", client: bytes("01".repeat(8)), server: bytes("01") },
  "a time that is no step of 100 ms": { type: "keepalive", idleTimeoutMs: 150 },
  "a time that is too long": { type: "keepalive", idleTimeoutMs: 6_553_600 },
  "half a surrogate pair": { type: "extended-error", infoCode: 0, text: "\ud800" },
  "a large tag": { type: "key-tag", tags: [65_536] },
};

for (const [what, option] of Object.entries(UNFIT)) {
  Deno.test(`encodeEdnsOption() throws on ${what}`, () => {
    const error = assertThrows(() => encodeEdnsOption(option), DnsMessageError);
    assertEquals(error.code, "ERR_DNS_BAD_VALUE");
  });
}
