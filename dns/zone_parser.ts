// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import type { ResourceRecord } from "./message.ts";
import { parseName } from "./name.ts";
import { RdataText } from "./rdata_text.ts";
import { formatRecordClass, parseRecordClass } from "./record_class.ts";
import { type RecordDefaults, RecordTextReader } from "./record_text_reader.ts";
import { tokenAt, tokenError } from "./text_tokens.ts";
import { parseTtl } from "./ttl_text.ts";
import { ZoneGenerator } from "./zone_generate.ts";
import { nameAt } from "./zone_name.ts";
import { ZoneTokenizer, type ZoneTokenizerOptions } from "./zone_tokenizer.ts";

/** Where an `$INCLUDE` stands. */
export interface ZoneIncludePlace {
  /** The file it stands in; `undefined` if that has no name. */
  readonly file: string | undefined;
  /** The line, from 1. */
  readonly line: number;
}

/** A text, its bytes, or pieces of it in order. */
export type ZoneText = string | Uint8Array | Iterable<string | Uint8Array>;

/** Options of {@linkcode ZoneParser} and {@linkcode parseZone}. */
export interface ZoneParserOptions extends ZoneTokenizerOptions {
  /**
   * What relative names are under until `$ORIGIN` says otherwise; an absolute name, with a dot at
   * its end or without. Without it relative names are refused.
   *
   * @default {undefined}
   */
  readonly origin?: string;
  /**
   * TTL in seconds of records that state none, until `$TTL` says otherwise, 0 to 2^32 - 1. Without
   * it the TTL of the record before counts, or the last field of the SOA.
   *
   * @default {undefined}
   */
  readonly ttl?: number;
  /**
   * Class of records that state none; the last one stated counts.
   *
   * @default {"IN"}
   */
  readonly class?: string;
  /**
   * Gives the text of a file that `$INCLUDE` names. What it throws comes out of `next()` as it is.
   * Without it `$INCLUDE` is refused.
   *
   * @default {undefined}
   */
  readonly include?: (file: string, place: ZoneIncludePlace) => ZoneText;
  /**
   * How deep files may include files, 0 to 1,000.
   *
   * @default {10}
   */
  readonly maxIncludeDepth?: number;
  /**
   * Files included in all, 0 to 1,000,000.
   *
   * @default {1_000}
   */
  readonly maxIncludeCount?: number;
  /**
   * Records of one `$GENERATE`, 0 to 2^31.
   *
   * @default {65_536}
   */
  readonly maxGenerateCount?: number;
}

/** A file that is being read. */
interface Source {
  readonly tokenizer: ZoneTokenizer;
  /** What has not been read of an included file; `undefined` for the zone itself. */
  readonly chunks: Iterator<string | Uint8Array> | undefined;
  /** What the file that includes this one goes on with. */
  readonly outer: RecordDefaults | undefined;
}

const MAX_TTL = 0xffff_ffff;
const decoder = /* @__PURE__ */ new TextDecoder();

/**
 * Parser of zone files (RFC 1035 section 5), incremental: give it text as it comes, take records
 * as they are complete. It holds no more than the pieces written, one entry and one line of
 * `$GENERATE`.
 *
 * `$ORIGIN`, `$TTL` (RFC 2308), `$INCLUDE` and BIND's `$GENERATE` are done. What an included file
 * says with `$ORIGIN` or `$TTL` ends with it, and so does its last owner. Text is bytes: names and
 * strings outside of ASCII are UTF-8 if the file is. Columns of errors count bytes, but not those of
 * a byte-order mark, which is skipped.
 *
 * The first error is final: `next()` throws it again.
 *
 * @example A zone in two pieces
 * ```ts
 * import { ZoneParser } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const parser = new ZoneParser({ origin: "example." });
 * parser.write("$TTL 1h\n@ NS ns\nns A 192.0");
 * assertEquals(parser.next()?.name, "example.");
 * assertEquals(parser.next(), undefined);
 * parser.write(".2.1");
 * parser.end();
 * assertEquals(parser.next(), {
 *   name: "ns.example.",
 *   type: "A",
 *   class: "IN",
 *   ttl: 3600,
 *   data: { address: "192.0.2.1" },
 * });
 * ```
 */
