// This module is sans-I/O.

import { DnsMessageError } from "./errors.ts";
import type { Message, Question, ResourceRecord } from "./message.ts";
import { canonicalName, isSubdomain, joinLabels, labelsOf } from "./name.ts";
import { parseRecordType } from "./record_type.ts";

/** What {@linkcode followAnswer} starts from and how far it goes. */
export interface FollowAnswerOptions {
  /**
   * Owners of the aliases that earlier messages led over, the first name asked for in front.
   *
   * @default {[]}
   */
  readonly aliases?: readonly string[];
  /**
   * Aliases to follow, those of earlier messages included, 0 to 255.
   *
   * @default {8}
   */
  readonly maxAliasCount?: number;
}

/** What all results of {@linkcode followAnswer} tell. */
export interface AnswerPath {
  /** The name at the end of the aliases; the name asked for where there are none. */
  readonly name: string;
  /** Owners of the aliases on the way, in order. */
  readonly aliases: readonly string[];
  /** The CNAME and DNAME records of this message that were followed, in order. */
  readonly chain: readonly ResourceRecord[];
}

/** There are records. */
export interface FoundRecords extends AnswerPath {
  /** Tells the results apart. */
  readonly type: "records";
  /** The records asked for, all with the same TTL, at least one. */
  readonly records: readonly ResourceRecord[];
  /** Their signatures, where there are any. */
  readonly signatures: readonly ResourceRecord[];
  /** How long all of it holds, aliases included, in seconds. */
  readonly ttl: number;
}

/** There is no such name, or it has no such records. */
export interface FoundNothing extends AnswerPath {
  /** Tells the results apart. */
  readonly type: "nxdomain" | "nodata";
  /** How long that holds, in seconds (RFC 2308 section 5); `undefined` if it may not be kept. */
  readonly ttl: number | undefined;
  /** The SOA record that says so. */
  readonly soa: ResourceRecord<"SOA"> | undefined;
}

/** The message ends in an alias: its target has to be asked for. */
export interface FoundAlias extends AnswerPath {
  /** Tells the results apart. */
  readonly type: "alias";
  /** How long the aliases hold, in seconds. */
  readonly ttl: number;
}

/** Not an answer. */
export interface FoundFailure extends AnswerPath {
  /**
   * Tells the results apart: others are to be asked, another response code, aliases lead back to a
   * name before, or there are too many (or a DNAME record makes a name too long).
   */
  readonly type: "referral" | "rcode" | "alias-loop" | "alias-limit";
}

/** What a message says about a question, told apart by `type`. */
export type FollowedAnswer = FoundRecords | FoundNothing | FoundAlias | FoundFailure;

/** RFC 2181 section 8: a TTL has 31 bits. */
const MAX_TTL = 0x7fffffff;
/** The chain bound of DESIGN; what real zones need is two or three. */
const DEFAULT_MAX_ALIAS_COUNT = 8;

/**
 * Finds what a message says about a question: follows CNAME and DNAME records from the name asked
 * for, in whatever order they stand, and looks only at records of the names on that way. Records of
 * other owners, types and classes are as good as not there.
 *
 * Takes time linear in the answer and authority sections.
 *
 * @param message A response to the question.
 * @param question What was asked.
 * @param options What earlier messages said, and a bound.
 * @returns What it says.
 * @throws {DnsMessageError} If the name asked for is none.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example An address behind an alias
 * ```ts
 * import { followAnswer, type Message, parseRecord } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const message = {
 *   rcode: "NOERROR",
 *   answers: [
 *     parseRecord("b.example. 60 IN A 192.0.2.1"),
 *     parseRecord("a.example. 300 IN CNAME b.example."),
 *     parseRecord("evil.example. 300 IN A 203.0.113.1"),
 *   ],
 *   authorities: [],
 * } as unknown as Message;
 * const found = followAnswer(message, { name: "a.example.", type: "A", class: "IN" });
 * assertEquals(found.type === "records" && [found.name, found.ttl, found.records.length], [
 *   "b.example.",
 *   60,
 *   1,
 * ]);
 * ```
 */
