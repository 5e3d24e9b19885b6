/**
 * Fuzzing of zone files.
 *
 * Every text has a number, and with the seed the number makes it again: a failure tells both.
 */

import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { printZone } from "../../dns/print_zone.ts";
import { parseZone, ZoneParser, type ZoneParserOptions } from "../../dns/zone_parser.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { count, type FuzzRun, type FuzzTarget, type Outcomes } from "./fuzz_target.ts";
import { cut, randomOf } from "./mutation.ts";

/** What came of it. */
export interface ZoneFuzzResult {
  /** Records that were read. */
  readonly recordCount: number;
  /** Texts that ended in a documented error. */
  readonly refusedCount: number;
  /** Texts by how they ended. */
  readonly outcomes: Outcomes;
}

const MAX_LINES = 6;
const MAX_SPOILS = 3;

/** Lines that are right, one for most types. */
const LINES = [
  "@ SOA ns host ( 1 1h 2m 1w 5 )",
  "@ NS ns",
  "ns 60 IN A 192.0.2.1",
  " IN 60 AAAA 2001:db8::1 ; comment",
  "mx MX 10 mail.example.org.",
  'txt TXT "a b" c \\"d "\\000;"',
  "srv._tcp SRV 1 2 3 host",
  '@ NAPTR 1 2 "s" "SIP+D2U" "" sip',
  '@ CAA 128 issue "ca.example"',
  "@ DS 1 8 2 (\n 000102030405060708090A0B0C0D0E0F\n 101112131415161718191A1B1C1D1E1F )",
  "@ DNSKEY 257 3 8 Zm9v YmFy",
  "@ RRSIG A 8 2 60 20231114221320 1690000000 5 @ Zm9v",
  "@ NSEC a A NS TYPE65280",
  "@ NSEC3 1 0 5 AB 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A",
  "@ NSEC3PARAM 1 0 5 -",
  "@ TLSA 3 1 1 00ff",
  "@ SSHFP 1 1 00ff",
  '@ HTTPS 1 . alpn="h2,h3" port=443 ipv4hint=192.0.2.1 key65280=x',
  "@ SVCB 0 other",
  "@ LOC 51 30 12.748 N 0 7 39.611 W 0.00m 0m 0m 0m",
  "@ APL 1:192.0.2.0/24 !2:2001:db8::/32",
  "@ IPSECKEY 10 1 2 192.0.2.38 Zm9v",
  "@ HIP 2 0001 Zm9v rvs",
  '@ URI 1 2 "http://example/"',
  "@ EUI48 00-00-5e-00-53-2a",
  "@ L64 10 2001:db8:1140:1000",
  "@ TYPE65280 \\# 4 ( 0A0B\n 0C0D )",
  "@ A \\# 4 C0000201",
  "a\\.b\\032\\@ CNAME *.c",
  "$ORIGIN sub",
  "$TTL 1h30m",
  "$INCLUDE other",
  "$GENERATE 1-5/2 h${1,3,x} A 192.0.2.$",
] as const;

/** What decides how a text is cut. */
const PIECES = [
  "\n",
  "\r\n",
  " ",
  "\t",
  "(",
  ")",
  '"',
  ";",
  "\\",
  "\\0",
  "\\000",
  "\\256",
  "@",
  "$",
  "$TTL",
  "${",
  "}",
  ".",
  "..",
  "=",
  "#",
  "0",
  "-1",
  "4294967296",
  "IN",
  "CH",
  "A",
  "TXT",
  "TYPE0",
  "CLASS65536",
  "\0",
  "\x80",
  "\xff",
  "a".repeat(64),
] as const;

const OPTIONS: ZoneParserOptions = {
  origin: "example.",
  ttl: 60,
  maxEntryBytes: 2_000,
  maxTokenBytes: 1_000,
  maxIncludeDepth: 2,
  maxIncludeCount: 3,
  maxGenerateCount: 20,
  include: (file) => file === "other" ? "x A 192.0.2.9\n$INCLUDE other\n" : "",
};

