import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import {
  canonicalName,
  compareNames,
  countLabels,
  equalNames,
  isSubdomain,
  joinLabels,
  labelsOf,
  nameToWire,
  parentName,
  parseName,
} from "../../dns/name.ts";

const A63 = "a".repeat(63);
/** 255 bytes on the wire. */
const LONGEST = `${A63}.${A63}.${A63}.${"b".repeat(61)}.`;
const ESCAPED_63 = "\\000".repeat(63);

const PARSED: readonly (readonly [text: string, origin: string | undefined, name: string])[] = [
  [".", undefined, "."],
  ["Example.COM.", undefined, "Example.COM."],
  ["www", "example.", "www.example."],
  ["www", ".", "www."],
  ["@", "example.", "example."],
  ["\\@", "example.", "\\@.example."],
  ["www", "example", "www.example."],
  ["@", "example", "example."],
  ["www", "ex\\097mple", "www.example."],
  ["\\097.", undefined, "a."],
  ["\\a\\-\\b.", undefined, "a-b."],
  ["a\\.b.", undefined, "a\\.b."],
  ["a\\046b.", undefined, "a\\.b."],
  ["a\\\\.", undefined, "a\\\\."],
  ["a\\.", "example.", "a\\..example."],
  ["a\\\\\\.", "example.", "a\\\\\\..example."],
  ["\\000\\255.", undefined, "\\000\\255."],
  ['"();$.', undefined, '\\"\\(\\)\\;\\$.'],
  ["a b\t.", undefined, "a\\032b\\009."],
  ["*.x.", undefined, "*.x."],
  [LONGEST, undefined, LONGEST],
  [LONGEST.slice(0, -1), ".", LONGEST],
  [LONGEST.slice(0, 191), "b".repeat(61) + ".", LONGEST],
  [`${ESCAPED_63}.`, undefined, `${ESCAPED_63}.`],
  [
    `${ESCAPED_63}.${ESCAPED_63}.${ESCAPED_63}`,
    `${"\\000".repeat(61)}.`,
    [
      ...[ESCAPED_63, ESCAPED_63, ESCAPED_63],
      `${"\\000".repeat(61)}.`,
    ].join("."),
  ],
];

for (const [text, origin, name] of PARSED) {
  Deno.test(`parseName() gives ${name.slice(0, 40)} for ${text.slice(0, 40)}`, () => {
    assertEquals(parseName(text, { origin }), name);
    // What it gives it takes, and the wire says the same.
    assertEquals(parseName(name), name);
    assertEquals(joinLabels(labelsOf(name)), name);
    assertEquals(nameToWire(name).length <= 255, true);
  });
}

const NO_NAMES: readonly (readonly [text: string, origin: string | undefined, column: number])[] = [
  ["", "example.", 1],
  ["..", undefined, 1],
  [".a.", undefined, 1],
  ["a..b.", undefined, 3],
  ["a..", undefined, 3],
  ["a", undefined, 1],
  ["a\\.", undefined, 1],
  ["@", undefined, 1],
  ["a\\", undefined, 3],
  ["\\1.", undefined, 2],
  ["\\12", undefined, 2],
  ["\\12x.", undefined, 2],
  ["\\256.", undefined, 2],
  ["é.", undefined, 1],
  ["\\é.", undefined, 2],
  ["\u212a.", undefined, 1],
  [`a${A63}.`, undefined, 65],
  [`a${A63}`, "b.", 65],
  [`c${LONGEST}`, undefined, 65],
  [`a.${LONGEST}`, undefined, 255],
  [LONGEST.slice(0, 191), `${"b".repeat(62)}.`, 1],
  ["a", LONGEST, 1],
];

for (const [text, origin, column] of NO_NAMES) {
  Deno.test(`parseName() throws on ${JSON.stringify(text.slice(0, 40))} below ${origin?.slice(0, 8)}`, () => {
    const error = assertThrows(() => parseName(text, { origin }), DnsTextError);
    assertEquals([error.code, error.line, error.column], ["ERR_DNS_BAD_NAME", 1, column]);
  });
}

Deno.test("parseName() hands names beyond ASCII to the function for IDNA, and no others", () => {
  const seen: string[] = [];
  const toAscii = (name: string) => {
    seen.push(name);
    return name.replace("bücher", "xn--bcher-kva");
  };
  assertEquals(parseName("bücher", { origin: "example.", toAscii }), "xn--bcher-kva.example.");
  assertEquals(parseName("a\\.b.", { toAscii }), "a\\.b.");
  assertEquals(seen, ["bücher"]);
  // What comes back is looked at like any other text.
  assertThrows(() => parseName("é.", { toAscii: () => "a..b." }), DnsTextError);
});

