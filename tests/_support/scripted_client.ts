/**
 * A {@linkcode Client} without sockets and without waiting: its servers are a test that reads and
 * writes when it likes, and time is a {@linkcode ManualClock}.
 */

import { Client } from "../../http/client.ts";
import type { ClientResponse } from "../../http/client_response.ts";
import type { ClientOptions, RequestOptions } from "../../http/client_settings.ts";
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

/** The shortest answer to keep a connection for. */
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The server's end of one connection. */
export class ScriptedServer {
  /** Where the client wanted to. */
  readonly url: URL;
  /** The client's end, counted. */
  readonly near: WatchedTransport;
  /** The server's end. */
  readonly far: MemoryTransport;
  #received = "";
  #isEnded = false;
  #pumping: Promise<void> | undefined;

  constructor(url: URL, options: MemoryPipeOptions) {
    const [near, far] = memoryPipe(options);
    this.url = url;
    this.near = new WatchedTransport(near);
    this.far = far;
  }

  /** What was read since this was last asked, one character per byte. */
  async received(): Promise<string> {
    this.#pumping ??= this.#pump();
    await settle();
    const text = this.#received;
    this.#received = "";
    return text;
  }

  /** Says something, one byte per character. */
  async send(text: string): Promise<void> {
    const bytes = bytesOf(text);
    for (let at = 0; at < bytes.length;) at += await this.far.write(bytes.subarray(at));
    await settle();
  }

  /** Reads a request, and answers. */
  async answer(text: string = OK): Promise<string> {
    const request = await this.received();
    await this.send(text);
    return request;
  }

  /** Ends the server's direction. */
  async end(): Promise<void> {
    await this.far.closeWrite();
    await settle();
  }

  /** Whether the client has closed. */
  async isClosed(): Promise<boolean> {
    await this.received();
    return this.#isEnded;
  }

  async #pump(): Promise<void> {
    const space = new Uint8Array(65_536);
    try {
      for (let count; (count = await this.far.read(space)) !== null;) {
        this.#received += textOf(space.subarray(0, count));
      }
    } catch {
      // The test has closed its end.
    }
    this.#isEnded = true;
  }
}

/** A client whose servers and time are in the hands of a test. */
export class ScriptedClient implements AsyncDisposable {
  /** Time. */
  readonly clock: ManualClock = new ManualClock();
  /** Where its deadlines wait. */
  readonly wheel: DeadlineWheel = new DeadlineWheel(this.clock);
  /** The client. */
  readonly client: Client;
  /** Connections in the order in which they were made. */
  readonly servers: ScriptedServer[] = [];

  constructor(
    options: Omit<ClientOptions, "wheel" | "clock"> = {},
    pipe: MemoryPipeOptions = {},
  ) {
    this.client = new Client({
      transport: (url) => {
        const server = new ScriptedServer(url, pipe);
        this.servers.push(server);
        return Promise.resolve(server.near);
      },
      ...options,
      wheel: this.wheel,
      clock: this.clock,
    });
  }

  /** The connection that was made last. */
  get server(): ScriptedServer {
    return this.servers.at(-1)!;
  }

  /** Begins a request; what becomes of it is looked at later. */
  async begin(
    method = "GET",
    url = "http://a.example/",
    options: RequestOptions | undefined = undefined,
  ): Promise<{ readonly response: Promise<ClientResponse> }> {
    const response = this.client.request(method, url, options);
    response.catch(() => {});
    await settle();
    return { response };
  }

  /** One request and its answer. */
  async answered(
    answer: string = OK,
    method = "GET",
    url = "http://a.example/",
    options: RequestOptions | undefined = undefined,
  ): Promise<ClientResponse> {
    const { response } = await this.begin(method, url, options);
    await this.server.answer(answer);
    return await response;
  }

  /** Lets time pass, then everything run that waits for nothing else. */
  async advance(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await settle();
  }

  /** What is left when it should be nothing: timers, and operations that wait. */
  async leftovers(): Promise<{ deadlines: number; pending: number; open: number }> {
    await settle();
    return {
      deadlines: this.wheel.armedCount,
      pending: this.servers.reduce((sum, { near }) => sum + near.pendingCount, 0),
      open: this.servers.filter(({ near }) => near.closeCount === 0).length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    for (const { far } of this.servers) closeQuietly(far);
    await settle();
  }
}
