import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { RdataText } from "../../dns/rdata_text.ts";
import { svcParamCodec } from "../../dns/svc_param_codec.ts";
import { parseSvcParamKey } from "../../dns/svc_param_key.ts";
import { WireReader } from "../../dns/wire_reader.ts";
import { WireWriter } from "../../dns/wire_writer.ts";

function codecOf(name: string): ReturnType<typeof svcParamCodec> {
  return svcParamCodec(parseSvcParamKey(name)!);
}

function parse(name: string, value: string | undefined): unknown {
  const text = RdataText.from("x");
  text.token();
  return codecOf(name).parse(value, text);
}

function encode(name: string, value: unknown): string {
  const writer = new WireWriter();
  codecOf(name).encode(writer, value);
  return writer.finish().toHex();
}

function decode(name: string, hex: string): unknown {
  const reader = new WireReader(Uint8Array.fromHex(hex));
  const value = codecOf(name).decode(reader);
  if (reader.remaining > 0) reader.fail("bytes are left");
  return value;
}

const VALID: readonly {
  name: string;
  value: unknown;
  hex: string;
  text: string | undefined;
}[] = [
  { name: "mandatory", value: ["alpn", "key65535"], hex: "0001ffff", text: "alpn,key65535" },
  {
    name: "alpn",
    value: ["h2", "a,b\\\xff"],
    hex: "02683205612c625cff",
    text: String.raw`"h2,a\\,b\\\\\255"`,
  },
  { name: "no-default-alpn", value: true, hex: "", text: undefined },
  { name: "port", value: 65_535, hex: "ffff", text: "65535" },
  {
    name: "ipv4hint",
    value: ["192.0.2.1", "0.0.0.0"],
    hex: "c000020100000000",
    text: "192.0.2.1,0.0.0.0",
  },
  { name: "ech", value: new Uint8Array([0, 1, 2]), hex: "000102", text: "AAEC" },
  { name: "ipv6hint", value: ["::1"], hex: `${"00".repeat(15)}01`, text: "::1" },
  {
    name: "dohpath",
    value: "/ä{?dns}",
    hex: "2fc3a47b3f646e737d",
    text: String.raw`"/\195\164{?dns}"`,
  },
  { name: "ohttp", value: true, hex: "", text: undefined },
  { name: "tls-supported-groups", value: [29, 23], hex: "001d0017", text: "29,23" },
  { name: "tls-supported-groups", value: [], hex: "", text: undefined },
  { name: "docpath", value: [new Uint8Array([0x61])], hex: "0161", text: '"a"' },
  { name: "docpath", value: [], hex: "", text: undefined },
  { name: "pvd", value: true, hex: "", text: undefined },
  { name: "key65280", value: new Uint8Array([0x22, 0]), hex: "2200", text: String.raw`"\"\000"` },
  { name: "key65280", value: new Uint8Array(0), hex: "", text: undefined },
];

for (const { name, value, hex, text } of VALID) {
  Deno.test(`svcParamCodec() reads and writes ${name} of "${text}"`, () => {
    assertEquals(encode(name, value), hex);
    assertEquals(decode(name, hex), value);
    assertEquals(codecOf(name).print(value), text);
    assertEquals(parse(name, text), value);
  });
}

/** One value in two forms of text. */
const OTHER_FORMS: readonly (readonly [name: string, text: string, value: unknown])[] = [
  ["mandatory", '"key2,alpn"', ["alpn", "no-default-alpn"]],
  ["alpn", "h2", ["h2"]],
  ["port", '"080"', 80],
  ["ipv6hint", '"2001:DB8:0::"', ["2001:db8::"]],
  ["ech", '"AAEC"', new Uint8Array([0, 1, 2])],
  ["no-default-alpn", '""', true],
];

for (const [name, text, value] of OTHER_FORMS) {
  Deno.test(`svcParamCodec() reads ${name} of ${text}`, () => {
    assertEquals(parse(name, text), value);
  });
}

Deno.test("svcParamCodec() refuses wire that is no value", () => {
  const rows = [["mandatory", ""], ["mandatory", "0000"], ["alpn", ""], ["port", "01"]] as const;
  for (
    const [name, hex] of [...rows, ["ech", ""], ["ipv4hint", "c00002"], ["pvd", "00"]] as const
  ) {
    assertThrows(() => decode(name, hex), DnsMessageError);
  }
});

Deno.test("svcParamCodec() refuses text that is no value", () => {
  const rows = [["mandatory", undefined], ["alpn", '""'], ["port", "-1"], ["pvd", "x"]] as const;
  for (const [name, text] of [...rows, ["tls-supported-groups", "1,1"], ["ech", "AA"]] as const) {
    assertThrows(() => parse(name, text), DnsTextError);
  }
});

Deno.test("svcParamCodec() refuses values that fit no wire", () => {
  const rows = [["mandatory", []], ["alpn", [""]], ["port", -1], ["ipv4hint", ["x"]]] as const;
  for (const [name, value] of [...rows, ["dohpath", ""], ["ohttp", false]] as const) {
    assertThrows(() => encode(name, value), DnsMessageError);
  }
});
