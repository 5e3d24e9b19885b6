import { assertEquals } from "@std/assert";
import { encodeRdata } from "../../dns/rdata.ts";
import { testRdata } from "./rdata_rows.ts";

testRdata("NSEC", [
  {
    // RFC 4034 section 4.3.
    text: "host.example.com. A MX RRSIG NSEC TYPE1234",
    hex: "04686f7374076578616d706c6503636f6d00 0006400100000003 041b" +
      "000000000000000000000000000000000000000000000000000020",
  },
  {
    text: "a. TYPE65535 A TYPE1 NS",
    hex: `016100 000160 ff20${"00".repeat(31)}01`,
    printed: "a. A NS TYPE65535",
  },
  { text: ". TYPE0", hex: "00 000180" },
  { text: ".", hex: "00" },
], {
  text: { "nothing": "", "an unknown type": ". FOO", "a type above 65535": ". TYPE65536" },
  wire: {
    "half a block": "00 00",
    "a block of nothing": "00 0000",
    "a block of 33 bytes": `00 0021${"01".repeat(33)}`,
    "a block beyond the end": "00 000201",
    "zeros at the end of a block": "00 00020100",
    "a window twice": "00 000101 000102",
    "windows out of order": "00 010101 000101",
  },
  data: { "an unknown type": { nextDomainName: ".", types: ["FOO"] } },
});

testRdata("NSEC3", [
  {
    text: "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR MX DNSKEY NS SOA NSEC3PARAM RRSIG",
    hex: "01 01 000c 04aabbccdd 14174eb2409fe28bcb4887a1836f957f0a8425e27b 0007 22010000000290",
    printed: "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM",
  },
  { text: "1 0 0 - 00", hex: "01 00 0000 00 0100" },
], {
  text: {
    "no hash": "1 0 0 -",
    "a digit that is none": "1 0 0 - 0W",
    "one digit": "1 0 0 - 0",
    "an empty salt": '1 0 0 "" 00',
    "a salt of 256 bytes": `1 0 0 ${"00".repeat(256)} 00`,
  },
  wire: { "an empty hash": "01 00 0000 00 00", "a salt beyond the end": "01 00 0000 02 00" },
  data: {
    "an empty hash": {
      hashAlgorithm: 1,
      flags: 0,
      iterations: 0,
      salt: new Uint8Array(0),
      nextHashedOwnerName: new Uint8Array(0),
      types: [],
    },
  },
});

testRdata("NSEC3PARAM", [
  { text: "1 0 12 AABBCCDD", hex: "01 00 000c 04aabbccdd" },
  { text: "SHA-1 0 0 -", hex: "01 00 0000 00", printed: "1 0 0 -" },
], { text: { "no salt": "1 0 0" }, wire: { "no salt": "01000000", "more": "0100000000ff" } });

testRdata("CSYNC", [
  { text: "66 3 A NS AAAA", hex: "00000042 0003 000460000008" },
  { text: "0 0", hex: "00000000 0000" },
], { text: { "no flags": "66" }, wire: { "no flags": "00000042" } });

Deno.test("encodeRdata() sorts types and leaves out doubles", () => {
  const types = ["AAAA", "NS", "A", "TYPE28"];
  const bytes = encodeRdata("CSYNC", { serial: 0, flags: 0, types });
  assertEquals(bytes.toHex(), "000000000000000460000008");
});
