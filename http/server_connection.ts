import type { Deadline } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import { lingeringClose } from "../nbio/linger.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { BodyEncoder } from "./body_encoder.ts";
import { IncomingBody } from "./body_incoming.ts";
import { HttpError, HttpStateError } from "./errors.ts";
import { Framing, mayHaveBody } from "./framing.ts";
import type { HeaderInit, HeaderList } from "./header_list.ts";
import { OutgoingResponse, type ResponseSurroundings } from "./outgoing_response.ts";
import type { RequestReader } from "./request_reader.ts";
import { ServerBody } from "./server_body.ts";
import { Context, type ContextSource } from "./server_context.ts";
import { ServerDeadline } from "./server_deadline.ts";
import { answerError, isServerError } from "./server_errors.ts";
import { type InputOwner, ServerInput } from "./server_input.ts";
import { MAX_INLINE_BYTES, ServerOutput } from "./server_output.ts";
import { adoptResponse } from "./server_adopt.ts";
import type { ServerShared } from "./server_shared.ts";
import { ResponseWriter, type WriterTarget } from "./server_writer.ts";

/** Responses of pipelined requests collect up to this size before they leave. */
const MAX_BATCH_BYTES = 64 * 1024;
/** Up to this length a look at every character costs less than an encoder. */
const MAX_ASCII_LENGTH = 512;
const NO_LINE = new Uint8Array(0);
const NO_RESPONSE = new OutgoingResponse();

const encoder = new TextEncoder();

/**
 * One connection of a server: reads requests, runs the handler, writes the
 * responses, and ends when it has to. A synchronous handler costs no turn of
 * the event loop: all requests that have come are answered in one go, and their
 * responses leave in one write.
 */
