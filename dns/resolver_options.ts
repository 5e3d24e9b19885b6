/**
 * {@linkcode ResolverOptions}: what a `Resolver` works with, and the check of it.
 *
 * @module
 */

import { deadlines, type DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { OperationOptions } from "../nbio/operation.ts";
import { parseIpAddress } from "../nbio/ip_address.ts";
import type { Telemetry, TelemetryHistogram } from "../nbio/telemetry.ts";
import { resolveTelemetry } from "../nbio/telemetry_guard.ts";
import { DnsCache, type DnsCacheOptions } from "./dns_cache.ts";
import { type DnsServer, ServerMemory } from "./dns_server.ts";
import type { EdnsOption } from "./edns_option.ts";
import type { HostsFile } from "./hosts_file.ts";
import type { QueryExchange } from "./query_run.ts";
import { type ResolvedQueryOptions, resolveQueryOptions } from "./query_options.ts";
import { randomUint16 } from "./random_uint16.ts";
import { SearchList } from "./search_list.ts";
import { SystemDnsReader } from "./system.ts";
import type { TcpExchangeOptions } from "./tcp_exchange.ts";
import type { UdpExchangeOptions } from "./udp_exchange.ts";

/** Options of a `Resolver`. */
export interface ResolverOptions {
  /**
   * Servers to ask, in their order, 1 to 32: addresses, those of IPv6 maybe with a zone. With them,
   * nothing of the system is read: no search list, no hosts file but the one given here.
   *
   * @default {undefined, which means those of the system}
   */
  readonly servers?: readonly (string | DnsServer)[];
  /**
   * Port of servers that are given by their address alone, 1 to 65,535.
   *
   * @default {53}
   */
  readonly port?: number;
  /**
   * Absolute names with which `lookup` completes short ones.
   *
   * @default {[], or what the system says}
   */
  readonly search?: readonly string[];
  /**
   * A name with so many dots is looked up as it is first, 0 to 15.
   *
   * @default {1, or what the system says}
   */
  readonly ndots?: number;
  /**
   * How long to wait for the first server, in milliseconds, 1 to 2^31 - 1; for others the
   * arithmetic of resolv.conf holds.
   *
   * @default {5_000, or what the system says}
   */
  readonly timeoutMs?: number;
  /**
   * How often each server is asked, 1 to 16.
   *
   * @default {2, or what the system says}
   */
  readonly attempts?: number;
  /**
   * Whether to begin at a random server rather than at the first.
   *
   * @default {false, or what the system says}
   */
  readonly rotate?: boolean;
  /**
   * Whether to ask over TCP from the start.
   *
   * @default {false, or what the system says}
   */
  readonly useTcp?: boolean;
  /**
   * The largest UDP payload to announce by EDNS, in bytes, 512 to 65,535; `false` for no EDNS.
   *
   * @default {1_232}
   */
  readonly edns?: number | false;
  /**
   * Whether to send cookies (RFC 7873).
   *
   * @default {true}
   */
  readonly cookies?: boolean;
  /**
   * Whether to write names in random case and insist on it in answers.
   *
   * @default {false}
   */
  readonly use0x20?: boolean;
  /**
   * Whether the servers, and the way to them, are trusted to set AD; else it is taken off answers.
   *
   * @default {false, or what the system says}
   */
  readonly trustAd?: boolean;
  /**
   * Aliases to follow for one name, 0 to 255.
   *
   * @default {8}
   */
  readonly maxAliasCount?: number;
  /**
   * Whether names such as `localhost` are answered here and never leave (RFC 6761).
   *
   * @default {true}
   */
  readonly specialNames?: boolean;
  /**
   * The cache, options for one, or `false` for none.
   *
   * @default {{}}
   */
  readonly cache?: DnsCache | DnsCacheOptions | false;
  /**
   * How long an expired answer waits for a fresh one before it is given, in milliseconds, 0 to
   * 2^31 - 1, where the cache keeps such (RFC 8767 section 5).
   *
   * @default {1_800}
   */
  readonly staleDelayMs?: number;
  /**
   * Hosts that `lookup` knows without asking; `false` for none.
   *
   * @default {false, or the hosts file of the system}
   */
  readonly hosts?: HostsFile | false;
  /**
   * Where the settings of the system come from. They are read again when they have changed.
   *
   * @default {new SystemDnsReader()}
   */
  readonly system?: Pick<SystemDnsReader, "read">;
  /**
   * Carries queries in place of UDP and TCP. Nothing of the system is read then.
   *
   * @default {undefined}
   */
  readonly exchange?: QueryExchange;
  /**
   * Whether questions share sockets, each used a bounded number of times, or each leaves from a
   * socket of its own.
   *
   * @default {"pool"}
   */
  readonly sourcePorts?: "pool" | "fresh";
  /**
   * More about the sockets for UDP; `sourcePorts` and `wheel` stand here.
   *
   * @default {{}}
   */
  readonly udp?: Omit<UdpExchangeOptions, "sourcePorts" | "wheel" | "randomUint16">;
  /**
   * More about the connections for TCP.
   *
   * @default {{}}
   */
  readonly tcp?: Omit<TcpExchangeOptions, "wheel">;
  /**
   * Questions that are under way at a time; others wait, and their time with the servers begins when
   * it is their turn: 1 to 1,000,000. Of more at once some are lost: the receive buffer of a socket
   * on Linux holds about 270 small datagrams by default, also that of a server on this machine. The
   * sockets for UDP may allow for fewer.
   *
   * @default {200}
   */
  readonly maxConcurrentQueries?: number;
  /**
   * Questions that wait for their turn, at most; one more is refused. 0 and `Infinity` mean no
   * limit.
   *
   * @default {100_000}
   */
  readonly maxWaitingQueries?: number;
  /**
   * Converts a name with characters beyond ASCII (IDNA).
   *
   * @default {as URLs do it}
   */
  readonly toAscii?: (name: string) => string;
  /**
   * Where deadlines wait, and whose clock everything goes by.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
  /**
   * Gives integers of 0 to 65,535 that nobody can guess.
   *
   * @default {randomUint16}
   */
  readonly randomUint16?: () => number;
  /**
   * Who is told how long `lookup` takes: `dns.lookup.duration`, with what it failed with.
   *
   * @default {undefined} (nobody)
   */
  readonly telemetry?: Telemetry;
}

/** Options of what a resolver is asked for. */
export interface ResolveOptions extends Omit<OperationOptions, "wheel"> {
  /**
   * Mnemonic of the class.
   *
   * @default {"IN"}
   */
  readonly class?: string;
  /**
   * Whether an answer out of the cache will do. What comes is kept in any case.
   *
   * @default {true}
   */
  readonly useCache?: boolean;
  /**
   * DO: whether to ask for records of DNSSEC (RFC 3225).
   *
   * @default {false}
   */
  readonly dnssecOk?: boolean;
  /**
   * CD: whether to ask the server not to validate (RFC 4035 section 3.2.2).
   *
   * @default {false}
   */
  readonly checkingDisabled?: boolean;
}

/** Options of `Resolver.query`. */
export interface QueryOptions extends ResolveOptions {
  /**
   * RD: whether the server shall resolve. Without it a referral is an answer.
   *
   * @default {true}
   */
  readonly recursionDesired?: boolean;
  /**
   * Options of EDNS to send, at most 32. With any, the question is not shared and the cache not
   * used.
   *
   * @default {[]}
   */
  readonly ednsOptions?: readonly EdnsOption[];
}

/** {@linkcode ResolverOptions}, checked; what the system may say is left open. */
export interface ResolverSettings {
  /** Servers, unless the system names them. */
  readonly servers: readonly DnsServer[] | undefined;
  /** What goes over what the system says. */
  readonly overrides: ResolverOptions;
  /** The cache. */
  readonly cache: DnsCache | undefined;
  /** What is known about servers. */
  readonly memory: ServerMemory;
  /** Where the settings of the system come from. */
  readonly system: Pick<SystemDnsReader, "read">;
  /** See {@linkcode ResolverOptions}. */
  readonly edns: number | false;
  /** See {@linkcode ResolverOptions}. */
  readonly cookies: boolean;
  /** See {@linkcode ResolverOptions}. */
  readonly use0x20: boolean;
  /** See {@linkcode ResolverOptions}. */
  readonly maxAliasCount: number;
  /** See {@linkcode ResolverOptions}. */
  readonly specialNames: boolean;
  /** See {@linkcode ResolverOptions}. */
  readonly staleDelayMs: number;
  /** See {@linkcode ResolverOptions}. */
  readonly maxConcurrentQueries: number;
  /** See {@linkcode ResolverOptions}. */
  readonly maxWaitingQueries: number;
  /** See {@linkcode ResolverOptions}. */
  readonly exchange: QueryExchange | undefined;
  /** See {@linkcode ResolverOptions}. */
  readonly toAscii: (name: string) => string;
  /** See {@linkcode ResolverOptions}. */
  readonly wheel: DeadlineWheel;
  /** See {@linkcode ResolverOptions}. */
  readonly randomUint16: () => number;
  /** Who is told how long lookups take; `undefined` for nobody. */
  readonly lookupDuration: TelemetryHistogram | undefined;
}

/** Advice of the semantic conventions of OpenTelemetry. */
const LOOKUP_SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Whom an exchange asks, in errors and in the memory. */
const EXCHANGE_SERVER: DnsServer = { address: "exchange", port: 0 };

/**
 * Checks options and fills in what the system does not decide.
 *
 * @param options The options.
 * @returns The settings.
 * @throws {TypeError} If a server is no address, or a search entry no name.
 * @throws {RangeError} If an option is out of its range.
 */
export function resolveResolverOptions(options: ResolverOptions): ResolverSettings {
  const { cache = {}, exchange, wheel = deadlines } = options;
  const settings: ResolverSettings = {
    servers: exchange === undefined ? toServers(options) : [EXCHANGE_SERVER],
    overrides: options,
    cache: cache === false ? undefined : cache instanceof DnsCache ? cache : new DnsCache(cache),
    memory: new ServerMemory(),
    // The reader of the system is asked once in its own interval; see ResolverConfigs.
    system: options.system ?? new SystemDnsReader({ clock: wheel }),
    edns: options.edns ?? 1_232,
    cookies: exchange === undefined && (options.cookies ?? true),
    use0x20: options.use0x20 ?? false,
    maxAliasCount: checkInteger("maxAliasCount", options.maxAliasCount ?? 8, 0, 255),
    specialNames: options.specialNames ?? true,
    staleDelayMs: checkInteger("staleDelayMs", options.staleDelayMs ?? 1_800, 0, 2 ** 31 - 1),
    maxConcurrentQueries: checkInteger(
      "maxConcurrentQueries",
      options.maxConcurrentQueries ?? 200,
      1,
      1_000_000,
    ),
    maxWaitingQueries: options.maxWaitingQueries ?? 100_000,
    exchange,
    toAscii: options.toAscii ?? urlToAscii,
    wheel,
    randomUint16: options.randomUint16 ?? randomUint16,
    lookupDuration: lookupDuration(options.telemetry),
  };
  // What is used only when something is asked is checked all the same.
  new SearchList("a.", options);
  checkQueryOptions(settings);
  return settings;
}

function lookupDuration(telemetry: Telemetry | undefined): TelemetryHistogram | undefined {
  return resolveTelemetry(telemetry)?.histogram("dns.lookup.duration", {
    description: "Measures the time taken to perform a DNS lookup.",
    unit: "s",
    boundaries: LOOKUP_SECONDS,
  });
}

function checkQueryOptions(settings: ResolverSettings): ResolvedQueryOptions {
  const { servers = [EXCHANGE_SERVER], memory, randomUint16, edns, overrides } = settings;
  const { timeoutMs = 5_000, attempts = 2 } = overrides;
  const random = (): number => 0;
  return resolveQueryOptions({ servers, memory, randomUint16, random, edns, timeoutMs, attempts });
}

function toServers({ servers, port = 53 }: ResolverOptions): DnsServer[] | undefined {
  checkInteger("port", port, 1, 65_535);
  return servers?.map((server) => {
    const full = typeof server === "string" ? { address: server, port } : server;
    checkInteger("port", full.port, 1, 65_535);
    if (parseIpAddress(full.address) !== undefined) return full;
    throw new TypeError(
      `Cannot use server ${JSON.stringify(full.address.slice(0, 64))}: it is no IP address`,
    );
  });
}

/** As browsers do it (UTS 46); what it cannot convert stays, and is refused as a name. */
function urlToAscii(name: string): string {
  const url = URL.parse(`http://${name}`);
  return url === null ? name : url.hostname;
}

function checkInteger(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from ${min} to ${max}`);
}
