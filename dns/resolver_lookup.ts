/**
 * {@linkcode lookUpHost}: the addresses of a host, by hosts file, search list and servers.
 *
 * @module
 */

import { orderAddresses } from "../nbio/address_order.ts";
import type { FoundRecords } from "./answer_chain.ts";
import { LookupPlan, type LookupQueryStep } from "./lookup_plan.ts";
import { DnsResponseError, DnsTimeoutError } from "./resolver_errors.ts";
import { findRecords, type FindRecordsOptions } from "./resolver_records.ts";
import { combineOutcomes, type SearchOutcome } from "./search_list.ts";
import { sortAddresses } from "./sortlist.ts";

/** What became of a question about one type. */
interface TypeResult {
  readonly outcome: SearchOutcome;
  readonly found?: FoundRecords;
  readonly error?: unknown;
}

/** Where a lookup has been. */
interface LookupState {
  readonly options: FindRecordsOptions;
  readonly plan: LookupPlan;
  /** Why names have no addresses: one for each entry of the search list at most. */
  readonly errors: Map<string, unknown>;
}

/** An address list that exists and may be empty. */
export interface HostAddresses {
  /** The addresses, the best one first (RFC 6724). */
  readonly addresses: readonly string[];
  /** The name the host is known by at its source. */
  readonly canonicalName: string;
}

/** How long the answer to the retry of one family is waited for when there are addresses of the other. */
const RETRY_GRACE_MS = 1_000;
const NO_ADDRESSES: readonly string[] = [];

/**
 * Looks up a host.
 *
 * @param host An address, or a name in ASCII.
 * @param family Which addresses are wanted; both if absent.
 * @param options Who asks whom, and how.
 * @returns Its addresses; none if it exists and has none of the family. One family is not waited for
 * longer than for a retry if there are addresses of the other.
 * @throws {DnsResponseError} If it does not exist, or the servers fail.
 * @throws {DnsTimeoutError} If no server answers in time.
 * @throws {DnsTextError} If it is no name.
 * @throws {RangeError} If the family is neither 4 nor 6.
 * @throws {Error} What asking throws.
 */
export async function lookUpHost(
  host: string,
  family: 4 | 6 | undefined,
  options: FindRecordsOptions,
): Promise<HostAddresses> {
  const { plan: planOptions, sortlist } = options.config;
  const plan = new LookupPlan(host, { ...planOptions, family });
  const state: LookupState = { options, plan, errors: new Map() };
  for (;;) {
    const step = plan.next();
    switch (step.type) {
      case "query":
        await ask(step, state);
        break;
      case "found": {
        const { addresses, canonicalName } = step;
        if (addresses.length < 2) return { addresses, canonicalName };
        return { addresses: sortAddresses(orderAddresses(addresses), sortlist), canonicalName };
      }
      default:
        if (step.outcome === "nodata") {
          return { addresses: NO_ADDRESSES, canonicalName: step.name ?? host };
        }
        throw errorOf(host, step.name, state);
    }
  }
}

async function ask(step: LookupQueryStep, { options, plan, errors }: LookupState): Promise<void> {
  const { name, types } = step;
  const results = step.parallel && types.length > 1
    ? await askTogether(step, options)
    : await askInTurn(step, options);
  const isHard = options.config.strictError && results.some(({ outcome }) => isFailure(outcome));
  const outcomes = results.map(({ outcome }) => outcome);
  const outcome = combineOutcomes(isHard ? outcomes.filter(isFailure) : outcomes);
  if (outcome !== "answer") {
    errors.set(name, results.find((result) => result.outcome === outcome)?.error);
    return plan.report(outcome);
  }
  const found = results.flatMap((result) => result.found ?? []);
  plan.report(outcome, found.flatMap(addressesOf), found[0]?.name);
}

/**
 * Asks for all types at once. When one has an answer, another that is silent is not waited for to the
 * end of its time, but for one retry: it may have been lost, or the server may never answer it.
 */
async function askTogether(
  { name, types }: LookupQueryStep,
  options: FindRecordsOptions,
): Promise<TypeResult[]> {
  const { asker, config, ask } = options;
  const { signal } = ask.bounds;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const impatience = new Error("Cannot wait for the other family any longer");
  const patience = asker.wheel.create(() => stop.abort(impatience));
  const bounds = { ...ask.bounds, signal: stop.signal };
  const results = new Map<string, TypeResult>();
  try {
    await Promise.all(types.map(async (type) => {
      try {
        const result = await askType(name, type, { ...options, ask: { ...ask, bounds } });
        results.set(type, result);
        if (result.outcome !== "answer" || config.strictError || patience.armed) return;
        if (results.size < types.length) patience.arm(config.timeoutMs + RETRY_GRACE_MS);
      } catch (error) {
        if (error !== impatience) throw error;
      }
    }));
  } finally {
    patience.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
  return types.flatMap((type) => results.get(type) ?? []);
}

async function askInTurn(
  { name, types }: LookupQueryStep,
  options: FindRecordsOptions,
): Promise<TypeResult[]> {
  const results: TypeResult[] = [];
  for (const type of types) results.push(await askType(name, type, options));
  return results;
}

async function askType(
  name: string,
  type: "A" | "AAAA",
  options: FindRecordsOptions,
): Promise<TypeResult> {
  try {
    const found = await findRecords({ name, type, class: "IN" }, options);
    return { outcome: "answer", found };
  } catch (error) {
    if (error instanceof DnsTimeoutError) return { outcome: "failed", error };
    if (error instanceof DnsResponseError) return { outcome: outcomeOf(error), error };
    // The caller has given up, or the resolver was closed: nothing is to be tried any more.
    throw error;
  }
}

function outcomeOf({ code }: DnsResponseError): SearchOutcome {
  switch (code) {
    case "ERR_DNS_NXDOMAIN":
      return "nxdomain";
    case "ERR_DNS_NODATA":
      return "nodata";
    case "ERR_DNS_SERVFAIL":
      return "servfail";
    case "ERR_DNS_UNREACHABLE":
      return "unreachable";
    default:
      return "failed";
  }
}

function isFailure(outcome: SearchOutcome): boolean {
  return outcome === "servfail" || outcome === "failed" || outcome === "unreachable";
}

function addressesOf({ records }: FoundRecords): string[] {
  const addresses: string[] = [];
  for (const record of records) {
    if (record.type === "A" || record.type === "AAAA") addresses.push(record.data.address);
  }
  return addresses;
}

function errorOf(host: string, name: string | undefined, { errors }: LookupState): unknown {
  const error = name === undefined ? undefined : errors.get(name);
  if (error !== undefined) return error;
  return new DnsResponseError(
    "ERR_DNS_NXDOMAIN",
    `Cannot look up ${JSON.stringify(host.slice(0, 64))}: there is no such host`,
    { question: { name: host, type: "A", class: "IN" } },
  );
}
