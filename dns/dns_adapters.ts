/**
 * {@linkcode toNodeLookup} and {@linkcode toResolveDns}: a `Resolver` in the shape of what Node and
 * Deno have, for code that takes those.
 *
 * @module
 */

import { DnsTextError } from "./errors.ts";
import type { RecordType, ResourceRecord } from "./message.ts";
import type { Resolver } from "./resolver.ts";
import { DnsResponseError } from "./resolver_errors.ts";

/** Options of a {@linkcode NodeLookup}, as `dns.lookup` of Node has them. */
export interface NodeLookupOptions {
  /**
   * 4, 6, `"IPv4"`, `"IPv6"`, or 0 for both.
   *
   * @default {0}
   */
  readonly family?: number | "IPv4" | "IPv6" | undefined;
  /**
   * Whether all addresses are wanted.
   *
   * @default {false}
   */
  readonly all?: boolean | undefined;
  /**
   * Which family comes first; `"verbatim"` leaves the order of RFC 6724.
   *
   * @default {"verbatim"}
   */
  readonly order?: "ipv4first" | "ipv6first" | "verbatim" | undefined;
}

/** An address as Node gives it. */
export interface NodeLookupAddress {
  /** The address. */
  address: string;
  /** Its family, 4 or 6. */
  family: number;
}

/** How a {@linkcode NodeLookup} tells what it found, or why it found nothing. */
export type NodeLookupCallback = (
  error: (Error & { code?: string }) | null,
  address: string | NodeLookupAddress[],
  family?: number,
) => void;

/** The shape of `dns.lookup` of Node, as `lookup` of `net.connect` takes it. */
export type NodeLookup = (
  hostname: string,
  options: NodeLookupOptions | number | NodeLookupCallback,
  callback?: NodeLookupCallback,
) => void;

/**
 * Makes a `dns.lookup` of a resolver, for `net.connect`, `http.request` and what is built on them.
 *
 * Errors have the codes of Node: `ENOTFOUND` if there is no such host or it has no such address,
 * `EAI_AGAIN` if the servers fail; the error of the resolver is their `cause`.
 *
 * @param resolver Who looks up.
 * @returns The function.
 *
 * @example With a host that needs no server
 * ```ts
 * import { Resolver, toNodeLookup } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * await using resolver = new Resolver({ servers: ["192.0.2.53"] });
 * const lookup = toNodeLookup(resolver);
 * const { promise, resolve } = Promise.withResolvers<unknown[]>();
 * lookup("localhost", { family: 4 }, (...found) => resolve(found));
 * assertEquals(await promise, [null, "127.0.0.1", 4]);
 * ```
 */
export function toNodeLookup(resolver: Resolver): NodeLookup {
  return (hostname, options, callback) => {
    const tell = typeof options === "function" ? options : callback!;
    const settings = typeof options === "function"
      ? {}
      : typeof options === "number"
      ? { family: options }
      : options;
    lookUp(resolver, hostname, settings).then((found) => {
      if (settings.all) tell(null, found);
      else tell(null, found[0]!.address, found[0]!.family);
    }, (error) => tell(error, settings.all ? [] : ""));
  };
}

async function lookUp(
  resolver: Resolver,
  hostname: string,
  { family, order = "verbatim" }: NodeLookupOptions,
): Promise<NodeLookupAddress[]> {
  const wanted = family === 4 || family === "IPv4"
    ? 4
    : family === 6 || family === "IPv6"
    ? 6
    : undefined;
  let found: NodeLookupAddress[];
  try {
    const addresses = await resolver.lookup(hostname, wanted ? { family: wanted } : {});
    found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  } catch (cause) {
    throw nodeError(hostname, isAbsence(cause) ? "ENOTFOUND" : "EAI_AGAIN", cause);
  }
  if (found.length === 0) throw nodeError(hostname, "ENOTFOUND", undefined);
  if (order === "verbatim") return found;
  const first = order === "ipv4first" ? 4 : 6;
  return found.sort((a, b) => Number(b.family === first) - Number(a.family === first));
}

