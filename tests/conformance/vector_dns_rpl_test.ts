/**
 * Scenarios of other resolvers as far as they concern a stub: a machine with a cache in front of one
 * scripted server, in virtual time. Iteration, validation, rewriting and queues of a server are not
 * ours: scenarios that need them are left out.
 */

import { DnsCache, type DnsCacheKey } from "../../dns/dns_cache.ts";
import type { Message, Question, ResourceRecord } from "../../dns/message.ts";
import { equalNames } from "../../dns/name.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { printRdata } from "../../dns/rdata.ts";
import {
  respond,
  type ScriptedReply,
  type SeenQuery,
  silent,
  simulate,
} from "../dns/query_simulation.ts";
import { type DnsCase, testDnsVectors } from "./vector_dns.ts";
import type { Difference } from "./vector_difference.ts";

interface Entry {
  readonly match: readonly string[];
  readonly reply: readonly string[];
  readonly sections: {
    readonly question?: readonly string[];
    readonly answer?: readonly string[];
    readonly authority?: readonly string[];
    readonly additional?: readonly string[];
  };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly Entry[];
}

interface Step {
  readonly n: number;
  readonly op: string;
  readonly args: readonly string[];
  readonly entries?: readonly Entry[];
}

interface ScenarioCase extends DnsCase {
  readonly ref: string;
  readonly config: readonly string[];
  readonly ranges: readonly Range[];
  readonly steps: readonly Step[];
}

const STUB = /\/(?:client|client-cache)\/|\/(?:fwd_|serve_expired|serve_original|ttl_)[^/]*$/;
const OPS: ReadonlySet<string> = new Set(["QUERY", "CHECK_ANSWER", "TIME_PASSES", "NOTHING"]);
/** What only a server has: rewriting, validation, answers out of its cache for others. */
const SERVER_ONLY = /respip|rpz|_val_|wildcard_swap|fwd_no_cache|fwd_scrub/;
const RCODE = /^(?:NOERROR|FORMERR|SERVFAIL|NXDOMAIN|NOTIMP|REFUSED)$/;

function isForStub({ ref, steps }: ScenarioCase): boolean {
  return STUB.test(ref) && !SERVER_ONLY.test(ref) && steps.every(({ op }) => OPS.has(op));
}

/** The value of an option in the configuration of the scenario. */
function configured({ config }: ScenarioCase, name: string): number | undefined {
  for (const line of config) {
    const value = line.trim().match(new RegExp(`^${name}: *(\\d+)`))?.[1];
    if (value !== undefined) return Number(value);
  }
  return undefined;
}

function cacheOf(scenario: ScenarioCase): DnsCache {
  const isStaleServed = scenario.config.some((line) => line.trim() === "serve-expired: yes");
  const staleTtl = configured(scenario, "serve-expired-ttl") ?? 86_400;
  const replyTtl = configured(scenario, "serve-expired-reply-ttl") ?? 30;
  const negativeTtl = configured(scenario, "cache-max-negative-ttl");
  const minNegativeTtl = configured(scenario, "cache-min-negative-ttl");
  return new DnsCache({
    ...(isStaleServed ? { staleTtlMs: staleTtl * 1_000, staleAnswerTtlMs: replyTtl * 1_000 } : {}),
    ...(negativeTtl === undefined ? {} : { maxNegativeTtlMs: negativeTtl * 1_000 }),
    ...(minNegativeTtl === undefined ? {} : { minTtlMs: minNegativeTtl * 1_000 }),
  });
}

function recordsOf(lines: readonly string[] = []): ResourceRecord[] {
  return lines.map((line) =>
    parseRecord(line.trim().replace(/\s+;.*$/, ""), { origin: ".", ttl: 3_600 })
  );
}

function questionOf({ sections }: Entry): Question {
  const [name = ".", recordClass = "IN", type = "A"] = sections.question![0]!.trim().split(/\s+/);
  return { name, type, class: recordClass };
}

function isMatch(entry: Entry, { message }: SeenQuery): boolean {
  if (entry.match.includes("subdomain")) return false;
  const question = questionOf(entry);
  const [asked] = message.questions;
  return asked !== undefined && equalNames(question.name, asked.name) &&
    (question.type === asked.type || !entry.match.includes("qtype")) &&
    (message.recursionDesired || !entry.match.includes("RD")) &&
    (message.authenticData || !entry.match.includes("AD")) &&
    (message.checkingDisabled || !entry.match.includes("CD")) &&
    (message.edns?.dnssecOk === true || !entry.match.includes("DO"));
}

/** What the servers of the scenario say at a step. */
function serve(scenario: ScenarioCase, step: number, query: SeenQuery): readonly ScriptedReply[] {
  for (const { from, to, entries } of scenario.ranges.toReversed()) {
    if (step < from || step > to) continue;
    // Of several that match, the one that looks at most of the query.
    const entry = entries.filter((each) => isMatch(each, query))
      .sort((a, b) => b.match.length - a.match.length)[0];
    if (entry === undefined) continue;
    const { reply, sections } = entry;
    return [{
      bytes: respond(query, {
        rcode: reply.find((flag) => RCODE.test(flag)) ?? "NOERROR",
        authoritative: reply.includes("AA"),
        authenticData: reply.includes("AD"),
        answers: recordsOf(sections.answer),
        authorities: recordsOf(sections.authority),
        additionals: recordsOf(sections.additional),
      }),
    }];
  }
  return silent(query);
}

