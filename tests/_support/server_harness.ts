/**
 * A server without sockets and without waiting: connections are memory pipes,
 * time is a {@linkcode ManualClock}, and every test says when both move.
 */

import { HttpServer } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryPipeOptions } from "../../nbio/testing_memory_pipe.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { MemorySource } from "./memory_source.ts";
import { bytesOf, textOf } from "./raw_bytes.ts";
import { parseResponse, type RawResponse } from "./raw_response.ts";

/** The wheel of the server may be late by this much. */
export const TICK_MS = 100;
/** Wall time at the start: a second that is easy to read in a Date field. */
export const WALL_START_MS = 784_111_777_000;

/** An error that `onError` was told of. */
export interface ReportedError {
  readonly error: unknown;
  readonly ctx: Context | undefined;
}

/**
 * The text of a request with HTTP/1.1 and a Host.
 *
 * @param start Method and target, `GET /` for example.
 * @param fields Further field lines.
 * @param body What follows the head.
 */
export function request(start: string, fields: readonly string[] = [], body = ""): string {
  return [`${start} HTTP/1.1`, "Host: a", ...fields, "", body].join("\r\n");
}

/** The text of a request with a body of known length. */
export function post(target: string, body: string, fields: readonly string[] = []): string {
  return request(`POST ${target}`, [`Content-Length: ${body.length}`, ...fields], body);
}

/** The text of a request with a chunked body, one chunk per piece. */
export function postChunks(target: string, pieces: readonly string[]): string {
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  return request(`POST ${target}`, ["Transfer-Encoding: chunked"], `${chunks.join("")}0\r\n\r\n`);
}

/** A promise that stays unsettled until the test settles it. */
export interface Gate {
  /** Waits. */
  readonly passed: Promise<void>;
  /** Lets everybody pass. */
  open(): void;
}

/** Makes a {@linkcode Gate}. */
export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

