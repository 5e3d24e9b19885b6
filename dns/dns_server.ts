// This module is sans-I/O.

import { parseIpAddress } from "../nbio/ip_address.ts";

/** A server to ask. */
export interface DnsServer {
  /** Its IPv4 or IPv6 address, the latter maybe with a zone; a name of your own for an exchange. */
  readonly address: string;
  /** Its port, 53 by default everywhere. */
  readonly port: number;
}

/** How {@linkcode ServerMemory} forgets. */
export interface ServerMemoryOptions {
  /**
   * Servers to remember, those longest unused are forgotten: 1 to 65,536.
   *
   * @default {256}
   */
  readonly maxServerCount?: number;
  /**
   * How long a server that was silent stands behind the others, in milliseconds; the time doubles
   * with every further silence. 0 to 2^31 - 1.
   *
   * @default {10000}
   */
  readonly backoffMs?: number;
  /**
   * The most that becomes of it, in milliseconds.
   *
   * @default {300000}
   */
  readonly maxBackoffMs?: number;
  /**
   * How long it counts what a server makes of EDNS, in milliseconds. 0 to 2^31 - 1.
   *
   * @default {900000}
   */
  readonly ednsMemoryMs?: number;
  /**
   * How long a client cookie is in use, in milliseconds. 0 to 2^31 - 1.
   *
   * @default {86400000}
   */
  readonly cookieLifetimeMs?: number;
}

/** What a server makes of EDNS. */
export type EdnsAbility = "unknown" | "supported" | "unsupported";

/** A cookie to send (RFC 7873 section 4). */
export interface DnsCookie {
  /** The client's part, 8 bytes. */
  readonly client: Uint8Array;
  /** The server's part, 8 to 32 bytes; empty where it is not known yet. */
  readonly server: Uint8Array;
}

/** What is known about a server, see {@linkcode ServerMemory.inspect}. */
export interface ServerHealth {
  /** Silences in a row. */
  readonly failureCount: number;
  /** Until when it stands behind others, of the clock handed in; 0 where it does not. */
  readonly avoidUntilMs: number;
  /** What it makes of EDNS. */
  readonly edns: EdnsAbility;
  /** Whether it has given us a cookie. */
  readonly hasCookie: boolean;
}

interface Entry {
  failureCount: number;
  avoidUntilMs: number;
  edns: EdnsAbility;
  ednsUntilMs: number;
  /** By the client's address. */
  readonly cookies: Map<string, CookieEntry>;
}

interface CookieEntry extends DnsCookie {
  readonly untilMs: number;
}

const NO_BYTES = new Uint8Array(0);
/** Addresses of one host towards one server. */
const MAX_COOKIE_COUNT = 16;
const MAX_MS = 2 ** 31 - 1;

/**
 * What a resolver learns about its servers: which are silent, which do not understand EDNS, and
 * their cookies. It has no clock: every call says what time it is.
 *
 * @example A silent server is asked last, for a while
 * ```ts
 * import { ServerMemory } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const memory = new ServerMemory({ backoffMs: 10_000 });
 * const first = { address: "192.0.2.1", port: 53 };
 * const second = { address: "192.0.2.2", port: 53 };
 * memory.recordFailure(first, 0);
 * assertEquals(memory.order([first, second], 9_999), [second, first]);
 * assertEquals(memory.order([first, second], 10_000), [first, second]);
 * ```
 */
export class ServerMemory {
  readonly #maxServerCount: number;
  readonly #backoffMs: number;
  readonly #maxBackoffMs: number;
  readonly #ednsMemoryMs: number;
  readonly #cookieLifetimeMs: number;
  /** By address and port, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** The last of them. */
  #newest: Entry | undefined;
  /** A server and its key, see {@linkcode formatServer}. */
  #keyed: DnsServer | undefined;
  #key = "";

