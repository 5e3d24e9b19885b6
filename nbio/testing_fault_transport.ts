/**
 * {@linkcode faultTransport}: a connection on which everything goes wrong that
 * can go wrong, in a way that a seed repeats.
 *
 * @module
 */

import { BoundedLog } from "./_testing_bounded_log.ts";
import { BreakableWait } from "./_testing_breakable_wait.ts";
import { type DirectionFaults, FaultPlan } from "./_testing_fault_plan.ts";
import { FaultReader } from "./_testing_fault_reader.ts";
import { FaultWriter } from "./_testing_fault_writer.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { FaultEnd, TransportFaults } from "./testing_faults.ts";
import type { ResetOptions } from "./testing_memory_pipe.ts";
import { SeededRandom } from "./testing_random.ts";
import { closeQuietly, type Transport } from "./transport.ts";

/** Options of {@linkcode faultTransport}. */
export interface FaultTransportOptions extends TransportFaults {
  /**
   * A generator from which the seed is drawn, in place of `seed`.
   *
   * @default {undefined}
   */
  readonly random?: SeededRandom;

  /**
   * What delays go by.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;

  /**
   * Most entries of the log; what happens later is only counted. An integer of
   * at least 0.
   *
   * @default {10_000}
   */
  readonly maxLogCount?: number;
}

/**
 * What was done to a stream:
 *
 * - `split`: a read gave fewer bytes than there were and had room;
 * - `short-write`: a write took fewer bytes than there was room for;
 * - `coalesce`: a read waited, and gave more for it;
 * - `delay`: an operation waited;
 * - a {@linkcode FaultEnd}: the direction ended so.
 */
export type FaultKind = "split" | "short-write" | "coalesce" | "delay" | FaultEnd;

/** One fault that has happened. */
export interface FaultEvent {
  /** What was done. */
  readonly kind: FaultKind;
  /** To which direction. */
  readonly direction: "read" | "write";
  /** Bytes that had passed in this direction before. */
  readonly offset: number;
  /** Bytes given, taken or gathered; 0 where none are concerned. */
  readonly byteCount: number;
  /** Length of a delay, in milliseconds; 0 for all others. */
  readonly delayMs: number;
}

/** A transport with faults; see {@linkcode faultTransport}. */
export interface FaultTransport extends Transport {
  /** The seed that repeats these faults. */
  readonly seed: number;

  /** What has been done so far, in order; it grows as more happens. */
  readonly log: readonly FaultEvent[];

  /** The log as text, with the seed: for the message of a failed test. */
  report(): string;

  /**
   * Resets the connection now, as `resetAfterBytes` does at a byte. Does nothing
   * if it is closed.
   *
   * @param options What happens to bytes on their way, if the transport inside
   * is an end of a memory pipe.
   */
  reset(options?: ResetOptions): void;
}

/**
 * Puts faults on any transport: an end of a memory pipe, a socket, another one
 * with faults. Which fault comes is decided by the seed and by the position in
 * the stream, for each direction by itself; so the same seed gives the same
 * faults, however the code under test reads and writes.
 *
 * Whatever happens, bytes that arrive are the bytes that were sent, in order
 * and without a hole. What waits, for a delay or for ever, rejects when the
 * transport is closed, and with `Deno.errors.ConnectionReset` when a fault resets
 * it. The peer notices a reset as such if the transport inside has a
 * `reset` method, as the ends of a memory pipe do; others are closed.
 *
 * After `truncateAfterBytes` of `read` nothing more is read from inside, and
 * the peer may wait for room. One read may be under way inside while none is
 * outside, after bytes were gathered; closing ends it.
 *
 * @param transport The transport inside. From now on it belongs to the result.
 * @param options Faults, seed, clock.
 * @returns The transport with faults.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A length-prefixed message survives every split and short write
 * ```ts
 * import { recvExactly, sendAll, type Transport } from "@nbio/net/nbio";
 * import { faultTransport, memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function sendMessage(transport: Transport, text: string): Promise<void> {
 *   const body = new TextEncoder().encode(text);
 *   await sendAll(transport, new Uint8Array([body.length, ...body]));
 * }
 *
 * async function receiveMessage(transport: Transport): Promise<string> {
 *   const head = new Uint8Array(1);
 *   await recvExactly(transport, head);
 *   const body = new Uint8Array(head[0]!);
 *   await recvExactly(transport, body);
 *   return new TextDecoder().decode(body);
 * }
 *
 * for (let seed = 0; seed < 100; seed++) {
 *   const [near, far] = memoryPipe();
 *   const client = faultTransport(near, { seed, write: { maxPieceBytes: 4 } });
 *   const server = faultTransport(far, { seed, read: { maxPieceBytes: 3 } });
 *   const [received] = await Promise.all([
 *     receiveMessage(server),
 *     sendMessage(client, "hello, world"),
 *   ]);
 *   assertEquals(received, "hello, world", client.report() + server.report());
 * }
 * ```
 *
 * @example A peer that goes silent in mid-message meets the deadline
 * ```ts
 * import { DeadlineWheel, recvExactly, TimeoutError } from "@nbio/net/nbio";
 * import { faultTransport, ManualClock, memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const [near, far] = memoryPipe();
 * const client = faultTransport(near, { clock, read: { stallAfterBytes: 2 } });
 * await far.write(new Uint8Array(5));
 * const received = recvExactly(client, new Uint8Array(5), {
 *   timeoutMs: 10_000,
 *   wheel: new DeadlineWheel(clock),
 * });
 * await assertRejects(() => clock.runUntil(received), TimeoutError);
 * assertEquals(client.log.at(-1)!.kind, "stall");
 * ```
 */
