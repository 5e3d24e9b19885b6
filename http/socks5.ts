// This module is sans-I/O.

/**
 * {@linkcode Socks5Client}: how a client asks a SOCKS 5 proxy for a connection (RFC
 * 1928), with user name and password (RFC 1929) or without.
 *
 * ```text
 * client                                 proxy
 * 05 COUNT METHODS...                    05 METHOD
 * 01 ULEN NAME PLEN PASSWORD             01 STATUS             METHOD 02 only
 * 05 01 00 ATYP ADDRESS PORT             05 REPLY 00 ATYP ADDRESS PORT
 * ```
 *
 * Every message says how long it is before its end, so no byte is read that belongs
 * to what is spoken behind it, and nothing has to be given back.
 */

import { formatIpAddress, parseIpAddress } from "../nbio/ip_address.ts";
import { HttpStateError } from "./errors.ts";
import { ProxyError, type ProxyErrorCode } from "./proxy_error.ts";

/** User name and password for a proxy. */
export interface Socks5Credentials {
  /** 1 to 255 bytes in UTF-8. */
  readonly username: string;
  /** Up to 255 bytes in UTF-8; RFC 1929 has no empty one, most proxies have. */
  readonly password: string;
}

/** Where a proxy is to connect to. */
export interface Socks5Target {
  /** Name in ASCII of 1 to 255 bytes, or an address, an IPv6 one with or without brackets. */
  readonly hostname: string;
  /** TCP port, 1 to 65,535. */
  readonly port: number;
}

/** Options of {@linkcode Socks5Client}. */
export interface Socks5Options {
  /**
   * Who asks. Without, only a proxy is content that wants nobody's name.
   *
   * @default {undefined}
   */
  readonly credentials?: Socks5Credentials | undefined;
  /**
   * What errors call the proxy, without credentials.
   *
   * @default {undefined}
   */
  readonly proxy?: string | undefined;
}

/** The proxy has connected: from here on the bytes are the target's. */
export interface Socks5ConnectedEvent {
  /** Discriminates the union. */
  readonly type: "connected";
  /** The address the proxy has connected from; many tell none, `0.0.0.0`. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
}

/** Where a {@linkcode Socks5Client} is: which message of the proxy's it waits for. */
export type Socks5State = "method" | "status" | "reply" | "connected" | "failed";

/** Every way from one state to the next. */
const TRANSITIONS = {
  "method": { none: "reply", password: "status", fail: "failed" },
  "status": { accepted: "reply", fail: "failed" },
  "reply": { succeeded: "connected", fail: "failed" },
  "connected": {},
  "failed": {},
} as const satisfies Readonly<Record<Socks5State, Readonly<Partial<Record<string, Socks5State>>>>>;

const VERSION = 5;
/** RFC 1929 section 2: the version of its own messages. */
const PASSWORD_VERSION = 1;
const Method = { NONE: 0x00, PASSWORD: 0x02, UNACCEPTABLE: 0xff } as const;
const AddressType = { IPV4: 1, NAME: 3, IPV6: 4 } as const;
const CONNECT = 1;
/** Up to the byte that tells how long the rest is. */
const REPLY_START_BYTES = 5;
/** The longest reply: its address a name of 255 bytes. */
const MAX_MESSAGE_BYTES = REPLY_START_BYTES + 255 + 2;
const MAX_TEXT_BYTES = 255;

/** RFC 1928 section 6. */
const REPLIES: Readonly<Record<number, readonly [code: ProxyErrorCode, what: string]>> = {
  1: ["ERR_PROXY_REFUSED", "it failed"],
  2: ["ERR_PROXY_REFUSED", "its rules do not allow it"],
  3: ["ERR_PROXY_TARGET_UNREACHABLE", "the network is unreachable"],
  4: ["ERR_PROXY_TARGET_UNREACHABLE", "the host is unreachable"],
  5: ["ERR_PROXY_TARGET_UNREACHABLE", "the target refused"],
  6: ["ERR_PROXY_TARGET_UNREACHABLE", "the target is too far away"],
  7: ["ERR_PROXY_REFUSED", "it cannot connect for others"],
  8: ["ERR_PROXY_REFUSED", "it has no such addresses"],
};

/**
 * The client's side of SOCKS 5, up to the connection. Bytes come in by `receive`
 * and go out by `takeOutput`, of which the first are there from the beginning.
 *
 * Read no more than `wantedBytes`: what is behind them is the target's.
 *
 * @example Asking for a connection
 * ```ts
 * import { Socks5Client } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const client = new Socks5Client({ hostname: "example.com", port: 443 });
 * assertEquals(client.takeOutput(), new Uint8Array([5, 1, 0]));
 * client.receive(new Uint8Array([5, 0]));
 * assertEquals(client.nextEvent(), undefined);
 * assertEquals(client.takeOutput().length, 7 + "example.com".length);
 * client.receive(new Uint8Array([5, 0, 0, 1, 192, 0, 2, 1, 0x1f, 0x90]));
 * assertEquals(client.nextEvent(), { type: "connected", hostname: "192.0.2.1", port: 8080 });
 * ```
 */
export class Socks5Client {
  readonly #request: Uint8Array<ArrayBuffer>;
  readonly #login: Uint8Array<ArrayBuffer> | undefined;
  readonly #proxy: string | undefined;
  #state: Socks5State = "method";
  #error: ProxyError | undefined;
  #event: Socks5ConnectedEvent | undefined;
  /** The message that is coming. */
  readonly #message = new Uint8Array(MAX_MESSAGE_BYTES);
  #length = 0;
  #leftover: Uint8Array = new Uint8Array(0);
  #output: Uint8Array<ArrayBuffer>;

