import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { deadlines } from "../nbio/deadline_wheel.ts";
import { ConnectionClosedError } from "../nbio/errors.ts";
import { onNextTurn } from "../nbio/next_turn.ts";
import { nodeTransport } from "../nbio/node_transport.ts";
import { toSystemError } from "../nbio/system_error.ts";
import type { TlsInfo, TlsTransport } from "../nbio/tls_provider.ts";
import type { Transport } from "../nbio/transport.ts";
import { explainRead } from "./handshake_error.ts";

/** For a few bytes to leave; what stands still for longer has nobody to read it. */
const GOODBYE_TIMEOUT_MS = 1_000;
/** What may lie here and has not been asked for; beyond it the stream below pauses. */
const MAX_AHEAD_BYTES = 65_536;
/** In so many pieces at most: a piece costs more than a byte, and taking one from a short list little. */
const MAX_AHEAD_CHUNKS = 128;
/** Written to learn when all before it is. */
const NOTHING = new Uint8Array(0);

/** How a secured stream came to its end, as far as it has. */
export interface StreamEnd {
  /** Whether the connection ended below TLS, without the peer having said so under protection. */
  readonly isCut: boolean;
  /** What the stream has failed with, such as an alert of the peer. */
  readonly failure: unknown;
}

/**
 * Looks at how the stream ends: `node:tls` tells a cut from an end to nobody, and a failure to those
 * only who listen in that moment. The end of the stream below comes when TLS has seen all its bytes:
 * if those had the peer's goodbye among them, TLS has ended by then.
 *
 * @param socket The secured stream, from which nothing has come yet.
 * @param raw The stream below it.
 * @returns What is known, which changes.
 */
export function watchEnd(socket: TLSSocket, raw: Duplex): StreamEnd {
  const end: { isCut: boolean; failure: unknown } = { isCut: false, failure: undefined };
  let hasSaidGoodbye = false;
  const { push } = socket;
  let isOverBelow = false;
  raw.prependListener("end", () => isOverBelow = !hasSaidGoodbye);
  socket.push = (chunk, encoding): boolean => {
    if (chunk === null) {
      hasSaidGoodbye = !isOverBelow;
      end.isCut = isOverBelow;
    }
    return push.call(socket, chunk, encoding);
  };
  socket.prependListener("error", (error) => end.failure ??= error);
  return end;
}

/**
 * Makes a transport of a secured stream of Node, to which an end that is a cut is an error.
 *
 * @param socket The stream, its handshake complete. It belongs to the transport.
 * @param raw The stream below it, which belongs to the transport too.
 * @param end What {@linkcode watchEnd} gave.
 * @param ends Addresses of the connection below.
 * @param tlsInfo What is known of the connection.
 * @returns The transport.
 */
export function tlsSocketTransport(
  socket: TLSSocket,
  raw: Duplex,
  end: StreamEnd,
  { localAddr, remoteAddr }: Pick<Transport, "localAddr" | "remoteAddr">,
  tlsInfo: TlsInfo,
): TlsTransport {
  const transport = nodeTransport(socket, { localAddr, remoteAddr });
  const reader = new FlowReader(socket, raw, transport, end);
  const destroyNow = destroyWhenSent(socket, raw);
  let isClosed = false;
  const failWrite = (error: unknown): never => {
    throw isClosed ? error : explain(end.failure ?? error);
  };
  return {
    read: (p) => reader.read(p),
    write: (p) => {
      // The runtime would go on encrypting for a peer that has refused us.
      if (end.failure !== undefined && !isClosed) return Promise.reject(explain(end.failure));
      return transport.write(p).catch(failWrite);
    },
    closeWrite: () => transport.closeWrite(),
    close: () => {
      isClosed = true;
      closePolitely(socket, transport, destroyNow);
      reader.close();
    },
    localAddr,
    remoteAddr,
    tlsInfo,
  };
}

/** A read that waits. */
interface Waiting {
  readonly p: Uint8Array;
  resolve(count: number | null | Promise<number | null>): void;
  reject(error: unknown): void;
}

/**
 * Reads a stream that flows: what comes is there in the turn in which it comes. To ask a stream of
 * Node for its bytes, as `nodeTransport` does, takes a tenth more CPU for each small exchange
 * (`tests/bench/tls`).
 *
 * Back-pressure is put on the stream below: under Deno `node:tls` goes on reading that one, without a
 * bound, when the secured one pauses.
 */
class FlowReader {
  readonly #socket: TLSSocket;
  readonly #raw: Duplex;
  readonly #transport: Transport;
  readonly #end: StreamEnd;
  /** What came and was not asked for. */
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #waiting: Waiting | undefined;
  #isFlowing = false;
  #isPaused = true;
  /** Whether nothing will come any more; why, the transport knows. */
  #isOver: boolean;
  #isClosed = false;

