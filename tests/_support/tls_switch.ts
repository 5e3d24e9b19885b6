/**
 * The switch by which the suites of HTTP and WebSocket run again over TLS: `NBIO_TEST_TLS` is `node`
 * or `deno`, the provider of the servers. Without it nothing here does more than what it is named
 * after.
 *
 * A test file takes {@linkcode serve}, {@linkcode listen}, {@linkcode connect} and {@linkcode fetch}
 * from here, and its own lines stay as they are: a server that was started here is known by its port,
 * and who connects to it from here speaks TLS to it, while all others are spoken to in the clear. What
 * has no meaning over TLS says so with {@linkcode inTheClear}.
 */

import { type HttpServer, serve as serveInTheClear } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Handler } from "../../http/server_shared.ts";
import type { DialHttpOptions } from "../../http/dial.ts";
import type { AcceptSource } from "../../nbio/accept_source.ts";
import type { ListenTlsOptions } from "../../tls/listen_tls.ts";
import type { RawAddress } from "./raw_client.ts";

/** Who secures the servers of this run; `undefined` for nobody. */
export const tlsSwitch: "node" | "deno" | undefined = readSwitch();

/** How clients of the package come to a server that was started here: its CA, and a provider. */
export const trust: Pick<DialHttpOptions, "tls" | "tlsProvider"> = {};

/** What there is once for each process, where the switch is on. */
interface Security {
  readonly own: { readonly cert: string; readonly key: string };
  readonly caCerts: string[];
  readonly web: Deno.HttpClient;
  readonly listenTls: (options: ListenTlsOptions) => AcceptSource;
  /** Ports of the servers that were started here. */
  readonly ports: Set<number>;
}

const security = tlsSwitch === undefined ? undefined : await prepare(tlsSwitch);

/**
 * Serves as `serve` of the package does, over TLS where the switch is on and the options say nothing
 * of TLS, of a path or of listeners.
 *
 * @param handler Answers the requests.
 * @param options Options of the server.
 */
export function serve(handler: Handler, options: ServeOptions = {}): HttpServer {
  if (security === undefined || !isSecurable(options)) return serveInTheClear(handler, options);
  const secured = secure(options, security);
  try {
    const server = serveInTheClear(handler, secured);
    security.ports.add((server.addr as Deno.NetAddr).port);
    return server;
  } catch (error) {
    secured.listener?.close();
    throw error;
  }
}

/**
 * Connects as `Deno.connect` does; to a server that was started here over TLS, the handshake complete.
 *
 * @param address Where the server listens.
 */
export async function connect({ hostname, port }: RawAddress): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname, port });
  connection.setNoDelay(true);
  if (!security?.ports.has(port)) return connection;
  const options = { hostname, caCerts: security.caCerts, alpnProtocols: ["http/1.1"] };
  const tls = await Deno.startTls(connection, options);
  await tls.handshake();
  return tls;
}

/**
 * Fetches as the platform does, a URL of a server that was started here over TLS.
 *
 * @param input Where from, and what.
 * @param init Method, fields and body.
 */
export async function fetch(
  input: string | URL,
  init: RequestInit & { readonly client?: Deno.HttpClient } = {},
): Promise<Response> {
  const url = new URL(input);
  if (!security?.ports.has(Number(url.port))) return await globalThis.fetch(url, init);
  url.protocol = "https:";
  return await globalThis.fetch(url, { ...init, client: security.web });
}

/**
 * Opens a WebSocket of the runtime to a server that may have been started here.
 *
 * @param url Where to, with the scheme `ws` or `wss`.
 */
export function openWebSocket(url: string): WebSocket {
  return new WebSocket(url, security === undefined ? {} : { client: security.web });
}

/**
 * Listens on a free port of 127.0.0.1 for servers that tests write themselves. Over TLS it is the
 * runtime that secures, whatever the switch says: here it is the client that is tested.
 */
export function listen(): Deno.Listener<Deno.Conn> {
  const address = { hostname: "127.0.0.1", port: 0 };
  if (security === undefined) return Deno.listen(address);
  const listener = Deno.listenTls({ ...address, ...security.own, alpnProtocols: ["http/1.1"] });
  security.ports.add(listener.addr.port);
  return listener;
}

/**
 * The origin of a server on 127.0.0.1, to be asked with {@linkcode trust}.
 *
 * @param port Its port.
 * @param scheme That in the clear; over TLS it has an `s` behind it.
 */
export function originAt(port: number, scheme: "http" | "ws" = "http"): string {
  return `${scheme}${security?.ports.has(port) ? "s" : ""}://127.0.0.1:${port}`;
}

/**
 * What ignores a test where the switch is on, as options of `Deno.test`.
 *
 * @param _reason Why it has no meaning over TLS: for whoever reads the test.
 * @param providers The ones with which it has none.
 */
export function inTheClear(
  _reason: string,
  providers: readonly ("node" | "deno")[] = ["node", "deno"],
): { readonly ignore: boolean } {
  return { ignore: tlsSwitch !== undefined && providers.includes(tlsSwitch) };
}

function isSecurable({ tls, path, listener, listeners }: ServeOptions): boolean {
  return [tls, path, listener, listeners].every((option) => option === undefined);
}

function secure(options: ServeOptions, { own, listenTls }: Security): ServeOptions {
  if (tlsSwitch === "node") return { ...options, tls: own };
  const { hostname, port, ...rest } = options;
  const address = { ...hostname !== undefined && { hostname }, ...port !== undefined && { port } };
  const alpnProtocols = ["http/1.1"];
  // Floods open hundreds at once, in the very process that has to greet them all.
  const maxHandshakes = 1_000;
  const listening = { ...address, ...own, provider: "deno", alpnProtocols, maxHandshakes } as const;
  return { ...rest, listener: listenTls(listening) };
}

async function prepare(name: "node" | "deno"): Promise<Security> {
  const { createDevelopmentCertificate } = await import("../../tls/development_certificate.ts");
  const { listenTls } = await import("../../tls/listen_tls.ts");
  const names = ["localhost", "127.0.0.1", "::1"];
  const { ca, leaf } = await createDevelopmentCertificate(names);
  const caCerts = [ca.certificatePem];
  const { nodeProvider } = await import("../../tls/node_provider.ts");
  Object.assign(trust, { tls: { caCerts } }, name === "node" && { tlsProvider: nodeProvider });
  return {
    own: { cert: leaf.certificatePem, key: leaf.privateKeyPem },
    caCerts,
    web: Deno.createHttpClient({ caCerts }),
    listenTls,
    ports: new Set(),
  };
}

function readSwitch(): "node" | "deno" | undefined {
  const query = { name: "env", variable: "NBIO_TEST_TLS" } as const;
  if (Deno.permissions.querySync(query).state !== "granted") return undefined;
  const value = Deno.env.get(query.variable) ?? "";
  if (value === "" || value === "node" || value === "deno") return value || undefined;
  throw new RangeError(`NBIO_TEST_TLS is ${JSON.stringify(value)}, expected "node" or "deno"`);
}