  /**
   * Makes an empty memory.
   *
   * @param options How to forget.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: ServerMemoryOptions = {}) {
    this.#maxServerCount = checkInteger("maxServerCount", options.maxServerCount ?? 256, 1, 65_536);
    this.#backoffMs = checkInteger("backoffMs", options.backoffMs ?? 10_000, 0, MAX_MS);
    this.#maxBackoffMs = checkInteger("maxBackoffMs", options.maxBackoffMs ?? 300_000, 0, MAX_MS);
    this.#ednsMemoryMs = checkInteger("ednsMemoryMs", options.ednsMemoryMs ?? 900_000, 0, MAX_MS);
    this.#cookieLifetimeMs = checkInteger(
      "cookieLifetimeMs",
      options.cookieLifetimeMs ?? 86_400_000,
      0,
      MAX_MS,
    );
  }

  /**
   * Puts servers that were silent behind the others; else their order stays.
   *
   * @param servers The servers.
   * @param nowMs What time it is.
   * @returns The same servers.
   */
  order(servers: readonly DnsServer[], nowMs: number): DnsServer[] {
    const avoided = (server: DnsServer) => (this.#find(server)?.avoidUntilMs ?? 0) > nowMs;
    if (!servers.some(avoided)) return [...servers];
    return [
      ...servers.filter((server) => !avoided(server)),
      ...servers.filter((server) => avoided(server)),
    ];
  }

  /**
   * Notes that a server was silent, or could not be reached.
   *
   * @param server The server.
   * @param nowMs What time it is.
   */
  recordFailure(server: DnsServer, nowMs: number): void {
    const entry = this.#enter(server);
    entry.failureCount++;
    // The exponent stays where doubling is exact.
    const backoffMs = this.#backoffMs * 2 ** Math.min(entry.failureCount - 1, 30);
    entry.avoidUntilMs = nowMs + Math.min(backoffMs, this.#maxBackoffMs);
    // Something on the way may drop EDNS that did not before.
    if (entry.failureCount > 1 && entry.edns === "supported") entry.edns = "unknown";
  }

  /**
   * Notes that a server has answered, whatever it said.
   *
   * @param server The server.
   */
  recordSuccess(server: DnsServer): void {
    const entry = this.#find(server);
    if (entry === undefined) return;
    entry.failureCount = 0;
    entry.avoidUntilMs = 0;
  }

  /**
   * Tells what a server makes of EDNS.
   *
   * @param server The server.
   * @param nowMs What time it is.
   * @returns Its ability, unless that was learned too long ago.
   */
  ednsAbility(server: DnsServer, nowMs: number): EdnsAbility {
    const entry = this.#find(server);
    return entry !== undefined && nowMs < entry.ednsUntilMs ? entry.edns : "unknown";
  }

  /**
   * Notes what a server makes of EDNS.
   *
   * @param server The server.
   * @param ability What was learned.
   * @param nowMs What time it is.
   */
  recordEdns(server: DnsServer, ability: EdnsAbility, nowMs: number): void {
    const entry = this.#enter(server);
    entry.edns = ability;
    entry.ednsUntilMs = nowMs + this.#ednsMemoryMs;
  }

  /**
   * Gives the cookie to send to a server, a new one where there is none or it is too old.
   *
   * @param server The server.
   * @param clientAddress The address the query leaves from.
   * @param randomUint16 Gives integers of 0 to 65,535 that nobody can guess.
   * @param nowMs What time it is.
   * @returns The cookie.
   */
  cookieFor(
    server: DnsServer,
    clientAddress: string,
    randomUint16: () => number,
    nowMs: number,
  ): DnsCookie {
    const { cookies } = this.#enter(server);
    const known = cookies.get(clientAddress);
    if (known !== undefined && nowMs < known.untilMs) return known;
    const client = new Uint8Array(8);
    for (let index = 0; index < 8; index += 2) {
      const word = randomUint16();
      client[index] = word >>> 8;
      client[index + 1] = word;
    }
    cookies.delete(clientAddress);
    if (cookies.size >= MAX_COOKIE_COUNT) cookies.delete(cookies.keys().next().value!);
    const cookie = { client, server: NO_BYTES, untilMs: nowMs + this.#cookieLifetimeMs };
    cookies.set(clientAddress, cookie);
    return cookie;
  }

  /**
   * Keeps the server's part of a cookie that has come back.
   *
   * @param server The server.
   * @param clientAddress The address the query left from.
   * @param cookie Both parts; one that belongs to another client cookie is not kept. Its bytes are
   * copied.
   */
  recordCookie(server: DnsServer, clientAddress: string, cookie: DnsCookie): void {
    const cookies = this.#find(server)?.cookies;
    const known = cookies?.get(clientAddress);
    if (known === undefined || !equalBytes(known.client, cookie.client)) return;
    if (equalBytes(known.server, cookie.server)) return;
    // Another object: queries under way keep what they were sent with.
    cookies!.set(clientAddress, { ...known, server: cookie.server.slice() });
  }

  /**
   * Tells what is known about a server.
   *
   * @param server The server.
   * @param nowMs What time it is.
   * @returns Its health.
   */
  inspect(server: DnsServer, nowMs: number): ServerHealth {
    const entry = this.#find(server);
    const avoidUntilMs = entry?.avoidUntilMs ?? 0;
    return {
      failureCount: entry?.failureCount ?? 0,
      avoidUntilMs: avoidUntilMs > nowMs ? avoidUntilMs : 0,
      edns: this.ednsAbility(server, nowMs),
      hasCookie: [...entry?.cookies.values() ?? []].some((cookie) => cookie.server.length > 0),
    };
  }

  /** Forgets everything, as after a change of the network. */
  clear(): void {
    this.#entries.clear();
    this.#newest = undefined;
  }

  #find(server: DnsServer): Entry | undefined {
    return this.#entries.get(this.#keyOf(server));
  }

  /** One server is asked for several times in a row, as a rule. */
  #keyOf(server: DnsServer): string {
    if (server === this.#keyed) return this.#key;
    this.#keyed = server;
    return this.#key = formatServer(server);
  }

  /** The entry of a server, made where there is none, and the last to be forgotten. */
  #enter(server: DnsServer): Entry {
    const key = this.#keyOf(server);
    const known = this.#entries.get(key);
    // Moving it to where it stands already would cost as much as all the rest.
    if (known !== undefined && known === this.#newest) return known;
    const entry: Entry = known ??
      { failureCount: 0, avoidUntilMs: 0, edns: "unknown", ednsUntilMs: 0, cookies: new Map() };
    this.#entries.delete(key);
    if (this.#entries.size >= this.#maxServerCount) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    this.#entries.set(key, entry);
    this.#newest = entry;
    return entry;
  }
}

/**
 * Writes a server as `dig` does: address, `#`, port.
 *
 * @param server The server.
 * @returns The text; two servers are the same exactly if theirs are.
 *
 * @example An IPv6 address needs no brackets
 * ```ts
 * import { formatServer } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatServer({ address: "::1", port: 53 }), "::1#53");
 * ```
 */
export function formatServer(server: DnsServer): string {
  return `${server.address}#${server.port}`;
}

/**
 * Tells whether a datagram comes from a server: the same address, in whatever form, and port.
 *
 * @param from Where it comes from.
 * @param server The server that was asked. The unspecified address stands for the loopback one.
 * @returns Whether it does.
 *
 * @example Another port is another sender
 * ```ts
 * import { isFromServer } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const server = { address: "2001:DB8:0::1", port: 53 };
 * assertEquals(isFromServer({ address: "2001:db8::1", port: 53 }, server), true);
 * assertEquals(isFromServer({ address: "2001:db8::1", port: 54 }, server), false);
 * ```
 */
export function isFromServer(from: DnsServer, server: DnsServer): boolean {
  if (from.port !== server.port) return false;
  if (from.address === server.address) return true;
  const sender = parseIpAddress(from.address);
  const asked = parseIpAddress(server.address);
  if (sender === undefined || asked === undefined) return false;
  const senderBytes = comparableBytes(sender.bytes);
  let askedBytes = comparableBytes(asked.bytes);
  // What is sent to the unspecified address arrives at this host, and comes back from loopback.
  if (askedBytes.every((byte) => byte === 0)) {
    askedBytes = askedBytes.length === 4 ? LOOPBACK_IPV4 : LOOPBACK_IPV6;
  }
  return equalBytes(senderBytes, askedBytes) && mayBeSameZone(sender.zone, asked.zone);
}

const LOOPBACK_IPV4 = new Uint8Array([127, 0, 0, 1]);
const LOOPBACK_IPV6 = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/** An IPv4 address that an IPv6 socket writes as `::ffff:192.0.2.1` becomes one of IPv4. */
function comparableBytes(bytes: Uint8Array): Uint8Array {
  const isMapped = bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((byte) => byte === 0);
  return isMapped ? bytes.subarray(12) : bytes;
}

/** A zone may be a name on one side and a number on the other, or missing. */
function mayBeSameZone(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  return /^\d+$/.test(a) !== /^\d+$/.test(b);
}

/** Whether two arrays have the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}

function checkInteger(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from ${min} to ${max}`);
}
