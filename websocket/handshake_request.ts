// This module is sans-I/O.

import type { HeaderList } from "../http/header_list.ts";

/** The head of a request that may be a handshake. */
export interface WebSocketRequest {
  /** Method as sent. */
  readonly method: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** Header fields in order. */
  readonly headers: HeaderList;
  /**
   * Whether it came over TLS, as far as is known: then a page that did not is of another origin.
   *
   * @default {false}
   */
  readonly isSecure?: boolean;
}

/**
 * Gives the SHA-1 digest of some bytes, which are 20: the one thing a handshake needs that is not
 * at hand everywhere (RFC 6455 section 4.2.2).
 */
export type Sha1 = (bytes: Uint8Array) => Uint8Array;
