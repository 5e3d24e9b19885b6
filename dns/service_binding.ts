// This module is sans-I/O.

import type { ResourceRecord } from "./message.ts";
import { parseName } from "./name.ts";
import type { SvcParams } from "./svc_params.ts";

/** What a client can do with service bindings. */
export interface BindServiceOptions {
  /**
   * ALPN ids the client speaks; endpoints with none of them are left out. Absent: any.
   *
   * @default {undefined}
   */
  readonly alpn?: readonly string[] | undefined;
  /**
   * ALPN ids an endpoint has unless it says `no-default-alpn`; for HTTPS this is `http/1.1`.
   *
   * @default {["http/1.1"]}
   */
  readonly defaultAlpn?: readonly string[];
  /**
   * Parameters the client acts upon; an endpoint that makes another one mandatory is left out.
   *
   * @default {["alpn", "no-default-alpn", "port", "ipv4hint", "ipv6hint"]}
   */
  readonly supportedParams?: readonly string[];
  /**
   * Gives numbers of 0 to less than 1, to shuffle equal priorities and to choose among aliases;
   * without it they stay as they came.
   *
   * @default {undefined}
   */
  readonly random?: (() => number) | undefined;
}

/** Where a service is, for dialling (RFC 9460 section 2.4.3). */
export interface ServiceEndpoint {
  /** Lower is tried first. */
  readonly priority: number;
  /** The host whose addresses to ask for. */
  readonly target: string;
  /** The port; `undefined` for that of the origin. */
  readonly port: number | undefined;
  /** ALPN ids to offer, those that the client speaks. */
  readonly alpn: readonly string[];
  /** Addresses to dial before those of the target are known; IPv6 first. */
  readonly addressHints: readonly string[];
  /** ECHConfigList, `undefined` where there is none. */
  readonly ech: Uint8Array | undefined;
  /** All parameters as they came. */
  readonly params: SvcParams;
}

/** Endpoints of the service. */
export interface ServiceMode {
  /** Tells the bindings apart. */
  readonly mode: "service";
  /** In the order in which to try them; at least one. */
  readonly endpoints: readonly ServiceEndpoint[];
}

/** The service is that of another name: ask for its bindings, or its addresses. */
export interface AliasMode {
  /** Tells the bindings apart. */
  readonly mode: "alias";
  /** The other name. */
  readonly target: string;
}

/** There is no service, or nothing a client can use: then it dials as if there were no records. */
export interface NoServiceMode {
  /** Tells the bindings apart. */
  readonly mode: "unavailable" | "none";
}

/** What SVCB or HTTPS records say to a client, told apart by `mode`. */
export type ServiceBinding = ServiceMode | AliasMode | NoServiceMode;

type ServiceRecord = ResourceRecord<"SVCB" | "HTTPS">;

const DEFAULT_ALPN = ["http/1.1"];
const DEFAULT_PARAMS = ["alpn", "no-default-alpn", "port", "ipv4hint", "ipv6hint"];

/**
 * Turns SVCB or HTTPS records into what a client dials (RFC 9460 section 3).
 *
 * @param records The records of one owner, as `resolve` gives them; those of other types are left
 * out of account.
 * @param options What the client can do.
 * @returns An alias to follow, endpoints in order, or that there is nothing to use.
 *
 * @example Two endpoints, the better one first
 * ```ts
 * import { bindService, parseRecord } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const binding = bindService([
 *   parseRecord("example. 60 IN HTTPS 2 backup.example. alpn=h2"),
 *   parseRecord("example. 60 IN HTTPS 1 . alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.1"),
 * ]);
 * const endpoints = binding.mode === "service" ? binding.endpoints : [];
 * assertEquals(endpoints.map(({ target }) => target), ["example.", "backup.example."]);
 * assertEquals([endpoints[0]?.port, endpoints[0]?.addressHints], [8443, ["192.0.2.1"]]);
 * ```
 */
