import type { ContextKind } from "./_context_pool.ts";
import type { ZlibContext } from "./_zlib_context.ts";
import type { Inflater } from "./compression.ts";
import { WebSocketProtocolError } from "./errors.ts";

/** What the sender of every message has taken off its end (RFC 7692 section 7.2.2). */
export const TAIL: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/**
 * Blocks of one message that may say that they are the last. Each makes the inflater start afresh,
 * which costs far more than the ten bits it takes to say so; who sends them, sends one.
 */
export const MAX_FINAL_BLOCKS = 64;

/** What a {@linkcode ContextInflater} works with. */
export interface ContextInflaterSettings {
  /** What context it needs. */
  readonly kind: ContextKind;
  /** Whether every message starts afresh. */
  readonly noContextTakeover: boolean;
  /** Joins a short piece with the tail, which saves a call; shared by all. */
  readonly input: Uint8Array;
  /** Takes the output, piece by piece; shared by all. */
  readonly output: Uint8Array;
}

/** Decompresses the messages of one connection. */
export class ContextInflater implements Inflater {
  readonly #settings: ContextInflaterSettings;
  #context: ZlibContext | undefined;
  #finalBlockCount = 0;
  /** Whether any byte of the message at hand has come. */
  #isInMessage = false;
  #isClosed = false;

  constructor(settings: ContextInflaterSettings) {
    this.#settings = settings;
  }

  inflate(chunk: Uint8Array, isFinal: boolean, sink: (piece: Uint8Array) => void): void {
    if (this.#isClosed) throw new TypeError("Cannot inflate: the inflater is closed");
    if (chunk.length > 0) this.#isInMessage = true;
    // Without any byte it is no DEFLATE, to which the tail would belong. To all others it is
    // an empty message.
    if (!this.#isInMessage) return;
    if (!isFinal) {
      if (chunk.length > 0) this.#run(chunk, chunk.length, false, sink);
      return;
    }
    const { input } = this.#settings;
    if (chunk.length + TAIL.length <= input.length) {
      input.set(chunk);
      input.set(TAIL, chunk.length);
      this.#run(input, chunk.length + TAIL.length, true, sink);
    } else {
      this.#run(chunk, chunk.length, false, sink);
      this.#run(TAIL, TAIL.length, true, sink);
    }
    this.#endMessage();
  }

  close(): void {
    this.#isClosed = true;
    this.#context?.close();
    this.#context = undefined;
  }

  /** @param hasTail Whether the input ends with the tail. */
  #run(
    input: Uint8Array,
    end: number,
    hasTail: boolean,
    sink: (piece: Uint8Array) => void,
  ): void {
    const context = this.#context ??= this.#settings.kind.create();
    const { output } = this.#settings;
    for (let start = 0;;) {
      context.run(input, start, end, output, 0);
      if (context.failure !== undefined) throw badData(context.failure);
      const { unusedInput, unusedOutput } = context;
      if (unusedOutput < output.length) sink(output.subarray(0, output.length - unusedOutput));
      start = end - unusedInput;
      if (unusedOutput === 0) continue;
      if (unusedInput === 0) return;
      // A block has said that it is the last; what follows is a stream of its own.
      if (++this.#finalBlockCount > MAX_FINAL_BLOCKS) throw badData("too many final blocks");
      context.reset();
      // RFC 7692 section 7.2.3.4 wants 00 behind such a block, as the tail is no block without
      // it. There are senders that leave it out.
      if (hasTail && unusedInput === TAIL.length) return;
    }
  }

  #endMessage(): void {
    this.#isInMessage = false;
    this.#finalBlockCount = 0;
    if (this.#settings.noContextTakeover) this.#context?.reset();
  }
}

/** The error of data that is no DEFLATE. */
export function badData(reason: string, cause?: unknown): WebSocketProtocolError {
  return new WebSocketProtocolError(
    "ERR_WEBSOCKET_BAD_COMPRESSED_DATA",
    `Cannot inflate message: ${reason}`,
    { closeCodeHint: 1007, cause },
  );
}
