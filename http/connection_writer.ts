// This module is sans-I/O.

import { BodyEncoder, chooseFraming, mayNameFraming } from "./body_encoder.ts";
import { type ControlFields, TransferCoding } from "./control_fields.ts";
import { HttpProtocolError } from "./errors.ts";
import type { SendInformational, SendRequest, SendResponse } from "./events.ts";
import { decideFraming, Framing } from "./framing.ts";
import { HeadParser, type MessageKind } from "./head_parser.ts";
import { type HeaderInit, HeaderList } from "./header_list.ts";
import type { ResolvedHttpLimits } from "./limits.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { writeRequestLine, writeStatusLine } from "./serializer.ts";

const HIGHEST_STATUS = 599;
/** Output memory above this is given back as soon as it was taken. */
const MAX_KEPT_BYTES = 64 * 1024;

/**
 * Methods whose request says so where its body is empty; others say nothing
 * (RFC 9110 section 8.6).
 */
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(["PATCH", "POST", "PUT"]);

/** What is ours to send has no bounds but the caller's. */
const NO_LIMITS: ResolvedHttpLimits = {
  maxRequestLineBytes: Infinity,
  maxHeaderBytes: Infinity,
  maxHeaderCount: Infinity,
  maxChunkLineBytes: Infinity,
  maxChunkOverheadBytes: Infinity,
  maxTrailerBytes: Infinity,
  maxTrailerCount: Infinity,
};

/** What a request on its way out means for its connection. */
export interface SentRequest {
  /** Whether it leaves the connection open. */
  readonly isPersistent: boolean;
  /** Whether it asks for another protocol. */
  readonly isUpgrade: boolean;
}

/** What a response depends on beside its own head. */
export interface AnsweredRequest {
  /** Method of the request; empty where none was understood. */
  readonly method: string;
  /** Minor version of the request. */
  readonly minorVersion: number;
  /** Whether the connection stays open as far as is known. */
  readonly isPersistent: boolean;
}

/**
 * The half of a connection that sends: heads and bodies as bytes. Which message
 * may go when is not its matter.
 *
 * Every head is read back by the parser that reads the peer's heads before it
 * counts as written. So there is one set of rules for both directions, and
 * nothing leaves that we would refuse.
 */
export class ConnectionWriter {
  readonly #parser: HeadParser;
  #output = new OutputBuffer();
  #body: BodyEncoder | undefined;

  /** @param kind Whether requests or responses are sent. */
  constructor(kind: MessageKind) {
    this.#parser = new HeadParser(kind, NO_LIMITS, {});
  }

  /** Takes what was written, with memory of its own; `undefined` for nothing. */
  take(): Uint8Array | undefined {
    if (this.#output.length === 0) return undefined;
    const taken = this.#output.take();
    if (this.#output.bytes.length > MAX_KEPT_BYTES) this.#output = new OutputBuffer();
    return taken;
  }

  /**
   * Takes what was written as a view: valid until the next writing, and without a
   * copy.
   */
  lend(): Uint8Array | undefined {
    const out = this.#output;
    if (out.length === 0) return undefined;
    const view = out.view();
    if (out.bytes.length > MAX_KEPT_BYTES) this.#output = new OutputBuffer();
    else out.clear();
    return view;
  }

  /**
   * Writes the head of a request.
   *
   * @throws {TypeError} If the head is not one that may be sent.
   * @throws {RangeError} If the body length is no length.
   */
  writeRequest(event: SendRequest): SentRequest {
    return this.#atomically(() => {
      const out = this.#output;
      const mark = out.length;
      writeRequestLine(out, event.method, event.target);
      writeFields(out, event.headers);
      const control = this.#readBack(mark);
      const framing = this.#frameRequest(event, control);
      out.writeText("\r\n");
      this.#body = new BodyEncoder(framing, 0, event.method);
      return {
        isPersistent: !control.hasClose,
        isUpgrade: control.hasUpgrade && control.hasConnectionUpgrade,
      };
    });
  }

