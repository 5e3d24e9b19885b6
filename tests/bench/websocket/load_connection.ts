import type { FrameRing } from "./frame_ring.ts";
import { ReplyCounter } from "./reply_counter.ts";
import { inflateFirst } from "./deflate_frames.ts";
import type { Mode } from "./scenarios.ts";

/** Longest response head a server under test may send. */
const MAX_HEAD_BYTES = 4_096;

/** Size of the first reads, up to which a connection takes no larger buffer. */
const SMALL_BUFFER_BYTES = 8_192;
const LARGE_BUFFER_BYTES = 262_144;

const COMPRESSED = 0x40;

const HANDSHAKE = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n" +
  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** What every browser offers. */
const OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/** One connection of a load, behind its handshake: frames go out, messages are counted. */
export class LoadConnection {
  /** Bits of the window that the server lets us compress with; 15 where it did not say. */
  readonly windowBits: number;
  readonly #conn: Deno.TcpConn;
  readonly #counter = new ReplyCounter();
  #ring: FrameRing | undefined;
  #nextFrame = 0;
  #queued = 0;
  #isWriting = false;

  private constructor(conn: Deno.TcpConn, windowBits: number) {
    this.#conn = conn;
    this.windowBits = windowBits;
  }

  /**
   * Connects and makes the handshake.
   *
   * @throws {Error} If the server does not agree to it, or to compress.
   */
  static async open(port: number, mode: Mode): Promise<LoadConnection> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const request = `${HANDSHAKE}${mode === "deflate" ? OFFER : ""}\r\n`;
    await conn.write(new TextEncoder().encode(request));
    const head = await readHead(conn);
    const extensions = /^sec-websocket-extensions:(.*)$/im.exec(head)?.[1] ?? "";
    if (extensions.includes("permessage-deflate") !== (mode === "deflate")) {
      throw new Error(`Cannot use server: its extensions are "${extensions}"`);
    }
    if (extensions.includes("client_no_context_takeover")) {
      throw new Error("Cannot use server: it wants no context takeover");
    }
    return new LoadConnection(
      conn,
      Number(/client_max_window_bits=(\d+)/.exec(extensions)?.[1] ?? 15),
    );
  }

  /**
   * Sets what to send. Sends the first message and holds the reply against it, unless it is to
   * wait.
   *
   * @param ring What to send from now on.
   * @param message The first message of the ring; nothing to wait.
   * @throws {Error} If they differ.
   */
  async begin(ring: FrameRing, message: Uint8Array | undefined): Promise<void> {
    this.#ring = ring;
    if (message === undefined) return;
    this.#send(1);
    const buffer = new Uint8Array(message.length + 1_024);
    let length = 0;
    for (let replies = 0; replies === 0;) {
      const count = await this.#conn.read(buffer.subarray(length));
      if (count === null) throw new Error("Cannot use server: it closed a connection");
      replies = this.#counter.count(buffer.subarray(length, length + count));
      length += count;
    }
    const { isCompressed, payload } = splitFrame(buffer.subarray(0, length));
    const reply = isCompressed ? inflateFirst(payload) : payload;
    if (reply.length !== message.length || reply.some((byte, at) => byte !== message[at])) {
      throw new Error("Cannot use server: its first reply is not the first message");
    }
  }

  /**
   * Keeps messages in flight until none is left to be sent and all were answered.
   *
   * @param inFlight How many at most.
   * @param grant Gives leave to send so many more messages, or fewer.
   * @throws {Error} If the server closes.
   */
  async run(inFlight: number, grant: (count: number) => number): Promise<void> {
    const isSmall = inFlight * this.#ring!.take(0, 1).length <= SMALL_BUFFER_BYTES;
    const buffer = new Uint8Array(isSmall ? SMALL_BUFFER_BYTES : LARGE_BUFFER_BYTES);
    let unanswered = grant(inFlight);
    this.#send(unanswered);
    while (unanswered > 0) {
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error("Cannot go on: the server closed a connection");
      const replies = this.#counter.count(buffer.subarray(0, count));
      if (replies === 0) continue;
      const more = grant(replies);
      unanswered += more - replies;
      this.#send(more);
    }
  }

  /** Closes without a word. */
  close(): void {
    this.#conn.close();
  }

  #send(count: number): void {
    this.#queued += count;
    if (this.#queued > 0 && !this.#isWriting) void this.#write();
  }

  /** Writes beside the reading: two ends that write before they read wait for each other. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#queued > 0) {
        const bytes = this.#ring!.take(this.#nextFrame, this.#queued);
        this.#nextFrame += this.#queued;
        this.#queued = 0;
        for (let written = 0; written < bytes.length;) {
          written += await this.#conn.write(written === 0 ? bytes : bytes.subarray(written));
        }
      }
    } catch {
      // Whoever reads is told.
    }
    this.#isWriting = false;
  }
}

async function readHead(conn: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(MAX_HEAD_BYTES);
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("Cannot use server: it closed in its handshake");
    text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    if (text.length > MAX_HEAD_BYTES) throw new Error("Cannot use server: its head has no end");
  }
  if (text.startsWith("HTTP/1.1 101 ")) return text;
  throw new Error(`Cannot use server: ${text.split("\r\n")[0]}`);
}

/** Takes a frame apart that is whole. */
function splitFrame(bytes: Uint8Array): { isCompressed: boolean; payload: Uint8Array } {
  const length = bytes[1]!;
  const headBytes = length < 126 ? 2 : length === 126 ? 4 : 10;
  return { isCompressed: (bytes[0]! & COMPRESSED) !== 0, payload: bytes.subarray(headBytes) };
}
