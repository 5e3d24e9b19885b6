// This module is sans-I/O.

import { formatServer } from "./dns_server.ts";
import type { DnsServer } from "./dns_server.ts";
import { formatExtendedError } from "./extended_error.ts";
import type { Question } from "./message.ts";
import type { FailedAction, ServerResponse } from "./query_action.ts";
import {
  DnsResponseError,
  type DnsResponseErrorCode,
  DnsTimeoutError,
  extendedErrorsOf,
  responseErrorCode,
  type ServerAttempt,
} from "./resolver_errors.ts";

/**
 * How telling a failure is: what a server says about the name is more than that it cannot be read,
 * or that it does not like how it was asked.
 */
const RANK = { refused: 1, malformed: 2, lame: 3, rcode: 4 } as const;

/** More is not kept: a server may send the same nonsense for ever. */
const MAX_ATTEMPT_COUNT = 256;

/** Gathers what goes wrong with a question, and makes the one error of it. */
export class QueryFailure {
  readonly #question: Question;
  readonly #totalMs: number;
  readonly #attempts: ServerAttempt[] = [];
  #kind: keyof typeof RANK | undefined;
  #response: ServerResponse | undefined;

  /**
   * Begins without any failure.
   *
   * @param question What is asked.
   * @param totalMs How long all attempts may take, in milliseconds.
   */
  constructor(question: Question, totalMs: number) {
    this.#question = question;
    this.#totalMs = totalMs;
  }

  /** Notes what became of a query. */
  record(server: DnsServer, over: "udp" | "tcp", outcome: string, cause?: unknown): void {
    if (this.#attempts.length >= MAX_ATTEMPT_COUNT) return;
    this.#attempts.push({ server, over, outcome, ...(cause === undefined ? {} : { cause }) });
  }

  /** Notes a failure; the most telling one, and of several such the last, becomes the error. */
  note(kind: keyof typeof RANK, response?: ServerResponse): void {
    if (this.#kind !== undefined && RANK[kind] < RANK[this.#kind]) return;
    // The same failure may be noted again, without the message.
    if (response === undefined && this.#kind === kind) return;
    this.#kind = kind;
    this.#response = response;
  }

  /** The end of the machine. */
  finish(): FailedAction {
    const error = this.#isTimeout() ? this.#timeoutError() : this.#responseError();
    return { type: "failed", error, response: this.#response };
  }

  #isTimeout(): boolean {
    return this.#kind === undefined && this.#attempts.some(({ outcome }) => outcome === "timeout");
  }

  #timeoutError(): DnsTimeoutError {
    const { name, type } = this.#question;
    return new DnsTimeoutError(
      `Cannot resolve ${name} ${type}: no answer in ${this.#totalMs} ms from ${this.#tried()}`,
      {
        phase: "dns",
        timeoutMs: this.#totalMs,
        question: this.#question,
        attempts: this.#attempts,
      },
    );
  }

  #responseError(): DnsResponseError {
    const { name, type } = this.#question;
    const [code, reason] = this.#describe();
    const response = this.#response?.message;
    const extended = extendedErrorsOf(response).map(({ infoCode, text }) => {
      const meaning = formatExtendedError(infoCode) ?? `extended error ${infoCode}`;
      return text === "" ? ` (${meaning})` : ` (${meaning}: ${JSON.stringify(text.slice(0, 32))})`;
    });
    const cause = this.#attempts.findLast((attempt) => attempt.cause !== undefined)?.cause;
    return new DnsResponseError(
      code,
      `Cannot resolve ${name} ${type}: ${reason}${extended[0] ?? ""}, asked ${this.#tried()}`,
      {
        question: this.#question,
        response,
        attempts: this.#attempts,
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }

  #describe(): [DnsResponseErrorCode, string] {
    const rcode = this.#response?.message.rcode ?? "SERVFAIL";
    switch (this.#kind) {
      case "rcode":
      case "refused":
        return [responseErrorCode(rcode), rcode];
      case "lame":
        return ["ERR_DNS_LAME", "the server does not resolve"];
      case "malformed":
        return ["ERR_DNS_MALFORMED", "the response cannot be used"];
      default:
        return ["ERR_DNS_UNREACHABLE", "no server could be reached"];
    }
  }

  #tried(): string {
    return [...new Set(this.#attempts.map(({ server }) => formatServer(server)))].join(", ");
  }
}
