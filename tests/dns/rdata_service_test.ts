import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError } from "../../dns/errors.ts";
import { decodeRdata, encodeRdata, printRdata } from "../../dns/rdata.ts";
import { testRdata } from "./rdata_rows.ts";

const HOST = "03666f6f076578616d706c6503636f6d00";

// RFC 9460 appendix D.
testRdata("SVCB", [
  { text: "0 foo.example.com.", hex: `0000${HOST}` },
  { text: "1 .", hex: "000100" },
  { text: "16 foo.example.com. port=53", hex: `0010${HOST}000300020035` },
  { text: '1 foo.example.com. key667="hello"', hex: `0001${HOST}029b000568656c6c6f` },
  {
    text: "1 foo.example.com. key667=hello\\210qoo",
    hex: `0001${HOST}029b000968656c6c6fd2716f6f`,
    printed: '1 foo.example.com. key667="hello\\210qoo"',
  },
  {
    text: '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
    hex: `0001${HOST}0006002020010db800000000000000000000000120010db8000000000000000000530001`,
    printed: "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1",
  },
  {
    text: "16 foo.example.com. (alpn=h2,h3-19 mandatory=ipv4hint,alpn\n ipv4hint=192.0.2.1)",
    hex: `0010${HOST}0000000400010004000100090268320568332d3139000400 04c0000201`,
    printed: '16 foo.example.com. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1',
  },
  {
    text: '16 foo.example.com. alpn="f\\\\\\\\oo\\\\,bar,h2"',
    hex: `0010${HOST}0001000c08665c6f6f2c626172026832`,
  },
  {
    text: "16 foo.example.com. alpn=f\\\\\\092oo\\092,bar,h2",
    hex: `0010${HOST}0001000c08665c6f6f2c626172026832`,
    printed: '16 foo.example.com. alpn="f\\\\\\\\oo\\\\,bar,h2"',
  },
  {
    text: "1 . no-default-alpn alpn=h2 ohttp pvd",
    hex: "000100 00010003026832 00020000 00080000 000b0000",
    printed: '1 . alpn="h2" no-default-alpn ohttp pvd',
  },
  { text: "1 . ech=AAE=", hex: "000100 000500020001" },
  { text: '1 . ech="AAE="', hex: "000100 000500020001", printed: "1 . ech=AAE=" },
  {
    text: '1 . dohpath="/dns-query{?dns}"',
    hex: "000100 00070010 2f646e732d71756572797b3f646e737d",
  },
  { text: "1 . tls-supported-groups=29,23", hex: "000100 00090004001d0017" },
  { text: '1 . docpath="dns,x"', hex: "000100 000a000603646e730178" },
  { text: "1 . docpath", hex: "000100 000a0000" },
  { text: "1 . key3=\\000\\053", hex: "000100 000300020035", printed: "1 . port=53" },
  { text: "1 . key65535", hex: "000100 ffff0000" },
  { text: '1 . key65535=""', hex: "000100 ffff0000", printed: "1 . key65535" },
  // Recipients ignore them.
  { text: "0 a. port=1", hex: "0000 016100 000300020001" },
], {
  text: {
    "no target": "1",
    "a parameter twice": "1 . key123=abc key123=def",
    "a parameter under two names": "1 . port=1 key3=\\000\\001",
    "an empty value": "1 . key123=",
    "a value in quotes with its key": '1 . "alpn=h2"',
    "blanks before the value": '1 . alpn= "h2"',
    "blanks before the equals sign": "1 . alpn =h2",
    "an unknown name": "1 . unknown=1",
    "a key in upper case": "1 . ALPN=h2",
    "leading zeros in a key": "1 . key07=a",
    "a key above 65535": "1 . key65536=a",
    "mandatory without a value": "1 . mandatory",
    "mandatory without its parameter": "1 . mandatory=alpn",
    "mandatory that lists itself": "1 . mandatory=mandatory",
    "mandatory that lists one twice": "1 . mandatory=alpn,key1 alpn=h2",
    "mandatory with an escape": "1 . mandatory=al\\112n alpn=h2",
    "alpn without a value": "1 . alpn",
    "an empty protocol": "1 . alpn=h2,,h3",
    "a protocol of 256 bytes": `1 . alpn=${"x".repeat(256)}`,
    "a broken escape in a list": "1 . alpn=a\\\\b",
    "a lone backslash at the end of a list": "1 . alpn=a\\\\",
    "no-default-alpn without alpn": "1 . no-default-alpn",
    "no-default-alpn with a value": "1 . alpn=h2 no-default-alpn=foo",
    "a port above 65535": "1 . port=65536",
    "two ports": "1 . port=1,2",
    "a port with an escape": "1 . port=\\053\\051",
    "a hint without a value": "1 . ipv4hint",
    "an address of the wrong family": "1 . ipv4hint=::1",
    "an escaped comma between hints": "1 . ipv6hint=::1\\,::2",
    "ech that is no base64": "1 . ech=@@",
    "ech without a value": '1 . ech=""',
    "dohpath without a value": "1 . dohpath",
    "dohpath that is not UTF-8": "1 . dohpath=\\255",
    "a group above 65535": "1 . tls-supported-groups=65536",
    "a group twice": "1 . tls-supported-groups=29,23,29",
    "ohttp with a value": "1 . ohttp=1",
    "bytes of no value under a number": "1 . key3=\\000",
  },
  wire: {
    "a priority of one byte": "00",
    "no target": "0001",
    "half a parameter": "000100 0003",
    "a parameter beyond the end": "000100 000300030035",
    "keys out of order": "000100 00040004c0000201 00030002 0035",
    "a key twice": "000100 000300020035 000300020035",
    "mandatory of nothing": "000100 00000000",
    "mandatory of half a key": "000100 0000000100",
    "mandatory that lists itself": "000100 000000020000",
    "mandatory out of order": "000100 0000000400040001 00010003026832 00040004c0000201",
    "mandatory with one key twice": "000100 0000000400040004 00040004c0000201",
    "alpn of nothing": "000100 00010000",
    "an empty protocol": "000100 0001000100",
    "a protocol beyond its parameter": "000100 00010002026832",
    "no-default-alpn with a value": "000100 0002000100",
    "a port of one byte": "000100 0003000100",
    "a port of three bytes": "000100 00030003000000",
    "a hint of nothing": "000100 00040000",
    "a hint of five bytes": "000100 00040005c000020100",
    "ech of nothing": "000100 00050000",
    "an IPv6 hint of four bytes": "000100 00060004c0000201",
    "dohpath of nothing": "000100 00070000",
    "dohpath that is not UTF-8": "000100 00070001ff",
    "half a group": "000100 0009000100",
  },
  data: {
    "a registered parameter under its number": service({ key1: new Uint8Array(1) }),
    "an unknown name": service({ foo: new Uint8Array(1) }),
    "mandatory of nothing": service({ mandatory: [] }),
    "mandatory that lists itself": service({ mandatory: ["mandatory"] }),
    "mandatory that lists one twice": service({ mandatory: ["alpn", "key1"] }),
    "alpn of nothing": service({ alpn: [] }),
    "an empty protocol": service({ alpn: [""] }),
    "a protocol of 256 bytes": service({ alpn: ["x".repeat(256)] }),
    "a protocol that is not bytes": service({ alpn: ["\u0100"] }),
    "a flag that is false": service({ ohttp: false }),
    "a port above 65535": service({ port: 65_536 }),
    "no hint": service({ ipv4hint: [] }),
    "ech of nothing": service({ ech: new Uint8Array(0) }),
    "an empty dohpath": service({ dohpath: "" }),
    "half a surrogate": service({ dohpath: "\ud800" }),
  },
});

function service(params: Record<string, unknown>): unknown {
  return { priority: 1, target: ".", params };
}

Deno.test("encodeRdata() sorts parameters and mandatory keys, whatever their order", () => {
  const params = { port: 53, alpn: ["h2"], mandatory: ["port", "alpn"] };
  const bytes = encodeRdata("HTTPS", { priority: 1, target: ".", params });
  const hex = "0001000000000400010003000100030268320003000200 35".replaceAll(" ", "");
  assertEquals(bytes.toHex(), hex);
  assertEquals(
    printRdata("HTTPS", decodeRdata("HTTPS", bytes)),
    '1 . mandatory=alpn,port alpn="h2" port=53',
  );
});

Deno.test("decodeRdata() reads a contradiction, which only text may not say", () => {
  const { params } = decodeRdata("HTTPS", Uint8Array.fromHex("00010000020000"));
  assertEquals(params, { "no-default-alpn": true });
});

Deno.test("decodeRdata() takes __proto__ for no parameter name", () => {
  assertThrows(
    () => encodeRdata("SVCB", { priority: 1, target: ".", params: JSON.parse('{"__proto__":1}') }),
    DnsMessageError,
  );
});
