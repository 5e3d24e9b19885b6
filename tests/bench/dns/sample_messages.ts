/** The messages that are measured: of the same form and size, each with another name. */

import { encodeMessage, type MessageInit } from "../../../dns/encode_message.ts";
import type { ResourceRecord } from "../../../dns/message.ts";

/** Messages of one form. */
export interface SampleSet {
  readonly name: string;
  readonly messages: readonly Uint8Array<ArrayBuffer>[];
}

const COUNT = 16;
const EDNS = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options: [] };

/** An answer with the servers of the zone and their addresses, 151 bytes. */
function answerOf(index: number): MessageInit {
  const host = `w${String(index).padStart(2, "0")}.example.com.`;
  return {
    id: 4000 + index,
    response: true,
    recursionDesired: true,
    recursionAvailable: true,
    questions: [{ name: host, type: "A", class: "IN" }],
    answers: [record(host, "A", { address: `192.0.2.${index}` })],
    authorities: [
      record("example.com.", "NS", { target: "a.iana-server.net." }),
      record("example.com.", "NS", { target: "b.iana-server.net." }),
    ],
    additionals: [
      record("a.iana-server.net.", "A", { address: `198.51.100.${index}` }),
      record("b.iana-server.net.", "AAAA", { address: `2001:db8:1f:${index + 1}::53` }),
    ],
    edns: EDNS,
  };
}

/** An address signed by two keys of 2,048 bits, 671 bytes. */
function signedAnswerOf(index: number): MessageInit {
  const host = `w${String(index).padStart(2, "0")}.dnssec-tools.example.com.`;
  return {
    id: 4000 + index,
    response: true,
    authenticData: true,
    questions: [{ name: host, type: "A", class: "IN" }],
    answers: [
      record(host, "A", { address: `192.0.2.${index}` }),
      signature(host, 20_326 + index),
      signature(host, 38_696 + index),
    ],
    edns: { ...EDNS, dnssecOk: true },
  };
}

function signature(name: string, keyTag: number): ResourceRecord {
  return record(name, "RRSIG", {
    typeCovered: "A",
    algorithm: 8,
    labels: 4,
    originalTtl: 3600,
    signatureExpiration: 1_762_000_000,
    signatureInception: 1_760_000_000,
    keyTag,
    signerName: "example.com.",
    signature: Uint8Array.from({ length: 256 }, (_, index) => index * keyTag),
  });
}

function record<T extends "A" | "AAAA" | "NS" | "RRSIG">(
  name: string,
  type: T,
  data: ResourceRecord<T>["data"],
): ResourceRecord {
  return { name, type, class: "IN", ttl: 3600, data } as ResourceRecord;
}

function sampleSet(name: string, size: number, make: (index: number) => MessageInit): SampleSet {
  const messages = Array.from({ length: COUNT }, (_, index) => encodeMessage(make(index)));
  if (messages.some(({ length }) => length !== size)) {
    throw new Error(`A message of ${name} has ${messages[0]!.length} bytes, not ${size}`);
  }
  return { name, messages };
}

/** What is measured. */
export const SAMPLE_SETS: readonly SampleSet[] = [
  sampleSet("151 bytes (A, NS, glue)", 151, answerOf),
  sampleSet("671 bytes (A, RRSIG)", 671, signedAnswerOf),
];
