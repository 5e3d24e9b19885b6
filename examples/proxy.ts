/**
 * A proxy, forward or reverse.
 *
 * ```sh
 * deno run --allow-net examples/proxy.ts --allow=example.com --allow=.example.org
 * curl --proxy http://127.0.0.1:8080 https://example.com/
 *
 * deno run --allow-net examples/proxy.ts --to=http://127.0.0.1:3000 --to=http://127.0.0.1:3001
 * curl http://127.0.0.1:8080/
 * ```
 *
 * **Forward**, for clients that are told of it: `https` goes through it by CONNECT, unread, and
 * `http` by requests in absolute-form. Addresses of private networks and of this machine are
 * refused, after the name was looked up, so that nobody reaches by the proxy what he cannot reach
 * without; the proxy itself is refused in any case. Options: `--allow` (a host, or with a dot in
 * front a domain with all its hosts; may be repeated; without it every public one), `--allow-private`,
 * `--connect-port` (ports for CONNECT; may be repeated; default 443), `--max-tunnels` (default
 * 1000; more are answered 503), `--max-origins` (servers of which connections are kept; default
 * 256).
 *
 * **Reverse**, with `--to` (an upstream; may be repeated): requests go on to servers behind it.
 * Options: `--balance` (`round-robin`, `least-connections` or `hash`), `--health` (a path that tells
 * whether an upstream is well), `--keep-host`, `--x-forwarded`, `--trust` (an address or range whose
 * `Forwarded` is passed on; may be repeated).
 *
 * Both: `--hostname` (default 127.0.0.1), `--port` (default 8080, 0 for any), `--idle-ms` (default
 * 300000: a tunnel through which nothing goes for so long is closed), `--quiet`. WebSockets go
 * through either way. Ctrl-C lets requests under way finish for ten seconds.
 */

import { parseArgs } from "node:util";
import {
  compose,
  type Context,
  type Handler,
  HttpError,
  IpRangeSet,
  logger,
  reverseProxy,
  type ReverseProxyHandler,
  serve,
  tunnelBytes,
} from "@nbio/net/http";
import {
  closeQuietly,
  ConnectError,
  dial,
  type HostResolver,
  parseIpAddress,
  shutdownSignal,
  systemResolver,
  type Transport,
} from "@nbio/net/nbio";

/** Networks that are not everybody's (RFC 6890), and those that IPv4 addresses hide in. */
const PRIVATE = new IpRangeSet([
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"],
  ...["::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8"],
]);

/** Addresses of this machine, wherever it is. */
const OWN = new IpRangeSet(["0.0.0.0/8", "127.0.0.0/8", "::/127"]);

/** Options of {@linkcode ForwardProxy}. */
export interface ForwardProxyOptions {
  /**
   * Hosts, and domains with a dot in front; none for every one.
   *
   * @default {[]}
   */
  readonly allow?: readonly string[];
  /**
   * Whether addresses of private networks and of this machine may be asked.
   *
   * @default {false}
   */
  readonly allowPrivate?: boolean;
  /**
   * Ports to which a CONNECT may lead.
   *
   * @default {[443]}
   */
  readonly connectPorts?: readonly number[];
  /**
   * Tunnels at a time, at least 1.
   *
   * @default {1_000}
   */
  readonly maxTunnels?: number;
  /**
   * Servers of which connections are kept, at least 1.
   *
   * @default {256}
   */
  readonly maxOrigins?: number;
  /**
   * Milliseconds in which nothing goes through a tunnel, before it is closed.
   *
   * @default {300_000}
   */
  readonly idleTimeoutMs?: number;
}

/** A forward proxy: `handler` for requests in absolute-form, `onConnect` for tunnels. */
export class ForwardProxy implements AsyncDisposable {
  readonly #options: Required<ForwardProxyOptions>;
  readonly #origins = new Map<string, ReverseProxyHandler>();
  /** One name for all of them, so that a request that comes back is known. */
  readonly #name = `nbio-${crypto.randomUUID()}`;
  #tunnelCount = 0;

