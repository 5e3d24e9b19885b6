import { bytesOf } from "./raw_bytes.ts";
import { parseResponse, type RawResponse } from "./raw_response.ts";
import { connect } from "./tls_switch.ts";

/** Where a server listens. */
export interface RawAddress {
  readonly hostname: string;
  readonly port: number;
}

/** How a connection ended, as the client sees it. */
export type RawEnd =
  /** The server ended its side in order. */
  | "eof"
  /** The server reset the connection. */
  | "reset"
  /** The client's deadline passed first. */
  | "timeout";

/** Options of {@linkcode RawClient.connect}. */
export interface RawClientOptions {
  /**
   * Milliseconds after which the client gives up.
   *
   * @default {5000}
   */
  readonly timeoutMs?: number;
}

/**
 * A client that sends exactly the bytes it is given and reads what comes back
 * without any code of the package. It reads all the time, so that a server that
 * answers before it has read everything is not held up, and it never waits for
 * time to pass: only for bytes, for the end, or for its one deadline.
 */
export class RawClient implements AsyncDisposable {
  readonly #conn: Deno.Conn;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #pumping: Promise<void>;
  #buffer = new Uint8Array(4096);
  #start = 0;
  #length = 0;
  #end: RawEnd | undefined;
  #isTimedOut = false;
  #wake: (() => void) | undefined;

  private constructor(conn: Deno.Conn, timeoutMs: number) {
    this.#conn = conn;
    this.#timer = setTimeout(() => this.#giveUp(), timeoutMs);
    this.#pumping = this.#pump();
  }

  /** Connects to a server; over TLS where it is one of the switch. */
  static async connect(address: RawAddress, options: RawClientOptions = {}): Promise<RawClient> {
    return new RawClient(await connect(address), options.timeoutMs ?? 5000);
  }

  /** How the server's side ended; `undefined` while it is open. */
  get end(): RawEnd | undefined {
    return this.#end;
  }

  /** Bytes that have come and belong to no response taken so far. */
  get leftover(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#length);
  }

  /**
   * Sends bytes, or text with one byte per character.
   *
   * @returns Whether the connection took them all.
   */
  async send(data: string | Uint8Array): Promise<boolean> {
    const bytes = typeof data === "string" ? bytesOf(data) : data;
    try {
      for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
      return true;
    } catch {
      // What the server said before it left is still to be read.
      return false;
    }
  }

  /** Ends the client's side; the server may still answer. */
  async sendEnd(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch {
      // The server was faster.
    }
  }

  /**
   * Takes the next response, informational ones included.
   *
   * @param isHead Whether it answers HEAD.
   * @returns The response, or `undefined` if the connection ended before it.
   * @throws {MalformedResponseError} If what came is no response.
   */
  async response(isHead: boolean = false): Promise<RawResponse | undefined> {
    for (;;) {
      const isEnded = this.#end === "eof";
      const parsed = parseResponse(this.leftover, { isHead, isEnded });
      if (parsed !== undefined) {
        this.#start += parsed.end;
        return parsed.response;
      }
      if (this.#end !== undefined) return undefined;
      await this.#more();
    }
  }

  /** Waits until at least `length` bytes lie in `leftover`, or the end. */
  async bytes(length: number): Promise<Uint8Array> {
    while (this.leftover.length < length && this.#end === undefined) await this.#more();
    return this.leftover;
  }

  /** Waits for the end of the server's side. */
  async closed(): Promise<RawEnd> {
    await this.#pumping;
    return this.#end!;
  }

  /** Closes the connection at once and waits until nothing is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.#conn.close();
    } catch {
      // It was closed when the deadline passed.
    }
    await this.#pumping;
  }

  #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const count = await this.#conn.read(this.#room());
        if (count === null) break;
        this.#length += count;
        this.#wake?.();
      }
      this.#end = "eof";
    } catch {
      this.#end = this.#isTimedOut ? "timeout" : "reset";
    }
    this.#wake?.();
  }

  #room(): Uint8Array {
    if (this.#length === this.#buffer.length) {
      const used = this.leftover;
      const grown = new Uint8Array(Math.max(4096, used.length * 2));
      grown.set(used);
      this.#length = used.length;
      this.#start = 0;
      this.#buffer = grown;
    }
    return this.#buffer.subarray(this.#length);
  }

  #giveUp(): void {
    this.#isTimedOut = true;
    this.#conn.close();
  }
}