export function followAnswer(
  message: Message,
  question: Question,
  options: FollowAnswerOptions = {},
): FollowedAnswer {
  const { aliases = [], maxAliasCount = DEFAULT_MAX_ALIAS_COUNT } = options;
  if (!Number.isInteger(maxAliasCount) || maxAliasCount < 0 || maxAliasCount > 255) {
    throw new RangeError(
      `Cannot use maxAliasCount ${maxAliasCount}: expected an integer from 0 to 255`,
    );
  }
  const { rcode } = message;
  if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") {
    return { type: "rcode", name: question.name, aliases, chain: [] };
  }
  const answers = new Answers(message.answers, question);
  const walk = followAliases(answers, question.name, aliases, maxAliasCount);
  if (walk.failure !== undefined) return { type: walk.failure, ...walk.path };
  const { path, ttl } = walk;
  if (rcode === "NXDOMAIN") return nothing("nxdomain", message, question, path, ttl);
  const records = answers.wanted(path.name);
  if (records.length > 0) return found(answers, question, path, records, ttl);
  if (path.chain.length > 0 && soaOf(message, question, path.name) === undefined) {
    return { type: "alias", ...path, ttl };
  }
  if (isReferral(message, question)) return { type: "referral", ...path };
  return nothing("nodata", message, question, path, ttl);
}

/**
 * Tells whether a response answers nothing but points to other servers, or to none, as one does
 * that does not resolve for others (a lame server).
 *
 * @param message A response without error to the question.
 * @param question What was asked.
 * @returns Whether it is so.
 *
 * @example A server that only knows whom to ask
 * ```ts
 * import { isReferral, type Message, parseRecord } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const message = {
 *   rcode: "NOERROR",
 *   answers: [],
 *   authorities: [parseRecord("example. 300 IN NS ns.example.")],
 * } as unknown as Message;
 * assertEquals(isReferral(message, { name: "a.example.", type: "A", class: "IN" }), true);
 * ```
 */
export function isReferral(message: Message, question: Question): boolean {
  if (message.authoritative || message.rcode !== "NOERROR" || message.answers.length > 0) {
    return false;
  }
  // RFC 2308 section 2.2: with SOA it says that there is nothing.
  if (soaOf(message, question, question.name) !== undefined) return false;
  if (!message.recursionAvailable) return true;
  return message.authorities.some(({ name, type }) =>
    type === "NS" && isSubdomain(question.name, name)
  );
}

/**
 * Tells whether an answer section that is not empty has anything to do with the question.
 *
 * @param message A response to the question.
 * @param question What was asked.
 * @returns Whether there is a record asked for or an alias; `true` for an empty section.
 *
 * @example Records of somebody else
 * ```ts
 * import { isRelevant, type Message, parseRecord } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const message = {
 *   answers: [parseRecord("evil.example. 300 IN A 203.0.113.1")],
 * } as unknown as Message;
 * assertEquals(isRelevant(message, { name: "a.example.", type: "A", class: "IN" }), false);
 * ```
 */
export function isRelevant(message: Message, question: Question): boolean {
  if (message.answers.length === 0) return true;
  const [first] = message.answers;
  // As it is nearly always.
  if (
    first!.type === question.type && first!.name === question.name && isOfClass(first!, question)
  ) {
    return true;
  }
  const answers = new Answers(message.answers, question);
  return answers.wanted(question.name).length > 0 || answers.aliasOf(question.name) !== undefined;
}

/**
 * Reads a TTL as RFC 8767 section 4 has it: what is too large, because its highest bit is set, is
 * cut, and does not count as 0 any more.
 *
 * @param ttl The TTL as it stands on the wire.
 * @returns It in seconds, at most 2^31 - 1. A cache cuts far below that.
 *
 * @example The highest bit
 * ```ts
 * import { effectiveTtl } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([effectiveTtl(300), effectiveTtl(0x80000000)], [300, 0x7fffffff]);
 * ```
 */
export function effectiveTtl(ttl: number): number {
  return Math.min(ttl, MAX_TTL);
}

/** An alias and where it leads. */
interface Alias {
  readonly record: ResourceRecord;
  /** `undefined` if the name would be too long. */
  readonly target: string | undefined;
}

/** The answer section by owner. */
class Answers {
  readonly #byOwner = new Map<string, ResourceRecord[]>();
  readonly #question: Question;
  readonly #typeCode: number | undefined;
  #hasDname = false;

  constructor(records: readonly ResourceRecord[], question: Question) {
    this.#question = question;
    this.#typeCode = parseRecordType(question.type);
    for (const record of records) {
      if (!isOfClass(record, question)) continue;
      const owner = canonicalName(record.name);
      const owned = this.#byOwner.get(owner);
      if (owned === undefined) this.#byOwner.set(owner, [record]);
      else owned.push(record);
      if (record.type === "DNAME") this.#hasDname = true;
    }
  }

