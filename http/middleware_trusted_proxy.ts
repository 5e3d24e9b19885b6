import { formatIpAddress, type IpAddress, parseIpAddress } from "../nbio/ip_address.ts";
import { HttpError } from "./errors.ts";
import {
  type ForwardedElement,
  type ForwardedNode,
  parseForwarded,
  parseForwardedFor,
  parseForwardedHost,
  parseForwardedList,
  parseForwardedProto,
} from "./forwarded.ts";
import type { HeaderList } from "./header_list.ts";
import { unmappedBytes } from "./ip_range.ts";
import type { Middleware } from "./middleware.ts";
import { proxyHeader } from "./proxy_listener.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";
import { TrustedAddresses } from "./trusted_addresses.ts";

/** A header field by which a proxy tells about the client. */
export type ForwardedField =
  | "forwarded"
  | "x-forwarded-for"
  | "x-forwarded-proto"
  | "x-forwarded-host";

/** Options of {@linkcode trustedProxy}. */
export interface TrustedProxyOptions {
  /**
   * The fields that the proxies set or add to, every one of them: what they do
   * not touch comes from the client as it is, and would be believed. Either
   * `forwarded` alone or some of the others.
   *
   * @default {["x-forwarded-for", "x-forwarded-proto"]}
   */
  readonly fields?: readonly ForwardedField[];
  /**
   * Proxies that a request may have come through, 1 to 64. More: 400.
   *
   * @default {16}
   */
  readonly maxHopCount?: number;
}

/** Who sent a request, as far as trusted proxies tell. */
export interface ClientInfo {
  /**
   * IP address in its one form (RFC 5952), an IPv4 one never mapped; `undefined`
   * where a proxy hides it, and for a Unix socket.
   */
  readonly address: string | undefined;
  /** Port, where it is told. */
  readonly port: number | undefined;
  /** Scheme by which the client came, mostly `http` or `https`. */
  readonly scheme: string;
  /** Host and port that the client asked for; `undefined` without a Host. */
  readonly host: string | undefined;
}

/** Who sent a request; set by {@linkcode trustedProxy}. */
export const CLIENT: StateKey<ClientInfo> = new StateKey("client");

const FIELDS: ReadonlySet<string> = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
]);
const MOST_HOPS = 64;

interface Rules {
  readonly trusted: TrustedAddresses;
  readonly fields: ReadonlySet<ForwardedField>;
  readonly maxHopCount: number;
}

/** What is told about the sender of a request, or of one that led to it. */
interface Hop {
  readonly node: ForwardedNode | undefined;
  readonly scheme: string | undefined;
  readonly host: string | undefined;
}

/**
 * Finds out who the client is behind proxies: {@linkcode clientAddr},
 * {@linkcode clientScheme} and {@linkcode clientHost} tell, for everything
 * further in.
 *
 * Header fields are believed only from the addresses given. They are read from
 * the right, where the nearest proxy has added to them, and as long as the sender
 * named there is trusted itself; so what a client puts into them is never
 * reached. A trusted proxy that passes on what is malformed there is answered
 * with 400: guessing would make somebody else out of the client.
 *
 * @param trusted The proxies: addresses, CIDR ranges, and `"unix"` for whoever
 * connects to a Unix socket. Clients must not be among them.
 * @param options Which fields are believed.
 * @returns The middleware.
 * @throws {RangeError} If an option or a range is none.
 *
 * @example Behind one proxy
 * ```ts
 * import { clientAddr, clientScheme, compose, serve, trustedProxy } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose([trustedProxy(["127.0.0.1", "10.0.0.0/8"])], (ctx) => {
 *   ctx.text(`${clientScheme(ctx)} from ${clientAddr(ctx)}`);
 * });
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`, {
 *   headers: { "x-forwarded-for": "1.1.1.1, 192.0.2.7, 10.0.0.2", "x-forwarded-proto": "https" },
 * });
 * assertEquals(await response.text(), "https from 192.0.2.7");
 * ```
 */
