import { ConnectionClosedError } from "../nbio/errors.ts";
import { AdapterBody } from "./adapter_body.ts";
import { IncomingBody } from "./body_incoming.ts";
import { HttpError, HttpStateError } from "./errors.ts";
import { mayHaveBody } from "./framing.ts";
import { type HeaderInit, HeaderList } from "./header_list.ts";
import { OutgoingResponse, type ResponseSurroundings } from "./outgoing_response.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { adoptResponse, checkResponse } from "./server_adopt.ts";
import { Context, type ContextSource } from "./server_context.ts";
import { answerError, isServerError, readAccept } from "./server_errors.ts";
import { checkInformational, encodeHead } from "./server_final_head.ts";
import type { HandedConnection } from "./server_handover.ts";
import type { Handler } from "./server_shared.ts";
import { bytesOf, dropBody, ServerStream, type StreamSource } from "./server_stream.ts";
import { ResponseWriter, type WriterTarget } from "./server_writer.ts";

const NO_LINE = new Uint8Array(0);

/** What the bodies and errors of {@linkcode AdapterExchange} go by. */
export interface AdapterSettings {
  /** Bytes of a body that are collected in memory. */
  readonly maxBodyBytes: number;
  /** Whether body readers undo content codings. */
  readonly decodeBodies: boolean;
  /** Told of what went wrong on our side. */
  readonly onError: (error: unknown, ctx: Context) => void;
}

/** One `Request` of another server, answered by a handler of ours. */
export class AdapterExchange implements ContextSource, WriterTarget {
  readonly tlsInfo: undefined = undefined;
  readonly #request: Request;
  readonly #remoteAddr: Deno.Addr;
  readonly #settings: AdapterSettings;
  readonly #response: OutgoingResponse = new OutgoingResponse();
  readonly #context: Context;
  readonly #answer: PromiseWithResolvers<Response> = Promise.withResolvers();
  #source: AdapterBody | undefined;
  #body: IncomingBody | undefined;
  #controller: AbortController | undefined;
  #writer: ResponseWriter | undefined;
  #sink: WritableStreamDefaultWriter<Uint8Array> | undefined;
  /** Whether the response has broken off, on whichever side. */
  #isOver = false;

  /**
   * @param request The request.
   * @param remoteAddr Who sent it.
   * @param settings Bounds, and who is told of errors.
   */
  constructor(request: Request, remoteAddr: Deno.Addr, settings: AdapterSettings) {
    this.#request = request;
    this.#remoteAddr = remoteAddr;
    this.#settings = settings;
    this.#context = new Context(this, this.#response, request.method, 1);
  }

  /** Runs the handler. The promise never rejects; it resolves when the head is there. */
  run(handler: Handler): Promise<Response> {
    void this.#run(handler);
    return this.#answer.promise;
  }

