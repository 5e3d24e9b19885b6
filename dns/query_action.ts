// This module is sans-I/O.

import type { DnsServer } from "./dns_server.ts";
import type { Message } from "./message.ts";
import type { DnsResponseError, DnsTimeoutError } from "./resolver_errors.ts";

/** A message of a server that has passed all checks. */
export interface ServerResponse {
  /** The message, decoded. */
  readonly message: Message;
  /** Who sent it. */
  readonly server: DnsServer;
  /** What it came over. */
  readonly over: "udp" | "tcp";
  /** The message as it came; the very array that was handed in. */
  readonly bytes: Uint8Array;
}

/** A query has to leave. */
export interface SendAction {
  /** Tells the actions apart. */
  readonly type: "send";
  /** Over what. A datagram leaves from a port that nobody can guess; TCP may share a connection. */
  readonly over: "udp" | "tcp";
  /** Where to. */
  readonly server: DnsServer;
  /** The query; over TCP without the length in front of it. The machine does not touch it again. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names this query in what is told to the machine; from 0 on, in steps of one. */
  readonly tag: number;
  /** How long the machine is going to wait for it, in milliseconds. */
  readonly timeoutMs: number;
}

/** Nothing to do before something comes, or time passes. */
export interface WaitAction {
  /** Tells the actions apart. */
  readonly type: "wait";
  /** The instant at which to ask again, of the clock whose time is handed in. */
  readonly untilMs: number;
}

/** There is a response. */
export interface AnswerAction extends ServerResponse {
  /** Tells the actions apart. */
  readonly type: "answer";
}

/** There is none, and there will be none. */
export interface FailedAction {
  /** Tells the actions apart. */
  readonly type: "failed";
  /** Why. */
  readonly error: DnsResponseError | DnsTimeoutError;
  /** The response the error tells of; `undefined` where none came that could be read. */
  readonly response: ServerResponse | undefined;
}

/** What a {@linkcode QueryMachine} wants done, told apart by `type`. */
export type QueryAction = SendAction | WaitAction | AnswerAction | FailedAction;