/** Lets everything run that waits for nothing but promises. */
export function turn(): Promise<void> {
  // Not to let time pass: a timer comes after all microtasks, however many
  // they become.
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A server whose connections, time and errors are in the hands of a test. */
export class ServerHarness implements AsyncDisposable {
  /** Time. */
  readonly clock: ManualClock = new ManualClock({ wallStartMs: WALL_START_MS });
  /** The server. */
  readonly server: HttpServer;
  /** What `onError` was told, in order. */
  readonly reported: ReportedError[] = [];
  readonly #source = new MemorySource();
  readonly #clients: HarnessClient[] = [];

  /**
   * @param handler Answers the requests.
   * @param options What to change about the server.
   */
  constructor(handler: Handler, options: ServeOptions = {}) {
    this.server = new HttpServer(handler, {
      clock: this.clock,
      listener: this.#source,
      onError: (error, ctx) => this.reported.push({ error, ctx }),
      ...options,
    });
  }

  /** Opens a connection. */
  async connect(options: MemoryPipeOptions = {}): Promise<HarnessClient> {
    const [near, far] = memoryPipe(options);
    const tap = new TapTransport(far);
    const client = new HarnessClient(near, tap);
    this.#clients.push(client);
    this.#source.offer(tap);
    await turn();
    return client;
  }

  /** Opens a connection, sends, and lets the server do what it can. */
  async open(data: string | Uint8Array, options: MemoryPipeOptions = {}): Promise<HarnessClient> {
    const client = await this.connect(options);
    await client.send(data);
    return client;
  }

  /** Sends one request on a connection of its own and gives the first response. */
  async request(data: string | Uint8Array, isHead = false): Promise<RawResponse> {
    const client = await this.open(data);
    return client.response(isHead);
  }

  /** Lets time pass, then everything run that waits for nothing else. */
  async advance(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await turn();
  }

  /** Lets time pass to just before a deadline can have fired. */
  async advanceToJustBefore(timeoutMs: number): Promise<void> {
    await this.advance(timeoutMs - 1);
  }

  /** Lets time pass until a deadline must have fired. */
  async advancePast(): Promise<void> {
    await this.advance(1 + TICK_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.shutdown({ graceMs: 0 });
  }
}

/** The client's end of a connection. It reads only when it is told to. */
export class HarnessClient {
  /** The server's end. */
  readonly server: TapTransport;
  readonly #near: Transport;
  readonly #buffer = new ReceiveBuffer({ maxBytes: 256 * 1024 * 1024 });
  #isEnded = false;
  #isPaused = false;
  #pumping: Promise<void> | undefined;

  /**
   * @param near The client's end.
   * @param server The server's end.
   */
  constructor(near: Transport, server: TapTransport) {
    this.#near = near;
    this.server = server;
  }

  /** Stops reading, as a client does that is slow or hostile. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Reads on. */
  async resume(): Promise<void> {
    this.#isPaused = false;
    await this.#drain();
  }

  /**
   * Sends bytes, or text with one byte per character, and lets the server do
   * what it can. What the server does not take is left behind.
   */
  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? bytesOf(data) : data;
    void writeAll(this.#near, bytes);
    await this.#drain();
  }

  /** Ends the client's direction. */
  async end(): Promise<void> {
    await this.#near.closeWrite();
    await this.#drain();
  }

  /** Leaves in order: the server reads the end, and its writes fail. */
  close(): void {
    closeQuietly(this.#near);
  }

  /** Leaves by a reset: the server's reads and writes fail. */
  async reset(): Promise<void> {
    this.server.reset();
    await turn();
  }

  /** What came and was not taken as a response, one character per byte. */
  async text(): Promise<string> {
    await this.#drain();
    return textOf(this.#buffer.view());
  }

  /** Number of bytes that came and were not taken. */
  async byteCount(): Promise<number> {
    await this.#drain();
    return this.#buffer.length;
  }

  /** Whether the server has ended its direction. */
  async isEnded(): Promise<boolean> {
    await this.#drain();
    return this.#isEnded;
  }

  /** Takes the next response, which has to be there. */
  async response(isHead = false): Promise<RawResponse> {
    const response = await this.maybeResponse(isHead);
    if (response !== undefined) return response;
    const text = JSON.stringify(textOf(this.#buffer.view().subarray(0, 200)));
    throw new Error(`No whole response: ${text}, ended: ${this.#isEnded}`);
  }

  /** Takes the next response if it is there. */
  async maybeResponse(isHead = false): Promise<RawResponse | undefined> {
    await this.#drain();
    const parsed = parseResponse(this.#buffer.view(), { isHead, isEnded: this.#isEnded });
    if (parsed === undefined) return undefined;
    this.#buffer.consume(parsed.end);
    return parsed.response;
  }

  /** Statuses of all responses that are there. */
  async statuses(): Promise<number[]> {
    const statuses: number[] = [];
    for (let next; (next = await this.maybeResponse()) !== undefined;) statuses.push(next.status);
    return statuses;
  }

  async #drain(): Promise<void> {
    if (!this.#isPaused) this.#pumping ??= this.#pump();
    await turn();
  }

  async #pump(): Promise<void> {
    const space = new Uint8Array(65_536);
    try {
      while (!this.#isPaused && !this.#isEnded) {
        const count = await this.#near.read(space);
        if (count === null) this.#isEnded = true;
        else this.#append(space.subarray(0, count));
      }
    } catch {
      // The client closed itself.
    }
    this.#pumping = undefined;
  }

  #append(bytes: Uint8Array): void {
    this.#buffer.writable(bytes.length).set(bytes);
    this.#buffer.commit(bytes.length);
  }
}

async function writeAll(transport: Transport, bytes: Uint8Array): Promise<void> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await transport.write(bytes.subarray(sent));
  } catch {
    // The server has closed: what it said is still to be read.
  }
}

/**
 * A transport that counts what goes through it, can be reset, and fails a test
 * that has two reads or two writes waiting.
 */
export class TapTransport implements Transport {
  /** Length of every write. */
  readonly writes: number[] = [];
  /** Bytes read so far. */
  readBytes = 0;
  /** Whether it was closed. */
  isClosed = false;
  /** Whether its direction was ended. */
  isWriteClosed = false;
  /** What broke the rules of `Transport`. */
  readonly violations: string[] = [];
  readonly #inner: Transport;
  readonly #reset = Promise.withResolvers<never>();
  #isReset = false;
  #isReading = false;
  #isWriting = false;

  /** @param inner What it stands in front of. */
  constructor(inner: Transport) {
    this.#inner = inner;
    this.#reset.promise.catch(() => {});
  }

  get localAddr(): Deno.Addr {
    return this.#inner.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#inner.remoteAddr;
  }

  /** Fails every read and write, also those that wait. */
  reset(): void {
    this.#isReset = true;
    this.#reset.reject(new Deno.errors.ConnectionReset("Connection reset by peer"));
  }

  async read(p: Uint8Array): Promise<number | null> {
    if (this.#isReading) this.violations.push("a read while another waits");
    this.#isReading = true;
    try {
      const count = await Promise.race([this.#reset.promise, this.#inner.read(p)]);
      this.readBytes += count ?? 0;
      return count;
    } finally {
      this.#isReading = false;
    }
  }

  async write(p: Uint8Array): Promise<number> {
    if (this.#isWriting) this.violations.push("a write while another waits");
    if (this.isWriteClosed) this.violations.push("a write behind the end");
    this.#isWriting = true;
    this.writes.push(p.length);
    try {
      if (this.#isReset) await this.#reset.promise;
      return await Promise.race([this.#reset.promise, this.#inner.write(p)]);
    } finally {
      this.#isWriting = false;
    }
  }

  closeWrite(): Promise<void> {
    this.isWriteClosed = true;
    return this.#inner.closeWrite();
  }

  close(): void {
    this.isClosed = true;
    this.#inner.close();
  }
}
