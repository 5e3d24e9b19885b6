/**
 * A client's connection without sockets and without waiting: the server is a test that reads and
 * writes when it likes, and time is a {@linkcode ManualClock}.
 */

import { ClientConnection } from "../../http/client_connection.ts";
import type { ExchangeOptions } from "../../http/client_options.ts";
import type { ExchangeRequest } from "../../http/client_sender.ts";
import type { ExchangeResponse } from "../../http/exchange_response.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import {
  memoryPipe,
  type MemoryPipeOptions,
  type MemoryTransport,
} from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { WatchedTransport } from "./cancelling.ts";
import { bytesOf, textOf } from "./raw_bytes.ts";

/** The simplest request. */
export const GET: ExchangeRequest = { target: "/", headers: { host: "a" } };

/** Why a promise rejected, which it has to. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not reject");
}

/** A connection whose server and time are in the hands of a test. */
export class ClientHarness implements Disposable {
  /** Time. */
  readonly clock: ManualClock = new ManualClock();
  /** Where its deadlines wait. */
  readonly wheel: DeadlineWheel = new DeadlineWheel(this.clock);
  /** The connection. */
  readonly connection: ClientConnection;
  /** The client's end, counted. */
  readonly transport: WatchedTransport;
  /** The server's end. */
  readonly server: MemoryTransport;
  #received = "";
  #isEnded = false;
  #pumping: Promise<void> | undefined;

  /** @param options Of the pipe. */
  constructor(options: MemoryPipeOptions = {}) {
    const [near, far] = memoryPipe(options);
    this.server = far;
    this.transport = new WatchedTransport(near);
    this.connection = new ClientConnection(this.transport, { wheel: this.wheel });
  }

  /** Begins an exchange; what becomes of it is looked at later. */
  begin(
    request: ExchangeRequest = GET,
    options: ExchangeOptions = {},
  ): Promise<ExchangeResponse> {
    const response = this.connection.exchange(request, options);
    response.catch(() => {});
    return response;
  }

  /** One exchange with a server that says something and, where told, ends. */
  async answered(
    answer: string,
    request: ExchangeRequest = GET,
    options: ExchangeOptions = {},
  ): Promise<ExchangeResponse> {
    const response = this.begin(request, options);
    await this.received();
    await this.send(answer);
    return await response;
  }

  /** What the server has read since this was last asked, one character per byte. */
  async received(): Promise<string> {
    this.#pumping ??= this.#pump();
    await settle();
    const text = this.#received;
    this.#received = "";
    return text;
  }

  /** Whether the client has closed, seen from the server, once all was read. */
  async isClosed(): Promise<boolean> {
    await this.received();
    return this.#isEnded;
  }

  /** Says something, one byte per character. */
  async send(text: string): Promise<void> {
    const bytes = bytesOf(text);
    for (let at = 0; at < bytes.length;) at += await this.server.write(bytes.subarray(at));
    await settle();
  }

  /** Ends the server's direction. */
  async end(): Promise<void> {
    await this.server.closeWrite();
    await settle();
  }

  /** Lets time pass, then everything run that waits for nothing else. */
  async advance(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await settle();
  }

  [Symbol.dispose](): void {
    this.connection.close();
    closeQuietly(this.transport);
    closeQuietly(this.server);
  }

  async #pump(): Promise<void> {
    const space = new Uint8Array(65_536);
    try {
      for (let count; (count = await this.server.read(space)) !== null;) {
        this.#received += textOf(space.subarray(0, count));
      }
    } catch {
      // The test has closed its end.
    }
    this.#isEnded = true;
  }
}