export class ServerConnection
  implements ContextSource, InputOwner, ResponseSurroundings, WriterTarget {
  /** Method of the current request. */
  method = "";
  /** Minor HTTP version of the current request. */
  minorVersion = 1;
  /** Whether the connection ends with the current response. */
  isLast = false;

  readonly #transport: Transport;
  readonly #shared: ServerShared;
  readonly #deadline: ServerDeadline;
  readonly #input: ServerInput;
  readonly #output: ServerOutput;
  #handlerDeadline: Deadline | undefined;
  #reader: RequestReader | undefined;
  #context: Context | undefined;
  /** The answer of the current request. */
  #response: OutgoingResponse = NO_RESPONSE;
  #source: ServerBody | undefined;
  #body: IncomingBody | undefined;
  #encoder: BodyEncoder | undefined;
  #writer: ResponseWriter | undefined;
  #headFlush: Promise<void> | undefined;
  #controller: AbortController | undefined;
  #abortReason: unknown = undefined;
  #requestCount = 0;
  #isAborted = false;
  /** An error was answered while a read was under way: what comes is dropped. */
  #isRefused = false;

  /**
   * @param transport The accepted connection.
   * @param shared What the connections of the server share.
   */
  constructor(transport: Transport, shared: ServerShared) {
    this.#transport = transport;
    this.#shared = shared;
    const { wheel, options } = shared;
    this.#deadline = new ServerDeadline(wheel, options.timeouts, () => this.#onDeadline());
    this.#input = new ServerInput(transport, options, this);
    this.#output = new ServerOutput(transport, shared, this.#deadline);
  }

  get localAddr(): Deno.Addr {
    return this.#transport.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#transport.remoteAddr;
  }

  /** Whether no request is under way. */
  get isIdle(): boolean {
    return this.#context === undefined && this.#input.buffer.length === 0 && !this.#isRefused &&
      this.#output.length === 0 && this.#deadline.phase !== "write" &&
      this.#deadline.phase !== "linger";
  }

  /** Serves the connection to its end. Never rejects. */
  async run(): Promise<void> {
    try {
      this.#deadline.arm("head");
      await this.#serveRequests();
    } catch (error) {
      this.abort(error);
    } finally {
      this.#deadline.cancel();
      this.#output.release();
      closeQuietly(this.#transport);
    }
  }

  /** Cuts the connection; `ctx.signal` aborts with the reason. */
  abort(reason: unknown): void {
    this.#isAborted = true;
    this.#abortSignal(reason);
    this.#input.failWait(reason);
    closeQuietly(this.#transport);
  }

  /**
   * The path of every request, so it awaits the transport itself: each further
   * asynchronous function in between costs a promise and a turn of the
   * microtask queue (`tests/bench/http_server/`).
   */
  async #serveRequests(): Promise<void> {
    const input = this.#input;
    const output = this.#output;
    while (!this.#isAborted) {
      const reader = this.#reader ??= this.#shared.takeReader();
      let isComplete;
      try {
        isComplete = reader.readHead(input.buffer);
      } catch (error) {
        return await this.#refuse(error);
      }
      if (isComplete) {
        const goesOn = this.#exchange(reader);
        if (goesOn === true || (goesOn !== false && await goesOn)) continue;
        return await this.#finish();
      }
      if (output.length > 0) {
        const bytes = output.beginWrite();
        const sent = await this.#transport.write(bytes);
        if (sent < bytes.length) await output.writeRest(bytes, sent);
        output.endWrite();
      }
      if (input.isEnded) return await this.#endOfInput(reader);
      if (!this.#startWaitingForHead(reader)) return;
      if (input.pending === undefined) {
        const space = input.beginRead();
        try {
          input.endRead(await this.#transport.read(space));
        } catch (error) {
          input.failRead(error);
        }
      } else {
        await input.pending;
      }
      if (this.#isRefused) return await this.#dropInput();
      if (input.error !== undefined) return;
    }
  }

  async #endOfInput(reader: RequestReader): Promise<void> {
    const error = reader.errorAtEnd();
    if (error !== undefined) await this.#refuse(error);
  }

  /** Sets the clock for the next head; false where none is wanted. */
  #startWaitingForHead(reader: RequestReader): boolean {
    if (reader.isStarted) {
      if (this.#deadline.phase !== "head") this.#deadline.arm("head");
      return true;
    }
    if (this.#shared.isClosing) return false;
    // An empty line alone is no request, but its reader has seen it.
    if (this.#input.buffer.length === 0) {
      this.#shared.giveReader(reader);
      this.#reader = undefined;
    }
    if (this.#requestCount > 0) this.#deadline.arm("idle");
    return true;
  }

  /** Runs the handler for one request; whether another one may follow. */
  #exchange(reader: RequestReader): boolean | Promise<boolean> {
    this.#requestCount++;
    this.#shared.counters.requestCount++;
    this.method = reader.method;
    this.minorVersion = reader.minorVersion;
    const response = new OutgoingResponse();
    const ctx = new Context(this, response, reader.method, reader.minorVersion);
    this.#context = ctx;
    this.#response = response;
    let result: void | Response | Promise<void | Response> = undefined;
    try {
      // Without a hook for tunnels there is nothing that CONNECT could reach.
      if (reader.method === "CONNECT") throw new HttpError(501, "CONNECT is not supported");
      result = this.#shared.handler(ctx);
    } catch (error) {
      this.#answerError(ctx, error);
    }
    if (result === undefined && this.#encoder === undefined && isSimple(this.#response.body)) {
      const large = this.#writeSimple(ctx, reader);
      const isOver = large === undefined && reader.isBodyDone && !this.isLast;
      if (isOver && this.#output.length < MAX_BATCH_BYTES) return this.#next(reader);
      return this.#afterResponse(reader, large);
    }
    return this.#exchangeLater(ctx, reader, result);
  }

  /** The rest of an exchange that has to wait for something. */
  async #exchangeLater(
    ctx: Context,
    reader: RequestReader,
    result: void | Response | Promise<void | Response>,
  ): Promise<boolean> {
    this.#startWaiting(ctx);
    try {
      const response = await result;
      if (response !== undefined) adoptResponse(this.#response, response);
      if (this.#encoder !== undefined) await this.#endCommitted();
      else if (!this.#isAborted && !isSimple(this.#response.body)) await this.#sendStream();
    } catch (error) {
      this.#answerError(ctx, error);
    }
    this.#handlerDeadline?.cancel();
    this.#input.unwatch();
    if (this.#isAborted || this.#input.error !== undefined) return false;
    const large = this.#response.committed ? undefined : this.#writeSimple(ctx, reader);
    return await this.#afterResponse(reader, large);
  }

  #startWaiting(ctx: Context): void {
    if (this.#deadline.phase === "head" || this.#deadline.phase === "idle") this.#deadline.cancel();
    ctx.materialise();
    this.#input.watch();
    const { handlerTimeoutMs } = this.#shared.options.timeouts;
    if (handlerTimeoutMs === 0 || handlerTimeoutMs === Infinity) return;
    this.#handlerDeadline ??= this.#shared.wheel.create(() =>
      this.#abortSignal(
        new TimeoutError(`Cannot answer: the handler took longer than ${handlerTimeoutMs} ms`, {
          phase: "handler",
          timeoutMs: handlerTimeoutMs,
        }),
      )
    );
    this.#handlerDeadline.arm(handlerTimeoutMs);
  }

  /**
   * Writes a response whose body is at hand. An error of the response itself
   * becomes a 500.
   *
   * @returns Bytes that are too many to copy and still have to be sent.
   */
  #writeSimple(ctx: Context, reader: RequestReader): Uint8Array | undefined {
    const response = this.#response;
    if (!response.isAnswered) answerError(response, new HttpError(404));
    this.isLast = this.#decideLast(reader, response);
    try {
      return this.#writeWhole(response);
    } catch (error) {
      this.#report(error, ctx);
      answerError(response, undefined);
      return this.#writeWhole(response);
    }
  }

  #writeWhole(response: OutgoingResponse): Uint8Array | undefined {
    const body = response.body as string | Uint8Array | undefined;
    const out = this.#output.buffer;
    if (typeof body === "string" && body.length <= MAX_ASCII_LENGTH && isAscii(body)) {
      response.writeHead(out, body.length, this);
      if (mayHaveBody(response.status, this.method)) out.writeText(body);
      return undefined;
    }
    const bytes = typeof body === "string" ? encoder.encode(body) : body ?? NO_LINE;
    response.writeHead(out, bytes.length, this);
    if (bytes.length === 0 || !mayHaveBody(response.status, this.method)) return undefined;
    if (bytes.length > MAX_INLINE_BYTES) return bytes;
    out.writeBytes(bytes);
    return undefined;
  }

  /** Whether the connection ends with this response, and the head says so. */
  #decideLast(reader: RequestReader, response: OutgoingResponse): boolean {
    const { maxRequestsPerConnection, maxDrainBytes } = this.#shared.options;
    if (!reader.isPersistent || this.#shared.isClosing || response.wantsClose()) return true;
    if (this.#requestCount >= maxRequestsPerConnection || this.#input.isBroken) return true;
    if (this.#input.isEnded && this.#input.buffer.length === 0) return true;
    if (reader.isBodyDone) return false;
    // What follows an unfinished body cannot be found without reading it.
    if (this.#source?.isFailed || (reader.remainingBytes ?? 0) > maxDrainBytes) return true;
    // RFC 9110 section 10.1.1: without a 100 the body may or may not come.
    return this.#source?.owesContinue ?? reader.expectsContinue;
  }

  /** What follows a response: the rest of it, then the rest of the request. */
  async #afterResponse(reader: RequestReader, large: Uint8Array | undefined): Promise<boolean> {
    if (large !== undefined) await this.#output.write(large);
    if (this.isLast) return false;
    if (this.#output.length >= MAX_BATCH_BYTES || !reader.isBodyDone) await this.#output.flush();
    if (!reader.isBodyDone && !await this.#drain(reader)) return false;
    return this.#next(reader);
  }

  #next(reader: RequestReader): true {
    this.#endContext();
    reader.next();
    return true;
  }

  #endContext(): void {
    this.#context?.expire();
    this.#source?.close();
    this.#context = undefined;
    this.#response = NO_RESPONSE;
    this.#source = undefined;
    this.#body = undefined;
    this.#encoder = undefined;
    this.#writer = undefined;
    this.#headFlush = undefined;
    this.#controller = undefined;
    this.#abortReason = undefined;
  }

  /** Drops what was not read of a body; false if that is too much. */
  async #drain(reader: RequestReader): Promise<boolean> {
    const input = this.#input;
    let remaining = this.#shared.options.maxDrainBytes;
    try {
      while (!reader.isBodyDone) {
        const view = reader.takeBody(input.buffer);
        if (view === undefined) {
          if (reader.isBodyDone) break;
          if (input.isEnded || input.error !== undefined) return false;
          this.#deadline.arm("body");
          await input.wait(input.fill());
        } else if ((remaining -= view.length) < 0) {
          return false;
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
    this.#endContext();
    if (this.#isAborted) return;
    await this.#output.flush();
    this.#deadline.cancel();
    const { maxDrainBytes, timeouts } = this.#shared.options;
    await lingeringClose(this.#transport, {
      maxBytes: Math.min(maxDrainBytes, Number.MAX_SAFE_INTEGER),
      timeoutMs: timeouts.lingerTimeoutMs,
      wheel: this.#shared.wheel,
    });
  }

  /** The one way out for a client that broke a rule: status, then close. */
  async #refuse(error: unknown): Promise<void> {
    this.#writeRefusal(error);
    await this.#finish();
  }

  #writeRefusal(error: unknown): void {
    this.#shared.counters.protocolErrorCount++;
    this.method = this.#reader?.method ?? "";
    this.minorVersion = 1;
    this.isLast = true;
    const response = new OutgoingResponse();
    answerError(response, error);
    this.#writeWhole(response);
  }

  /** A head that does not come: the read stays, but what it brings is dropped. */
  async #refuseLate(error: TimeoutError): Promise<void> {
    this.#isRefused = true;
    this.#writeRefusal(new HttpError(408, error.message));
    try {
      await this.#output.flush();
      await this.#transport.closeWrite();
      this.#deadline.arm("linger");
    } catch (reason) {
      this.abort(reason);
    }
  }

  async #dropInput(): Promise<void> {
    const { buffer } = this.#input;
    let remaining = Math.min(this.#shared.options.maxDrainBytes, Number.MAX_SAFE_INTEGER);
    while (!this.#input.isEnded && this.#input.error === undefined && remaining > 0) {
      remaining -= buffer.length;
      buffer.consume(buffer.length);
      await this.#input.fill();
    }
  }

  #answerError(ctx: Context, error: unknown): void {
    if (this.#isAborted || (error !== undefined && error === this.#abortReason && this.#isGone)) {
      return;
    }
    if (isServerError(error)) this.#report(error, ctx);
    // Half a response cannot be taken back: the client must not take it for whole.
    if (this.#response.committed) this.abort(error);
    else answerError(this.#response, error);
  }

  /** Whether nobody is left to answer. */
  get #isGone(): boolean {
    return this.#isAborted || this.#input.error !== undefined;
  }

  #report(error: unknown, ctx: Context): void {
    this.#shared.options.onError(error, ctx);
  }

  // What the context asks for.

  readTarget(): string {
    return this.#reader!.target();
  }

  readHeaders(): HeaderList {
    return this.#reader!.headers();
  }

  get body(): IncomingBody {
    if (this.#body === undefined) {
      this.#source = new ServerBody(
        this.#reader!,
        this.#input,
        this.#output,
        this.#deadline,
        this.#context!.headers,
      );
      this.#body = new IncomingBody(this.#source, this.#shared.options.maxBodyBytes);
    }
    return this.#body;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  openWriter(): ResponseWriter {
    this.#commit();
    return this.#writer = new ResponseWriter(this, this.#flushHead());
  }

  flushHead(): Promise<void> {
    this.#commit();
    return this.#flushHead();
  }

  /** Whatever follows the head has to wait for it: writes must not overtake. */
  #flushHead(): Promise<void> {
    const flushed = this.#output.flush().then(() => this.#deadline.cancel());
    this.#headFlush = flushed.catch((error) => this.abort(error));
    return flushed;
  }

  /** Writes the head for a body that is still to come. */
  #commit(): void {
    const response = this.#response;
    response.checkOpen("head");
    if (!response.isAnswered) response.setStatus(200);
    this.isLast = this.#decideLast(this.#reader!, response);
    const framing = response.writeHead(this.#output.buffer, undefined, this);
    if (framing === Framing.UNTIL_CLOSE) this.isLast = true;
    this.#encoder = new BodyEncoder(framing, response.status, this.method);
  }

  writePiece(bytes: Uint8Array): Promise<void> {
    this.#checkAlive();
    return this.#output.writePiece(bytes, this.#encoder!);
  }

  endBody(trailers: HeaderInit): Promise<void> {
    this.#checkAlive();
    return this.#output.endBody(this.#encoder!, trailers);
  }

  #checkAlive(): void {
    if (!this.#isGone) return;
    throw new ConnectionClosedError("Cannot write: the client has left", {
      cause: this.#abortReason ?? this.#input.error,
    });
  }

  /** The body of a response whose head left before the handler settled. */
  async #endCommitted(): Promise<void> {
    await this.#headFlush;
    if (this.#writer === undefined) return await this.#sendPieces();
    if (!this.#writer.closed) {
      throw new HttpStateError(
        "ERR_HTTP_WRITER_NOT_CLOSED",
        "Cannot end response: its writer was not closed before the handler settled",
        { state: "open", event: "end" },
      );
    }
    await this.#writer.settled;
  }

  async #sendStream(): Promise<void> {
    await this.flushHead();
    await this.#sendPieces();
  }

  async #sendPieces(): Promise<void> {
    const { body } = this.#response;
    if (typeof body === "string" || body instanceof Uint8Array) {
      await this.writePiece(typeof body === "string" ? encoder.encode(body) : body);
    } else if (body !== undefined) {
      for await (const chunk of body) {
        if (this.#encoder!.isSilent) break;
        await this.writePiece(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      }
    }
    await this.endBody([]);
  }

  // What the client and the clock do.

  onRefill(): void {
    this.#context?.materialise();
  }

  onInputEnd(): void {
    if (this.#shared.options.abortOnHalfClose) {
      this.#abortSignal(new ConnectionClosedError("Client ended its direction"));
    }
  }

  onInputError(error: unknown): void {
    this.#abortSignal(new ConnectionClosedError("Client is gone", { cause: error }));
  }

  #abortSignal(reason: unknown): void {
    if (this.#context === undefined || this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  #onDeadline(): void {
    const { phase, timeoutMs } = this.#deadline;
    const error = new TimeoutError(`Cannot go on: ${phase} took longer than ${timeoutMs} ms`, {
      phase,
      timeoutMs,
    });
    switch (phase) {
      case "head":
        if (this.#reader?.isStarted) void this.#refuseLate(error);
        else closeQuietly(this.#transport);
        break;
      case "body":
        if (this.#source !== undefined) this.#source.isFailed = true;
        this.#input.failWait(error);
        break;
      case "write":
        this.abort(error);
        break;
      case "idle":
      case "linger":
        closeQuietly(this.#transport);
    }
  }

  // The lines of a response head that belong to the connection.

  get tellsKeepAlive(): boolean {
    return this.minorVersion === 0 || this.#requestCount === 1;
  }

  get keepAliveLine(): Uint8Array {
    return this.#requestCount === 1 ? this.#shared.keepAliveLine : NO_LINE;
  }

  get dateLine(): Uint8Array {
    return this.#shared.dateLine;
  }

  get plainTail(): Uint8Array {
    return this.#shared.plainTail;
  }
}

function isSimple(body: unknown): boolean {
  return body === undefined || typeof body === "string" || body instanceof Uint8Array;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
