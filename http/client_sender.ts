import type { Deadline, DeadlineWheel } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../nbio/errors.ts";
import type { SendStatus } from "../nbio/send_all.ts";
import type { Transport } from "../nbio/transport.ts";
import type { ExchangeTimeouts } from "./client_options.ts";
import type { HttpConnection } from "./connection.ts";
import { type HeaderInit, HeaderList } from "./header_list.ts";

/** What is asked of a server. */
export interface ExchangeRequest {
  /**
   * Method: a token; it is case-sensitive.
   *
   * @default {"GET"}
   */
  readonly method?: string;
  /** Request target in one of the forms of RFC 9112 section 3.2. */
  readonly target: string;
  /**
   * Header fields, with exactly one Host. Those of framing are written for the
   * body and need not be given; given ones must agree with it.
   */
  readonly headers: HeaderInit;
  /**
   * The body. Bytes must not change until the request has left. A source is asked
   * for the next chunk when the one before has left; where the rest is not wanted
   * its `return` is called. A chunk may be used again when the next is asked for.
   *
   * @default {undefined}
   */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /**
   * Bytes that the source of the body has in all. Without it the body is sent in
   * chunks.
   *
   * @default {undefined}
   */
  readonly bodyLength?: number;
  /**
   * Trailer fields, or what gives them once the body has left. A body with
   * trailers is sent in chunks.
   *
   * @default {undefined}
   */
  readonly trailers?: HeaderInit | (() => HeaderInit);
}

/** Who is told how sending goes. */
export interface SenderOwner {
  /** The peer has the turn: the request has left, or waits for a 100. */
  onTurn(): void;
  /** The body begins to leave after a wait: the peer has the turn no more. */
  onBody(): void;
  /** The connection takes no more; the peer may have answered all the same. */
  onBroken(): void;
  /** Something else is wrong: time is up, or the caller's body failed. */
  onSendFailure(error: unknown): void;
}

/** How far a request is. */
export type SenderState = "idle" | "sending" | "sent" | "stopped";

/** One write and one chunk of ours are at most so large: what comes may stop them in between. */
const MAX_PIECE_BYTES = 256 * 1024;
/** Larger pieces leave from where they lie; smaller ones together with what is around them. */
const MAX_COPIED_BYTES = 16 * 1024;
/** Writes that take nothing, in a row, before the transport counts as broken. */
const MAX_EMPTY_WRITES = 2;

/** The writing half of a client's connection: one request at a time. */
export class ClientSender {
  readonly #transport: Transport;
  readonly #core: HttpConnection;
  readonly #owner: SenderOwner;
  readonly #deadline: Deadline;
  #state: SenderState = "idle";
  #timeouts!: Required<ExchangeTimeouts>;
  #status: SendStatus | undefined;
  #request: ExchangeRequest | undefined;
  #waits = false;
  #source: AsyncIterator<Uint8Array> | undefined;
  #resumeBody: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  #writing: Promise<unknown> | undefined;
  /** Why the transport takes no more. */
  #broken: ConnectionClosedError | undefined;

  /**
   * @param transport Where to.
   * @param core Makes bytes of what is sent.
   * @param wheel Where the deadline waits.
   * @param owner Who is told.
   */
  constructor(
    transport: Transport,
    core: HttpConnection,
    wheel: DeadlineWheel,
    owner: SenderOwner,
  ) {
    this.#transport = transport;
    this.#core = core;
    this.#owner = owner;
    this.#deadline = wheel.create(() => this.#onDeadline());
  }

  /** How far the request is. */
  get state(): SenderState {
    return this.#state;
  }

  /** Why the transport takes no more; `undefined` while it does. */
  get broken(): ConnectionClosedError | undefined {
    return this.#broken;
  }

  /** Whether it waits for a 100 before it sends its body. */
  get awaitsContinue(): boolean {
    return this.#resumeBody !== undefined;
  }

  /** Settles when the request has left, or will not; it never rejects. */
  get settled(): Promise<void> {
    return this.#running;
  }

  /**
   * Settles when no write is under way; it never rejects. What the caller's body
   * is waiting for is not waited for.
   */
  async quiet(): Promise<void> {
    try {
      await this.#writing;
    } catch {
      // Noted where it was begun.
    }
  }

