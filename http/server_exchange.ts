import type { Deadline } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import type { TlsInfo, TlsTransport } from "../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";
import { BodyEncoder } from "./body_encoder.ts";
import { IncomingBody } from "./body_incoming.ts";
import { HttpStateError } from "./errors.ts";
import { Framing, mayHaveBody } from "./framing.ts";
import type { HeaderInit, HeaderList } from "./header_list.ts";
import {
  type BodyCoder,
  OutgoingResponse,
  type ResponseBody,
  type ResponseSurroundings,
} from "./outgoing_response.ts";
import type { RequestReader } from "./request_reader.ts";
import { adoptResponse } from "./server_adopt.ts";
import { ServerBody } from "./server_body.ts";
import { Context, type ContextSource } from "./server_context.ts";
import type { ServerDeadline } from "./server_deadline.ts";
import { answerError, answerNotFound, isServerError, readAccept } from "./server_errors.ts";
import {
  bodyUnread,
  checkInformational,
  encodeHead,
  encodeUpgrade,
  noConnect,
} from "./server_final_head.ts";
import {
  type HandedConnection,
  HandedExchange,
  HandedTransport,
  type Testator,
} from "./server_handover.ts";
import type { ServerInput } from "./server_input.ts";
import { MAX_INLINE_BYTES, type ServerOutput } from "./server_output.ts";
import type { HandlerResult, ServerShared } from "./server_shared.ts";
import { bytesOf, dropBody, ServerStream, type StreamSource } from "./server_stream.ts";
import { ResponseWriter, type WriterTarget } from "./server_writer.ts";

const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const RESET_CONTENT = 205;
const NO_LINE = new Uint8Array(0);
/** Turns of the microtask queue that a handler gets to be through "at once". */
const PROMPT_TURNS = 12;

/** What an exchange needs of its connection. */
export interface ExchangeHost {
  readonly transport: Transport;
  readonly shared: ServerShared;
  readonly input: ServerInput;
  readonly output: ServerOutput;
  readonly deadline: ServerDeadline;
  /** Requests of the connection, this one counted. */
  readonly requestCount: number;
  /** Whether nobody is left to answer. */
  readonly isGone: boolean;
  /** Cuts the connection. */
  abort(reason: unknown): void;
  /** Lets go of everything but the transport, which is another protocol's from now on. */
  giveAway(heir: HandedExchange): void;
}

/** One request of a connection with its response, from head to last byte. */
export class ServerExchange implements ContextSource, ResponseSurroundings, WriterTarget, Testator {
  /** Method of the request. */
  readonly method: string;
  /** Minor HTTP version of the request. */
  readonly minorVersion: number;
  /** What is answered. */
  readonly response: OutgoingResponse = new OutgoingResponse();
  /** What the handler sees. */
  readonly context: Context;
  /** Whether the connection ends with this response. */
  isLast = false;
  /** The connection, if it was given away. */
  handed: HandedTransport | undefined;

  readonly #shared: ServerShared;
  /** Nothing of it is kept by a connection that was given away, which may live long. */
  #connection: ExchangeHost | undefined;
  #reader: RequestReader | undefined;
  #source: ServerBody | undefined;
  #body: IncomingBody | undefined;
  #encoder: BodyEncoder | undefined;
  #coder: BodyCoder | undefined;
  #writer: ResponseWriter | undefined;
  #headFlush: Promise<void> | undefined;
  #controller: AbortController | undefined;
  #abortReason: unknown = undefined;
  #handlerDeadline: Deadline | undefined;
  #stream: ServerStream | undefined;
  /** What the handler gives, or the end of waiting for it. */
  #answered: PromiseWithResolvers<void | Response> | undefined;
  /** What is left of the connection since it was given away. */
  #heir: HandedExchange | undefined;
  #isSettled = false;
  #isPrepared = false;
  /** Whether the client counts as gone although it could still read. */
  #hasLeft = false;

  /**
   * @param host The connection.
   * @param reader Has just read the head.
   */
  constructor(host: ExchangeHost, reader: RequestReader) {
    this.#shared = host.shared;
    this.#connection = host;
    this.#reader = reader;
    this.method = reader.method;
    this.minorVersion = reader.minorVersion;
    this.context = new Context(this, this.response, this.method, this.minorVersion);
  }