  /**
   * Begins.
   *
   * @param target Where the proxy is to connect to.
   * @param options Credentials, and what errors call the proxy.
   * @throws {TypeError} If the target or a credential cannot be sent.
   * @throws {RangeError} If the port is not 1 to 65,535.
   */
  constructor(target: Socks5Target, options: Socks5Options = {}) {
    const { credentials, proxy } = options;
    this.#request = encodeRequest(target);
    this.#login = credentials && encodeLogin(credentials);
    this.#proxy = proxy;
    const methods = credentials ? [Method.NONE, Method.PASSWORD] : [Method.NONE];
    this.#output = Uint8Array.of(VERSION, methods.length, ...methods);
  }

  /** Where it is. */
  get state(): Socks5State {
    return this.#state;
  }

  /** Bytes the message that is coming has at least left; 0 where none is awaited. */
  get wantedBytes(): number {
    switch (this.#state) {
      case "method":
      case "status":
        return 2 - this.#length;
      case "reply":
        return this.#replyBytes() - this.#length;
      default:
        return 0;
    }
  }

  /**
   * Takes what the proxy has sent. Bytes are copied, those behind the last message
   * too, which {@linkcode Socks5Client.leftover} gives.
   *
   * @param chunk The bytes, passed over once it has failed.
   * @throws {HttpStateError} If it is connected already: the bytes are the target's.
   */
  receive(chunk: Uint8Array): void {
    if (this.#state === "connected" && chunk.length > 0) throw this.#notMine(chunk.length);
    let offset = 0;
    while (offset < chunk.length && this.wantedBytes > 0) {
      const piece = chunk.subarray(offset, offset + this.wantedBytes);
      this.#message.set(piece, this.#length);
      this.#length += piece.length;
      offset += piece.length;
      this.#step();
    }
    if (this.#state === "connected") this.#leftover = chunk.slice(offset);
  }

  /** The proxy sends no more. */
  receiveEnd(): void {
    if (this.wantedBytes > 0) this.#fail("ERR_PROXY_CLOSED", "it left before it had answered");
  }

  /**
   * What has happened.
   *
   * @returns That it has connected, once; `undefined` while more is needed, and
   * from then on.
   * @throws {ProxyError} If the proxy refuses, fails or breaks the protocol; always
   * the same error.
   */
  nextEvent(): Socks5ConnectedEvent | undefined {
    if (this.#error !== undefined) throw this.#error;
    const event = this.#event;
    this.#event = undefined;
    return event;
  }

  /** What is to be sent; the caller's from here on. */
  takeOutput(): Uint8Array<ArrayBuffer> {
    const output = this.#output;
    this.#output = new Uint8Array(0);
    return output;
  }

  /** What came in one piece with the end of the last message, where more was read than wanted. */
  leftover(): Uint8Array {
    return this.#leftover;
  }

  /** Judges as much of the message as there is: some refuse in fewer bytes than they owe. */
  #step(): void {
    const [version, second] = this.#message;
    const wanted = this.#state === "status" ? PASSWORD_VERSION : VERSION;
    if (version !== wanted) {
      return this.#fail("ERR_PROXY_BAD_RESPONSE", `its version is ${version}, expected ${wanted}`);
    }
    if (this.#length < 2) return;
    if (this.#state === "method") this.#onMethod(second!);
    else if (this.#state === "status") this.#onStatus(second!);
    else this.#onReply(second!);
  }

  #onMethod(method: number): void {
    if (method === Method.NONE) {
      this.#next(TRANSITIONS.method.none, this.#request);
    } else if (method === Method.PASSWORD && this.#login !== undefined) {
      this.#next(TRANSITIONS.method.password, this.#login);
    } else if (method === Method.UNACCEPTABLE) {
      const what = this.#login === undefined ? "wants credentials" : "takes no user name";
      this.#fail("ERR_PROXY_AUTHENTICATION", `it ${what}`);
    } else {
      this.#fail("ERR_PROXY_BAD_RESPONSE", `it chose method ${method}, which was not offered`);
    }
  }

  #onStatus(status: number): void {
    if (status === 0) this.#next(TRANSITIONS.status.accepted, this.#request);
    else this.#fail("ERR_PROXY_AUTHENTICATION", "it does not accept the credentials");
  }

  #onReply(reply: number): void {
    if (reply !== 0) {
      const [code, what] = REPLIES[reply] ?? ["ERR_PROXY_BAD_RESPONSE", "no such reply is known"];
      return this.#fail(code, `its reply is ${reply}, ${what}`, reply);
    }
    if (this.#length < REPLY_START_BYTES) return;
    const [, , reserved, type] = this.#message;
    if (reserved !== 0) {
      return this.#fail("ERR_PROXY_BAD_RESPONSE", `a reserved byte is ${reserved}, expected 0`);
    }
    if (type !== AddressType.IPV4 && type !== AddressType.IPV6 && type !== AddressType.NAME) {
      return this.#fail("ERR_PROXY_BAD_RESPONSE", `its type of address is ${type}`);
    }
    const end = this.#replyBytes();
    if (this.#length < end) return;
    const port = this.#message[end - 2]! << 8 | this.#message[end - 1]!;
    this.#event = { type: "connected", hostname: this.#boundHost(type, end - 2), port };
    this.#next(TRANSITIONS.reply.succeeded, new Uint8Array(0));
  }

  #boundHost(type: number, end: number): string {
    // A name may be whatever the proxy likes: one character for each byte.
    if (type === AddressType.NAME) {
      return String.fromCharCode(...this.#message.subarray(REPLY_START_BYTES, end));
    }
    const family = type === AddressType.IPV4 ? 4 : 6;
    return formatIpAddress({ family, bytes: this.#message.slice(4, end), zone: undefined });
  }

  /** Length of the reply, as far as that is known. */
  #replyBytes(): number {
    if (this.#length < REPLY_START_BYTES) return REPLY_START_BYTES;
    const [, , , type, first] = this.#message;
    const addressBytes = type === AddressType.NAME
      ? 1 + first!
      : type === AddressType.IPV4
      ? 4
      : 16;
    return 4 + addressBytes + 2;
  }

  #next(state: Socks5State, output: Uint8Array<ArrayBuffer>): void {
    this.#state = state;
    this.#length = 0;
    this.#output = concat(this.#output, output);
  }

  /** Kept, they would be without a bound: nobody says when the target ends. */
  #notMine(byteCount: number): HttpStateError {
    const message =
      `Cannot receive ${byteCount} bytes: the proxy has connected, they are the target's`;
    return new HttpStateError("ERR_HTTP_ILLEGAL_EVENT", message, {
      state: this.#state,
      event: "receive",
    });
  }

  #fail(code: ProxyErrorCode, reason: string, reply?: number): void {
    this.#state = "failed";
    const name = this.#proxy ?? "proxy";
    this.#error = new ProxyError(code, `Cannot connect through ${name}: ${reason}`, {
      proxy: this.#proxy,
      reply,
    });
  }
}

/**
 * Checks that credentials can be sent (RFC 1929 section 2).
 *
 * @param credentials User name and password.
 * @throws {TypeError} If one is too long, or the name empty. Neither is told.
 */
export function checkSocks5Credentials(credentials: Socks5Credentials): void {
  encodeLogin(credentials);
}

function encodeLogin({ username, password }: Socks5Credentials): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const name = encoder.encode(username);
  const secret = encoder.encode(password);
  if (name.length === 0 || name.length > MAX_TEXT_BYTES) {
    throw new TypeError(
      `Cannot use credentials for SOCKS: the user name has ${name.length} bytes, expected 1 to ${MAX_TEXT_BYTES}`,
    );
  }
  if (secret.length > MAX_TEXT_BYTES) {
    throw new TypeError(
      `Cannot use credentials for SOCKS: the password has more than ${MAX_TEXT_BYTES} bytes`,
    );
  }
  return Uint8Array.of(PASSWORD_VERSION, name.length, ...name, secret.length, ...secret);
}

function encodeRequest({ hostname, port }: Socks5Target): Uint8Array<ArrayBuffer> {
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(`Cannot ask proxy: port is ${port}, expected an integer from 1 to 65535`);
  }
  const head = [VERSION, CONNECT, 0];
  return Uint8Array.of(...head, ...encodeHost(hostname), port >> 8, port & 0xff);
}

function encodeHost(hostname: string): number[] {
  const address = parseIpAddress(hostname.replace(/^\[(.*)\]$/, "$1"));
  if (address !== undefined) {
    return [address.family === 4 ? AddressType.IPV4 : AddressType.IPV6, ...address.bytes];
  }
  // A proxy may hand it to a resolver, or to a shell: nothing but what names have.
  if (hostname.length > MAX_TEXT_BYTES || !/^[\w.-]+$/.test(hostname)) {
    const quoted = JSON.stringify(hostname.slice(0, 32));
    throw new TypeError(`Cannot ask proxy for ${quoted}: expected a name in ASCII or an address`);
  }
  return [AddressType.NAME, hostname.length, ...new TextEncoder().encode(hostname)];
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
