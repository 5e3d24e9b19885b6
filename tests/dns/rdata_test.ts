import { assert, assertEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { decodeRdata, encodeRdata, parseRdata, printRdata, rdataCodec } from "../../dns/rdata.ts";
import { parseRecordType } from "../../dns/record_type.ts";
import type { RecordData } from "../../dns/record_data.ts";
import { WireReader } from "../../dns/wire_reader.ts";
import { WireWriter } from "../../dns/wire_writer.ts";
import { RDATA_SAMPLES } from "./rdata_samples.ts";

const SAMPLE_COUNT = 40;

/** Random data of a type, each with the number to make it again. */
function* samplesOf(type: string, count = SAMPLE_COUNT): Generator<RecordData> {
  const random = new SeededRandom(parseRecordType(type)!);
  for (let index = 0; index < count; index++) {
    yield RDATA_SAMPLES[type]!(random) as RecordData;
  }
}

/** Runs `body`; anything but the errors RDATA from a stranger may give is a fault. */
function toleratesWire(body: () => void): void {
  try {
    body();
  } catch (error) {
    assert(error instanceof DnsMessageError, String(error));
  }
}

for (const type of Object.keys(RDATA_SAMPLES)) {
  Deno.test(`decodeRdata() gives back what encodeRdata() was given for ${type}`, () => {
    for (const data of samplesOf(type)) {
      assertEquals(decodeRdata(type, encodeRdata(type, data)), data);
    }
  });

  Deno.test(`parseRdata() gives back what printRdata() was given for ${type}`, () => {
    for (const data of samplesOf(type)) {
      assertEquals(parseRdata(type, printRdata(type, data)), data);
    }
  });

  Deno.test(`parseRdata() takes the bytes of ${type} behind \\#`, () => {
    for (const data of samplesOf(type)) {
      const hex = encodeRdata(type, data).toHex();
      assertEquals(parseRdata(type, `\\# ${hex.length / 2} ${hex}`), data);
    }
  });

  Deno.test(`encodeRdata() writes ${type} as the codec does within a message`, () => {
    for (const data of samplesOf(type)) {
      const writer = new WireWriter();
      writer.u16(0xabcd);
      rdataCodec(type).encode(writer, data);
      const bytes = writer.finish();
      const reader = new WireReader(bytes, 2);
      assertEquals(rdataCodec(type).decode(reader), data);
      assertEquals(reader.remaining, 0);
    }
  });

  Deno.test(`decodeRdata() refuses or reads every prefix of ${type}`, () => {
    for (const data of samplesOf(type, 8)) {
      const bytes = encodeRdata(type, data);
      for (let end = 0; end < bytes.length; end++) {
        toleratesWire(() => {
          const prefix = bytes.subarray(0, end);
          assertEquals(encodeRdata(type, decodeRdata(type, prefix)), prefix.slice());
        });
      }
    }
  });

  Deno.test(`decodeRdata() and printRdata() stand every changed byte of ${type}`, () => {
    const random = new SeededRandom(4711);
    for (const data of samplesOf(type, 4)) {
      const bytes = encodeRdata(type, data);
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice();
        changed[at]! ^= 1 + random.int(255);
        toleratesWire(() => {
          const other = decodeRdata(type, changed);
          assertEquals(encodeRdata(type, other), changed);
          // What text may not say, it may not say.
          const text = printRdata(type, other);
          try {
            assertEquals(encodeRdata(type, parseRdata(type, text)), changed);
          } catch (error) {
            assert(error instanceof DnsTextError && /^(?:SVCB|HTTPS)$/.test(type), String(error));
          }
        });
      }
    }
  });
}

Deno.test("decodeRdata() hands out no view of its input", () => {
  for (const type of Object.keys(RDATA_SAMPLES)) {
    for (const data of samplesOf(type, 4)) {
      const bytes = encodeRdata(type, data);
      const decoded = decodeRdata(type, bytes);
      bytes.fill(0xff);
      assertEquals(decoded, data);
    }
  }
});

Deno.test("rdataCodec() finds a type by number and by mnemonic in any case", () => {
  for (const type of Object.keys(RDATA_SAMPLES)) {
    assertEquals(rdataCodec(type).type, type);
    assertEquals(rdataCodec(type.toLowerCase()).type, type);
    assertEquals(rdataCodec(parseRecordType(type)!).type, type);
  }
});

Deno.test("rdataCodec() treats a type it does not know as bytes", () => {
  assertEquals(rdataCodec(65280).type, "TYPE65280");
  assertEquals(decodeRdata("TYPE65280", new Uint8Array([1, 2])), { bytes: new Uint8Array([1, 2]) });
});

Deno.test("rdataCodec() treats a known type under its number as bytes", () => {
  const data = { bytes: new Uint8Array([1, 2, 3]) };
  for (const type of ["TYPE1", "type1"] as const) {
    assertEquals(rdataCodec(type).type, "TYPE1");
    assertEquals(printRdata(type, data), "\\# 3 010203");
    assertEquals(parseRdata(type, "\\# 3 010203"), data);
    assertEquals(encodeRdata(type, data), data.bytes);
    assertEquals(decodeRdata(type, data.bytes), data);
  }
});

