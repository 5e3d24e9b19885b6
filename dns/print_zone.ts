// This module is sans-I/O.

import type { ResourceRecord } from "./message.ts";
import { parseName } from "./name.ts";
import { alignRecord, printRecordData, printRecordHead } from "./print_record.ts";

/** How a zone is printed. */
export interface PrintZoneOptions {
  /**
   * Where the zone is; owners below it are printed relative to it, behind a `$ORIGIN`. Names in
   * data stay absolute.
   *
   * @default {undefined}
   */
  readonly origin?: string;
  /**
   * The TTL in seconds for a `$TTL`, 0 to 2^32 - 1; records that have it do not repeat it.
   *
   * @default {undefined}
   */
  readonly ttl?: number;
  /**
   * Whether the owner is left out where it is the one of the record before.
   *
   * @default {false}
   */
  readonly blankOwners?: boolean;
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;
const MAX_TTL = 0xffff_ffff;

/**
 * Prints records as a zone file (RFC 1035 section 5), in the order they come and as they come.
 * {@linkcode ZoneParser} reads it back.
 *
 * @param records The records.
 * @param options What stands at the head, and what is left out.
 * @returns The lines, each with its end; nothing is read ahead.
 * @throws {RangeError} If the TTL is out of its range.
 * @throws {DnsTextError} If the origin is no name.
 * @throws {DnsMessageError} If a value of the data fits neither wire nor text.
 *
 * @example Relative to an origin
 * ```ts
 * import { parseZone, printZone } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const records = parseZone("example. 60 NS ns.example.\nns.example. 60 A 192.0.2.1\n");
 * const lines = [...printZone(records, { origin: "example.", ttl: 60 })];
 * assertEquals(lines, [
 *   "$ORIGIN example.\n",
 *   "$TTL 60\n",
 *   "@\t\t\t\tIN\tNS\tns.example.\n",
 *   "ns\t\t\t\tIN\tA\t192.0.2.1\n",
 * ]);
 * ```
 */
export function* printZone(
  records: Iterable<ResourceRecord>,
  options: PrintZoneOptions = {},
): Generator<string, void, undefined> {
  const { ttl, blankOwners = false } = options;
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 0 && ttl <= MAX_TTL)) {
    throw new RangeError(`Cannot use ttl ${ttl}: expected an integer from 0 to ${MAX_TTL}`);
  }
  // A dot that is left out, as everywhere in the API.
  const origin = options.origin === undefined
    ? undefined
    : parseName(options.origin, { origin: "." });
  if (origin !== undefined) yield `$ORIGIN ${origin}\n`;
  if (ttl !== undefined) yield `$TTL ${ttl}\n`;
  let owner: string | undefined;
  for (const record of records) {
    const rdata = printRecordData(record);
    const head = printRecordHead(record);
    const isSame = blankOwners && head.name === owner;
    owner = head.name;
    const name = isSame ? "" : origin === undefined ? owner : relativeName(owner, origin);
    yield `${alignRecord({ ...head, name, ttl: record.ttl === ttl ? "" : head.ttl }, rdata)}\n`;
  }
}

/** A name as it stands under an origin: `@` for the origin itself, absolute if it is not below. */
function relativeName(name: string, origin: string): string {
  if (name === origin) return "@";
  if (origin === ".") return name.slice(0, -1);
  const dot = name.length - origin.length - 1;
  if (dot < 1 || name.charCodeAt(dot) !== DOT || !name.endsWith(origin)) return name;
  let backslashCount = 0;
  while (name.charCodeAt(dot - 1 - backslashCount) === BACKSLASH) backslashCount++;
  // After an odd number of backslashes the dot belongs to a label.
  return backslashCount % 2 === 1 ? name : name.slice(0, dot);
}
