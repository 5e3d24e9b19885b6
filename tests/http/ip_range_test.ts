import { assertEquals, assertThrows } from "@std/assert";
import { IpRangeSet, unmappedBytes } from "../../http/ip_range.ts";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

for (
  const [range, inside, outside] of [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:0"]],
    ["192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.0", "192.0.2.2", "::192.0.2.1"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.128"]],
    ["192.0.2.254/31", ["192.0.2.254", "192.0.2.255"], ["192.0.2.253"]],
    ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "::1"]],
    ["::/0", ["::", "ffff::", "2001:db8::1"], ["1.2.3.4"]],
    ["2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::", "2001:db9::"]],
    ["fe80::/10", ["fe80::1%eth0", "febf::1"], ["fec0::1"]],
    ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::", "::2", "127.0.0.1"]],
    ["::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.0.0.1"], ["11.0.0.0", "::10.0.0.1"]],
  ] as [string, string[], string[]][]
) {
  Deno.test(`IpRangeSet.has() knows what is in ${range}`, () => {
    const set = new IpRangeSet([range]);
    for (const address of inside) assertEquals(set.has(address), true, address);
    for (const address of outside) assertEquals(set.has(address), false, address);
    for (const text of ["", "x", range + "/1", "10.0.0.1 ", "010.0.0.1", "10.1", "0x0a000001"]) {
      assertEquals(set.has(text), false, text);
    }
  });
}

for (
  const text of [
    "",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/+8",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/8 ",
    "10.0.0.0/1e1",
    "10.0.0.1/8",
    "10.0.0.0/255.0.0.0",
    "10.0.0/8",
    "::/129",
    "::1/127",
    "fe80::%eth0/64",
    "fe80::1%eth0",
    "[::1]",
    "localhost",
  ]
) {
  Deno.test(`IpRangeSet refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => new IpRangeSet(["127.0.0.1", text]), RangeError);
  });
}

Deno.test("IpRangeSet is bounded, and may be empty", () => {
  assertEquals(new IpRangeSet([]).has("127.0.0.1"), false);
  assertEquals(new IpRangeSet(Array(10_000).fill("::1")).size, 10_000);
  assertThrows(() => new IpRangeSet(Array(10_001).fill("::1")), RangeError);
});

Deno.test("IpRangeSet.has() agrees with a comparison bit by bit", () => {
  const random = new SeededRandom(7);
  const bitsOf = (text: string) =>
    [...parseIpAddress(text)!.bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  for (let round = 0; round < 2_000; round++) {
    const bits = random.int(33);
    const number = random.int(2 ** 32);
    const masked = bits === 0 ? 0 : number - number % 2 ** (32 - bits);
    const text = (value: number) => [24, 16, 8, 0].map((by) => value / 2 ** by & 255).join(".");
    const flipped = text((masked + random.int(2 ** 32) % 2 ** random.int(33)) % 2 ** 32);
    const range = text(masked);
    const isSame = bitsOf(range).slice(0, bits) === bitsOf(flipped).slice(0, bits);
    assertEquals(new IpRangeSet([`${range}/${bits}`]).has(flipped), isSame, `${range}/${bits}`);
  }
});

Deno.test("unmappedBytes() gives the IPv4 address in a mapped one, and others as they are", () => {
  const of = (text: string) => [...unmappedBytes(parseIpAddress(text)!)].join(".");
  assertEquals(of("::ffff:1.2.3.4"), "1.2.3.4");
  assertEquals(of("1.2.3.4"), "1.2.3.4");
  assertEquals(of("::fffe:1.2.3.4").length > 20, true);
  assertEquals(of("1::ffff:1.2.3.4").length > 20, true);
});
