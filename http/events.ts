// This module is sans-I/O.

import type { HeaderInit, HeaderList } from "./header_list.ts";

/** The head of a request has come; server role only. */
export interface RequestEvent {
  /** Tells the events apart. */
  readonly type: "request";
  /** Method as sent: it is case-sensitive. */
  readonly method: string;
  /** Request target as sent, in one of the forms of RFC 9112 section 3.2. */
  readonly target: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** Header fields in order; they belong to the caller. */
  readonly headers: HeaderList;
  /** Bytes of the body; `undefined` for a chunked one. */
  readonly bodyLength: number | undefined;
  /**
   * Whether the client waits for a `100 Continue` before it sends the body. A
   * final answer without one closes the connection.
   */
  readonly expectsContinue: boolean;
  /** Whether the client asks for another protocol: only then may a 101 be sent. */
  readonly isUpgrade: boolean;
}

/** An informational response (1xx) has come; client role only. */
export interface InformationalEvent {
  /** Tells the events apart. */
  readonly type: "informational";
  /** 100 to 199; with 101 the connection is a tunnel from here on. */
  readonly status: number;
  /** Reason phrase, maybe empty. */
  readonly reason: string;
  /** Header fields in order; they belong to the caller. */
  readonly headers: HeaderList;
}

/** The head of a final response has come; client role only. */
export interface ResponseEvent {
  /** Tells the events apart. */
  readonly type: "response";
  /** 200 to 999. */
  readonly status: number;
  /** Reason phrase, maybe empty. */
  readonly reason: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** Header fields in order; they belong to the caller. */
  readonly headers: HeaderList;
  /**
   * Bytes of the body that follows, 0 where none may follow; `undefined` for a
   * chunked one and for one that ends with the connection.
   */
  readonly bodyLength: number | undefined;
}

/** A piece of the body has come, as large as it came. */
export interface DataEvent {
  /** Tells the events apart. */
  readonly type: "data";
  /** At least one byte, in memory that belongs to the caller. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The message is complete; every request and final response ends with one. */
export interface EndEvent {
  /** Tells the events apart. */
  readonly type: "end";
  /** Trailer fields of a chunked body; `undefined` where there are none. */
  readonly trailers: HeaderList | undefined;
}

/**
 * Bytes may wait, but the caller has to act first: answer the request at hand,
 * finish its own request, or take a tunnel over. It comes again until then.
 */
export interface PausedEvent {
  /** Tells the events apart. */
  readonly type: "paused";
}

/**
 * No message follows: the peer ended between messages, or the last exchange was
 * the last by what one of the sides said. It comes again whenever asked.
 */
export interface ClosedEvent {
  /** Tells the events apart. */
  readonly type: "closed";
}

/**
 * What the peer did: the result of {@linkcode HttpConnection.nextEvent}.
 *
 * A message is one head (`request` or `response`), any number of `data`, one
 * `end`; `informational` comes in front of a response. A 2xx to CONNECT is a
 * head alone: no `end` follows, the connection is a tunnel.
 */
export type HttpEvent =
  | RequestEvent
  | InformationalEvent
  | ResponseEvent
  | DataEvent
  | EndEvent
  | PausedEvent
  | ClosedEvent;

/** Sends the head of a request; client role only. */
export interface SendRequest {
  /** Tells the events apart. */
  readonly type: "request";
  /** Method: a token; it is case-sensitive. */
  readonly method: string;
  /** Request target in one of the forms of RFC 9112 section 3.2. */
  readonly target: string;
  /** Header fields, with exactly one Host. */
  readonly headers: HeaderInit;
  /**
   * Bytes of the body, where known and not said by Content-Length. 0 is said to
   * the server where the method makes it expect a body.
   */
  readonly bodyLength?: number | undefined;
  /**
   * Whether a body of unknown length follows, in chunks.
   *
   * @default {false}
   */
  readonly hasBody?: boolean | undefined;
}

/** Sends an informational response (1xx); server role only. */
export interface SendInformational {
  /** Tells the events apart. */
  readonly type: "informational";
  /** 100 to 199; 101 turns the connection into a tunnel. */
  readonly status: number;
  /** Reason phrase; by default the registered one. */
  readonly reason?: string | undefined;
  /** Header fields, none of them about framing. */
  readonly headers?: HeaderInit | undefined;
}

/** Sends the head of a final response; server role only. */
export interface SendResponse {
  /** Tells the events apart. */
  readonly type: "response";
  /** 200 to 599. */
  readonly status: number;
  /** Reason phrase; by default the registered one. */
  readonly reason?: string | undefined;
  /** Header fields; `Date` is the caller's matter, the core has no clock. */
  readonly headers?: HeaderInit | undefined;
  /**
   * Bytes of the body, where known and not said by Content-Length. Without
   * either the body is chunked, or ends with the connection for HTTP/1.0.
   */
  readonly bodyLength?: number | undefined;
}

/** Sends a piece of the body of the message at hand. */
export interface SendData {
  /** Tells the events apart. */
  readonly type: "data";
  /** Copied before the call returns; an empty piece is nothing. */
  readonly bytes: Uint8Array;
}

/** Ends the message at hand, also where it has no body. */
export interface SendEnd {
  /** Tells the events apart. */
  readonly type: "end";
  /** Trailer fields, for chunked bodies only. */
  readonly trailers?: HeaderInit | undefined;
}

/**
 * What the caller does: the argument of {@linkcode HttpConnection.send}. Events
 * received by one connection may be sent on another as they are.
 */
export type HttpSendEvent = SendRequest | SendInformational | SendResponse | SendData | SendEnd;
