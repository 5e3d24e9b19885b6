/**
 * {@linkcode QueryRun}: one question on its way, from the first query to the response.
 *
 * @module
 */

import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import type { DnsServer } from "./dns_server.ts";
import type { AnswerAction, FailedAction, SendAction } from "./query_action.ts";
import type { QueryMachine } from "./query_machine.ts";
import { messageId, type QueryReceiver } from "./query_receiver.ts";
import type { TcpExchange } from "./tcp_exchange.ts";
import type { UdpExchange, UdpFlow } from "./udp_exchange.ts";

/**
 * Carries a query to a resolver in a way of your own, for example over TLS or HTTPS, and gives the
 * response. The id of the response must be that of the query, or 0 (RFC 8484 section 4.1).
 */
export type QueryExchange = (
  query: Uint8Array<ArrayBuffer>,
  options: { readonly signal: AbortSignal },
) => Promise<Uint8Array>;

/** Ways out for a {@linkcode QueryRun}. */
export interface QueryRoutes {
  /** Over UDP. */
  readonly udp: UdpExchange;
  /** Over TCP. */
  readonly tcp: TcpExchange;
  /** In place of both. */
  readonly exchange?: QueryExchange | undefined;
  /** Where the machine's deadline waits, and whose clock it goes by. */
  readonly wheel: DeadlineWheel;
}

/** How a question ended: with a response, or without one that can be used. */
export type QueryOutcome = AnswerAction | FailedAction;

/** Drives a {@linkcode QueryMachine} with sockets and time. It holds no decision. */
export class QueryRun implements QueryReceiver {
  readonly #machine: QueryMachine;
  readonly #routes: QueryRoutes;
  readonly #outcome: PromiseWithResolvers<QueryOutcome> = Promise.withResolvers();
  readonly #deadline: Deadline;
  #udpFlow: UdpFlow | undefined;
  /** Flows over TCP, and calls of the exchange, by tag. */
  #flows: Map<number, { close(): void }> | undefined;
  #isStepping = false;
  #isOver = false;

  /**
   * Prepares a run.
   *
   * @param machine The machine, not asked yet.
   * @param routes Ways out.
   */
  constructor(machine: QueryMachine, routes: QueryRoutes) {
    this.#machine = machine;
    this.#routes = routes;
    this.#deadline = routes.wheel.create(() => this.#step());
  }

  /**
   * Asks. Called once.
   *
   * @returns How it ended.
   * @throws {Error} What {@linkcode QueryRun.cancel} was given, or what the machine throws because an
   * option cannot be encoded.
   */
  run(): Promise<QueryOutcome> {
    this.#step();
    return this.#outcome.promise;
  }

  /**
   * Gives up.
   *
   * @param reason What `run` rejects with.
   */
  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    this.#outcome.reject(reason);
  }

  receiveMessage(tag: number, bytes: Uint8Array, from: DnsServer): boolean {
    if (this.#isOver) return false;
    const nowMs = this.#now();
    const isTaken = this.#flows?.has(tag)
      ? this.#machine.onMessage(tag, bytes, from, nowMs)
      : this.#machine.onDatagram(tag, bytes, from, nowMs);
    this.#step();
    return isTaken === "taken";
  }

  receiveFailure(tag: number, error: unknown): void {
    if (this.#isOver) return;
    this.#machine.onFailure(tag, error, this.#now());
    this.#step();
  }

  #now(): number {
    return this.#routes.wheel.now();
  }

  /** Does what the machine says until it waits. */
  #step(): void {
    // A failure that comes at once comes in the middle of it.
    if (this.#isOver || this.#isStepping) return;
    this.#isStepping = true;
    try {
      this.#follow();
    } catch (error) {
      this.cancel(error);
    } finally {
      this.#isStepping = false;
    }
  }

  #follow(): void {
    for (;;) {
      const nowMs = this.#now();
      const action = this.#machine.next(nowMs);
      switch (action.type) {
        case "send":
          this.#send(action);
          break;
        case "wait":
          this.#closeIdleFlows();
          this.#deadline.arm(Math.max(1, action.untilMs - nowMs));
          return;
        default:
          this.#finish();
          this.#outcome.resolve(action);
          return;
      }
    }
  }

  #send(action: SendAction): void {
    const { over, server, bytes, tag } = action;
    const { udp, tcp, exchange } = this.#routes;
    try {
      if (exchange !== undefined) this.#exchange(exchange, action);
      else if (over === "tcp") this.#keep(tag, tcp.send(server, bytes, this, tag));
      else (this.#udpFlow ??= udp.open()).send(server, bytes, this, tag);
    } catch (error) {
      this.#machine.onFailure(tag, error, this.#now());
    }
  }

  async #exchange(
    exchange: QueryExchange,
    { server, bytes, tag }: SendAction,
  ): Promise<void> {
    const controller = new AbortController();
    this.#keep(tag, { close: () => controller.abort() });
    const id = messageId(bytes);
    try {
      const response = await exchange(bytes, { signal: controller.signal });
      this.receiveMessage(tag, withId(response, id), server);
      // Nothing else is going to come.
      this.receiveFailure(tag, new ConnectionClosedError("Cannot use response: it does not match"));
    } catch (error) {
      this.receiveFailure(tag, error);
    }
  }

  /** Connections and calls whose answer no longer counts need not be kept. */
  #closeIdleFlows(): void {
    for (const [tag, flow] of this.#flows ?? []) {
      if (this.#machine.isOpen(tag)) continue;
      this.#flows!.delete(tag);
      flow.close();
    }
  }

  #finish(): void {
    this.#isOver = true;
    this.#deadline.cancel();
    this.#udpFlow?.close();
    for (const flow of this.#flows?.values() ?? []) flow.close();
    this.#flows = undefined;
  }

  #keep(tag: number, flow: { close(): void }): void {
    (this.#flows ??= new Map()).set(tag, flow);
  }
}

/** Caches of the web see the same query more often if its id is 0, so they send it. */
function withId(response: Uint8Array, id: number): Uint8Array {
  if (response.length < 2 || messageId(response) !== 0) return response;
  const bytes = response.slice();
  bytes[0] = id >>> 8;
  bytes[1] = id;
  return bytes;
}
