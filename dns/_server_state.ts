// This module is sans-I/O.

import type { DnsServer } from "./dns_server.ts";

/** What became known about a server during this question. */
export interface ServerState {
  readonly server: DnsServer;
  /** What it answered will not change: it is not asked again. */
  isOut: boolean;
  /** It said that its answer does not fit a datagram. */
  overTcp: boolean;
  /** Why it is asked without EDNS: it refused, was silent, or may have choked on it. */
  plain: "refused" | "silent" | "failed" | undefined;
  /** It has had its new cookie back once. */
  hasNewCookie: boolean;
  /** TCP did not help against datagrams that do not match. */
  toleratesStrays: boolean;
  /** It has answered something. */
  hasSpoken: boolean;
}

/** The state of a server that was not asked yet. */
export function newServerState(server: DnsServer): ServerState {
  return {
    server,
    isOut: false,
    overTcp: false,
    plain: undefined,
    hasNewCookie: false,
    toleratesStrays: false,
    hasSpoken: false,
  };
}
