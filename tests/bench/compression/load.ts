const decoder = new TextDecoder("latin1");
/** Largest response that is expected. */
const MAX_RESPONSE_BYTES = 64 * 1024;

/** Load on a server whose responses differ in framing: one request at a time and connection. */
export class CodedLoad implements Disposable {
  readonly #request: Uint8Array<ArrayBuffer>;
  readonly #connections: Deno.TcpConn[] = [];

  /** @param coding What `Accept-Encoding` says. */
  constructor(coding: string) {
    const fields = coding === "" ? "" : `Accept-Encoding: ${coding}\r\n`;
    this.#request = new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  }

  /**
   * Opens connections.
   *
   * @returns The head of a response.
   */
  async open(port: number, count: number): Promise<string> {
    for (let index = 0; index < count; index++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connection.setNoDelay(true);
      this.#connections.push(connection);
    }
    const [first] = this.#connections;
    return await this.#ask(first!, new Uint8Array(MAX_RESPONSE_BYTES));
  }

  /** Asks as often on all connections together. */
  async run(count: number): Promise<number> {
    let remaining = count;
    await Promise.all(this.#connections.map(async (connection) => {
      const buffer = new Uint8Array(MAX_RESPONSE_BYTES);
      while (remaining-- > 0) await this.#ask(connection, buffer);
    }));
    return count;
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  async #ask(connection: Deno.TcpConn, buffer: Uint8Array<ArrayBuffer>): Promise<string> {
    await connection.write(this.#request);
    let head: string | undefined;
    let expected: number | undefined;
    for (let length = 0;;) {
      const count = await connection.read(buffer.subarray(length));
      if (!count) throw new Error("Cannot go on: the server closed a connection");
      length += count;
      if (head === undefined) {
        head = readHead(buffer.subarray(0, length));
        const announced = /\r\ncontent-length: *(\d+)/i.exec(head ?? "")?.[1];
        if (head !== undefined && announced !== undefined) {
          expected = head.length + Number(announced);
        }
      }
      if (head === undefined) continue;
      const isWhole = expected === undefined
        ? decoder.decode(buffer.subarray(length - 5, length)) === "0\r\n\r\n"
        : length === expected;
      if (isWhole) return head;
    }
  }
}

function readHead(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes.subarray(0, 2_048));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  if (!text.startsWith("HTTP/1.1 200 ")) {
    throw new Error(`Cannot use response: ${text.slice(0, 32)}`);
  }
  return text.slice(0, end + 4);
}
