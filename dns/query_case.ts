// This module is sans-I/O.

import type { Message, ResourceRecord } from "./message.ts";
import { canonicalName } from "./name.ts";

const LETTER = /[A-Za-z]/g;

/**
 * Writes the letters of a name in random case: one more bit per letter that a forged answer has to
 * guess (draft-vixie-dnsext-dns0x20).
 *
 * @param name The name, with its one escaping.
 * @param randomUint16 Gives integers of 0 to 65,535 that nobody can guess; called once for up to 16
 * letters.
 * @returns A name equal to it.
 *
 * @example Bits from the lowest on
 * ```ts
 * import { randomizeCase } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(randomizeCase("www.example.", () => 0b0101), "WwW.example.");
 * ```
 */
export function randomizeCase(name: string, randomUint16: () => number): string {
  let bits = 0;
  let bitCount = 0;
  // Escapes hold no letters: what is escaped is a sign or three digits.
  return name.replace(LETTER, (letter) => {
    if (bitCount === 0) {
      bits = randomUint16();
      bitCount = 16;
    }
    const isUpper = (bits & 1) === 1;
    bits >>>= 1;
    bitCount--;
    return isUpper ? letter.toUpperCase() : letter.toLowerCase();
  });
}

/**
 * Undoes {@linkcode randomizeCase} in a response: the name asked for stands there as it was meant,
 * in the question and as an owner.
 *
 * @param message The response.
 * @param name The name as it was meant.
 * @returns The same message with that name.
 *
 * @example In the question
 * ```ts
 * import { decodeMessage, encodeMessage, restoreCase } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const message = decodeMessage(encodeMessage({
 *   questions: [{ name: "WwW.example.", type: "A", class: "IN" }],
 * }));
 * assertEquals(restoreCase(message, "www.example.").questions[0]?.name, "www.example.");
 * ```
 */
export function restoreCase(message: Message, name: string): Message {
  const canonical = canonicalName(name);
  const restore = <T extends { readonly name: string }>(entry: T): T =>
    canonicalName(entry.name) === canonical ? { ...entry, name } : entry;
  const restoreAll = (records: readonly ResourceRecord[]) => records.map(restore);
  return {
    ...message,
    questions: message.questions.map(restore),
    answers: restoreAll(message.answers),
    authorities: restoreAll(message.authorities),
    additionals: restoreAll(message.additionals),
  };
}
