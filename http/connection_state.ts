// This module is sans-I/O.

import { HttpStateError } from "./errors.ts";

/**
 * The states of a connection, and every way from one to the next.
 *
 * A connection has two halves: requests flow in one, responses in the other.
 * Both roles keep both halves and see the same states; what one role sends, the
 * other receives. An exchange, one request with its response, takes both halves
 * from `idle` round to `idle` again:
 *
 *     request half                    response half
 *
 *     idle <-----------+              idle <-----------+
 *      | request       |               | request       |
 *     body --+ data    | next         awaiting --+ 1xx | next
 *      |  ^--+         |               |  ^------+     |
 *      | end           |               | response      |
 *     done ------------+              body --+ data    |
 *                                      |  ^--+         |
 *                                      | end           |
 *                                     done ------------+
 *
 * `body` is entered by every message and left by its end, also where the body
 * is empty. The halves run side by side: a response may start, and be complete,
 * before its request is (RFC 9112 section 9.5 tells clients to watch for that).
 * Only the way back to `idle` is taken together.
 *
 * Pipelining looks different from the two ends. A client may send the next
 * request from `done`, so its request half runs ahead, and its response half
 * goes from one response straight to awaiting the next. A server leaves later
 * requests unparsed until the response at hand is complete.
 *
 * Three states end a half for good:
 *
 * - `closed`: no further message. A half gets there between messages, when its
 *   sender ended the stream, or when the exchange just complete was the last
 *   (RFC 9112 section 9.6).
 * - `tunnel`: the bytes belong to another protocol, after a 101 or a 2xx to
 *   CONNECT (RFC 9110 sections 7.8 and 9.3.6). A request still on its way is
 *   completed first.
 * - `error`: the peer broke the protocol in the half it sends. The other half
 *   stays usable on a server, which has an answer to give before it closes; a
 *   client has nothing left to say.
 *
 * What one half alone allows is in the two tables; whatever is in neither is
 * illegal. How the halves move each other is in {@linkcode settle}.
 */

/** State of the half in which requests flow. */
export type RequestState = "idle" | "body" | "done" | "closed" | "tunnel" | "error";

/** State of the half in which responses flow. */
export type ResponseState = "idle" | "awaiting" | "body" | "done" | "closed" | "tunnel" | "error";

/** What can happen to the request half. */
export type RequestTransition = "request" | "data" | "end" | "next" | "close" | "switch" | "fail";

/** What can happen to the response half. */
export type ResponseTransition =
  | "request"
  | "informational"
  | "response"
  | "data"
  | "end"
  | "next"
  | "close"
  | "switch"
  | "fail";

/** Both halves at one moment. */
export interface HttpConnectionState {
  /** The half in which requests flow. */
  readonly request: RequestState;
  /** The half in which responses flow. */
  readonly response: ResponseState;
}

type RequestTable = Readonly<
  Record<RequestState, Readonly<Partial<Record<RequestTransition, RequestState>>>>
>;
type ResponseTable = Readonly<
  Record<ResponseState, Readonly<Partial<Record<ResponseTransition, ResponseState>>>>
>;

const REQUEST = {
  "idle": { request: "body", close: "closed", fail: "error" },
  // Close: a client gives its request up where the response half failed.
  "body": { data: "body", end: "done", close: "closed", fail: "error" },
  // Request: a client that pipelines.
  "done": { request: "body", next: "idle", close: "closed", switch: "tunnel" },
  "closed": {},
  "tunnel": {},
  "error": {},
} as const satisfies RequestTable;

const RESPONSE = {
  // Response: a server refuses what is no request, or none at all in time.
  "idle": { request: "awaiting", response: "body", close: "closed", fail: "error" },
  // Request, here and in body: a client that pipelines.
  "awaiting": {
    request: "awaiting",
    informational: "awaiting",
    response: "body",
    switch: "tunnel",
    fail: "error",
  },
  "body": { request: "body", data: "body", end: "done", fail: "error" },
  "done": { next: "idle", close: "closed" },
  "closed": {},
  "tunnel": {},
  "error": {},
} as const satisfies ResponseTable;