/** The text with a number: right lines, a few pieces in the wrong place. */
function createText(random: SeededRandom): string {
  const lines = Array.from({ length: 1 + random.int(MAX_LINES) }, () => random.pick(LINES));
  let text = lines.join("\n");
  for (let count = random.int(MAX_SPOILS + 1); count > 0; count--) {
    const at = random.int(text.length + 1);
    const end = at + (random.int(2) === 0 ? 0 : random.int(8));
    text = text.slice(0, at) + random.pick(PIECES) + text.slice(end);
  }
  return text;
}

/** The records of a text and how it ends. */
function readChunks(
  chunks: readonly Uint8Array[],
): { records: ResourceRecord[]; end: string; outcome: string } {
  const parser = new ZoneParser(OPTIONS);
  const records: ResourceRecord[] = [];
  const drain = (): void => {
    for (let record = parser.next(); record !== undefined; record = parser.next()) {
      records.push(record);
    }
  };
  try {
    for (const chunk of chunks) {
      parser.write(chunk);
      drain();
    }
    parser.end();
    drain();
    return { records, end: "end", outcome: "accepted" };
  } catch (error) {
    if (error instanceof DnsTextError) {
      const end = `${error.code} ${error.file}:${error.line}:${error.column}`;
      return { records, end, outcome: `DnsTextError ${error.code}` };
    }
    if (error instanceof LimitExceededError) {
      return { records, end: error.limit, outcome: `LimitExceededError ${error.code}` };
    }
    throw error;
  }
}

/** Reads a text whole and cut, and what is printed of it. */
function fuzzOne(random: SeededRandom): { recordCount: number; outcome: string } {
  const bytes = bytesOf(createText(random));
  const { records, end, outcome } = readChunks([bytes]);
  const pieces = readChunks(cut(bytes, random));
  const whole = JSON.stringify(records);
  // A bound may be passed sooner where more is in memory.
  const isSame = JSON.stringify(pieces.records) === whole && pieces.end === end;
  if (!isSame) throw new Error(`Cut: ${pieces.records.length} records, ${pieces.end}; ${end}`);
  try {
    const text = [...printZone(records, { origin: "example.", blankOwners: true })].join("");
    if (JSON.stringify(parseZone(text)) !== whole) throw new Error(`Printed as ${text}`);
  } catch (error) {
    if (!(error instanceof DnsMessageError)) throw error;
    throw new Error("What was read cannot be printed", { cause: error });
  }
  return { recordCount: records.length, outcome };
}

/**
 * Reads random zones whole and cut into pieces, and again what was printed of them.
 *
 * @throws {Error} If something else than a documented error is thrown, or read differently; the
 * message says how to see it again.
 */
export function fuzzZones(options: FuzzRun): ZoneFuzzResult {
  const { seed, first = 0 } = options;
  const outcomes: Record<string, number> = {};
  let recordCount = 0;
  let refusedCount = 0;
  for (let number = first; number < first + options.count; number++) {
    try {
      const result = fuzzOne(randomOf(seed, number));
      recordCount += result.recordCount;
      if (result.outcome !== "accepted") refusedCount++;
      count(outcomes, result.outcome);
    } catch (cause) {
      const shown = JSON.stringify(createText(randomOf(seed, number)));
      throw new Error(`Failed (seed ${seed}, number ${number}) on ${shown}: ${cause}`, { cause });
    }
  }
  return { recordCount, refusedCount, outcomes };
}

/** The zones as a target. They are made and not kept: what to replay is the first hundred. */
export const ZONE_TARGET: FuzzTarget = {
  name: "dns/zone",
  drives: ["dns/zone_parser.ts", "dns/zone_tokenizer.ts", "dns/zone_generate.ts"],
  fuzz: (run) => fuzzZones(run).outcomes,
  replay: () => fuzzZones({ seed: 1, count: 100 }).outcomes,
};
