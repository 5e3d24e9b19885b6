/**
 * {@linkcode listenNode}: a listening socket of `node:net` as an
 * {@linkcode AcceptSource}, for what `Deno.listen` cannot do.
 *
 * @module
 */

import type { Server, Socket } from "node:net";
import type { AcceptSource } from "./accept_source.ts";
import { LimitExceededError } from "./errors.ts";
import type { TcpAddress } from "./listen_bind.ts";
import { nodeTransport } from "./node_transport.ts";
import { toSystemError } from "./system_error.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/**
 * Listens on a TCP port that other processes may listen on, too.
 *
 * @param address Where to listen. A name stands for its first address.
 * @returns The listening socket.
 * @throws {Deno.errors.NotCapable} If there is no permission for the address.
 * @throws {Error} What the system says if it cannot be bound.
 */
export async function listenNode(address: TcpAddress): Promise<AcceptSource> {
  const net = await import("node:net");
  const host = await findAddress(address.hostname);
  checkPermission(host, address.port);
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  const bound = Promise.withResolvers<void>();
  server.once("listening", bound.resolve).once("error", bound.reject);
  const { port, maxPendingConnections: backlog } = address;
  server.listen({ host, port, backlog, reusePort: true });
  try {
    await bound.promise;
  } catch (error) {
    throw bindError(error);
  }
  return new NodeListener(server, backlog);
}

/** The address that a name or a bracketed address stands for. */
async function findAddress(hostname: string): Promise<string> {
  const { lookup } = await import("node:dns/promises");
  try {
    return (await lookup(hostname.replace(/^\[(.*)\]$/, "$1"))).address;
  } catch (error) {
    throw toSystemError(error);
  }
}

/** Asks beforehand, because the refusal would come out of a timer and end the process. */
function checkPermission(address: string, port: number): void {
  const host = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  if (Deno.permissions.requestSync({ name: "net", host }).state === "granted") return;
  throw new Deno.errors.NotCapable(`Cannot listen: requires --allow-net for "${host}"`);
}

function bindError(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  if (code !== "EINVAL") return toSystemError(error);
  // All else is known to be valid: it is how the runtime reports an address of
  // another machine here.
  return new Deno.errors.AddrNotAvailable(message, { cause: error });
}

/**
 * A server of Node accepts by itself, so connections wait here instead of in
 * the queue of the system, under the same bound.
 */
class NodeListener implements AcceptSource {
  readonly addr: Deno.Addr;
  readonly #server: Server;
  readonly #maxPending: number;
  readonly #pending: Transport[] = [];
  #acceptor: PromiseWithResolvers<Transport> | undefined;
  /** What the next `accept` rejects with; told once. */
  #failure: unknown;
  #closed = false;

  constructor(server: Server, maxPending: number) {
    this.#server = server;
    this.#maxPending = maxPending;
    const { address: hostname, port } = server.address() as { address: string; port: number };
    this.addr = { transport: "tcp", hostname, port };
    server.on("connection", (socket) => this.#onConnection(socket));
    server.on("error", (error) => this.#fail(toSystemError(error)));
  }

  accept(): Promise<Transport> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#acceptor) {
      return Promise.reject(new TypeError("Cannot accept: another accept is waiting"));
    }
    const transport = this.#pending.shift();
    if (transport) return Promise.resolve(transport);
    // Told last: whoever is told pauses, and those that wait would go on waiting.
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    this.#acceptor = Promise.withResolvers();
    return this.#acceptor.promise;
  }

  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const transport of this.#pending.splice(0)) closeQuietly(transport);
    this.#acceptor?.reject(closedError());
    this.#acceptor = undefined;
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }

  #onConnection(socket: Socket): void {
    const transport = nodeTransport(socket);
    const acceptor = this.#acceptor;
    if (acceptor) {
      this.#acceptor = undefined;
      acceptor.resolve(transport);
    } else if (this.#pending.length < this.#maxPending && !this.#closed) {
      this.#pending.push(transport);
    } else {
      closeQuietly(transport);
      this.#fail(overflowError(this.#maxPending));
    }
  }

  #fail(error: unknown): void {
    const acceptor = this.#acceptor;
    this.#acceptor = undefined;
    if (acceptor) acceptor.reject(error);
    else this.#failure ??= error;
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The listener is closed");
}

function overflowError(max: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot hold connections: more than ${max} wait to be accepted, the rest was closed`,
    { limit: "maxPendingConnections", max },
  );
}