  /** Whether all that is left to do is to write a body that is at hand. */
  get isSimple(): boolean {
    if (this.#encoder !== undefined || this.handed !== undefined) return false;
    const { body } = this.response;
    return body === undefined || typeof body === "string" || body instanceof Uint8Array;
  }

  /** Waits for an asynchronous handler and for whatever sends its body. */
  async settle(result: HandlerResult): Promise<void> {
    const { input, deadline } = this.#host;
    if (deadline.phase === "head" || deadline.phase === "idle") deadline.cancel();
    const answered = this.#wait(result);
    // Most are through without having waited for anything: for them there is
    // nothing to keep, to watch and to time.
    for (let turn = 0; turn < PROMPT_TURNS && !this.#isSettled; turn++) await undefined;
    if (!this.#isSettled) this.#prepareToWait();
    try {
      const web = await answered;
      if (this.handed !== undefined) dropBody(web?.body, "The connection was given away");
      else if (web !== undefined) this.#adopt(web);
      if (this.handed === undefined && !this.isSimple) await this.#sendRest();
    } catch (error) {
      this.answerError(error);
    }
    this.#handlerDeadline?.cancel();
    input.unwatch();
  }

  /**
   * A handler that never settles must not hold a connection that is cut, nor one that lives on as
   * another protocol's the memory of its HTTP.
   */
  #wait(result: HandlerResult): Promise<void | Response> {
    this.#answered = Promise.withResolvers();
    Promise.resolve(result).then((web) => this.#onResult(web), (error) => this.#onFailure(error));
    return this.#answered.promise;
  }

  #onResult(web: void | Response): void {
    this.#isSettled = true;
    if (this.#connection === undefined) {
      dropBody(web?.body, "The connection was given away");
      return this.#heir!.settle();
    }
    if (this.#connection.isGone) dropBody(web?.body, this.#abortReason);
    this.#answered!.resolve(web);
  }

  #onFailure(error: unknown): void {
    this.#isSettled = true;
    if (this.#connection !== undefined) return this.#answered!.reject(error);
    this.answerError(error);
    this.#heir!.settle();
  }

  /** What a handler needs that is not through at once. */
  #prepareToWait(): void {
    if (this.#isPrepared || this.handed !== undefined) return;
    this.#isPrepared = true;
    const { input, output } = this.#host;
    // The responses in front of this one must not wait for its handler. If the
    // connection is cut, the handler's signal tells.
    if (output.length > 0) output.flush().catch(() => {});
    this.context.materialise();
    input.watch();
    this.#armHandlerDeadline();
  }

  /** The body of an answer that does not leave at once. */
  async #sendRest(): Promise<void> {
    this.#prepareToWait();
    if (this.#encoder !== undefined) await this.#endCommitted();
    else if (!this.#host.isGone) await this.#sendStream();
  }

  #adopt(web: Response): void {
    try {
      adoptResponse(this.response, web);
    } catch (error) {
      dropBody(web.body, error);
      throw error;
    }
  }

  #armHandlerDeadline(): void {
    const { shared } = this.#host;
    const { handlerTimeoutMs } = shared.options.timeouts;
    if (handlerTimeoutMs === 0 || handlerTimeoutMs === Infinity) return;
    this.#handlerDeadline = shared.wheel.create(() =>
      this.abortSignal(
        new TimeoutError(`Cannot answer: the handler took longer than ${handlerTimeoutMs} ms`, {
          phase: "handler",
          timeoutMs: handlerTimeoutMs,
        }),
      )
    );
    this.#handlerDeadline.arm(handlerTimeoutMs);
  }

  /** Answers with an error instead of what the handler made so far. */
  answerError(error: unknown): void {
    if (this.#stream === undefined) dropBody(this.response.body, error);
    else this.#stream.cancel(error);
    if (this.#isGone) return;
    if (isServerError(error)) this.#report(error);
    // Half a response cannot be taken back: the client must not take it for whole.
    if (this.response.committed) return this.#abort(error);
    try {
      answerError(this.response, error, readAccept(this.context));
    } catch (cause) {
      // Header fields of the error that cannot be sent.
      this.#report(cause);
      answerError(this.response, undefined);
    }
  }

  #report(error: unknown): void {
    try {
      this.#shared.options.onError(error, this.context);
    } catch (reason) {
      // Whoever is told must not change what becomes of the connection.
      console.error(reason);
    }
  }

  /**
   * Writes a response whose body is at hand, if none was written. An error of
   * the response itself becomes a 500.
   *
   * @returns Bytes that are too many to copy and still have to be sent.
   */
  writeSimple(): Uint8Array | undefined {
    const { response } = this;
    if (response.committed) return undefined;
    if (!response.isAnswered) answerNotFound(response, readAccept(this.context));
    this.isLast = this.#decideLast();
    const out = this.#host.output.buffer;
    try {
      return response.writeWhole(out, this, MAX_INLINE_BYTES);
    } catch (error) {
      this.#report(error);
      answerError(response, undefined);
      return response.writeWhole(out, this, MAX_INLINE_BYTES);
    }
  }

  /** Whether the connection ends with this response, so that its head says so. */
  #decideLast(): boolean {
    const { shared, input, requestCount } = this.#host;
    const { maxRequestsPerConnection, maxDrainBytes } = shared.options;
    const reader = this.#reader!;
    if (shared.isClosing || shared.worker?.isLeaving || this.response.wantsClose()) return true;
    if (requestCount >= maxRequestsPerConnection || input.isBroken) return true;
    if (input.isEnded && input.buffer.length === 0) return true;
    if (this.isBodyBroken) return true;
    return !reader.leavesOpen(maxDrainBytes, this.#source?.owesContinue ?? reader.expectsContinue);
  }

  /** Ends the life of context and body. */
  end(): void {
    this.context.expire();
    this.#source?.close();
    this.#coder?.close();
  }

  /** Aborts `ctx.signal`, once. */
  abortSignal(reason: unknown): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** The client is gone: nobody waits for the rest of the answer. */
  giveUp(reason: unknown): void {
    this.abortSignal(reason);
    this.#stream?.cancel(reason);
  }

  /** The client can still read, but counts as gone: what is at hand may leave, a stream ends. */
  leave(reason: unknown): void {
    this.#hasLeft = true;
    this.abortSignal(reason);
    if (this.#stream !== undefined) this.#abort(reason);
  }

  /** Tells who wants to know of the end, if nobody has yet, that the answer was not sent. */
  lose(cause: unknown): void {
    if (this.response.onSettled === undefined) return;
    this.response.settle(
      this.#abortReason ?? new ConnectionClosedError("Client is gone", { cause }),
    );
  }

  /** The connection is cut: nobody waits for the handler either. */
  cut(reason: unknown): void {
    this.giveUp(reason);
    if (this.handed !== undefined) closeQuietly(this.handed);
    this.#answered?.reject(reason);
  }

  /** Bytes of the request's body: as announced, else as read; `undefined` where nobody has read it. */
  get requestBytes(): number | undefined {
    return this.#reader?.bodyLength ?? this.#source?.receivedBytes;
  }

  /** Bytes of the response's body so far, without its framing. */
  get responseBytes(): number {
    if (this.#encoder !== undefined) return this.#encoder.isSilent ? 0 : this.#encoder.sentBytes;
    const { status, body } = this.response;
    if (status === RESET_CONTENT || !mayHaveBody(status, this.method)) return 0;
    return typeof body === "string" || body instanceof Uint8Array ? bytesOf(body).length : 0;
  }

  /** Whether nobody is left to answer. */
  get #isGone(): boolean {
    if (this.#connection !== undefined) return this.#connection.isGone;
    return this.#heir!.isCut || this.handed!.isBroken;
  }

  /** What only a connection that still speaks HTTP has. */
  get #host(): ExchangeHost {
    if (this.#connection !== undefined) return this.#connection;
    throw new HttpStateError(
      "ERR_HTTP_CONTEXT_EXPIRED",
      "Cannot use connection: it was given away",
      { state: "tunnel", event: "use" },
    );
  }

  #abort(reason: unknown): void {
    if (this.#connection === undefined) this.#heir!.abort(reason);
    else this.#connection.abort(reason);
  }

  /** Whether nothing can follow this exchange, whatever its head said. */
  get mustClose(): boolean {
    return this.isLast || this.isBodyBroken || this.#host.input.isBroken;
  }

  /** Whether the body broke a rule or did not come in time. */
  get isBodyBroken(): boolean {
    return this.#source !== undefined && this.#source.isFailed;
  }

  /** The body did not come in time. */
  failBody(): void {
    if (this.#source !== undefined) this.#source.isFailed = true;
  }

  // What the context asks for.

  get localAddr(): Deno.Addr {
    return (this.handed ?? this.#host.transport).localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return (this.handed ?? this.#host.transport).remoteAddr;
  }

  get tlsInfo(): TlsInfo | undefined {
    const transport: Partial<TlsTransport> = this.handed ?? this.#host.transport;
    return transport.tlsInfo;
  }

  readTarget(): string {
    return this.#reader!.target();
  }

  readHeaders(): HeaderList {
    return this.#reader!.headers();
  }

  get body(): IncomingBody {
    if (this.#body === undefined) {
      const { input, output, deadline, shared } = this.#host;
      this.#source = new ServerBody(this.#reader!, input, output, deadline, this.context);
      this.#body = new IncomingBody(this.#source, shared.options.maxBodyBytes, {
        decode: shared.options.decodeBodies,
      });
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

  inform(status: number, headers: HeaderInit): Promise<void> {
    this.response.checkOpen("inform");
    checkInformational(status);
    const head = encodeHead(status, headers);
    if (this.minorVersion === 0 || this.#host.isGone) return Promise.resolve();
    this.#host.output.buffer.writeBytes(head);
    const flushed = this.#host.output.flush();
    // Nobody has to wait for it: a client that leaves must not end the process.
    flushed.catch(() => {});
    return flushed;
  }

  async upgrade(protocol: string, headers: HeaderInit): Promise<HandedConnection> {
    this.response.checkOpen("upgrade");
    const head = encodeUpgrade(this.readHeaders(), this.minorVersion, protocol, headers);
    if (!this.#reader!.isBodyDone) throw bodyUnread();
    return await this.#handOver(SWITCHING_PROTOCOLS, head);
  }

  async tunnel(headers: HeaderInit): Promise<HandedConnection> {
    this.response.checkOpen("tunnel");
    if (this.method !== "CONNECT") throw noConnect(this.method);
    return await this.#handOver(200, encodeHead(200, headers));
  }

  async hijack(): Promise<HandedConnection> {
    this.response.checkOpen("hijack");
    return await this.#handOver(0, undefined);
  }

  /** Gives the connection away, behind a last head of ours. */
  async #handOver(status: number, head: Uint8Array | undefined): Promise<HandedConnection> {
    const { transport, input, output, deadline, shared } = this.#host;
    this.context.materialise();
    this.response.handOver(status);
    this.#handlerDeadline?.cancel();
    input.unwatch();
    const bytes = new Uint8Array(input.buffer.view());
    input.buffer.consume(bytes.length);
    const handed = this.handed = new HandedTransport(transport, input);
    if (head !== undefined) output.buffer.writeBytes(head);
    try {
      await output.flush();
      this.#checkAlive();
    } catch (error) {
      closeQuietly(handed);
      throw error;
    } finally {
      deadline.cancel();
    }
    this.#giveAway(handed);
    return { transport: handed, bytes, shutdownSignal: shared.shutdownSignal };
  }

  /**
   * From here on HTTP is over. What is idle for hours as another protocol keeps no buffer, no
   * reader and no waiting function of ours (`tests/bench/websocket/idle_memory.ts`).
   */
  #giveAway(handed: HandedTransport): void {
    const { connections } = this.#shared;
    const heir = this.#heir = new HandedExchange(handed, this, connections, this.#isSettled);
    this.#host.giveAway(heir);
    this.#connection = undefined;
    this.#reader = undefined;
    this.#answered?.resolve();
    this.#answered = undefined;
  }

  openWriter(): ResponseWriter {
    this.#commit();
    return this.#writer = new ResponseWriter(this, this.#flushHead());
  }

  flushHead(): Promise<void> {
    this.#commit();
    this.response.owesBody = true;
    return this.#flushHead();
  }

  /** Writes the head for a body that is still to come. */
  #commit(): void {
    const { response } = this;
    response.checkOpen("head");
    if (!response.isAnswered) response.setStatus(200);
    this.#coder = response.codeBody?.();
    if (this.#body?.used) this.#source!.writeContinue();
    this.isLast = this.#decideLast();
    const out = this.#host.output.buffer;
    if (response.status === RESET_CONTENT) {
      // RFC 9110 section 15.3.6: it has no content, and says so. What is sent all the
      // same is dropped, as that of a 204 is.
      response.writeHead(out, 0, this);
      this.#encoder = new BodyEncoder(Framing.CHUNKED, NO_CONTENT, this.method);
      return;
    }
    const framing = response.writeHead(out, undefined, this);
    if (framing === Framing.UNTIL_CLOSE) this.isLast = true;
    this.#encoder = new BodyEncoder(framing, response.status, this.method);
  }

  /** Whatever follows the head has to wait for it: writes must not overtake. */
  #flushHead(): Promise<void> {
    const flushed = this.#host.output.flush();
    this.#headFlush = flushed.catch((error) => this.#host.abort(error));
    return flushed;
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
    // Closed with trailers or a length that did not fit: the body has no end.
    if (!this.#encoder!.isEnded) {
      this.#host.abort(new ConnectionClosedError("Response is incomplete"));
    }
  }

  async #sendStream(): Promise<void> {
    // Before the head leaves: a source that cannot be read is a 500.
    this.#stream = new ServerStream(this.response.body as StreamSource);
    // It may never end, and nobody would let go of it.
    if (this.#hasLeft) return this.#host.abort(this.#abortReason);
    await this.flushHead();
    await this.#sendPieces();
  }

  async #sendPieces(): Promise<void> {
    const { body } = this.response;
    this.response.owesBody = false;
    if (this.#coder !== undefined) return await this.#sendCoded(this.#coder, body);
    if (typeof body === "string" || body instanceof Uint8Array) {
      await this.#sendPiece(bytesOf(body));
    } else if (body !== undefined) {
      await this.#sendStreamed(this.#stream ??= new ServerStream(body));
    }
    await this.endBody([]);
  }

  async #sendCoded(coder: BodyCoder, body: ResponseBody | undefined): Promise<void> {
    const source = body instanceof Uint8Array || typeof body !== "object" ? onePiece(body) : body;
    // A source may ask whether it is sent as it is.
    this.response.body = undefined;
    await this.#sendStreamed(this.#stream = new ServerStream(coder.stream(source)));
    await this.#endFramed([]);
  }

  async #sendStreamed(stream: ServerStream): Promise<void> {
    // A source may have nothing to say for long: HEAD does not wait for it.
    if (this.#encoder!.isSilent) return stream.cancel("Response has no body");
    for (let piece; (piece = await stream.next()) !== undefined;) await this.#sendPiece(piece);
  }

  async writePiece(bytes: Uint8Array, hasMore: boolean): Promise<void> {
    if (this.#coder === undefined || this.#encoder!.isSilent) return await this.#sendPiece(bytes);
    this.#checkAlive();
    for await (const piece of this.#coder.write(bytes, hasMore)) await this.#sendPiece(piece);
  }

  async #sendPiece(bytes: Uint8Array): Promise<void> {
    this.#checkAlive();
    await this.#host.output.writePiece(bytes, this.#encoder!);
  }

  async endBody(trailers: HeaderInit): Promise<void> {
    if (this.#coder !== undefined && !this.#encoder!.isSilent) {
      this.#checkAlive();
      for await (const piece of this.#coder.finish()) await this.#sendPiece(piece);
    }
    await this.#endFramed(trailers);
  }

  async #endFramed(trailers: HeaderInit): Promise<void> {
    this.#checkAlive();
    await this.#host.output.endBody(this.#encoder!, trailers);
    this.response.end();
  }

  #checkAlive(): void {
    if (!this.#host.isGone) return;
    throw new ConnectionClosedError("Cannot write: the client has left", {
      cause: this.#abortReason,
    });
  }

  // The lines of a response head that belong to the connection.

  get tellsKeepAlive(): boolean {
    return this.minorVersion === 0 || this.#host.requestCount === 1;
  }

  get keepAliveLine(): Uint8Array {
    return this.#host.requestCount === 1 ? this.#host.shared.keepAliveLine : NO_LINE;
  }

  get dateLine(): Uint8Array {
    return this.#host.shared.dateLine;
  }

  get plainTail(): Uint8Array {
    return this.#host.shared.plainTail;
  }
}

/** A body at hand as a stream of what is there of it. */
async function* onePiece(body: string | Uint8Array | undefined): AsyncGenerator<Uint8Array, void> {
  if (body !== undefined) yield bytesOf(body);
}
