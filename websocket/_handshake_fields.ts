// This module is sans-I/O.

import { encodeAscii } from "../http/ascii.ts";
import { consistsOf, TOKEN } from "../http/char_class.ts";
import { type HeaderInit, HeaderList } from "../http/header_list.ts";
import { encodeBase64 } from "@std/encoding";
import type { Sha1 } from "./handshake_request.ts";

/** The one version of the protocol (RFC 6455 section 4.1). */
export const WEBSOCKET_VERSION = "13";

/** RFC 6455 section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Fields of a handshake that belong to it alone, whoever else wants to set them. */
const OWN_FIELDS = /^(?:sec-websocket-.*|connection|upgrade|content-length|transfer-encoding)$/i;

/** What a server answers to a key (RFC 6455 section 4.2.2, item 5.4). */
export function acceptValueOf(key: string, sha1: Sha1): string {
  return encodeBase64(sha1(encodeAscii(key + GUID)));
}

/** The members of a field that is a list of tokens, as spelled, over all its lines. */
export function listMembers(headers: HeaderList, name: string): string[] {
  return headers.getAll(name).flatMap((value) =>
    // Not `trim()`: it takes more than the blanks of HTTP.
    value.split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
  ).filter((member) => member !== "");
}

/** Whether a field that is a list has a member, in any case (RFC 9110 section 5.6.1). */
export function hasListMember(headers: HeaderList, name: string, lower: string): boolean {
  return listMembers(headers, name).some((member) => member.toLowerCase() === lower);
}

/** The value of a field that is there exactly once; `undefined` if it is not. */
export function singleValue(headers: HeaderList, name: string): string | undefined {
  const values = headers.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

/**
 * Adds fields of the caller to a handshake.
 *
 * @throws {TypeError} If one belongs to the handshake, or cannot stand in a message.
 */
export function appendExtraFields(headers: HeaderList, extra: HeaderInit): void {
  for (const [name, value] of new HeaderList(extra)) {
    if (OWN_FIELDS.test(name)) {
      throw new TypeError(`Cannot set field ${JSON.stringify(name)}: the handshake does`);
    }
    headers.append(name, value);
  }
}

/**
 * Checks names of subprotocols.
 *
 * @throws {TypeError} If one is not a token, or occurs twice (RFC 6455 section 4.1, item 10).
 */
export function checkSubprotocols(subprotocols: readonly string[]): void {
  for (const [index, name] of subprotocols.entries()) {
    const reason = !consistsOf(name, TOKEN)
      ? "it is not a token"
      : subprotocols.indexOf(name) !== index
      ? "it occurs twice"
      : undefined;
    if (reason !== undefined) {
      throw new TypeError(
        `Cannot use subprotocol ${JSON.stringify(name.slice(0, 32))}: ${reason}`,
      );
    }
  }
}
