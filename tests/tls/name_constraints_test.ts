import { assertEquals, assertThrows } from "@std/assert";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import { DistinguishedName } from "../../tls/distinguished_name.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import type { GeneralName } from "../../tls/general_name.ts";
import {
  constrainedNames,
  findNameConstraintViolation,
  isWellFormedName,
  relateToSubtree,
  type SubtreeRelation,
} from "../../tls/name_constraints.ts";
import { commonName } from "./certificate_builder.ts";

type TextType = "dns" | "email" | "uri";

/** Type, name, root of the subtree. */
const TEXT_ROWS: readonly (readonly [TextType, string, string, SubtreeRelation])[] = [
  ["dns", "a.b", "", "inside"],
  ["dns", "a.b", "a.b", "inside"],
  ["dns", "x.A.b", "a.B", "inside"],
  ["dns", "xa.b", "a.b", "outside"],
  ["dns", "b", "a.b", "outside"],
  ["dns", "x.a.b", ".a.b", "inside"],
  ["dns", "a.b", ".a.b", "partly"],
  ["dns", "xa.b", ".a.b", "outside"],
  ["dns", "*.a.b", "a.b", "inside"],
  ["dns", "*.a.b", ".a.b", "inside"],
  ["dns", "*.a.b", "b", "inside"],
  ["dns", "*.a.b", "x.a.b", "partly"],
  ["dns", "*.a.b", "y.x.a.b", "outside"],
  ["dns", "*.a.b", "x.b", "outside"],
  ["dns", "a..b", "", "unknown"],
  ["dns", "a.b.", "a.b", "unknown"],
  ["dns", "*.b", "b", "unknown"],
  ["dns", "a.b", "a.b.", "unknown"],
  ["dns", "a.b", "*.b", "unknown"],
  ["dns", "a.b", "..b", "unknown"],
  ["email", "u@a.b", "", "inside"],
  ["email", "u@A.b", "a.B", "inside"],
  ["email", "u@x.a.b", "a.b", "outside"],
  ["email", "u@x.a.b", ".a.b", "inside"],
  ["email", "u@a.b", ".a.b", "outside"],
  ["email", "u@A.b", "u@a.b", "inside"],
  ["email", "U@a.b", "u@a.b", "outside"],
  ["email", '"u"@a.b', "u@a.b", "inside"],
  ["email", '"\\u\\@"@a.b', '"u@"@a.b', "inside"],
  ["email", "*@a.b", "u@a.b", "outside"],
  ["email", "u", "a.b", "unknown"],
  ["email", "a@u@a.b", "a.b", "unknown"],
  ["email", "U <u@a.b>", "a.b", "unknown"],
  ["email", ".u@a.b", "a.b", "unknown"],
  ["email", "u@[1.2.3.4]", "", "unknown"],
  ["email", "u@a.b", "@a.b", "unknown"],
  ["email", "u@a.b", "*.b", "unknown"],
  ["email", `${"u".repeat(2_048)}@a.b`, "a.b", "unknown"],
  ["uri", "https://a.b/", "", "inside"],
  ["uri", "urn:x", "", "inside"],
  ["uri", "https://a.B:1/x", "A.b", "inside"],
  ["uri", "https://a.b", "a.b", "inside"],
  ["uri", "https://a.b?q", "a.b", "inside"],
  ["uri", "ftp://u:p@a.b#f", "a.b", "inside"],
  ["uri", "https://x.a.b/", "a.b", "outside"],
  ["uri", "https://x.a.b/", ".a.b", "inside"],
  ["uri", "https://a.b/", ".a.b", "outside"],
  ["uri", "https://evil/@a.b", "a.b", "outside"],
  ["uri", "https://a.b@evil/", "a.b", "outside"],
  ["uri", "https://1.2.3.4/", "a.b", "unknown"],
  ["uri", "https://[::1]/", "a.b", "unknown"],
  ["uri", "urn:a.b", "a.b", "unknown"],
  ["uri", "https://a.b\\@evil/", "evil", "unknown"],
  ["uri", `https://u${"u".repeat(2_048)}@a.b/`, "a.b", "unknown"],
];

