// This module is sans-I/O.

import { effectiveTtl, followAnswer } from "./answer_chain.ts";
import type { Message, Question, ResourceRecord } from "./message.ts";
import { canonicalName } from "./name.ts";

/** What an answer in the cache says: records or an alias, nothing, or that servers failed. */
export type CacheEntryKind = "records" | "nxdomain" | "nodata" | "failure";

/** Times that {@linkcode makeCacheEntry} keeps within, in milliseconds. */
export interface CacheTimes {
  /** Least for records. */
  readonly minTtlMs: number;
  /** Most for records. */
  readonly maxTtlMs: number;
  /** Most for what says that there is nothing. */
  readonly maxNegativeTtlMs: number;
  /** That servers failed. */
  readonly failureTtlMs: number;
}

/** Aliases in one message that are looked at; how many the resolver follows is its own matter. */
const MAX_ALIAS_COUNT = 255;

/** What an object, its header and its place in a map take, roughly. */
const ENTRY_BYTES = 600;
const OBJECT_BYTES = 60;
const FIELD_BYTES = 16;

/** Sections with records. */
const SECTIONS = ["answers", "authorities", "additionals"] as const;

/** A message that is kept, and how long. */
export class CacheEntry {
  /** What it says. */
  readonly kind: CacheEntryKind;
  /** Whether it is so for all types of the name. */
  readonly isForAllTypes: boolean;
  /** When it came, in milliseconds. */
  readonly storedMs: number;
  /** When it is not valid any more, in milliseconds. */
  readonly expiresMs: number;
  /** Memory it is taken to need, in bytes. */
  readonly byteCount: number;
  /** As it came, with the TTLs of that moment. */
  readonly #message: Message;
  /** As it was given out last: many ask for the same within a second. */
  #latest: Message;
  #latestAgeS = 0;

  /**
   * Keeps a message.
   *
   * @param message The message, its TTLs levelled and cut.
   * @param kind What it says.
   * @param isForAllTypes Whether it is so for all types of the name.
   * @param storedMs The time.
   * @param ttlMs How long it is valid.
   */
  constructor(
    message: Message,
    kind: CacheEntryKind,
    isForAllTypes: boolean,
    storedMs: number,
    ttlMs: number,
  ) {
    this.kind = kind;
    this.isForAllTypes = isForAllTypes;
    this.storedMs = storedMs;
    this.expiresMs = storedMs + ttlMs;
    this.byteCount = ENTRY_BYTES + measure(message);
    this.#message = this.#latest = message;
  }

