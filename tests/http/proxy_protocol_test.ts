import { assert, assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import {
  parseProxyHeader,
  ProxyProtocolError,
  ProxyTlvType,
  startsWithProxyHeader,
} from "../../http/proxy_protocol.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { proxyV2, tlv } from "../_support/proxy_header.ts";

const V4 = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb];
const V6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x00, 0x01, 0xff, 0xff],
];

function path(text: string): number[] {
  return [...bytesOf(text.padEnd(108, "\0"))];
}

function tcp(hostname: string, port: number): unknown {
  return { transport: "tcp", hostname, port };
}

const VALID: readonly [name: string, wire: Uint8Array, source: unknown, destination: unknown][] = [
  [
    "TCP4",
    bytesOf("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"),
    tcp("192.0.2.1", 56324),
    tcp("198.51.100.2", 443),
  ],
  [
    "TCP6",
    bytesOf("PROXY TCP6 2001:DB8::1 ::1 0 65535\r\n"),
    tcp("2001:db8::1", 0),
    tcp("::1", 65535),
  ],
  [
    "the longest TCP6",
    bytesOf(`PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`),
    tcp("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
    tcp("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
  ],
  ["UNKNOWN", bytesOf("PROXY UNKNOWN\r\n"), undefined, undefined],
  ["UNKNOWN with more", bytesOf("PROXY UNKNOWN ff:: x\0y 1 2\r\n"), undefined, undefined],
  [
    "the longest UNKNOWN",
    bytesOf(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`),
    undefined,
    undefined,
  ],
  ["TCP over IPv4", proxyV2(0x21, 0x11, V4), tcp("192.0.2.1", 56324), tcp("198.51.100.2", 443)],
  ["TCP over IPv6", proxyV2(0x21, 0x21, V6), tcp("2001:db8::1", 1), tcp("::1", 65535)],
  [
    "Unix sockets",
    proxyV2(0x21, 0x31, [...path("/run/a"), ...path("x".repeat(108))]),
    { transport: "unix", path: "/run/a" },
    { transport: "unix", path: "x".repeat(108) },
  ],
  ["UNSPEC", proxyV2(0x21, 0x00, []), undefined, undefined],
  ["UNSPEC with anything", proxyV2(0x21, 0x00, [1, 2, 3]), undefined, undefined],
  ["LOCAL", proxyV2(0x20, 0x00, []), undefined, undefined],
  ["LOCAL with addresses", proxyV2(0x20, 0x11, V4), undefined, undefined],
  ["LOCAL with an unknown family", proxyV2(0x20, 0x77, [1]), undefined, undefined],
  [
    "fields",
    proxyV2(0x21, 0x11, [...V4, ...tlv(0x04, "pad"), ...tlv(0xe0, ""), ...tlv(0x02, "a.b")]),
    tcp("192.0.2.1", 56324),
    tcp("198.51.100.2", 443),
  ],
];

for (const [name, wire, source, destination] of VALID) {
  Deno.test(`parseProxyHeader() reads ${name}, whatever follows and however it comes`, () => {
    const whole = Uint8Array.of(...wire, ...bytesOf("GET / HTTP/1.1\r\n"));
    for (let length = 0; length < wire.length; length++) {
      assertEquals(parseProxyHeader(wire.subarray(0, length)), undefined, `${length} bytes`);
    }
    for (let length = wire.length; length <= whole.length; length++) {
      const header = parseProxyHeader(whole.slice(0, length));
      assertEquals([header?.source, header?.destination], [source, destination]);
      assertEquals(header?.length, wire.length);
      assertEquals(header?.version, wire[0] === 0x0d ? 2 : 1);
      assertEquals(header?.command, name.startsWith("LOCAL") ? "local" : "proxy");
    }
  });
}

const INVALID: readonly [name: string, wire: Uint8Array, code: string][] = [
  ["a request", bytesOf("GET / HTTP/1.1\r\n"), "ERR_PROXY_NO_HEADER"],
  ["lower case", bytesOf("proxy TCP4"), "ERR_PROXY_NO_HEADER"],
  ["a tab behind PROXY", bytesOf("PROXY\tTCP4"), "ERR_PROXY_NO_HEADER"],
  ["an empty line", bytesOf("\r\nGET"), "ERR_PROXY_NO_HEADER"],
  ["a broken signature", bytesOf("\r\n\r\n\0\r\nQUIX\n"), "ERR_PROXY_NO_HEADER"],
  ["a line without family", bytesOf("PROXY \r\n"), "ERR_PROXY_BAD_HEADER"],
  ["an unknown family", bytesOf("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["UNKNOWNS", bytesOf("PROXY UNKNOWNS\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a bare LF", bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), "ERR_PROXY_BAD_HEADER"],
  ["a bare CR", bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx"), "ERR_PROXY_BAD_HEADER"],
  ["two spaces", bytesOf("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a space at the end", bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a missing port", bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a port too high", bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a port with a zero", bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a negative port", bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["IPv6 in TCP4", bytesOf("PROXY TCP4 ::1 1.2.3.4 1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["IPv4 in TCP6", bytesOf("PROXY TCP6 ::1 1.2.3.4 1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a zone", bytesOf("PROXY TCP6 fe80::1%a ::1 1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a name", bytesOf("PROXY TCP4 a.b 1.2.3.4 1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a leading zero", bytesOf("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"), "ERR_PROXY_BAD_HEADER"],
  ["a line of 108 bytes", bytesOf(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`), "ERR_PROXY_BAD_HEADER"],
  ["a line without end", bytesOf(`PROXY ${"x".repeat(101)}`), "ERR_PROXY_BAD_HEADER"],
  ["version 1 in binary", proxyV2(0x11, 0x11, V4), "ERR_PROXY_UNSUPPORTED_HEADER"],
  ["an unknown command", proxyV2(0x22, 0x11, V4), "ERR_PROXY_UNSUPPORTED_HEADER"],
  ["datagrams", proxyV2(0x21, 0x12, V4), "ERR_PROXY_UNSUPPORTED_HEADER"],
  ["no transport", proxyV2(0x21, 0x10, V4), "ERR_PROXY_UNSUPPORTED_HEADER"],
  ["an unknown family byte", proxyV2(0x21, 0x41, V4), "ERR_PROXY_UNSUPPORTED_HEADER"],
  ["addresses cut off", proxyV2(0x21, 0x11, V4.slice(0, 11)), "ERR_PROXY_BAD_HEADER"],
  ["no addresses", proxyV2(0x21, 0x21, []), "ERR_PROXY_BAD_HEADER"],
  ["a field of one byte", proxyV2(0x21, 0x11, [...V4, 1]), "ERR_PROXY_BAD_HEADER"],
  ["a field of two bytes", proxyV2(0x21, 0x11, [...V4, 1, 0]), "ERR_PROXY_BAD_HEADER"],
  ["a field too long", proxyV2(0x21, 0x11, [...V4, 1, 0, 2, 3]), "ERR_PROXY_BAD_HEADER"],
  ["a short SSL field", proxyV2(0x21, 0x11, [...V4, 0x20, 0, 1, 1]), "ERR_PROXY_BAD_HEADER"],
  ["a short checksum", proxyV2(0x21, 0x11, [...V4, 3, 0, 1, 1]), "ERR_PROXY_BAD_HEADER"],
  ["a wrong checksum", proxyV2(0x21, 0x11, [...V4, 3, 0, 4, 1, 2, 3, 4]), "ERR_PROXY_BAD_CHECKSUM"],
];

for (const [name, wire, code] of INVALID) {
  Deno.test(`parseProxyHeader() refuses ${name}, and never takes a part of it`, () => {
    let refusedAt = wire.length + 1;
    for (let length = 0; length <= wire.length; length++) {
      try {
        assertEquals(parseProxyHeader(wire.slice(0, length)), undefined);
        assert(length < refusedAt);
      } catch (error) {
        if (!(error instanceof ProxyProtocolError)) throw error;
        assertEquals(error.code, code);
        refusedAt = Math.min(refusedAt, length);
      }
    }
    assert(refusedAt <= wire.length);
  });
}

Deno.test("parseProxyHeader() keeps the fields, as bytes of their own, without padding", () => {
  const wire = proxyV2(0x21, 0x11, [
    ...V4,
    ...tlv(ProxyTlvType.NOOP, "..."),
    ...tlv(ProxyTlvType.AUTHORITY, "example.com"),
    ...tlv(ProxyTlvType.SSL, "\x01\0\0\0\0\x21\0\x07TLSv1.3"),
    ...tlv(0xee, ""),
  ]);
  const header = parseProxyHeader(wire)!;
  wire.fill(0);
  assertEquals(header.tlvs.map(({ type, value }) => [type, textOf(value)]), [
    [0x02, "example.com"],
    [0x20, "\x01\0\0\0\0\x21\0\x07TLSv1.3"],
    [0xee, ""],
  ]);
  assertEquals(header.isTls, true);
  const plain = proxyV2(0x21, 0x11, [...V4, ...tlv(ProxyTlvType.SSL, "\0\0\0\0\0")]);
  assertEquals(parseProxyHeader(plain)?.isTls, false);
  assertEquals(parseProxyHeader(proxyV2(0x21, 0x11, V4))?.isTls, undefined);
});

Deno.test("parseProxyHeader() checks a checksum", () => {
  const wire = proxyV2(0x21, 0x11, [...V4, 3, 0, 4, 0, 0, 0, 0]);
  new DataView(wire.buffer).setUint32(31, crcOf(wire));
  assertEquals(parseProxyHeader(wire)?.tlvs.length, 1);
  for (let at = 16; at < 28; at++) {
    const changed = wire.with(at, wire[at]! ^ 1);
    assertEquals(
      assertThrows(() => parseProxyHeader(changed), ProxyProtocolError).code,
      "ERR_PROXY_BAD_CHECKSUM",
    );
  }
});

/** By the definition: the remainder of a division of polynomials, highest bit first. */
function crcOf(bytes: Uint8Array): number {
  const reflect = (value: number, bits: number) =>
    parseInt(value.toString(2).padStart(bits, "0").split("").reverse().join(""), 2);
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ reflect(byte, 8) << 24) >>> 0;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x80000000) !== 0 ? (crc << 1 ^ 0x1edc6f41) >>> 0 : crc << 1 >>> 0;
    }
  }
  return reflect((crc ^ 0xffffffff) >>> 0, 32);
}

