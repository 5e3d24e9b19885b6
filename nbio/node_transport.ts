/**
 * {@linkcode nodeTransport}: a stream of Node, such as a `net.Socket`, as a
 * {@linkcode Transport}.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { ConnectionClosedError } from "./errors.ts";
import { toSystemError } from "./system_error.ts";
import type { Transport } from "./transport.ts";

/** Options of {@linkcode nodeTransport}. */
export interface NodeTransportOptions {
  /**
   * Our end, for a stream that does not know it.
   *
   * @default what the stream says, else a Unix address without a path
   */
  readonly localAddr?: Deno.Addr;

  /**
   * The end of the peer, for a stream that does not know it.
   *
   * @default what the stream says, else a Unix address without a path
   */
  readonly remoteAddr?: Deno.Addr;
}

/** Codes by which a stream says that it was given up in the middle. */
const DESTROYED_CODES: ReadonlySet<string> = new Set([
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/**
 * Makes a transport of a duplex stream of Node: of a `net.Socket`, a
 * `tls.TLSSocket` or anything built like them. It behaves as a `Deno.Conn`
 * does: what fails rejects with the classes of `Deno.errors`, `close` rejects
 * what waits with `Deno.errors.Interrupted`, what comes after it with
 * `Deno.errors.BadResource`, and the end of the peer leaves our direction open.
 *
 * Back-pressure holds both ways. Nothing is read before the first `read`; from
 * then on the stream reads ahead, but no further than its own high-water mark.
 * A write resolves when the stream has passed all of it on, so it is never
 * short, and no more than one is under way.
 *
 * The stream belongs to the transport from now on: nobody else may read it,
 * write to it, or give it an encoding. Each operation costs a few events of
 * Node more than one on a `Deno.Conn`.
 *
 * @param stream The stream, of bytes. A socket may still be connecting: its
 * addresses are known once it has.
 * @param options Addresses.
 * @returns The transport.
 * @throws {TypeError} If the stream is in object mode or decodes its bytes.
 *
 * @example Reading a socket of Node
 * ```ts
 * import { nodeTransport } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 * import net from "node:net";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const socket = net.connect(listener.addr.port, "127.0.0.1");
 * using peer = await listener.accept();
 * const transport = nodeTransport(socket);
 * await peer.write(new Uint8Array([1, 2, 3]));
 * assertEquals(await transport.read(new Uint8Array(2)), 2);
 * assertEquals(await transport.read(new Uint8Array(2)), 1);
 * transport.close();
 * ```
 */
export function nodeTransport(stream: Duplex, options: NodeTransportOptions = {}): Transport {
  if (stream.readableObjectMode || stream.writableObjectMode) {
    throw new TypeError("Cannot make a transport: the stream is in object mode, not one of bytes");
  }
  if (stream.readableEncoding) {
    throw new TypeError(
      `Cannot make a transport: the stream decodes ${stream.readableEncoding}, expected bytes`,
    );
  }
  return new NodeTransport(stream, options);
}

/** A read or write that waits, and how to end it. */
interface Waiter {
  reject(error: unknown): void;
}

interface Reader extends Waiter {
  readonly p: Uint8Array;
  resolve(byteCount: number | null): void;
}

class NodeTransport implements Transport {
  readonly #stream: Duplex;
  #localAddr: Deno.Addr;
  #remoteAddr: Deno.Addr;
  #reader: Reader | undefined;
  #writer: Waiter | undefined;
  #ender: Waiter | undefined;
  /** Settles when our direction has ended; there once that was asked for. */
  #writeEnd: Promise<void> | undefined;
  /** Whether the stream is being watched for bytes. */
  #reading = false;
  #readEnded = false;
  #closed = false;
  /** Why the stream failed or was given up by somebody else. */
  #failure: unknown;

  constructor(stream: Duplex, options: NodeTransportOptions) {
    this.#stream = stream;
    // Asked for now, because a socket that has been closed no longer knows.
    this.#localAddr = options.localAddr ?? addressOf(stream, "local");
    this.#remoteAddr = options.remoteAddr ?? addressOf(stream, "remote");
    stream.once("connect", () => {
      this.#localAddr = options.localAddr ?? addressOf(stream, "local");
      this.#remoteAddr = options.remoteAddr ?? addressOf(stream, "remote");
    });
    this.#readEnded = stream.readableEnded;
    // Else the stream would end our direction when the peer ends its own.
    stream.allowHalfOpen = true;
    // Stays for good: an error nobody listens for would end the process.
    stream.on("error", (error) => this.#fail(toSystemError(error)));
    stream.on("close", () => this.#onClose());
    stream.on("end", () => this.#onEnd());
    // Its events may be over.
    if (stream.destroyed) this.#onClose();
  }

  get localAddr(): Deno.Addr {
    return this.#localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#remoteAddr;
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#reader) return Promise.reject(busyError("read"));
    if (p.length === 0) return Promise.resolve(0);
    const byteCount = this.#take(p);
    if (byteCount > 0) return Promise.resolve(byteCount);
    if (this.#readEnded) return Promise.resolve(null);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#reader = { p, resolve, reject };
      this.#pull();
    });
  }

  write(p: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#writer) return Promise.reject(busyError("write"));
    if (p.length === 0) return Promise.resolve(0);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // Asked before, because the stream would destroy itself over such a write.
    if (!this.#stream.writable) return Promise.reject(endedError());
    return new Promise((resolve, reject) => {
      this.#writer = { reject };
      this.#stream.write(p, (error) => {
        this.#writer = undefined;
        if (error) reject(this.#translate(error));
        else resolve(p.length);
      });
    });
  }

  closeWrite(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#stream.writableFinished) return Promise.resolve();
    return this.#writeEnd ??= new Promise((resolve, reject) => {
      this.#ender = { reject };
      // The types of Node say that this callback is given nothing.
      this.#stream.end((error?: Error | null) => {
        this.#ender = undefined;
        if (error) reject(this.#translate(error));
        else resolve();
      });
    });
  }

  close(): void {
    if (this.#closed) throw closedError();
    this.#closed = true;
    this.#rejectWaiting(new Deno.errors.Interrupted("The connection was closed"));
    this.#stream.destroy();
  }

  /** Moves what the stream holds to `p`; gives back how many bytes that was. */
  #take(p: Uint8Array): number {
    const byteCount = Math.min(p.length, this.#stream.readableLength);
    if (byteCount === 0) return 0;
    const chunk: Uint8Array | null = this.#stream.read(byteCount);
    if (chunk === null) return 0;
    p.set(chunk);
    return chunk.length;
  }

  /** Makes the stream fetch bytes, or tell that there are none left. */
  #pull(): void {
    if (!this.#reading) {
      this.#reading = true;
      this.#stream.on("readable", () => this.#onReadable());
    }
    this.#stream.read(0);
  }

  #onReadable(): void {
    const reader = this.#reader;
    if (!reader) return;
    const byteCount = this.#take(reader.p);
    if (byteCount > 0) {
      this.#reader = undefined;
      reader.resolve(byteCount);
    } else {
      this.#pull();
    }
  }

  #onEnd(): void {
    this.#readEnded = true;
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  #onClose(): void {
    // A stream that has ended both ways closes by itself, which is no failure.
    if (this.#readEnded && this.#stream.writableFinished) return;
    this.#fail(new ConnectionClosedError("The stream was destroyed before its end"));
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#failure ??= error;
    this.#rejectWaiting(this.#failure);
  }

  /** Rejects what waits, whether or not the stream still calls it back. */
  #rejectWaiting(error: unknown): void {
    this.#reader?.reject(error);
    this.#writer?.reject(error);
    this.#ender?.reject(error);
    this.#reader = this.#writer = this.#ender = undefined;
  }

  /** What a callback of the stream was given, as an error of ours. */
  #translate(error: Error): unknown {
    if (this.#failure !== undefined) return this.#failure;
    if (!DESTROYED_CODES.has(String((error as { code?: unknown }).code))) {
      return toSystemError(error);
    }
    return new ConnectionClosedError("The stream was destroyed before its end", { cause: error });
  }
}

/** What sockets of Node tell about their two ends, until they are closed. */
interface SocketAddresses {
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

function addressOf(stream: Duplex & SocketAddresses, end: "local" | "remote"): Deno.Addr {
  const hostname = stream[`${end}Address`];
  const port = stream[`${end}Port`];
  if (hostname === undefined || port === undefined) return { transport: "unix", path: "" };
  return { transport: "tcp", hostname, port };
}

function closedError(): Error {
  return new Deno.errors.BadResource("The connection is closed");
}

function busyError(action: string): TypeError {
  return new TypeError(`Cannot ${action}: another ${action} is waiting`);
}

function endedError(): Error {
  return new Deno.errors.BrokenPipe("Cannot write: our direction has ended");
}