  constructor(socket: TLSSocket, raw: Duplex, transport: Transport, end: StreamEnd) {
    this.#socket = socket;
    this.#raw = raw;
    this.#transport = transport;
    this.#end = end;
    this.#isOver = socket.destroyed || socket.readableEnded;
    // Behind those of the transport, which has taken note by then.
    for (const name of ["end", "error", "close"]) socket.on(name, this.#onOver);
    // Until the first read.
    raw.pause();
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.#waiting !== undefined) {
      return Promise.reject(new TypeError("Cannot read: another read is waiting"));
    }
    if (this.#length > 0 && p.length > 0) return Promise.resolve(this.#take(p));
    if (this.#isOver || p.length === 0) return this.#readLast(p);
    return new Promise((resolve, reject) => {
      this.#waiting = { p, resolve, reject };
      this.#flow();
    });
  }

  /** The transport is closed already. */
  close(): void {
    this.#isOver = this.#isClosed = true;
    this.#chunks.length = this.#length = 0;
    this.#socket.off("data", this.#onData).pause();
    this.#raw.pause();
    const interrupted = Object.assign(new Error("The connection was closed"), {
      code: "ECANCELED",
    });
    this.#waiting?.reject(toSystemError(interrupted));
    this.#waiting = undefined;
  }

  #flow(): void {
    if (!this.#isFlowing) {
      this.#isFlowing = true;
      this.#socket.on("data", this.#onData);
    }
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#raw.resume();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const waiting = this.#waiting;
    if (waiting !== undefined && this.#length > 0) {
      this.#waiting = undefined;
      waiting.resolve(this.#take(waiting.p));
    }
    const isRoom = this.#length < MAX_AHEAD_BYTES && this.#chunks.length < MAX_AHEAD_CHUNKS;
    if (isRoom || this.#isPaused) return;
    this.#isPaused = true;
    this.#raw.pause();
  };

  /** Moves what is there, at least a byte; the rest keeps its place. */
  #take(p: Uint8Array): number {
    let count = 0;
    while (count < p.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const room = p.length - count;
      p.set(chunk.length <= room ? chunk : chunk.subarray(0, room), count);
      count += Math.min(chunk.length, room);
      if (chunk.length <= room) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(room);
    }
    this.#length -= count;
    return count;
  }

  readonly #onOver = (): void => {
    this.#isOver = true;
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    waiting.resolve(this.#readLast(waiting.p));
  };

  /** What the transport has to say of a stream from which nothing comes. */
  async #readLast(p: Uint8Array): Promise<number | null> {
    const count = await this.#transport.read(p).catch((error) => {
      // What comes after close() is about that.
      throw this.#isClosed ? error : explain(this.#end.failure ?? error);
    });
    if (count !== null) return count;
    if (this.#end.failure !== undefined) throw explain(this.#end.failure);
    if (!this.#end.isCut) return null;
    throw new ConnectionClosedError("Cannot read: the connection was cut without a goodbye");
  }
}

/** What a stream has failed with, in classes of the runtime where it is of the system. */
function explain(failure: unknown): unknown {
  return explainRead(toSystemError(failure));
}

/**
 * Lets a secured stream say goodbye before it is destroyed. It destroys itself as soon as both sides
 * have ended, and has finished as soon as its goodbye is made: what waits inside it, behind a write
 * below that is under way, would be lost.
 *
 * @param socket The stream.
 * @param raw The stream below it.
 * @returns Destroys it at once.
 */
function destroyWhenSent(socket: TLSSocket, raw: Duplex): () => void {
  const { destroy } = socket;
  let isLeaving = false;
  const destroyNow = (): void => {
    deadline.cancel();
    destroy.call(socket);
    raw.destroy();
  };
  const deadline = deadlines.create(destroyNow);
  // When a write below is through, TLS goes on in one of the next turns.
  const checkSoon = (): void => onNextTurn(check);
  const check = (): void => {
    if (raw.destroyed || raw.writableEnded || socket.destroyed) destroyNow();
    else if (!socket.writableFinished) socket.once("finish", checkSoon);
    else if (raw.writableLength > 0) raw.write(NOTHING, checkSoon);
    else destroyNow();
  };
  socket.destroy = (error) => {
    if (error || raw.destroyed) return destroy.call(socket, error);
    if (isLeaving) return socket;
    isLeaving = true;
    deadline.arm(GOODBYE_TIMEOUT_MS);
    raw.once("close", destroyNow);
    checkSoon();
    return socket;
  };
  return destroyNow;
}

/**
 * Closes the transport at once, and the stream below it when the peer has been told: without
 * close_notify (RFC 8446 section 6.1) it would have to take our leave for a cut. A peer that does not
 * take what is written meanwhile is not told.
 */
function closePolitely(socket: TLSSocket, transport: Transport, destroyNow: () => void): void {
  const isStuck = socket.writableLength > 0;
  transport.close();
  if (isStuck) destroyNow();
  else socket.end();
}