Deno.test("nameToWire() takes a name without a final dot as absolute", () => {
  assertEquals(nameToWire("a.b"), nameToWire("a.b."));
  assertEquals(nameToWire("."), new Uint8Array(1));
  assertEquals(nameToWire(LONGEST).length, 255);
});

Deno.test("nameToWire() throws on what is no name", () => {
  for (
    const text of ["", "a..b", `a${A63}`, `a.${LONGEST}`, `a.${LONGEST.slice(0, -1)}`, "é", "\\9"]
  ) {
    const error = assertThrows(() => nameToWire(text), DnsMessageError);
    assertEquals([error.code, error.offset], ["ERR_DNS_BAD_NAME", undefined]);
  }
});

Deno.test("joinLabels() throws on labels that make no name", () => {
  const label = (length: number) => new Uint8Array(length);
  assertEquals(joinLabels([]), ".");
  assertEquals(joinLabels([label(63)]), `${ESCAPED_63}.`);
  for (const labels of [[label(0)], [label(64)], Array.from({ length: 128 }, () => label(1))]) {
    assertEquals(assertThrows(() => joinLabels(labels), DnsMessageError).code, "ERR_DNS_BAD_NAME");
  }
  assertEquals(countLabels(joinLabels(Array.from({ length: 127 }, () => label(1)))), 127);
});

Deno.test("canonicalName() makes ASCII letters lower case and nothing else", () => {
  assertEquals(canonicalName("WWW.Example"), "www.example.");
  assertEquals(canonicalName("."), ".");
  // 0xC9 is an upper case letter in Latin-1; DNS knows no such thing.
  assertEquals(canonicalName("\\201\\065."), "\\201a.");
  assertEquals(canonicalName(LONGEST.toUpperCase()), LONGEST);
  assertThrows(() => canonicalName("\u212a."), DnsMessageError);
});

Deno.test("equalNames() compares as bytes in lower case", () => {
  assertEquals(equalNames("A.b", "a.B."), true);
  assertEquals(equalNames("\\097.b.", "a.b."), true);
  assertEquals(equalNames("a\\.b.", "a.b."), false);
  assertEquals(equalNames("[.", "{."), false);
});

Deno.test("compareNames() gives the order of RFC 4034 section 6.1", () => {
  const ordered = [
    "example.",
    "a.example.",
    "yljkjljk.a.example.",
    "Z.a.example.",
    "zABC.a.EXAMPLE.",
    "z.example.",
    "\\001.z.example.",
    "*.z.example.",
    "\\200.z.example.",
  ];
  for (let left = 0; left < ordered.length; left++) {
    for (let right = 0; right < ordered.length; right++) {
      const order = compareNames(ordered[left]!, ordered[right]!);
      assertEquals(Math.sign(order), Math.sign(left - right));
    }
  }
  assertEquals(compareNames(".", "a."), -1);
  assertEquals(compareNames("A.", "a."), 0);
});

Deno.test("isSubdomain() counts labels, not letters", () => {
  assertEquals(isSubdomain("example.", "EXAMPLE."), true);
  assertEquals(isSubdomain("a.example.", "."), true);
  assertEquals(isSubdomain(".", "example."), false);
  assertEquals(isSubdomain("badexample.", "example."), false);
  // The dot belongs to the label.
  assertEquals(isSubdomain("a\\.example.", "example."), false);
  assertEquals(isSubdomain("a\\\\.example.", "example."), true);
});

Deno.test("parentName() takes one label off", () => {
  assertEquals(parentName("a\\.b.c."), "c.");
  assertEquals(parentName("c."), ".");
  assertEquals(parentName("."), undefined);
});

Deno.test("parseName() refuses an origin that is none, and then takes others", () => {
  for (const origin of ["a..b.", "", "ä", `${"a".repeat(64)}.`]) {
    assertThrows(() => parseName("x", { origin }), DnsTextError);
    assertThrows(() => parseName("@", { origin }), DnsTextError);
    assertEquals(parseName("x", { origin: "o." }), "x.o.");
  }
});

Deno.test("parseName() takes no more than 255 bytes where the text leaves out the last dot", () => {
  const text = LONGEST.slice(0, -1);
  assertEquals(parseName(text, { origin: "." }), LONGEST);
  for (const origin of [".", "a."]) {
    assertThrows(() => parseName(`${text}b`, { origin }), DnsTextError);
  }
});