  /** The message with its TTLs counted down, as an answer for `type`. */
  messageAt(type: string, nowMs: number): Message {
    const ageS = Math.max(0, Math.floor((nowMs - this.storedMs) / 1_000));
    if (ageS !== this.#latestAgeS) {
      this.#latest = mapRecords(this.#message, (record) => withTtl(record, record.ttl - ageS));
      this.#latestAgeS = ageS;
    }
    return withType(this.#latest, type);
  }

  /** The message after its end, as an answer for `type`. */
  staleMessage(type: string, ttlMs: number): Message {
    const ttl = Math.ceil(ttlMs / 1_000);
    return withType(mapRecords(this.#message, (record) => withTtl(record, ttl)), type);
  }
}

/**
 * What is to be kept of a message.
 *
 * @param question What it answers.
 * @param message The message.
 * @param nowMs The time.
 * @param times Bounds.
 * @returns The entry; `undefined` if it may not be kept.
 */
export function makeCacheEntry(
  question: Question,
  message: Message,
  nowMs: number,
  times: CacheTimes,
): CacheEntry | undefined {
  if (message.truncated || message.opcode !== "QUERY" || !message.response) return undefined;
  if (message.rcode === "SERVFAIL") {
    const ttlMs = times.failureTtlMs;
    if (ttlMs === 0) return undefined;
    return new CacheEntry(withoutHop(message), "failure", false, nowMs, ttlMs);
  }
  const found = followAnswer(message, question, { maxAliasCount: MAX_ALIAS_COUNT });
  if (found.type === "records" || found.type === "alias") {
    return keep(message, "records", false, found.ttl, nowMs, times.minTtlMs, times.maxTtlMs);
  }
  if (found.type !== "nxdomain" && found.type !== "nodata" || found.ttl === undefined) {
    return undefined;
  }
  // Behind an alias it is the target that does not exist.
  const isForAllTypes = found.type === "nxdomain" && found.chain.length === 0;
  return keep(message, found.type, isForAllTypes, found.ttl, nowMs, 0, times.maxNegativeTtlMs);
}

function keep(
  message: Message,
  kind: CacheEntryKind,
  isForAllTypes: boolean,
  ttl: number,
  nowMs: number,
  minTtlMs: number,
  maxTtlMs: number,
): CacheEntry | undefined {
  const levelled = level(withoutHop(message));
  let shortest = ttl;
  for (const section of SECTIONS) {
    for (const record of levelled[section]) shortest = Math.min(shortest, record.ttl);
  }
  const ttlMs = Math.max(minTtlMs, Math.min(shortest * 1_000, maxTtlMs));
  if (ttlMs === 0) return undefined;
  // Nobody behind this cache shall keep it for longer.
  const lifeS = Math.ceil(ttlMs / 1_000);
  const cut = mapRecords(levelled, (record) => {
    const leastS = Math.max(record.ttl, lifeS);
    return withTtl(record, kind === "records" ? Math.min(leastS, maxTtlMs / 1_000) : lifeS);
  });
  return new CacheEntry(cut, kind, isForAllTypes, nowMs, ttlMs);
}

/** RFC 2181 section 5.2: the records of a set have one TTL, the least of them. */
function level(message: Message): Message {
  const least = new Map<string, number>();
  for (const section of SECTIONS) {
    for (const record of message[section]) {
      const set = setOf(record, section);
      least.set(set, Math.min(effectiveTtl(record.ttl), least.get(set) ?? Infinity));
    }
  }
  return mapRecords(
    message,
    (record, section) => withTtl(record, least.get(setOf(record, section))!),
  );
}

function setOf(record: ResourceRecord, section: string): string {
  const covered = record.type === "RRSIG" && "typeCovered" in record.data
    ? record.data.typeCovered
    : "";
  return `${canonicalName(record.name)} ${record.class} ${record.type} ${covered} ${section}`;
}

/** RFC 6891 section 6.1.1: what OPT says holds for one hop. What it says of errors is worth keeping. */
function withoutHop(message: Message): Message {
  const { edns } = message;
  if (edns === undefined) return message;
  const options = edns.options.filter(({ type }) => type === "extended-error");
  return { ...message, edns: { ...edns, options } };
}

function mapRecords(
  message: Message,
  map: (record: ResourceRecord, section: string) => ResourceRecord,
): Message {
  const { answers, authorities, additionals } = message;
  return {
    ...message,
    answers: answers.map((record) => map(record, "answers")),
    authorities: authorities.map((record) => map(record, "authorities")),
    additionals: additionals.map((record) => map(record, "additionals")),
  };
}

function withTtl(record: ResourceRecord, ttl: number): ResourceRecord {
  const seconds = Math.max(0, Math.floor(ttl));
  return seconds === record.ttl ? record : { ...record, ttl: seconds };
}

/** That a name does not exist answers questions for all its types. */
function withType(message: Message, type: string): Message {
  const [question] = message.questions;
  if (question === undefined || question.type === type) return message;
  return { ...message, questions: [{ ...question, type }] };
}

/** Memory a value takes, roughly. What comes off the wire is nested a few levels deep at most. */
function measure(value: unknown): number {
  if (typeof value === "string") return OBJECT_BYTES / 2 + value.length;
  if (value instanceof Uint8Array) return 2 * OBJECT_BYTES + value.length;
  if (typeof value !== "object" || value === null) return 0;
  let byteCount = OBJECT_BYTES;
  for (const part of Object.values(value)) byteCount += FIELD_BYTES + measure(part);
  return byteCount;
}
