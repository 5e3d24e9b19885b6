import { orderAddresses } from "../nbio/address_order.ts";
import { ConnectError } from "../nbio/connect_error.ts";
import type { HostResolver } from "../nbio/host_resolver.ts";
import { parseIpAddress } from "../nbio/ip_address.ts";
import type { OperationOptions } from "../nbio/operation.ts";
import { systemResolver } from "../nbio/system_resolver.ts";
import type { Transport } from "../nbio/transport.ts";
import { withTimeout } from "../nbio/with_timeout.ts";
import type { ProxyRules, ProxyServer } from "./client_proxy.ts";
import { connectThroughHttpProxy } from "./http_proxy_dial.ts";
import type { Socks5Target } from "./socks5.ts";
import { connectThroughSocks5 } from "./socks5_dial.ts";

/** A proxy that was chosen, and the rules that chose it. */
export interface ProxyRoute {
  /** The rules. */
  readonly rules: ProxyRules;
  /** The proxy. */
  readonly server: ProxyServer;
}

/** The proxy of a connection, and what requests have to do for it. */
export interface DialedProxy {
  /** The proxy as `scheme://host:port`, without credentials. */
  readonly url: string;
  /**
   * Whether requests go to the proxy itself: in absolute-form (RFC 9112 section
   * 3.2.2). If not there is a tunnel, and nothing of the proxy in any request.
   */
  readonly absoluteForm: boolean;
  /**
   * Value of `Proxy-Authorization`, for requests in absolute-form only; `undefined`
   * without credentials. It does not show where the object is printed.
   */
  readonly authorization: string | undefined;
}

/** Options of {@linkcode lookUpForProxy}. */
export interface ProxyLookupOptions {
  /** Where names are looked up. */
  readonly resolver?: HostResolver;
  /** Most milliseconds; 0 and `Infinity` mean no limit. */
  readonly resolveTimeoutMs?: number;
  /** Gives it up. */
  readonly signal?: AbortSignal;
  /** Where the deadline waits. */
  readonly wheel?: NonNullable<OperationOptions["wheel"]>;
}

/** Keeps the credentials out of what is printed. */
class HiddenProxy implements DialedProxy {
  readonly url: string;
  readonly absoluteForm: boolean;
  readonly #server: ProxyServer;

  constructor(server: ProxyServer, absoluteForm: boolean) {
    this.url = String(server);
    this.absoluteForm = absoluteForm;
    this.#server = server;
  }

  get authorization(): string | undefined {
    return this.absoluteForm ? this.#server.authorization : undefined;
  }
}

/**
 * Makes of a connection to a proxy one to a target, unless the proxy is to be asked
 * in absolute-form.
 *
 * @param transport The connection, on which nothing was said yet but for TLS. It is
 * closed if this fails.
 * @param route The proxy.
 * @param target Where the proxy is to connect to.
 * @param options Deadline, signal, and whether the target speaks HTTP in the clear.
 * @returns What requests have to do.
 * @throws {ProxyError} If the proxy makes no connection.
 * @throws {TimeoutError} If the deadline passes, in the phase `"proxy"`.
 * @throws {Error} The reason of the signal.
 */
export async function connectThroughProxy(
  transport: Transport,
  { server, rules }: ProxyRoute,
  target: Socks5Target,
  options: OperationOptions & { readonly isPlainHttp: boolean },
): Promise<DialedProxy> {
  const { isPlainHttp, ...bounds } = options;
  const proxy = String(server);
  if (server.scheme === "socks5" || server.scheme === "socks5h") {
    await connectThroughSocks5(transport, target, {
      ...bounds,
      proxy,
      credentials: server.credentials,
    });
    return new HiddenProxy(server, false);
  }
  const absoluteForm = isPlainHttp && !rules.tunnel;
  if (!absoluteForm) {
    const { authorization } = server;
    const { headers } = rules;
    await connectThroughHttpProxy(transport, target, { ...bounds, proxy, authorization, headers });
  }
  return new HiddenProxy(server, absoluteForm);
}

/**
 * Looks up the target of a proxy that is not to do it itself.
 *
 * @param hostname The name, or an address.
 * @param options Resolver, deadline and signal.
 * @returns One address, of IPv4 if there is one: only one can be asked for, and
 * nearly every proxy can reach those.
 * @throws {ConnectError} `ERR_NET_RESOLVE` if there is none.
 * @throws {TimeoutError} If the deadline passes, in the phase `"resolve"`.
 * @throws {Error} The reason of the signal.
 */
export async function lookUpForProxy(
  hostname: string,
  options: ProxyLookupOptions,
): Promise<string> {
  if (isAddress(hostname)) return hostname;
  const { resolver = systemResolver, resolveTimeoutMs: timeoutMs = 10_000, signal } = options;
  const { wheel } = options;
  const found = await withTimeout(
    async (signal) => {
      try {
        return await resolver.lookup(hostname, { signal });
      } catch (cause) {
        throw noAddress(hostname, cause);
      }
    },
    {
      phase: "resolve",
      timeoutMs,
      ...signal !== undefined && { signal },
      ...wheel !== undefined && { wheel },
    },
  );
  // What is no address would be looked up by the proxy, which is not to know it.
  const addresses = orderAddresses(found.filter(isAddress));
  const address = addresses.find((text) => !text.includes(":")) ?? addresses[0];
  if (address === undefined) throw noAddress(hostname);
  return address;
}

function isAddress(hostname: string): boolean {
  return parseIpAddress(hostname.replace(/^\[(.*)\]$/, "$1")) !== undefined;
}

function noAddress(hostname: string, cause?: unknown): ConnectError {
  return new ConnectError(`Cannot look up ${hostname}: no address was found`, {
    code: "ERR_NET_RESOLVE",
    attempts: [],
    ...cause !== undefined && { cause },
  });
}
