// This module is sans-I/O.

import type { SentRequest } from "./connection_writer.ts";
import { Expectation } from "./control_fields.ts";
import { isPersistent } from "./framing.ts";
import type { HeadParser } from "./head_parser.ts";

/** One request and the response to it, as far as their connection has to know. */
export interface Exchange {
  /** Method of the request; empty where none was understood. */
  readonly method: string;
  /** Minor version of the request. */
  readonly minorVersion: number;
  /** Whether the request asks for another protocol. */
  readonly isUpgrade: boolean;
  /** Server: whether the client waits for a 100 that was not sent yet. */
  awaitsContinue: boolean;
  /** Whether the connection stays open behind it as far as is known. */
  isPersistent: boolean;
  /** Client: informational responses so far. */
  informationalCount: number;
}

/**
 * The exchange that a received request begins.
 *
 * @param head Its head, complete.
 * @param framing Framing of its body.
 */
export function receivedExchange(head: HeadParser, framing: number): Exchange {
  const { method, minorVersion, control } = head;
  const isHttp11 = minorVersion === 1;
  return {
    method,
    minorVersion,
    // RFC 9110 section 7.8: with HTTP/1.0 Upgrade says nothing.
    isUpgrade: isHttp11 && control.hasUpgrade && control.hasConnectionUpgrade,
    // RFC 9110 section 10.1.1: nor does Expect, nor where no content follows.
    awaitsContinue: isHttp11 && control.expectation === Expectation.CONTINUE && framing !== 0,
    isPersistent: isPersistent(minorVersion, control),
    informationalCount: 0,
  };
}

/**
 * The exchange that a request of ours begins.
 *
 * @param method Its method.
 * @param sent What its head says about the connection.
 */
export function sentExchange(method: string, sent: SentRequest): Exchange {
  return { ...sent, method, minorVersion: 1, awaitsContinue: false, informationalCount: 0 };
}

/**
 * The exchange of a response that refuses what was no request, or that none
 * came in time.
 *
 * @param head The head that was not completed.
 */
export function refusedExchange(head: HeadParser): Exchange {
  return {
    // No body to HEAD, also where the rest of its head was bad.
    method: head.method === "HEAD" ? "HEAD" : "",
    // Not known: what every client understands.
    minorVersion: 0,
    isUpgrade: false,
    awaitsContinue: false,
    isPersistent: false,
    informationalCount: 0,
  };
}

/** Whether what follows a request might not be read as the next one. */
export function endsPipelining(exchange: Exchange): boolean {
  return !exchange.isPersistent || exchange.isUpgrade || exchange.method === "CONNECT";
}