/**
 * Where the request half goes from a state.
 *
 * @param state State it is in.
 * @param transition What happens.
 * @returns The next state; `undefined` where this is illegal.
 */
export function nextRequestState(
  state: RequestState,
  transition: RequestTransition,
): RequestState | undefined {
  return (REQUEST as RequestTable)[state][transition];
}

/**
 * Where the response half goes from a state.
 *
 * @param state State it is in.
 * @param transition What happens.
 * @returns The next state; `undefined` where this is illegal.
 */
export function nextResponseState(
  state: ResponseState,
  transition: ResponseTransition,
): ResponseState | undefined {
  return (RESPONSE as ResponseTable)[state][transition];
}

/**
 * Where the states of an ordinary exchange lead, taken from the tables once: the
 * server's hot path makes these transitions for every request.
 */
export const ORDINARY: {
  /** Of the request half from `idle`, by its head. */
  readonly requestHead: RequestState;
  /** Of the request half from `body`, by its end. */
  readonly requestEnd: RequestState;
  /** Of the request half from `done`, to the next exchange. */
  readonly requestNext: RequestState;
  /** Of the response half from `awaiting`, by its head. */
  readonly responseHead: ResponseState;
  /** Of the response half from `body`, by its end. */
  readonly responseEnd: ResponseState;
} = {
  requestHead: REQUEST.idle.request,
  requestEnd: REQUEST.body.end,
  requestNext: REQUEST.done.next,
  responseHead: RESPONSE.awaiting.response,
  responseEnd: RESPONSE.body.end,
};

/** The error of a caller that asked for a way that is in neither table. */
export function illegalTransition(
  state: string,
  event: string,
  reason: string = `the state is ${state}`,
): HttpStateError {
  return new HttpStateError("ERR_HTTP_ILLEGAL_EVENT", `Cannot go on with ${event}: ${reason}`, {
    state,
    event,
  });
}

/** What the way on depends on beside the two states. */
export interface ExchangeFacts {
  /** Whether the exchange at hand leaves the connection open. */
  readonly isPersistent: boolean;
  /** Whether a later request waits for its response: a client that pipelines. */
  readonly hasNext: boolean;
}

/**
 * Lets the halves move each other, until neither has a reason to: the only place
 * where one half looks at the other.
 *
 * @param state The halves after something happened to one of them.
 * @param facts About the exchange whose response is at hand.
 * @returns The halves as they are now; the same object where nothing moved.
 */
export function settle(state: HttpConnectionState, facts: ExchangeFacts): HttpConnectionState {
  const { request, response } = state;
  const isBetween = request === "idle" || request === "done";
  switch (response) {
    case "tunnel":
      // Once the request is complete (RFC 9110 section 7.8).
      return request === "done" ? { request: REQUEST.done.switch, response } : state;
    case "error":
      // A client learns nothing more here: it stops sending, even in a body.
      return isBetween || request === "body"
        ? { request: REQUEST[request].close, response }
        : state;
    case "closed":
      return isBetween ? { request: REQUEST[request].close, response } : state;
    case "idle":
      // The client has left: there is nothing to respond to.
      return request === "closed" ? { request, response: RESPONSE.idle.close } : state;
    case "done":
      return settleResponded(state, facts);
    default:
      return state;
  }
}

/** A response is complete: the exchange may be, and the connection with it. */
function settleResponded(state: HttpConnectionState, facts: ExchangeFacts): HttpConnectionState {
  const { request } = state;
  const closed = RESPONSE.done.close;
  if (request === "closed" || request === "error") return { request, response: closed };
  if (!facts.isPersistent) {
    // RFC 9112 section 9.6. A request that is still coming may come to its end.
    const isBetween = request === "idle" || request === "done";
    return { request: isBetween ? REQUEST[request].close : request, response: closed };
  }
  if (facts.hasNext) return { request, response: RESPONSE[RESPONSE.done.next].request };
  if (request !== "done") return state;
  return { request: REQUEST.done.next, response: RESPONSE.done.next };
}