for (const type of ["", "FOO", "TYPE65536", "TYPE01", 65_536, -1, 1.5, NaN]) {
  Deno.test(`rdataCodec() throws on ${typeof type} "${type}"`, () => {
    assertThrows(() => rdataCodec(type), RangeError);
  });
}

/** Each holds two names, the second in upper case, behind two bytes where the type has numbers. */
const NAMES: readonly [type: string, hex: string][] = [
  ["NS", "0141016200"],
  ["CNAME", "0141016200"],
  ["PTR", "0141016200"],
  ["DNAME", "0141016200"],
  ["MX", "00010141016200"],
  ["RP", "014100014200"],
  ["AFSDB", "00010141016200"],
  ["RT", "00010141016200"],
  ["PX", "0001014100014200"],
  ["SRV", "0001000200030141016200"],
  ["KX", "00010141016200"],
  ["NAPTR", "000100020000000141016200"],
  ["RRSIG", "00010d0200000e1000000001000000020003014100ff"],
  ["SIG", "00010d0200000e1000000001000000020003014100ff"],
];

/** RFC 6840 section 5.1, and types younger than RFC 4034. */
const KEEPING_CASE: readonly [type: string, hex: string][] = [
  ["NSEC", "01410142000001 40"],
  ["LP", "00010141016200"],
  ["SVCB", "00010141016200"],
  ["HTTPS", "00010141016200"],
  ["HIP", "010200014142014100"],
  ["IPSECKEY", "010301014100ff"],
  ["AMTRELAY", "0103014100"],
  ["TXT", "024142"],
];

for (const [type, hex] of NAMES) {
  Deno.test(`encodeRdata() lower-cases the names of ${type} in canonical form only`, () => {
    const bytes = Uint8Array.fromHex(hex);
    const data = decodeRdata(type, bytes);
    assertEquals(encodeRdata(type, data), bytes);
    const lower = bytes.map((byte) => byte === 0x41 || byte === 0x42 ? byte | 0x20 : byte);
    assertEquals(encodeRdata(type, data, { canonical: true }), lower);
  });
}

for (const [type, hex] of KEEPING_CASE) {
  Deno.test(`encodeRdata() keeps the case of ${type} in canonical form`, () => {
    const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    assertEquals(encodeRdata(type, decodeRdata(type, bytes), { canonical: true }), bytes);
  });
}

/** A message that has "a.b." at 0, and RDATA behind it whose last name is a pointer there. */
const POINTING = "0161016200";

const COMPRESSED: readonly [type: string, rdata: string, isWritten: boolean][] = [
  ["NS", "c000", true],
  ["CNAME", "c000", true],
  ["PTR", "c000", true],
  ["MB", "c000", true],
  ["MX", "0001c000", true],
  ["MINFO", "c000c002", true],
  ["SOA", "c000c0020000000000000000000000000000000000000000", true],
  ["RP", "c000c000", false],
  ["AFSDB", "0001c000", false],
  ["RT", "0001c000", false],
  ["PX", "0001c000c000", false],
  ["SRV", "000100020003c000", false],
  ["NAPTR", "00010002000000c000", false],
  ["SIG", "00010d0200000e1000000001000000020003c000ff", false],
];

for (const [type, rdata, isWritten] of COMPRESSED) {
  Deno.test(`rdataCodec() reads ${type} with pointers, ${isWritten ? "and" : "never"} writes them`, () => {
    const message = Uint8Array.fromHex(POINTING + rdata);
    const codec = rdataCodec(type);
    const reader = new WireReader(message, 5);
    const data = codec.decode(reader);
    assertEquals(reader.remaining, 0);
    const writer = new WireWriter();
    writer.name("a.b.");
    codec.encode(writer, data);
    const written = writer.finish();
    if (isWritten) assertEquals(written, message);
    else assert(!written.includes(0xc0));
    // Without the message there is nothing to point to.
    assertThrows(() => decodeRdata(type, message.subarray(5)), DnsMessageError);
  });
}

const UNCOMPRESSED: readonly [type: string, rdata: string][] = [
  ["DNAME", "c000"],
  ["KX", "0001c000"],
  ["LP", "0001c000"],
  ["NSEC", "c000"],
  ["RRSIG", "00010d0200000e1000000001000000020003c000ff"],
  ["SVCB", "0001c000"],
  ["HTTPS", "0001c000"],
  ["HIP", "0102000141 42c000"],
  ["IPSECKEY", "010301c000"],
  ["AMTRELAY", "0103c000"],
  ["TSIG", "c000000000000000000000000000000000000000"],
  ["TKEY", "c0000000000000000000000000000000000000"],
];

