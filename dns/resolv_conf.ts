// This module is sans-I/O.

import { formatIpAddress, formatIpv4, parseIpAddress } from "../nbio/ip_address.ts";
import { DnsTextError } from "./errors.ts";
import { parseName } from "./name.ts";

/** One pair of `sortlist`: addresses that come first. */
export interface SortlistEntry {
  /** IPv4 address of a network. */
  readonly address: string;
  /** Which bits of it count, as an IPv4 address. */
  readonly mask: string;
}

/** What resolv.conf and the environment say. */
export interface ResolvConf {
  /**
   * Addresses of the name servers in their order, an IPv6 one maybe with a zone. All of them: the C
   * library asks the first three. Never empty: without any it is this machine.
   */
  readonly nameservers: readonly string[];
  /** Absolute names that short ones are completed with, in their order. */
  readonly search: readonly string[];
  /** A name with so many dots is asked for as it is first, 0 to 15. */
  readonly ndots: number;
  /** How long the first attempt waits for a server, 1,000 to 30,000 milliseconds. */
  readonly timeoutMs: number;
  /** How often all servers are asked, 1 to 5. */
  readonly attempts: number;
  /** `rotate`: whether each query begins with another server. */
  readonly rotate: boolean;
  /** `use-vc`: whether queries go over TCP. */
  readonly useTcp: boolean;
  /** `edns0`: whether queries have an OPT record. */
  readonly edns0: boolean;
  /** `trust-ad`: whether the servers, and the way to them, are trusted to set AD. */
  readonly trustAd: boolean;
  /** `inet6`: once mapped IPv4 addresses; without effect in today's C library. */
  readonly inet6: boolean;
  /** `single-request`: whether A and AAAA are asked one after the other. */
  readonly singleRequest: boolean;
  /** `single-request-reopen`: as above, where a server answers only one of two from one port. */
  readonly singleRequestReopen: boolean;
  /** `no-tld-query`: whether a name without a dot is never asked for as it is. */
  readonly noTldQuery: boolean;
  /** `no-reload`: whether a changed file is left unread. */
  readonly noReload: boolean;
  /** `no-aaaa`: whether AAAA is never asked for. */
  readonly noAaaa: boolean;
  /** `strict-error`: whether the failure of one family fails a lookup of both. */
  readonly strictError: boolean;
  /** Networks whose addresses come first, at most 10. */
  readonly sortlist: readonly SortlistEntry[];
}

/** What {@linkcode parseResolvConf} takes into account beside the file. */
export interface ParseResolvConfOptions {
  /** Name of this machine: what stands behind its first dot is searched where nothing else is said. */
  readonly hostname?: string | undefined;
  /** Variable `LOCALDOMAIN`: blank-separated names, in place of those of the file. */
  readonly localDomain?: string | undefined;
  /** Variable `RES_OPTIONS`: options, after those of the file. */
  readonly resOptions?: string | undefined;
}

/** Bounds of the C library. */
const MAX_NDOTS = 15;
const MAX_TIMEOUT_S = 30;
const MAX_ATTEMPTS = 5;
const MAX_SORTLIST_COUNT = 10;

/** Options without a value. A word counts from its beginning: what follows is ignored. */
const FLAGS = [
  ["rotate", "rotate"],
  ["edns0", "edns0"],
  // In front of the one it begins with.
  ["single-request-reopen", "singleRequestReopen"],
  ["single-request", "singleRequest"],
  ["no_tld_query", "noTldQuery"],
  ["no-tld-query", "noTldQuery"],
  ["no-reload", "noReload"],
  ["use-vc", "useTcp"],
  ["trust-ad", "trustAd"],
  ["no-aaaa", "noAaaa"],
  ["strict-error", "strictError"],
  ["inet6", "inet6"],
] as const satisfies readonly (readonly [string, keyof ResolvConf])[];

type Draft = { -readonly [K in keyof ResolvConf]: ResolvConf[K] };

/**
 * Parses `/etc/resolv.conf` as glibc does: a directive begins its line, unknown ones and malformed
 * values are skipped, of `domain` and `search` the last one holds, options add up, and numbers
 * beyond a bound are cut to it.
 *
 * Three things differ. `timeout` and `attempts` are 1 at least, where the C library would not ask
 * at all, or turn 0 into 1 later. A mask of `sortlist` without dots is the length of a prefix. And
 * what cannot be a name is dropped from the search list, where it would end each search.
 *
 * Takes time linear in the text.
 *
 * @param text The file.
 * @param options The name of this machine, and the environment.
 * @returns What it says, with defaults for the rest.
 *
 * @example A file with most of what there is
 * ```ts
 * import { parseResolvConf } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const { nameservers, search, ndots, rotate } = parseResolvConf(
 *   "nameserver 192.0.2.1\nnameserver fe80::1%eth0\nsearch corp.example example\noptions ndots:2 rotate\n",
 * );
 * assertEquals(nameservers, ["192.0.2.1", "fe80::1%eth0"]);
 * assertEquals(search, ["corp.example.", "example."]);
 * assertEquals([ndots, rotate], [2, true]);
 * ```
 */
export function parseResolvConf(text: string, options: ParseResolvConfOptions = {}): ResolvConf {
  const { hostname = "", localDomain, resOptions = "" } = options;
  const draft = emptyDraft();
  const servers: string[] = [];
  let domains: readonly string[] | undefined;
  for (const line of text.split("\n")) {
    const { directive, value } = splitLine(line);
    if (directive === "nameserver") servers.push(...parseNameserver(value));
    else if (directive === "sortlist") draft.sortlist = addSortlist(draft.sortlist, value);
    else if (directive === "options") applyOptions(draft, value);
    else if (directive === "search" && value !== "") domains = words(value);
    else if (directive === "domain" && value !== "") domains = words(value).slice(0, 1);
  }
  if (localDomain !== undefined) domains = words(localDomain.split("\n", 1)[0]!);
  const dot = hostname.indexOf(".");
  domains ??= dot === -1 ? [] : [hostname.slice(dot + 1)];
  applyOptions(draft, resOptions);
  const nameservers = servers.length === 0 ? ["127.0.0.1"] : servers;
  return { ...draft, nameservers, search: domains.flatMap(parseDomain) };
}

