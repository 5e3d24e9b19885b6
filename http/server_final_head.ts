import { HttpError, HttpStateError } from "./errors.ts";
import { type HeaderInit, HeaderList } from "./header_list.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { writeStatusLine } from "./serializer.ts";

/** 100 is sent by reading the body, 101 ends the protocol. */
const LOWEST_INFORMATIONAL = 102;
const HIGHEST_INFORMATIONAL = 199;
/** Fields that a head without a body cannot have (RFC 9110 section 8.6, RFC 9112 section 6.1). */
const FRAMING_FIELDS: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);
/** Fields of a 101 that are ours to send. */
const UPGRADE_FIELDS: ReadonlySet<string> = new Set(["connection", "upgrade"]);
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/**
 * @throws {RangeError} If a status is none of an informational response that a
 * handler may send.
 */
export function checkInformational(status: number): void {
  const isRight = Number.isInteger(status) && status >= LOWEST_INFORMATIONAL &&
    status <= HIGHEST_INFORMATIONAL;
  if (isRight) return;
  throw new RangeError(`Cannot send informational response: ${status} is not from 102 to 199`);
}

/**
 * A head with nothing behind it: of an informational response, or the last one
 * before another protocol.
 *
 * @param status Its status.
 * @param headers Its fields.
 * @throws {TypeError} If a field cannot stand in it.
 */
export function encodeHead(status: number, headers: HeaderInit): Uint8Array {
  const head = new OutputBuffer();
  writeStatusLine(head, status);
  for (const [name, value] of new HeaderList(headers)) {
    if (FRAMING_FIELDS.has(name.toLowerCase())) {
      throw new TypeError(`Cannot send head: a response without a body cannot have ${name}`);
    }
    head.writeField(name, value);
  }
  head.writeText("\r\n");
  return head.take();
}

/**
 * The head of a 101.
 *
 * @param request Header fields of the request.
 * @param minorVersion Minor HTTP version of the request.
 * @param protocol The protocol to change to.
 * @param headers Further fields.
 * @throws {HttpError} With 426, if the request does not ask for the protocol.
 * @throws {TypeError} If the protocol is none, or a field cannot stand in it.
 */
export function encodeUpgrade(
  request: HeaderList,
  minorVersion: number,
  protocol: string,
  headers: HeaderInit,
): Uint8Array {
  if (!PROTOCOL.test(protocol)) {
    throw new TypeError(`Cannot upgrade: ${JSON.stringify(protocol.slice(0, 32))} is no protocol`);
  }
  const fields = [...new HeaderList(headers)];
  const own = fields.find(([name]) => UPGRADE_FIELDS.has(name.toLowerCase()));
  if (own !== undefined) throw new TypeError(`Cannot upgrade: ${own[0]} is set by the server`);
  // RFC 9110 section 7.8: not from HTTP/1.0, and only if Connection says so too.
  const isAsked = minorVersion > 0 && lists(request, "connection", "upgrade") &&
    lists(request, "upgrade", protocol);
  if (!isAsked) {
    throw new HttpError(426, `This resource speaks ${protocol}`, {
      headers: [["upgrade", protocol], ["connection", "upgrade"]],
    });
  }
  return encodeHead(101, [["upgrade", protocol], ["connection", "Upgrade"], ...fields]);
}

/** Whether a list-valued field has an item, in any case. */
function lists(headers: HeaderList, name: string, item: string): boolean {
  const lower = item.toLowerCase();
  const items = (headers.get(name) ?? "").toLowerCase().split(",");
  return items.some((text) => text.trim() === lower);
}

/** The error of an upgrade in the middle of a request. */
export function bodyUnread(): HttpStateError {
  return new HttpStateError(
    "ERR_HTTP_BODY_UNREAD",
    "Cannot upgrade: the body of the request was not read",
    { state: "body", event: "upgrade" },
  );
}

/** The error of a tunnel that nobody asked for. */
export function noConnect(method: string): HttpStateError {
  return new HttpStateError(
    "ERR_HTTP_ILLEGAL_EVENT",
    `Cannot open tunnel: the method is ${method}, not CONNECT`,
    { state: "awaiting", event: "tunnel" },
  );
}