  /**
   * Writes an informational response.
   *
   * @throws {RangeError} If the status is not an integer from 100 to 199.
   * @throws {TypeError} If the head is not one that may be sent.
   */
  writeInformational(event: SendInformational): void {
    checkStatus(event.status, 100, 199);
    this.#atomically(() => {
      const out = this.#output;
      const mark = out.length;
      writeStatusLine(out, event.status, event.reason);
      writeFields(out, event.headers);
      if (namesFraming(this.#readBack(mark))) throw mayNotName(event.status);
      out.writeText("\r\n");
    });
  }

  /**
   * Writes the head of a final response.
   *
   * @returns Whether the connection stays open behind the response.
   * @throws {RangeError} If the status is not an integer from 200 to 599, or the
   * body length is no length.
   * @throws {TypeError} If the head is not one that may be sent.
   */
  writeResponse(event: SendResponse, around: AnsweredRequest): boolean {
    checkStatus(event.status, 200, HIGHEST_STATUS);
    return this.#atomically(() => {
      const out = this.#output;
      const mark = out.length;
      writeStatusLine(out, event.status, event.reason);
      writeFields(out, event.headers);
      const control = this.#readBack(mark);
      const framing = this.#frameResponse(event, around, control);
      const isPersistent = around.isPersistent && !control.hasClose &&
        framing !== Framing.UNTIL_CLOSE;
      if (framing !== Framing.TUNNEL) this.#writeConnection(isPersistent, around, control);
      out.writeText("\r\n");
      this.#body = new BodyEncoder(framing, event.status, around.method);
      return isPersistent;
    });
  }

  /**
   * Writes a piece of the body.
   *
   * @throws {HttpStateError} If the body would get longer than its head said.
   */
  writeData(bytes: Uint8Array): void {
    const out = this.#output;
    if (!this.#body!.beginPiece(out, bytes.length)) return;
    out.writeBytes(bytes);
    this.#body!.endPiece(out);
  }

  /**
   * Writes what goes in front of a piece of the body that others send.
   *
   * @returns Whether the piece is to be sent.
   * @throws {HttpStateError} If the body would get longer than its head said.
   */
  beginData(length: number): boolean {
    return this.#body!.beginPiece(this.#output, length);
  }

  /** Writes what goes behind such a piece. */
  endData(): void {
    this.#body!.endPiece(this.#output);
  }

  /**
   * Ends the body.
   *
   * @throws {HttpStateError} If it is shorter than its head said.
   * @throws {TypeError} If a trailer field is not allowed, or trailers have no
   * place in this framing.
   */
  writeEnd(trailers: HeaderInit | undefined): void {
    // Checked as a whole first: the encoder writes field by field.
    this.#body!.end(this.#output, trailers === undefined ? undefined : new HeaderList(trailers));
  }

  /** Takes back what a failing step has written. */
  #atomically<T>(write: () => T): T {
    const mark = this.#output.length;
    try {
      return write();
    } catch (error) {
      this.#output.length = mark;
      throw error;
    }
  }

  /** Parses the head that starts at `mark`, so far without its empty line. */
  #readBack(mark: number): ControlFields {
    const out = this.#output;
    const end = out.length;
    out.writeText("\r\n");
    this.#parser.reset();
    try {
      this.#parser.parse(out.bytes, mark, out.length);
    } catch (cause) {
      throw asTypeError(cause);
    }
    out.length = end;
    return this.#parser.control;
  }

  #frameRequest(event: SendRequest, control: ControlFields): number {
    checkBodyLength(event.bodyLength);
    const isNamed = namesFraming(control);
    const framing = isNamed
      ? namedFraming(control, 0, 1)
      : event.bodyLength ?? (event.hasBody ? Framing.CHUNKED : 0);
    // RFC 9110 section 9.3.6: what follows is the tunnel's.
    if (event.method === "CONNECT" && framing !== 0) {
      throw new TypeError("Cannot send CONNECT request: it has no body");
    }
    if (isNamed) checkAgreement(event.bodyLength, framing);
    else if (framing !== 0 || (event.bodyLength === 0 && METHODS_WITH_BODY.has(event.method))) {
      writeFraming(this.#output, framing);
    }
    return framing;
  }

  #frameResponse(
    event: SendResponse,
    around: AnsweredRequest,
    control: ControlFields,
  ): number {
    checkBodyLength(event.bodyLength);
    const { status } = event;
    const { method, minorVersion } = around;
    const isTunnel = method === "CONNECT" && status < 300;
    if (namesFraming(control)) {
      if (isTunnel || !mayNameFraming(status)) throw mayNotName(status);
      const framing = namedFraming(control, status, minorVersion);
      const isSilent = method === "HEAD" || status === 304;
      if (!isSilent) checkAgreement(event.bodyLength, framing);
      return framing;
    }
    // A 304 names only the length that a 200 would have (RFC 9110 section 8.6).
    const hasNone = !mayNameFraming(status) || status === 304;
    const length = event.bodyLength ?? (hasNone ? 0 : undefined);
    const framing = chooseFraming({ method, status, peerMinorVersion: minorVersion, length });
    if (mayNameFraming(status) && !(status === 304 && framing === 0)) {
      writeFraming(this.#output, framing);
    }
    return framing;
  }

  /** Says what becomes of the connection where the caller's fields do not. */
  #writeConnection(
    isPersistent: boolean,
    around: AnsweredRequest,
    control: ControlFields,
  ): void {
    if (!isPersistent) {
      if (!control.hasClose) this.#output.writeText("connection: close\r\n");
    } else if (around.minorVersion === 0 && !control.hasKeepAlive) {
      this.#output.writeText("connection: keep-alive\r\n");
    }
  }
}

