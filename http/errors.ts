// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";

/** Every way in which a peer can break HTTP/1.1. Stable. */
export type HttpProtocolErrorCode =
  | "ERR_HTTP_BAD_REQUEST_LINE"
  | "ERR_HTTP_BAD_STATUS_LINE"
  | "ERR_HTTP_BAD_METHOD"
  | "ERR_HTTP_BAD_TARGET"
  | "ERR_HTTP_BAD_VERSION"
  | "ERR_HTTP_UNSUPPORTED_VERSION"
  | "ERR_HTTP_HTTP2_PREFACE"
  | "ERR_HTTP_TLS_CLIENT_HELLO"
  | "ERR_HTTP_BARE_LF"
  | "ERR_HTTP_BARE_CR"
  | "ERR_HTTP_OBS_FOLD"
  | "ERR_HTTP_BAD_FIELD_NAME"
  | "ERR_HTTP_BAD_FIELD_VALUE"
  | "ERR_HTTP_MISSING_HOST"
  | "ERR_HTTP_BAD_HOST"
  | "ERR_HTTP_HOST_MISMATCH"
  | "ERR_HTTP_BAD_CONTENT_LENGTH"
  | "ERR_HTTP_BAD_TRANSFER_ENCODING"
  | "ERR_HTTP_UNKNOWN_TRANSFER_CODING"
  | "ERR_HTTP_LENGTH_AND_TRANSFER_CODING"
  | "ERR_HTTP_BAD_CHUNK_SIZE"
  | "ERR_HTTP_BAD_CHUNK_EXTENSION"
  | "ERR_HTTP_BAD_CHUNK_DATA"
  | "ERR_HTTP_BAD_TRAILER"
  | "ERR_HTTP_TRUNCATED_MESSAGE"
  | "ERR_HTTP_UNEXPECTED_RESPONSE"
  | "ERR_HTTP_EXPECTATION_FAILED"
  | "ERR_HTTP_BAD_MULTIPART"
  | "ERR_HTTP_TRUNCATED_MULTIPART"
  | "ERR_HTTP_BAD_FORM"
  | "ERR_HTTP_BAD_CONTENT_CODING"
  | "ERR_HTTP_TRUNCATED_CONTENT_CODING";

/** What an {@linkcode HttpProtocolError} tells beside its message. */
export interface HttpProtocolErrorOptions extends ErrorOptions {
  /**
   * The status a server answers with before it closes.
   *
   * @default {400}
   */
  readonly statusHint?: number;
}

/**
 * The peer broke HTTP/1.1, or the format of what it sent: a form, a content
 * coding. After the former the connection cannot go on: nothing after the
 * offending byte can be trusted.
 *
 * @example Reading code and hint
 * ```ts
 * import { HttpProtocolError } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HttpProtocolError("ERR_HTTP_BARE_LF", "Cannot parse head: line ends without CR");
 * assertEquals([error.code, error.statusHint], ["ERR_HTTP_BARE_LF", 400]);
 * ```
 */
export class HttpProtocolError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: HttpProtocolErrorCode;
  /** The status a server answers with before it closes. */
  readonly statusHint: number;

  /**
   * Makes the error.
   *
   * @param code What was broken.
   * @param message The action and the reason.
   * @param options The status hint and the cause.
   */
  constructor(
    code: HttpProtocolErrorCode,
    message: string,
    options: HttpProtocolErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.statusHint = options.statusHint ?? 400;
  }
}

/** Every way in which a caller can use HTTP at the wrong moment. Stable. */
export type HttpStateErrorCode =
  | "ERR_HTTP_ILLEGAL_EVENT"
  | "ERR_HTTP_ALREADY_ANSWERED"
  | "ERR_HTTP_HEAD_COMMITTED"
  | "ERR_HTTP_BODY_USED"
  | "ERR_HTTP_BODY_LENGTH_MISMATCH"
  | "ERR_HTTP_CONTEXT_EXPIRED"
  | "ERR_HTTP_WRITER_NOT_CLOSED"
  | "ERR_HTTP_WRITER_CLOSED"
  | "ERR_HTTP_NEXT_CALLED"
  | "ERR_HTTP_BODY_UNREAD";

/** What an {@linkcode HttpStateError} tells beside its message. */
export interface HttpStateErrorOptions extends ErrorOptions {
  /** The state in which the call came. */
  readonly state: string;
  /** What was called. */
  readonly event: string;
}

/**
 * The caller did something that is not legal now: a body read twice, a head
 * changed after it left, an event the connection's state does not allow.
 *
 * @example Telling what was called when
 * ```ts
 * import { HttpStateError } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HttpStateError("ERR_HTTP_BODY_USED", "Cannot read body: it was read already", {
 *   state: "used",
 *   event: "text",
 * });
 * assertEquals([error.state, error.event], ["used", "text"]);
 * ```
 */
export class HttpStateError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: HttpStateErrorCode;
  /** The state in which the call came. */
  readonly state: string;
  /** What was called. */
  readonly event: string;

  /**
   * Makes the error.
   *
   * @param code What was wrong about the moment.
   * @param message The action and the reason.
   * @param options The state and the call.
   */
  constructor(code: HttpStateErrorCode, message: string, options: HttpStateErrorOptions) {
    super(message, options);
    this.code = code;
    this.state = options.state;
    this.event = options.event;
  }
}

/** What an {@linkcode HttpError} carries beside status and message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Header fields of the answer, in order. */
  readonly headers?: Iterable<readonly [name: string, value: string]>;
  /**
   * Whether the message may be shown to the client.
   *
   * @default {true} for 4xx, `false` for 5xx
   */
  readonly expose?: boolean;
}

/**
 * Thrown by a handler, or by a check on its behalf, to answer with a status.
 *
 * @example Answering 404 from deep inside
 * ```ts
 * import { HttpError } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HttpError(404, "No such user", { headers: [["cache-control", "no-store"]] });
 * assertEquals([error.status, error.expose, error.code], [404, true, "ERR_HTTP_STATUS"]);
 * ```
 */
export class HttpError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code = "ERR_HTTP_STATUS";
  /** Status code of the answer, 400 to 599. */
  readonly status: number;
  /** Header fields of the answer, in order. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  /** Whether the message may be shown to the client. */
  readonly expose: boolean;

  /**
   * Makes the error.
   *
   * @param status Status code of the answer, 400 to 599.
   * @param message What went wrong; the answer's text where `expose` is set.
   * @param options Header fields, `expose` and the cause.
   * @throws {RangeError} If the status is not an integer from 400 to 599.
   */
  constructor(status: number, message: string = "", options: HttpErrorOptions = {}) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(
        `Cannot create HttpError: status ${status} is not an integer from 400 to 599`,
      );
    }
    super(message, options);
    this.status = status;
    this.headers = [...options.headers ?? []];
    this.expose = options.expose ?? status < 500;
  }
}