export function trustedProxy(
  trusted: Iterable<string>,
  options: TrustedProxyOptions = {},
): Middleware {
  const { fields = ["x-forwarded-for", "x-forwarded-proto"], maxHopCount = 16 } = options;
  const rules: Rules = {
    trusted: new TrustedAddresses(trusted),
    fields: checkFields(fields),
    maxHopCount: checkHopCount(maxHopCount),
  };
  return (ctx, next) => {
    ctx.state.set(CLIENT, findClient(ctx, rules));
    return next();
  };
}

/**
 * The IP address of the client: what {@linkcode trustedProxy} has found, else
 * that of the connection.
 *
 * @param ctx The request.
 * @returns The address in its one form; `undefined` where a proxy hides it, and
 * for a Unix socket.
 *
 * @example Without a proxy
 * ```ts
 * import { clientAddr, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(`${clientAddr(ctx)}`), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "127.0.0.1");
 * ```
 */
export function clientAddr(ctx: Context): string | undefined {
  const client = ctx.state.get(CLIENT);
  return client === undefined ? peerOf(ctx).address : client.address;
}

/**
 * The scheme by which the client came: what {@linkcode trustedProxy} or a PROXY
 * header tells, else that of the connection.
 *
 * @param ctx The request.
 * @returns The scheme in lower case.
 *
 * @example Without a proxy
 * ```ts
 * import { clientScheme, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(clientScheme(ctx)), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "http");
 * ```
 */
export function clientScheme(ctx: Context): string {
  return ctx.state.get(CLIENT)?.scheme ?? schemeOf(ctx);
}

/**
 * Host and port that the client asked for: what {@linkcode trustedProxy} has
 * found, else the field `Host`.
 *
 * @param ctx The request.
 * @returns The authority; `undefined` without one, as HTTP/1.0 allows.
 *
 * @example Without a proxy
 * ```ts
 * import { clientHost, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((ctx) => ctx.text(`${clientHost(ctx)}`), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), `127.0.0.1:${port}`);
 * ```
 */
export function clientHost(ctx: Context): string | undefined {
  const client = ctx.state.get(CLIENT);
  return client === undefined ? hostOf(ctx) : client.host;
}

function findClient(ctx: Context, rules: Rules): ClientInfo {
  const own: ClientInfo = { ...peerOf(ctx), scheme: schemeOf(ctx), host: hostOf(ctx) };
  if (!rules.trusted.has(ctx.remoteAddr)) return own;
  const hop = rules.fields.has("forwarded")
    ? findInForwarded(ctx.headers, rules)
    : findInLists(ctx.headers, rules);
  if (hop === undefined) return own;
  const { node, scheme = own.scheme, host = own.host } = hop;
  if (node === undefined) return { ...own, scheme, host };
  const address = node.address === undefined ? undefined : formatAddress(node.address);
  return { address, port: node.port, scheme, host };
}

/**
 * Walks from the nearest sender to the first one that is not trusted: what its
 * receiver says of it is the last that counts.
 */
function findInForwarded(headers: HeaderList, rules: Rules): Hop | undefined {
  let hop: Hop | undefined;
  let hopCount = 0;
  for (const line of headers.getAll("forwarded").reverse()) {
    const elements = parseForwarded(line, { maxElementCount: MOST_HOPS + 1 });
    if (elements === undefined) throw malformed("Forwarded");
    for (const element of elements.reverse()) {
      if (++hopCount > rules.maxHopCount) throw tooManyHops();
      hop = toHop(element);
      if (!isTrusted(hop.node, rules)) return hop;
    }
  }
  return hop;
}

function toHop(element: ForwardedElement): Hop {
  // Who does not say where it came from, hides it (RFC 7239 section 6.2).
  const node = element.for ?? { address: undefined, port: undefined, name: "unknown" };
  return { node, scheme: element.proto, host: element.host };
}

