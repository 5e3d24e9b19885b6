// This module is sans-I/O.

import type { ResourceRecord } from "./message.ts";
import { RecordTextReader } from "./record_text_reader.ts";
import { resolveDefaults, type ZoneParserOptions } from "./zone_parser.ts";
import { tokenizeEntry } from "./zone_tokenizer.ts";

/** What a record that is parsed alone inherits. */
export type ParseRecordOptions = Pick<ZoneParserOptions, "origin" | "ttl" | "class">;

/**
 * Parses one record in presentation format (RFC 1035 section 5.1). Comments are skipped, and
 * parentheses hold lines together; directives belong to zones only.
 *
 * @param text The record, its owner first.
 * @param options Origin of relative names, and what counts where TTL or class are left out.
 * @returns The record.
 * @throws {DnsTextError} If the text is no record, or more than one.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example With what is left out
 * ```ts
 * import { parseRecord } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRecord("www AAAA 2001:DB8:0::1", { origin: "example.", ttl: 60 }), {
 *   name: "www.example.",
 *   type: "AAAA",
 *   class: "IN",
 *   ttl: 60,
 *   data: { address: "2001:db8::1" },
 * });
 * ```
 */
export function parseRecord(text: string, options: ParseRecordOptions = {}): ResourceRecord {
  const reader = new RecordTextReader(resolveDefaults(options));
  return reader.read(tokenizeEntry(text), false);
}
