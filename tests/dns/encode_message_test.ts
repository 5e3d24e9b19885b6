import { assertEquals, assertThrows } from "@std/assert";
import { type DecodedMessage, decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import { DnsMessageError } from "../../dns/errors.ts";
import { emptyRecord, type ResourceRecord } from "../../dns/message.ts";

const EDNS = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options: [] };

function address(name: string, last: number): ResourceRecord {
  return { name, type: "A", class: "IN", ttl: 60, data: { address: `192.0.2.${last}` } };
}

function server(name: string, target: string): ResourceRecord {
  return { name, type: "NS", class: "IN", ttl: 60, data: { target } };
}

const TSIG: ResourceRecord = {
  name: "key.example.",
  type: "TSIG",
  class: "ANY",
  ttl: 0,
  data: {
    algorithm: "hmac-sha256.",
    timeSigned: 1,
    fudge: 300,
    mac: new Uint8Array(32),
    originalId: 0,
    error: 0,
    otherData: new Uint8Array(0),
  },
};

function codeOf(message: MessageInit, maxBytes?: number): string {
  const options = maxBytes === undefined ? {} : { maxBytes };
  return assertThrows(() => encodeMessage(message, options), DnsMessageError).code;
}

Deno.test("encodeMessage() writes nothing but a header for nothing", () => {
  assertEquals(encodeMessage({}), new Uint8Array(12));
});

Deno.test("encodeMessage() writes what decodeMessage() reads", () => {
  const message: DecodedMessage = {
    id: 65_535,
    response: true,
    opcode: "NOTIFY",
    authoritative: true,
    truncated: true,
    recursionDesired: true,
    recursionAvailable: true,
    zero: true,
    authenticData: true,
    checkingDisabled: true,
    rcode: "RCODE4095",
    questions: [{ name: "Example.", type: "TYPE65280", class: "CLASS7" }],
    answers: [address("a.Example.", 1), {
      ...address("a.Example.", 2),
      class: "CH",
      type: "TYPE1",
      data: { bytes: new Uint8Array(5) },
    }],
    authorities: [server("Example.", "ns.Example.")],
    additionals: [address("ns.Example.", 3), TSIG],
    edns: { ...EDNS, version: 255, flags: 0x7fff, dnssecOk: true },
    trailingByteCount: 0,
  };
  assertEquals(decodeMessage(encodeMessage(message)), message);
});

Deno.test("encodeMessage() puts OPT in front of a signature", () => {
  const bytes = encodeMessage({ additionals: [TSIG], edns: EDNS });
  assertEquals(bytes[12 + 2], 41);
  assertEquals(decodeMessage(bytes).additionals, [TSIG]);
});

const UNFIT: Record<string, readonly [message: MessageInit, code: string]> = {
  "an id": [{ id: 65_536 }, "ERR_DNS_BAD_VALUE"],
  "an opcode": [{ opcode: "OPCODE16" }, "ERR_DNS_BAD_VALUE"],
  "a response code": [{ rcode: "RCODE4096" }, "ERR_DNS_BAD_VALUE"],
  "a response code without EDNS": [{ rcode: "BADVERS" }, "ERR_DNS_BAD_VALUE"],
  "a type": [{ questions: [{ name: ".", type: "X", class: "IN" }] }, "ERR_DNS_BAD_VALUE"],
  "a class": [{ questions: [{ name: ".", type: "A", class: "X" }] }, "ERR_DNS_BAD_VALUE"],
  "a name": [{ questions: [{ name: "a..", type: "A", class: "IN" }] }, "ERR_DNS_BAD_NAME"],
  "a TTL": [{ answers: [{ ...address("a.", 1), ttl: -1 }] }, "ERR_DNS_BAD_VALUE"],
  "a type of a record": [
    { answers: [emptyRecord("a.", "NOTYPE", "ANY")] },
    "ERR_DNS_BAD_VALUE",
  ],
  "OPT as a record": [
    {
      additionals: [{
        name: ".",
        type: "OPT",
        class: "CLASS1232",
        ttl: 0,
        data: { bytes: new Uint8Array(0) },
      }],
    },
    "ERR_DNS_BAD_VALUE",
  ],
  "OPT under its number": [
    {
      answers: [{
        name: ".",
        type: "TYPE41",
        class: "IN",
        ttl: 0,
        data: { bytes: new Uint8Array(0) },
      }],
    },
    "ERR_DNS_BAD_VALUE",
  ],
  "a type of a record with data": [
    { answers: [{ ...address("a.", 1), type: "NOTYPE" } as unknown as ResourceRecord] },
    "ERR_DNS_BAD_VALUE",
  ],
  "data of a record": [
    { answers: [address("a.", 256)] },
    "ERR_DNS_BAD_VALUE",
  ],
  "RDATA of 64 KiB": [
    {
      answers: [{
        name: ".",
        type: "TYPE65280",
        class: "IN",
        ttl: 0,
        data: { bytes: new Uint8Array(65_536) },
      }],
    },
    "ERR_DNS_BAD_VALUE",
  ],
  "64 KiB and more": [
    {
      answers: [{
        name: ".",
        type: "TYPE65280",
        class: "IN",
        ttl: 0,
        data: { bytes: new Uint8Array(65_535) },
      }],
    },
    "ERR_DNS_TOO_LONG",
  ],
};