for (const [type, rdata] of UNCOMPRESSED) {
  Deno.test(`rdataCodec() refuses a pointer in ${type}`, () => {
    const reader = new WireReader(Uint8Array.fromHex(POINTING + rdata.replaceAll(" ", "")), 5);
    const error = assertThrows(() => rdataCodec(type).decode(reader), DnsMessageError);
    assertEquals(error.code, "ERR_DNS_BAD_POINTER");
  });
}

Deno.test("decodeRdata() refuses a pointer within the RDATA, even one that makes it no shorter", () => {
  for (const hex of ["016100c000", "000161c0000000000000000000000000000000000000000000"]) {
    assertThrows(() => decodeRdata("MINFO", Uint8Array.fromHex(hex)), DnsMessageError);
  }
});

Deno.test("decodeRdata() refuses bytes behind the RDATA", () => {
  const error = assertThrows(() => decodeRdata("A", new Uint8Array(5)), DnsMessageError);
  assertEquals(error.code, "ERR_DNS_BAD_RDATA");
});

const BAD_OPAQUE: readonly [name: string, type: string, text: string][] = [
  ["a wrong number of bytes", "TYPE65280", "\\# 2 00"],
  ["no number", "TYPE65280", "\\#"],
  ["a number too large", "TYPE65280", "\\# 65536 00"],
  ["half a byte", "TYPE65280", "\\# 1 0"],
  ["quotes around the mark", "TYPE65280", '"\\#" 0'],
  ["text of its own", "TYPE65280", "00"],
  ["too few bytes for its type", "A", "\\# 3 010203"],
  ["too many bytes for its type", "A", "\\# 5 0102030405"],
  ["a pointer", "MINFO", "\\# 5 016100C000"],
  ["a contradiction", "SVCB", "\\# 7 00010000020000"],
  ["something behind it", "A", "192.0.2.1 x"],
  ["nothing at all", "A", ""],
];

for (const [name, type, text] of BAD_OPAQUE) {
  Deno.test(`parseRdata() refuses ${name}`, () => {
    assertEquals(
      assertThrows(() => parseRdata(type, text), DnsTextError).code,
      "ERR_DNS_BAD_RDATA",
    );
  });
}

Deno.test("parseRdata() takes a mark in quotes for text", () => {
  assertEquals(printRdata("TXT", parseRdata("TXT", '"\\#" 0')), '"#" "0"');
});

Deno.test("parseRdata() needs an origin for a relative name", () => {
  assertThrows(() => parseRdata("NS", "a"), DnsTextError);
  assertEquals(parseRdata("NS", "a", { origin: "b." }), { target: "a.b." });
});

Deno.test("printRdata() makes a name absolute and escapes what it has to", () => {
  assertEquals(printRdata("NS", { target: "a.b" }), "a.b.");
  assertEquals(printRdata("NS", { target: "a b.\\097." }), "a\\032b.a.");
  assertEquals(printRdata("NS", { target: "." }), ".");
});

/** Data whose text would not be read back. */
const UNPRINTABLE: readonly [type: string, data: unknown][] = [
  ["A", { address: "192.0.2.1 x" }],
  ["AAAA", { address: "" }],
  ["L32", { preference: 0, locator32: "x" }],
  ["SOA", { mname: ".", rname: ".", serial: -1, refresh: 0, retry: 0, expire: 0, minimum: 0 }],
  ["APL", { items: [{ family: 1, negation: false, prefix: 33, address: "0.0.0.0" }] }],
  ["APL", { items: [{ family: 2, negation: false, prefix: 0, address: "0.0.0.0" }] }],
  ["SVCB", { priority: -1, target: ".", params: {} }],
  ["SVCB", { priority: 1, target: ".", params: { port: NaN } }],
  ["SVCB", { priority: 1, target: ".", params: { ipv4hint: ["::"] } }],
  ["SVCB", { priority: 1, target: ".", params: { "tls-supported-groups": [1.5] } }],
  [
    "AMTRELAY",
    { precedence: 256, discoveryOptional: false, relayType: 0, relay: "." },
  ],
  ["HIP", {
    publicKeyAlgorithm: 256,
    hit: new Uint8Array(1),
    publicKey: new Uint8Array(1),
    rendezvousServers: [],
  }],
  ["IPSECKEY", {
    precedence: NaN,
    gatewayType: 0,
    algorithm: 0,
    gateway: ".",
    publicKey: new Uint8Array(0),
  }],
];

for (const [type, data] of UNPRINTABLE) {
  Deno.test(`printRdata() refuses ${type} of ${JSON.stringify(data).slice(0, 60)}`, () => {
    assertThrows(() => printRdata(type, data as RecordData), DnsMessageError);
  });
}

for (const field of ["latitudeMas", "longitudeMas", "altitudeCm", "sizeCm"]) {
  Deno.test(`printRdata() refuses LOC with a wrong ${field}`, () => {
    const zeros = { sizeCm: 0, horizontalPrecisionCm: 0, verticalPrecisionCm: 0 };
    const data = { ...zeros, latitudeMas: 0, longitudeMas: 0, altitudeCm: 0, [field]: 12.5 };
    assertThrows(() => printRdata("LOC", data), DnsMessageError);
  });
}
