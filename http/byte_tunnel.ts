/**
 * {@linkcode tunnelBytes}: bytes both ways between two connections.
 *
 * @module
 */

import { copy } from "../nbio/copy.ts";
import { deadlines, type DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { TimeoutError } from "../nbio/errors.ts";
import { sendAll } from "../nbio/send_all.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";

/** One end of a tunnel: what an upgrade, a CONNECT or a dial gives. */
export interface TunnelEnd {
  /** The connection, which belongs to the tunnel from here on. */
  readonly transport: Transport;
  /**
   * What came there and was read already: it goes first.
   *
   * @default {none}
   */
  readonly bytes?: Uint8Array;
}

/** Options of {@linkcode tunnelBytes}. */
export interface TunnelOptions {
  /**
   * Milliseconds in which nothing goes either way; 0 or Infinity for no bound.
   *
   * @default {300_000}
   */
  readonly idleTimeoutMs?: number;
  /**
   * Ends the tunnel at once.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Where the deadline waits.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
}

/**
 * Carries bytes between two connections until both directions are over, and closes
 * them. The end of a direction is carried as bytes are: the other side may still
 * answer. Whoever reads slowly slows the other side down. What fails ends both
 * directions.
 *
 * @param first One end.
 * @param second The other end.
 * @param options Idle deadline and signal.
 * @throws {TimeoutError} In the phase `"tunnel"`, if nothing goes either way for too
 * long.
 * @throws {RangeError} If `idleTimeoutMs` is negative or not a number.
 * @throws {Error} The signal's reason, or what a read or write rejects with.
 *
 * @example A tunnel between two pipes
 * ```ts
 * import { tunnelBytes } from "@nbio/net/http";
 * import { recvExactly, sendAll } from "@nbio/net/nbio";
 * import { memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [client, front] = memoryPipe();
 * const [back, server] = memoryPipe();
 * const bytes = new TextEncoder().encode("he");
 * const tunnel = tunnelBytes({ transport: front, bytes }, { transport: back });
 * await sendAll(client, new TextEncoder().encode("llo"));
 * const got = new Uint8Array(5);
 * await recvExactly(server, got);
 * assertEquals(new TextDecoder().decode(got), "hello");
 * await client.closeWrite();
 * await server.closeWrite();
 * await tunnel;
 * ```
 */
export async function tunnelBytes(
  first: TunnelEnd,
  second: TunnelEnd,
  options: TunnelOptions = {},
): Promise<void> {
  const { idleTimeoutMs = 300_000, signal, wheel = deadlines } = options;
  const close = (): void => {
    closeQuietly(first.transport);
    closeQuietly(second.transport);
  };
  if (!(idleTimeoutMs >= 0)) {
    close();
    throw new RangeError(
      `Cannot tunnel: idleTimeoutMs is ${idleTimeoutMs}, expected a number of at least 0`,
    );
  }
  const ending = new AbortController();
  const idle = wheel.create(() => ending.abort(idleError(idleTimeoutMs)));
  const onAbort = (): void => ending.abort(signal!.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  const onProgress = (): void => {
    // One deadline for both directions: a long download is silent the other way.
    if (idleTimeoutMs > 0 && idleTimeoutMs < Infinity) idle.arm(idleTimeoutMs);
  };
  onProgress();
  const bounds = { signal: ending.signal, wheel, onProgress };
  // A direction that fails closes both connections, and so ends the other one.
  const directions = [
    carry(first, second.transport, bounds),
    carry(second, first.transport, bounds),
  ];
  try {
    await Promise.all(directions);
  } finally {
    close();
    idle.cancel();
    signal?.removeEventListener("abort", onAbort);
    await Promise.allSettled(directions);
  }
}

interface Bounds {
  readonly signal: AbortSignal;
  readonly wheel: DeadlineWheel;
  readonly onProgress: () => void;
}

async function carry(from: TunnelEnd, target: Transport, bounds: Bounds): Promise<void> {
  const { transport, bytes } = from;
  try {
    const { signal } = bounds;
    if (bytes !== undefined && bytes.length > 0) await sendAll(target, bytes, { signal });
    await copy(transport, target, { ...bounds, closeWrite: true });
  } catch (error) {
    closeQuietly(transport);
    closeQuietly(target);
    throw error;
  }
}

function idleError(timeoutMs: number): TimeoutError {
  return new TimeoutError(`Cannot tunnel: nothing went either way for ${timeoutMs} ms`, {
    phase: "tunnel",
    timeoutMs,
  });
}
