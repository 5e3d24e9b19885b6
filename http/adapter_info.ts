import type { OutgoingResponse } from "./outgoing_response.ts";
import type { Context } from "./server_context.ts";

/**
 * What a fetch handler is told beside its request: what `Deno.serve` tells, and the context.
 *
 * @example The address of the client
 * ```ts
 * import { serve, toHandler } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = toHandler((_request, info) => Response.json(info.remoteAddr));
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const { hostname } = await (await fetch(`http://127.0.0.1:${port}/`)).json();
 * assertEquals(hostname, "127.0.0.1");
 * ```
 */
export interface FetchInfo {
  /** The address the client connected from. */
  readonly remoteAddr: Deno.Addr;
  /**
   * Resolves when the system has taken the whole answer to send it, rejects if the client was gone
   * before. It can be asked for at any time.
   */
  readonly completed: Promise<void>;
  /**
   * The context of the request, for what a `Response` cannot say: `upgrade(info.ctx)`,
   * `info.ctx.inform(103, ...)`, `info.ctx.tlsInfo`.
   */
  readonly ctx: Context;
}

/** {@linkcode FetchInfo}, and who notes the end. */
export class AdapterInfo implements FetchInfo {
  readonly ctx: Context;
  #completed: Promise<void> | undefined;

  /** @param ctx The request. */
  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  get remoteAddr(): Deno.Addr {
    return this.ctx.remoteAddr;
  }

  get completed(): Promise<void> {
    if (this.#completed === undefined) {
      this.#completed = this.#watch();
      // A client that leaves must not end the process where nobody waits for this.
      this.#completed.catch(() => {});
    }
    return this.#completed;
  }

  #watch(): Promise<void> {
    const response = this.ctx.response as OutgoingResponse;
    const { signal } = this.ctx;
    // Whoever asks late has missed the moment; of a connection that was given away nothing is sent.
    if (response.isEnded || response.isHandedOver || signal.aborted) {
      return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      response.onSettled = (error) => error === undefined ? resolve() : reject(error);
    });
  }
}
