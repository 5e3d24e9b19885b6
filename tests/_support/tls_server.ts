/**
 * An echo server over TLS with a certificate of our own, for localhost, example.test, 127.0.0.1 and
 * ::1. The PEM files beside the tests of `tls` are good until the end of 2099 and protect nothing.
 */

import { closeQuietly } from "../../nbio/transport.ts";

const FOLDER = new URL("../tls/", import.meta.url);

/** The root that has signed {@linkcode LEAF_CERT}. */
export const CA_CERT: string = Deno.readTextFileSync(new URL("ca.pem", FOLDER));
/** The certificate of the server. */
export const LEAF_CERT: string = Deno.readTextFileSync(new URL("leaf.pem", FOLDER));
/** Its private key. */
export const LEAF_KEY: string = Deno.readTextFileSync(new URL("leaf_key.pem", FOLDER));

/** What {@linkcode startTlsServer} does. */
export interface TlsServerSettings {
  /** Protocols that it speaks. */
  readonly alpnProtocols?: string[];
  /** What happens on a connection; by default what comes goes back. It is closed afterwards. */
  readonly serve?: (connection: Deno.TlsConn) => Promise<unknown>;
}

/** A running server. */
export interface TlsServer extends AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
}

/** Starts one. Handshakes and connections that fail are the business of the client's test. */
export function startTlsServer(settings: TlsServerSettings = {}): TlsServer {
  const { alpnProtocols = [], serve = echo } = settings;
  const options = { hostname: "127.0.0.1", port: 0, cert: LEAF_CERT, key: LEAF_KEY, alpnProtocols };
  const listener = Deno.listenTls(options);
  const connections = new Map<Deno.TlsConn, Promise<void>>();
  const accepting = acceptAll(listener, (connection) => {
    connections.set(connection, run(connection, serve));
  });
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      for (const connection of connections.keys()) closeQuietly(connection);
      await Promise.all(connections.values());
    },
  };
}

async function acceptAll(
  listener: Deno.TlsListener,
  onConnection: (connection: Deno.TlsConn) => void,
): Promise<void> {
  try {
    for (;;) onConnection(await listener.accept());
  } catch {
    // Closed: the test is over.
  }
}

async function run(
  connection: Deno.TlsConn,
  serve: (connection: Deno.TlsConn) => Promise<unknown>,
): Promise<void> {
  try {
    await connection.handshake();
    await serve(connection);
  } catch {
    // Refused by the client, or cut.
  }
  closeQuietly(connection);
}

async function echo(connection: Deno.TlsConn): Promise<void> {
  const space = new Uint8Array(16_384);
  for (let count; (count = await connection.read(space)) !== null;) {
    await connection.write(space.subarray(0, count));
  }
}
