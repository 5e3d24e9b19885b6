import type { Transport } from "../../nbio/transport.ts";
import { check } from "./simulation_error.ts";
import { type DirectionSettings, StreamDirection } from "./stream_direction.ts";

/** Sees the bytes that an end writes, in order. */
export type WireTap = (bytes: Uint8Array) => void;

/** One end of a simulated connection, with a checker of how it is used. */
export class StreamEnd implements Transport {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  /** Reads and writes that wait. */
  pendingCount = 0;
  /** Sees what is written. */
  tap: WireTap | undefined;
  /** The other end. */
  readonly peer: StreamEnd;
  /** The last thing our code did wrong with it. */
  misuse: string | undefined;
  readonly #inbound: StreamDirection;
  readonly #outbound: StreamDirection;
  #isClosed = false;
  #hasEnded = false;
  #isHostGone = false;

  constructor(
    [inbound, outbound]: readonly [StreamDirection, StreamDirection],
    [localAddr, remoteAddr]: readonly [Deno.Addr, Deno.Addr],
    peer?: StreamEnd,
  ) {
    this.peer = peer ?? new StreamEnd([outbound, inbound], [remoteAddr, localAddr], this);
    this.#inbound = inbound;
    this.#outbound = outbound;
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
  }

  /** Whether our code has given it up. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  async read(p: Uint8Array): Promise<number | null> {
    if (this.#isClosed) throw closedError("read");
    return await this.#pending(() => this.#inbound.read(p));
  }

  async write(p: Uint8Array): Promise<number> {
    if (this.#isClosed) throw closedError("write");
    if (this.#hasEnded) this.misuse = "a write after closeWrite";
    const written = await this.#pending(() => this.#outbound.write(p));
    this.tap?.(p.subarray(0, written));
    return written;
  }

  closeWrite(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError("close the writing side"));
    this.#hasEnded = true;
    this.#outbound.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#isClosed) throw closedError("close");
    this.#isClosed = true;
    const reason = new Deno.errors.Interrupted("The connection was closed meanwhile");
    this.#outbound.failWriterIfWaiting(reason);
    // What a kernel does: unread bytes are answered by a reset, and it overtakes what the peer
    // has not read.
    if (!this.#isHostGone) {
      if (this.#inbound.unreadBytes > 0) this.#outbound.reset();
      else this.#outbound.end();
    }
    this.#inbound.abandon(reason);
  }

  /** Tears it off, for a reason that lies in the network. */
  reset(): void {
    this.#outbound.reset();
    this.#inbound.abandon(new Deno.errors.ConnectionReset("The network reset the connection"));
  }

  /** The host lost power: nobody is told, and the code that used it is as good as dead. */
  lose(): void {
    this.#isHostGone = true;
    const reason = new Deno.errors.ConnectionReset("The host lost power");
    this.#outbound.vanish();
    this.#outbound.failWriter(reason);
    this.#inbound.abandon(reason);
  }

  async #pending<T>(wait: () => Promise<T>): Promise<T> {
    this.pendingCount++;
    try {
      return await wait();
    } finally {
      this.pendingCount--;
    }
  }
}

/** What both directions of a connection need. */
export type ConnectionSettings = Omit<DirectionSettings, "onStray" | "onReset" | "isCut"> & {
  /** Whether nothing gets to the side that accepted. */
  readonly isCutUp: () => boolean;
  /** Whether nothing gets to the side that connected. */
  readonly isCutDown: () => boolean;
};

/** Both ends of a connection. */
export class StreamConnection {
  /** The end that connected. */
  readonly near: StreamEnd;
  /** The end that accepted. */
  readonly far: StreamEnd;
  readonly #up: StreamDirection;
  readonly #down: StreamDirection;

  constructor(settings: ConnectionSettings, nearAddr: Deno.NetAddr, farAddr: Deno.NetAddr) {
    const { isCutUp, isCutDown } = settings;
    const torn = (): Error => new Deno.errors.ConnectionReset("The peer reset the connection");
    this.#up = new StreamDirection({
      ...settings,
      isCut: isCutUp,
      onStray: () => this.#down.reset(),
      onReset: () => this.#down.failWriter(torn()),
    });
    this.#down = new StreamDirection({
      ...settings,
      isCut: isCutDown,
      onStray: () => this.#up.reset(),
      onReset: () => this.#up.failWriter(torn()),
    });
    this.near = new StreamEnd([this.#down, this.#up], [nearAddr, farAddr]);
    this.far = this.near.peer;
  }

  /** Bytes go on that had stopped at a cut. */
  resume(): void {
    this.#up.resume();
    this.#down.resume();
  }

  /** Holds that our code has given up both ends, and that nothing waits. */
  checkOver(): void {
    for (const end of [this.near, this.far]) {
      check(end.isClosed, "a connection that nobody closed", [end.localAddr, end.remoteAddr]);
      check(end.pendingCount === 0, "a read or write that never ended", end.localAddr);
      check(end.misuse === undefined, `${end.misuse}`, end.localAddr);
    }
  }
}

function closedError(action: string): Error {
  return new Deno.errors.BadResource(`Cannot ${action}: the connection is closed`);
}
