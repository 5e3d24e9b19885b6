/**
 * Fuzzing of DNS messages.
 *
 * Every message has a number, and with the seed the number makes it again: a failure tells both.
 */

import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import { DnsMessageError } from "../../dns/errors.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { MessageReader } from "../../dns/message_reader.ts";
import { printMessage } from "../../dns/print_message.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { RDATA_SAMPLES } from "../dns/rdata_samples.ts";
import type { FuzzRun, FuzzTarget, Outcomes } from "./fuzz_target.ts";

/** What came of it. */
export interface DnsFuzzResult {
  readonly acceptedCount: number;
  /** How many messages were refused, by the code of the error. */
  readonly refusedCounts: Readonly<Record<string, number>>;
}

const MAX_MUTATIONS = 5;
const TYPES = Object.keys(RDATA_SAMPLES).filter((type) => type !== "OPT");
const NAMES = [".", "a.", "example.com.", "www.example.com.", "WWW.example.com.", "a\\.b\\000.de."];

/** A message of records with random data of their types, all of them sound. */
export function createMessage(random: SeededRandom): MessageInit {
  const records = () => Array.from({ length: random.int(4) }, () => createRecord(random));
  return {
    id: random.int(65_536),
    response: random.int(2) === 0,
    opcode: random.pick(["QUERY", "NOTIFY", "UPDATE"]),
    questions: Array.from({ length: random.int(3) }, () => ({
      name: random.pick(NAMES),
      type: random.pick(TYPES),
      class: random.pick(["IN", "CH", "ANY"]),
    })),
    answers: records(),
    authorities: records(),
    additionals: records(),
    edns: random.int(2) === 0 ? undefined : {
      udpPayloadSize: random.int(65_536),
      version: 0,
      dnssecOk: random.int(2) === 0,
      flags: 0,
      options: random.int(2) === 0 ? [] : [
        { type: "cookie", client: random.bytes(8), server: random.bytes(8 + random.int(25)) },
        { type: "extended-error", infoCode: random.int(65_536), text: "x" },
        { type: "unknown", code: 65_001, bytes: random.bytes(random.int(20)) },
      ],
    },
  };
}

function createRecord(random: SeededRandom): ResourceRecord {
  const type = random.pick(TYPES);
  return {
    name: random.pick(NAMES),
    type,
    class: "IN",
    ttl: random.int(2 ** 31),
    data: RDATA_SAMPLES[type]!(random),
  } as ResourceRecord;
}

type Mutation = (bytes: Uint8Array<ArrayBuffer>, random: SeededRandom) => Uint8Array<ArrayBuffer>;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    if (bytes.length > 0) bytes[random.int(bytes.length)]! ^= 1 << random.int(8);
    return bytes;
  },
  function setByte(bytes, random) {
    if (bytes.length > 0) {
      bytes[random.int(bytes.length)] = random.pick([0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff]);
    }
    return bytes;
  },
  function setPointer(bytes, random) {
    if (bytes.length < 2) return bytes;
    const target = random.int(bytes.length);
    bytes.set([0xc0 | target >>> 8 & 0x3f, target & 0xff], random.int(bytes.length - 1));
    return bytes;
  },
  function changeCount(bytes, random) {
    if (bytes.length >= 12) bytes[5 + 2 * random.int(4)] = random.int(8);
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random.int(bytes.length + 1));
  },
  function insert(bytes, random) {
    return splice(bytes, random.int(bytes.length + 1), 0, random.bytes(1 + random.int(8)));
  },
  function remove(bytes, random) {
    return splice(bytes, random.int(bytes.length + 1), 1 + random.int(8), new Uint8Array(0));
  },
  function repeat(bytes, random) {
    const at = random.int(bytes.length + 1);
    return splice(bytes, at, 0, bytes.slice(at, at + random.int(40)));
  },
];

