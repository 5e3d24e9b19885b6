import { ConnectionClosedError } from "../nbio/errors.ts";
import type { BodySource } from "./body_incoming.ts";
import { bytesOf } from "./server_stream.ts";

const LENGTH = /^\d{1,15}$/;

/** The body of a web-standard `Request`, for the readers of `ctx.body`. */
export class AdapterBody implements BodySource {
  readonly bodyTrailers: undefined = undefined;
  readonly #request: Request;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #piece: Uint8Array | undefined;
  #isDone: boolean;

  /** @param request Its body must not have been read. */
  constructor(request: Request) {
    this.#request = request;
    this.#isDone = request.body === null;
  }

  get bodyLength(): number | undefined {
    if (this.#request.body === null) return 0;
    const length = this.#request.headers.get("content-length");
    return length !== null && LENGTH.test(length) ? Number(length) : undefined;
  }

  get bodyType(): string | undefined {
    return this.#request.headers.get("content-type") ?? undefined;
  }

  get bodyCoding(): string | undefined {
    return this.#request.headers.get("content-encoding") ?? undefined;
  }

  get isBodyDone(): boolean {
    return this.#isDone && this.#piece === undefined;
  }

  peekBody(): number {
    return this.#piece?.length ?? 0;
  }

  takeBody(): Uint8Array | undefined {
    const piece = this.#piece;
    this.#piece = undefined;
    return piece;
  }

  async awaitBody(): Promise<void> {
    const { done, value } = await this.#read();
    if (done) {
      this.#isDone = true;
      return;
    }
    const piece = bytesOf(value);
    if (piece.length > 0) this.#piece = piece;
  }

  async readBodyInto(): Promise<number> {
    // The runtime reads into memory of its own.
    await this.awaitBody();
    return 0;
  }

  async #read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    this.#reader ??= this.#request.body!.getReader();
    try {
      return await this.#reader.read();
    } catch (cause) {
      throw new ConnectionClosedError("Cannot read body: the client has left", { cause });
    }
  }
}
