import type { AcceptSource } from "../../nbio/accept_source.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";

/** A source of connections that hands out what it is offered, in order. */
export class MemorySource implements AcceptSource {
  readonly addr: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 80 };
  readonly #offered: Transport[] = [];
  #waiting: PromiseWithResolvers<Transport> | undefined;
  #isClosed = false;

  /** Gives it to who waits, or keeps it for who asks next. After the end it is closed. */
  offer(transport: Transport): void {
    if (this.#isClosed) return transport.close();
    if (this.#waiting === undefined) this.#offered.push(transport);
    else this.#waiting.resolve(transport);
    this.#waiting = undefined;
  }

  accept(): Promise<Transport> {
    const next = this.#offered.shift();
    if (next !== undefined) return Promise.resolve(next);
    if (this.#isClosed) return Promise.reject(new Deno.errors.BadResource("Listener is closed"));
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting?.reject(new Deno.errors.BadResource("Listener is closed"));
    for (const transport of this.#offered) closeQuietly(transport);
  }
}