/** One scenario: its cache and its clock. */
class Replay {
  readonly #scenario: ScenarioCase;
  readonly #cache: DnsCache;
  #nowMs = 0;
  #last: Message | undefined;

  constructor(scenario: ScenarioCase) {
    this.#scenario = scenario;
    this.#cache = cacheOf(scenario);
  }

  /** The first check that fails, as what it wants and what it gets; "" for both if none does. */
  run(): readonly [wanted: string, got: string] {
    for (const step of this.#scenario.steps) {
      const [entry] = step.entries ?? [];
      if (step.op === "TIME_PASSES") this.#nowMs += Number(step.args.at(-1)) * 1_000;
      else if (step.op === "QUERY") this.#last = this.#ask(step.n, entry!);
      else if (step.op === "CHECK_ANSWER") {
        const lines = this.#check(entry!).map((line) => `step ${step.n}: ${line}`);
        if (lines[0] !== lines[1]) return [lines[0]!, lines[1]!];
      }
    }
    return ["", ""];
  }

  /** As a resolver does: cache, server, and what is stale if that fails. */
  #ask(step: number, entry: Entry): Message | undefined {
    const { reply } = entry;
    const question = questionOf(entry);
    const bits = {
      recursionDesired: reply.includes("RD"),
      checkingDisabled: reply.includes("CD"),
      dnssecOk: reply.includes("DO"),
    };
    const key: DnsCacheKey = { ...question, ...bits };
    const cached = this.#cache.get(key, this.#nowMs);
    if (cached !== undefined) return cached.message;
    const { outcome } = simulate(
      [(query) => serve(this.#scenario, step, query)],
      { ...bits, authenticData: reply.includes("AD") },
      { question },
    );
    const message = outcome.type === "answer" ? outcome.message : outcome.response?.message;
    if (outcome.type === "answer") {
      this.#cache.put(key, outcome.message, this.#nowMs);
      return message;
    }
    if (message !== undefined) this.#cache.put(key, message, this.#nowMs);
    return this.#cache.get(key, this.#nowMs, { allowStale: true })?.message ?? message;
  }

  /** What the check wants, and what there is. */
  #check({ match, reply, sections }: Entry): [string, string] {
    const hasTtl = match.includes("ttl");
    const rcode = reply.find((flag) => RCODE.test(flag)) ?? "NOERROR";
    const wanted = `${rcode} ${textOf(recordsOf(sections.answer), hasTtl)}`;
    const last = this.#last;
    const got = last === undefined
      ? "no response"
      : `${last.rcode} ${textOf(last.answers, hasTtl)}`;
    return [wanted, got];
  }
}

function textOf(records: readonly ResourceRecord[], hasTtl: boolean): string {
  return records.map(({ name, type, ttl, data }) =>
    `${name.toLowerCase()} ${hasTtl ? ttl : "-"} ${type} ${printRdata(type, data)}`
  ).sort().join(", ");
}

const KEY = "RFC 4035 section 4.7, with a key of name, type, class and bits";
const DIFFERENCES: readonly Difference[] = [
  {
    name: "dns-rpl-00008",
    gives: 'step 11: NOERROR version.server. - TXT "example server"',
    clause: "RFC 1035 section 7.4",
    reason: "the client keeps the class of the Internet only",
  },
  {
    name: "dns-rpl-00010",
    gives: "step 11: no response",
    clause: KEY,
    reason: "the client makes answers without DO out of those with it",
  },
  {
    name: "dns-rpl-00012",
    gives: "step 21: NOERROR doesnotexist.example.com. - NSEC aa.example.com. TXT RRSIG NSEC",
    clause: KEY,
    reason: "the client takes a question with AD as another one",
  },
  {
    name: "dns-rpl-00022",
    gives: "step 41: NOERROR b.example.com. 84600 AAAA 2001:db8::2",
    clause: "RFC 8767 section 4",
    reason: "the client keeps a TTL of two days, our limit is one",
  },
  {
    name: "dns-rpl-00120",
    gives: "step 50: NOERROR 0ttl.example.com. - A 5.6.7.8",
    clause: "RFC 2308 section 5",
    reason: "the server keeps a denial without SOA record",
  },
  {
    name: "dns-rpl-00126",
    gives: "step 40: SERVFAIL ",
    clause: KEY,
    reason: "the server gives an answer without DO to a question with it",
  },
  {
    name: "dns-rpl-00142",
    gives: 'step 60: NOERROR www.example.com. - TXT "text"',
    clause: "RFC 8482 section 4",
    reason: "the server answers ANY out of what its cache happens to hold",
  },
  {
    name: "dns-rpl-00150",
    gives: "step 34: no response",
    clause: "RFC 1034 section 4.3.1",
    reason: "the server answers without RD out of its cache; a stub asks its server",
  },
  {
    name: "dns-rpl-00162",
    gives: "step 140: REFUSED ",
    clause: "RFC 1035 section 4.1.1",
    reason: "the server that is refused says SERVFAIL to its client; a stub tells what it was told",
  },
];

testDnsVectors<ScenarioCase>("rpl", (scenario) => {
  if (!isForStub(scenario)) return undefined;
  const [wanted, got] = new Replay(scenario).run();
  return { wanted, got, isAgreed: wanted === got };
}, DIFFERENCES);
