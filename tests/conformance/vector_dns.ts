/**
 * Loading of the vectors about DNS, and what their runners share: the form of the cases, and how
 * outcomes are written down so that they can be compared with the tables of intended differences.
 */

import { assertEquals } from "@std/assert";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";

/** What all cases have. */
export interface DnsCase {
  /** Names the case within its file. */
  readonly id: string;
}

interface DnsVectors<T> {
  readonly cases: readonly T[];
}

/** The cases of `dns-<name>.json`; none, with the reason reported, where the file is missing. */
export function loadDnsCases<T extends DnsCase>(name: string): readonly T[] | undefined {
  return loadVectors<DnsVectors<T>>(`dns-${name}`)?.cases;
}

/** Bytes of a text in hexadecimal. */
export function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** Bytes as text in hexadecimal. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What `run` gives, or the code of the error it throws. Errors that are not documented get through:
 * they are faults, whatever the case wants.
 */
export function outcomeOf(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (error instanceof DnsMessageError || error instanceof DnsTextError) return error.code;
    throw error;
  }
}

/** Whether an outcome is the code of an error. */
export function isRefused(outcome: string): boolean {
  return outcome.startsWith("ERR_DNS_");
}

/**
 * Defines the test of a file of vectors.
 *
 * @param name The file without `dns-`.
 * @param judge What becomes of one case; `undefined` where the case is another runner's.
 * @param differences The cases that are rightly not decided as their source decides them.
 */
export function testDnsVectors<T extends DnsCase>(
  name: string,
  judge: (vector: T) => Omit<Judgement, "name"> | undefined,
  differences: readonly Difference[] = [],
): void {
  const cases = loadDnsCases<T>(name);
  Deno.test({
    name: `vectors dns-${name}: every case is decided as wanted, or listed`,
    ignore: cases === undefined,
    fn() {
      const judgements = cases!.flatMap((vector) => {
        const judgement = judge(vector);
        return judgement === undefined ? [] : [{ name: vector.id, ...judgement }];
      });
      assertEquals(unlisted(judgements, differences), []);
    },
  });
}
