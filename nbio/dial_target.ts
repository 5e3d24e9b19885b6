/**
 * {@linkcode parseDialTarget}: what the caller of `dial` wants to reach.
 *
 * @module
 */

import { formatIpAddress, parseIpAddress } from "./ip_address.ts";

/** Where to connect, as the caller says it. */
export interface DialAddressOptions {
  /**
   * Name or address. An IPv6 address may stand in brackets, as in a URL, and
   * have a zone (`fe80::1%eth0`). A name is in ASCII, as `URL.hostname` gives
   * it, unless the resolver takes another form.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;

  /**
   * TCP port, 1 to 65,535. Needed unless `path` is given.
   *
   * @default {undefined}
   */
  readonly port?: number;

  /**
   * Path of a Unix socket to connect to instead of TCP.
   *
   * @default {undefined}
   */
  readonly path?: string;
}

/** Where to connect, looked through. `text` names the address, or what it is asked by. */
export type DialTarget =
  | { readonly type: "address"; readonly text: string; readonly family: 4 | 6 }
  | { readonly type: "name"; readonly text: string }
  | { readonly type: "path"; readonly text: string };

/** What no host name has: white space, controls, and what separates parts of a URL. */
// deno-lint-ignore no-control-regex
const NOT_IN_NAMES = /[\x00-\x20\x7f:/\\?#@%[\]]/;

/** Longest name of DNS as text (RFC 1035 section 2.3.4), with the last dot. */
const MAX_NAME_CHARS = 254;

/** A last label that older parsers take for a part of an IPv4 address. */
const ENDS_IN_NUMBER = /(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)\.?$/;

/**
 * Finds out what kind of target it is.
 *
 * @param options Where to connect.
 * @returns The target; an address in its one form.
 * @throws {TypeError} If options exclude each other or are missing, or
 * `hostname` is neither a name nor an address.
 * @throws {RangeError} If `port` is not 1 to 65,535.
 */
export function parseDialTarget(options: DialAddressOptions): DialTarget {
  const { hostname = "127.0.0.1", port, path } = options;
  if (path !== undefined) {
    if (port !== undefined || options.hostname !== undefined) {
      throw new TypeError("Cannot dial: give one of path and port with hostname");
    }
    if (path === "" || path.includes("\0")) {
      throw new TypeError("Cannot dial: path is empty or has a NUL in it");
    }
    return { type: "path", text: path };
  }
  if (port === undefined) throw new TypeError("Cannot dial: neither port nor path is given");
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(`Cannot dial: port is ${port}, expected an integer from 1 to 65535`);
  }
  return parseHost(hostname);
}

function parseHost(hostname: string): DialTarget {
  const bracketed = /^\[(.*)\]$/.exec(hostname)?.[1];
  const address = parseIpAddress(bracketed ?? hostname);
  if (address?.family === 6 || (address && bracketed === undefined)) {
    return { type: "address", text: formatIpAddress(address), family: address.family };
  }
  const isName = hostname !== "" && hostname.length <= MAX_NAME_CHARS &&
    !NOT_IN_NAMES.test(hostname) &&
    // "127.1" is an address to some systems and a name to most filters.
    !ENDS_IN_NUMBER.test(hostname);
  if (isName) return { type: "name", text: hostname };
  const quoted = JSON.stringify(hostname.slice(0, 32));
  throw new TypeError(`Cannot dial: hostname is ${quoted}, expected a name or an IP address`);
}
