/**
 * {@linkcode AcceptQueue}: connections that are ready, until somebody accepts them.
 *
 * @module
 */

import { closeQuietly, type Transport } from "./transport.ts";

interface Ready<T> {
  readonly transport: T;
  /** Called once it is taken, or closed. */
  readonly onLeave: () => void;
}

/**
 * The `accept` side of an `AcceptSource` whose connections are prepared elsewhere. It does not bound
 * how many wait: whoever adds them does, by what `add` gives back.
 *
 * @example One that is there, and one that comes
 * ```ts
 * import { AcceptQueue } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertStrictEquals } from "@std/assert";
 *
 * const queue = new AcceptQueue();
 * const [one, two] = memoryPipe();
 * void queue.add(one);
 * assertStrictEquals(await queue.accept(), one);
 * const accepted = queue.accept();
 * void queue.add(two);
 * assertStrictEquals(await accepted, two);
 * queue.close();
 * ```
 */
export class AcceptQueue<T extends Transport = Transport> {
  readonly #ready = new Set<Ready<T>>();
  #acceptor: PromiseWithResolvers<T> | undefined;
  #closed = false;

  /** Connections that wait to be accepted. */
  get readyCount(): number {
    return this.#ready.size;
  }

  /**
   * Adds a connection. After `close` it is closed at once.
   *
   * @param transport The connection.
   * @returns A promise that resolves when it was accepted, or closed; it never rejects.
   */
  add(transport: T): Promise<void> {
    const acceptor = this.#acceptor;
    if (this.#closed) closeQuietly(transport);
    else if (acceptor !== undefined) {
      this.#acceptor = undefined;
      acceptor.resolve(transport);
    } else {
      return new Promise((onLeave) => this.#ready.add({ transport, onLeave }));
    }
    return Promise.resolve();
  }

  /**
   * Waits for the next connection.
   *
   * @returns The connection.
   * @throws {Deno.errors.BadResource} If the queue is closed.
   * @throws {TypeError} If another call waits.
   */
  accept(): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#acceptor !== undefined) {
      return Promise.reject(new TypeError("Cannot accept: another accept is waiting"));
    }
    for (const ready of this.#ready) {
      this.#ready.delete(ready);
      ready.onLeave();
      return Promise.resolve(ready.transport);
    }
    this.#acceptor = Promise.withResolvers();
    return this.#acceptor.promise;
  }

  /** Closes what waits. A second call does nothing. */
  close(): void {
    this.#closed = true;
    for (const { transport, onLeave } of this.#ready) {
      closeQuietly(transport);
      onLeave();
    }
    this.#ready.clear();
    this.#acceptor?.reject(closedError());
    this.#acceptor = undefined;
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The listener is closed");
}
