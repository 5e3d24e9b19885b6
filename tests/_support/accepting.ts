/** Taking connections for as long as a test lasts, and leaving nothing of them behind. */

import { closeQuietly } from "../../nbio/transport.ts";

/** What a server does with one connection, which is closed afterwards. */
export type ServeConnection<C extends Deno.Conn> = (connection: C, index: number) => Promise<void>;

/** A listener whose connections are served side by side. What serving throws is passed over. */
export class Accepting<C extends Deno.Conn> implements AsyncDisposable {
  /** Connections so far. */
  count = 0;
  readonly #listener: Deno.Listener<C>;
  readonly #serve: ServeConnection<C>;
  readonly #connections: Set<Deno.Conn> = new Set();
  readonly #tasks: Set<Promise<void>> = new Set();
  readonly #accepting: Promise<void>;

  constructor(listener: Deno.Listener<C>, serve: ServeConnection<C>) {
    this.#listener = listener;
    this.#serve = serve;
    this.#accepting = this.#accept();
  }

  /** The port, where it is one of TCP. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Closes a connection with the server, such as one that it has made itself. */
  own(connection: Deno.Conn): void {
    this.#connections.add(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) closeQuietly(connection);
    await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    try {
      for (;;) this.#begin(await this.#listener.accept());
    } catch {
      // The test is over.
    }
  }

  #begin(connection: C): void {
    this.own(connection);
    const task = this.#serve(connection, this.count++).catch(() => {}).finally(() => {
      closeQuietly(connection);
      this.#tasks.delete(task);
    });
    this.#tasks.add(task);
  }
}
