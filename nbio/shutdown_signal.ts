/**
 * {@linkcode shutdownSignal}: waiting for the signal that asks the process to
 * end.
 *
 * @module
 */

/** Options of {@linkcode shutdownSignal}. */
export interface ShutdownSignalOptions {
  /**
   * The signals that count, at least one.
   *
   * @default {["SIGINT", "SIGTERM"], on Windows ["SIGINT", "SIGBREAK"]}
   */
  readonly signals?: readonly Deno.Signal[];

  /**
   * Stops the waiting: the promise rejects with its reason, and the signals end
   * the process again, as they do by default.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/**
 * Waits for a signal of the system that asks the process to end, such as Ctrl-C.
 * It is caught once, so that servers can be shut down in order; a second one ends
 * the process at once, as without this function.
 *
 * The waiting does not keep the process alive: servers do. Needs no permission.
 *
 * @param options Which signals, and how to stop waiting.
 * @returns A promise that resolves with the signal that came.
 * @throws {TypeError} If a signal cannot be caught on this system.
 * @throws {RangeError} If `signals` is empty.
 * @throws {Error} The reason of `signal`, untouched.
 *
 * @example Shutting down servers
 * ```ts ignore
 * import { serve } from "@nbio/net/http";
 * import { shutdownSignal } from "@nbio/net/nbio";
 *
 * const servers = [serve(() => {}, { port: 8000 }), serve(() => {}, { port: 8001 })];
 * await shutdownSignal();
 * await Promise.all(servers.map((server) => server.shutdown({ graceMs: 10_000 })));
 * ```
 *
 * @example No longer than the server lives
 * ```ts
 * import { shutdownSignal } from "@nbio/net/nbio";
 * import { assertStrictEquals, assertRejects } from "@std/assert";
 *
 * const controller = new AbortController();
 * const asked = shutdownSignal({ signal: controller.signal });
 * controller.abort();
 * const reason = await assertRejects(() => asked);
 * assertStrictEquals(reason, controller.signal.reason);
 * ```
 */
export function shutdownSignal(options: ShutdownSignalOptions = {}): Promise<Deno.Signal> {
  const { signals = defaultSignals(), signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    if (signals.length === 0) throw new RangeError("Cannot wait: signals is empty");
    const caught = new Map<Deno.Signal, () => void>();
    const stop = (): void => {
      signal?.removeEventListener("abort", onAbort);
      for (const [name, listener] of caught) Deno.removeSignalListener(name, listener);
    };
    const onAbort = (): void => {
      stop();
      reject(signal!.reason);
    };
    for (const name of new Set(signals)) {
      const listener = (): void => {
        stop();
        resolve(name);
      };
      try {
        Deno.addSignalListener(name, listener);
      } catch (error) {
        stop();
        throw error;
      }
      caught.set(name, listener);
    }
    signal?.addEventListener("abort", onAbort);
  });
}

function defaultSignals(): readonly Deno.Signal[] {
  return Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
}