for (const [what, [message, code]] of Object.entries(UNFIT)) {
  Deno.test(`encodeMessage() throws on ${what} that does not fit`, () => {
    assertEquals(codeOf(message), code);
  });
}

Deno.test("encodeMessage() refuses options out of range", () => {
  for (const maxBytes of [11, 0.5, NaN, 65_536]) {
    assertThrows(() => encodeMessage({}, { maxBytes }), RangeError);
  }
  assertThrows(() => encodeMessage({}, { maxCompressionLabels: -1 }), RangeError);
});

/** Three sets of records, the second one in two places. */
const LONG: MessageInit = {
  questions: [{ name: "a.example.", type: "A", class: "IN" }],
  answers: [address("a.example.", 1), address("b.example.", 2), address("a.EXAMPLE.", 3)],
  authorities: [server("example.", "ns.example.")],
  additionals: [address("ns.example.", 4), TSIG],
  edns: EDNS,
};

Deno.test("encodeMessage() leaves out whole RRsets from the end at every size", () => {
  const whole = encodeMessage(LONG);
  const kept = new Set<string>();
  for (let maxBytes = 12; maxBytes <= whole.length; maxBytes++) {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = encodeMessage(LONG, { maxBytes });
    } catch (error) {
      assertEquals((error as DnsMessageError).code, "ERR_DNS_TOO_LONG");
      assertEquals(kept.size, 0);
      continue;
    }
    assertEquals(bytes.length <= maxBytes, true);
    const message = decodeMessage(bytes);
    assertEquals([message.edns, message.questions.length], [EDNS, 1]);
    assertEquals(message.additionals.at(-1), TSIG);
    const counts = [message.answers.length, message.authorities.length, message.additionals.length];
    kept.add(`${counts} ${message.truncated}`);
  }
  // The set of a.example. is never there in part; the address that only may help needs no TC.
  assertEquals([...kept], ["0,0,1 true", "2,0,1 true", "3,0,1 true", "3,1,1 false", "3,1,2 false"]);
  assertEquals(encodeMessage(LONG, { maxBytes: whole.length }), whole);
});

Deno.test("encodeMessage() sets TC where a referral lacks glue, and only there", () => {
  const referral = (target: string): MessageInit => ({
    authorities: [server("zone.example.", target)],
    additionals: [address(target, 1)],
  });
  for (const [target, isNeeded] of [["ns.Zone.example.", true], ["ns.other.", false]] as const) {
    const message = referral(target);
    const { length } = encodeMessage(message);
    assertEquals(decodeMessage(encodeMessage(message, { maxBytes: length })).truncated, false);
    const short = decodeMessage(encodeMessage(message, { maxBytes: length - 1 }));
    assertEquals([short.additionals.length, short.truncated], [0, isNeeded]);
    // With an answer it is no referral.
    const answered = { ...message, answers: [address("x.", 9)] };
    const { length: answeredLength } = encodeMessage(answered);
    const cut = decodeMessage(encodeMessage(answered, { maxBytes: answeredLength - 1 }));
    assertEquals([cut.additionals.length, cut.truncated], [0, false]);
  }
});
