import type { AcceptSource } from "../../nbio/accept_source.ts";
import type { Transport } from "../../nbio/transport.ts";
import type { StreamEnd } from "./stream_connection.ts";

const BACKLOG_COUNT = 16;

/** A listening port of a simulated host. */
export class StreamListener implements AcceptSource {
  readonly addr: Deno.NetAddr;
  readonly #backlog: StreamEnd[] = [];
  readonly #onClose: () => void;
  #waiting: PromiseWithResolvers<Transport> | undefined;
  #isClosed = false;

  constructor(addr: Deno.NetAddr, onClose: () => void) {
    this.addr = addr;
    this.#onClose = onClose;
  }

  /** Whether it has no room: connections are not answered. */
  get isFull(): boolean {
    return this.#backlog.length >= BACKLOG_COUNT;
  }

  /** Offers a connection; there is room. */
  offer(end: StreamEnd): void {
    if (this.#waiting === undefined) this.#backlog.push(end);
    else this.#waiting.resolve(end);
    this.#waiting = undefined;
  }

  accept(): Promise<Transport> {
    if (this.#isClosed) return Promise.reject(closedError());
    const ready = this.#backlog.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    this.#waiting?.reject(closedError());
    this.#waiting = undefined;
    // What nobody has accepted is torn off, as the kernel does.
    for (const end of this.#backlog.splice(0)) {
      end.reset();
      end.close();
    }
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The listener is closed");
}
