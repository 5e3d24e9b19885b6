/**
 * What a case of the server suite is. A case is data: what goes over one
 * connection, what has to come back, and the clause that says so.
 */

/** One thing the client does. */
export type Step =
  /** Sends the text, one byte per character. */
  | string
  /** Sends so many bytes `x`. */
  | { readonly fill: number }
  /** Waits for the next response, informational ones included. */
  | "await response"
  /** Ends the client's side. */
  | "end";

/** A response that has to come. */
export interface ExpectedResponse {
  /** Its status, or all that are allowed. */
  readonly status: number | readonly number[];
  /** Its body, exactly or as a pattern. */
  readonly body?: string | RegExp;
  /** What each named field must be; `null` means it must be absent. */
  readonly fields?: Readonly<Record<string, string | RegExp | null>>;
  /** How its body must be framed. */
  readonly framing?: "none" | "length" | "chunked" | "close";
  /** Whether it answers HEAD. */
  readonly isHead?: boolean;
  /** Whether the server may as well leave it out. */
  readonly isOptional?: boolean;
}

/** One case of the suite. */
export interface HttpCase {
  readonly name: string;
  /** The rule, for example `RFC 9112 section 5.1`. */
  readonly clause: string;
  readonly send: readonly Step[];
  readonly expect: {
    /** All responses in order, informational ones included, and no other. */
    readonly responses: readonly ExpectedResponse[];
    /**
     * Whether the server must close. Where it must not, a further request is
     * sent on the connection and must be answered. `"either"` where the clause
     * leaves the choice.
     */
    readonly closes: boolean | "either";
  };
  /**
   * Whether the case is a refusal: it is then run a second time with a whole
   * request and 64 KiB behind it, none of which may be answered, while the
   * client still has to read the status and an orderly end.
   */
  readonly isRefusal?: boolean;
}

/** A refusal: one response with that status, then the end. */
export function refused(
  name: string,
  clause: string,
  wire: string,
  status: number | readonly number[] = 400,
): HttpCase {
  return {
    name,
    clause,
    send: [wire],
    expect: { responses: [{ status, fields: { connection: "close" } }], closes: true },
    isRefusal: true,
  };
}

/** A valid neighbour: one request that is answered with 200, and no close. */
export function accepted(name: string, clause: string, wire: string, body?: string): HttpCase {
  const response: ExpectedResponse = body === undefined ? { status: 200 } : { status: 200, body };
  return { name, clause, send: [wire], expect: { responses: [response], closes: false } };
}

/** A case of any kind. */
export function exchange(
  name: string,
  clause: string,
  send: readonly Step[],
  responses: readonly ExpectedResponse[],
  closes: boolean | "either",
): HttpCase {
  return { name, clause, send, expect: { responses, closes } };
}

/** A request with HTTP/1.1 and a Host. */
export function request(
  method: string,
  target: string,
  fields: readonly string[] = [],
  body = "",
): string {
  return [`${method} ${target} HTTP/1.1`, "Host: a", ...fields, "", body].join("\r\n");
}

/** A POST whose body has the chunked coding; `coded` is that body as sent. */
export function chunked(coded: string, fields: readonly string[] = []): string {
  return request("POST", "/", ["Transfer-Encoding: chunked", ...fields], coded);
}