export class ZoneParser {
  readonly #options: ZoneParserOptions;
  readonly #maxIncludeDepth: number;
  readonly #maxIncludeCount: number;
  readonly #maxGenerateCount: number;
  readonly #reader: RecordTextReader;
  /** The zone itself, and the files that are open in it. */
  readonly #sources: Source[];
  #generator: ZoneGenerator | undefined;
  #includeCount = 0;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * Makes a parser.
   *
   * @param options What records inherit, the files to include, and bounds.
   * @throws {RangeError} If an option is out of its range.
   * @throws {DnsTextError} If the origin is no name.
   */
  constructor(options: ZoneParserOptions = {}) {
    this.#options = options;
    this.#maxIncludeDepth = checkCount("maxIncludeDepth", options.maxIncludeDepth, 10, 1_000);
    this.#maxIncludeCount = checkCount(
      "maxIncludeCount",
      options.maxIncludeCount,
      1_000,
      1_000_000,
    );
    this.#maxGenerateCount = checkCount(
      "maxGenerateCount",
      options.maxGenerateCount,
      65_536,
      2 ** 31,
    );
    this.#reader = new RecordTextReader(resolveDefaults(options));
    const tokenizer = new ZoneTokenizer(options);
    this.#sources = [{ tokenizer, chunks: undefined, outer: undefined }];
  }

  /** What relative names are under now; `undefined` while there is none. */
  get origin(): string | undefined {
    return this.#reader.defaults.origin;
  }

  /** The TTL of records that state none, in seconds; `undefined` while there is none. */
  get ttl(): number | undefined {
    return this.#reader.defaults.ttl;
  }

  /**
   * Takes the next piece of the zone, cut anywhere. Take the records out with `next()` before the
   * next piece, or pieces pile up.
   *
   * @param chunk Bytes, which are copied, or text, which must not end within a surrogate pair.
   * @throws {TypeError} If the end was said before.
   */
  write(chunk: string | Uint8Array): void {
    if (this.#isEnded) throw new TypeError("Cannot write to ZoneParser: the end was said");
    if (this.#failure === undefined) this.#sources[0]!.tokenizer.write(chunk);
  }

  /** Says that the zone ends here; its last line need not have an end. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#sources[0]!.tokenizer.end();
  }

  /**
   * Takes the next record.
   *
   * @returns The record; `undefined` if more text is needed, or behind the end if there is none.
   * @throws {DnsTextError} If the text is no zone; the error tells file, line and column.
   * @throws {LimitExceededError} If a bound is passed.
   */
  next(): ResourceRecord | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return this.#next();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #next(): ResourceRecord | undefined {
    for (;;) {
      if (this.#generator !== undefined) {
        const record = this.#generator.next(this.#reader);
        if (record !== undefined) return record;
        this.#generator = undefined;
      }
      const source = this.#sources.at(-1)!;
      const { tokenizer } = source;
      if (!tokenizer.next()) {
        if (source.chunks === undefined) return undefined;
        this.#feed(source, source.chunks);
      } else if (isDirective(tokenizer)) this.#direct(tokenizer);
      else return this.#reader.read(tokenizer, tokenizer.hasBlankOwner);
    }
  }

  /** Goes on with an included file, or with the one around it. */
  #feed({ tokenizer, outer }: Source, chunks: Iterator<string | Uint8Array>): void {
    const { value, done } = chunks.next();
    if (!done) return tokenizer.write(value);
    if (tokenizer.isEnded) {
      this.#sources.pop();
      this.#reader.defaults = outer!;
    } else tokenizer.end();
  }

  #direct(tokenizer: ZoneTokenizer): void {
    const name = tokenAt(tokenizer, 0).toUpperCase();
    const { defaults } = this.#reader;
    switch (name) {
      case "$ORIGIN":
        checkTokenCount(tokenizer, 2, 2);
        defaults.origin = nameAt(tokenizer, 1, defaults.origin);
        return;
      case "$TTL":
        checkTokenCount(tokenizer, 2, 2);
        defaults.ttl = parseTtl(tokenAt(tokenizer, 1));
        if (defaults.ttl !== undefined) return;
        throw tokenError(tokenizer, 1, "ERR_DNS_BAD_TTL", "no valid TTL");
      case "$INCLUDE":
        checkTokenCount(tokenizer, 2, 3);
        return this.#include(tokenizer);
      case "$GENERATE":
        this.#generator = new ZoneGenerator(tokenizer, this.#maxGenerateCount);
        return;
      default:
        throw tokenError(tokenizer, 0, "ERR_DNS_BAD_DIRECTIVE", "no such directive");
    }
  }

  #include(tokenizer: ZoneTokenizer): void {
    const { include } = this.#options;
    if (include === undefined) {
      throw tokenError(tokenizer, 0, "ERR_DNS_BAD_DIRECTIVE", "$INCLUDE is not allowed here");
    }
    this.#checkIncludes(tokenizer);
    const outer = this.#reader.defaults;
    const origin = tokenizer.count === 3 ? nameAt(tokenizer, 2, outer.origin) : outer.origin;
    const file = decoder.decode(new RdataText(tokenizer, 1, undefined).stringBytes());
    const text = include(file, { file: tokenizer.file, line: tokenizer.line });
    const pieces = typeof text === "string" || text instanceof Uint8Array ? [text] : text;
    const inner = new ZoneTokenizer({ ...this.#options, file });
    this.#sources.push({ tokenizer: inner, chunks: pieces[Symbol.iterator](), outer });
    this.#reader.defaults = { ...outer, origin };
  }

  #checkIncludes({ file, line }: ZoneTokenizer): void {
    this.#includeCount++;
    const limit = this.#sources.length > this.#maxIncludeDepth
      ? "maxIncludeDepth"
      : this.#includeCount > this.#maxIncludeCount
      ? "maxIncludeCount"
      : undefined;
    if (limit === undefined) return;
    const max = limit === "maxIncludeDepth" ? this.#maxIncludeDepth : this.#maxIncludeCount;
    const message = `Cannot parse ${file ?? "text"}:${line}: more than ${max} files (${limit})`;
    throw new LimitExceededError(message, { limit, max });
  }
}

