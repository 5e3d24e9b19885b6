import { assertEquals, assertThrows } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import { DnsMessageError } from "../../dns/errors.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { MessageReader } from "../../dns/message_reader.ts";

function address(name: string, last: number): ResourceRecord {
  return { name, type: "A", class: "IN", ttl: last, data: { address: `192.0.2.${last}` } };
}

const EDNS = { udpPayloadSize: 1232, version: 0, dnssecOk: true, flags: 0, options: [] };
const MESSAGE = encodeMessage({
  id: 5,
  response: true,
  questions: [
    { name: "a.example.", type: "A", class: "IN" },
    { name: "b.example.", type: "A", class: "IN" },
  ],
  answers: [address("a.example.", 1), address("b.example.", 2)],
  additionals: [address("c.example.", 3)],
  edns: EDNS,
});

Deno.test("MessageReader gives what decodeMessage() gives, step by step", () => {
  const reader = new MessageReader(MESSAGE);
  const whole = decodeMessage(MESSAGE);
  assertEquals(reader.header.id, 5);
  assertEquals(reader.counts, { question: 2, answer: 2, authority: 0, additional: 2 });
  assertEquals([reader.nextQuestion(), reader.nextQuestion()], [...whole.questions]);
  assertEquals(reader.nextQuestion(), undefined);
  const seen: unknown[] = [];
  for (let head = reader.nextHead(); head !== undefined; head = reader.nextHead()) {
    seen.push([head.section, head.type === "OPT" ? reader.edns() : reader.record()]);
  }
  assertEquals(seen, [
    ...whole.answers.map((record) => ["answer", record]),
    ...whole.additionals.map((record) => ["additional", record]),
    ["additional", EDNS],
  ]);
  assertEquals([reader.remaining, reader.nextHead()], [0, undefined]);
});

Deno.test("MessageReader.record() may be called again, or not at all", () => {
  const reader = new MessageReader(MESSAGE);
  assertThrows(() => reader.record(), RangeError);
  const head = reader.nextHead()!;
  assertEquals(reader.record(), reader.record());
  assertThrows(() => reader.edns(), RangeError);
  const { offset, rdataOffset, rdataLength } = head;
  assertEquals(
    MESSAGE.slice(rdataOffset, rdataOffset + rdataLength),
    new Uint8Array([192, 0, 2, 1]),
  );
  assertEquals(rdataOffset - offset, 2 + 10);
  reader.nextHead();
  assertEquals(reader.nextHead()?.name, "c.example.");
  assertEquals(reader.nextHead()?.type, "OPT");
  assertEquals(reader.record().type, "OPT");
  assertEquals(reader.nextHead(), undefined);
  assertThrows(() => reader.record(), RangeError);
});

Deno.test("MessageReader.skipTo() goes over questions and sections, never back", () => {
  const reader = new MessageReader(MESSAGE);
  reader.skipTo("answer");
  reader.skipTo("answer");
  assertEquals(reader.nextHead()?.name, "a.example.");
  assertThrows(() => reader.skipTo("answer"), RangeError);
  reader.skipTo("additional");
  assertThrows(() => reader.record(), RangeError);
  assertThrows(() => reader.skipTo("authority"), RangeError);
  assertEquals(reader.nextHead()?.name, "c.example.");
  assertThrows(() => reader.skipTo("question" as "answer"), RangeError);
});

Deno.test("MessageReader looks only at what it is asked for", () => {
  const bytes = encodeMessage({ answers: [address("a.", 1), address("b.", 2)] });
  // The first record now has an address of three bytes.
  bytes[12 + 3 + 9] = 3;
  bytes.copyWithin(12 + 3 + 10 + 3, 12 + 3 + 10 + 4);
  const message = bytes.subarray(0, -1);
  assertThrows(() => decodeMessage(message), DnsMessageError);
  const reader = new MessageReader(message);
  reader.nextHead();
  assertThrows(() => reader.record(), DnsMessageError);
  assertEquals(reader.nextHead()?.name, "b.");
  assertEquals(reader.record(), address("b.", 2));
});

Deno.test("MessageReader throws on every strict prefix, and nothing but DnsMessageError", () => {
  for (let end = 0; end < MESSAGE.length; end++) {
    const error = assertThrows(() => {
      const reader = new MessageReader(MESSAGE.subarray(0, end));
      while (reader.nextHead() !== undefined);
    }, DnsMessageError);
    assertEquals(error.code, "ERR_DNS_TRUNCATED");
  }
});
