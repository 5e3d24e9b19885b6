import { ConnectionClosedError } from "../nbio/errors.ts";
import type { SendStatus } from "../nbio/send_all.ts";
import type { ExchangeOptions } from "./client_options.ts";
import type { ClientPool } from "./client_pool.ts";
import type { PooledConnection, PoolTarget } from "./client_pool_options.ts";
import type { ExchangeRequest } from "./client_sender.ts";
import type { ExchangeResponse } from "./exchange_response.ts";

/** How one request is sent. */
export interface UpstreamExchangeOptions extends Omit<ExchangeOptions, "signal" | "status"> {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Whether it may be sent again although this much has left. */
  readonly mayRepeat: (status: SendStatus) => boolean;
}

/** A response with the connection it comes by. */
export class UpstreamExchange {
  /** The response, of which the body is still to be read. */
  readonly response: ExchangeResponse;
  readonly #lent: PooledConnection;
  #isReleased = false;

  /**
   * @param response What came.
   * @param lent Where it came.
   */
  constructor(response: ExchangeResponse, lent: PooledConnection) {
    this.response = response;
    this.#lent = lent;
  }

  /** Gives the connection back; one in the middle of a response is closed. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    const { response } = this;
    if (!response.isComplete) response.close();
    this.#lent.noteKeepAlive(response.headers.get("keep-alive"));
    const { isReusable, endReason } = this.#lent.connection;
    if (isReusable || endReason !== undefined) this.#lent.release();
    // The last write is about to settle.
    else void response.ended.then(() => this.#lent.release());
  }
}

/**
 * Sends a request to one server, over a connection of a pool. One that has died while
 * it was idle is replaced where the request may be repeated.
 *
 * This is below `Client`: what an intermediary sends is what came, target and fields
 * alike, and a client would make a URL of the one and add to the others.
 *
 * @param pool Connections.
 * @param target Where to.
 * @param request What is asked.
 * @param status Is kept account in of what has left.
 * @param options Deadlines and signal.
 * @throws {Error} As {@linkcode ClientPool.acquire} and
 * {@linkcode ClientConnection.exchange}.
 */
export async function exchangeWithUpstream(
  pool: ClientPool,
  target: PoolTarget,
  request: ExchangeRequest,
  status: SendStatus,
  options: UpstreamExchangeOptions,
): Promise<UpstreamExchange> {
  const { signal, mayRepeat } = options;
  let fresh = false;
  for (;;) {
    signal.throwIfAborted();
    const idle = fresh ? undefined : pool.acquireIdle(target);
    const lent = idle ?? await pool.acquire(target, { signal, fresh });
    try {
      return new UpstreamExchange(
        await lent.connection.exchange(request, { ...options, status }),
        lent,
      );
    } catch (error) {
      lent.connection.close();
      lent.release();
      // A fresh one cannot have died while idle, so that this happens once.
      if (!lent.reused || !isLost(error) || !mayRepeat(status)) throw error;
      fresh = true;
    }
  }
}

/**
 * Whether a server has left without a byte of the response.
 *
 * @param error What a request has failed with.
 */
export function isLost(error: unknown): boolean {
  return error instanceof ConnectionClosedError && error.bytesReceived === 0;
}
