import { assertEquals, assertThrows } from "@std/assert";
import {
  checkUdpPort,
  checkUdpRemote,
  formatSource,
  isMulticast,
  isUnspecified,
  parseUdpHost,
} from "../../nbio/_udp_address.ts";

const INVALID: readonly [name: string, hostname: string, family?: 4 | 6][] = [
  ["a name", "example.com"],
  ["localhost", "localhost"],
  ["nothing", ""],
  ["brackets", "[::1]"],
  ["a short form that systems take", "127.1"],
  ["an octal form that systems take", "0177.0.0.1"],
  ["a decimal form that systems take", "2130706433"],
  ["two gaps, which a system would look up", "1::2::3"],
  ["a port", "127.0.0.1:80"],
  ["a space", "127.0.0.1 "],
  ["a NUL", "127.0.0.1\0"],
  ["an empty zone", "fe80::1%"],
  ["IPv6 on an IPv4 socket", "::1", 4],
  ["IPv4 on an IPv6 socket", "127.0.0.1", 6],
];

for (const [name, hostname, family] of INVALID) {
  Deno.test(`parseUdpHost() throws on ${name}`, () => {
    assertThrows(() => parseUdpHost("send", hostname, family), TypeError);
  });
}

Deno.test("parseUdpHost() shows no more than 32 characters of a bad one", () => {
  const error = assertThrows(() => parseUdpHost("send", `${"a".repeat(32)}SECRET`), TypeError);
  assertEquals(error.message.includes("SECRET"), false);
});

Deno.test("parseUdpHost() takes addresses of the family", () => {
  assertEquals(parseUdpHost("send", "192.0.2.1", 4).family, 4);
  assertEquals(parseUdpHost("send", "fe80::1%eth0", 6).zone, "eth0");
  assertEquals(parseUdpHost("send", "::ffff:192.0.2.1", 6).family, 6);
});

Deno.test("checkUdpPort() takes its range and nothing else", () => {
  for (const port of [1, 65_535]) checkUdpPort("send", port, 1);
  checkUdpPort("bind", 0, 0);
  for (const port of [0, -1, 65_536, 70_000, 1.5, NaN, Infinity]) {
    assertThrows(() => checkUdpPort("send", port, 1), RangeError);
  }
  assertThrows(() => checkUdpPort("bind", -1, 0), RangeError);
});

const KINDS: readonly [hostname: string, multicast: boolean, unspecified: boolean][] = [
  ["223.255.255.255", false, false],
  ["224.0.0.0", true, false],
  ["239.255.255.255", true, false],
  ["240.0.0.0", false, false],
  ["0.0.0.0", false, true],
  ["0.0.0.1", false, false],
  ["feff::1", false, false],
  ["ff02::fb", true, false],
  ["::", false, true],
  ["::1", false, false],
];

for (const [hostname, multicast, unspecified] of KINDS) {
  Deno.test(`isMulticast() and isUnspecified() tell what ${hostname} is`, () => {
    const address = parseUdpHost("bind", hostname);
    assertEquals([isMulticast(address), isUnspecified(address)], [multicast, unspecified]);
  });
}

Deno.test("formatSource() writes an address as the source of a datagram", () => {
  assertEquals(formatSource(parseUdpHost("connect", "FE80:0:0::1%eth0")), "fe80::1");
  assertEquals(formatSource(parseUdpHost("connect", "::ffff:c000:201")), "::ffff:192.0.2.1");
});

Deno.test("checkUdpRemote() takes the address of one host apart", () => {
  assertEquals(checkUdpRemote(undefined), undefined);
  const { address, port } = checkUdpRemote({ hostname: "fe80::1%eth0", port: 53 })!;
  assertEquals([address.family, address.zone, port], [6, "eth0", 53]);
});

for (const hostname of ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "localhost"]) {
  Deno.test(`checkUdpRemote() throws on ${hostname}`, () => {
    assertThrows(() => checkUdpRemote({ hostname, port: 53 }), TypeError);
  });
}

Deno.test("checkUdpRemote() throws on the port of nobody", () => {
  assertThrows(() => checkUdpRemote({ hostname: "192.0.2.1", port: 0 }), RangeError);
});