function splice(
  bytes: Uint8Array,
  at: number,
  removedCount: number,
  inserted: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const behind = bytes.slice(at + removedCount);
  const result = new Uint8Array(at + inserted.length + behind.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(behind, at + inserted.length);
  return result;
}

/** A message that was sound and now mostly is not. */
function createInput(random: SeededRandom): Uint8Array {
  if (random.int(50) === 0) return random.bytes(random.int(64));
  let bytes = encodeMessage(createMessage(random));
  for (let left = random.int(MAX_MUTATIONS + 1); left > 0; left--) {
    bytes = random.pick(MUTATIONS)(bytes, random);
  }
  return bytes;
}

/**
 * Decodes a message in both ways, and what is sound back and again. Only documented errors are
 * caught.
 *
 * @returns The code of the error; `undefined` if the message is sound.
 */
export function tryMessage(bytes: Uint8Array): string | undefined {
  try {
    readSteps(bytes);
    const message = decodeMessage(bytes, { trailingBytes: "report" });
    const again = encodeMessage(message);
    const twice = encodeMessage(decodeMessage(again));
    if (again.toHex() !== twice.toHex()) throw new Error("It is not the same when written again");
    if (printMessage(message) === "") throw new Error("Nothing is printed");
    // The same, but for what may stand behind it.
    decodeMessage(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof DnsMessageError) return error.code;
    throw error;
  }
}

function readSteps(bytes: Uint8Array): void {
  const reader = new MessageReader(bytes);
  for (let head = reader.nextHead(); head !== undefined; head = reader.nextHead()) {
    if (head.type === "OPT") reader.edns();
    else reader.record();
  }
}

/**
 * Runs the fuzzer.
 *
 * @throws {Error} If a message does anything but what is documented.
 */
export function fuzzMessages({ seed, first = 0, count }: FuzzRun): DnsFuzzResult {
  let acceptedCount = 0;
  const refusedCounts: Record<string, number> = {};
  for (let number = first; number < first + count; number++) {
    const bytes = createInput(new SeededRandom(seed + number * 2_654_435_761 % 2 ** 31));
    try {
      const code = tryMessage(bytes);
      if (code === undefined) acceptedCount++;
      else refusedCounts[code] = (refusedCounts[code] ?? 0) + 1;
    } catch (cause) {
      throw new Error(`Message ${bytes.toHex()} fails (seed ${seed}, number ${number})`, { cause });
    }
  }
  return { acceptedCount, refusedCounts };
}

/**
 * Decodes a message, and counts how often one of its bytes was looked at.
 *
 * @returns The steps, and the characters of all names; no steps are counted after an error.
 */
export function countSteps(bytes: Uint8Array<ArrayBuffer>): { steps: number; textLength: number } {
  let steps = 0;
  const counting = new Proxy(bytes, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value === "function") return value.bind(target);
      steps++;
      return value;
    },
  });
  let textLength = 0;
  try {
    const { questions, answers } = decodeMessage(counting);
    for (const { name } of [...questions, ...answers]) textLength += name.length;
  } catch (error) {
    if (!(error instanceof DnsMessageError)) throw error;
  }
  return { steps, textLength };
}

/** The messages as a target. They are made and not kept: what to replay is the first hundred. */
export const MESSAGE_TARGET: FuzzTarget = {
  name: "dns/message",
  drives: [
    ...["dns/decode_message.ts", "dns/message_reader.ts", "dns/_message_wire.ts"],
    ...["dns/wire_reader.ts", "dns/edns.ts", "dns/rdata.ts"],
  ],
  fuzz: (run) => toOutcomes(fuzzMessages(run)),
  replay: () => toOutcomes(fuzzMessages({ seed: 1, count: 100 })),
};

function toOutcomes({ acceptedCount, refusedCounts }: DnsFuzzResult): Outcomes {
  const refused = Object.entries(refusedCounts);
  return Object.fromEntries([
    ["accepted", acceptedCount],
    ...refused.map(([code, many]) => [`DnsMessageError ${code}`, many]),
  ]);
}
