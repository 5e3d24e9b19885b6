import { assertEquals, assertThrows } from "@std/assert";
import { sortAddresses } from "../../dns/sortlist.ts";

const NETWORKS = [
  { address: "203.0.113.7", mask: "255.255.255.0" },
  { address: "192.0.0.0", mask: "255.0.0.0" },
];

Deno.test("sortAddresses() sorts by the list, and leaves equals as they came", () => {
  assertEquals(
    sortAddresses(["10.0.0.1", "192.0.2.2", "192.0.2.1", "203.0.113.9", "10.0.0.0"], NETWORKS),
    ["203.0.113.9", "192.0.2.2", "192.0.2.1", "10.0.0.1", "10.0.0.0"],
  );
});

Deno.test("sortAddresses() leaves addresses of IPv6 in their places", () => {
  assertEquals(
    sortAddresses(["::1", "10.0.0.1", "::2", "192.0.2.1", "fe80::1%eth0"], NETWORKS),
    ["::1", "192.0.2.1", "::2", "10.0.0.1", "fe80::1%eth0"],
  );
});

Deno.test("sortAddresses() takes the first network that fits", () => {
  const all = { address: "0.0.0.0", mask: "0.0.0.0" };
  assertEquals(sortAddresses(["10.0.0.1", "192.0.2.1"], [all, ...NETWORKS]), [
    "10.0.0.1",
    "192.0.2.1",
  ]);
});

Deno.test("sortAddresses() gives a copy where there is no list", () => {
  const addresses = ["10.0.0.1", "192.0.2.1"];
  const sorted = sortAddresses(addresses, []);
  assertEquals([sorted, sorted === addresses], [addresses, false]);
});

Deno.test("sortAddresses() refuses a network that is none", () => {
  for (
    const network of [{ address: "192.0.2.0", mask: "x" }, { address: "::", mask: "255.0.0.0" }]
  ) {
    assertThrows(() => sortAddresses(["10.0.0.1"], [network]), RangeError);
  }
});