  async #run(handler: Handler): Promise<void> {
    let web: void | Response = undefined;
    try {
      web = await handler(this.#context);
      if (web === undefined) this.#context.ensureAnswer();
      else if (this.#isUntouched) checkResponse(web);
      else this.#adopt(web);
    } catch (error) {
      web = undefined;
      this.answerError(error);
    }
    try {
      if (this.#response.committed) await this.#endCommitted();
      else if (web !== undefined && !this.#response.isAnswered) this.#answer.resolve(web);
      else this.#resolve(this.#takeBody());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whether a returned `Response` can go as it is. */
  get #isUntouched(): boolean {
    const { isAnswered, committed, headers } = this.#response;
    return !isAnswered && !committed && headers.size === 0;
  }

  #adopt(web: Response): void {
    try {
      adoptResponse(this.#response, web);
    } catch (error) {
      dropBody(web.body, error);
      throw error;
    }
  }

  /** The body for a `Response`; what may have none has none. */
  #takeBody(): BodyInit | null {
    const { body, status } = this.#response;
    if (body === undefined) return null;
    if (!mayHaveBody(status, this.#request.method) || status === 205) {
      dropBody(body, "Response has no body");
      return null;
    }
    if (typeof body === "string" || body instanceof Uint8Array) return body as BodyInit;
    return streamOf(new ServerStream(body as StreamSource));
  }

  #resolve(body: BodyInit | null): void {
    const { status, headers } = this.#response;
    const web = new Response(body, { status });
    // A body of text brings a type, which is not for it to say.
    web.headers.delete("content-type");
    for (const [name, value] of headers) web.headers.append(name, value);
    this.#answer.resolve(web);
  }

  answerError(error: unknown): void {
    dropBody(this.#response.body, error);
    if (this.#response.committed) return this.#fail(error);
    this.#reportFault(error);
    answerError(this.#response, error, readAccept(this.#context));
  }

  /** Half a response cannot be taken back, one that cannot be sent becomes a 500. */
  #fail(error: unknown): void {
    // What follows from the first failure, or from the client's leaving, says nothing new.
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#sink?.abort(error).catch(() => {});
    this.#reportFault(error);
    this.#answer.resolve(new Response("Internal Server Error", { status: 500 }));
  }

  /** Tells of what is our fault: neither the client's mistakes are, nor that it has left. */
  #reportFault(error: unknown): void {
    if (error instanceof ConnectionClosedError && this.#request.signal.aborted) return;
    if (isServerError(error)) this.#report(error);
  }

  #report(error: unknown): void {
    try {
      this.#settings.onError(error, this.#context);
    } catch (reason) {
      console.error(reason);
    }
  }

  /** What follows a head that left early. */
  async #endCommitted(): Promise<void> {
    if (this.#writer === undefined) return await this.#sendRest();
    if (this.#writer.closed) return await this.#writer.settled;
    throw new HttpStateError(
      "ERR_HTTP_WRITER_NOT_CLOSED",
      "Cannot end response: its writer was not closed before the handler settled",
      { state: "open", event: "end" },
    );
  }

  async #sendRest(): Promise<void> {
    const { body } = this.#response;
    this.#response.owesBody = false;
    if (typeof body === "string" || body instanceof Uint8Array) {
      await this.writePiece(bytesOf(body));
    } else if (body !== undefined) {
      const stream = new ServerStream(body as StreamSource);
      try {
        for (let piece; (piece = await stream.next()) !== undefined;) await this.writePiece(piece);
      } catch (error) {
        stream.cancel(error);
        throw error;
      }
    }
    await this.endBody();
  }

  // What the context asks for.

  get localAddr(): Deno.Addr {
    const { protocol, hostname, port } = new URL(this.#request.url);
    const implied = protocol === "https:" ? 443 : 80;
    return { transport: "tcp", hostname, port: port === "" ? implied : Number(port) };
  }

  get remoteAddr(): Deno.Addr {
    return this.#remoteAddr;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const { signal } = this.#request;
      if (signal.aborted) this.#controller.abort(signal.reason);
      else signal.addEventListener("abort", () => this.abortSignal(signal.reason), { once: true });
    }
    return this.#controller.signal;
  }

  get body(): IncomingBody {
    if (this.#body === undefined) {
      const { maxBodyBytes, decodeBodies } = this.#settings;
      this.#source = new AdapterBody(this.#request);
      this.#body = new IncomingBody(this.#source, maxBodyBytes, { decode: decodeBodies });
    }
    return this.#body;
  }

  readTarget(): string {
    const { url } = this.#request;
    const path = url.indexOf("/", url.indexOf("://") + 3);
    return path < 0 ? "/" : url.slice(path);
  }

  readHeaders(): HeaderList {
    return new HeaderList(this.#request.headers);
  }

  abortSignal(reason: unknown): void {
    this.signal;
    this.#controller!.abort(reason);
  }

  openWriter(): ResponseWriter {
    this.#commit();
    return this.#writer = new ResponseWriter(this, Promise.resolve());
  }

  flushHead(): Promise<void> {
    this.#commit();
    this.#response.owesBody = true;
    return Promise.resolve();
  }

  #commit(): void {
    const response = this.#response;
    response.checkOpen("head");
    if (!response.isAnswered) response.setStatus(200);
    // Written for nobody: for the rules about fields, and for the head to be fixed.
    response.writeHead(new OutputBuffer(), undefined, surroundings(this.#request.method));
    if (!mayHaveBody(response.status, this.#request.method) || response.status === 205) {
      return this.#resolve(null);
    }
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>();
    this.#sink = writable.getWriter();
    this.#sink.closed.catch((reason) => this.abortSignal(reason));
    this.#resolve(readable);
  }

  async writePiece(bytes: Uint8Array): Promise<void> {
    try {
      // The other server keeps the bytes for longer than our caller has to.
      if (bytes.length > 0) await this.#sink?.write(bytes.slice());
    } catch (cause) {
      this.#isOver = true;
      throw new ConnectionClosedError("Cannot write: the client has left", { cause });
    }
  }

  async endBody(): Promise<void> {
    await this.#sink?.close();
  }

  inform(status: number, headers: HeaderInit): Promise<void> {
    this.#response.checkOpen("inform");
    checkInformational(status);
    encodeHead(status, headers);
    return Promise.resolve();
  }

  upgrade(): Promise<HandedConnection> {
    return Promise.reject(notOurs());
  }

  tunnel(): Promise<HandedConnection> {
    return Promise.reject(notOurs());
  }

  hijack(): Promise<HandedConnection> {
    return Promise.reject(notOurs());
  }
}

function surroundings(method: string): ResponseSurroundings {
  return {
    method,
    minorVersion: 1,
    isLast: false,
    tellsKeepAlive: false,
    keepAliveLine: NO_LINE,
    dateLine: NO_LINE,
    plainTail: NO_LINE,
  };
}

function notOurs(): HttpError {
  return new HttpError(
    501,
    "The connection belongs to another server, which does not give it away",
  );
}

function streamOf(stream: ServerStream): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller): Promise<void> {
      const piece = await stream.next();
      if (piece === undefined) controller.close();
      else if (piece.length > 0) controller.enqueue(piece as Uint8Array<ArrayBuffer>);
    },
    cancel(reason): void {
      stream.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
