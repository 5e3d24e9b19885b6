import { assertEquals, assertThrows } from "@std/assert";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { DerTag } from "../../tls/der_reader.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import { DistinguishedName } from "../../tls/distinguished_name.ts";

/** An attribute: its type, the tag of its value, the value. */
type Attribute = readonly [oid: string, tag: number, value: string | readonly number[]];

const CN = "2.5.4.3";
const { UTF8_STRING, PRINTABLE_STRING, IA5_STRING, TELETEX_STRING, BMP_STRING } = DerTag;

function nameDer(rdns: readonly (readonly Attribute[])[]): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  writer.writeSequence(() => {
    for (const rdn of rdns) {
      writer.writeSet(() => {
        for (const [oid, tag, value] of rdn) {
          writer.writeSequence(() => {
            writer.writeObjectIdentifier(oid);
            writer.writeElement(
              tag,
              typeof value === "string" ? new TextEncoder().encode(value) : new Uint8Array(value),
            );
          });
        }
      });
    }
  });
  return writer.finish();
}

const nameOf = (...rdns: (readonly Attribute[])[]): DistinguishedName =>
  DistinguishedName.parse(nameDer(rdns));
const cn = (value: string, tag: number = UTF8_STRING): DistinguishedName =>
  nameOf([[CN, tag, value]]);

for (
  const [value, text] of [
    ["example.com", "CN=example.com"],
    ["", "CN="],
    [" a ", "CN=\\ a\\ "],
    ["a b", "CN=a b"],
    [" ", "CN=\\ "],
    ["#a#", "CN=\\#a#"],
    ['a,b+c"d\\e<f>g;h=i', 'CN=a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h=i'],
    ["a\0b\nc\x7fd\x85", "CN=a\\00b\\0Ac\\7Fd\\C2\\85"],
    ["Müller 💡", "CN=Müller 💡"],
  ] as const
) {
  Deno.test(`DistinguishedName.toString() spells ${JSON.stringify(value)}`, () => {
    assertEquals(cn(value).toString(), text);
    assertEquals(cn(value).commonName, value);
  });
}

Deno.test("DistinguishedName.toString() puts the most specific part first", () => {
  const name = nameOf(
    [["2.5.4.6", PRINTABLE_STRING, "FR"]],
    [[CN, UTF8_STRING, "a"], ["2.5.4.11", UTF8_STRING, "b"]],
    [["1.2.3", UTF8_STRING, "c"]],
  );
  assertEquals(name.toString(), "1.2.3=#0c0163,CN=a+OU=b,C=FR");
  assertEquals(name.rdns[0]![0]!.name, "C");
  assertEquals(name.isEmpty, false);
});

Deno.test("DistinguishedName shows what is no string in hexadecimal digits", () => {
  const name = nameOf([["2.5.4.45", DerTag.BIT_STRING, [0, 1]]]);
  assertEquals(name.toString(), "x500UniqueIdentifier=#03020001");
  assertEquals(name.rdns[0]![0]!.value, "#03020001");
});

Deno.test("DistinguishedName reads every type of string", () => {
  assertEquals(cn("a", PRINTABLE_STRING).commonName, "a");
  assertEquals(cn("a@b", IA5_STRING).commonName, "a@b");
  assertEquals(nameOf([[CN, TELETEX_STRING, [0xfc]]]).commonName, "ü");
  assertEquals(nameOf([[CN, BMP_STRING, [0, 0x41, 0x20, 0xac]]]).commonName, "A€");
  const wide = [0, 0, 0, 0x41, 0, 1, 0xf4, 0xa1];
  assertEquals(nameOf([[CN, DerTag.UNIVERSAL_STRING, wide]]).commonName, "A💡");
  assertEquals(nameOf([[CN, DerTag.NUMERIC_STRING, "1 2"]]).commonName, "1 2");
  assertEquals(nameOf([[CN, DerTag.VISIBLE_STRING, "~"]]).commonName, "~");
});

Deno.test("DistinguishedName without a part is empty", () => {
  const name = nameOf();
  assertEquals([name.toString(), name.isEmpty, name.commonName], ["", true, undefined]);
  assertEquals(name.rdnKeys, []);
});

Deno.test("DistinguishedName.commonName is the most specific one", () => {
  assertEquals(nameOf([[CN, UTF8_STRING, "a"]], [[CN, UTF8_STRING, "b"]]).commonName, "b");
});

for (
  const [name, one, other] of [
    ["case", cn("Example"), cn("eXAMPLE")],
    ["blanks", cn("  a \t b "), cn("a b")],
    ["the type of string", cn("a"), cn("a", PRINTABLE_STRING)],
    ["compatible characters", cn("ﬁ"), cn("fi")],
    [
      "the order in a set",
      nameOf([[CN, UTF8_STRING, "a"], ["2.5.4.11", UTF8_STRING, "b"]]),
      nameOf([[CN, IA5_STRING, "a"], ["2.5.4.11", UTF8_STRING, "b"]]),
    ],
  ] as const
) {
  Deno.test(`DistinguishedName.equals() passes over ${name}`, () => {
    assertEquals([one.equals(other), other.equals(one)], [true, true]);
    assertEquals(one.rdnKeys, other.rdnKeys);
  });
}

