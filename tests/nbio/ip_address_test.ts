import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  formatIpAddress,
  formatIpv4,
  formatIpv6,
  parseIpAddress,
  parseIpv4,
  parseIpv6,
} from "../../nbio/ip_address.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { loadVectors } from "../_support/vectors.ts";

function toHex(bytes: Uint8Array | undefined): string | undefined {
  return bytes?.toHex();
}

const IPV4_VALID: readonly (readonly [text: string, hex: string])[] = [
  ["0.0.0.0", "00000000"],
  ["1.2.3.4", "01020304"],
  ["10.0.100.9", "0a006409"],
  ["127.0.0.1", "7f000001"],
  ["249.250.199.255", "f9fac7ff"],
  ["255.255.255.255", "ffffffff"],
];

for (const [text, hex] of IPV4_VALID) {
  Deno.test(`parseIpv4() and formatIpv4() agree on ${text}`, () => {
    assertEquals(toHex(parseIpv4(text)), hex);
    assertEquals(formatIpv4(Uint8Array.fromHex(hex)), text);
    assertEquals(parseIpv6(text), undefined);
  });
}

/** Every one an address to some parser. */
const IPV4_INVALID: readonly string[] = [
  "",
  ".",
  "...",
  "1",
  "127.1",
  "127.0.1",
  "1.2.3",
  "1.2.3.",
  ".1.2.3",
  "1..2.3",
  "1.2.3.4.",
  ".1.2.3.4",
  "1.2.3.4.5",
  "256.0.0.1",
  "1.2.3.256",
  "1.2.3.1000",
  "1.2.3.99999999999999999999",
  "00.0.0.0",
  "01.2.3.4",
  "1.2.3.04",
  "0177.0.0.1",
  "0x7f.0.0.1",
  "0x7f000001",
  "2130706433",
  "1.2.3.-4",
  "+1.2.3.4",
  "1.2.3.4e0",
  "1.2.3.a",
  " 1.2.3.4",
  "1.2.3.4 ",
  "1.2.3.4\n",
  "1.2.3.4\0",
  "1.2.3.4:80",
  "1.2.3.4/8",
  "1.2.3.4%eth0",
  "[1.2.3.4]",
  "1,2,3,4",
  "1。2。3。4",
  "1.2.3.٤",
  "1.2.3.¹",
];