export function bindService(
  records: readonly ResourceRecord[],
  options: BindServiceOptions = {},
): ServiceBinding {
  const own = records.filter((record): record is ServiceRecord =>
    record.type === "SVCB" || record.type === "HTTPS"
  );
  const shuffled = options.random === undefined ? own : shuffle(own, options.random);
  // RFC 9460 section 2.4.1: beside an alias, endpoints are ignored.
  const alias = shuffled.find(({ data }) => data.priority === 0);
  if (alias !== undefined) {
    const { target } = alias.data;
    return target === "." ? { mode: "unavailable" } : { mode: "alias", target };
  }
  // RFC 9460 section 2.2: one malformed record spoils them all.
  if (shuffled.some(({ data }) => lacksMandatory(data.params))) return { mode: "none" };
  const endpoints = shuffled
    .map((record) => endpointOf(record, options))
    .filter((endpoint) => endpoint !== undefined)
    .sort((a, b) => a.priority - b.priority);
  return endpoints.length === 0 ? { mode: "none" } : { mode: "service", endpoints };
}

/** What {@linkcode serviceName} needs to know beside the host. */
export interface ServiceNameOptions {
  /**
   * The scheme of the origin, without a colon.
   *
   * @default {"https"}
   */
  readonly scheme?: string;
  /**
   * The port of the origin, 1 to 65,535; absent for the default one of the scheme.
   *
   * @default {undefined}
   */
  readonly port?: number | undefined;
}

/**
 * Gives the name whose SVCB or HTTPS records tell of a service (RFC 9460 sections 2.3 and 9.1).
 *
 * @param host The host of the origin.
 * @param options Its scheme and port.
 * @returns The absolute name to ask for.
 * @throws {DnsTextError} If the host is no name.
 * @throws {RangeError} If the port is out of its range.
 *
 * @example With and without a port of its own
 * ```ts
 * import { serviceName } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(serviceName("example.com"), "example.com.");
 * assertEquals(serviceName("example.com", { port: 8443 }), "_8443._https.example.com.");
 * assertEquals(serviceName("resolver.example", { scheme: "dns" }), "_dns.resolver.example.");
 * ```
 */
export function serviceName(host: string, options: ServiceNameOptions = {}): string {
  const { scheme = "https", port } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 0xffff)) {
    throw new RangeError(`Cannot use port ${port}: expected an integer from 1 to 65535`);
  }
  const origin = parseName(host, { origin: "." });
  const isHttps = scheme === "https";
  const prefix = port === undefined || (isHttps && port === 443) ? "" : `_${port}.`;
  // The HTTPS record of the default port stands at the host itself.
  const label = isHttps && prefix === "" ? "" : `_${scheme}`;
  const labels = `${prefix}${label}`;
  return labels === "" ? origin : parseName(labels, { origin });
}

/** RFC 9460 section 8: what is mandatory has to be there. */
function lacksMandatory(params: SvcParams): boolean {
  return params.mandatory?.some((key) => params[key as "port"] === undefined) ?? false;
}

function endpointOf(
  record: ServiceRecord,
  options: BindServiceOptions,
): ServiceEndpoint | undefined {
  const { supportedParams = DEFAULT_PARAMS, defaultAlpn = DEFAULT_ALPN } = options;
  const { priority, target, params } = record.data;
  if (params.mandatory?.some((key) => !supportedParams.includes(key))) return undefined;
  const ownAlpn = params.alpn ?? [];
  // RFC 9460 section 7.1.1: such a record contradicts itself.
  if (params["no-default-alpn"] === true && ownAlpn.length === 0) return undefined;
  const offered = params["no-default-alpn"] === true ? ownAlpn : [...ownAlpn, ...defaultAlpn];
  const alpn = [...new Set(offered)].filter((id) => options.alpn?.includes(id) ?? true);
  if (alpn.length === 0 && options.alpn !== undefined) return undefined;
  return {
    priority,
    target: target === "." ? record.name : target,
    port: params.port,
    alpn,
    addressHints: [...params.ipv6hint ?? [], ...params.ipv4hint ?? []],
    ech: params.ech,
    params,
  };
}

/** A copy in random order. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
  }
  return shuffled;
}