for (
  const [name, one, other] of [
    ["a value", cn("a"), cn("b")],
    ["a type", cn("a"), nameOf([["2.5.4.11", UTF8_STRING, "a"]])],
    ["a part less", cn("a"), nameOf([[CN, UTF8_STRING, "a"]], [[CN, UTF8_STRING, "b"]])],
    [
      "one set for two",
      nameOf([[CN, UTF8_STRING, "a"], [CN, UTF8_STRING, "b"]]),
      nameOf([[CN, UTF8_STRING, "a"]], [[CN, UTF8_STRING, "b"]]),
    ],
    [
      "the order of sets",
      nameOf([[CN, UTF8_STRING, "a"]], [[CN, UTF8_STRING, "b"]]),
      nameOf([[CN, UTF8_STRING, "b"]], [[CN, UTF8_STRING, "a"]]),
    ],
    [
      "a value that looks like two",
      cn("a+2.5.4.3:1:b"),
      nameOf([[CN, UTF8_STRING, "a"], [
        CN,
        UTF8_STRING,
        "b",
      ]]),
    ],
    [
      "digits of what is no string",
      nameOf([["2.5.4.45", DerTag.BIT_STRING, [0, 1]]]),
      nameOf([["2.5.4.45", DerTag.BIT_STRING, [0, 2]]]),
    ],
  ] as const
) {
  Deno.test(`DistinguishedName.equals() tells apart by ${name}`, () => {
    assertEquals([one.equals(other), other.equals(one)], [false, false]);
  });
}

const wrong = (tag: number, value: string | readonly number[]) => nameDer([[[CN, tag, value]]]);

for (
  const [name, der, code] of [
    ["no sequence", new Uint8Array([0x31, 0]), "ERR_X509_BAD_DER"],
    ["an empty set", new Uint8Array([0x30, 2, 0x31, 0]), "ERR_X509_BAD_DER"],
    ["something behind it", new Uint8Array([0x30, 0, 0]), "ERR_X509_BAD_DER"],
    ["an asterisk in a PrintableString", wrong(PRINTABLE_STRING, "*"), "ERR_X509_BAD_NAME"],
    ["a broken UTF-8", wrong(UTF8_STRING, [0xc3]), "ERR_X509_BAD_NAME"],
    ["an overlong UTF-8", wrong(UTF8_STRING, [0xc0, 0x80]), "ERR_X509_BAD_NAME"],
    ["a surrogate in UTF-8", wrong(UTF8_STRING, [0xed, 0xa0, 0x80]), "ERR_X509_BAD_NAME"],
    ["a high byte in an IA5String", wrong(IA5_STRING, [0x80]), "ERR_X509_BAD_NAME"],
    ["half a character of a BMPString", wrong(BMP_STRING, [0]), "ERR_X509_BAD_NAME"],
    ["a surrogate in a BMPString", wrong(BMP_STRING, [0xd8, 0]), "ERR_X509_BAD_NAME"],
    [
      "a character beyond Unicode",
      wrong(DerTag.UNIVERSAL_STRING, [0, 0x11, 0, 0]),
      "ERR_X509_BAD_NAME",
    ],
    ["a letter in a NumericString", wrong(DerTag.NUMERIC_STRING, "a"), "ERR_X509_BAD_NAME"],
    ["a control in a VisibleString", wrong(DerTag.VISIBLE_STRING, "\n"), "ERR_X509_BAD_NAME"],
  ] as const
) {
  Deno.test(`DistinguishedName.parse() throws on ${name}`, () => {
    assertEquals(assertThrows(() => DistinguishedName.parse(der), CertificateError).code, code);
  });
}

Deno.test("DistinguishedName.parse() throws on a set that is not in order", () => {
  const der = nameDer([[[CN, UTF8_STRING, "a"], [CN, UTF8_STRING, "b"]]]);
  const swapped = der.slice();
  const [a, b] = [der.indexOf(0x61), der.indexOf(0x62)];
  [swapped[a], swapped[b]] = [0x62, 0x61];
  const error = assertThrows(() => DistinguishedName.parse(swapped), CertificateError);
  assertEquals(error.code, "ERR_X509_BAD_NAME");
});

Deno.test("DistinguishedName.parse() copies its input", () => {
  const der = nameDer([[[CN, UTF8_STRING, "a"]]]);
  const name = DistinguishedName.parse(der);
  der.fill(0);
  assertEquals(name.toString(), "CN=a");
});
