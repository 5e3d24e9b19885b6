import { assertEquals } from "@std/assert";
import { decodeRdata } from "../../dns/rdata.ts";
import { testRdata } from "./rdata_rows.ts";

testRdata("APL", [
  {
    // RFC 3123 section 5.
    text: "1:192.168.32.0/21 !1:192.168.38.0/28",
    hex: "0001 15 03c0a820 0001 1c 83c0a826",
  },
  { text: "1:224.0.0.0/4 2:ff00::/8", hex: "0001 04 01e0 0002 08 01ff" },
  { text: "2:0:0::1/128", hex: `0002 80 10 ${"00".repeat(15)}01`, printed: "2:::1/128" },
  { text: "1:0.0.0.0/0", hex: "0001 00 00" },
  { text: "", hex: "" },
  { text: "\\# 5 0003088101", hex: "0003 08 81 01", printed: "\\# 5 0003088101" },
], {
  text: {
    "no prefix": "1:192.0.2.0",
    "no family": "192.0.2.0/24",
    "an unknown family": "3:00/8",
    "the wrong family": "2:192.0.2.0/24",
    "a prefix above 32": "1:192.0.2.0/33",
    "a prefix above 128": "2:::/129",
    "two marks": "!!1:192.0.2.0/24",
  },
  wire: {
    "half an item": "000115",
    "an address beyond the end": "00011503c0a8",
    "an address too long": "00012005 0101010101",
    "a prefix above 32": "00012100",
    "zeros at the end of an address": "00011502c000",
    "zeros at the end in an unknown family": "0000000100",
  },
  data: {
    "a name as address": item(1, 8, "a."),
    "bytes as IPv4 address": item(1, 8, new Uint8Array([1])),
    "text in an unknown family": item(3, 8, "1"),
    "zeros at the end": item(3, 8, new Uint8Array([1, 0])),
    "128 bytes": item(3, 8, new Uint8Array(128).fill(1)),
    "a prefix above 32": item(1, 33, "0.0.0.0"),
  },
});

function item(family: number, prefix: number, address: string | Uint8Array): unknown {
  return { items: [{ family, negation: false, prefix, address }] };
}

Deno.test("decodeRdata() gives the address of an unknown family as bytes", () => {
  const [first] = decodeRdata("APL", Uint8Array.fromHex("0003088101")).items;
  assertEquals(first, { family: 3, negation: true, prefix: 8, address: new Uint8Array([1]) });
});
