import { closeQuietly } from "../../nbio/transport.ts";
import { join } from "../_support/websocket_frames.ts";
import type { RawEnd } from "../_support/raw_client.ts";
import type { Answer } from "./websocket_case.ts";
import type { RawDeflate } from "./websocket_deflate.ts";

/** What a {@linkcode WebSocketPeer} needs beside its connection. */
export interface WebSocketPeerOptions {
  /** Whether the frames of the peer have to be masked: whether it is a client. */
  readonly isMasked: boolean;
  /** Compression, where it was agreed on. */
  readonly deflate: RawDeflate | undefined;
  /** What came behind the handshake. */
  readonly bytes: Uint8Array;
}

const MIN_ROOM_BYTES = 65_536;

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly isCompressed: boolean;
  readonly payload: Uint8Array;
}

interface RawAnswer extends Answer {
  readonly isCompressed: boolean;
}

/**
 * The peer under test, as it is seen from the other end of the connection. It is read all the time,
 * and each of its frames is held against RFC 6455, without any code of the package.
 */
export class WebSocketPeer implements AsyncDisposable {
  readonly #conn: Deno.TcpConn;
  readonly #options: WebSocketPeerOptions;
  readonly #pumping: Promise<void>;
  readonly #answers: RawAnswer[] = [];
  #buffer: Uint8Array<ArrayBuffer>;
  #start = 0;
  #length: number;
  /** The fragments of a message that has not ended. */
  #fragments: Frame[] = [];
  #closeCode: number | undefined;
  #fault: string | undefined;
  #end: RawEnd | undefined;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /**
   * @param conn A connection behind its handshake.
   * @param options What was agreed on.
   */
  constructor(conn: Deno.TcpConn, options: WebSocketPeerOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#buffer = new Uint8Array(Math.max(MIN_ROOM_BYTES, options.bytes.length));
    this.#buffer.set(options.bytes);
    this.#length = options.bytes.length;
    this.#pumping = this.#pump();
  }

  /** Code of its Close frame, 1005 for none; `undefined` if none has come. */
  get closeCode(): number | undefined {
    return this.#closeCode;
  }

  /** How its frames break the protocol; `undefined` if they do not. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** How its side of the connection ended; `undefined` while it is open. */
  get end(): RawEnd | undefined {
    return this.#end;
  }

