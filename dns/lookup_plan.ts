// This module is sans-I/O.

import { parseIpAddress } from "../nbio/ip_address.ts";
import { HostsFile } from "./hosts_file.ts";
import type { ResourceRecord } from "./message.ts";
import { parseName } from "./name.ts";
import { endsLookup, type NameService, type NameServiceStatus } from "./nsswitch_conf.ts";
import { SearchList, type SearchListOptions, type SearchOutcome } from "./search_list.ts";
import { answerSpecialName } from "./special_names.ts";

/** Options of a {@linkcode LookupPlan}. */
export interface LookupPlanOptions extends SearchListOptions {
  /**
   * Which addresses are wanted: 4 or 6; both if absent.
   *
   * @default {undefined}
   */
  readonly family?: 4 | 6 | undefined;
  /**
   * The hosts file.
   *
   * @default {new HostsFile()}
   */
  readonly hosts?: HostsFile;
  /**
   * What nsswitch.conf says of `hosts`. Of the services `files`, `dns` and `resolve` (which is taken
   * for `dns`) are known; others count as unavailable.
   *
   * @default {[{ name: "files", actions: [] }, { name: "dns", actions: [] }]}
   */
  readonly services?: readonly NameService[];
  /**
   * Whether AAAA is never asked for.
   *
   * @default {false}
   */
  readonly noAaaa?: boolean;
  /**
   * Whether A and AAAA are asked for one after the other.
   *
   * @default {false}
   */
  readonly singleRequest?: boolean;
}

/** A name is to be asked for, then {@linkcode LookupPlan.report} to be called. */
export interface LookupQueryStep {
  /** Tells the steps apart. */
  readonly type: "query";
  /** The absolute name. */
  readonly name: string;
  /** Which records. */
  readonly types: readonly ("A" | "AAAA")[];
  /** Whether to ask for all types at once. */
  readonly parallel: boolean;
}

/** There are addresses. */
export interface LookupFoundStep {
  /** Tells the steps apart. */
  readonly type: "found";
  /** Them, in the order of their source; empty only where `host` is an address of another family. */
  readonly addresses: readonly string[];
  /** The name the host is known by at its source. */
  readonly canonicalName: string;
  /** Where they come from: `host` itself, the hosts file, the special names, or a server. */
  readonly source: "literal" | "hosts" | "special" | "dns";
}

/** There are none. */
export interface LookupFailedStep {
  /** Tells the steps apart. */
  readonly type: "failed";
  /** The name whose failure is that of the lookup; `undefined` if no server was asked for it. */
  readonly name: string | undefined;
  /** What became of it. */
  readonly outcome: Exclude<SearchOutcome, "answer">;
}

/** What a {@linkcode LookupPlan} wants done, or has found, told apart by `type`. */
export type LookupStep = LookupQueryStep | LookupFoundStep | LookupFailedStep;

const DEFAULT_SERVICES: readonly NameService[] = [
  { name: "files", actions: [] },
  { name: "dns", actions: [] },
];

const STATUS: Readonly<Record<SearchOutcome, NameServiceStatus>> = {
  answer: "success",
  nodata: "notfound",
  nxdomain: "notfound",
  servfail: "tryagain",
  failed: "tryagain",
  unreachable: "unavail",
};

const NO_HOSTS = new HostsFile();
const NOT_FOUND: LookupFailedStep = { type: "failed", name: undefined, outcome: "nxdomain" };
const NO_DATA: LookupFailedStep = { type: "failed", name: undefined, outcome: "nodata" };

/**
 * How a host is looked up: an address is itself; else the services of nsswitch.conf have their turn,
 * usually the hosts file, then the servers, and what becomes of one decides about the next. Special
 * names ({@linkcode answerSpecialName}) never get to a server, nor completed; others are asked for as
 * {@linkcode SearchList} says.
 *
 * It asks nobody itself: whoever drives it calls {@linkcode LookupPlan.next} until it is over.
 *
 * @example The hosts file, then a server
 * ```ts
 * import { HostsFile, LookupPlan } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const options = { hosts: new HostsFile("192.0.2.1 db\n"), search: ["example."] };
 * const known = new LookupPlan("db", options).next();
 * assertEquals(known.type === "found" && known.addresses, ["192.0.2.1"]);
 *
 * const plan = new LookupPlan("www", options);
 * const step = plan.next();
 * assertEquals(step.type === "query" && [step.name, step.types], ["www.example.", ["A", "AAAA"]]);
 * plan.report("answer", ["192.0.2.2"]);
 * assertEquals(plan.next().type, "found");
 * ```
 */
export class LookupPlan {
  readonly #host: string;
  readonly #options: LookupPlanOptions;
  readonly #services: readonly NameService[];
  #serviceIndex = 0;
  #search: SearchList | undefined;
  /** What the servers gave; there is no use in asking them twice. */
  #served: LookupFoundStep | LookupFailedStep | undefined;
  #end: LookupFoundStep | LookupFailedStep | undefined;

