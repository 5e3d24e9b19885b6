/**
 * {@linkcode AcceptLoop}: takes connections from one source, whatever fails.
 *
 * @module
 */

import type { AcceptSource } from "./accept_source.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionLimit } from "./connection_limit.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/**
 * Connections in a row that are gone before they are accepted, before we pause
 * all the same: a source that fails so for ever must not be a loop without end.
 */
const MAX_PEER_FAILURES = 1_000;

/** Pause after the first failed `accept`; doubled with each further one. */
const MIN_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 1_000;

/** Whom an {@linkcode AcceptLoop} works for. */
export interface AcceptLoopOwner {
  /** Bounds all loops of the owner together. */
  readonly limit: ConnectionLimit;
  /** Where pauses are timed. */
  readonly clock: Clock;
  /** Takes a connection over; there is room for it. Must not throw. */
  onAccept(transport: Transport): void;
  /** Is told why an `accept` failed. Must not throw. */
  onAcceptError(error: unknown): void;
}

/**
 * Accepts until it or its source is closed. While the limit is reached it does
 * not accept, so that connections wait in the queue of the system.
 */
export class AcceptLoop {
  readonly #source: AcceptSource;
  readonly #owner: AcceptLoopOwner;
  #closed = false;
  #unrefed = false;
  /** Ends the pause, while there is one. */
  #endPause: (() => void) | undefined;

  /**
   * Makes a loop that does not run yet.
   *
   * @param source Where connections come from.
   * @param owner Where they go.
   */
  constructor(source: AcceptSource, owner: AcceptLoopOwner) {
    this.#source = source;
    this.#owner = owner;
  }

  /** Where the source listens. */
  get addr(): Deno.Addr {
    return this.#source.addr;
  }

  /** Lets the loop keep the process alive, as at first. */
  ref(): void {
    this.#unrefed = false;
    this.#source.ref?.();
  }

  /** Lets the process end although the loop runs. */
  unref(): void {
    this.#unrefed = true;
    this.#source.unref?.();
  }

  /** Closes the source. Whoever closes it wakes the limit, too. */
  close(): void {
    this.#closed = true;
    // A handed-in source may have been closed by its maker.
    closeQuietly(this.#source);
    this.#endPause?.();
  }

  /** Resolves when the loop has ended. Never rejects. */
  async run(): Promise<void> {
    const { limit } = this.#owner;
    let backoffMs = 0;
    let peerFailureCount = 0;
    while (!this.#closed) {
      if (!limit.hasRoom) {
        await limit.change();
        continue;
      }
      try {
        const transport = await this.#source.accept();
        backoffMs = peerFailureCount = 0;
        // With several sources, another one may have filled the last place.
        while (!limit.hasRoom && !this.#closed) await limit.change();
        if (this.#closed) closeQuietly(transport);
        else this.#owner.onAccept(transport);
      } catch (error) {
        // Closed by somebody else: no pause would bring it back.
        if (this.#closed || error instanceof Deno.errors.BadResource) return;
        // A pause would let a few such clients hold up all others.
        if (isOfPeer(error) && ++peerFailureCount < MAX_PEER_FAILURES) continue;
        this.#owner.onAcceptError(error);
        backoffMs = Math.min(Math.max(backoffMs * 2, MIN_BACKOFF_MS), MAX_BACKOFF_MS);
        await this.#pause(backoffMs);
        peerFailureCount = 0;
      }
    }
  }

  #pause(delayMs: number): Promise<void> {
    // Whoever is told of the failure may have closed the listener over it.
    if (this.#closed) return Promise.resolve();
    const { clock } = this.#owner;
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => this.#endPause?.(), delayMs, { unref: this.#unrefed });
      this.#endPause = () => {
        this.#endPause = undefined;
        clock.clearTimer(timer);
        resolve();
      };
    });
  }
}

/**
 * Whether an `accept` failed because the connection it took was gone by then,
 * which says nothing about the next one: accept(2), on Linux ENOTCONN from asking
 * for the address of a connection that was reset.
 */
function isOfPeer(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}