for (const [type, value, base, relation] of TEXT_ROWS) {
  const [shown, root] = [value.slice(0, 32), JSON.stringify(base)];
  Deno.test(`relateToSubtree() finds ${type} ${shown} ${relation} ${root}`, () => {
    assertEquals(relateToSubtree({ type, value }, { type, value: base }), relation);
  });
}

const ip = (...texts: string[]): GeneralName => ({
  type: "ip",
  value: new Uint8Array(texts.flatMap((text) => [...parseIpAddress(text)!.bytes])),
});

const ADDRESS_ROWS: readonly (readonly [GeneralName, GeneralName, SubtreeRelation])[] = [
  [ip("10.1.2.3"), ip("10.0.0.0", "255.0.0.0"), "inside"],
  [ip("11.1.2.3"), ip("10.0.0.0", "255.0.0.0"), "outside"],
  [ip("10.1.2.3"), ip("10.1.2.2", "255.255.255.254"), "inside"],
  [ip("10.1.2.4"), ip("10.1.2.2", "255.255.255.254"), "outside"],
  [ip("10.1.2.3"), ip("0.0.0.0", "0.0.0.0"), "inside"],
  [ip("10.1.2.3"), ip("10.0.0.0", "255.0.255.0"), "unknown"],
  [ip("10.1.2.3"), ip("10.0.0.0"), "unknown"],
  [ip("10.1.2.3", "10.1.2.3"), ip("10.0.0.0", "255.0.0.0"), "unknown"],
  [ip("2001:db8::1"), ip("10.0.0.0", "255.0.0.0"), "outside"],
  [ip("2001:db8::1"), ip("2001:db8::", "ffff:ffff::"), "inside"],
  [ip("::1"), ip("2001:db8::", "ffff:ffff::"), "outside"],
];

Deno.test("relateToSubtree() compares addresses under a mask without gaps", () => {
  for (const [name, base, relation] of ADDRESS_ROWS) {
    assertEquals(relateToSubtree(name, base), relation, `${JSON.stringify([name, base])}`);
  }
});

function directory(...names: string[]): GeneralName {
  const writer = new DerWriter();
  commonName(...names)(writer);
  return { type: "directory", value: DistinguishedName.parse(writer.finish()) };
}

Deno.test("relateToSubtree() takes directory names for inside that begin with the root", () => {
  const name = directory("A", "b  c");
  for (const base of [directory(), directory("a"), directory("a", "B C")]) {
    assertEquals(relateToSubtree(name, base), "inside");
  }
  for (const base of [directory("b c"), directory("A", "b  c", "d"), directory("a", "bc")]) {
    assertEquals(relateToSubtree(name, base), "outside");
  }
});

Deno.test("relateToSubtree() does not compare types without rules, nor different types", () => {
  const raw = new Uint8Array();
  const names: GeneralName[] = [
    { type: "registeredId", value: "1.2.3" },
    { type: "x400", raw },
    { type: "ediParty", raw },
    { type: "other", oid: "1.2.3", value: raw, raw },
  ];
  for (const name of names) {
    assertEquals(relateToSubtree(name, name), "unknown");
    assertEquals(relateToSubtree({ type: "dns", value: "a.b" }, name), "outside");
  }
});

const dns = (value: string): GeneralName => ({ type: "dns", value });
const trees = (...names: GeneralName[]) => names.map((base) => ({ base }));