  /**
   * Takes a request on; {@linkcode ClientSender.run} sends it.
   *
   * @throws {TypeError} If a part of it cannot stand in a message; nothing has
   * happened then.
   * @throws {RangeError} If the body length is no length, likewise.
   */
  begin(
    request: ExchangeRequest,
    timeouts: Required<ExchangeTimeouts>,
    status: SendStatus | undefined,
  ): void {
    const { method = "GET", target, headers: init, body, trailers } = request;
    // A list, where it is to be looked into: what was given may be read once only.
    const headers = body === undefined ? init : new HeaderList(init);
    const isChunked = body !== undefined && trailers !== undefined;
    const bodyLength = isChunked ? undefined : lengthOf(request);
    const hasBody = body !== undefined;
    this.#core.send({ type: "request", method, target, headers, bodyLength, hasBody });
    this.#timeouts = timeouts;
    this.#status = status;
    this.#state = "sending";
    this.#request = request;
    // Without content there is nothing that a server could want or not (RFC 9110
    // section 10.1.1).
    this.#waits = hasBody && bodyLength !== 0 && expectsContinue(headers as HeaderList);
  }

  /** Sends what was taken on. Its owner hears how that went, maybe at once. */
  run(): void {
    const request = this.#request!;
    this.#request = undefined;
    if (isOneWrite(request) && !this.#waits) this.#runAtOnce(request);
    else this.#running = this.#run(request, this.#waits);
  }

  /** A 100 has come: the body is wanted. */
  resume(): void {
    const resume = this.#resumeBody;
    if (resume === undefined) return;
    this.#resumeBody = undefined;
    this.#deadline.cancel();
    resume();
  }

  /** Sends no more. A write that is under way goes on until the transport is closed. */
  stop(): void {
    if (this.#state !== "sending") return;
    this.#state = "stopped";
    this.#deadline.cancel();
    this.#resumeBody?.();
    this.#resumeBody = undefined;
    this.#releaseSource();
  }

  /** What leaves in one write, as nearly every request does, costs one promise. */
  #runAtOnce({ body, trailers }: ExchangeRequest): void {
    try {
      if (body !== undefined) this.#core.send({ type: "data", bytes: body as Uint8Array });
      this.#sendEnd(trailers);
    } catch (error) {
      return this.#fail(error);
    }
    const bytes = this.#core.lendOutput()!;
    if (this.#status !== undefined) this.#status.mayHaveSent = true;
    this.#deadline.arm(this.#timeouts.writeTimeoutMs);
    this.#running = this.#writing = this.#transport.write(bytes).then(
      (count) => this.#onWritten(count, bytes),
      (cause) => this.#fail(this.#break("the server has left", cause)),
    );
  }

  #onWritten(count: number, bytes: Uint8Array): void | Promise<void> {
    this.#writing = undefined;
    if (this.#status !== undefined) this.#status.sentBytes += count;
    if (count !== bytes.length) return this.#runRest(count, bytes);
    this.#onSent();
  }

  async #runRest(count: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.#writeAll(bytes, count);
      this.#onSent();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Everything has left. */
  #onSent(): void {
    if (this.#state !== "sending") return;
    this.#state = "sent";
    // The next deadline first: a wheel that runs empty has to be started again.
    this.#owner.onTurn();
    this.#deadline.cancel();
  }

  #sendEnd(trailers: ExchangeRequest["trailers"]): void {
    const fields = typeof trailers === "function" ? trailers() : trailers;
    this.#core.send({ type: "end", trailers: fields });
  }

  async #run(request: ExchangeRequest, waits: boolean): Promise<void> {
    try {
      if (waits) {
        await this.#flush();
        await this.#awaitContinue();
      }
      await this.#sendBody(request);
      this.#onSent();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #sendBody({ body, trailers }: ExchangeRequest): Promise<void> {
    if (body instanceof Uint8Array) await this.#sendBytes(body, true);
    else if (body !== undefined) await this.#sendSource(body);
    if (this.#state !== "sending") return;
    this.#sendEnd(trailers);
    await this.#flush();
  }

  async #sendSource(body: AsyncIterable<Uint8Array>): Promise<void> {
    // What has to be said first must not wait for the caller's first chunk.
    await this.#flush();
    if (this.#state !== "sending") return;
    const source = this.#source = body[Symbol.asyncIterator]();
    for (;;) {
      // The caller may take its time.
      this.#deadline.cancel();
      const { value, done } = await source.next();
      if (this.#state !== "sending") return;
      if (done) break;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError("Cannot send body: a chunk is no Uint8Array");
      }
      await this.#sendBytes(value, false);
      if (this.#state !== "sending") return;
    }
    this.#source = undefined;
  }

  /** Sends bytes of the body; the last of them may be kept for the end to go along. */
  async #sendBytes(bytes: Uint8Array, keepsLast: boolean): Promise<void> {
    if (bytes.length <= MAX_COPIED_BYTES) {
      this.#core.send({ type: "data", bytes });
      if (!keepsLast) await this.#flush();
      return;
    }
    for (let at = 0; at < bytes.length && this.#state === "sending";) {
      const end = Math.min(at + MAX_PIECE_BYTES, bytes.length);
      await this.#sendUncopied(bytes.subarray(at, end));
      at = end;
    }
  }

  /** Sends a piece from where it lies. */
  async #sendUncopied(piece: Uint8Array): Promise<void> {
    this.#core.beginData(piece.length);
    await this.#flush();
    await this.#writeAll(piece, 0);
    this.#core.endData();
  }