function emptyDraft(): Draft {
  return {
    nameservers: [],
    search: [],
    ndots: 1,
    timeoutMs: 5_000,
    attempts: 2,
    rotate: false,
    useTcp: false,
    edns0: false,
    trustAd: false,
    inet6: false,
    singleRequest: false,
    singleRequestReopen: false,
    noTldQuery: false,
    noReload: false,
    noAaaa: false,
    strictError: false,
    sortlist: [],
  };
}

/** The directive that begins a line, and what stands behind it without blanks in front. */
function splitLine(line: string): { readonly directive: string; readonly value: string } {
  const [, directive = "", value = ""] = /^([a-z]+)[ \t]+(.*)$/s.exec(line) ?? [];
  return { directive, value };
}

function words(text: string): string[] {
  return text.split(/[ \t\r\n]+/).filter((word) => word !== "");
}

/** The absolute name of a word of the search list, if it is one. */
function parseDomain(word: string): string[] {
  // As in the C library, a dot in front is no label: a dot alone is the root.
  const text = word.startsWith(".") ? word.slice(1) : word;
  if (text === "") return ["."];
  try {
    return [parseName(text, { origin: "." })];
  } catch (error) {
    if (error instanceof DnsTextError) return [];
    throw error;
  }
}

/** What stands behind the address is ignored. */
function parseNameserver(value: string): string[] {
  const [word = ""] = words(value);
  const address = parseLooseIpv4(word) ?? parseScopedIpv6(word);
  return address === undefined ? [] : [address];
}

/** A zone that cannot be one is left out, as in the C library. */
function parseScopedIpv6(word: string): string | undefined {
  const address = parseIpAddress(word) ?? parseIpAddress(word.split("%", 1)[0]!);
  return address?.family === 6 ? formatIpAddress(address) : undefined;
}

/**
 * An IPv4 address as `inet_aton` reads it: one to four numbers, decimal, octal or hexadecimal, of
 * which the last one fills all the bytes that are left.
 */
function parseLooseIpv4(word: string): string | undefined {
  const parts = word.split(".");
  if (parts.length > 4) return undefined;
  let value = 0;
  for (const [index, part] of parts.entries()) {
    const number = parseCNumber(part);
    const isLast = index === parts.length - 1;
    const bound = isLast ? 256 ** (4 - index) : 256;
    if (number === undefined || number >= bound) return undefined;
    value += isLast ? number : number * 256 ** (3 - index);
  }
  return formatIpv4(ipv4Bytes(value));
}

function parseCNumber(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]{1,8}$/.test(text)) return parseInt(text.slice(2), 16);
  if (/^0[0-7]{0,11}$/.test(text)) return parseInt(text, 8);
  return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
}

function ipv4Bytes(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

function addSortlist(sortlist: readonly SortlistEntry[], value: string): SortlistEntry[] {
  const entries = [...sortlist];
  for (const word of words(value.split(";", 1)[0]!)) {
    const [network = "", mask = ""] = word.split(/[/&]/, 2);
    const address = parseLooseIpv4(network);
    if (address === undefined || entries.length === MAX_SORTLIST_COUNT) continue;
    entries.push({ address, mask: parseMask(mask) ?? classMask(address) });
  }
  return entries;
}

function parseMask(text: string): string | undefined {
  if (!/^[0-9]{1,2}$/.test(text)) return parseLooseIpv4(text);
  const bits = Number(text);
  if (bits > 32) return undefined;
  return formatIpv4(ipv4Bytes(bits === 0 ? 0 : -1 << (32 - bits)));
}

/** The mask of the class of an address, from before networks had prefixes (RFC 791 section 3.2). */
function classMask(address: string): string {
  const first = parseInt(address, 10);
  if (first < 128) return "255.0.0.0";
  return first < 192 ? "255.255.0.0" : "255.255.255.0";
}

function applyOptions(draft: Draft, text: string): void {
  const all = words(text);
  for (const [index, word] of all.entries()) {
    const [, name, value] = /^(ndots|timeout|attempts):(.*)$/.exec(word) ?? [];
    if (name !== undefined) {
      // `atoi` skips blanks: of `ndots: 2` the number is in the next word.
      applyNumber(draft, name, parseCInteger(value || (all[index + 1] ?? "")));
      continue;
    }
    const flag = FLAGS.find(([name]) => word.startsWith(name));
    if (flag !== undefined) draft[flag[1]] = true;
  }
}

function applyNumber(draft: Draft, name: string, value: number): void {
  // The C library keeps four bits of it.
  if (name === "ndots") draft.ndots = Math.min(value, MAX_NDOTS) & MAX_NDOTS;
  else if (name === "timeout") draft.timeoutMs = clamp(value, MAX_TIMEOUT_S) * 1_000;
  else draft.attempts = clamp(value, MAX_ATTEMPTS);
}

/** As `atoi`: the digits at the beginning, 0 without any. */
function parseCInteger(text: string): number {
  return Number(/^[+-]?[0-9]{1,9}/.exec(text)?.[0] ?? 0);
}

function clamp(value: number, max: number): number {
  return Math.max(1, Math.min(value, max));
}
