// This module is sans-I/O.

import type { ResourceRecord } from "./message.ts";
import { rdataCodec, readRdataText } from "./rdata.ts";
import type { RdataCodec } from "./rdata_codec.ts";
import { RdataText } from "./rdata_text.ts";
import { formatRecordClass, parseRecordClass } from "./record_class.ts";
import { parseRecordType } from "./record_type.ts";
import { type TextTokens, tokenAt, tokenError } from "./text_tokens.ts";
import { parseTtl } from "./ttl_text.ts";
import { nameAt } from "./zone_name.ts";

const NO_DATA = { bytes: new Uint8Array(0) };
/** RFC 1035 section 3.4.1 is about class IN; A of class CH is a name and a number, here bytes. */
const CHAOS_ADDRESS = rdataCodec("TYPE1");

/** What an entry of a zone file inherits from those before it. */
export interface RecordDefaults {
  /** What relative names are under. */
  origin: string | undefined;
  /** Owner of the last record. */
  owner: string | undefined;
  /** The last `$TTL`, or what stands for one. */
  ttl: number | undefined;
  /** TTL of the last record that stated one, which counts where there is no `$TTL`. */
  lastTtl: number | undefined;
  /** Class of the last record. */
  recordClass: string;
}

/**
 * Reads records from the tokens of entries: `[owner] [ttl] [class] type rdata`, TTL and class in
 * either order (RFC 1035 section 5.1).
 */
export class RecordTextReader {
  /** What the next record inherits. */
  defaults: RecordDefaults;

  /** Codecs by the spelling of their type; no more than there are types. */
  readonly #codecs: Map<string, RdataCodec<unknown>> = new Map();
  /** The owner last read, with the token and the origin it was read from. */
  #ownerName = "";
  #ownerText: string | undefined;
  #ownerOrigin: string | undefined;

  /** @param defaults What the first record inherits; changes with the records. */
  constructor(defaults: RecordDefaults) {
    this.defaults = defaults;
  }

  /**
   * Reads one record.
   *
   * @param tokens The entry.
   * @param hasBlankOwner Whether the owner is left out.
   * @throws {DnsTextError} If it is no record.
   */
  read(tokens: TextTokens, hasBlankOwner: boolean): ResourceRecord {
    const owner = hasBlankOwner ? this.#lastOwner(tokens) : this.#readOwner(tokens);
    return this.readTail(tokens, hasBlankOwner ? 0 : 1, owner);
  }

  /**
   * Reads the rest of a record whose owner is known.
   *
   * @param tokens The entry.
   * @param first Index of the token behind the owner.
   * @param owner The owner, absolute.
   * @throws {DnsTextError} If it is no record.
   */
  readTail(tokens: TextTokens, first: number, owner: string): ResourceRecord {
    const { defaults } = this;
    let index = first;
    let ttl: number | undefined;
    let recordClass: string | undefined;
    let token = tokenAt(tokens, index);
    // At most one of each, and behind them comes a type.
    for (let count = 0; count < 2; count++) {
      if (ttl === undefined && isDigit(token.charCodeAt(0))) {
        ttl = parseTtl(token);
        if (ttl === undefined) throw tokenError(tokens, index, "ERR_DNS_BAD_TTL", "no valid TTL");
      } else if (recordClass !== undefined) break;
      else {
        recordClass = token === "IN" ? token : classOf(token);
        if (recordClass === undefined) break;
      }
      token = tokenAt(tokens, ++index);
    }
    const known = this.#codecs.get(token) ?? this.#findCodec(tokens, index, token);
    const isChaos = known.code === CHAOS_ADDRESS.code &&
      (recordClass ?? defaults.recordClass) === "CH";
    const codec = isChaos ? CHAOS_ADDRESS : known;
    const isEmpty = index + 1 === tokens.count && isUpdateClass(recordClass);
    const data = isEmpty
      ? NO_DATA
      : readRdataText(codec, new RdataText(tokens, index + 1, defaults.origin));
    if (ttl === undefined) ttl = this.#inheritTtl(tokens, index, codec.type, data);
    else defaults.lastTtl = ttl;
    if (recordClass === undefined) recordClass = defaults.recordClass;
    else defaults.recordClass = recordClass;
    defaults.owner = owner;
    return { name: owner, type: codec.type, class: recordClass, ttl, data } as ResourceRecord;
  }

  #lastOwner(tokens: TextTokens): string {
    const { owner } = this.defaults;
    if (owner !== undefined) return owner;
    throw tokenError(tokens, 0, "ERR_DNS_BAD_NAME", "no record before it has an owner");
  }

  #readOwner(tokens: TextTokens): string {
    const text = tokenAt(tokens, 0);
    const { origin } = this.defaults;
    // The records of a name mostly stand together.
    if (text === this.#ownerText && origin === this.#ownerOrigin) return this.#ownerName;
    this.#ownerName = nameAt(tokens, 0, origin);
    this.#ownerText = text;
    this.#ownerOrigin = origin;
    return this.#ownerName;
  }

  #findCodec(tokens: TextTokens, index: number, token: string): RdataCodec<unknown> {
    const code = tokens.quoted[index] === 1 ? undefined : parseRecordType(token);
    if (code === undefined) {
      throw tokenError(tokens, index, "ERR_DNS_BAD_TYPE", "no type of records");
    }
    const codec = rdataCodec(code);
    if (codec.type === token) this.#codecs.set(token, codec);
    return codec;
  }

  /** RFC 2308 section 4, and RFC 1035 section 5.1 for zones older than that. */
  #inheritTtl(tokens: TextTokens, index: number, type: string, data: unknown): number {
    const { defaults } = this;
    const inherited = defaults.ttl ?? defaults.lastTtl;
    if (inherited !== undefined) return inherited;
    if (type !== "SOA") throw tokenError(tokens, index, "ERR_DNS_BAD_TTL", "no TTL, and no $TTL");
    defaults.ttl = (data as { readonly minimum: number }).minimum;
    return defaults.ttl;
  }
}

/** RFC 2136: records without RDATA, which say that something is there or is to go. */
function isUpdateClass(recordClass: string | undefined): boolean {
  return recordClass === "ANY" || recordClass === "NONE";
}

function classOf(token: string): string | undefined {
  const code = parseRecordClass(token);
  return code === undefined ? undefined : formatRecordClass(code);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
