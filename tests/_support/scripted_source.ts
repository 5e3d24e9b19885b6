import type { AcceptSource } from "../../nbio/accept_source.ts";
import type { Transport } from "../../nbio/transport.ts";
import { settle } from "../../nbio/testing_settle.ts";

/** A source of connections whose `accept` is answered by the test. */
export class ScriptedSource implements AcceptSource {
  readonly addr: Deno.Addr;
  /** Calls of `accept` so far. */
  acceptCount = 0;
  /** Calls of `close` so far. */
  closeCount = 0;
  /** Whether it keeps the process alive. */
  refed = true;
  #waiting: PromiseWithResolvers<Transport> | undefined;

  constructor(port = 1) {
    this.addr = { transport: "tcp", hostname: "127.0.0.1", port };
  }

  /** Whether an `accept` waits. */
  get isAwaited(): boolean {
    return this.#waiting !== undefined;
  }

  accept(): Promise<Transport> {
    this.acceptCount++;
    if (this.closeCount > 0) return Promise.reject(new Deno.errors.BadResource("Closed"));
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Answers the `accept` that waits, and lets what follows happen. */
  async give(transport: Transport): Promise<void> {
    this.#take().resolve(transport);
    await settle();
  }

  /** Fails the `accept` that waits, and lets what follows happen. */
  async fail(error: unknown): Promise<void> {
    this.#take().reject(error);
    await settle();
  }

  close(): void {
    this.closeCount++;
    this.#waiting?.reject(new Deno.errors.BadResource("Closed"));
    this.#waiting = undefined;
  }

  ref(): void {
    this.refed = true;
  }

  unref(): void {
    this.refed = false;
  }

  #take(): PromiseWithResolvers<Transport> {
    const waiting = this.#waiting;
    if (!waiting) throw new Error("Nobody waits for a connection");
    this.#waiting = undefined;
    return waiting;
  }
}