for (const text of IPV4_INVALID) {
  Deno.test(`parseIpv4() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseIpv4(text), undefined);
    assertEquals(parseIpAddress(text), undefined);
  });
}

const IPV6_VALID: readonly (readonly [text: string, hex: string, formatted: string])[] = [
  ["::", "00000000000000000000000000000000", "::"],
  ["::1", "00000000000000000000000000000001", "::1"],
  ["1::", "00010000000000000000000000000000", "1::"],
  ["0:0:0:0:0:0:0:0", "00000000000000000000000000000000", "::"],
  ["2001:db8::1", "20010db8000000000000000000000001", "2001:db8::1"],
  ["2001:0DB8::0001", "20010db8000000000000000000000001", "2001:db8::1"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008", "1:2:3:4:5:6:7:8"],
  // "::" for one group is legal to read, and not to be written.
  ["1:2:3:4:5:6:7::", "00010002000300040005000600070000", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "00000002000300040005000600070008", "0:2:3:4:5:6:7:8"],
  ["1:2:3::5:6:7:8", "00010002000300000005000600070008", "1:2:3:0:5:6:7:8"],
  ["1::3:0:0:0:7:8", "00010000000300000000000000070008", "1:0:3::7:8"],
  ["1:0:0:4:5:0:0:8", "00010000000000040005000000000008", "1::4:5:0:0:8"],
  ["0:0:3:4:0:0:0:0", "00000000000300040000000000000000", "0:0:3:4::"],
  ["fFfF:aBcD::EF", "ffffabcd0000000000000000000000ef", "ffff:abcd::ef"],
  ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201", "::ffff:192.0.2.1"],
  ["::FFFF:c000:201", "00000000000000000000ffffc0000201", "::ffff:192.0.2.1"],
  ["0:0:0:0:0:ffff:192.0.2.1", "00000000000000000000ffffc0000201", "::ffff:192.0.2.1"],
  ["::192.0.2.1", "000000000000000000000000c0000201", "::192.0.2.1"],
  ["::0.0.0.1", "00000000000000000000000000000001", "::1"],
  ["::0.1.0.0", "00000000000000000000000000010000", "::0.1.0.0"],
  ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221", "64:ff9b::c000:221"],
  ["1:2:3:4:5:6:192.0.2.1", "000100020003000400050006c0000201", "1:2:3:4:5:6:c000:201"],
  ["1:2:3:4:5::192.0.2.1", "000100020003000400050000c0000201", "1:2:3:4:5:0:c000:201"],
  ["::1:192.0.2.1", "000000000000000000000001c0000201", "::1:c000:201"],
];

for (const [text, hex, formatted] of IPV6_VALID) {
  Deno.test(`parseIpv6() reads ${text} and formatIpv6() writes ${formatted}`, () => {
    assertEquals(toHex(parseIpv6(text)), hex);
    assertEquals(formatIpv6(Uint8Array.fromHex(hex)), formatted);
    assertEquals(toHex(parseIpv6(formatted)), hex);
    assertEquals(parseIpv4(text), undefined);
  });
}

const IPV6_INVALID: readonly string[] = [
  "",
  ":",
  ":::",
  "::::",
  "1",
  "1:",
  ":1",
  "1::2::3",
  "::1::",
  "1:::2",
  ":1::2",
  "::1:",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:",
  ":2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7:8:",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::1:2:3:4:5:6:7:8",
  "1:2:3:4::5:6:7:8",
  "12345::",
  "::00001",
  "::g",
  "::-1",
  "::+1",
  "::0x1",
  "::1 ",
  " ::1",
  "::1\n",
  "::\0",
  "[::1]",
  "::1/64",
  "::1%",
  "::１",
  "1:2:3:4:5:6:7:1.2.3.4",
  "1:2:3:4:5:6::1.2.3.4:7",
  "1::3:4:5:6:7:1.2.3.4",
  "1::3:4:5:6:7:8:1.2.3.4",
  "::1.2.3",
  "::1.2.3.4.5",
  "::1.2.3.256",
  "::01.2.3.4",
  "::1.2.3.4:5",
  "::1.2.3.4::",
  "::a.2.3.4",
  "::12345.2.3.4",
  "1.2.3.4::",
  "::.1.2.3",
];

for (const text of IPV6_INVALID) {
  Deno.test(`parseIpv6() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseIpv6(text), undefined);
    assertEquals(parseIpAddress(text), undefined);
  });
}

Deno.test("parseIpAddress() splits the zone off, and formatIpAddress() puts it back", () => {
  for (const zone of ["eth0", "1", "br-lan", "eth0.100", "a_b~c", "z".repeat(63)]) {
    const address = parseIpAddress(`FE80::1%${zone}`);
    assert(address !== undefined);
    assertEquals([address.family, address.zone], [6, zone]);
    assertEquals(formatIpAddress(address), `fe80::1%${zone}`);
  }
  assertEquals(parseIpAddress("::1")?.zone, undefined);
});

for (const zone of ["", "%", "a%b", "a b", "a/b", "a]", "é", "a\n", "z".repeat(64)]) {
  Deno.test(`parseIpAddress() refuses the zone ${JSON.stringify(zone)}`, () => {
    assertEquals(parseIpAddress(`fe80::1%${zone}`), undefined);
  });
}

