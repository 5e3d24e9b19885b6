import { assertEquals, assertGreater } from "@std/assert";
import { encodeMessage } from "../../dns/encode_message.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { countSteps, createMessage, fuzzMessages, tryMessage } from "./dns_fuzz.ts";

// Another seed every day, the same one all day: new messages, but no flicker.
const seed = Math.floor(Date.now() / 86_400_000);

Deno.test("2,000 random messages give records or documented errors", () => {
  const { acceptedCount, refusedCounts } = fuzzMessages({ seed, count: 2_000 });
  // All kinds have to come up, or the fuzzer tests nothing.
  assertGreater(acceptedCount, 200);
  for (const code of ["TRUNCATED", "BAD_NAME", "BAD_POINTER", "BAD_RDATA", "BAD_OPT"]) {
    assertGreater(refusedCounts[`ERR_DNS_${code}`] ?? 0, 0);
  }
});

Deno.test("fuzzMessages() makes the same of the same seed", () => {
  const options = { seed: 7, count: 200 };
  assertEquals(fuzzMessages(options), fuzzMessages(options));
});

Deno.test("every strict prefix of a message is refused, every flipped byte is taken or refused", () => {
  for (let number = 0; number < 20; number++) {
    const bytes = encodeMessage(createMessage(new SeededRandom(seed + number)));
    for (let end = 0; end < bytes.length; end++) {
      assertEquals(tryMessage(bytes.subarray(0, end)) === undefined, false);
    }
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 0xff;
      tryMessage(flipped);
    }
  }
});

const HEAD_BYTES = 10;
/** 127 pointers of three looks in every 12 bytes are the most. */
const STEPS_PER_BYTE = 40;
const STEPS_PER_CHARACTER = 4;

/** A message of opaque records behind `prefix`, each of which starts with `name`. */
function recordsBehind(prefix: Uint8Array, name: readonly number[]): Uint8Array<ArrayBuffer> {
  const record = [...name, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  const count = Math.floor((65_535 - 12 - HEAD_BYTES - 1 - prefix.length) / record.length);
  const rdata = [0, 0xff, 0, 0, 1, 0, 0, 0, 0, prefix.length >> 8, prefix.length & 0xff, ...prefix];
  const header = [0, 0, 0x80, 0, 0, 0, count + 1 >> 8, count + 1 & 0xff, 0, 0, 0, 0];
  const records = new Array<readonly number[]>(count).fill(record).flat();
  return new Uint8Array([...header, ...rdata, ...records]);
}

/** Where the prefix stands in such a message. */
const PREFIX_AT = 12 + 1 + HEAD_BYTES;

function pointerTo(offset: number): [number, number] {
  return [0xc0 | offset >>> 8, offset & 0xff];
}

function chainOfPointers(count: number): Uint8Array<ArrayBuffer> {
  const pointers = Array.from({ length: count }, (_, index) => {
    return pointerTo(index === 0 ? PREFIX_AT : PREFIX_AT + 2 * index - 1);
  });
  return new Uint8Array([0, ...pointers.flat()]);
}

const LONGEST_NAME = new Uint8Array([
  ...Array.from({ length: 126 }, () => [1, 0]).flat(),
  0,
]);

const HEAVY: Record<string, Uint8Array<ArrayBuffer>> = {
  "pointers to a name of 253 bytes that need escapes": recordsBehind(
    LONGEST_NAME,
    pointerTo(PREFIX_AT),
  ),
  "labels in front of such a pointer": recordsBehind(LONGEST_NAME.subarray(2), [
    1,
    0x61,
    ...pointerTo(PREFIX_AT),
  ]),
  "pointers into its middle": recordsBehind(LONGEST_NAME, pointerTo(PREFIX_AT + 100)),
  "chains of 126 pointers": recordsBehind(
    chainOfPointers(126),
    pointerTo(PREFIX_AT + 2 * 126 - 1),
  ),
  "chains of 8,000 pointers": recordsBehind(
    chainOfPointers(8_000),
    pointerTo(PREFIX_AT + 2 * 8_000 - 1),
  ),
};

for (const [what, bytes] of Object.entries(HEAVY)) {
  Deno.test(`a message of 64 KiB with ${what} takes steps in proportion to it`, () => {
    assertGreater(bytes.length, 65_000);
    const { steps, textLength } = countSteps(bytes);
    assertGreater(STEPS_PER_BYTE * bytes.length + STEPS_PER_CHARACTER * textLength, steps);
  });
}
