// This module is sans-I/O.

import { WebSocketProtocolError } from "./errors.ts";
import type { WebSocketExtension, WebSocketExtensionParameter } from "./extension_header.ts";

/**
 * Agreeing on permessage-deflate (RFC 7692 section 7.1): what a client offers, which offer a server
 * accepts and how it answers, and whether that answer is one to this offer.
 */

/** What both ends have agreed on. */
export interface DeflateParameters {
  /** Whether the server compresses each message by itself. */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client compresses each message by itself. */
  readonly clientNoContextTakeover: boolean;
  /** Base 2 logarithm of the window the server compresses with, 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** Base 2 logarithm of the window the client compresses with, 8 to 15. */
  readonly clientMaxWindowBits: number;
}

/** What one end wants of permessage-deflate. */
export interface DeflateNegotiationOptions {
  /**
   * Whether the server is to compress each message by itself. A client that asks for it fails a
   * server that does not agree.
   *
   * @default {false}
   */
  readonly serverNoContextTakeover?: boolean;
  /**
   * Whether the client is to compress each message by itself. A client may always do so; a server
   * that asks for it binds the client.
   *
   * @default {false}
   */
  readonly clientNoContextTakeover?: boolean;
  /**
   * Base 2 logarithm of the largest window the server compresses with, 8 to 15. A client that sets
   * it asks the server for that, and fails one that does not agree.
   *
   * @default {12} for a server; a client leaves it to the server
   */
  readonly serverMaxWindowBits?: number;
  /**
   * Base 2 logarithm of the largest window the client compresses with, 8 to 15. A server can ask
   * that only of a client that says it would follow; from any other it takes all 15.
   *
   * @default {12}
   */
  readonly clientMaxWindowBits?: number;
}

/** An offer that a server accepts. */
export interface AcceptedDeflate {
  /** What holds from now on. */
  readonly parameters: DeflateParameters;
  /** What the server answers. */
  readonly response: WebSocketExtension;
}

const NAME = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS = "client_max_window_bits";
const MAX_WINDOW_BITS = 15;
const DEFAULT_WINDOW_BITS = 12;
/** RFC 7692 section 7.1.2: a decimal number without leading zeros. */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/**
 * Makes what a client offers. That it would follow a limit of its own window is always offered,
 * since it costs nothing and saves the server memory.
 *
 * @param options What the client wants.
 * @returns The offer.
 * @throws {RangeError} If a window is not a whole number from 8 to 15.
 *
 * @example What browsers offer
 * ```ts
 * import { createDeflateOffer, formatWebSocketExtensions } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const offer = createDeflateOffer();
 * assertEquals(formatWebSocketExtensions([offer]), "permessage-deflate; client_max_window_bits");
 * ```
 */
export function createDeflateOffer(options: DeflateNegotiationOptions = {}): WebSocketExtension {
  checkOptions(options);
  const parameters: WebSocketExtensionParameter[] = [];
  if (options.serverNoContextTakeover) parameters.push(parameter(SERVER_NO_CONTEXT_TAKEOVER));
  if (options.clientNoContextTakeover) parameters.push(parameter(CLIENT_NO_CONTEXT_TAKEOVER));
  if (options.serverMaxWindowBits !== undefined) {
    parameters.push(parameter(SERVER_MAX_WINDOW_BITS, options.serverMaxWindowBits));
  }
  // Without a value unless the caller has named one: that is what every server knows.
  parameters.push(parameter(CLIENT_MAX_WINDOW_BITS, options.clientMaxWindowBits));
  return { name: NAME, parameters };
}

/**
 * Accepts the first offer that can be, on the side of the server. What is malformed, unknown or
 * cannot be met is passed over: the connection then goes on without compression.
 *
 * @param offers What the client offers, as `parseWebSocketExtensions()` gives it.
 * @param options What the server wants.
 * @returns The answer and what holds; `undefined` if there is nothing to accept.
 * @throws {RangeError} If a window is not a whole number from 8 to 15.
 *
 * @example The second of two
 * ```ts
 * import { acceptDeflateOffer, parseWebSocketExtensions } from "@nbio/net/websocket/core";
 * import { assertEquals } from "@std/assert";
 *
 * const offers = parseWebSocketExtensions([
 *   "permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=10",
 * ]);
 * assertEquals(acceptDeflateOffer(offers)?.parameters, {
 *   serverNoContextTakeover: false,
 *   clientNoContextTakeover: false,
 *   serverMaxWindowBits: 10,
 *   clientMaxWindowBits: 15,
 * });
 * ```
 */
