import { assertEquals, assertThrows } from "@std/assert";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import {
  readSubjectPublicKeyInfo,
  type SubjectPublicKeyInfo,
} from "../../tls/subject_public_key_info.ts";

type Write = (writer: DerWriter) => void;

const RSA = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const EC = "1.2.840.10045.2.1";
const P256 = "1.2.840.10045.3.1.7";
const ED25519 = "1.3.101.112";

const writeNull: Write = (writer) => writer.writeNull();
const curve = (oid: string): Write => (writer) => writer.writeObjectIdentifier(oid);
const nothing: Write = () => {};

function encode(write: Write): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  write(writer);
  return writer.finish();
}

function spki(
  oid: string,
  parameters: Write,
  publicKey: Uint8Array,
  unusedBitCount = 0,
): Uint8Array<ArrayBuffer> {
  return encode((writer) =>
    writer.writeSequence(() => {
      writer.writeSequence(() => {
        writer.writeObjectIdentifier(oid);
        parameters(writer);
      });
      writer.writeBitString(publicKey, unusedBitCount);
    })
  );
}

function rsaKey(modulus: Uint8Array | bigint, exponent: number | bigint): Uint8Array<ArrayBuffer> {
  return encode((writer) =>
    writer.writeSequence(() => {
      writer.writeInteger(modulus);
      writer.writeInteger(exponent);
    })
  );
}

function read(der: Uint8Array<ArrayBuffer>): SubjectPublicKeyInfo {
  const reader = new DerReader(der);
  const key = readSubjectPublicKeyInfo(reader);
  reader.finish();
  return key;
}

const filled = (length: number, first: number): Uint8Array =>
  new Uint8Array(length).fill(1).fill(first, 0, 1);

for (
  const [bits, modulus] of [
    [2048, filled(256, 0x80)],
    [2047, filled(256, 0x40)],
    [2041, filled(256, 0x01)],
    [2040, filled(255, 0xff)],
    [1, new Uint8Array([1])],
  ] as const
) {
  Deno.test(`readSubjectPublicKeyInfo() counts the ${bits} bits of a modulus`, () => {
    for (const [oid, parameters] of [[RSA, writeNull], [RSA_PSS, nothing]] as const) {
      const der = spki(oid, parameters, rsaKey(modulus, 65_537));
      const key = read(der);
      assertEquals(key.modulusBits, bits);
      assertEquals(key.publicExponent, new Uint8Array([1, 0, 1]));
      assertEquals([key.raw, key.algorithm.oid], [der, oid]);
      assertEquals(key.publicKey, rsaKey(modulus, 65_537));
    }
  });
}

Deno.test("readSubjectPublicKeyInfo() knows curves, and points in both forms", () => {
  const curves = [[P256, "P-256", 32], ["1.3.132.0.34", "P-384", 48], [
    "1.3.132.0.35",
    "P-521",
    66,
  ]];
  for (const [oid, name, size] of curves as [string, string, number][]) {
    for (const point of [filled(1 + 2 * size, 4), filled(1 + size, 2), filled(1 + size, 3)]) {
      assertEquals(read(spki(EC, curve(oid), point)).namedCurve, name);
    }
  }
  assertEquals(read(spki(EC, curve("1.3.132.0.10"), filled(3, 9))).namedCurve, "secp256k1");
  assertEquals(read(spki(EC, curve("1.2.3"), filled(3, 9))).namedCurve, "1.2.3");
});

Deno.test("readSubjectPublicKeyInfo() keeps keys of other kinds as they are", () => {
  const key = read(spki("1.2.3.4", writeNull, new Uint8Array([1, 2, 3])));
  assertEquals(key.publicKey, new Uint8Array([1, 2, 3]));
  assertEquals([key.namedCurve, key.modulusBits, key.publicExponent], [
    undefined,
    undefined,
    undefined,
  ]);
  for (
    const [oid, size] of [["1.3.101.110", 32], ["1.3.101.111", 56], [ED25519, 32], [
      "1.3.101.113",
      57,
    ]] as const
  ) {
    assertEquals(read(spki(oid, nothing, filled(size, 1))).publicKey.length, size);
  }
});

Deno.test("readSubjectPublicKeyInfo() leaves what stands behind the key", () => {
  const key = spki(ED25519, nothing, filled(32, 1));
  const reader = new DerReader(new Uint8Array([...key, 5, 0]));
  assertEquals(readSubjectPublicKeyInfo(reader).raw, key);
  assertEquals(reader.offset, key.length);
});

const modulus = filled(256, 0x80);
const trailing = new Uint8Array([...rsaKey(modulus, 3), 0]);
const bare: Write = (writer) => writer.writeSequence(() => {});

for (
  const [what, der] of [
    ["unused bits", spki(ED25519, nothing, filled(32, 2), 1)],
    ["an RSA key without NULL", spki(RSA, nothing, rsaKey(modulus, 3))],
    ["an RSA key with other parameters", spki(RSA, bare, rsaKey(modulus, 3))],
    ["a modulus of zero", spki(RSA, writeNull, rsaKey(0n, 3))],
    ["a negative modulus", spki(RSA, writeNull, rsaKey(-129n, 3))],
    ["an exponent of zero", spki(RSA, writeNull, rsaKey(modulus, 0))],
    ["a negative exponent", spki(RSA, writeNull, rsaKey(modulus, -3))],
    ["an RSA key that is no sequence", spki(RSA, writeNull, new Uint8Array([2, 1, 1]))],
    ["an RSA key with something behind it", spki(RSA, writeNull, trailing)],
    ["an RSA key for PSS that is none", spki(RSA_PSS, nothing, new Uint8Array([0x30, 0]))],
    ["an empty RSA key", spki(RSA, writeNull, new Uint8Array())],
    ["an elliptic key without a curve", spki(EC, nothing, filled(65, 4))],
    ["an elliptic key with an implicit curve", spki(EC, writeNull, filled(65, 4))],
    ["an elliptic key with an explicit curve", spki(EC, bare, filled(65, 4))],
    ["a point that is too short", spki(EC, curve(P256), filled(64, 4))],
    ["a point that is too long", spki(EC, curve(P256), filled(66, 4))],
    ["a point in no known form", spki(EC, curve(P256), filled(65, 6))],
    ["the point at infinity", spki(EC, curve(P256), new Uint8Array([0]))],
    ["an empty point", spki(EC, curve(P256), new Uint8Array())],
    ["a short Edwards key", spki(ED25519, nothing, filled(31, 1))],
    ["a long Edwards key", spki(ED25519, nothing, filled(33, 1))],
    ["an Edwards key with parameters", spki(ED25519, writeNull, filled(32, 1))],
  ] as const
) {
  Deno.test(`readSubjectPublicKeyInfo() throws on ${what}`, () => {
    const error = assertThrows(() => read(der), CertificateError);
    assertEquals(error.code, "ERR_X509_BAD_PUBLIC_KEY");
  });
}

Deno.test("readSubjectPublicKeyInfo() throws on every strict prefix, as on what is no DER", () => {
  const der = spki(EC, curve(P256), filled(65, 4));
  for (let length = 0; length < der.length; length++) {
    const error = assertThrows(() => read(der.slice(0, length)), CertificateError);
    assertEquals(error.code, "ERR_X509_BAD_DER");
  }
});
