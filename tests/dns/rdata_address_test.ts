import { assertEquals } from "@std/assert";
import { formatIpv6, parseIpv4, parseIpv6 } from "../../nbio/ip_address.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { DnsMessageError } from "../../dns/errors.ts";
import { encodeRdata } from "../../dns/rdata.ts";
import { formatIpv6At } from "../../dns/rdata_address.ts";
import { testRdata } from "./rdata_rows.ts";

testRdata("A", [
  { text: "192.0.2.1", hex: "c0000201" },
  { text: "255.255.255.255", hex: "ffffffff" },
  { text: "0.0.0.0", hex: "00000000" },
], {
  text: {
    "three parts": "192.0.2",
    "a leading zero": "192.0.2.01",
    "a part above 255": "192.0.2.256",
    "quotes and nothing": '""',
    "two addresses": "192.0.2.1 192.0.2.2",
    "an escape": "192.0.2.\\049",
  },
  wire: { "three bytes": "c00002", "five bytes": "c000020100" },
  data: { "no address": { address: "" }, "an IPv6 address": { address: "::1" } },
});

testRdata("AAAA", [
  { text: "2001:db8::1", hex: "20010db8 00000000 00000000 00000001" },
  { text: "2001:DB8:0:0::1", hex: "20010db8 00000000 00000000 00000001", printed: "2001:db8::1" },
  { text: "::", hex: "00000000 00000000 00000000 00000000" },
  { text: "::ffff:192.0.2.1", hex: "00000000 00000000 0000ffff c0000201" },
], {
  text: {
    "an IPv4 address": "192.0.2.1",
    "a zone": "fe80::1%eth0",
    "two gaps": "1::2::3",
    "brackets": "[::1]",
  },
  wire: {
    "fifteen bytes": "00000000000000000000000000ffff",
    "seventeen": "00000000000000000000000000000000ff",
  },
  data: { "an IPv4 address": { address: "192.0.2.1" } },
});

testRdata("NID", [{ text: "10 0014:4fff:ff20:ee64", hex: "000a00144fffff20ee64" }], {
  text: { "three groups": "10 14:4fff:ff20", "five digits": "10 00014:4fff:ff20:ee64" },
  wire: { "nine bytes": "000a00144fffff20ee" },
  data: { "text of no groups": { preference: 1, nodeId: "::" } },
});

testRdata("L64", [
  { text: "10 2001:0db8:1140:1000", hex: "000a20010db811401000" },
  {
    text: "10 2001:DB8:1140:1000",
    hex: "000a20010db811401000",
    printed: "10 2001:0db8:1140:1000",
  },
], { text: { "a gap": "10 2001::1000" }, wire: { "eleven bytes": "000a20010db81140100000" } });

testRdata("L32", [{ text: "10 10.1.2.0", hex: "000a0a010200" }], {
  text: { "an IPv6 address": "10 ::1" },
});

testRdata("EUI48", [{ text: "00-00-5e-00-53-2a", hex: "00005e00532a" }], {
  text: {
    "colons": "00:00:5e:00:53:2a",
    "one digit": "0-00-5e-00-53-2a",
    "five": "00-00-5e-00-53",
  },
  wire: { "five bytes": "00005e0053", "seven": "00005e00532a00" },
});

testRdata("EUI64", [{ text: "00-00-5e-ef-10-00-00-2a", hex: "00005eef1000002a" }], {
  text: { "six groups": "00-00-5e-00-53-2a" },
});

Deno.test("formatIpv6At() gives what formatIpv6() gives, wherever the zeros are", () => {
  const random = new SeededRandom(5952);
  for (let round = 0; round < 4_000; round++) {
    const bytes = random.bytes(20);
    for (let group = 0; group < 10; group++) {
      if (random.int(3) > 0) bytes.fill(0, 2 * group, 2 * group + 1 + random.int(2));
    }
    if (random.int(4) === 0) bytes.fill(0, 2, 12).fill(0xff, 12, 12 + random.int(3));
    assertEquals(formatIpv6At(bytes, 2), formatIpv6(bytes.subarray(2, 18)));
  }
});

/** Texts that are addresses, and some that nearly are. */
function* nearlyAddresses(alphabet: string, seeds: readonly string[]): Generator<string> {
  const random = new SeededRandom(4291);
  for (let round = 0; round < 20_000; round++) {
    const text = random.pick(seeds);
    const at = random.int(text.length + 1);
    const end = Math.min(text.length, at + random.int(3));
    yield text.slice(0, at) + (random.int(2) ? random.pick([...alphabet]) : "") + text.slice(end);
  }
}

/** The bytes of an address as RDATA; `undefined` where it is refused. */
function bytesOf(type: "A" | "AAAA", address: string): Uint8Array | undefined {
  try {
    return encodeRdata(type, { address });
  } catch (error) {
    if (error instanceof DnsMessageError) return undefined;
    throw error;
  }
}

Deno.test("encodeRdata() takes for A what parseIpv4() takes", () => {
  for (const text of nearlyAddresses("0129.: ", ["1.20.255.0", "255.255.255.255", "0.0.0.0"])) {
    assertEquals(bytesOf("A", text), parseIpv4(text), text);
  }
});

Deno.test("encodeRdata() takes for AAAA what parseIpv6() takes", () => {
  const seeds = [
    "::",
    "1::",
    "::1",
    "2001:db8::8a2e:370:7334",
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:7:8",
  ];
  for (const text of nearlyAddresses("0aFg:.", [...seeds, "1::3:4:5:6:7:8", "::2:3:4:5:6:7:8"])) {
    assertEquals(bytesOf("AAAA", text), parseIpv6(text), text);
  }
});
