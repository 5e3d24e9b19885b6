import { assert, assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { RdataText } from "../../dns/rdata_text.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

type Read = (text: RdataText) => unknown;

const ORIGIN = "example.";

/** What a method reads, bytes as characters; then nothing is left. */
const VALID: readonly { name: string; text: string; read: Read; value: unknown }[] = [
  { name: "token()", text: "a\\.b", read: (text) => text.token(), value: "a\\.b" },
  { name: "token() in quotes", text: '"a\\" b"', read: (text) => text.token(), value: 'a\\" b' },
  {
    name: "name() below the origin",
    text: "www",
    read: (text) => text.name(),
    value: "www.example.",
  },
  { name: "name() @", text: "@", read: (text) => text.name(), value: "example." },
  { name: "name() absolute", text: "a.B.", read: (text) => text.name(), value: "a.B." },
  {
    name: "name() of bytes",
    text: "\xe9\\\xe8.",
    read: (text) => text.name(),
    value: "\\195\\169\\195\\168.",
  },
  { name: "u8()", text: "0255", read: (text) => text.u8(), value: 255 },
  { name: "u16()", text: "65535", read: (text) => text.u16(), value: 65_535 },
  { name: "u32()", text: "4294967295", read: (text) => text.u32(), value: 4_294_967_295 },
  { name: "integer()", text: "7", read: (text) => text.integer(7), value: 7 },
  { name: "ttl()", text: "1h", read: (text) => text.ttl(), value: 3_600 },
  {
    name: "characterString()",
    text: 'a\\"\\032',
    read: (text) => text.characterString(),
    value: 'a" ',
  },
  {
    name: "characterString() empty",
    text: '""',
    read: (text) => text.characterString(),
    value: "",
  },
  {
    name: "characterString() of 255",
    text: "\\000".repeat(255),
    read: (text) => text.characterString(),
    value: "\0".repeat(255),
  },
  {
    name: "stringBytes()",
    text: "a".repeat(300),
    read: (text) => text.stringBytes(),
    value: "a".repeat(300),
  },
  { name: "hex()", text: "00fFAb", read: (text) => text.hex(), value: "\x00\xff\xab" },
  { name: "hexRest()", text: "0 0f (\n F)", read: (text) => text.hexRest(), value: "\x00\xff" },
  { name: "base64Rest()", text: "Zm 9 vYg=\n=", read: (text) => text.base64Rest(), value: "foob" },
  {
    name: "base64Rest() without padding",
    text: "Zm9v",
    read: (text) => text.base64Rest(),
    value: "foo",
  },
  { name: "base32hex()", text: "CPNMUOJ1", read: (text) => text.base32hex(), value: "fooba" },
  { name: "base32hex() short", text: "cpnmuog", read: (text) => text.base32hex(), value: "foob" },
  { name: "base32hex() padded", text: "CO======", read: (text) => text.base32hex(), value: "f" },
];

for (const { name, text, read, value } of VALID) {
  Deno.test(`RdataText.${name}`, () => {
    const reader = RdataText.from(text.replace("\n", "(\n)"), { origin: ORIGIN });
    const got = read(reader);
    assertEquals(got instanceof Uint8Array ? textOf(got) : got, value);
    assert(reader.atEnd);
  });
}

const INVALID: readonly { name: string; text: string; read: Read; code: string }[] = [
  { name: "token() of nothing", text: "", read: (text) => text.token(), code: "ERR_DNS_BAD_RDATA" },
  { name: "name() in quotes", text: '"a"', read: (text) => text.name(), code: "ERR_DNS_BAD_NAME" },
  {
    name: "name() with an empty label",
    text: "a..b",
    read: (text) => text.name(),
    code: "ERR_DNS_BAD_NAME",
  },
  { name: "u8() above", text: "256", read: (text) => text.u8(), code: "ERR_DNS_BAD_RDATA" },
  { name: "u16() above", text: "65536", read: (text) => text.u16(), code: "ERR_DNS_BAD_RDATA" },
  {
    name: "u32() above",
    text: "4294967296",
    read: (text) => text.u32(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "u8() of many digits",
    text: "9".repeat(400),
    read: (text) => text.u8(),
    code: "ERR_DNS_BAD_RDATA",
  },
  { name: "u8() below", text: "-1", read: (text) => text.u8(), code: "ERR_DNS_BAD_RDATA" },
  { name: "u8() in quotes", text: '"1"', read: (text) => text.u8(), code: "ERR_DNS_BAD_RDATA" },
  { name: "u8() of letters", text: "0x1", read: (text) => text.u8(), code: "ERR_DNS_BAD_RDATA" },
  { name: "ttl()", text: "1y", read: (text) => text.ttl(), code: "ERR_DNS_BAD_TTL" },
  {
    name: "characterString() of 256",
    text: "a".repeat(256),
    read: (text) => text.characterString(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "characterString() of few digits",
    text: "\\12",
    read: (text) => text.characterString(),
    code: "ERR_DNS_BAD_ESCAPE",
  },
  {
    name: "characterString() of no digits",
    text: "\\1a2",
    read: (text) => text.characterString(),
    code: "ERR_DNS_BAD_ESCAPE",
  },
  {
    name: "characterString() above 255",
    text: "\\256",
    read: (text) => text.characterString(),
    code: "ERR_DNS_BAD_ESCAPE",
  },
  {
    name: "characterString() with a quote",
    text: 'a"b"',
    read: (text) => text.characterString(),
    code: "ERR_DNS_UNBALANCED",
  },
  { name: "hex() odd", text: "012", read: (text) => text.hex(), code: "ERR_DNS_BAD_RDATA" },
  { name: "hex() of letters", text: "0g", read: (text) => text.hex(), code: "ERR_DNS_BAD_RDATA" },
  {
    name: "hexRest() of nothing",
    text: "",
    read: (text) => text.hexRest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "hexRest() in quotes",
    text: '00 "00"',
    read: (text) => text.hexRest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base64Rest() of nothing",
    text: "",
    read: (text) => text.base64Rest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base64Rest() too short",
    text: "Zm9vY",
    read: (text) => text.base64Rest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base64Rest() without padding",
    text: "Zg",
    read: (text) => text.base64Rest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base64Rest() padded in the middle",
    text: "Zg== Zg==",
    read: (text) => text.base64Rest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base64Rest() of padding",
    text: "====",
    read: (text) => text.base64Rest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base64Rest() of another alphabet",
    text: "Zm9_",
    read: (text) => text.base64Rest(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base32hex() of letters",
    text: "CPNW",
    read: (text) => text.base32hex(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base32hex() too short",
    text: "C",
    read: (text) => text.base32hex(),
    code: "ERR_DNS_BAD_RDATA",
  },
  {
    name: "base32hex() with bits left",
    text: "CP",
    read: (text) => text.base32hex(),
    code: "ERR_DNS_BAD_RDATA",
  },
];

for (const { name, text, read, code } of INVALID) {
  Deno.test(`RdataText throws on ${name}`, () => {
    const error = assertThrows(() => read(RdataText.from(text, { origin: ORIGIN })), DnsTextError);
    assertEquals(error.code, code);
  });
}

Deno.test("RdataText.name() refuses relative names without an origin", () => {
  for (const name of ["a", "@"]) {
    const error = assertThrows(() => RdataText.from(name).name(), DnsTextError);
    assertEquals(error.code, "ERR_DNS_BAD_NAME");
  }
});

Deno.test("RdataText.peek() shows the next token, but none in quotes", () => {
  const text = RdataText.from('a "b"');
  assertEquals([text.peek(), text.token(), text.wasQuoted], ["a", "a", false]);
  assertEquals([text.peek(), text.token(), text.wasQuoted], [undefined, "b", true]);
  assertEquals([text.peek(), text.atEnd], [undefined, true]);
});

Deno.test("RdataText.bytesOf() drops quotes around a part of a token", () => {
  const text = RdataText.from("a");
  assertEquals(text.bytesOf('"a\\"b"'), bytesOf('a"b'));
  for (const part of ['"', '"a', 'a"', '"a"b"']) {
    const error = assertThrows(() => text.bytesOf(part), DnsTextError);
    assertEquals(error.code, "ERR_DNS_UNBALANCED");
  }
  const error = assertThrows(() => text.bytesOf('"a\\"'), DnsTextError);
  assertEquals(error.code, "ERR_DNS_BAD_ESCAPE");
});

Deno.test("RdataText.fail() tells the place of the token last read", () => {
  const text = RdataText.from("a (\n  b )");
  text.token();
  text.token();
  const error = assertThrows(() => text.fail("no"), DnsTextError);
  assertEquals([error.line, error.column], [2, 3]);
});

Deno.test("RdataText.token() tells the place behind the last token", () => {
  const text = RdataText.from("abc");
  text.token();
  const error = assertThrows(() => text.token(), DnsTextError);
  assertEquals([error.line, error.column], [1, 4]);
});
