import { assertEquals, assertThrows } from "@std/assert";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import { readGeneralName, readGeneralNames } from "../../tls/general_name.ts";
import { commonName } from "./certificate_builder.ts";

type Write = (writer: DerWriter) => void;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function encode(write: Write): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  write(writer);
  return writer.finish();
}

function read(der: Uint8Array<ArrayBuffer>, isConstraint = false) {
  const reader = new DerReader(der);
  const name = readGeneralName(reader, { isConstraint });
  reader.finish();
  return name;
}

const primitive = (tag: number, bytes: Uint8Array): Write => (writer) =>
  writer.writeContextPrimitive(tag, bytes);

const other: Write = (writer) =>
  writer.writeContext(0, () => {
    writer.writeObjectIdentifier("1.2.3");
    writer.writeContext(0, () => writer.writeUtf8String("x"));
  });

Deno.test("readGeneralName() reads text as it came", () => {
  for (const [tag, type] of [[1, "email"], [2, "dns"], [6, "uri"]] as const) {
    for (const value of ["", "WWW.Example.com", "a\0b", "\x7f\r\n"]) {
      assertEquals(read(encode(primitive(tag, ascii(value)))), { type, value });
    }
  }
});

Deno.test("readGeneralName() reads addresses, with a mask in constraints only", () => {
  for (const length of [4, 16]) {
    const value = new Uint8Array(length).fill(7);
    assertEquals(read(encode(primitive(7, value))), { type: "ip", value });
    const masked = new Uint8Array(2 * length).fill(7);
    assertEquals(read(encode(primitive(7, masked)), true), { type: "ip", value: masked });
  }
});

Deno.test("readGeneralName() reads the kinds that have a structure", () => {
  const directory = read(encode((writer) => writer.writeContext(4, () => commonName("x")(writer))));
  assertEquals(directory.type === "directory" && `${directory.value}`, "CN=x");
  const registered = read(encode(primitive(8, new Uint8Array([0x2a, 3]))));
  assertEquals(registered, { type: "registeredId", value: "1.2.3" });
  const raw = encode(other);
  const value = new Uint8Array([0x0c, 1, 0x78]);
  assertEquals(read(raw), { type: "other", oid: "1.2.3", value, raw });
});

Deno.test("readGeneralName() keeps what it does not look into", () => {
  for (const [tag, type] of [[3, "x400"], [5, "ediParty"]] as const) {
    const raw = encode((writer) => writer.writeContext(tag, () => writer.writeNull()));
    assertEquals(read(raw), { type, raw });
  }
});

Deno.test("readGeneralNames() reads names in order, at least one", () => {
  const list = (...names: Write[]): Uint8Array<ArrayBuffer> =>
    encode((writer) => writer.writeSequence(() => names.forEach((write) => write(writer))));
  const one = primitive(2, ascii("a"));
  const names = readGeneralNames(new DerReader(list(one, primitive(1, ascii("b")))), 0x30);
  assertEquals(names.map(({ type }) => type), ["dns", "email"]);
  assertThrows(() => readGeneralNames(new DerReader(list()), 0x30), CertificateError);
});

const BROKEN: readonly (readonly [what: string, write: Write, isConstraint?: boolean])[] = [
  ["text that is not ASCII", primitive(2, new Uint8Array([0x61, 0x80]))],
  ["an address of no byte", primitive(7, new Uint8Array())],
  ["an address of 3 bytes", primitive(7, new Uint8Array(3))],
  ["an address of 5 bytes", primitive(7, new Uint8Array(5))],
  ["an address with a mask", primitive(7, new Uint8Array(8))],
  ["an address of 32 bytes", primitive(7, new Uint8Array(32))],
  ["an address without a mask", primitive(7, new Uint8Array(4)), true],
  ["a longer address without a mask", primitive(7, new Uint8Array(16)), true],
  ["a tag that no kind has", primitive(9, new Uint8Array())],
  ["a universal tag", (writer) => writer.writeIa5String("a.example")],
  ["a constructed text", (writer) => writer.writeContext(2, () => writer.writeIa5String("a"))],
  ["a primitive directory name", primitive(4, encode(commonName("x")))],
  ["a directory name without its own tag", (writer) => writer.writeContext(4, () => {})],
  ["two directory names", (writer) =>
    writer.writeContext(4, () => {
      commonName("x")(writer);
      commonName("y")(writer);
    })],
  ["an empty identifier", primitive(8, new Uint8Array())],
  [
    "another name without a value",
    (writer) => writer.writeContext(0, () => writer.writeObjectIdentifier("1.2.3")),
  ],
  ["another name with an empty value", (writer) =>
    writer.writeContext(0, () => {
      writer.writeObjectIdentifier("1.2.3");
      writer.writeContext(0, () => {});
    })],
  ["another name with two values", (writer) =>
    writer.writeContext(0, () => {
      writer.writeObjectIdentifier("1.2.3");
      writer.writeContext(0, () => {
        writer.writeNull();
        writer.writeNull();
      });
    })],
];

for (const [what, write, isConstraint] of BROKEN) {
  Deno.test(`readGeneralName() throws on ${what}`, () => {
    assertThrows(() => read(encode(write), isConstraint), CertificateError);
  });
}

Deno.test("readGeneralName() throws on every strict prefix", () => {
  for (const write of [other, primitive(2, ascii("www.example.com"))]) {
    const der = encode(write);
    for (let length = 0; length < der.length; length++) {
      assertThrows(() => read(der.slice(0, length)), CertificateError);
    }
  }
});