/**
 * Parses a whole zone file. For large ones {@linkcode ZoneParser} needs less memory.
 *
 * @param text The zone.
 * @param options What records inherit, the files to include, and bounds.
 * @returns The records in order.
 * @throws {DnsTextError} If the text is no zone.
 * @throws {LimitExceededError} If a bound is passed.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Two records and where a third is wrong
 * ```ts
 * import { DnsTextError, parseZone } from "@nbio/net/dns";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const options = { origin: "example.", ttl: 60, file: "example.zone" };
 * const records = parseZone("@ NS ns\nns AAAA 2001:DB8::1 ; primary", options);
 * assertEquals(records.map(({ name, type }) => [name, type]), [
 *   ["example.", "NS"],
 *   ["ns.example.", "AAAA"],
 * ]);
 *
 * const error = assertThrows(() => parseZone("@ NS ns\n@ MX ten mx", options), DnsTextError);
 * assertEquals([error.file, error.line, error.column], ["example.zone", 2, 6]);
 * ```
 */
export function parseZone(
  text: string | Uint8Array,
  options: ZoneParserOptions = {},
): ResourceRecord[] {
  const parser = new ZoneParser(options);
  parser.write(text);
  parser.end();
  const records: ResourceRecord[] = [];
  for (let record = parser.next(); record !== undefined; record = parser.next()) {
    records.push(record);
  }
  return records;
}

/**
 * What the first record inherits by the options.
 *
 * @param options Origin, TTL and class.
 * @throws {RangeError} If one is out of its range.
 * @throws {DnsTextError} If the origin is no name.
 */
export function resolveDefaults(
  options: Pick<ZoneParserOptions, "origin" | "ttl" | "class">,
): RecordDefaults {
  const { origin, ttl } = options;
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 0 && ttl <= MAX_TTL)) {
    throw new RangeError(`Cannot use ttl ${ttl}: expected an integer from 0 to ${MAX_TTL}`);
  }
  const recordClass = parseRecordClass(options.class ?? "IN");
  if (recordClass === undefined) {
    throw new RangeError(`Cannot use class ${JSON.stringify(options.class)}: there is none`);
  }
  return {
    // A dot that is left out, as everywhere in the API.
    origin: origin === undefined ? undefined : parseName(origin, { origin: "." }),
    owner: undefined,
    ttl,
    lastTtl: undefined,
    recordClass: formatRecordClass(recordClass),
  };
}

function isDirective({ text, starts, quoted, hasBlankOwner }: ZoneTokenizer): boolean {
  return !hasBlankOwner && quoted[0] === 0 && text.charCodeAt(starts[0]!) === 0x24;
}

function checkTokenCount(tokenizer: ZoneTokenizer, least: number, most: number): void {
  if (tokenizer.count >= least && tokenizer.count <= most) return;
  const index = tokenizer.count < least ? tokenizer.count : most;
  throw tokenError(tokenizer, index, "ERR_DNS_BAD_DIRECTIVE", "too few or too many arguments");
}

function checkCount(
  name: string,
  value: number | undefined,
  fallback: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from 0 to ${max}`);
}
