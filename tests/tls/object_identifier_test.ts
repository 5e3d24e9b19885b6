import { assertEquals, assertThrows } from "@std/assert";
import { CertificateError } from "../../tls/certificate_errors.ts";
import {
  checkObjectIdentifier,
  decodeObjectIdentifier,
  encodeObjectIdentifier,
  objectIdentifierName,
} from "../../tls/object_identifier.ts";

const VALID: readonly (readonly [oid: string, content: readonly number[]])[] = [
  ["0.0", [0]],
  ["0.39", [39]],
  ["1.0", [40]],
  ["1.39", [79]],
  ["2.0", [80]],
  ["2.39", [119]],
  ["2.40", [120]],
  ["2.47", [127]],
  ["2.48", [0x81, 0]],
  ["2.999.3", [0x88, 0x37, 3]],
  ["1.2.127", [42, 127]],
  ["1.2.128", [42, 0x81, 0]],
  ["1.2.840.113549", [42, 0x86, 0x48, 0x86, 0xf7, 0x0d]],
  ["1.2.9007199254740993", [42, 0x90, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
  [`1.2.${2n ** 133n - 1n}`, [42, ...new Array(18).fill(0xff), 0x7f]],
  [`2.${2n ** 133n - 81n}`, [...new Array(18).fill(0xff), 0x7f]],
];

for (const [oid, content] of VALID) {
  Deno.test(`decodeObjectIdentifier() reads what encodeObjectIdentifier() writes: ${oid}`, () => {
    assertEquals(encodeObjectIdentifier(oid), new Uint8Array(content));
    assertEquals(decodeObjectIdentifier(new Uint8Array(content)), oid);
  });
}

for (
  const { name, content } of [
    { name: "nothing", content: [] },
    { name: "an arc that is cut off", content: [42, 0x81] },
    { name: "an arc that starts with a zero", content: [42, 0x80, 1] },
    { name: "a first arc that starts with a zero", content: [0x80, 1] },
    { name: "an arc of 20 bytes", content: [42, ...new Array(19).fill(0xff), 0x7f] },
  ]
) {
  Deno.test(`decodeObjectIdentifier() throws on ${name}`, () => {
    const bytes = new Uint8Array(content);
    const error = assertThrows(() => decodeObjectIdentifier(bytes), CertificateError);
    assertEquals(error.code, "ERR_X509_BAD_DER");
    assertThrows(() => checkObjectIdentifier(bytes, 0, bytes.length), CertificateError);
  });
}

Deno.test("decodeObjectIdentifier() reads a part of a buffer", () => {
  assertEquals(decodeObjectIdentifier(new Uint8Array([0xff, 42, 3, 0xff]), 1, 3), "1.2.3");
});

for (
  const oid of [
    "",
    "1",
    "1.",
    "3.1",
    "0.40",
    "1.40",
    "1.2.03",
    "1.2.-3",
    "1.2.x",
    "1..2",
    ` 1.2`,
    `1.2.${2n ** 133n}`,
    `2.${2n ** 133n - 80n}`,
  ]
) {
  Deno.test(`encodeObjectIdentifier() throws on ${JSON.stringify(oid)}`, () => {
    assertThrows(() => encodeObjectIdentifier(oid), TypeError);
  });
}

Deno.test("objectIdentifierName() names what is known", () => {
  assertEquals(objectIdentifierName("1.3.101.112"), "ED25519");
  assertEquals(objectIdentifierName("1.2.3"), undefined);
});