Deno.test("parseIpAddress() tells the families apart", () => {
  assertEquals(parseIpAddress("192.0.2.1")?.family, 4);
  assertEquals(parseIpAddress("::ffff:192.0.2.1")?.family, 6);
  assertEquals(parseIpAddress("example.com"), undefined);
});

Deno.test("parsers stop early in a text without end", () => {
  for (const part of ["0", "1", "f", ":", "::", "1:", "1.", "%", "255.", "ffff:"]) {
    const text = part.repeat(1_000_000);
    assertEquals([parseIpv4(text), parseIpv6(text), parseIpAddress(text)], [
      undefined,
      undefined,
      undefined,
    ]);
  }
});

Deno.test("formatIpv4() and formatIpv6() throw on a wrong number of bytes", () => {
  for (const length of [0, 3, 5, 16]) {
    assertThrows(() => formatIpv4(new Uint8Array(length)), RangeError);
  }
  for (const length of [0, 4, 15, 17]) {
    assertThrows(() => formatIpv6(new Uint8Array(length)), RangeError);
  }
  const bytes = new Uint8Array(4);
  assertThrows(() => formatIpAddress({ family: 6, bytes, zone: undefined }), RangeError);
});

/** Addresses with many zeros in them, so that runs of all lengths and places appear. */
function randomIpv6(random: SeededRandom): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(16);
  for (let i = 0; i < 16; i += 2) {
    if (random.int(3) > 0) bytes.fill(0, i, i + 2);
    else if (random.int(3) === 0) bytes[i] = 0;
  }
  return bytes;
}

Deno.test("parseIpv6() undoes formatIpv6(), which writes what a URL has", () => {
  const random = new SeededRandom(5952);
  for (let round = 0; round < 5_000; round++) {
    const bytes = randomIpv6(random);
    const text = formatIpv6(bytes);
    assertEquals(toHex(parseIpv6(text)), toHex(bytes));
    // URL never writes dotted decimal: the only difference.
    if (!text.includes(".")) assertEquals(new URL(`http://[${text}]/`).hostname, `[${text}]`);
  }
});

Deno.test("parseIpAddress() gives what it takes back unchanged, or undefined, on random text", () => {
  const random = new SeededRandom(4291);
  const alphabet = ["0", "1", "9", "a", "F", ":", "::", ".", "%", "255", "ffff", "g", " ", "é"];
  let validCount = 0;
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: random.int(12) }, () => random.pick(alphabet)).join("");
    const address = parseIpAddress(text);
    if (address === undefined) continue;
    validCount++;
    assertEquals(parseIpAddress(formatIpAddress(address)), address);
    if (address.family === 6 && address.zone === undefined) new URL(`http://[${text}]/`);
  }
  assert(validCount > 100);
});

interface AddressVector {
  readonly id: string;
  readonly kind: "pton" | "ntop" | "reverse";
  readonly text?: string;
  readonly ipv4_ok?: boolean;
  readonly ipv6_ok?: boolean;
  readonly ipv4_hex?: string;
  readonly ipv6_hex?: string;
  readonly print?: string;
}

const vectors = loadVectors<{ readonly cases: readonly AddressVector[] }>("dns-addr");

Deno.test({
  name: "parseIpv4(), parseIpv6() and formatIpv6() agree with the vectors of other projects",
  ignore: vectors === undefined,
  fn() {
    // Names of reverse lookups belong to another module.
    const cases = vectors!.cases.filter(({ kind }) => kind !== "reverse");
    for (const { id, text, ipv4_hex, ipv6_hex, ipv4_ok, ipv6_ok, print } of cases) {
      if (ipv4_ok !== undefined) assertEquals(toHex(parseIpv4(text!)), ipv4_hex, id);
      if (ipv6_ok !== undefined) assertEquals(toHex(parseIpv6(text!)), ipv6_hex, id);
      if (print !== undefined) assertEquals(formatIpv6(Uint8Array.fromHex(ipv6_hex!)), print, id);
    }
    assert(cases.length > 0);
  },
});
