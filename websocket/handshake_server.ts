// This module is sans-I/O.

import { consistsOf, TOKEN } from "../http/char_class.ts";
import { type HeaderInit, HeaderList } from "../http/header_list.ts";
import {
  acceptValueOf,
  appendExtraFields,
  checkSubprotocols,
  hasListMember,
  listMembers,
  singleValue,
  WEBSOCKET_VERSION,
} from "./_handshake_fields.ts";
import { formatWebSocketExtensions, parseWebSocketExtensions } from "./extension_header.ts";
import {
  acceptDeflateOffer,
  type AcceptedDeflate,
  type DeflateNegotiationOptions,
  type DeflateParameters,
} from "./extension_negotiation.ts";
import type { Sha1, WebSocketRequest } from "./handshake_request.ts";
import { originRule, type WebSocketOrigin } from "./origin_rule.ts";

/**
 * Chooses the subprotocol: a list in order of the server's preference, or a function that gets what
 * the client offers in its order, and gives one of that or `undefined` for none.
 */
export type SubprotocolChoice =
  | readonly string[]
  | ((offered: readonly string[], request: WebSocketRequest) => string | undefined);

/** Options of {@linkcode decideHandshake}. */
export interface HandshakeServerOptions {
  /**
   * Pages of which origin may connect; see {@linkcode WebSocketOrigin}. A client that is no browser
   * sends no origin and passes, unless a function says otherwise.
   *
   * @default {"same-origin"}
   */
  readonly origin?: WebSocketOrigin;
  /**
   * Which of the offered subprotocols to speak.
   *
   * @default {[]} none
   */
  readonly subprotocols?: SubprotocolChoice;
  /**
   * How to agree on permessage-deflate.
   *
   * @default {undefined} not at all
   */
  readonly deflate?: DeflateNegotiationOptions | undefined;
  /**
   * Further fields of the 101, such as `Set-Cookie`.
   *
   * @default {[]}
   */
  readonly headers?: HeaderInit;
}

/** The handshake is to be answered with 101. */
export interface HandshakeAccepted {
  /** Tells the decisions apart. */
  readonly type: "accept";
  /** The header fields of the 101, all of them. */
  readonly headers: HeaderList;
  /** The subprotocol that was chosen; empty for none. */
  readonly subprotocol: string;
  /** The extensions in use, as said to the client; empty for none. */
  readonly extensions: string;
  /** How messages are compressed; `undefined` if they are not. */
  readonly deflate: DeflateParameters | undefined;
}

