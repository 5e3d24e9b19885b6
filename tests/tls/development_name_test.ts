import { assertEquals, assertThrows } from "@std/assert";
import {
  excludedNames,
  parsePermittedNames,
  parseSubjectNames,
} from "../../tls/development_name.ts";

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.test`);

Deno.test("parseSubjectNames() tells names from addresses", () => {
  const names = ["localhost", "*.App.test", "127.0.0.1", "::1", "_acme.test", "xn--bcher-kva.test"];
  assertEquals(parseSubjectNames(names), [
    { type: "dns", value: "localhost" },
    { type: "dns", value: "*.app.test" },
    { type: "ip", value: bytes(127, 0, 0, 1) },
    { type: "ip", value: bytes(...new Array(15).fill(0), 1) },
    { type: "dns", value: "_acme.test" },
    { type: "dns", value: "xn--bcher-kva.test" },
  ]);
});

Deno.test("parseSubjectNames() drops what occurs again, however it is spelled", () => {
  const names = ["a.test", "A.TEST", "::1", "0:0:0:0:0:0:0:1", "1.2.3.4", "::1.2.3.4"];
  assertEquals(parseSubjectNames(names).length, 4);
});

for (
  const [what, name] of [
    ["an empty text", ""],
    ["a dot at the end", "localhost."],
    ["a wildcard for a top-level domain", "*.test"],
    ["a wildcard alone", "*"],
    ["a wildcard that is not left-most", "a.*.test"],
    ["a part of a label", "w*.a.test"],
    ["another script", "bücher.test"],
    ["a URL", "https://a.test"],
    ["a port", "a.test:443"],
    ["brackets", "[::1]"],
    ["a zone", "fe80::1%eth0"],
    ["a network", "10.0.0.0/8"],
    ["a short address", "127.1"],
    ["a NUL", "a.test\0.example"],
    ["a line end", "a.test\n"],
    ["a long label", `${"a".repeat(64)}.test`],
    ["a long name", `${"a.".repeat(127)}test`],
  ] as const
) {
  Deno.test(`parseSubjectNames() throws on ${what}`, () => {
    assertThrows(() => parseSubjectNames(["a.test", name]), RangeError);
  });
}

Deno.test("parseSubjectNames() takes 1 to 100 names", () => {
  assertThrows(() => parseSubjectNames([]), RangeError);
  assertEquals(parseSubjectNames(many(100)).length, 100);
  assertThrows(() => parseSubjectNames(many(101)), RangeError);
});

Deno.test("parsePermittedNames() gives addresses a mask", () => {
  const ones = new Array(16).fill(255);
  assertEquals(
    parsePermittedNames(["Test", "10.0.0.0/8", "172.16.0.0/12", "1.2.3.4", "::1", "::/0"]),
    [
      { type: "dns", value: "test" },
      { type: "ip", value: bytes(10, 0, 0, 0, 255, 0, 0, 0) },
      { type: "ip", value: bytes(172, 16, 0, 0, 255, 240, 0, 0) },
      { type: "ip", value: bytes(1, 2, 3, 4, 255, 255, 255, 255) },
      { type: "ip", value: bytes(...new Array(15).fill(0), 1, ...ones) },
      { type: "ip", value: new Uint8Array(32) },
    ],
  );
});

for (
  const name of [
    ...["", ".test", "*.a.test", "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/08"],
    ...["10.0.0.0/", "10.0.0.0/-1", "fe80::%1/64", "10.0.0.0/8/8", "a.test/8"],
  ]
) {
  Deno.test(`parsePermittedNames() throws on ${JSON.stringify(name)}`, () => {
    assertThrows(() => parsePermittedNames([name]), RangeError);
  });
}

Deno.test("excludedNames() closes the type that is not permitted", () => {
  const dns = parsePermittedNames(["test"]);
  const ip = parsePermittedNames(["10.0.0.0/8"]);
  const everyAddress = [{ type: "ip", value: new Uint8Array(8) }, {
    type: "ip",
    value: new Uint8Array(32),
  }] as const;
  assertEquals(excludedNames(dns), [...everyAddress]);
  assertEquals(excludedNames(ip), [{ type: "dns", value: "" }]);
  assertEquals(excludedNames([...dns, ...ip]), []);
});
