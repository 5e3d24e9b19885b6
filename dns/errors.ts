// This module is sans-I/O.

import { NetError } from "../nbio/errors.ts";

/** Every way in which the wire form can be broken, or a value not fit it. Stable. */
export type DnsMessageErrorCode =
  | "ERR_DNS_TRUNCATED"
  | "ERR_DNS_BAD_NAME"
  | "ERR_DNS_BAD_POINTER"
  | "ERR_DNS_BAD_RDATA"
  | "ERR_DNS_BAD_OPT"
  | "ERR_DNS_BAD_VALUE"
  | "ERR_DNS_TRAILING_BYTES"
  | "ERR_DNS_TOO_LONG";

/** What a {@linkcode DnsMessageError} tells beside its message. */
export interface DnsMessageErrorOptions extends ErrorOptions {
  /** Where in the message, in bytes from its start; absent while encoding. */
  readonly offset?: number | undefined;
}

/**
 * A message, a name or RDATA in wire form is broken (RFC 1035 section 4), or a value does not fit
 * that form.
 *
 * @example A message that ends in its header
 * ```ts
 * import { decodeMessage, DnsMessageError } from "@nbio/net/dns";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => decodeMessage(new Uint8Array(11)), DnsMessageError);
 * assertEquals(error.code, "ERR_DNS_TRUNCATED");
 * ```
 */
export class DnsMessageError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: DnsMessageErrorCode;
  /** Where in the message, in bytes from its start; `undefined` while encoding. */
  readonly offset: number | undefined;

  /**
   * Makes the error.
   *
   * @param code What is broken.
   * @param message The action and the reason.
   * @param options The place and the cause.
   */
  constructor(code: DnsMessageErrorCode, message: string, options: DnsMessageErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.offset = options.offset;
  }
}

/** Every way in which the presentation format can be broken. Stable. */
export type DnsTextErrorCode =
  | "ERR_DNS_BAD_TEXT"
  | "ERR_DNS_BAD_NAME"
  | "ERR_DNS_BAD_ESCAPE"
  | "ERR_DNS_UNBALANCED"
  | "ERR_DNS_BAD_DIRECTIVE"
  | "ERR_DNS_BAD_TTL"
  | "ERR_DNS_BAD_TYPE"
  | "ERR_DNS_BAD_RDATA";

/** What a {@linkcode DnsTextError} tells beside its message. */
export interface DnsTextErrorOptions extends ErrorOptions {
  /** The file, where there is one. */
  readonly file?: string | undefined;
  /**
   * The line, from 1.
   *
   * @default {1}
   */
  readonly line?: number;
  /**
   * The column, from 1: in bytes of a zone or of RDATA, in UTF-16 code units of a name alone.
   *
   * @default {1}
   */
  readonly column?: number;
}

/**
 * A text in presentation format (RFC 1035 section 5) is broken.
 *
 * @example Where a name breaks off
 * ```ts
 * import { DnsTextError, parseName } from "@nbio/net/dns";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => parseName("a..example."), DnsTextError);
 * assertEquals([error.code, error.line, error.column], ["ERR_DNS_BAD_NAME", 1, 3]);
 * ```
 */
export class DnsTextError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: DnsTextErrorCode;
  /** The file, `undefined` where there is none. */
  readonly file: string | undefined;
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1: in bytes of a zone or of RDATA, in UTF-16 code units of a name alone. */
  readonly column: number;

  /**
   * Makes the error.
   *
   * @param code What is broken.
   * @param message The action and the reason.
   * @param options The place and the cause.
   */
  constructor(code: DnsTextErrorCode, message: string, options: DnsTextErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.file = options.file;
    this.line = options.line ?? 1;
    this.column = options.column ?? 1;
  }
}
