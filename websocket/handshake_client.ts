// This module is sans-I/O.

import { type HeaderInit, HeaderList } from "../http/header_list.ts";
import { encodeBase64 } from "@std/encoding";
import {
  acceptValueOf,
  appendExtraFields,
  checkSubprotocols,
  hasListMember,
  singleValue,
  WEBSOCKET_VERSION,
} from "./_handshake_fields.ts";
import { WebSocketProtocolError } from "./errors.ts";
import { formatWebSocketExtensions, parseWebSocketExtensions } from "./extension_header.ts";
import {
  createDeflateOffer,
  type DeflateNegotiationOptions,
  type DeflateParameters,
  verifyDeflateResponse,
} from "./extension_negotiation.ts";
import type { Sha1 } from "./handshake_request.ts";

/** Options of {@linkcode ClientHandshake}. */
export interface HandshakeClientOptions {
  /**
   * Subprotocols to offer, in order of preference. If there are any, the server has to choose one.
   *
   * @default {[]}
   */
  readonly subprotocols?: readonly string[];
  /**
   * What to offer of permessage-deflate.
   *
   * @default {undefined} not at all
   */
  readonly deflate?: DeflateNegotiationOptions | undefined;
  /**
   * Further fields of the request, such as `Origin`, `Cookie` or `Authorization`.
   *
   * @default {[]}
   */
  readonly headers?: HeaderInit;
}

/** The head of a response to a handshake. */
export interface WebSocketResponse {
  /** Its status. */
  readonly status: number;
  /** Header fields in order. */
  readonly headers: HeaderList;
}

/** What client and server have agreed on. */
export interface HandshakeAgreement {
  /** The subprotocol the server has chosen; empty for none. */
  readonly subprotocol: string;
  /** The extensions in use, as the server has said them; empty for none. */
  readonly extensions: string;
  /** How messages are compressed; `undefined` if they are not. */
  readonly deflate: DeflateParameters | undefined;
}

/** RFC 6455 section 4.1, item 7. */
const KEY_LENGTH = 16;

/**
 * A handshake of a client (RFC 6455 section 4.1): the fields of its request, and whether the
 * response is one to this request.
 *
 * @example There and back
 * ```ts
 * import { HeaderList } from "@nbio/net/http/core";
 * import { ClientHandshake, decideHandshake } from "@nbio/net/websocket/core";
 * import { createHash } from "node:crypto";
 * import { assertEquals } from "@std/assert";
 *
 * const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();
 * const key = crypto.getRandomValues(new Uint8Array(16));
 * const handshake = new ClientHandshake("example.com", key, { subprotocols: ["chat"] });
 *
 * const request = { method: "GET", minorVersion: 1, headers: handshake.headers };
 * const answer = decideHandshake(request, sha1, { subprotocols: ["chat"] });
 * const headers = new HeaderList(answer.headers);
 * assertEquals(handshake.verify({ status: 101, headers }, sha1).subprotocol, "chat");
 * ```
 */
export class ClientHandshake {
  /** The header fields of the request, all of them. Its method is GET. */
  readonly headers: HeaderList;
  readonly #key: string;
  readonly #subprotocols: readonly string[];
  readonly #deflate: DeflateNegotiationOptions | undefined;

  /**
   * Makes the request.
   *
   * @param host Host and port of the server, as they stand in `Host`.
   * @param key 16 random bytes, fresh for every connection.
   * @param options What to offer.
   * @throws {TypeError} If a name of a subprotocol or a further field cannot be used.
   * @throws {RangeError} If the key does not have 16 bytes, or a window is out of its range.
   */
  constructor(host: string, key: Uint8Array, options: HandshakeClientOptions = {}) {
    if (key.length !== KEY_LENGTH) {
      throw new RangeError(`Cannot use key: it has ${key.length} bytes, expected ${KEY_LENGTH}`);
    }
    this.#key = encodeBase64(key);
    this.#subprotocols = [...options.subprotocols ?? []];
    this.#deflate = options.deflate;
    checkSubprotocols(this.#subprotocols);
    this.headers = this.#makeHeaders(host, options.headers ?? []);
  }

  /**
   * Verifies the response. The connection is one of WebSocket if this returns, and to be closed if
   * it throws; bytes behind the head belong to the first frame.
   *
   * @param response Head of the response.
   * @param sha1 Gives a SHA-1 digest.
   * @returns What was agreed on.
   * @throws {WebSocketProtocolError} `ERR_WEBSOCKET_BAD_HANDSHAKE` if the status is not 101 or a
   * field is not what it must be, `ERR_WEBSOCKET_BAD_EXTENSION` if an extension is not.
   */
  verify(response: WebSocketResponse, sha1: Sha1): HandshakeAgreement {
    const { status, headers } = response;
    if (status !== 101) throw badHandshake(`the status is ${status}, expected 101`);
    if (singleValue(headers, "upgrade")?.toLowerCase() !== "websocket") {
      throw badHandshake("Upgrade is not websocket");
    }
    if (!hasListMember(headers, "connection", "upgrade")) {
      throw badHandshake("Connection does not list Upgrade");
    }
    if (singleValue(headers, "sec-websocket-accept") !== acceptValueOf(this.#key, sha1)) {
      throw badHandshake("Sec-WebSocket-Accept does not answer the key");
    }
    const subprotocol = this.#verifySubprotocol(headers);
    const extensions = parseWebSocketExtensions(headers.getAll("sec-websocket-extensions"));
    const deflate = verifyDeflateResponse(extensions, this.#deflate);
    return {
      subprotocol,
      // Nothing is missing here that was verified.
      extensions: formatWebSocketExtensions(extensions.filter((one) => one !== undefined)),
      deflate,
    };
  }

  #makeHeaders(host: string, extra: HeaderInit): HeaderList {
    const headers = new HeaderList([
      ["Host", host],
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Key", this.#key],
      ["Sec-WebSocket-Version", WEBSOCKET_VERSION],
    ]);
    if (this.#subprotocols.length > 0) {
      headers.append("Sec-WebSocket-Protocol", this.#subprotocols.join(", "));
    }
    if (this.#deflate !== undefined) {
      const offer = formatWebSocketExtensions([createDeflateOffer(this.#deflate)]);
      headers.append("Sec-WebSocket-Extensions", offer);
    }
    appendExtraFields(headers, extra);
    if (headers.getAll("host").length > 1) throw new TypeError("Cannot set field Host again");
    return headers;
  }

  /** RFC 6455 section 4.1; stricter where one was offered and none is chosen, as browsers are. */
  #verifySubprotocol(headers: HeaderList): string {
    const values = headers.getAll("sec-websocket-protocol");
    if (values.length === 0 && this.#subprotocols.length === 0) return "";
    const [chosen] = values;
    if (values.length !== 1 || !this.#subprotocols.includes(chosen!)) {
      throw badHandshake("Sec-WebSocket-Protocol is not one of the offered");
    }
    return chosen!;
  }
}

function badHandshake(reason: string): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_HANDSHAKE",
    `Cannot accept answer to handshake: ${reason}`,
  );
}
