// This module is sans-I/O.

import type { DnsServer, ServerMemory } from "./dns_server.ts";
import type { EdnsOption } from "./edns_option.ts";

/** What a {@linkcode QueryMachine} works with and how. */
export interface QueryMachineOptions {
  /** Whom to ask, in this order, 1 to 32. */
  readonly servers: readonly DnsServer[];
  /** What is known about them; shared by all questions of a resolver. */
  readonly memory: ServerMemory;
  /** Gives integers of 0 to 65,535 that nobody can guess: ids, cookies, the case of letters. */
  readonly randomUint16: () => number;
  /** Gives numbers of 0 to less than 1, to rotate the servers with. */
  readonly random: () => number;
  /**
   * How long to wait for the first server, in milliseconds, 1 to 2^31 - 1; for others the
   * arithmetic of resolv.conf holds, see {@linkcode planAttempts}.
   *
   * @default {5000}
   */
  readonly timeoutMs?: number;
  /**
   * How often each server is asked, 1 to 16.
   *
   * @default {2}
   */
  readonly attempts?: number;
  /**
   * Whether to begin at a random server rather than at the first.
   *
   * @default {false}
   */
  readonly rotate?: boolean;
  /**
   * Whether to ask over TCP from the start.
   *
   * @default {false}
   */
  readonly useTcp?: boolean;
  /**
   * The largest UDP payload to announce by EDNS, in bytes, 512 to 65,535; `false` for no EDNS.
   *
   * @default {1232}
   */
  readonly edns?: number | false;
  /**
   * Options of EDNS to send beside the cookie, at most 32.
   *
   * @default {[]}
   */
  readonly ednsOptions?: readonly EdnsOption[];
  /**
   * Whether to send cookies (RFC 7873); without EDNS there are none.
   *
   * @default {true}
   */
  readonly cookies?: boolean;
  /**
   * The address queries leave from: cookies are bound to it (RFC 7873 section 6).
   *
   * @default {""}
   */
  readonly clientAddress?: string;
  /**
   * Whether to write the name in random case and insist on it in answers.
   *
   * @default {false}
   */
  readonly use0x20?: boolean;
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
  /**
   * AD: whether to ask to be told if the server has validated (RFC 6840 section 5.7).
   *
   * @default {false}
   */
  readonly authenticData?: boolean;
  /**
   * RD: whether the server shall resolve. Without it a referral is an answer.
   *
   * @default {true}
   */
  readonly recursionDesired?: boolean;
  /**
   * Datagrams that do not match before a query goes over to TCP, where nobody can guess an answer:
   * 1 to `Infinity`.
   *
   * @default {1000}
   */
  readonly maxStrayCount?: number;
}

/** The options with all defaults in place. */
export type ResolvedQueryOptions = Required<QueryMachineOptions>;

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Checks the options and fills in what is missing. */
export function resolveQueryOptions(options: QueryMachineOptions): ResolvedQueryOptions {
  const resolved: ResolvedQueryOptions = { ...DEFAULTS, ...options };
  const { edns, maxStrayCount } = resolved;
  checkRange("number of servers", resolved.servers.length, 1, 32);
  for (const { port } of resolved.servers) checkRange("port", port, 0, 0xffff);
  checkRange("timeoutMs", resolved.timeoutMs, 1, MAX_TIMEOUT_MS);
  checkRange("attempts", resolved.attempts, 1, 16);
  checkRange("number of ednsOptions", resolved.ednsOptions.length, 0, 32);
  if (edns !== false) checkRange("edns", edns, 512, 0xffff);
  if (maxStrayCount !== Infinity) {
    checkRange("maxStrayCount", maxStrayCount, 1, Number.MAX_SAFE_INTEGER);
  }
  if (edns === false && resolved.dnssecOk) {
    throw new RangeError("Cannot use dnssecOk: without edns there is no place for it");
  }
  return resolved;
}

const DEFAULTS = {
  timeoutMs: 5_000,
  attempts: 2,
  rotate: false,
  useTcp: false,
  edns: 1_232,
  ednsOptions: [],
  cookies: true,
  clientAddress: "",
  use0x20: false,
  dnssecOk: false,
  checkingDisabled: false,
  authenticData: false,
  recursionDesired: true,
  maxStrayCount: 1_000,
} as const satisfies Partial<QueryMachineOptions>;

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from ${min} to ${max}`);
}
