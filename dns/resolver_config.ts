/**
 * {@linkcode ResolverConfigs}: the options of a resolver over the settings of the system.
 *
 * @module
 */

import type { DnsServer } from "./dns_server.ts";
import { HostsFile } from "./hosts_file.ts";
import type { LookupPlanOptions } from "./lookup_plan.ts";
import type { ResolvConf, SortlistEntry } from "./resolv_conf.ts";
import type { ResolverSettings } from "./resolver_options.ts";
import type { SystemDns } from "./system.ts";

/** What one question goes by. */
export interface ResolverConfig {
  /** Servers in their order. */
  readonly servers: readonly DnsServer[];
  /** How long to wait for the first server, in milliseconds. */
  readonly timeoutMs: number;
  /** How often each is asked. */
  readonly attempts: number;
  /** Whether to begin at a random one. */
  readonly rotate: boolean;
  /** Whether to ask over TCP from the start. */
  readonly useTcp: boolean;
  /** Whether AD is believed. */
  readonly trustAd: boolean;
  /** Whether the failure of one family fails a lookup of both. */
  readonly strictError: boolean;
  /** How hosts are looked up. */
  readonly plan: LookupPlanOptions;
  /** IPv4 networks that come first. */
  readonly sortlist: readonly SortlistEntry[];
}

/** How long settings of the system are used without asking for them again. */
const CHECK_INTERVAL_MS = 1_000;
const NO_HOSTS = new HostsFile();

/** The settings at hand, read again when those of the system may have changed. */
export class ResolverConfigs {
  readonly #settings: ResolverSettings;
  readonly #onServersChanged: () => void;
  #system: SystemDns | undefined;
  #current: ResolverConfig | undefined;
  #checkedMs = -Infinity;

  /**
   * Makes it.
   *
   * @param settings The options of the resolver.
   * @param onServersChanged Called when the system names other servers than before.
   */
  constructor(settings: ResolverSettings, onServersChanged: () => void) {
    this.#settings = settings;
    this.#onServersChanged = onServersChanged;
    if (settings.servers !== undefined) {
      this.#current = makeConfig(settings, settings.servers, undefined);
      this.#checkedMs = Infinity;
    }
  }

  /** The settings, unless they may have changed. */
  get current(): ResolverConfig | undefined {
    const ageMs = this.#settings.wheel.now() - this.#checkedMs;
    return ageMs < CHECK_INTERVAL_MS ? this.#current : undefined;
  }

  /**
   * Looks whether the settings of the system have changed.
   *
   * @param signal Ends the wait.
   * @returns The settings.
   * @throws {Error} What reading them fails with; the signal's reason.
   */
  async read(signal: AbortSignal | undefined): Promise<ResolverConfig> {
    const { system, wheel } = this.#settings;
    const next = await system.read(signal === undefined ? {} : { signal });
    this.#checkedMs = wheel.now();
    if (this.#current !== undefined && next === this.#system) return this.#current;
    const before = this.#system;
    this.#system = next;
    this.#current = makeConfig(this.#settings, next.servers, next);
    if (before && !isSame(before.servers, next.servers)) this.#onServersChanged();
    return this.#current;
  }
}

function isSame(before: readonly DnsServer[], after: readonly DnsServer[]): boolean {
  return before.length === after.length &&
    before.every(({ address, port }, index) =>
      address === after[index]!.address && port === after[index]!.port
    );
}

function makeConfig(
  { overrides, exchange }: ResolverSettings,
  servers: readonly DnsServer[],
  system: SystemDns | undefined,
): ResolverConfig {
  const conf: Partial<ResolvConf> = system?.resolvConf ?? {};
  const { hosts } = overrides;
  return {
    servers,
    timeoutMs: overrides.timeoutMs ?? conf.timeoutMs ?? 5_000,
    attempts: overrides.attempts ?? conf.attempts ?? 2,
    rotate: overrides.rotate ?? conf.rotate ?? false,
    // An exchange has no datagrams.
    useTcp: exchange !== undefined || (overrides.useTcp ?? conf.useTcp ?? false),
    trustAd: overrides.trustAd ?? conf.trustAd ?? false,
    strictError: conf.strictError ?? false,
    sortlist: conf.sortlist ?? [],
    plan: {
      search: overrides.search ?? conf.search ?? [],
      ndots: overrides.ndots ?? conf.ndots ?? 1,
      noTldQuery: conf.noTldQuery ?? false,
      noAaaa: conf.noAaaa ?? false,
      singleRequest: (conf.singleRequest ?? false) || (conf.singleRequestReopen ?? false),
      hosts: hosts === false ? NO_HOSTS : hosts ?? system?.hosts ?? NO_HOSTS,
      ...(system === undefined ? {} : { services: system.services }),
    },
  };
}
