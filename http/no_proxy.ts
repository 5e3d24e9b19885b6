// This module is sans-I/O.

/**
 * {@linkcode NoProxyRules}: which hosts are reached without a proxy.
 *
 * There is no standard. What curl and Go agree on is done; where they differ, the
 * table says who is followed.
 *
 * | entry | matches |
 * | --- | --- |
 * | `example.com` | the name and everything below it |
 * | `.example.com` | the same (curl; Go leaves the name itself out) |
 * | `*.example.com` | what is below it, not the name itself (Go) |
 * | `example.com:8080` | the same hosts at this port only (Go) |
 * | `192.0.2.1`, `2001:db8::1`, `[::1]:443` | this address |
 * | `192.0.2.0/24`, `2001:db8::/32` | every address of the range |
 * | `*` | everything |
 *
 * Entries stand between commas, white space or both, in any case. Addresses are
 * held against addresses only: no name is looked up to decide.
 */

import { formatIpAddress, type IpAddress, parseIpAddress } from "../nbio/ip_address.ts";
import { IpRangeSet } from "./ip_range.ts";

/** A list that is longer is taken for a mistake, or for worse. */
const MAX_ENTRIES = 10_000;

/** What is behind the host of an entry, with the brackets of an IPv6 address in front. */
const WITH_PORT = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/;

/**
 * The hosts that are reached without a proxy, as `NO_PROXY` lists them.
 *
 * @example Which go around
 * ```ts
 * import { NoProxyRules } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const rules = new NoProxyRules("localhost, .corp.example:8080 10.0.0.0/8");
 * assertEquals(rules.has("localhost", 80), true);
 * assertEquals(rules.has("db.corp.example", 8080), true);
 * assertEquals(rules.has("db.corp.example", 80), false);
 * assertEquals(rules.has("10.1.2.3", 80), true);
 * assertEquals(rules.has("example.com", 80), false);
 * ```
 */
export class NoProxyRules {
  /** Names with everything below them, some with `:port` behind. */
  readonly #names: Set<string> = new Set();
  /** Names of which only what is below counts. */
  readonly #parents: Set<string> = new Set();
  /** Addresses with `:port` behind. */
  readonly #addresses: Set<string> = new Set();
  readonly #ranges: IpRangeSet;
  #matchesAll = false;

  /**
   * Reads a list.
   *
   * @param list One text, or an entry each. What can be read as nothing of the
   * table matches nothing, as in curl and Go: the list is shared between programs.
   * @throws {RangeError} If there are more than 10,000 entries.
   */
  constructor(list: string | readonly string[]) {
    const text = typeof list === "string" ? list : list.join(",");
    const entries = text.split(/[\s,]+/, MAX_ENTRIES + 2).filter((entry) => entry !== "");
    if (entries.length > MAX_ENTRIES) {
      throw new RangeError(`Cannot read noProxy: there are more than ${MAX_ENTRIES} entries`);
    }
    const ranges: string[] = [];
    for (const entry of entries) this.#add(entry.toLowerCase(), ranges);
    this.#ranges = new IpRangeSet(ranges);
  }

  /**
   * Whether a host is reached without a proxy. Takes time linear in the length of
   * the name, or in the number of ranges.
   *
   * @param hostname Name or address, an IPv6 one with or without brackets.
   * @param port The port.
   * @returns Whether it is.
   */
  has(hostname: string, port: number): boolean {
    if (this.#matchesAll) return true;
    const host = withoutBrackets(hostname);
    const address = parseIpAddress(host);
    if (address !== undefined) {
      return this.#ranges.has(address) || this.#addresses.has(`${textOf(address)}:${port}`);
    }
    return this.#hasName(withoutDot(host.toLowerCase()), port);
  }

  #hasName(name: string, port: number): boolean {
    let rest = name;
    for (let isWhole = true;; isWhole = false) {
      for (const key of [rest, `${rest}:${port}`]) {
        if (this.#names.has(key) || (!isWhole && this.#parents.has(key))) return true;
      }
      const dot = rest.indexOf(".");
      if (dot < 0) return false;
      rest = rest.slice(dot + 1);
    }
  }

  #add(entry: string, ranges: string[]): void {
    if (entry === "*") {
      this.#matchesAll = true;
      return;
    }
    const range = rangeOf(entry);
    if (range !== undefined) {
      ranges.push(range);
      return;
    }
    const [, host = entry, digits] = WITH_PORT.exec(entry) ?? [];
    const suffix = digits === undefined ? "" : `:${Number(digits)}`;
    const address = parseIpAddress(withoutBrackets(host));
    if (address !== undefined) {
      this.#addresses.add(textOf(address) + suffix);
    } else if (host.startsWith("*.")) {
      this.#parents.add(withoutDot(host.slice(2)) + suffix);
    } else {
      const name = withoutDot(host.replace(/^\./, ""));
      if (name !== "") this.#names.add(name + suffix);
    }
  }
}

/** An address or a range without a port, as a set of ranges takes it. */
function rangeOf(entry: string): string | undefined {
  const slash = entry.indexOf("/");
  const address = parseIpAddress(withoutBrackets(slash < 0 ? entry : entry.slice(0, slash)));
  if (address === undefined) return undefined;
  if (slash < 0) return textOf(address);
  const digits = entry.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity;
  if (bits > address.bytes.length * 8) return undefined;
  return `${textOf({ ...address, bytes: masked(address.bytes, bits) })}/${bits}`;
}

/** Bits behind the prefix do not count, where the set would refuse them. */
function masked(bytes: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes, (byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    return byte & ~(0xff >> kept);
  });
}

/** The one text of an address; zones are this system's business. */
function textOf(address: IpAddress): string {
  return formatIpAddress({ ...address, zone: undefined });
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

function withoutDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
