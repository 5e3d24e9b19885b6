// This module is sans-I/O.

import { HttpError, type HttpErrorOptions } from "./errors.ts";
import { reasonPhrase } from "./status.ts";

const LOWEST_SERVER_ERROR = 500;

/**
 * What went wrong, for programs (RFC 9457 section 3). Members of other names are
 * extensions: what JSON can say.
 */
export interface ProblemDetails {
  /** Status code of the answer, 400 to 599. */
  readonly status: number;
  /**
   * URI that names the kind of problem, best one that leads to its documentation.
   *
   * @default {undefined} for `about:blank`: no more than the status says
   */
  readonly type?: string | undefined;
  /**
   * What kind of problem it is, in words that stay the same.
   *
   * @default {undefined} for the phrase of the status
   */
  readonly title?: string | undefined;
  /** What went wrong this time, for people. */
  readonly detail?: string | undefined;
  /** URI that names this occurrence. */
  readonly instance?: string | undefined;
  /** Members of one's own (RFC 9457 section 3.2). */
  readonly [extension: string]: unknown;
}

/** An error that says itself which problem details to answer with. */
export interface ProblemSource {
  /** The members to be sent (RFC 9457 section 3). */
  toProblem(): Record<string, unknown>;
}

/** Whether an error says itself which problem details to answer with. */
export function isProblemSource(error: unknown): error is HttpError & ProblemSource {
  return error instanceof HttpError &&
    typeof (error as Partial<ProblemSource>).toProblem === "function";
}

/**
 * An error that is answered with problem details. Its text, for clients that do
 * not read them, is `detail`, else `title`.
 *
 * @example Reading what will be answered
 * ```ts
 * import { HttpProblem } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HttpProblem({ status: 403, title: "Not enough credit", balance: 30 });
 * assertEquals([error.status, error.message], [403, "Not enough credit"]);
 * assertEquals(error.toProblem(), { title: "Not enough credit", status: 403, balance: 30 });
 * ```
 */
export class HttpProblem extends HttpError implements ProblemSource {
  /** What went wrong. */
  readonly details: ProblemDetails;
  readonly #json: string;

  /**
   * Makes the error.
   *
   * @param details What went wrong.
   * @param options Header fields of the answer, `expose` and the cause.
   * @throws {RangeError} If the status is not an integer from 400 to 599.
   * @throws {TypeError} If a member of RFC 9457 is not text, or an extension has no
   * JSON text.
   */
  constructor(details: ProblemDetails, options: HttpErrorOptions = {}) {
    const { status, type, title, detail, instance, ...extensions } = details;
    checkTexts({ type, title, detail, instance });
    super(status, detail ?? title ?? "", options);
    const known = { type, title: title ?? (reasonPhrase(status) || undefined), status };
    // Made now: whoever made the details hears of it, and nobody can change them.
    this.#json = JSON.stringify({ ...known, detail, instance, ...extensions });
    this.details = JSON.parse(this.#json);
  }

  /**
   * The members to be sent, without those that are not set; of an error of the
   * server's, unless exposed, no more than its status.
   */
  toProblem(): Record<string, unknown> {
    return this.expose ? JSON.parse(this.#json) : problemOf(this.status, "");
  }
}

/**
 * Makes an error that is answered with problem details (RFC 9457): as
 * `application/problem+json`, or as a page or text to clients that prefer that.
 *
 * Of a status of 500 and above nothing but the status is told, unless `expose` is
 * set: what fails in a server is not the client's to know.
 *
 * @param details What went wrong; members of other names are extensions.
 * @param options Header fields of the answer, `expose` and the cause.
 * @returns The error, to be thrown.
 * @throws {RangeError} If the status is not an integer from 400 to 599.
 * @throws {TypeError} If a member of RFC 9457 is not text, or an extension has no
 * JSON text.
 *
 * @example Out of credit
 * ```ts
 * import { problem, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(() => {
 *   throw problem({
 *     status: 403,
 *     type: "https://example.com/problems/out-of-credit",
 *     title: "You do not have enough credit",
 *     detail: "Your balance is 30, but that costs 50",
 *     balance: 30,
 *   });
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(response.headers.get("content-type"), "application/problem+json");
 * assertEquals((await response.json()).balance, 30);
 * ```
 */
export function problem(details: ProblemDetails, options: HttpErrorOptions = {}): HttpProblem {
  return new HttpProblem(details, options);
}

/**
 * Problem details of an error that has none.
 *
 * @param status Status code of the answer.
 * @param message What the client may read about it; empty for nothing.
 */
export function problemOf(status: number, message: string): Record<string, unknown> {
  const title = reasonPhrase(status) ||
    (status < LOWEST_SERVER_ERROR ? "Client error" : "Server error");
  return { title, status, ...message !== "" && message !== title && { detail: message } };
}

function checkTexts(members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined || typeof value === "string") continue;
    throw new TypeError(`Cannot make problem details: ${name} is not text`);
  }
}
