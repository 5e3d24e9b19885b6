import { assert, assertEquals, assertThrows } from "@std/assert";
import { orderAddresses } from "../../nbio/address_order.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { loadVectors } from "../_support/vectors.ts";

interface OrderRow {
  readonly name: string;
  /** Destinations in the order wanted, each with its source. */
  readonly pairs: readonly (readonly [destination: string, source: string | null | undefined])[];
}

/** Every row holds in both directions: the rule decides, and not the order they came in. */
const ROWS: readonly OrderRow[] = [
  // RFC 6724 section 10.2, all that can be said by sources and destinations alone.
  {
    name: "matching scope, the IPv6 one",
    pairs: [["2001:db8:1::1", "2001:db8:1::2"], ["198.51.100.121", "169.254.13.78"]],
  },
  {
    name: "matching scope, the IPv4 one",
    pairs: [["198.51.100.121", "198.51.100.117"], ["2001:db8:1::1", "fe80::1"]],
  },
  {
    name: "higher precedence over private IPv4",
    pairs: [["2001:db8:1::1", "2001:db8:1::2"], ["10.1.2.3", "10.1.2.4"]],
  },
  {
    name: "smaller scope",
    pairs: [["fe80::1", "fe80::2"], ["2001:db8:1::1", "2001:db8:1::2"]],
  },
  {
    name: "longest matching prefix",
    pairs: [["2001:db8:1::1", "2001:db8:1::2"], ["2001:db8:3ffe::1", "2001:db8:3f44::2"]],
  },
  {
    name: "matching label",
    pairs: [["2002:c633:6401::1", "2002:c633:6401::2"], ["2001:db8:1::1", "2002:c633:6401::2"]],
  },
  {
    name: "higher precedence over 6to4",
    pairs: [["2001:db8:1::1", "2001:db8:1::2"], ["2002:c633:6401::1", "2002:c633:6401::2"]],
  },
  // Rule 1.
  {
    name: "a reachable one",
    pairs: [["192.0.2.1", "192.0.2.7"], ["2001:db8::1", null]],
  },
  {
    name: "a maybe reachable one",
    pairs: [["192.0.2.1", undefined], ["2001:db8::1", null]],
  },
  {
    name: "the best of several unreachable ones",
    pairs: [["2001:db8::1", null], ["192.0.2.1", null]],
  },
  // Rules that need no source.
  {
    name: "IPv6 over IPv4",
    pairs: [["2001:db8::1", undefined], ["192.0.2.1", undefined]],
  },
  {
    name: "loopback over all",
    pairs: [["::1", undefined], ["2001:db8::1", undefined], ["127.0.0.1", undefined]],
  },
  {
    name: "IPv4 over 6to4, Teredo and unique local",
    pairs: [
      ["192.0.2.1", undefined],
      ["2002::1", undefined],
      ["2001::1", undefined],
      ["fd00::1", undefined],
    ],
  },
  {
    name: "link-local with a zone over global",
    pairs: [["fe80::1%eth0", undefined], ["2001:db8::1", undefined]],
  },
  {
    name: "mapped IPv4 as IPv4",
    pairs: [["2001:db8::1", undefined], ["::ffff:192.0.2.1", undefined]],
  },
];

for (const { name, pairs } of ROWS) {
  Deno.test(`orderAddresses() prefers ${name}`, () => {
    const expected = pairs.map(([destination]) => destination);
    const sources = pairs.map(([, source]) => source);
    assertEquals(orderAddresses(expected, sources), expected);
    assertEquals(orderAddresses(expected.toReversed(), sources.toReversed()), expected);
  });
}

Deno.test("orderAddresses() keeps the order of equals, and of IPv4 whatever the prefix", () => {
  const ipv4 = ["203.0.113.9", "192.0.2.1", "192.0.2.7", "198.51.100.1"];
  const sources = ipv4.map(() => "192.0.2.6");
  assertEquals(orderAddresses(ipv4), ipv4);
  assertEquals(orderAddresses(ipv4, sources), ipv4);
  const ipv6 = ["2001:db8:9::1", "2001:db8:1::1", "2001:db8:5::1"];
  assertEquals(orderAddresses(ipv6), ipv6);
  const mapped = ["::ffff:203.0.113.9", "::ffff:192.0.2.1"];
  assertEquals(orderAddresses(mapped, sources), mapped);
});

Deno.test("orderAddresses() leaves its arguments alone, and the texts as they were", () => {
  const destinations = Object.freeze(["192.0.2.1", "2001:DB8:0::1"]);
  assertEquals(orderAddresses(destinations), ["2001:DB8:0::1", "192.0.2.1"]);
  assertEquals(orderAddresses([]), []);
  assertEquals(orderAddresses(["::1"]), ["::1"]);
});

for (const text of ["", "example.com", "127.1", "::1%", "[::1]", "1.2.3.4:80"]) {
  Deno.test(`orderAddresses() throws on ${JSON.stringify(text)}`, () => {
    assertThrows(() => orderAddresses(["::1", text]), TypeError);
    assertThrows(() => orderAddresses(["::1"], [text]), TypeError);
  });
}

const POOL: readonly string[] = [
  "::1",
  "2001:db8::1",
  "2001:db8:1::1",
  "2001:db8:1:2::1",
  "2002::1",
  "2001::1",
  "fd00::1",
  "fe80::1",
  "fec0::1",
  "ff02::1",
  "ff0e::1",
  "127.0.0.1",
  "10.0.0.1",
  "169.254.0.1",
  "192.0.2.1",
  "::ffff:192.0.2.2",
  "::192.0.2.3",
];

Deno.test("orderAddresses() gives one order, whatever order they came in and what is known", () => {
  const random = new SeededRandom(6724);
  for (let round = 0; round < 500; round++) {
    const pairs = POOL.map((destination) => ({
      destination,
      source: random.pick([...POOL, null, undefined, undefined]),
    }));
    const order = (list: typeof pairs): string[] =>
      orderAddresses(
        list.map(({ destination }) => destination),
        list.map(({ source }) => source),
      );
    const sorted = order(pairs);
    assertEquals(sorted.toSorted(), POOL.toSorted());
    // Any two of the result, asked for alone, stand in the same order or are equals: the
    // comparison is transitive.
    const first = random.int(POOL.length - 1);
    const second = first + 1 + random.int(POOL.length - 1 - first);
    const pick = (index: number): (typeof pairs)[number] =>
      pairs.find(({ destination }) => destination === sorted[index])!;
    const alone = order([pick(first), pick(second)]);
    assertEquals(alone, [sorted[first], sorted[second]]);
  }
});

interface OrderVector {
  readonly id: string;
  readonly kind: string;
  readonly in: readonly string[];
  readonly sources: readonly (string | null)[];
  readonly expect: readonly string[];
  readonly also_reversed: boolean;
}

const vectors = loadVectors<{ readonly cases: readonly OrderVector[] }>("dns-addrselect");

Deno.test({
  name: "orderAddresses() agrees with the vectors of another project",
  ignore: vectors === undefined,
  fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "sort");
    for (const { id, in: input, sources, expect, also_reversed } of cases) {
      assertEquals(orderAddresses(input, sources), [...expect], id);
      if (!also_reversed) continue;
      assertEquals(orderAddresses(input.toReversed(), sources.toReversed()), [...expect], id);
    }
    assert(cases.length > 0);
  },
});