export function faultTransport(
  transport: Transport,
  options: FaultTransportOptions = {},
): FaultTransport {
  return new FaultyTransport(transport, options);
}

class FaultyTransport implements FaultTransport {
  readonly seed: number;
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #inner: Transport;
  readonly #log: BoundedLog<FaultEvent>;
  readonly #readWait: BreakableWait = new BreakableWait();
  readonly #writeWait: BreakableWait = new BreakableWait();
  readonly #reader: FaultReader;
  readonly #writer: FaultWriter;
  #isReading = false;
  #isWriting = false;
  #isReset = false;
  #isClosed = false;

  constructor(inner: Transport, options: FaultTransportOptions) {
    const { random, clock = systemClock, maxLogCount = 10_000, read = {}, write = {} } = options;
    this.seed = random ? random.int(0x1_0000_0000) : options.seed ?? 0;
    this.localAddr = inner.localAddr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#log = new BoundedLog(maxLogCount);
    const seeds = new SeededRandom(this.seed);
    const context = (direction: "read" | "write", wait: BreakableWait, faults: DirectionFaults) => {
      const plan = new FaultPlan(faults, seeds.fork());
      const note = (kind: FaultKind, byteCount: number, delayMs: number): void =>
        this.#log.add({ kind, direction, offset: plan.offset, byteCount, delayMs });
      const reset = (): void => {
        note("reset", 0, 0);
        this.reset();
      };
      return { inner, plan, clock, wait, note, reset };
    };
    this.#reader = new FaultReader(context("read", this.#readWait, read));
    this.#writer = new FaultWriter(context("write", this.#writeWait, write));
  }

  get log(): readonly FaultEvent[] {
    return this.#log.entries;
  }

  report(): string {
    return this.#log.format(`Faults of seed ${this.seed}:`, formatFault);
  }

  async read(p: Uint8Array): Promise<number | null> {
    this.#check("read", this.#isReading);
    if (p.length === 0) return 0;
    this.#isReading = true;
    try {
      return await this.#reader.read(p);
    } finally {
      this.#isReading = false;
    }
  }

  async write(p: Uint8Array): Promise<number> {
    this.#check("write", this.#isWriting);
    if (p.length === 0) return 0;
    this.#isWriting = true;
    try {
      return await this.#writer.write(p);
    } finally {
      this.#isWriting = false;
    }
  }

  async closeWrite(): Promise<void> {
    if (this.#isReset && !this.#isClosed) {
      throw new Deno.errors.NotConnected("Cannot close the writing side: a fault has reset it");
    }
    this.#check("close the writing side", false);
    await this.#writer.closeWrite();
  }

  close(): void {
    if (this.#isClosed) throw closedError("close");
    this.#isClosed = true;
    this.#break(new Deno.errors.Interrupted("The transport was closed meanwhile"));
    // A reset has closed it already.
    if (!this.#isReset) this.#inner.close();
  }

  reset(options: ResetOptions = {}): void {
    if (this.#isClosed || this.#isReset) return;
    this.#isReset = true;
    this.#break(resetError());
    if (isResettable(this.#inner)) this.#inner.reset(options);
    else closeQuietly(this.#inner);
  }

  #break(reason: Error): void {
    this.#readWait.break(reason);
    this.#writeWait.break(reason);
  }

  #check(action: string, isBusy: boolean): void {
    if (this.#isClosed) throw closedError(action);
    if (this.#isReset) throw resetError();
    if (isBusy) throw new TypeError(`Cannot ${action}: another ${action} is waiting`);
  }
}

function isResettable(
  transport: Transport,
): transport is Transport & { reset(options?: ResetOptions): void } {
  return "reset" in transport && typeof transport.reset === "function";
}

function formatFault({ kind, direction, offset, byteCount, delayMs }: FaultEvent): string {
  const bytes = byteCount > 0 ? `, ${byteCount} bytes` : "";
  const delay = delayMs > 0 ? `, ${delayMs} ms` : "";
  return `${direction} at ${offset}: ${kind}${bytes}${delay}`;
}

function closedError(action: string): Error {
  return new Deno.errors.BadResource(`Cannot ${action}: the transport is closed`);
}

function resetError(): Error {
  return new Deno.errors.ConnectionReset("A fault has reset the connection");
}