/** Whether there is no such host, or can be none of that name. */
function isAbsence(error: unknown): boolean {
  if (error instanceof DnsResponseError) return error.code === "ERR_DNS_NXDOMAIN";
  return error instanceof DnsTextError;
}

function nodeError(hostname: string, code: string, cause: unknown): Error & { code: string } {
  const error = new Error(`getaddrinfo ${code} ${hostname}`, { cause });
  return Object.assign(error, { code, syscall: "getaddrinfo", hostname });
}

/** Options of a {@linkcode ResolveDns}. */
export interface ResolveDnsOptions {
  /**
   * Ends the call, which rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/** What a {@linkcode ResolveDns} gives for a type, as `Deno.resolveDns` does. */
export interface ResolveDnsResults {
  /** Addresses. */
  readonly A: string;
  /** Addresses. */
  readonly AAAA: string;
  /** Certification authorities. */
  readonly CAA: Deno.CaaRecord;
  /** Names. */
  readonly CNAME: string;
  /** Mail servers. */
  readonly MX: Deno.MxRecord;
  /** Rules. */
  readonly NAPTR: Deno.NaptrRecord;
  /** Names. */
  readonly NS: string;
  /** Names. */
  readonly PTR: string;
  /** Zones. */
  readonly SOA: Deno.SoaRecord;
  /** Services. */
  readonly SRV: Deno.SrvRecord;
  /** Strings of each record. */
  readonly TXT: string[];
}

/** The shape of `Deno.resolveDns`, without `nameServer`. */
export type ResolveDns = <T extends keyof ResolveDnsResults>(
  query: string,
  recordType: T,
  options?: ResolveDnsOptions,
) => Promise<ResolveDnsResults[T][]>;

/**
 * Makes a `Deno.resolveDns` of a resolver. Errors are those of {@linkcode Resolver.resolve}, which
 * tell apart what the runtime calls `NotFound`.
 *
 * @param resolver Who resolves.
 * @returns The function.
 *
 * @example With a name that needs no server
 * ```ts
 * import { Resolver, toResolveDns } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * await using resolver = new Resolver({ servers: ["192.0.2.53"] });
 * const resolveDns = toResolveDns(resolver);
 * assertEquals(await resolveDns("localhost", "AAAA"), ["::1"]);
 * ```
 */
export function toResolveDns(resolver: Resolver): ResolveDns {
  const resolveDns = async (
    query: string,
    recordType: keyof ResolveDnsResults,
    options: ResolveDnsOptions = {},
  ): Promise<unknown[]> => {
    if (!RUNTIME_TYPES.has(recordType)) {
      throw new TypeError(`Cannot resolve type ${recordType}: the runtime has no form for it`);
    }
    const records = await resolver.resolve(query, recordType as RecordType, options);
    return records.map(toRuntimeForm);
  };
  return resolveDns as ResolveDns;
}

const RUNTIME_TYPES: ReadonlySet<string> = new Set(
  [
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "MX",
    "NAPTR",
    "NS",
    "PTR",
    "SOA",
    "SRV",
    "TXT",
  ] satisfies (keyof ResolveDnsResults)[],
);

function toRuntimeForm(record: ResourceRecord): unknown {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.data.address;
    case "CNAME":
    case "NS":
    case "PTR":
      return record.data.target;
    case "TXT":
      return record.data.strings.map(decodeText);
    case "NAPTR": {
      const { flags, services, regexp, ...rest } = record.data;
      const texts = { flags: decodeText(flags), services: decodeText(services) };
      return { ...rest, ...texts, regexp: decodeText(regexp) };
    }
    case "CAA": {
      const { flags, tag, value } = record.data;
      return { critical: (flags & 0x80) !== 0, tag, value: decodeText(value) };
    }
    default:
      return { ...record.data };
  }
}

const decoder = new TextDecoder();

function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
