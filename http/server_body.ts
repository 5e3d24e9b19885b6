import { ConnectionClosedError } from "../nbio/errors.ts";
import type { BodySource } from "./body_incoming.ts";
import { HttpStateError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import type { RequestReader } from "./request_reader.ts";
import type { Context } from "./server_context.ts";
import type { ServerDeadline } from "./server_deadline.ts";
import type { ServerInput } from "./server_input.ts";
import type { ServerOutput } from "./server_output.ts";

/** Below it a read into the buffer and a copy cost less than a read of its own. */
const MIN_READ_PAST_BYTES = 4 * 1024;
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** The body of one request, as its connection gives it out. */
export class ServerBody implements BodySource {
  /** Whether the body turned out to be unreadable: nothing can follow it. */
  isFailed = false;
  /** Bytes that were read, without their framing. */
  receivedBytes = 0;

  readonly #reader: RequestReader;
  readonly #input: ServerInput;
  readonly #output: ServerOutput;
  readonly #deadline: ServerDeadline;
  readonly #context: Context;
  #owesContinue: boolean;
  #isClosed = false;

  readonly bodyLength: number | undefined;

  /**
   * @param reader Takes the body apart.
   * @param input Where the bytes come from.
   * @param output Where a `100 Continue` goes.
   * @param deadline Watches over progress.
   * @param context The request and its answer.
   */
  constructor(
    reader: RequestReader,
    input: ServerInput,
    output: ServerOutput,
    deadline: ServerDeadline,
    context: Context,
  ) {
    this.#reader = reader;
    this.#input = input;
    this.#output = output;
    this.#deadline = deadline;
    this.#context = context;
    this.#owesContinue = reader.expectsContinue;
    this.bodyLength = reader.bodyLength;
  }

  get bodyType(): string | undefined {
    return this.#context.headers.get("content-type");
  }

  get bodyCoding(): string | undefined {
    return this.#context.headers.get("content-encoding");
  }

  get bodyTrailers(): HeaderList | undefined {
    return this.#isClosed ? undefined : this.#reader.trailers;
  }

  get isBodyDone(): boolean {
    this.#checkOpen();
    const isDone = this.#reader.isBodyDone;
    // The client can leave while the handler works on what it has read.
    if (isDone) this.#input.resumeWatch();
    return isDone;
  }

  /** Whether the client still waits for a `100 Continue`, and may get one. */
  get owesContinue(): boolean {
    // Behind the head of the final answer it would be a part of that.
    return this.#owesContinue && !this.#context.response.committed;
  }

  /** Ends the life of this body, with the request it belongs to. */
  close(): void {
    this.#isClosed = true;
  }

  peekBody(): number {
    this.#checkOpen();
    return this.#reader.peekBody(this.#input.buffer);
  }

  takeBody(): Uint8Array | undefined {
    this.#checkOpen();
    try {
      const view = this.#reader.takeBody(this.#input.buffer);
      // A client that sends its body unasked does not wait (RFC 9110 10.1.1).
      if (view !== undefined) {
        this.#owesContinue = false;
        this.receivedBytes += view.length;
      }
      return view;
    } catch (error) {
      this.isFailed = true;
      throw error;
    }
  }

  async awaitBody(): Promise<void> {
    this.#checkEnd();
    if (this.owesContinue) await this.#sendContinue();
    this.#deadline.arm("body");
    await this.#input.wait(this.#input.fill());
    this.#afterRead();
  }

  async readBodyInto(destination: Uint8Array): Promise<number> {
    const remaining = this.#reader.remainingBytes ?? 0;
    if (remaining < MIN_READ_PAST_BYTES) {
      await this.awaitBody();
      return 0;
    }
    this.#checkEnd();
    if (this.owesContinue) await this.#sendContinue();
    this.#deadline.arm("body");
    const most = Math.min(destination.length, remaining);
    const count = await this.#input.readPast(
      destination.subarray(0, most),
      (taken) => this.#reader.skipBody(taken),
    );
    this.receivedBytes += count;
    this.#afterRead();
    return count;
  }

  /**
   * Writes the `100 Continue` that is still owed, in front of an answer that leaves
   * while the body is being read: of a stream that is sent back, say, the first piece
   * is asked for when the head has left. A client that sends already gets none.
   */
  writeContinue(): void {
    if (this.owesContinue && this.#input.buffer.length === 0) {
      this.#output.buffer.writeText(CONTINUE);
    }
    this.#owesContinue = false;
  }

  async #sendContinue(): Promise<void> {
    this.writeContinue();
    await this.#output.flush();
    this.#checkOpen();
  }

  #afterRead(): void {
    // First: the deadline of a closed body is somebody else's by now.
    this.#checkOpen();
    this.#deadline.cancel();
    if (this.#input.error !== undefined) {
      this.isFailed = true;
      throw new ConnectionClosedError("Cannot read body: the connection broke", {
        cause: this.#input.error,
      });
    }
  }

  /** Whoever waits has taken all there was: at the end, something is missing. */
  #checkEnd(): void {
    if (!this.#input.isEnded) return;
    this.isFailed = true;
    throw this.#reader.errorAtEnd()!;
  }

  #checkOpen(): void {
    if (!this.#isClosed) return;
    throw new HttpStateError(
      "ERR_HTTP_CONTEXT_EXPIRED",
      "Cannot read body: the handler of this request has settled",
      { state: "expired", event: "body" },
    );
  }
}
