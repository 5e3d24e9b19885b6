import { assertEquals, assertThrows } from "@std/assert";
import {
  type DialAddressOptions,
  type DialTarget,
  parseDialTarget,
} from "../../nbio/dial_target.ts";

const HOSTS: readonly (readonly [hostname: string, target: DialTarget])[] = [
  ["127.0.0.1", { type: "address", text: "127.0.0.1", family: 4 }],
  ["::1", { type: "address", text: "::1", family: 6 }],
  ["[::1]", { type: "address", text: "::1", family: 6 }],
  ["2001:DB8:0:0::1", { type: "address", text: "2001:db8::1", family: 6 }],
  ["::ffff:127.0.0.1", { type: "address", text: "::ffff:127.0.0.1", family: 6 }],
  ["fe80::1%eth0", { type: "address", text: "fe80::1%eth0", family: 6 }],
  ["[fe80::1%1]", { type: "address", text: "fe80::1%1", family: 6 }],
  ["localhost", { type: "name", text: "localhost" }],
  ["example.com", { type: "name", text: "example.com" }],
  ["example.com.", { type: "name", text: "example.com." }],
  ["EXAMPLE.com", { type: "name", text: "EXAMPLE.com" }],
  ["_dmarc.a-b.example", { type: "name", text: "_dmarc.a-b.example" }],
  ["xn--bcher-kva.example", { type: "name", text: "xn--bcher-kva.example" }],
  ["bücher.example", { type: "name", text: "bücher.example" }],
  ["1.2.3.4.example", { type: "name", text: "1.2.3.4.example" }],
  ["1.2.3.4a", { type: "name", text: "1.2.3.4a" }],
  ["0xg", { type: "name", text: "0xg" }],
  ["a".repeat(254), { type: "name", text: "a".repeat(254) }],
];

for (const [hostname, target] of HOSTS) {
  Deno.test(`parseDialTarget() takes ${hostname.slice(0, 40)} for what it is`, () => {
    assertEquals(parseDialTarget({ hostname, port: 80 }), target);
  });
}

const BAD_HOSTS: readonly string[] = [
  "",
  // Addresses to some systems, names to most filters.
  "127.1",
  "1",
  "2130706433",
  "0177.0.0.1",
  "0x7f.0.0.1",
  "0x7f000001",
  "127.0.0.0x1",
  "0x",
  "256.0.0.1",
  "1.2.3.4.",
  "1.2.3.4.5",
  "example.1",
  "[127.0.0.1]",
  "[::1",
  "::1]",
  "[]",
  "[[::1]]",
  "[localhost]",
  "::1::",
  "::1%",
  "127.0.0.1%eth0",
  "example.com%eth0",
  "example.com:80",
  "127.0.0.1:80",
  "[::1]:80",
  "http://example.com",
  "user@example.com",
  "example.com/",
  "example.com?",
  "example.com#",
  "exam\\ple",
  "exam ple",
  "example.com\n",
  "\texample.com",
  "example\0.com",
  "a".repeat(255),
];

for (const hostname of BAD_HOSTS) {
  Deno.test(`parseDialTarget() throws on ${JSON.stringify(hostname.slice(0, 40))}`, () => {
    assertThrows(() => parseDialTarget({ hostname, port: 80 }), TypeError);
  });
}

Deno.test("parseDialTarget() takes this machine for the default", () => {
  assertEquals(parseDialTarget({ port: 80 }), { type: "address", text: "127.0.0.1", family: 4 });
});

Deno.test("parseDialTarget() takes a path as it is", () => {
  assertEquals(parseDialTarget({ path: "./a b.sock" }), { type: "path", text: "./a b.sock" });
});

for (const port of [0, -1, 65_536, 1.5, NaN, Infinity]) {
  Deno.test(`parseDialTarget() throws on port ${port}`, () => {
    assertThrows(() => parseDialTarget({ port }), RangeError);
  });
}

Deno.test("parseDialTarget() takes the first and the last port", () => {
  for (const port of [1, 65_535]) assertEquals(parseDialTarget({ port }).type, "address");
});

const BAD_OPTIONS: readonly DialAddressOptions[] = [
  {},
  { hostname: "localhost" },
  { path: "" },
  { path: "/run/a\0b" },
  { path: "/run/a", port: 80 },
  { path: "/run/a", hostname: "localhost" },
];

for (const options of BAD_OPTIONS) {
  Deno.test(`parseDialTarget() throws on ${JSON.stringify(options)}`, () => {
    assertThrows(() => parseDialTarget(options), TypeError);
  });
}
