import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { printZone } from "../../dns/print_zone.ts";
import { parseZone } from "../../dns/zone_parser.ts";

const ZONE = [
  "example. 60 IN NS ns.example.",
  "example. 60 IN MX 10 mx.example.",
  "ns.example. 5 IN A 192.0.2.1",
  'notexample. 60 IN TXT "x"',
  "a\\.example. 60 IN NS .",
  "a\\\\.example. 60 IN NS .",
  "IN.example. 60 CH NS .",
].join("\n");

const ROWS: readonly {
  name: string;
  options: Parameters<typeof printZone>[1];
  fields: string[];
}[] = [
  {
    name: "as it is",
    options: {},
    fields: ZONE.split("\n").map((line) => line.split(" ").slice(0, 2).join(" ")),
  },
  {
    name: "with a TTL",
    options: { ttl: 60 },
    fields: [
      "$TTL 60",
      "example. IN",
      "example. IN",
      "ns.example. 5",
      "notexample. IN",
      "a\\.example. IN",
      "a\\\\.example. IN",
      "IN.example. CH",
    ],
  },
  {
    name: "relative to an origin",
    options: { origin: "example" },
    fields: [
      "$ORIGIN example.",
      "@ 60",
      "@ 60",
      "ns 5",
      "notexample. 60",
      "a\\.example. 60",
      "a\\\\ 60",
      "IN 60",
    ],
  },
  {
    name: "relative to the root",
    options: { origin: "." },
    fields: [
      "$ORIGIN .",
      "example 60",
      "example 60",
      "ns.example 5",
      "notexample 60",
      "a\\.example 60",
      "a\\\\.example 60",
      "IN.example 60",
    ],
  },
  {
    name: "without what repeats",
    options: { origin: "example.", ttl: 60, blankOwners: true },
    fields: [
      "$ORIGIN example.",
      "$TTL 60",
      "@ IN",
      " IN",
      "ns 5",
      "notexample. IN",
      "a\\.example. IN",
      "a\\\\ IN",
      "IN CH",
    ],
  },
];

for (const { name, options, fields } of ROWS) {
  Deno.test(`printZone() writes a zone ${name}, and parseZone() reads it back`, () => {
    const records = parseZone(ZONE);
    const lines = [...printZone(records, options)];
    const firstTwo = lines.map((line) => line.trimEnd().split(/\s+/).slice(0, 2).join(" "));
    assertEquals(firstTwo, fields);
    assertEquals(parseZone(lines.join("")), records);
  });
}

Deno.test("printZone() reads no record before its line is asked for", () => {
  function* records() {
    yield* parseZone("a. 1 NS .");
    throw new Error("read ahead");
  }
  assertEquals(printZone(records()).next().value, "a.\t\t\t1\tIN\tNS\t.\n");
});

Deno.test("printZone() throws on options out of range", () => {
  assertThrows(() => [...printZone([], { ttl: -1 })], RangeError);
  assertThrows(() => [...printZone([], { origin: "a..b" })], DnsTextError);
});