function writeFields(out: OutputBuffer, headers: HeaderInit = []): void {
  if (headers instanceof HeaderList) {
    return headers.forEach((name, value) => out.writeField(name, value));
  }
  const fields = Symbol.iterator in headers
    ? headers as Iterable<readonly [string, string]>
    : Object.entries(headers);
  for (const [name, value] of fields) out.writeField(name, value);
}

function writeFraming(out: OutputBuffer, framing: number): void {
  if (framing === Framing.CHUNKED) out.writeText("transfer-encoding: chunked\r\n");
  else if (framing >= 0) out.writeText(`content-length: ${framing}\r\n`);
}

function namesFraming(control: ControlFields): boolean {
  return control.contentLength >= 0 || control.transferCoding !== TransferCoding.ABSENT;
}

/**
 * The framing that the caller's fields name. For a response without a body it is
 * that of the body it would have: the fields say so too.
 */
function namedFraming(control: ControlFields, status: number, minorVersion: number): number {
  try {
    return decideFraming({ minorVersion, status: status === 0 ? 0 : 200, control }, "GET");
  } catch (cause) {
    throw asTypeError(cause);
  }
}

/** What would be the peer's fault in its head is the caller's in ours. */
function asTypeError(cause: unknown): unknown {
  if (!(cause instanceof HttpProtocolError)) return cause;
  return new TypeError(`Cannot send head: ${cause.message}`, { cause });
}

function checkStatus(status: number, lowest: number, highest: number): void {
  if (Number.isInteger(status) && status >= lowest && status <= highest) return;
  throw new RangeError(
    `Cannot send status ${status}: it is not an integer from ${lowest} to ${highest}`,
  );
}

function checkBodyLength(length: number | undefined): void {
  if (length === undefined || (Number.isSafeInteger(length) && length >= 0)) return;
  throw new RangeError(`Cannot use bodyLength ${length}: it is not a whole number of at least 0`);
}

function checkAgreement(length: number | undefined, framing: number): void {
  if (length === undefined || length === framing) return;
  throw new TypeError(`Cannot send head: its fields contradict bodyLength ${length}`);
}

function mayNotName(status: number): TypeError {
  return new TypeError(
    `Cannot send status ${status} with Content-Length or Transfer-Encoding: it has no body`,
  );
}