Deno.test("findNameConstraintViolation() holds names against both lists", () => {
  const constraints = { permitted: trees(dns("a"), dns("b")), excluded: trees(dns("x.a")) };
  const find = (...names: GeneralName[]) =>
    findNameConstraintViolation(names, constraints, () => {});
  assertEquals(find(dns("y.a"), dns("y.b"), { type: "email", value: "u@c" }), undefined);
  assertEquals(find(dns("y.a"), dns("y.c")), { name: dns("y.c"), rule: "permitted" });
  assertEquals(find(dns("y.x.a")), { name: dns("y.x.a"), rule: "excluded" });
  assertEquals(find(dns("*.y.a")), undefined);
  // What it stands for may be excluded.
  assertEquals(find(dns("*.a"))?.rule, "permitted");
});

Deno.test("findNameConstraintViolation() finds a wildcard that reaches into what is excluded", () => {
  const name = dns("*.a.b");
  const excluded = trees(dns("x.a.b"));
  assertEquals(findNameConstraintViolation([name], { excluded }, () => {})?.rule, "excluded");
  const permitted = trees(dns("x.a.b"));
  assertEquals(findNameConstraintViolation([name], { permitted }, () => {})?.rule, "permitted");
});

Deno.test("findNameConstraintViolation() takes what nobody can compare for broken", () => {
  const broken = { permitted: trees(dns("a.b"), dns("*.c")) };
  assertEquals(findNameConstraintViolation([dns("a.b")], broken, () => {})?.rule, "permitted");
  const email = { excluded: trees({ type: "email", value: "a.b" }) };
  assertEquals(findNameConstraintViolation([dns("a b")], email, () => {})?.rule, "permitted");
});

Deno.test("findNameConstraintViolation() counts every comparison, and ends where that throws", () => {
  const permitted = trees(dns("a"), { type: "email", value: "a" });
  const names = [dns("a"), dns("x.a"), dns("y.a")];
  let count = 0;
  findNameConstraintViolation(names, { permitted, excluded: trees(dns("b")) }, () => count++);
  assertEquals(count, 9);
  assertThrows(
    () =>
      findNameConstraintViolation(names, { permitted }, () => {
        throw new RangeError("enough");
      }),
    RangeError,
  );
});

Deno.test("isWellFormedName() reads no more than 63 characters of a scheme", () => {
  for (const [length, isGood] of [[63, true], [64, false], [1_000_000, false]] as const) {
    const value = `${"a".repeat(length)}:x`;
    assertEquals(isWellFormedName({ type: "uri", value }), isGood);
  }
});

Deno.test("isWellFormedName() wants mailboxes and absolute URIs", () => {
  for (const value of ["u@a.b", '"u v"@a.b']) {
    assertEquals(isWellFormedName({ type: "email", value }), true, value);
  }
  for (const value of ["", "u", "@a.b", "u@", "u@a b", "u v@a.b"]) {
    assertEquals(isWellFormedName({ type: "email", value }), false, value);
  }
  for (const value of ["https://a.b", "urn:x", "spiffe://a/b", "ldap://a.b/c"]) {
    assertEquals(isWellFormedName({ type: "uri", value }), true, value);
  }
  for (const value of ["", "a", "/a", "//a.b", "http:a", "http:../a", "https:///a", "urn:"]) {
    assertEquals(isWellFormedName({ type: "uri", value }), false, value);
  }
});

Deno.test("constrainedNames() takes mail addresses of the subject only without a subjectAltName", () => {
  const subject = DistinguishedName.parse(
    Uint8Array.fromHex("3016311430120609" + "2a864886f70d01090116056140622e63"),
  );
  const email: GeneralName = { type: "email", value: "a@b.c" };
  const directoryName: GeneralName = { type: "directory", value: subject };
  assertEquals(constrainedNames({ subject, subjectAltName: undefined }), [directoryName, email]);
  assertEquals(constrainedNames({ subject, subjectAltName: [dns("a")] }), [
    dns("a"),
    directoryName,
  ]);
  const { value: empty } = directory() as { value: DistinguishedName };
  assertEquals(constrainedNames({ subject: empty, subjectAltName: [dns("a")] }), [dns("a")]);
});
