// This module is sans-I/O.

import { formatIpAddress, formatIpv4, type IpAddress, parseIpAddress } from "../nbio/ip_address.ts";
import { consistsOf, TOKEN } from "./char_class.ts";
import type { HeaderList } from "./header_list.ts";
import { unmappedBytes } from "./ip_range.ts";

/** What a proxy tells about the request it got. */
export interface ForwardedHop {
  /** IP address of who sent it; `undefined` where it has none, as on a Unix socket. */
  readonly address: string | undefined;
  /** The `Host` it asked for; `undefined` without one. */
  readonly host: string | undefined;
  /** Scheme by which it came, `http` or `https`. */
  readonly scheme: string;
}

/** Which fields {@linkcode writeForwarded} writes. */
export interface ForwardedWriterOptions {
  /**
   * Whether the sender's own word about those before it is kept: only where it is
   * trusted. Everybody else's is dropped.
   *
   * @default {false}
   */
  readonly isTrusted?: boolean;
  /**
   * Whether `Forwarded` (RFC 7239) is written.
   *
   * @default {true}
   */
  readonly forwarded?: boolean;
  /**
   * Whether `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are
   * written.
   *
   * @default {false}
   */
  readonly xForwarded?: boolean;
}

const X_FORWARDED = "x-forwarded-";
const REAL_IP = "x-real-ip";

/**
 * One element of `Forwarded` (RFC 7239 section 4).
 *
 * @param hop What there is to tell.
 * @returns The element, to be put behind those of earlier proxies.
 *
 * @example A client with an IPv6 address
 * ```ts
 * import { formatForwarded } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const hop = { address: "2001:db8::1", host: "example.com:81", scheme: "https" };
 * assertEquals(
 *   formatForwarded(hop),
 *   'for="[2001:db8::1]";host="example.com:81";proto=https',
 * );
 * ```
 */
export function formatForwarded({ address, host, scheme }: ForwardedHop): string {
  const plain = plainAddress(address);
  // RFC 7239 section 6.2: who has no address is still counted.
  const node = plain === undefined ? "unknown" : plain.includes(":") ? `[${plain}]` : plain;
  const parts = [`for=${quoted(node)}`];
  if (host !== undefined && host !== "") parts.push(`host=${quoted(host)}`);
  parts.push(`proto=${scheme}`);
  return parts.join(";");
}

/**
 * Tells the next server who has asked, and drops what others say about it unless they
 * are trusted.
 *
 * @param headers Fields of the request that goes on; changed.
 * @param hop What there is to tell.
 * @param options Which fields, and whether those that came are kept.
 *
 * @example Lies of a client do not go on
 * ```ts
 * import { HeaderList, writeForwarded } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = new HeaderList([["X-Forwarded-For", "1.1.1.1"], ["Forwarded", "for=1.1.1.1"]]);
 * writeForwarded(headers, { address: "192.0.2.7", host: "a", scheme: "http" });
 * assertEquals([...headers], [["forwarded", "for=192.0.2.7;host=a;proto=http"]]);
 * ```
 */
export function writeForwarded(
  headers: HeaderList,
  hop: ForwardedHop,
  options: ForwardedWriterOptions = {},
): void {
  const { isTrusted = false, forwarded = true, xForwarded = false } = options;
  if (!isTrusted) dropForwarded(headers);
  if (forwarded) addToList(headers, "forwarded", formatForwarded(hop));
  if (!xForwarded) return;
  addToList(headers, "x-forwarded-for", plainAddress(hop.address) ?? "unknown");
  // One proxy in front of us has told of the client; our word would be about that proxy.
  if (!headers.has("x-forwarded-proto")) headers.append("x-forwarded-proto", hop.scheme);
  if (hop.host !== undefined && hop.host !== "" && !headers.has("x-forwarded-host")) {
    headers.append("x-forwarded-host", hop.host);
  }
}

/** On the one line: who reads only the first must not miss the last. */
function addToList(headers: HeaderList, name: string, item: string): void {
  const before = headers.get(name);
  headers.set(name, before === undefined || before === "" ? item : `${before}, ${item}`);
}

function dropForwarded(headers: HeaderList): void {
  const dropped: string[] = [];
  headers.forEach((name) => {
    const lower = name.toLowerCase();
    if (lower === "forwarded" || lower === REAL_IP || lower.startsWith(X_FORWARDED)) {
      dropped.push(name);
    }
  });
  for (const name of dropped) headers.delete(name);
}

/** The address in its one form: an IPv4 one never mapped, and no zone, which means nothing there. */
function plainAddress(text: string | undefined): string | undefined {
  const address: IpAddress | undefined = text === undefined ? undefined : parseIpAddress(text);
  if (address === undefined) return undefined;
  const bytes = unmappedBytes(address);
  return bytes.length === 4
    ? formatIpv4(bytes)
    : formatIpAddress({ family: 6, bytes, zone: undefined });
}

/** A value of a parameter: a token as it is, else a quoted string (RFC 7239 section 4). */
function quoted(text: string): string {
  return consistsOf(text, TOKEN) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
