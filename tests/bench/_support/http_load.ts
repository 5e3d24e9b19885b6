const decoder = new TextDecoder("latin1");

/** Connections that are being opened, or asked, at the same moment. */
const MAX_AT_ONCE = 100;

/** Longest response head a server under test may send. */
const MAX_HEAD_BYTES = 4_096;

/** What is sent to which server, and what must come back. */
export interface HttpLoadOptions {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** The bytes of one request, body included. */
  readonly request: Uint8Array<ArrayBuffer>;
  /** Requests that leave in one write. @default 1 */
  readonly pipelined?: number;
  /** Body of every response; its status is 200. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Load on an HTTP/1.1 server: every connection always has one write of prebuilt bytes in flight.
 *
 * Responses are counted by their length, which the second response of the first connection
 * tells: the first one of a connection may carry fields that later ones do not.
 */
export class HttpLoad {
  readonly #options: HttpLoadOptions;
  readonly #batch: Uint8Array<ArrayBuffer>;
  readonly #pipelined: number;
  readonly #connections: Deno.TcpConn[] = [];
  #responseLength = 0;
  #remaining = 0;

  constructor(options: HttpLoadOptions) {
    this.#options = options;
    this.#pipelined = options.pipelined ?? 1;
    const { request } = options;
    this.#batch = new Uint8Array(request.length * this.#pipelined);
    for (let i = 0; i < this.#pipelined; i++) this.#batch.set(request, i * request.length);
  }

  /**
   * Opens connections until there are `count`, and sends one request on each new one.
   *
   * @throws {Error} If a response is not the expected one.
   */
  async open(count: number): Promise<void> {
    while (this.#connections.length < count) {
      const wanted = Math.min(MAX_AT_ONCE, count - this.#connections.length);
      await Promise.all(Array.from({ length: wanted }, () => this.#open()));
    }
    this.#responseLength = await this.#ask(this.#connections[0]!);
  }

  async #open(): Promise<void> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#options.port });
    connection.setNoDelay(true);
    this.#connections.push(connection);
    await this.#ask(connection);
  }

  /**
   * Sends one request on every connection and checks the responses byte by byte.
   *
   * @throws {Error} If a response is not the expected one.
   */
  async ask(): Promise<void> {
    for (let i = 0; i < this.#connections.length; i += MAX_AT_ONCE) {
      const some = this.#connections.slice(i, i + MAX_AT_ONCE);
      await Promise.all(some.map((connection) => this.#ask(connection)));
    }
  }

  /** Gives the length of the response. */
  async #ask(connection: Deno.TcpConn): Promise<number> {
    await writeAll(connection, this.#options.request);
    const { body } = this.#options;
    const response = new Uint8Array(MAX_HEAD_BYTES + body.length);
    let length = 0;
    let expected: number | undefined;
    while (expected === undefined || length < expected) {
      const count = await connection.read(response.subarray(length));
      if (!count) throw new Error(`Cannot use response: it ended after ${length} bytes`);
      length += count;
      expected ??= responseLength(response.subarray(0, length), body.length);
    }
    if (length !== expected || !equal(response.subarray(length - body.length, length), body)) {
      throw new Error(`Cannot use response: ${length} bytes are not the expected ${expected}`);
    }
    return length;
  }

  /**
   * Sends `count` requests, rounded up to whole writes, over all open connections.
   *
   * @returns How many responses came.
   * @throws {Error} If a response is not a 200 of the known length.
   */
  async run(count: number): Promise<number> {
    const writes = Math.ceil(count / this.#pipelined);
    this.#remaining = writes;
    await Promise.all(this.#connections.map((connection) => this.#drive(connection)));
    return writes * this.#pipelined;
  }

  async #drive(connection: Deno.TcpConn): Promise<void> {
    const batchLength = this.#responseLength * this.#pipelined;
    const buffer = new Uint8Array(Math.min(batchLength, 131_072));
    while (this.#remaining-- > 0) {
      await writeAll(connection, this.#batch);
      let left = batchLength;
      while (left > 0) {
        const room = left < buffer.length ? buffer.subarray(0, left) : buffer;
        const count = await connection.read(room);
        if (!count) throw new Error("Cannot go on: the server closed a connection");
        if (left === batchLength && count > 12 && !isOk(buffer)) {
          throw new Error(`Cannot go on: ${decoder.decode(buffer.subarray(0, 32))}`);
        }
        left -= count;
      }
    }
  }

  /** Closes all connections. */
  close(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }
}

async function writeAll(
  connection: Deno.TcpConn,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  let written = await connection.write(bytes);
  while (written < bytes.length) written += await connection.write(bytes.subarray(written));
}

/** Length of a whole response, or `undefined` before its head is complete. */
function responseLength(bytes: Uint8Array, bodyLength: number): number | undefined {
  const text = decoder.decode(bytes.subarray(0, MAX_HEAD_BYTES));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.length < MAX_HEAD_BYTES) return undefined;
    throw new Error(`Cannot use response: no head in its first ${MAX_HEAD_BYTES} bytes`);
  }
  const head = text.slice(0, end + 2);
  if (!head.startsWith("HTTP/1.1 200 ")) {
    throw new Error(`Cannot use response: ${head.split("\r\n")[0]}`);
  }
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
  if (Number(length) !== bodyLength) {
    throw new Error(`Cannot use response: content-length is ${length}, not ${bodyLength}`);
  }
  return end + 4 + bodyLength;
}

function isOk(bytes: Uint8Array): boolean {
  return bytes[9] === 0x32 && bytes[10] === 0x30 && bytes[11] === 0x30;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
