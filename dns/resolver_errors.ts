// This module is sans-I/O.

import { NetError, TimeoutError, type TimeoutErrorOptions } from "../nbio/errors.ts";
import type { DnsServer } from "./dns_server.ts";
import type { Message, Question } from "./message.ts";

/** Every way in which servers can fail to give records. Stable. */
export type DnsResponseErrorCode =
  | "ERR_DNS_NXDOMAIN"
  | "ERR_DNS_NODATA"
  | "ERR_DNS_SERVFAIL"
  | "ERR_DNS_REFUSED"
  | "ERR_DNS_NOTIMP"
  | "ERR_DNS_FORMERR"
  | "ERR_DNS_LAME"
  | "ERR_DNS_MALFORMED"
  | "ERR_DNS_ALIAS_LOOP"
  | "ERR_DNS_ALIAS_LIMIT"
  | "ERR_DNS_UNREACHABLE"
  | "ERR_DNS_RCODE";

/** What became of one query. */
export interface ServerAttempt {
  /** Who was asked. */
  readonly server: DnsServer;
  /** Over what. */
  readonly over: "udp" | "tcp";
  /**
   * What came of it: the response code, or `"timeout"`, `"unreachable"`, `"lame"` (the server does
   * not resolve), `"malformed"`, `"truncated"` (to be asked over TCP), `"mismatched"` (too many
   * datagrams that do not match, or the wrong case).
   */
  readonly outcome: string;
  /** The error below, where there is one. */
  readonly cause?: unknown;
}

/** An extended error of a response (RFC 8914). */
export interface ExtendedDnsError {
  /** What went wrong, see {@linkcode formatExtendedError}. */
  readonly infoCode: number;
  /** What the server says about it; may be empty. */
  readonly text: string;
}

/** What a {@linkcode DnsResponseError} tells beside its message. */
export interface DnsResponseErrorOptions extends ErrorOptions {
  /** What was asked. */
  readonly question: Question;
  /** The response. */
  readonly response?: Message | undefined;
  /**
   * The queries that were sent, in order.
   *
   * @default {[]}
   */
  readonly attempts?: readonly ServerAttempt[];
}

/**
 * No records: a server says that there are none, or none of them gives a usable response.
 *
 * - `ERR_DNS_NXDOMAIN`: there is no such name. `ERR_DNS_NODATA`: the name has no such records.
 * - `ERR_DNS_SERVFAIL`, `ERR_DNS_REFUSED`, `ERR_DNS_NOTIMP`, `ERR_DNS_FORMERR`: the servers cannot
 *   or will not tell. `ERR_DNS_RCODE`: they answer with another response code.
 * - `ERR_DNS_LAME`: they do not resolve. `ERR_DNS_MALFORMED`: what they send cannot be read.
 * - `ERR_DNS_ALIAS_LOOP`, `ERR_DNS_ALIAS_LIMIT`: aliases lead back, or there are too many.
 * - `ERR_DNS_UNREACHABLE`: nothing could be sent to any of them.
 *
 * @example What a server says
 * ```ts
 * import { DnsResponseError } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DnsResponseError("ERR_DNS_REFUSED", "Cannot resolve a.example.: REFUSED", {
 *   question: { name: "a.example.", type: "A", class: "IN" },
 * });
 * assertEquals([error.code, error.question.name], ["ERR_DNS_REFUSED", "a.example."]);
 * ```
 */
export class DnsResponseError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code: DnsResponseErrorCode;
  /** What was asked; its name is not `name`, because that of an error is its class. */
  readonly question: Question;
  /** The response code; `undefined` where no response could be read. */
  readonly rcode: string | undefined;
  /** What the response says beyond its code. */
  readonly extendedErrors: readonly ExtendedDnsError[];
  /** The response; `undefined` where none could be read. */
  readonly response: Message | undefined;
  /** The queries that were sent, in order. */
  readonly attempts: readonly ServerAttempt[];

  /**
   * Makes the error.
   *
   * @param code What is wrong.
   * @param message The action and the reason.
   * @param options The question, the response and what was tried.
   */
  constructor(code: DnsResponseErrorCode, message: string, options: DnsResponseErrorOptions) {
    super(message, options);
    this.code = code;
    this.question = options.question;
    this.response = options.response;
    this.rcode = options.response?.rcode;
    this.extendedErrors = extendedErrorsOf(options.response);
    this.attempts = options.attempts ?? [];
  }
}

/** What a {@linkcode DnsTimeoutError} tells beside its message. */
export interface DnsTimeoutErrorOptions extends TimeoutErrorOptions {
  /** What was asked. */
  readonly question: Question;
  /**
   * The queries that were sent, in order.
   *
   * @default {[]}
   */
  readonly attempts?: readonly ServerAttempt[];
}

/**
 * No server gave a usable response in time. It is a `TimeoutError`, `ERR_NET_TIMEOUT`, that tells
 * what was tried.
 *
 * @example What was tried
 * ```ts
 * import { DnsTimeoutError } from "@nbio/net/dns";
 * import { TimeoutError } from "@nbio/net/nbio";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const server = { address: "192.0.2.53", port: 53 };
 * const error = new DnsTimeoutError("Cannot resolve a.example.: no answer in 5000 ms", {
 *   question: { name: "a.example.", type: "A", class: "IN" },
 *   phase: "dns",
 *   timeoutMs: 5_000,
 *   attempts: [{ server, over: "udp", outcome: "timeout" }],
 * });
 * assert(error instanceof TimeoutError);
 * assertEquals(error.attempts[0]?.server.address, "192.0.2.53");
 * ```
 */
export class DnsTimeoutError extends TimeoutError {
  /** What was asked. */
  readonly question: Question;
  /** The queries that were sent, in order. */
  readonly attempts: readonly ServerAttempt[];

  /**
   * Makes the error.
   *
   * @param message What was waited for, and for how long.
   * @param options The limit, the question and what was tried.
   */
  constructor(message: string, options: DnsTimeoutErrorOptions) {
    super(message, options);
    this.question = options.question;
    this.attempts = options.attempts ?? [];
  }
}

/**
 * Gives the code of the error that a response code means.
 *
 * @param rcode The response code, no `NOERROR`.
 * @returns The code.
 *
 * @example Codes of their own, and the rest
 * ```ts
 * import { responseErrorCode } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(responseErrorCode("NXDOMAIN"), "ERR_DNS_NXDOMAIN");
 * assertEquals(responseErrorCode("NOTAUTH"), "ERR_DNS_RCODE");
 * ```
 */
export function responseErrorCode(rcode: string): DnsResponseErrorCode {
  switch (rcode) {
    case "NXDOMAIN":
    case "SERVFAIL":
    case "REFUSED":
    case "NOTIMP":
    case "FORMERR":
      return `ERR_DNS_${rcode}`;
    default:
      return "ERR_DNS_RCODE";
  }
}

/**
 * Gives the extended errors of a message (RFC 8914).
 *
 * @param message The message, if there is one.
 * @returns Them in order; empty where there are none.
 *
 * @example A message without any
 * ```ts
 * import { decodeMessage, encodeMessage, extendedErrorsOf } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(extendedErrorsOf(decodeMessage(encodeMessage({}))), []);
 * ```
 */
export function extendedErrorsOf(message: Message | undefined): readonly ExtendedDnsError[] {
  const errors: ExtendedDnsError[] = [];
  for (const option of message?.edns?.options ?? []) {
    if (option.type !== "extended-error") continue;
    errors.push({ infoCode: option.infoCode, text: option.text });
  }
  return errors;
}