  /** Writes, in pieces of that many bytes; what the peer no longer takes is dropped. */
  async write(bytes: Uint8Array, chop: number = bytes.length): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#conn.write(bytes.subarray(at, at + chop));
      }
    } catch {
      // It has closed. What it said before tells whether it might.
    }
  }

  /** Waits for the next message or pong; `undefined` if none will come. */
  async nextAnswer(): Promise<Answer | undefined> {
    for (;;) {
      const next = this.#answers.shift();
      if (next !== undefined) return await this.#inflated(next);
      if (this.#isOver()) return undefined;
      await this.#wake.promise;
    }
  }

  /** Whether it sends a Close frame or leaves, within so many milliseconds. */
  closesWithin(timeoutMs: number): Promise<boolean> {
    return this.#within(timeoutMs, () => this.#isOver());
  }

  /** Whether its side ends within so many milliseconds. */
  endsWithin(timeoutMs: number): Promise<boolean> {
    return this.#within(timeoutMs, () => this.#end !== undefined);
  }

  /** Waits until nothing more can be read. */
  async ended(): Promise<RawEnd> {
    await this.#pumping;
    return this.#end!;
  }

  /** Closes the connection, and waits until nothing is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    closeQuietly(this.#conn);
    await this.#pumping;
  }

  #isOver(): boolean {
    return this.#closeCode !== undefined || this.#end !== undefined || this.#fault !== undefined;
  }

  async #within(timeoutMs: number, condition: () => boolean): Promise<boolean> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, timeoutMs);
    let isLate = false;
    while (!condition() && !isLate) {
      isLate = await Promise.race([late.promise.then(() => true), this.#woken()]);
    }
    clearTimeout(timer);
    return condition();
  }

  async #woken(): Promise<false> {
    await this.#wake.promise;
    return false;
  }

  async #inflated({ type, payload, isCompressed }: RawAnswer): Promise<Answer> {
    if (!isCompressed) return { type, payload };
    return { type, payload: await this.#options.deflate!.inflate(payload) };
  }

  async #pump(): Promise<void> {
    try {
      do {
        this.#readFrames();
        this.#notify();
      } while (await this.#readOnce());
      this.#end = "eof";
    } catch {
      this.#end = "reset";
    }
    this.#notify();
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #readOnce(): Promise<boolean> {
    const isTight = this.#buffer.length - this.#length < MIN_ROOM_BYTES;
    if (isTight) {
      const used = this.#buffer.subarray(this.#start, this.#length);
      const capacity = Math.max(2 * MIN_ROOM_BYTES, used.length * 2);
      if (capacity > this.#buffer.length) {
        this.#buffer = join(used, new Uint8Array(capacity - used.length));
      } else this.#buffer.copyWithin(0, this.#start, this.#length);
      this.#length = used.length;
      this.#start = 0;
    }
    const count = await this.#conn.read(this.#buffer.subarray(this.#length));
    this.#length += count ?? 0;
    return count !== null;
  }

  /** What has come and is whole. */
  #readFrames(): void {
    while (this.#fault === undefined) {
      const frame = this.#readFrame();
      if (frame === undefined) return;
      this.#fault = this.#closeCode === undefined ? this.#take(frame) : "frame behind its Close";
    }
  }

  #readFrame(): Frame | undefined {
    const head = this.#buffer.subarray(this.#start, this.#length);
    const sizeBytes = [2, 8][(head[1]! & 0x7f) - 126] ?? 0;
    const { isMasked, deflate } = this.#options;
    const headBytes = 2 + sizeBytes + (isMasked ? 4 : 0);
    if (head.length < headBytes) return undefined;
    let length = sizeBytes === 0 ? head[1]! & 0x7f : 0;
    for (let at = 2; at < 2 + sizeBytes; at++) length = length * 256 + head[at]!;
    if (length < [0, 126, 65_536][[0, 2, 8].indexOf(sizeBytes)]!) this.#fault = "length too long";
    if ((head[1]! >= 0x80) !== isMasked) this.#fault = "masked as it must not be";
    const opcode = head[0]! & 0x0f;
    const isCompressed = (head[0]! & 0x40) !== 0;
    const mayBeCompressed = deflate !== undefined && (opcode === 1 || opcode === 2);
    if ((head[0]! & 0x30) !== 0 || (isCompressed && !mayBeCompressed)) this.#fault = "reserved bit";
    if (this.#fault !== undefined || head.length < headBytes + length) return undefined;
    const payload = head.slice(headBytes, headBytes + length);
    if (isMasked) {
      const key = head.subarray(headBytes - 4, headBytes);
      for (let at = 0; at < length; at++) payload[at]! ^= key[at & 3]!;
    }
    this.#start += headBytes + length;
    return { opcode, isFinal: head[0]! >= 0x80, isCompressed, payload };
  }

  /** Gives what is wrong about a frame. */
  #take(frame: Frame): string | undefined {
    const { opcode, isFinal, payload } = frame;
    if (opcode >= 8 && (!isFinal || payload.length > 125)) return "control frame as it must not be";
    if (opcode === 8) {
      if (payload.length === 1) return "Close with a payload of 1 byte";
      this.#closeCode = payload.length === 0 ? 1005 : payload[0]! << 8 | payload[1]!;
      return undefined;
    }
    if (opcode === 10) {
      this.#answers.push({ type: "pong", payload, isCompressed: false });
      return undefined;
    }
    // It may want to know whether we are still here.
    if (opcode === 9) return undefined;
    if (opcode > 2) return `opcode ${opcode}`;
    if ((opcode === 0) !== (this.#fragments.length > 0)) return "fragments in wrong order";
    this.#fragments.push(frame);
    if (isFinal) this.#endMessage();
    return undefined;
  }

  #endMessage(): void {
    const [first, ...rest] = this.#fragments;
    const payload = rest.length === 0
      ? first!.payload
      : join(...this.#fragments.map((fragment) => fragment.payload));
    const type = first!.opcode === 1 ? "text" : "binary";
    this.#answers.push({ type, payload, isCompressed: first!.isCompressed });
    this.#fragments = [];
  }
}
