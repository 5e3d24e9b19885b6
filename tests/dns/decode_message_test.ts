import { assertEquals, assertThrows } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import { DnsMessageError } from "../../dns/errors.ts";

function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, "");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function codeOf(text: string): string {
  return assertThrows(() => decodeMessage(hex(text)), DnsMessageError).code;
}

const HEADER = "0000 0000 0000 0000 0000";
const OPT = "00 0029 04d0 00000000 0000";

Deno.test("decodeMessage() tells every bit of the header", () => {
  const bits = [
    ["response", 0x8000],
    ["authoritative", 0x0400],
    ["truncated", 0x0200],
    ["recursionDesired", 0x0100],
    ["recursionAvailable", 0x0080],
    ["zero", 0x0040],
    ["authenticData", 0x0020],
    ["checkingDisabled", 0x0010],
  ] as const;
  for (const [name, bit] of bits) {
    const message = decodeMessage(new Uint8Array([1, 2, bit >>> 8, bit, 0, 0, 0, 0, 0, 0, 0, 0]));
    assertEquals(bits.filter(([other]) => message[other]).map(([other]) => other), [name]);
    assertEquals([message.id, message.opcode, message.rcode], [0x102, "QUERY", "NOERROR"]);
  }
  const { opcode, rcode } = decodeMessage(hex("0000 280b 0000 0000 0000 0000"));
  assertEquals([opcode, rcode], ["UPDATE", "DSOTYPENI"]);
  assertEquals(decodeMessage(hex("0000 780f 0000 0000 0000 0000")).opcode, "OPCODE15");
});

Deno.test("decodeMessage() puts the response code together with that of EDNS", () => {
  const message = decodeMessage(hex("0000 8007 0000 0000 0000 0001 00 0029 0200 01008001 0000"));
  assertEquals(message.rcode, "BADCOOKIE");
  assertEquals(message.edns, {
    udpPayloadSize: 512,
    version: 0,
    dnssecOk: true,
    flags: 1,
    options: [],
  });
  assertEquals(message.additionals, []);
});

const BROKEN: Record<string, readonly [message: string, code: string]> = {
  "nothing": ["", "ERR_DNS_TRUNCATED"],
  "half a header": ["0000 0000 0000 0000 0000 00", "ERR_DNS_TRUNCATED"],
  "a question that is missing": ["0000 0000 0001 0000 0000 0000", "ERR_DNS_TRUNCATED"],
  "more records than there can be": [
    `0000 0000 0000 ffff 0000 0000 ${"00".repeat(100)}`,
    "ERR_DNS_TRUNCATED",
  ],
  "RDATA beyond the end": [
    `0000 0000 0000 0001 0000 0000 00 0001 0001 00000000 0005 01020304`,
    "ERR_DNS_TRUNCATED",
  ],
  "RDATA that are too short": [
    `0000 0000 0000 0001 0000 0000 00 0001 0001 00000000 0003 01020304`,
    "ERR_DNS_TRUNCATED",
  ],
  "RDATA that are too long": [
    `0000 0000 0000 0001 0000 0000 00 0001 0001 00000000 0005 0102030405`,
    "ERR_DNS_BAD_RDATA",
  ],
  "missing RDATA": [
    `0000 0000 0000 0001 0000 0000 00 0001 0001 00000000 0000`,
    "ERR_DNS_TRUNCATED",
  ],
  "a name in RDATA that ends behind them": [
    `0000 0000 0000 0002 0000 0000 00 0002 0001 00000000 0002 0161 00 0001 0001 00000000 0000`,
    "ERR_DNS_TRUNCATED",
  ],
  "two OPT records": [`${HEADER} 0002 ${OPT} ${OPT}`, "ERR_DNS_BAD_OPT"],
  "OPT below the root": [`${HEADER} 0001 0161 ${OPT}`, "ERR_DNS_BAD_OPT"],
  "OPT beyond the end": [`${HEADER} 0001 00 0029 04d0 00000000 0001`, "ERR_DNS_TRUNCATED"],
  "half an option": [`${HEADER} 0001 00 0029 04d0 00000000 0003 000300`, "ERR_DNS_BAD_OPT"],
  "a malformed option": [`${HEADER} 0001 00 0029 04d0 00000000 0005 000a000101`, "ERR_DNS_BAD_OPT"],
  "OPT in the answer section": [`0000 0000 0000 0001 0000 0000 ${OPT}`, "ERR_DNS_BAD_OPT"],
  "OPT in the authority section": [`0000 0000 0000 0000 0001 0000 ${OPT}`, "ERR_DNS_BAD_OPT"],
  "a byte behind the last record": [`${HEADER} 0001 ${OPT} 00`, "ERR_DNS_TRAILING_BYTES"],
};

for (const [what, [message, code]] of Object.entries(BROKEN)) {
  Deno.test(`decodeMessage() throws on ${what}`, () => assertEquals(codeOf(message), code));
}

Deno.test("decodeMessage() counts trailing bytes if it is told to", () => {
  const message = decodeMessage(hex(`${HEADER} 0001 ${OPT} 0102`), { trailingBytes: "report" });
  assertEquals(message.trailingByteCount, 2);
  assertThrows(
    () => decodeMessage(hex(`${HEADER} 0000`), { trailingBytes: "x" as "report" }),
    RangeError,
  );
});

Deno.test("decodeMessage() takes missing RDATA where they mean something, and nowhere else", () => {
  const withClass = (code: string, opcode: string) =>
    decodeMessage(hex(`0000 ${opcode} 0000 0000 0001 0000 00 0001 ${code} 00000000 0000`))
      .authorities[0];
  const nothing = { name: ".", ttl: 0, data: { bytes: new Uint8Array(0) } };
  assertEquals<unknown>(withClass("00ff", "0000"), { ...nothing, type: "A", class: "ANY" });
  assertEquals<unknown>(withClass("00fe", "2800"), { ...nothing, type: "A", class: "NONE" });
  assertEquals<unknown>(withClass("0001", "2800"), { ...nothing, type: "TYPE1", class: "IN" });
  assertThrows(() => withClass("0003", "0000"), DnsMessageError);
});

Deno.test("decodeMessage() keeps addresses of the Chaos net as bytes", () => {
  const message = hex("0000 0000 0000 0001 0000 0000 00 0001 0003 00000005 0003 00 0102");
  const [record] = decodeMessage(message).answers;
  assertEquals([record?.type, record?.class], ["TYPE1", "CH"]);
  assertEquals(record?.type === "TYPE1" && record.data.bytes, new Uint8Array([0, 1, 2]));
  assertEquals(encodeMessage(decodeMessage(message)), message);
});

Deno.test("decodeMessage() keeps nothing of the bytes", () => {
  const bytes = encodeMessage({
    answers: [{
      name: "a.",
      type: "TXT",
      class: "IN",
      ttl: 0,
      data: { strings: [new Uint8Array(200).fill(1), new Uint8Array(3).fill(2)] },
    }],
    edns: {
      udpPayloadSize: 0,
      version: 0,
      dnssecOk: false,
      flags: 0,
      options: [{ type: "unknown", code: 65_001, bytes: new Uint8Array(100).fill(3) }],
    },
  });
  const message = decodeMessage(bytes);
  const before = structuredClone(message);
  bytes.fill(0xaa);
  assertEquals(message, before);
});
