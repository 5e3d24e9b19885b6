import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import { lingeringClose } from "../nbio/linger.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { HttpError } from "./errors.ts";
import { OutgoingResponse } from "./outgoing_response.ts";
import { requestFault } from "./request_fault.ts";
import type { RequestReader } from "./request_reader.ts";
import { ServerDeadline } from "./server_deadline.ts";
import { answerError } from "./server_errors.ts";
import { type ExchangeHost, ServerExchange } from "./server_exchange.ts";
import type { HandedExchange } from "./server_handover.ts";
import { type InputOwner, ServerInput } from "./server_input.ts";
import { MAX_INLINE_BYTES, ServerOutput } from "./server_output.ts";
import type { HandlerResult, ServedConnection, ServerShared } from "./server_shared.ts";
import type { ServerObserver } from "./server_telemetry.ts";

/** Responses of pipelined requests collect up to this size before they leave. */
const MAX_BATCH_BYTES = 64 * 1024;

/** What a connection waits for. */
const Step = {
  /** A read of its own, into the input buffer. */
  READ: 0,
  /** A read that was started while a handler ran. */
  FILL: 1,
  WRITE: 2,
  WRITE_REST: 3,
  /** A handler, and what follows its response. */
  ANSWER: 4,
  /** The last bytes and the end. */
  FINISH: 5,
} as const;
type Step = typeof Step[keyof typeof Step];

/**
 * One connection of a server: reads requests, runs the handler, sends the
 * responses, and ends when it has to. A synchronous handler costs no turn of
 * the event loop: all requests that have come are answered in one go, and their
 * responses leave in one write.
 */
export class ServerConnection implements ExchangeHost, InputOwner, ServedConnection {
  /** The accepted connection. */
  readonly transport: Transport;
  /** What the connections of the server share. */
  readonly shared: ServerShared;
  /** The one deadline. */
  readonly deadline: ServerDeadline;
  /** The reading half. */
  readonly input: ServerInput;
  /** The writing half. */
  readonly output: ServerOutput;
  /** Requests so far. */
  requestCount = 0;

  /** Who counts and traces; asked for once per connection. */
  readonly #observer: ServerObserver | undefined;
  #reader: RequestReader | undefined;
  #exchange: ServerExchange | undefined;
  /** What the connection became when it was given away. */
  #heir: HandedExchange | undefined;
  #step: Step = Step.READ;
  #isAborted = false;
  /** An error was answered while a read was under way: what comes is dropped. */
  #isRefused = false;

  /**
   * @param transport The accepted connection.
   * @param shared What the connections of the server share.
   */
  constructor(transport: Transport, shared: ServerShared) {
    this.transport = transport;
    this.shared = shared;
    const { wheel, options } = shared;
    this.input = new ServerInput(transport, options, this);
    const onExpire = () => this.#onDeadline();
    this.deadline = new ServerDeadline(wheel, options.timeouts, onExpire, this.input);
    this.output = new ServerOutput(transport, shared, this.deadline, this);
    this.#observer = shared.telemetry?.observe();
  }

  /** Whether no request is under way, nor a response on its way out. */
  get isIdle(): boolean {
    const { phase } = this.deadline;
    // The buffer keeps an empty line for the head behind it (RFC 9112 section 2.2): it is no request.
    const hasRequest = this.input.buffer.length > 0 && this.#reader?.isStarted !== false;
    return this.#exchange === undefined && !hasRequest && (phase === "head" || phase === "idle");
  }

  get isGone(): boolean {
    return this.#isAborted || this.input.error !== undefined;
  }

