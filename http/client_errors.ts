import { NetError } from "../nbio/errors.ts";
import type { ClientResponse } from "./client_response.ts";

/** Where a request stood when it failed. */
export type RequestPhase =
  | "queue"
  | "resolve"
  | "connect"
  | "tls"
  | "write"
  | "first-byte"
  | "body"
  | "redirect"
  | "retry"
  | "total"
  | (string & Record<never, never>);

/** What a {@linkcode RequestFailure} is made of. */
export interface RequestFacts {
  /** Method of the request that failed, which a redirect may have changed. */
  readonly method: string;
  /** Its URL without credentials, query and fragment. */
  readonly url: string;
  /** Where it stood: of a `TimeoutError` its own phase. */
  readonly phase: RequestPhase;
  /** How often it was tried, redirects not counted. */
  readonly attempts: number;
  /** The server's address, or the last one that was tried; `undefined` without any. */
  readonly address: string | undefined;
}

/**
 * What a client knows about a request that failed. Nothing of it is secret: it may
 * be logged.
 *
 * Which error is thrown says why a request failed; this says where. It is on the
 * error as `request`, so that it shows where the error is printed.
 *
 * @example A record
 * ```ts
 * import { RequestFailure } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const url = "http://example.com/";
 * const facts = { method: "GET", url, phase: "body", attempts: 1, address: undefined };
 * assertEquals(new RequestFailure(facts).phase, "body");
 * ```
 */
export class RequestFailure implements RequestFacts {
  /** Method of the request that failed. */
  readonly method: string;
  /** Its URL without credentials, query and fragment. */
  readonly url: string;
  /** Where it stood. */
  readonly phase: RequestPhase;
  /** How often it was tried. */
  readonly attempts: number;
  /** The server's address, or the last one that was tried; `undefined` without any. */
  readonly address: string | undefined;

  /**
   * Makes a record.
   *
   * @param facts What is known.
   */
  constructor(facts: RequestFacts) {
    this.method = facts.method;
    this.url = facts.url;
    this.phase = facts.phase;
    this.attempts = facts.attempts;
    this.address = facts.address;
  }
}

/**
 * What a client knows about a request that failed with this error.
 *
 * @param error What was thrown.
 * @returns What is known; `undefined` for what is no error of this package (the
 * reason of a signal, what the source of a body threw), and for one that no
 * client has thrown.
 *
 * @example Where a request failed
 * ```ts
 * import { Client, requestFailure } from "@nbio/net/http";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using client = new Client({ retry: false });
 * const error = await assertRejects(() => client.get("http://127.0.0.1:1/a?token=secret"));
 * const { method, url, phase, attempts } = requestFailure(error)!;
 * assertEquals([method, url, phase, attempts], ["GET", "http://127.0.0.1:1/a", "connect", 1]);
 * ```
 */
export function requestFailure(error: unknown): RequestFailure | undefined {
  if (!(error instanceof NetError) || !("request" in error)) return undefined;
  return error.request instanceof RequestFailure ? error.request : undefined;
}

/**
 * Notes on an error where its request stood; what was noted first stays, and what
 * is not of this package is left alone.
 *
 * @param error What is about to be thrown.
 * @param facts Asked only where there is something to note.
 * @returns The error.
 */
export function noteRequestFailure<T>(error: T, facts: () => RequestFacts): T {
  if (error instanceof NetError && !("request" in error) && Object.isExtensible(error)) {
    Object.defineProperty(error, "request", {
      value: new RequestFailure(facts()),
      enumerable: true,
    });
  }
  return error;
}

/**
 * A server has answered with a status of 400 and more, where `throwOnError` says
 * that this is an error.
 *
 * @example Reading what the server says about it
 * ```ts
 * import { Client, HttpStatusError, serve } from "@nbio/net/http";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using server = serve((ctx) => (ctx.status = 404, ctx.text("no such page")), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 *
 * await using client = new Client({ throwOnError: true });
 * const error = await assertRejects(
 *   () => client.get(`http://127.0.0.1:${port}/`),
 *   HttpStatusError,
 * );
 * assertEquals([error.status, await error.response.text()], [404, "no such page"]);
 * ```
 */
export class HttpStatusError extends NetError {
  /** What happened, as a stable identifier. */
  override readonly code = "ERR_HTTP_STATUS_RECEIVED";
  /** The status, 400 to 999. */
  readonly status: number;
  // Private, so that it is not printed with the error: its fields may be secret.
  readonly #response: ClientResponse;

  /**
   * Makes the error.
   *
   * @param response What has come.
   */
  constructor(response: ClientResponse) {
    super(`Cannot accept response: its status is ${response.status}`);
    this.status = response.status;
    this.#response = response;
  }

  /**
   * The response. Its body is still to be read; whoever does not closes it, or
   * leaves that to its `unreadTimeoutMs`.
   */
  get response(): ClientResponse {
    return this.#response;
  }
}