  /** Writes everything that is ready. */
  async #flush(): Promise<void> {
    const bytes = this.#core.lendOutput();
    if (bytes !== undefined) await this.#writeAll(bytes, 0);
  }

  /**
   * Writes on in some bytes.
   *
   * @param written How many the last write took; 0 if there was none.
   */
  async #writeAll(bytes: Uint8Array, written: number): Promise<void> {
    let offset = this.#checkWritten(written, bytes.length);
    let emptyCount = 0;
    while (offset < bytes.length && this.#state === "sending") {
      const count = await this.#write(offset === 0 ? bytes : bytes.subarray(offset));
      emptyCount = count === 0 ? emptyCount + 1 : 0;
      if (emptyCount === MAX_EMPTY_WRITES) throw this.#break("nothing is taken");
      offset += this.#checkWritten(count, bytes.length - offset);
    }
  }

  #checkWritten(count: number, maxCount: number): number {
    if (Number.isInteger(count) && count >= 0 && count <= maxCount) return count;
    throw this.#break(`${count} bytes are said to be taken of ${maxCount}`);
  }

  async #write(bytes: Uint8Array): Promise<number> {
    const status = this.#status;
    if (status !== undefined) status.mayHaveSent = true;
    this.#deadline.arm(this.#timeouts.writeTimeoutMs);
    try {
      const writing = this.#writing = this.#transport.write(bytes);
      const written = await writing;
      if (status !== undefined) status.sentBytes += written;
      return written;
    } catch (cause) {
      throw this.#break("the server has left", cause);
    } finally {
      this.#writing = undefined;
    }
  }

  async #awaitContinue(): Promise<void> {
    if (this.#state !== "sending") return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resumeBody = resolve;
    this.#deadline.arm(this.#timeouts.continueTimeoutMs);
    this.#owner.onTurn();
    await promise;
    if (this.#state === "sending") this.#owner.onBody();
  }

  #onDeadline(): void {
    if (this.awaitsContinue) return this.resume();
    const timeoutMs = this.#timeouts.writeTimeoutMs;
    this.#fail(
      new TimeoutError(`Cannot send request: nothing was taken in ${timeoutMs} ms`, {
        phase: "write",
        timeoutMs,
      }),
    );
  }

  #fail(error: unknown): void {
    // What was stopped fails because of what stopped it.
    if (this.#state !== "sending") return;
    this.stop();
    // By identity: the source of a body may have failed for a broken connection of its own.
    if (error === this.#broken) this.#owner.onBroken();
    else this.#owner.onSendFailure(error);
  }

  #break(reason: string, cause?: unknown): ConnectionClosedError {
    return this.#broken = new ConnectionClosedError(`Cannot send request: ${reason}`, { cause });
  }

  /** Tells the source of a body that nobody wants the rest. */
  #releaseSource(): void {
    const source = this.#source;
    this.#source = undefined;
    // Not waited for: a generator gets to it only when its present step is over.
    void Promise.try(() => source?.return?.()).catch(() => {});
  }
}

/** Whether head and body leave together. */
function isOneWrite({ body }: ExchangeRequest): boolean {
  return body === undefined || (body instanceof Uint8Array && body.length <= MAX_COPIED_BYTES);
}

function lengthOf({ body, bodyLength }: ExchangeRequest): number | undefined {
  if (!(body instanceof Uint8Array)) return bodyLength;
  if (bodyLength === undefined || bodyLength === body.length) return body.length;
  throw new TypeError(
    `Cannot send request: bodyLength is ${bodyLength}, but the body has ${body.length} bytes`,
  );
}

/** Whether the head says that the body waits (RFC 9110 section 10.1.1). */
function expectsContinue(headers: HeaderList): boolean {
  return headers.getAll("expect").some((value) => value.toLowerCase() === "100-continue");
}