export function acceptDeflateOffer(
  offers: readonly (WebSocketExtension | undefined)[],
  options: DeflateNegotiationOptions = {},
): AcceptedDeflate | undefined {
  checkOptions(options);
  for (const offer of offers) {
    if (offer?.name !== NAME) continue;
    const wanted = readParameters(offer);
    // RFC 7692 section 7.1: decline what is not by the rules, and look at the next.
    if (wanted !== undefined) return accept(wanted, options);
  }
  return undefined;
}

/**
 * Verifies what the server has answered to the offer of `createDeflateOffer()`, on the side of the
 * client.
 *
 * @param response The extensions of the answer, as `parseWebSocketExtensions()` gives them.
 * @param options What was offered; `undefined` if nothing was.
 * @returns What holds; `undefined` if the server has not accepted.
 * @throws {RangeError} If a window is not a whole number from 8 to 15.
 * @throws {WebSocketProtocolError} `ERR_WEBSOCKET_BAD_EXTENSION` if the answer has what was not
 * offered, lacks what was asked for, or is malformed.
 *
 * @example A server that widens the window
 * ```ts
 * import {
 *   parseWebSocketExtensions,
 *   verifyDeflateResponse,
 *   WebSocketProtocolError,
 * } from "@nbio/net/websocket/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const options = { serverMaxWindowBits: 10 };
 * const answer = (bits: number) =>
 *   parseWebSocketExtensions([`permessage-deflate; server_max_window_bits=${bits}`]);
 * assertEquals(verifyDeflateResponse(answer(9), options)?.serverMaxWindowBits, 9);
 * assertThrows(() => verifyDeflateResponse(answer(11), options), WebSocketProtocolError);
 * ```
 */
export function verifyDeflateResponse(
  response: readonly (WebSocketExtension | undefined)[],
  options: DeflateNegotiationOptions | undefined,
): DeflateParameters | undefined {
  if (options !== undefined) checkOptions(options);
  if (response.length === 0) return undefined;
  const [answer] = response;
  if (answer === undefined) throw badExtension("it is malformed");
  if (response.length > 1) throw badExtension("there is more than was offered");
  if (options === undefined || answer.name !== NAME) throw badExtension("it was not offered");
  const agreed = readParameters(answer);
  if (agreed === undefined) throw badExtension("a parameter is unknown or malformed");
  return verify(agreed, options);
}

/** The parameters of one extension, each of which was well-formed and there at most once. */
interface ReadParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number | undefined;
  /** `true` without a value, which only an offer may have. */
  readonly clientMaxWindowBits: number | true | undefined;
}

/** RFC 7692 section 7.1.1 and 7.1.2; `undefined` if anything is against it. */
function readParameters({ parameters }: WebSocketExtension): ReadParameters | undefined {
  const values = new Map<string, string | undefined>();
  for (const { name, value } of parameters) {
    if (values.has(name) || !isLawful(name, value)) return undefined;
    values.set(name, value);
  }
  const serverBits = values.get(SERVER_MAX_WINDOW_BITS);
  const clientBits = values.get(CLIENT_MAX_WINDOW_BITS);
  return {
    serverNoContextTakeover: values.has(SERVER_NO_CONTEXT_TAKEOVER),
    clientNoContextTakeover: values.has(CLIENT_NO_CONTEXT_TAKEOVER),
    serverMaxWindowBits: serverBits === undefined ? undefined : Number(serverBits),
    clientMaxWindowBits: clientBits === undefined
      ? values.has(CLIENT_MAX_WINDOW_BITS) || undefined
      : Number(clientBits),
  };
}

function isLawful(name: string, value: string | undefined): boolean {
  switch (name) {
    case SERVER_NO_CONTEXT_TAKEOVER:
    case CLIENT_NO_CONTEXT_TAKEOVER:
      return value === undefined;
    case SERVER_MAX_WINDOW_BITS:
      return value !== undefined && WINDOW_BITS.test(value);
    case CLIENT_MAX_WINDOW_BITS:
      return value === undefined || WINDOW_BITS.test(value);
    default:
      return false;
  }
}

