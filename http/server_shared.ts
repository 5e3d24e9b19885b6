import { type Deadline, deadlines, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { systemClock } from "../nbio/clock.ts";
import type { PreforkWorker } from "../nbio/prefork_worker.ts";
import { encodeAscii } from "./ascii.ts";
import { formatHttpDate } from "./date.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { RequestReader } from "./request_reader.ts";
import type { Context } from "./server_context.ts";
import type { ResolvedServerOptions } from "./server_options.ts";
import { ServerTelemetry } from "./server_telemetry.ts";

/** Spare readers and buffers kept: as many as are busy at once, not as are idle. */
const MAX_SPARE = 256;
/** A buffer that grew beyond it is not kept. */
const MAX_SPARE_BYTES = 128 * 1024;
const MS_PER_SECOND = 1000;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Answers requests: by calling methods of its context, or with a `Response`.
 *
 * @example The smallest handler
 * ```ts
 * import type { Handler } from "@nbio/net/http";
 *
 * const handler: Handler = (ctx) => ctx.text("hello");
 * ```
 */
export type Handler = (ctx: Context) => void | Response | Promise<void | Response>;

/** What a handler gives back. */
export type HandlerResult = ReturnType<Handler>;

/** A connection as its server sees it. */
export interface ServedConnection {
  /** Whether no request is under way, nor a response on its way out. */
  readonly isIdle: boolean;
  /** Cuts the connection. */
  abort(reason: unknown): void;
}

/** Counters of the connections of one server. */
export interface ServerCounters {
  requestCount: number;
  protocolErrorCount: number;
  /** Failed attempts to accept, of listeners below TLS as well. */
  acceptErrorCount: number;
}

/**
 * What all connections of a server share. Readers and output buffers are lent
 * to a connection while it works and come back when it waits: ten thousand idle
 * connections hold none.
 */
export class ServerShared {
  /** Answers the requests. */
  readonly handler: Handler;
  /** Options of the server. */
  readonly options: ResolvedServerOptions;
  /** Where the deadlines of connections wait. */
  readonly wheel: DeadlineWheel;
  /** The connections that are open. */
  readonly connections: Set<ServedConnection> = new Set();
  /** Counters. */
  readonly counters: ServerCounters = {
    requestCount: 0,
    protocolErrorCount: 0,
    acceptErrorCount: 0,
  };
  /** Who counts and traces; `undefined` for nobody. */
  readonly telemetry: ServerTelemetry | undefined;
  /** The `Keep-Alive` line for the first response of a connection. */
  readonly keepAliveLine: Uint8Array;
  /** Whether the server is on its way down. */
  isClosing = false;
  /** Whose ports are listened on; `undefined` for a server that is alone. */
  worker: PreforkWorker | undefined;

  #shutdown: AbortController | undefined;

  readonly #readers: RequestReader[] = [];
  readonly #outputs: OutputBuffer[] = [];
  readonly #dateExpiry: Deadline;
  #dateLine: Uint8Array | undefined;
  #plainTail: Uint8Array | undefined;

  /**
   * @param handler Answers the requests.
   * @param options Options of the server.
   */
  constructor(handler: Handler, options: ResolvedServerOptions) {
    this.handler = handler;
    this.options = options;
    const { clock, timeouts, telemetry } = options;
    this.telemetry = telemetry === undefined ? undefined : new ServerTelemetry(telemetry, clock);
    this.wheel = clock === systemClock ? deadlines : new DeadlineWheel(clock);
    this.#dateExpiry = this.wheel.create(() => this.#dropDate());
    this.keepAliveLine = keepAliveLine(timeouts.keepAliveHintTimeoutMs);
  }

  /** The Date line; at most a second and a tick of the wheel old. */
  get dateLine(): Uint8Array {
    return this.#dateLine ??= this.#renewDate();
  }

  /** The Date line as the end of a head that adds nothing else. */
  get plainTail(): Uint8Array {
    return this.#plainTail ??= Uint8Array.of(CR, LF, ...this.dateLine, CR, LF);
  }

  #dropDate(): void {
    this.#dateLine = undefined;
    this.#plainTail = undefined;
  }

  #renewDate(): Uint8Array {
    const wallMs = this.options.clock.wallNow();
    this.#dateExpiry.arm(MS_PER_SECOND - wallMs % MS_PER_SECOND);
    return encodeAscii(`date: ${formatHttpDate(wallMs)}\r\n`);
  }

  /** Aborts when the server begins to shut down. */
  get shutdownSignal(): AbortSignal {
    if (this.#shutdown === undefined) {
      this.#shutdown = new AbortController();
      if (this.isClosing) this.#shutdown.abort();
    }
    return this.#shutdown.signal;
  }

  /** From now on connections end with their next response. */
  beginShutdown(): void {
    this.isClosing = true;
    this.#shutdown?.abort();
  }

  /** Lends a reader. */
  takeReader(): RequestReader {
    return this.#readers.pop() ?? new RequestReader(this.options.limits, this.options.lenience);
  }

  /** Takes back a reader that is between two requests. */
  giveReader(reader: RequestReader): void {
    if (this.#readers.length < MAX_SPARE) this.#readers.push(reader);
  }

  /** Lends an empty output buffer. */
  takeOutput(): OutputBuffer {
    return this.#outputs.pop() ?? new OutputBuffer();
  }

  /** Takes back an output buffer that no write uses any more. */
  giveOutput(output: OutputBuffer): void {
    output.clear();
    if (this.#outputs.length < MAX_SPARE && output.bytes.length <= MAX_SPARE_BYTES) {
      this.#outputs.push(output);
    }
  }

  /** Lets go of what keeps a timer. */
  close(): void {
    this.#dateExpiry.cancel();
    this.#dropDate();
  }
}

function keepAliveLine(hintMs: number): Uint8Array {
  const seconds = Math.floor(hintMs / MS_PER_SECOND);
  return encodeAscii(
    Number.isFinite(seconds) && seconds > 0 ? `keep-alive: timeout=${seconds}\r\n` : "",
  );
}
