// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";

/** What a client says first, as far as a server has to know it to choose a certificate. */
export interface ClientHello {
  /** The name that is asked for, in lower case; `undefined` without one. */
  readonly serverName: string | undefined;
  /** Protocols to speak inside, the preferred one first; empty where nothing is said of them. */
  readonly alpnProtocols: readonly string[];
  /** Newest version that is offered, by its number on the wire: 0x0303 is TLS 1.2. */
  readonly newestVersion: number;
  /** Oldest version that is offered; 0 where a client does not list them, and takes any older one. */
  readonly oldestVersion: number;
}

/** What {@linkcode ClientHelloReader.receive} has found. */
export type ClientHelloResult =
  | { readonly type: "hello"; readonly hello: ClientHello }
  | { readonly type: "not-tls" };

const HANDSHAKE_RECORD = 22;
/** Of all versions from SSL 3.0 on (RFC 8446 section 4.2.1). */
const MAJOR_VERSION = 3;
const CLIENT_HELLO = 1;
const RECORD_HEAD_BYTES = 5;
const MESSAGE_HEAD_BYTES = 4;
/** RFC 8446 section 5.1. */
const MAX_RECORD_BYTES = 2 ** 14;
const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;
const HOST_NAME = 0;

/**
 * Reads what a client says first (RFC 8446 section 4.1.2), without answering it: a name to choose a
 * certificate by, or that this is no TLS at all. The bytes stay, for whoever shakes hands.
 *
 * The hello may be cut into records, and those into chunks, in any way. The work is linear in the
 * bytes that come. What is malformed inside is left to the one who shakes hands: then there is no
 * name and no protocol.
 */
export class ClientHelloReader {
  readonly #maxBytes: number;
  readonly #received: GrowingBytes = new GrowingBytes();
  /** What is in the records so far. */
  readonly #message: GrowingBytes = new GrowingBytes();
  /** Start of the first record that was not looked at. */
  #position = 0;

  /**
   * Makes a reader.
   *
   * @param maxBytes Most bytes of a hello with its records.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Everything that has come. */
  get bytes(): Uint8Array {
    return this.#received.bytes;
  }

  /**
   * Takes bytes.
   *
   * @param chunk What has come; it is copied.
   * @returns What is said, or `undefined` if more is needed.
   * @throws {LimitExceededError} If the hello is too long.
   */
  receive(chunk: Uint8Array): ClientHelloResult | undefined {
    const length = this.#received.append(chunk);
    for (;;) {
      const record = this.bytes.subarray(this.#position);
      if (record.length > 0 && record[0] !== HANDSHAKE_RECORD) return { type: "not-tls" };
      if (record.length > 1 && record[1] !== MAJOR_VERSION) return { type: "not-tls" };
      if (record.length < RECORD_HEAD_BYTES) break;
      const end = RECORD_HEAD_BYTES + (record[3]! << 8 | record[4]!);
      // RFC 8446 section 5.1: no handshake record is empty.
      if (end === RECORD_HEAD_BYTES || end > RECORD_HEAD_BYTES + MAX_RECORD_BYTES) {
        return { type: "not-tls" };
      }
      if (record.length < end) break;
      this.#position += end;
      this.#message.append(record.subarray(RECORD_HEAD_BYTES, end));
      const result = this.#readMessage();
      if (result !== undefined) return result;
    }
    if (length < this.#maxBytes) return undefined;
    throw new LimitExceededError(
      `Cannot read ClientHello: ${length} bytes reach ${this.#maxBytes} without its end`,
      { limit: "maxClientHelloBytes", max: this.#maxBytes },
    );
  }

  #readMessage(): ClientHelloResult | undefined {
    const { bytes } = this.#message;
    if (bytes[0] !== CLIENT_HELLO) return { type: "not-tls" };
    if (bytes.length < MESSAGE_HEAD_BYTES) return undefined;
    const end = MESSAGE_HEAD_BYTES + (bytes[1]! << 16 | bytes[2]! << 8 | bytes[3]!);
    if (bytes.length < end) return undefined;
    return { type: "hello", hello: decodeClientHello(bytes.subarray(MESSAGE_HEAD_BYTES, end)) };
  }
}

/** Bytes behind bytes. What was handed out stays as it was. */
class GrowingBytes {
  #bytes = new Uint8Array(1_024);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Gives back how many there are. */
  append(chunk: Uint8Array): number {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    return this.#length = length;
  }
}

/** Vectors of TLS (RFC 8446 section 3.4); what does not fit is empty. */
class VectorReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  number(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value << 8 | (this.#bytes[this.#offset++] ?? 0);
    return value;
  }

  skip(size: number): void {
    this.#offset += size;
  }

  /** A vector with a length of so many bytes in front. */
  vector(lengthSize: number): Uint8Array {
    const length = this.number(lengthSize);
    const end = this.#offset + length;
    const vector = end <= this.#bytes.length ? this.#bytes.subarray(this.#offset, end) : NOTHING;
    this.#offset = end;
    return vector;
  }
}

type Versions = Pick<ClientHello, "newestVersion" | "oldestVersion">;

const NOTHING = new Uint8Array(0);

function decodeClientHello(body: Uint8Array): ClientHello {
  const reader = new VectorReader(body);
  let versions = { newestVersion: reader.number(2), oldestVersion: 0 };
  // The random bytes.
  reader.skip(32);
  reader.vector(1);
  reader.vector(2);
  reader.vector(1);
  const extensions = new VectorReader(reader.vector(2));
  let serverName: string | undefined;
  let alpnProtocols: readonly string[] = [];
  // Four bytes at least are consumed each time.
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (type === SERVER_NAME) serverName = decodeServerName(data);
    else if (type === ALPN) alpnProtocols = decodeProtocols(data);
    else if (type === SUPPORTED_VERSIONS) versions = decodeVersions(data, versions);
  }
  return { serverName, alpnProtocols, ...versions };
}

/** RFC 6066 section 3: a list in which there is only one kind of names, and only one of it. */
function decodeServerName(data: Uint8Array): string | undefined {
  const entries = new VectorReader(new VectorReader(data).vector(2));
  if (entries.isAtEnd || entries.number(1) !== HOST_NAME) return undefined;
  const name = decodeAscii(entries.vector(2)).toLowerCase();
  return name === "" ? undefined : name;
}

function decodeProtocols(data: Uint8Array): readonly string[] {
  const entries = new VectorReader(new VectorReader(data).vector(2));
  const protocols: string[] = [];
  while (!entries.isAtEnd) protocols.push(decodeAscii(entries.vector(1)));
  return protocols;
}

/** RFC 8446 section 4.2.1: with it the old field says nothing. Unknown values are passed over. */
function decodeVersions(data: Uint8Array, otherwise: Versions): Versions {
  const versions = new VectorReader(new VectorReader(data).vector(1));
  let newestVersion = 0;
  let oldestVersion = TLS_1_3;
  while (!versions.isAtEnd) {
    const version = versions.number(2);
    if (version > TLS_1_3) continue;
    newestVersion = Math.max(newestVersion, version);
    oldestVersion = Math.min(oldestVersion, version);
  }
  if (newestVersion > 0) return { newestVersion, oldestVersion };
  return { newestVersion: Math.min(otherwise.newestVersion, TLS_1_2), oldestVersion: 0 };
}

/** One character for each byte, whatever it is: names are compared, never shown as they are. */
function decodeAscii(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
