/**
 * {@linkcode Resolver}: asks name servers, and tells everything they say.
 *
 * @module
 */

import { errorType } from "../nbio/error_type.ts";
import type { HostResolver, LookupOptions } from "../nbio/host_resolver.ts";
import { formatIpAddress, parseIpAddress } from "../nbio/ip_address.ts";
import { checkTimeLeft } from "../nbio/guard.ts";
import { isBounded, type OperationOptions } from "../nbio/operation.ts";
import type { TelemetryHistogram } from "../nbio/telemetry.ts";
import type { DnsCache } from "./dns_cache.ts";
import { HostsFile } from "./hosts_file.ts";
import type { Question, RecordType, ResourceRecord } from "./message.ts";
import { normalizeQuestion } from "./query_message.ts";
import { type ResolverConfig, ResolverConfigs } from "./resolver_config.ts";
import { DnsResponseError } from "./resolver_errors.ts";
import { lookUpHost } from "./resolver_lookup.ts";
import {
  type QueryOptions,
  type ResolveOptions,
  resolveResolverOptions,
  type ResolverOptions,
  type ResolverSettings,
} from "./resolver_options.ts";
import {
  type DnsAnswer,
  QuestionAsker,
  type ResolverStats,
  toAskOptions,
} from "./resolver_query.ts";
import { findRecords, type FindRecordsOptions } from "./resolver_records.ts";
import { reverseName } from "./reverse_name.ts";
import { formatService } from "./service_names.ts";

/** Options of {@linkcode Resolver.lookup}. */
export interface HostLookupOptions extends LookupOptions {
  /**
   * Whether all addresses are given, or the best one alone.
   *
   * @default {true}
   */
  readonly all?: boolean;
  /**
   * Most milliseconds for the whole. 0 and `Infinity` mean no limit but that of the servers.
   *
   * @default {Infinity}
   */
  readonly timeoutMs?: number;
}

/** What {@linkcode Resolver.lookupService} finds. */
export interface HostService {
  /** Name of the host; its address if it has none. */
  readonly hostname: string;
  /** Name of the service; its port if it has none. */
  readonly service: string;
}

const NO_BOUNDS: OperationOptions = {};
const NO_HOSTS = new HostsFile();
const MS_PER_SECOND = 1000;
// deno-lint-ignore no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/**
 * A stub resolver: it asks the servers of the system, or those it is given, keeps their answers as
 * long as they hold, and tells apart what others make one of.
 *
 * - {@linkcode Resolver.query}: a whole message, whatever it says.
 * - {@linkcode Resolver.resolve}: the records of one type, with their TTLs.
 * - {@linkcode Resolver.lookup}: the addresses of a host, also from the hosts file and by the search
 *   list: what a `dial` takes as its `resolver`.
 *
 * An answer counts if it comes from the address and port that was asked to the port the query left
 * from, and repeats its id and its question; ports and ids cannot be guessed. Equal questions that
 * are under way at the same time are asked once.
 *
 * Permissions: `--allow-net` for the servers and for the local end of UDP, as in
 * `--allow-net=192.0.2.53,0.0.0.0:0`; without `servers`, `--allow-read` for `/etc/resolv.conf`,
 * `/etc/hosts` and `/etc/nsswitch.conf` (see {@linkcode SystemDnsReader}).
 *
 * @example A server that is a function
 * ```ts
 * import { decodeMessage, encodeMessage, Resolver } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * await using resolver = new Resolver({
 *   exchange(query) {
 *     const { id, questions } = decodeMessage(query);
 *     const answers = questions.map(({ name }) => (
 *       { name, type: "A", class: "IN", ttl: 60, data: { address: "192.0.2.1" } } as const
 *     ));
 *     const response = { id, response: true, recursionAvailable: true, questions, answers };
 *     return Promise.resolve(encodeMessage(response));
 *   },
 * });
 * const [record] = await resolver.resolve("www.example.com", "A");
 * assertEquals([record?.data.address, record?.ttl], ["192.0.2.1", 60]);
 * ```
 *
 * @example Why there is nothing
 * ```ts
 * import { DnsResponseError, Resolver } from "@nbio/net/dns";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using resolver = new Resolver({ servers: ["192.0.2.53"] });
 * const error = await assertRejects(() => resolver.resolve("x.invalid", "A"), DnsResponseError);
 * assertEquals(error.code, "ERR_DNS_NXDOMAIN");
 * ```
 */
export class Resolver implements AsyncDisposable, HostResolver {
  readonly #settings: ResolverSettings;
  readonly #asker: QuestionAsker;
  readonly #configs: ResolverConfigs;
  #isClosed = false;