function accept(offer: ReadParameters, options: DeflateNegotiationOptions): AcceptedDeflate {
  // What the client says of itself is said back: then it binds, and frees memory on both sides.
  const clientHint = offer.clientMaxWindowBits;
  const agreed: DeflateParameters = {
    serverNoContextTakeover: offer.serverNoContextTakeover ||
      (options.serverNoContextTakeover ?? false),
    clientNoContextTakeover: offer.clientNoContextTakeover ||
      (options.clientNoContextTakeover ?? false),
    serverMaxWindowBits: Math.min(
      offer.serverMaxWindowBits ?? MAX_WINDOW_BITS,
      options.serverMaxWindowBits ?? DEFAULT_WINDOW_BITS,
    ),
    // RFC 7692 section 7.1.2.2: not to be asked of a client that has not offered it.
    clientMaxWindowBits: clientHint === undefined ? MAX_WINDOW_BITS : Math.min(
      clientHint === true ? MAX_WINDOW_BITS : clientHint,
      options.clientMaxWindowBits ?? DEFAULT_WINDOW_BITS,
    ),
  };
  return { parameters: agreed, response: { name: NAME, parameters: respond(offer, agreed) } };
}

function respond(offer: ReadParameters, agreed: DeflateParameters): WebSocketExtensionParameter[] {
  const parameters: WebSocketExtensionParameter[] = [];
  if (agreed.serverNoContextTakeover) parameters.push(parameter(SERVER_NO_CONTEXT_TAKEOVER));
  if (agreed.clientNoContextTakeover) parameters.push(parameter(CLIENT_NO_CONTEXT_TAKEOVER));
  // An offer with this parameter is accepted by saying it, even where it is the largest.
  if (offer.serverMaxWindowBits !== undefined || agreed.serverMaxWindowBits < MAX_WINDOW_BITS) {
    parameters.push(parameter(SERVER_MAX_WINDOW_BITS, agreed.serverMaxWindowBits));
  }
  if (agreed.clientMaxWindowBits < MAX_WINDOW_BITS) {
    parameters.push(parameter(CLIENT_MAX_WINDOW_BITS, agreed.clientMaxWindowBits));
  }
  return parameters;
}

function verify(answer: ReadParameters, options: DeflateNegotiationOptions): DeflateParameters {
  if (options.serverNoContextTakeover && !answer.serverNoContextTakeover) {
    throw badExtension(`${SERVER_NO_CONTEXT_TAKEOVER} is missing`);
  }
  const serverBits = answer.serverMaxWindowBits;
  const maxServerBits = options.serverMaxWindowBits;
  if (maxServerBits !== undefined && (serverBits === undefined || serverBits > maxServerBits)) {
    throw badExtension(`${SERVER_MAX_WINDOW_BITS} is not at most ${maxServerBits}`);
  }
  const clientBits = answer.clientMaxWindowBits;
  const maxClientBits = options.clientMaxWindowBits ?? MAX_WINDOW_BITS;
  if (clientBits === true || (clientBits !== undefined && clientBits > maxClientBits)) {
    throw badExtension(`${CLIENT_MAX_WINDOW_BITS} is not at most ${maxClientBits}`);
  }
  return {
    serverNoContextTakeover: answer.serverNoContextTakeover,
    // Who compresses may do with less than was agreed on.
    clientNoContextTakeover: answer.clientNoContextTakeover ||
      (options.clientNoContextTakeover ?? false),
    serverMaxWindowBits: serverBits ?? MAX_WINDOW_BITS,
    clientMaxWindowBits: Math.min(
      clientBits ?? MAX_WINDOW_BITS,
      options.clientMaxWindowBits ?? DEFAULT_WINDOW_BITS,
    ),
  };
}

function parameter(name: string, bits?: number): WebSocketExtensionParameter {
  return { name, value: bits === undefined ? undefined : String(bits) };
}

function checkOptions(options: DeflateNegotiationOptions): void {
  checkWindowBits("serverMaxWindowBits", options.serverMaxWindowBits);
  checkWindowBits("clientMaxWindowBits", options.clientMaxWindowBits);
}

function checkWindowBits(name: string, bits: number | undefined): void {
  if (bits === undefined || WINDOW_BITS.test(String(bits))) return;
  throw new RangeError(`Cannot use ${name} ${bits}: expected an integer from 8 to 15`);
}

function badExtension(reason: string): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_EXTENSION",
    `Cannot accept extensions of the server: ${reason}`,
    { closeCodeHint: 1010 },
  );
}