Deno.test("the checksum of the test is that of the standard", () => {
  assertEquals(crcOf(bytesOf("123456789")), 0xe3069283);
});

Deno.test("maxHeaderBytes bounds what is announced, before it has come", () => {
  const wire = (length: number) => proxyV2(0x21, 0x00, new Array(length - 16).fill(0));
  for (const max of [232, 4096, 65_551]) {
    for (const length of [max - 1, max]) {
      const header = parseProxyHeader(wire(length), { maxHeaderBytes: max });
      assertEquals(header?.length, length);
    }
    if (max === 65_551) continue;
    const error = assertThrows(
      () => parseProxyHeader(wire(max + 1).subarray(0, 16), { maxHeaderBytes: max }),
      LimitExceededError,
    );
    assertEquals([error.limit, error.max], ["maxHeaderBytes", max]);
  }
  assertThrows(() => parseProxyHeader(wire(4097)), LimitExceededError);
  for (const maxHeaderBytes of [0, 231, 65_552, NaN, 300.5, Infinity]) {
    assertThrows(() => parseProxyHeader(wire(16), { maxHeaderBytes }), RangeError);
  }
});

Deno.test("startsWithProxyHeader() decides as early as it can", () => {
  for (const [name, wire] of VALID) {
    const signature = wire[0] === 0x0d ? 12 : 6;
    for (let length = 0; length <= wire.length; length++) {
      const expected = length < signature ? undefined : true;
      assertEquals(startsWithProxyHeader(wire.subarray(0, length)), expected, name);
    }
  }
  for (const text of ["G", "PROXX", "POST", "\n", "\r\n\r\nG", "\x16\x03"]) {
    assertEquals(startsWithProxyHeader(bytesOf(text)), false);
  }
});

Deno.test("parseProxyHeader() gives only documented errors for whatever comes", () => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 20_000; round++) {
    const wire = random.pick(VALID)[1].slice();
    for (let count = random.int(4); count > 0; count--) {
      wire[random.int(wire.length)] = random.int(256);
    }
    try {
      const header = parseProxyHeader(wire.subarray(0, random.int(wire.length + 1)));
      assert(header === undefined || header.length <= wire.length);
    } catch (error) {
      assert(
        error instanceof ProxyProtocolError || error instanceof LimitExceededError,
        `${error}`,
      );
    }
  }
});