  /**
   * Begins a lookup.
   *
   * @param host An address, or a name in ASCII, absolute if it ends in a dot.
   * @param options What is known about this system.
   * @throws {DnsTextError} If it is neither.
   * @throws {RangeError} If `family` is neither 4 nor 6, or `ndots` not an integer from 0 to 15.
   */
  constructor(host: string, options: LookupPlanOptions = {}) {
    const { family, services = DEFAULT_SERVICES } = options;
    if (family !== undefined && family !== 4 && family !== 6) {
      throw new RangeError(`Cannot look up host: family is ${family}, expected 4 or 6`);
    }
    this.#host = host;
    this.#options = options;
    this.#services = services;
    const address = parseIpAddress(host);
    if (address === undefined) {
      this.#search = new SearchList(host, options);
    } else {
      const addresses = family === undefined || family === address.family ? [host] : [];
      this.#end = { type: "found", addresses, canonicalName: host, source: "literal" };
    }
  }

  /**
   * Gives the next step.
   *
   * @returns The step; a query until it is reported, and what was found or not for ever.
   */
  next(): LookupStep {
    while (this.#end === undefined) {
      const service = this.#services[this.#serviceIndex];
      if (service === undefined) {
        this.#end = this.#served ?? NOT_FOUND;
        break;
      }
      const step = this.#ask(service);
      if (step?.type === "query") return step;
      this.#conclude(service, step);
    }
    return this.#end;
  }

  /**
   * Tells what became of a query.
   *
   * @param outcome What became of it; of several types see {@linkcode combineOutcomes}.
   * @param addresses The addresses, with `"answer"`.
   * @param canonicalName The name at the end of the aliases; by default that of the query.
   * @throws {TypeError} If there is no query.
   */
  report(
    outcome: SearchOutcome,
    addresses?: readonly string[],
    canonicalName?: string,
  ): void {
    const name = this.#end === undefined ? this.#search?.next() : undefined;
    if (name === undefined) throw new TypeError("Cannot report: no name is being asked for");
    this.#search!.report(outcome);
    if (outcome === "answer") {
      this.#served = {
        type: "found",
        addresses: addresses ?? [],
        canonicalName: canonicalName ?? name,
        source: "dns",
      };
    }
  }

  /** What a service says, a query, or `undefined` if there is no such service. */
  #ask({ name }: NameService): LookupStep | undefined {
    if (name === "files") return this.#askHosts();
    return name === "dns" || name === "resolve" ? this.#askServers() : undefined;
  }

  #askHosts(): LookupFoundStep | LookupFailedStep {
    const { hosts = NO_HOSTS, family } = this.#options;
    const addresses = hosts.lookup(this.#host, family);
    if (addresses.length === 0) return NOT_FOUND;
    const canonicalName = hosts.canonicalName(this.#host) ?? this.#host;
    return { type: "found", addresses, canonicalName, source: "hosts" };
  }

  #askServers(): LookupStep {
    const { singleRequest = false } = this.#options;
    const types = this.#types();
    if (types.length === 0) return this.#served = NO_DATA;
    // In front of the search: completed, a name that must not leave would leave in another guise.
    this.#served ??= this.#askSpecial(parseName(this.#host, { origin: "." }));
    while (this.#served === undefined) {
      const name = this.#search!.next();
      if (name === undefined) return this.#served = this.#failure();
      const special = this.#askSpecial(name);
      if (special === undefined) return { type: "query", name, types, parallel: !singleRequest };
      this.#search!.report(special.type === "found" ? "answer" : special.outcome);
      if (special.type === "found") this.#served = special;
    }
    return this.#served;
  }

  #types(): ("A" | "AAAA")[] {
    const { family, noAaaa = false } = this.#options;
    const types: ("A" | "AAAA")[] = [];
    if (family !== 6) types.push("A");
    if (family !== 4 && !noAaaa) types.push("AAAA");
    return types;
  }

  /** What a name is that needs no server; `undefined` for a name like others. */
  #askSpecial(name: string): LookupFoundStep | LookupFailedStep | undefined {
    const addresses: string[] = [];
    for (const type of this.#types()) {
      const message = answerSpecialName({ name, type, class: "IN" });
      if (message === undefined) return undefined;
      if (message.rcode !== "NOERROR") return NOT_FOUND;
      addresses.push(...message.answers.flatMap(addressOf));
    }
    return { type: "found", addresses, canonicalName: name, source: "special" };
  }

  #failure(): LookupFailedStep {
    const { decidingName, decidingOutcome } = this.#search!;
    if (decidingOutcome === undefined || decidingOutcome === "answer") return NOT_FOUND;
    return { type: "failed", name: decidingName, outcome: decidingOutcome };
  }

  /** Ends the lookup with what a service says, or goes on to the next service. */
  #conclude(service: NameService, step: LookupFoundStep | LookupFailedStep | undefined): void {
    this.#serviceIndex++;
    const status = step === undefined ? "unavail" : STATUS[outcomeOf(step)];
    if (endsLookup(service, status)) this.#end = step ?? this.#served ?? NOT_FOUND;
  }
}

function outcomeOf(step: LookupFoundStep | LookupFailedStep): SearchOutcome {
  return step.type === "found" ? "answer" : step.outcome;
}

function addressOf(record: ResourceRecord): string[] {
  return record.type === "A" || record.type === "AAAA" ? [record.data.address] : [];
}