  at(name: string): readonly ResourceRecord[] {
    return this.#byOwner.get(canonicalName(name)) ?? [];
  }

  /** Records of the type asked for. */
  wanted(name: string): readonly ResourceRecord[] {
    const { type } = this.#question;
    if (type === "ANY") return this.at(name);
    return this.at(name).filter((record) =>
      // The types may be spelled in two ways: `TYPE1` where the data stayed bytes.
      record.type === type || parseRecordType(record.type) === this.#typeCode
    );
  }

  aliasOf(name: string): Alias | undefined {
    for (const record of this.at(name)) {
      if (record.type === "CNAME") return { record, target: record.data.target };
    }
    return this.#hasDname ? this.#dnameOf(name) : undefined;
  }

  /** RFC 6672 section 2.2: what is below the owner is below the target instead. */
  #dnameOf(name: string): Alias | undefined {
    const labels = labelsOf(name);
    for (let index = 1; index <= labels.length; index++) {
      for (const record of this.at(joinLabels(labels.slice(index)))) {
        if (record.type !== "DNAME") continue;
        return { record, target: substitute(labels.slice(0, index), record.data.target) };
      }
    }
    return undefined;
  }
}

function substitute(prefix: readonly Uint8Array[], target: string): string | undefined {
  try {
    return joinLabels([...prefix, ...labelsOf(target)]);
  } catch (error) {
    if (error instanceof DnsMessageError) return undefined;
    throw error;
  }
}

interface Walk {
  readonly path: AnswerPath;
  /** The least TTL of the aliases; `Infinity` without any. */
  readonly ttl: number;
  readonly failure: "alias-loop" | "alias-limit" | undefined;
}

function followAliases(
  answers: Answers,
  start: string,
  before: readonly string[],
  maxAliasCount: number,
): Walk {
  const aliases = [...before];
  const seen = new Set(before.map(canonicalName));
  const chain: ResourceRecord[] = [];
  let name = start;
  let ttl = Infinity;
  const end = (failure?: Walk["failure"]) => ({ path: { name, aliases, chain }, ttl, failure });
  while (answers.wanted(name).length === 0) {
    const alias = answers.aliasOf(name);
    if (alias === undefined) return end();
    seen.add(canonicalName(name));
    aliases.push(name);
    if (aliases.length > maxAliasCount || alias.target === undefined) return end("alias-limit");
    chain.push(alias.record);
    ttl = Math.min(ttl, effectiveTtl(alias.record.ttl));
    name = alias.target;
    if (seen.has(canonicalName(name))) return end("alias-loop");
  }
  return end();
}

function found(
  answers: Answers,
  question: Question,
  path: AnswerPath,
  records: readonly ResourceRecord[],
  aliasTtl: number,
): FoundRecords {
  const signatures = answers.at(path.name).filter((record) =>
    record.type === "RRSIG" && record.data.typeCovered === question.type
  );
  const ttl = leastTtl(records);
  return {
    type: "records",
    ...path,
    records: question.type === "ANY" ? records : levelTtl(records, ttl),
    signatures,
    ttl: Math.min(ttl, aliasTtl),
  };
}

function leastTtl(records: readonly ResourceRecord[]): number {
  return records.reduce((least, { ttl }) => Math.min(least, effectiveTtl(ttl)), Infinity);
}

/** RFC 2181 section 5.2: within one RRset the least TTL holds for all. */
function levelTtl(records: readonly ResourceRecord[], ttl: number): ResourceRecord[] {
  return records.map((record) => record.ttl === ttl ? record : { ...record, ttl });
}

function nothing(
  type: "nxdomain" | "nodata",
  message: Message,
  question: Question,
  path: AnswerPath,
  aliasTtl: number,
): FoundNothing {
  const soa = soaOf(message, question, path.name);
  // RFC 2308 section 5: without SOA it may not be kept.
  const ttl = soa === undefined
    ? undefined
    : Math.min(effectiveTtl(soa.ttl), effectiveTtl(soa.data.minimum), aliasTtl);
  return { type, ...path, ttl, soa };
}

/** The SOA record in the authority section of a zone that the name can be in. */
function soaOf(
  { authorities }: Message,
  question: Question,
  name: string,
): ResourceRecord<"SOA"> | undefined {
  for (const record of authorities) {
    if (record.type !== "SOA" || !isOfClass(record, question)) continue;
    if (isSubdomain(name, record.name)) return record;
  }
  return undefined;
}

function isOfClass(record: ResourceRecord, question: Question): boolean {
  return record.class === question.class || question.class === "ANY";
}