  /**
   * Makes a resolver. Nothing is read, opened or sent before the first question.
   *
   * @param options Whom to ask, and how.
   * @throws {TypeError} If a server is no address.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: ResolverOptions = {}) {
    this.#settings = resolveResolverOptions(options);
    this.#asker = new QuestionAsker(this.#settings);
    // What other servers said may not hold in another network.
    this.#configs = new ResolverConfigs(this.#settings, () => this.#settings.cache?.clear());
  }

  /** The cache; `undefined` if there is none. */
  get cache(): DnsCache | undefined {
    return this.#settings.cache;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How it goes. */
  stats(): ResolverStats {
    return this.#asker.stats();
  }

  /**
   * Asks one question and gives the whole message, whatever its response code. Neither hosts file
   * nor search list are looked at, and aliases are not followed beyond what the server did.
   *
   * @param name The name; it counts as absolute.
   * @param type Mnemonic of the type, or `TYPE` and a number.
   * @param options How to ask; deadline and signal of this call.
   * @returns The message, and where it comes from.
   * @throws {DnsTimeoutError} If no server answers in time.
   * @throws {DnsResponseError} If none can be reached (`ERR_DNS_UNREACHABLE`), or understood
   * (`ERR_DNS_MALFORMED`).
   * @throws {TimeoutError} If the time of this call is up.
   * @throws {DnsTextError} If the name is none.
   * @throws {RangeError} If type, class or an option is out of its range.
   * @throws {ConnectionClosedError} If the resolver is closed, now or meanwhile.
   * @throws {Error} The signal's reason; what reading the settings of the system fails with.
   */
  async query(name: string, type: string, options: QueryOptions = {}): Promise<DnsAnswer> {
    const question = this.#question(name, type, options.class);
    const { config, ask } = await this.#prepare(options);
    const { error, ...answer } = await this.#asker.ask(question, config, ask);
    // What no server said in so many words is told by an error alone.
    const isSaid = error === undefined || answer.message.rcode !== "NOERROR" ||
      (error instanceof DnsResponseError && error.code === "ERR_DNS_LAME");
    if (!isSaid) throw error;
    return answer;
  }

  /**
   * Finds the records of a name. Aliases are followed.
   *
   * @param name The name; it counts as absolute.
   * @param type Mnemonic of the type, or `TYPE` and a number; `ANY` for whatever the server gives.
   * @param options How to ask; deadline and signal of this call.
   * @returns The records, at least one, with what is left of their time to live.
   * @throws {DnsResponseError} If there are none (`ERR_DNS_NXDOMAIN`, `ERR_DNS_NODATA`), or the
   * servers fail (`ERR_DNS_SERVFAIL`, `ERR_DNS_REFUSED`, ...).
   * @throws {DnsTimeoutError} If no server answers in time.
   * @throws {TimeoutError} If the time of this call is up.
   * @throws {DnsTextError} If the name is none.
   * @throws {RangeError} If type, class or an option is out of its range.
   * @throws {ConnectionClosedError} If the resolver is closed, now or meanwhile.
   * @throws {Error} The signal's reason; what reading the settings of the system fails with.
   */
  resolve<T extends RecordType>(
    name: string,
    type: T,
    options?: ResolveOptions,
  ): Promise<readonly ResourceRecord<T>[]>;
  /**
   * The same for a type that is not known when this is compiled.
   *
   * @param name The name; it counts as absolute.
   * @param type Mnemonic of the type, or `TYPE` and a number.
   * @param options How to ask; deadline and signal of this call.
   * @returns The records, at least one, with what is left of their time to live.
   */
  resolve(
    name: string,
    type: string,
    options?: ResolveOptions,
  ): Promise<readonly ResourceRecord[]>;
  async resolve(
    name: string,
    type: string,
    options: ResolveOptions = {},
  ): Promise<readonly ResourceRecord[]> {
    const question = this.#question(name, type, options.class);
    const found = await findRecords(question, await this.#prepare(options));
    return found.records;
  }

  /**
   * Looks up the addresses of a host: an address is itself; else the hosts file, special names and
   * the servers are asked as the system has it, with the search list. If one family has been answered
   * and the other is silent, that is waited for until its first retry, not to the end of its time.
   *
   * @param host The name, in any script, or an address.
   * @param options Which addresses; deadline and signal of this call.
   * @returns The addresses, the best one first (RFC 6724); none if the host exists and has none of
   * the family.
   * @throws {DnsResponseError} If it does not exist, or the servers fail.
   * @throws {DnsTimeoutError} If no server answers in time.
   * @throws {TimeoutError} If the time of this call is up.
   * @throws {DnsTextError} If the name is none.
   * @throws {RangeError} If an option is out of its range.
   * @throws {ConnectionClosedError} If the resolver is closed, now or meanwhile.
   * @throws {Error} The signal's reason; what reading the settings of the system fails with.
   *
   * @example The hosts file comes first
   * ```ts
   * import { HostsFile, Resolver } from "@nbio/net/dns";
   * import { assertEquals } from "@std/assert";
   *
   * const hosts = new HostsFile("192.0.2.1 db.internal\n");
   * await using resolver = new Resolver({ servers: ["192.0.2.53"], hosts });
   * assertEquals(await resolver.lookup("db.internal"), ["192.0.2.1"]);
   * ```
   */
  lookup(host: string, options: HostLookupOptions = {}): Promise<readonly string[]> {
    const found = this.#lookUp(host, options);
    const { lookupDuration } = this.#settings;
    return lookupDuration === undefined ? found : this.#measure(found, lookupDuration);
  }

  async #measure<T>(found: Promise<T>, duration: TelemetryHistogram): Promise<T> {
    const { wheel } = this.#settings;
    const startMs = wheel.now();
    let failure: string | undefined;
    try {
      return await found;
    } catch (error) {
      failure = errorType(error);
      throw error;
    } finally {
      // The conventions want the name too, of which there may be any number.
      const seconds = Math.max(0, wheel.now() - startMs) / MS_PER_SECOND;
      duration.record(seconds, { "error.type": failure });
    }
  }

  async #lookUp(host: string, options: HostLookupOptions): Promise<readonly string[]> {
    const { family, all = true } = options;
    const prepared = await this.#prepare(options);
    const { addresses } = await lookUpHost(this.#toAscii(host), family, prepared);
    return all ? addresses : addresses.slice(0, 1);
  }

  /**
   * Finds the names of an address by its PTR records.
   *
   * @param address An IPv4 or IPv6 address.
   * @param options How to ask; deadline and signal of this call.
   * @returns The names, absolute, at least one.
   * @throws {TypeError} If it is no address.
   * @throws {Error} What {@linkcode Resolver.resolve} throws.
   */
  async reverse(address: string, options: ResolveOptions = {}): Promise<readonly string[]> {
    const records = await this.resolve(reverseName(withoutZone(address)), "PTR", options);
    return records.map(({ data }) => data.target);
  }

  /**
   * Names a host and its service, as `getnameinfo` does: by the hosts file, else by PTR records.
   *
   * @param address An IPv4 or IPv6 address.
   * @param port A port, 0 to 65,535.
   * @param options Deadline and signal of this call.
   * @returns The names without a dot at the end; address and port where there is none.
   * @throws {TypeError} If it is no address.
   * @throws {RangeError} If the port is out of its range.
   * @throws {Error} What {@linkcode Resolver.resolve} throws, but for an absent name.
   */
  async lookupService(
    address: string,
    port: number,
    options: ResolveOptions = {},
  ): Promise<HostService> {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new RangeError(`Cannot look up service: port is ${port}, expected 0 to 65535`);
    }
    const service = formatService(port);
    const question = this.#question(reverseName(withoutZone(address)), "PTR", "IN");
    const prepared = await this.#prepare(options);
    const [known] = (prepared.config.plan.hosts ?? NO_HOSTS).reverse(address);
    if (known !== undefined) return { hostname: known, service };
    try {
      const { records } = await findRecords(question, prepared);
      const [record] = records;
      const hostname = record?.type === "PTR" ? record.data.target.slice(0, -1) : address;
      return { hostname, service };
    } catch (error) {
      if (!isAbsence(error)) throw error;
      return { hostname: address, service };
    }
  }