  /** @param options Who may be asked, and how much. */
  constructor(options: ForwardProxyOptions = {}) {
    this.#options = {
      allow: [],
      allowPrivate: false,
      connectPorts: [443],
      maxTunnels: 1_000,
      maxOrigins: 256,
      idleTimeoutMs: 300_000,
      ...options,
    };
  }

  /** Answers a request in absolute-form. */
  readonly handler: Handler = async (ctx) => {
    // What is asked in origin-form is meant for a server, and here is none.
    if (!/^https?:\/\//i.test(ctx.url)) throw new HttpError(400, "Ask in absolute-form");
    const url = URL.parse(ctx.url);
    if (url === null) throw new HttpError(400, "This is no URL");
    if (url.protocol !== "http:") throw new HttpError(400, "Ask for https by CONNECT");
    this.#check(url.hostname, Number(url.port || 80), ctx);
    try {
      await this.#originOf(url, ctx)(ctx);
    } catch (error) {
      throw refusalIn(error) ?? error;
    }
  };

  /** Answers a CONNECT. */
  readonly onConnect: Handler = async (ctx) => {
    const { hostname, port } = parseAuthority(ctx.url);
    const { connectPorts, maxTunnels, idleTimeoutMs } = this.#options;
    if (!connectPorts.includes(port)) throw new HttpError(403, `Port ${port} is not allowed`);
    this.#check(hostname, port, ctx);
    if (this.#tunnelCount >= maxTunnels) {
      throw new HttpError(503, "Too many tunnels", { headers: [["retry-after", "1"]] });
    }
    this.#tunnelCount++;
    try {
      const transport = await this.#dial(hostname, port, ctx);
      try {
        const client = await ctx.tunnel([["via", `1.1 ${this.#name}`]]);
        await tunnelBytes(client, { transport }, { idleTimeoutMs });
      } finally {
        closeQuietly(transport);
      }
    } finally {
      this.#tunnelCount--;
    }
  };

  /** Closes the connections that are kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#origins.values()].map((proxy) => proxy.close()));
  }

  async #dial(hostname: string, port: number, ctx: Context): Promise<Transport> {
    const { signal } = ctx;
    const resolver = this.#resolverFor(port, ownAddress(ctx));
    try {
      return await dial({ hostname, port, resolver, signal, connectTimeoutMs: 10_000 });
    } catch (error) {
      if (signal.aborted) throw error;
      throw refusalIn(error) ?? new HttpError(502, "Server could not be reached", { cause: error });
    }
  }

  #check(host: string, port: number, ctx: Context): void {
    const { allow, allowPrivate } = this.#options;
    const hostname = host.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
    const isAllowed = allow.length === 0 ||
      allow.some((rule) =>
        rule.startsWith(".")
          ? hostname === rule.slice(1).toLowerCase() || hostname.endsWith(rule.toLowerCase())
          : hostname === rule.toLowerCase()
      );
    if (!isAllowed) throw new HttpError(403, "This host is not allowed");
    const isAddress = parseIpAddress(hostname) !== undefined;
    if (isAddress && !allowPrivate) refusePrivate(hostname);
    if (isAddress) refuseOwn(hostname, port, ownAddress(ctx));
  }

  /** Refuses by address and not by name: a name may lead anywhere, and elsewhere a moment later. */
  #resolverFor(port: number, own: Deno.NetAddr): HostResolver {
    return {
      lookup: async (host, bounds) => {
        const addresses = await systemResolver.lookup(host, bounds);
        for (const address of addresses) {
          if (!this.#options.allowPrivate) refusePrivate(address);
          refuseOwn(address, port, own);
        }
        return addresses;
      },
    };
  }

  /** Connections to one server; those that were not asked for longest go first. */
  #originOf(url: URL, ctx: Context): ReverseProxyHandler {
    const { maxOrigins, idleTimeoutMs } = this.#options;
    const known = this.#origins.get(url.origin);
    if (known !== undefined) this.#origins.delete(url.origin);
    else if (this.#origins.size >= maxOrigins) this.#forgetOne();
    const proxy = known ?? reverseProxy(url.origin, {
      name: this.#name,
      // Who asks is nobody's business.
      forwarded: false,
      resolver: this.#resolverFor(Number(url.port || 80), ownAddress(ctx)),
      tunnelIdleTimeoutMs: idleTimeoutMs,
    });
    this.#origins.set(url.origin, proxy);
    return proxy;
  }

  #forgetOne(): void {
    for (const [origin, proxy] of this.#origins) {
      if (proxy.stats().upstreams[0]!.activeCount > 0) continue;
      this.#origins.delete(origin);
      return void proxy.close();
    }
    throw new HttpError(503, "Too many servers at a time", { headers: [["retry-after", "1"]] });
  }
}