  /**
   * Serves the connection to its end. Never rejects.
   *
   * The path of every request, so all waiting is in one place: each further
   * asynchronous function, and each variable that lives across an `await`, costs
   * time per request (`tests/bench/http_server/main.ts`) and memory per idle
   * connection (`tests/bench/http_server/idle_memory.ts`).
   */
  async run(): Promise<void> {
    this.shared.connections.add(this);
    try {
      this.deadline.arm("head");
      let waiting = this.#answerAll();
      while (waiting !== undefined) waiting = this.#resume(await waiting);
    } catch (error) {
      this.abort(error);
    } finally {
      this.#observer?.cut(this.input.error);
      // Nothing of it is left to be sent, whatever has ended the connection.
      this.#exchange?.lose(this.input.error);
      this.deadline.cancel();
      this.output.release();
      if (this.#heir === undefined) closeQuietly(this.transport);
      this.shared.connections.delete(this);
    }
    // It counts as ours until it is closed, by whoever has it now.
    return this.#heir?.ended;
  }

  /** Notes what is waited for. */
  #wait(step: Step, promise: Promise<unknown>): Promise<unknown> {
    this.#step = step;
    return promise;
  }

  /** Goes on after a wait; to the next one, or `undefined` at the end. */
  #resume(value: unknown): Promise<unknown> | undefined {
    switch (this.#step) {
      case Step.READ:
        this.input.endRead(value as number | null);
        return this.#afterInput();
      case Step.FILL:
        return this.#afterInput();
      case Step.WRITE: {
        const rest = this.output.endWrite(value as number);
        // Requests may have come meanwhile, by the read that watches for the client's end.
        return rest === undefined ? this.#answerAll() : this.#wait(Step.WRITE_REST, rest);
      }
      case Step.WRITE_REST:
        return this.#answerAll();
      case Step.ANSWER:
        return value ? this.#answerAll() : this.#wait(Step.FINISH, this.#finish());
      case Step.FINISH:
        return undefined;
    }
  }

  #afterInput(): Promise<unknown> | undefined {
    if (this.#isRefused) return this.#wait(Step.FINISH, this.#dropInput());
    return this.input.error === undefined ? this.#answerAll() : undefined;
  }

  /** Answers all that has come, up to where something has to be waited for. */
  #answerAll(): Promise<unknown> | undefined {
    while (!this.#isAborted) {
      const reader = this.#reader ??= this.shared.takeReader();
      const isComplete = this.#readHead(reader);
      if (!isComplete) {
        if (this.output.isBusy) return this.#wait(Step.WRITE_REST, this.output.flush());
        if (this.output.length === 0) return this.#awaitHead();
        return this.#wait(Step.WRITE, this.transport.write(this.output.beginWrite()));
      }
      const goesOn = isComplete === true && this.#answer(reader);
      if (goesOn === false) return this.#wait(Step.FINISH, this.#finish());
      if (goesOn !== true) return this.#wait(Step.ANSWER, goesOn);
    }
    return undefined;
  }

  #awaitHead(): Promise<unknown> | undefined {
    if (!this.#startWaitingForHead()) return this.#wait(Step.FINISH, this.#finish());
    if (this.input.pending !== undefined) return this.#wait(Step.FILL, this.input.pending);
    return this.#wait(Step.READ, this.transport.read(this.input.beginRead()));
  }

  /** Whether a head is complete, or refused: then the refusal is written. */
  #readHead(reader: RequestReader): boolean | "refused" {
    try {
      return reader.readHead(this.input.buffer);
    } catch (error) {
      this.#writeRefusal(error);
      return "refused";
    }
  }

  /** Cuts the connection; `ctx.signal` aborts with the reason. */
  abort(reason: unknown): void {
    this.#observer?.note(reason);
    this.#isAborted = true;
    this.#exchange?.cut(reason);
    this.input.failWait(reason);
    closeQuietly(this.transport);
  }

  /** Sets the clock for the next head; false where there will be none. */
  #startWaitingForHead(): boolean {
    const reader = this.#reader!;
    if (this.input.isEnded) {
      const error = reader.errorAtEnd();
      if (error !== undefined) this.#writeRefusal(error);
      return false;
    }
    if (reader.isStarted) {
      if (this.deadline.phase !== "head") this.deadline.arm("head");
      return true;
    }
    if (this.shared.isClosing) return false;
    // An empty line alone is no request, but its reader has seen it.
    if (this.input.buffer.length === 0) {
      this.shared.giveReader(reader);
      this.#reader = undefined;
      this.input.rest();
    }
    if (this.requestCount > 0) this.deadline.arm("idle");
    return true;
  }

  /** Runs the handler for one request; whether another one may follow. */
  #answer(reader: RequestReader): boolean | Promise<boolean> {
    this.requestCount++;
    this.shared.counters.requestCount++;
    const exchange = this.#exchange = new ServerExchange(this, reader);
    let result: HandlerResult = undefined;
    try {
      const handler = reader.method === "CONNECT"
        ? this.shared.options.onConnect ?? refuseConnect
        : this.shared.handler;
      const observer = this.#observer;
      result = observer === undefined ? handler(exchange.context) : observer.run(handler, exchange);
    } catch (error) {
      exchange.answerError(error);
    }
    if (result !== undefined || !exchange.isSimple) {
      return this.#answerLater(exchange, reader, result);
    }
    const large = exchange.writeSimple();
    const isOver = large === undefined && reader.isBodyDone && !exchange.isLast &&
      exchange.response.onSettled === undefined;
    if (isOver && this.output.length < MAX_BATCH_BYTES) return this.#next(reader);
    return this.#afterResponse(exchange, reader, large);
  }

  async #answerLater(
    exchange: ServerExchange,
    reader: RequestReader,
    result: HandlerResult,
  ): Promise<boolean> {
    // It may have come with an earlier request.
    if (this.input.isEnded) this.onInputEnd();
    await exchange.settle(result);
    if (exchange.handed !== undefined) {
      // The handler has settled, and what it asked for is not done.
      if (this.#heir === undefined) await exchange.handed.closed;
      this.#isAborted = true;
    }
    if (this.isGone) return false;
    return await this.#afterResponse(exchange, reader, exchange.writeSimple());
  }

  /** What follows a response: the rest of it, then the rest of the request. */
  async #afterResponse(
    exchange: ServerExchange,
    reader: RequestReader,
    large: Uint8Array | undefined,
  ): Promise<boolean> {
    this.deadline.cancel();
    if (exchange.isBodyBroken) this.shared.counters.protocolErrorCount++;
    const { mustClose } = exchange;
    // The rest of the body is ours: a handler that still reads gets an error.
    exchange.end();
    if (large !== undefined) await this.output.write(large);
    if (exchange.response.onSettled !== undefined) {
      await this.output.flush();
      exchange.response.settle(undefined);
    }
    if (mustClose) return false;
    if (this.output.length >= MAX_BATCH_BYTES || !reader.isBodyDone) await this.output.flush();
    if (!reader.isBodyDone && !await this.#drain(reader)) return false;
    this.deadline.cancel();
    return this.#next(reader);
  }

  giveAway(heir: HandedExchange): void {
    const { connections } = this.shared;
    this.#observer?.end();
    connections.delete(this);
    connections.add(heir);
    this.#heir = heir;
    this.#exchange?.response.settle(undefined);
    this.#exchange = undefined;
    this.input.giveAway();
    const reader = this.#reader!;
    if (!reader.isBodyDone) return;
    reader.next();
    this.shared.giveReader(reader);
  }

  #next(reader: RequestReader): true {
    this.#observer?.end();
    this.#exchange?.end();
    this.#exchange = undefined;
    reader.next();
    return true;
  }

  /** Drops what was not read of a body; false if that is too much. */
  async #drain(reader: RequestReader): Promise<boolean> {
    const { input } = this;
    let remaining = this.shared.options.maxDrainBytes;
    try {
      while (!reader.isBodyDone) {
        const view = reader.takeBody(input.buffer);
        if (view !== undefined) {
          remaining -= view.length;
          if (remaining < 0) return false;
        } else if (!reader.isBodyDone) {
          if (input.isEnded || input.error !== undefined) return false;
          this.deadline.arm("body");
          await input.wait(input.fill());
        }
      }
    } catch {
      // Malformed or stalled: the answer has left, only closing remains.
      return false;
    }
    return true;
  }

  /** Sends what waits and closes so that the client can read it. */
  async #finish(): Promise<void> {
    this.#exchange?.end();
    this.#exchange?.lose(this.input.error);
    this.#exchange = undefined;
    this.deadline.cancel();
    if (this.isGone) return;
    await this.output.flush();
    this.#observer?.end();
    // Nothing more comes that could be answered with a reset.
    if (this.input.isEnded) return;
    if (this.input.pending !== undefined) return await this.#lingerBehindRead();
    const { timeouts } = this.shared.options;
    await lingeringClose(this.transport, {
      // A client in the middle of a large upload still has to read the status.
      maxBytes: Number.MAX_SAFE_INTEGER,
      timeoutMs: timeouts.lingerTimeoutMs,
      wheel: this.shared.wheel,
    });
  }

  /** For a client that broke a rule: status, then close. */
  #writeRefusal(error: unknown): void {
    this.shared.counters.protocolErrorCount++;
    const response = new OutgoingResponse();
    answerError(response, requestFault(error));
    const { dateLine, plainTail } = this.shared;
    response.writeWhole(this.output.buffer, {
      method: this.#reader?.method ?? "",
      minorVersion: 1,
      isLast: true,
      tellsKeepAlive: false,
      keepAliveLine: new Uint8Array(0),
      dateLine,
      plainTail,
    }, MAX_INLINE_BYTES);
  }

  /** A head that does not come: the read stays, but what it brings is dropped. */
  async #refuseLate(error: TimeoutError): Promise<void> {
    this.#isRefused = true;
    this.#writeRefusal(new HttpError(408, error.message));
    try {
      this.deadline.cancel();
      await this.output.flush();
      await this.transport.closeWrite();
      this.deadline.arm("linger");
    } catch (reason) {
      this.abort(reason);
    }
  }

  /** A lingering close while a read is under way, which has to be the only one. */
  async #lingerBehindRead(): Promise<void> {
    await this.transport.closeWrite();
    this.deadline.arm("linger");
    await this.#dropInput();
  }

  async #dropInput(): Promise<void> {
    const { input } = this;
    let remaining = Math.min(this.shared.options.maxDrainBytes, Number.MAX_SAFE_INTEGER);
    while (!input.isEnded && input.error === undefined && remaining > 0) {
      remaining -= input.buffer.length;
      input.buffer.consume(input.buffer.length);
      await input.fill();
    }
  }

  // What the client and the clock do.

  onRefill(): void {
    this.#exchange?.context.materialise();
  }

  onInputEnd(): void {
    if (this.shared.options.abortOnHalfClose) {
      this.#exchange?.leave(new ConnectionClosedError("Client ended its direction"));
    }
  }

  onInputError(error: unknown): void {
    this.#exchange?.giveUp(new ConnectionClosedError("Client is gone", { cause: error }));
  }

  #onDeadline(): void {
    const { phase, timeoutMs } = this.deadline;
    const error = new TimeoutError(`Cannot go on: ${phase} took longer than ${timeoutMs} ms`, {
      phase,
      timeoutMs,
    });
    switch (phase) {
      case "head":
        if (this.#reader?.isStarted) void this.#refuseLate(error);
        else closeQuietly(this.transport);
        break;
      case "body":
        this.#exchange?.failBody();
        this.input.failWait(error);
        break;
      case "write":
        this.abort(error);
        break;
      case "none":
      case "idle":
      case "linger":
        closeQuietly(this.transport);
    }
  }
}

/** Without a hook for tunnels there is nothing that CONNECT could reach. */
function refuseConnect(): never {
  throw new HttpError(501, "CONNECT is not supported");
}