/** The handshake is to be answered with an error. */
export interface HandshakeRefused {
  /** Tells the decisions apart. */
  readonly type: "refuse";
  /** 400: malformed. 403: from another origin. 405: not GET. 426: not what is spoken here. */
  readonly status: 400 | 403 | 405 | 426;
  /** What is wrong, to be shown to the client. */
  readonly message: string;
  /** The header fields that belong to the status. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
}

/** What becomes of a handshake. */
export type HandshakeDecision = HandshakeAccepted | HandshakeRefused;

/** 16 bytes as base64 (RFC 6455 section 4.1, item 7). */
const KEY = /^[0-9A-Za-z+/]{22}==$/;
/** RFC 9110 section 15.5.22: a 426 names the protocol to change to. */
const UPGRADE_FIELDS = [["Upgrade", "websocket"], ["Connection", "Upgrade"]] as const;

/**
 * Decides on a handshake as a server (RFC 6455 section 4.2). The connection is one of WebSocket as
 * soon as the 101 has left; bytes behind the head of the request belong to its first frame.
 *
 * @param request Head of the request.
 * @param sha1 Gives a SHA-1 digest.
 * @param options Who may connect, and what is offered.
 * @returns Whether to accept, and the fields of either answer.
 * @throws {TypeError} If a name of a subprotocol or a further field cannot be used, or a function
 * chooses a subprotocol that was not offered.
 * @throws {RangeError} If an origin is not written as a browser writes it, or a window is out of
 * its range.
 *
 * @example The handshake of RFC 6455
 * ```ts
 * import { HeaderList } from "@nbio/net/http/core";
 * import { decideHandshake } from "@nbio/net/websocket/core";
 * import { createHash } from "node:crypto";
 * import { assertEquals } from "@std/assert";
 *
 * const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();
 * const headers = new HeaderList({
 *   Host: "server.example.com",
 *   Upgrade: "websocket",
 *   Connection: "keep-alive, Upgrade",
 *   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
 *   "Sec-WebSocket-Version": "13",
 *   "Sec-WebSocket-Protocol": "chat, superchat",
 * });
 * const decision = decideHandshake({ method: "GET", minorVersion: 1, headers }, sha1, {
 *   subprotocols: ["superchat", "chat"],
 * });
 * assertEquals(decision.type === "accept" && [...decision.headers], [
 *   ["Upgrade", "websocket"],
 *   ["Connection", "Upgrade"],
 *   ["Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
 *   ["Sec-WebSocket-Protocol", "superchat"],
 * ]);
 * ```
 */
export function decideHandshake(
  request: WebSocketRequest,
  sha1: Sha1,
  options: HandshakeServerOptions = {},
): HandshakeDecision {
  const { origin = "same-origin", subprotocols = [], deflate } = options;
  // What the caller got wrong shows with the first request, whatever that is like.
  const mayConnect = originRule(origin);
  if (typeof subprotocols !== "function") checkSubprotocols(subprotocols);
  const offered = listMembers(request.headers, "sec-websocket-protocol");
  const refusal = judgeRequest(request) ?? judgeKeyAndVersion(request.headers) ??
    judgeOffer(offered);
  if (refusal !== undefined) return refusal;
  if (!mayConnect(request)) return refuse(403, "a page of this origin may not connect");
  const subprotocol = chooseSubprotocol(offered, subprotocols, request);
  const accepted = deflate === undefined ? undefined : acceptDeflateOffer(
    parseWebSocketExtensions(request.headers.getAll("sec-websocket-extensions")),
    deflate,
  );
  return accept(request, sha1, subprotocol, accepted, options.headers ?? []);
}

function accept(
  request: WebSocketRequest,
  sha1: Sha1,
  subprotocol: string | undefined,
  deflate: AcceptedDeflate | undefined,
  extra: HeaderInit,
): HandshakeAccepted {
  const key = singleValue(request.headers, "sec-websocket-key")!;
  const headers = new HeaderList(UPGRADE_FIELDS);
  headers.append("Sec-WebSocket-Accept", acceptValueOf(key, sha1));
  if (subprotocol !== undefined) headers.append("Sec-WebSocket-Protocol", subprotocol);
  const extensions = deflate === undefined ? "" : formatWebSocketExtensions([deflate.response]);
  if (extensions !== "") headers.append("Sec-WebSocket-Extensions", extensions);
  appendExtraFields(headers, extra);
  const parameters = deflate?.parameters;
  return {
    type: "accept",
    headers,
    subprotocol: subprotocol ?? "",
    extensions,
    deflate: parameters,
  };
}

function judgeRequest({ method, minorVersion, headers }: WebSocketRequest):
  | HandshakeRefused
  | undefined {
  if (method !== "GET") return refuse(405, "the method is not GET", [["Allow", "GET"]]);
  // RFC 9110 section 7.8: with HTTP/1.0, Upgrade says nothing.
  if (minorVersion < 1) return refuse(400, "the version is not HTTP/1.1");
  const host = singleValue(headers, "host");
  if (host === undefined || host === "") return refuse(400, "there is not one Host");
  // What would be a body to one reader, and frames to another.
  const length = headers.get("content-length");
  if (headers.has("transfer-encoding") || (length !== undefined && length !== "0")) {
    return refuse(400, "the request has a body");
  }
  if (!headers.has("upgrade")) return refuse(426, "there is no Upgrade", UPGRADE_FIELDS);
  if (!hasListMember(headers, "upgrade", "websocket")) {
    return refuse(400, "Upgrade does not name websocket");
  }
  if (!hasListMember(headers, "connection", "upgrade")) {
    return refuse(400, "Connection does not list Upgrade");
  }
  return undefined;
}

function judgeKeyAndVersion(headers: HeaderList): HandshakeRefused | undefined {
  // RFC 6455 section 4.4. Before the key, which another version may not have.
  if (singleValue(headers, "sec-websocket-version") !== WEBSOCKET_VERSION) {
    const fields = [...UPGRADE_FIELDS, ["Sec-WebSocket-Version", WEBSOCKET_VERSION] as const];
    return refuse(426, `the version is not ${WEBSOCKET_VERSION}`, fields);
  }
  const key = singleValue(headers, "sec-websocket-key");
  if (key === undefined || !KEY.test(key)) {
    return refuse(400, "there is not one Sec-WebSocket-Key of 16 bytes");
  }
  return undefined;
}

/** RFC 6455 section 4.2.1, item 8: tokens, each of them once. */
function judgeOffer(offered: readonly string[]): HandshakeRefused | undefined {
  const isLawful = new Set(offered).size === offered.length &&
    offered.every((name) => consistsOf(name, TOKEN));
  return isLawful ? undefined : refuse(400, "Sec-WebSocket-Protocol is malformed");
}

function chooseSubprotocol(
  offered: readonly string[],
  choice: SubprotocolChoice,
  request: WebSocketRequest,
): string | undefined {
  if (offered.length === 0) return undefined;
  if (typeof choice !== "function") return choice.find((name) => offered.includes(name));
  const chosen = choice(offered, request);
  if (chosen === undefined || offered.includes(chosen)) return chosen;
  throw new TypeError(
    `Cannot use subprotocol ${JSON.stringify(chosen)}: the client has not offered it`,
  );
}

function refuse(
  status: HandshakeRefused["status"],
  reason: string,
  headers: HandshakeRefused["headers"] = [],
): HandshakeRefused {
  return { type: "refuse", status, message: `Cannot open a WebSocket: ${reason}`, headers };
}