  /**
   * Gives up what is under way, with a `ConnectionClosedError`, and closes all sockets. A second
   * call does nothing more.
   *
   * @returns When nothing is left.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#asker.close();
  }

  /** Closes it, see {@linkcode Resolver.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #question(name: string, type: string, recordClass = "IN"): Question {
    return normalizeQuestion({ name: this.#toAscii(name), type, class: recordClass });
  }

  #toAscii(name: string): string {
    return ASCII.test(name) ? name : this.#settings.toAscii(name);
  }

  /** Everything a question goes by. */
  async #prepare(options: QueryOptions): Promise<FindRecordsOptions> {
    const { maxAliasCount } = this.#settings;
    const bounds = this.#bounds(options);
    const config: ResolverConfig = this.#configs.current ?? await this.#configs.read(bounds.signal);
    return { asker: this.#asker, config, ask: toAskOptions(options, bounds), maxAliasCount };
  }

  /** One deadline for all the questions of a call. */
  #bounds(options: QueryOptions): OperationOptions {
    if (!isBounded(options)) return NO_BOUNDS;
    const { signal } = options;
    const { wheel } = this.#settings;
    const leftMs = checkTimeLeft("resolve", { ...options, wheel });
    return { ...(signal && { signal }), deadlineMs: wheel.now() + leftMs, wheel };
  }
}

function withoutZone(address: string): string {
  const parsed = parseIpAddress(address);
  if (parsed === undefined || parsed.zone === undefined) return address;
  return formatIpAddress({ ...parsed, zone: undefined });
}

function isAbsence(error: unknown): boolean {
  return error instanceof DnsResponseError &&
    (error.code === "ERR_DNS_NXDOMAIN" || error.code === "ERR_DNS_NODATA");
}
