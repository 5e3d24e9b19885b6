import { assertEquals, assertThrows } from "@std/assert";
import { reverseName, reverseNameAddress } from "../../dns/reverse_name.ts";

const PAIRS: readonly (readonly [address: string, name: string])[] = [
  ["0.0.0.0", "0.0.0.0.in-addr.arpa."],
  ["192.0.2.255", "255.2.0.192.in-addr.arpa."],
  ["2001:db8::f0", `0.f.${"0.".repeat(22)}8.b.d.0.1.0.0.2.ip6.arpa.`],
];

for (const [address, name] of PAIRS) {
  Deno.test(`reverseName() and reverseNameAddress() agree on ${address}`, () => {
    assertEquals(reverseName(address), name);
    assertEquals(reverseNameAddress(name), address);
    assertEquals(reverseNameAddress(name.toUpperCase().slice(0, -1)), address);
  });
}

Deno.test("reverseName() throws on what is no address", () => {
  for (const text of ["", "1.2.3", "01.2.3.4", "fe80::1%eth0", "example.", "::1::"]) {
    assertThrows(() => reverseName(text), TypeError);
  }
});

Deno.test("reverseNameAddress() gives nothing for names of another form", () => {
  const names = [
    ".",
    "in-addr.arpa.",
    "1.in-addr.arpa.",
    "1.2.3.4.5.in-addr.arpa.",
    "256.2.3.4.in-addr.arpa.",
    "01.2.3.4.in-addr.arpa.",
    "a.2.3.4.in-addr.arpa.",
    "0/25.2.0.192.in-addr.arpa.",
    "1\\.2.3.4.5.in-addr.arpa.",
    `${"0.".repeat(31)}ip6.arpa.`,
    `${"0.".repeat(33)}ip6.arpa.`,
    `${"0.".repeat(31)}g.ip6.arpa.`,
    `${"0.".repeat(31)}00.ip6.arpa.`,
    "4.3.2.1.example.",
  ];
  for (const name of names) assertEquals(reverseNameAddress(name), undefined);
});