function findInLists(headers: HeaderList, rules: Rules): Hop | undefined {
  const { fields } = rules;
  let node: ForwardedNode | undefined;
  let hopCount = 0;
  if (fields.has("x-forwarded-for")) {
    for (const next of nodesFromRight(headers)) {
      if (next === undefined) throw malformed("X-Forwarded-For");
      if (++hopCount > rules.maxHopCount) throw tooManyHops();
      node = next;
      if (!isTrusted(node, rules)) break;
    }
  }
  const told = (name: ForwardedField, parse: (text: string) => string | undefined) =>
    fields.has(name) ? pickFromRight(headers, name, Math.max(1, hopCount), parse) : undefined;
  const scheme = told("x-forwarded-proto", parseForwardedProto);
  return { node, scheme, host: told("x-forwarded-host", parseForwardedHost) };
}

function* nodesFromRight(headers: HeaderList): Generator<ForwardedNode | undefined> {
  for (const line of headers.getAll("x-forwarded-for").reverse()) {
    yield* parseForwardedFor(line, { maxElementCount: MOST_HOPS + 1 }).reverse();
  }
}

/**
 * What the receiver of the client's request said: as many elements from the right
 * as there were hops. Where fewer are there, not every proxy adds one: the first.
 */
function pickFromRight(
  headers: HeaderList,
  name: ForwardedField,
  hopCount: number,
  parse: (text: string) => string | undefined,
): string | undefined {
  const elements = headers.getAll(name).flatMap((line) =>
    parseForwardedList(line, { maxElementCount: MOST_HOPS })
  );
  if (elements.length === 0) return undefined;
  const value = parse(elements[Math.max(0, elements.length - hopCount)]!);
  if (value === undefined) throw malformed(name);
  return value;
}

function isTrusted(node: ForwardedNode | undefined, rules: Rules): boolean {
  return node?.address !== undefined && rules.trusted.hasAddress(node.address);
}

function peerOf(ctx: Context): Pick<ClientInfo, "address" | "port"> {
  const addr = ctx.remoteAddr;
  if (!("hostname" in addr)) return { address: undefined, port: undefined };
  const parsed = parseIpAddress(addr.hostname);
  return { address: parsed && formatAddress(parsed), port: addr.port };
}

function schemeOf(ctx: Context): string {
  return ctx.tlsInfo !== undefined || proxyHeader(ctx)?.isTls ? "https" : "http";
}

function hostOf(ctx: Context): string | undefined {
  return ctx.headers.get("host");
}

function formatAddress(address: IpAddress): string {
  const bytes = unmappedBytes(address);
  return bytes.length === 4
    ? formatIpAddress({ family: 4, bytes, zone: undefined })
    : formatIpAddress(address);
}

function checkFields(fields: readonly ForwardedField[]): ReadonlySet<ForwardedField> {
  const set = new Set(fields);
  const unknown = fields.find((field) => !FIELDS.has(field));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot trust field ${JSON.stringify(unknown)}: it is not known`);
  }
  // A proxy that sets the one and passes on the other would give the client a voice.
  if (set.has("forwarded") && set.size > 1) {
    throw new RangeError("Cannot trust Forwarded and X-Forwarded fields at a time");
  }
  return set;
}

function checkHopCount(maxHopCount: number): number {
  if (Number.isInteger(maxHopCount) && maxHopCount >= 1 && maxHopCount <= MOST_HOPS) {
    return maxHopCount;
  }
  throw new RangeError(
    `Cannot use option maxHopCount: ${maxHopCount} is not an integer from 1 to ${MOST_HOPS}`,
  );
}

function malformed(field: string): HttpError {
  return new HttpError(400, `Cannot tell who the client is: ${field} is malformed`);
}

function tooManyHops(): HttpError {
  return new HttpError(400, "Cannot tell who the client is: too many proxies");
}