/** What an address was refused with, under all that dialing has made of it. */
function refusalIn(error: unknown): HttpError | undefined {
  const cause = error instanceof HttpError ? error.cause : error;
  return cause instanceof ConnectError && cause.cause instanceof HttpError
    ? cause.cause
    : undefined;
}

function ownAddress(ctx: Context): Deno.NetAddr {
  return ctx.localAddr as Deno.NetAddr;
}

/** A request to the proxy itself could go through it again and again. */
function refuseOwn(address: string, port: number, own: Deno.NetAddr): void {
  if (port !== own.port || !(OWN.has(address) || address === own.hostname)) return;
  throw new HttpError(508, "This is the proxy itself");
}

function refusePrivate(address: string): void {
  if (PRIVATE.has(address)) throw new HttpError(403, "This address is not allowed");
}

/** `host:port`, with an IPv6 address in brackets. */
function parseAuthority(text: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new HttpError(400, "Expected host:port");
  return { hostname: match[1] ?? match[2]!, port };
}

function readCount(name: string, text: string, least = 0): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new RangeError(`Cannot use --${name} ${text}: expected a whole number from ${least}`);
}

/** Options of the command line. */
function readOptions() {
  const { values } = parseArgs({
    options: {
      "hostname": { type: "string", default: "127.0.0.1" },
      "port": { type: "string", default: "8080" },
      "idle-ms": { type: "string", default: "300000" },
      "quiet": { type: "boolean", default: false },
      "allow": { type: "string", multiple: true, default: [] },
      "allow-private": { type: "boolean", default: false },
      "connect-port": { type: "string", multiple: true, default: ["443"] },
      "max-tunnels": { type: "string", default: "1000" },
      "max-origins": { type: "string", default: "256" },
      "to": { type: "string", multiple: true, default: [] },
      "balance": { type: "string", default: "round-robin" },
      "health": { type: "string" },
      "keep-host": { type: "boolean", default: false },
      "x-forwarded": { type: "boolean", default: false },
      "trust": { type: "string", multiple: true, default: [] },
    },
  });
  return values;
}

if (import.meta.main) {
  const values = readOptions();
  const idleTimeoutMs = readCount("idle-ms", values["idle-ms"]);
  const isReverse = values.to.length > 0;
  const forward = isReverse ? undefined : new ForwardProxy({
    allow: values.allow,
    allowPrivate: values["allow-private"],
    connectPorts: values["connect-port"].map((port) => readCount("connect-port", port)),
    maxTunnels: readCount("max-tunnels", values["max-tunnels"], 1),
    maxOrigins: readCount("max-origins", values["max-origins"], 1),
    idleTimeoutMs,
  });
  const reverse = isReverse
    ? reverseProxy(values.to, {
      balance: values.balance as "round-robin",
      host: values["keep-host"] ? "keep" : "upstream",
      xForwarded: values["x-forwarded"],
      trusted: values.trust,
      tunnelIdleTimeoutMs: idleTimeoutMs,
      ...values.health !== undefined && { healthCheck: { target: values.health } },
      onFailure: ({ error, upstream }) => console.error(`${upstream?.host}: ${error}`),
    })
    : undefined;
  const handler = reverse ?? forward!.handler;
  const server = serve(values.quiet ? handler : compose([logger()], handler), {
    hostname: values.hostname,
    port: readCount("port", values.port),
    // Nobody waits for what a client that has closed had asked for.
    abortOnHalfClose: true,
    ...forward !== undefined && { onConnect: forward.onConnect },
    onListen: (addr) => {
      const { hostname, port } = addr as Deno.NetAddr;
      const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
      console.log(`Proxying on http://${shown}:${port}/`);
    },
  });
  await shutdownSignal();
  await server.shutdown({ graceMs: 10_000 });
  await (reverse ?? forward!)[Symbol.asyncDispose]();
}
