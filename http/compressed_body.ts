import { concatBytes } from "./_concat_bytes.ts";
import type { ZlibPump } from "./_zlib_pump.ts";
import { HttpStateError } from "./errors.ts";
import { ServerStream, type StreamSource } from "./server_stream.ts";

/** What is compressed before anything of it is sent. */
const SLICE_BYTES = 64 * 1024;
/** Turns of the microtask queue in which a source that has more gives it. */
const PROMPT_TURNS = 12;
const END: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined };

/** How a {@linkcode CompressedBody} is made. */
export interface CompressedBodySettings {
  /** Begins to compress. */
  readonly open: () => ZlibPump | Promise<ZlibPump>;
  /** Length of what is to be compressed, where it was announced. */
  readonly announcedBytes: number | undefined;
  /** Ends a body that nobody has begun to read, and any other. */
  readonly signal: AbortSignal;
  /** Called once, when all is over; not before the constructor has returned. */
  readonly onEnd: () => void;
}

/**
 * The body of a response on its way through a compressor. What the source gives is sent at once,
 * flushed, unless the source has more at hand. It is asked for a piece more than the client has
 * taken, and no further.
 */
export class CompressedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: ServerStream;
  readonly #settings: CompressedBodySettings;
  readonly #onAbort = (): void => void this.return();
  #compressor: ZlibPump | undefined;
  #takenBytes = 0;
  /** What is left of the piece at hand. */
  #rest: Uint8Array | undefined;
  #ahead: Promise<Uint8Array | undefined> | undefined;
  #isOver = false;

  /**
   * @param source The body as it was answered with.
   * @param settings How to compress it.
   * @throws {TypeError} If the source cannot be read: somebody else reads it, or it is none.
   */
  constructor(source: StreamSource, settings: CompressedBodySettings) {
    this.#source = new ServerStream(source);
    this.#settings = settings;
    settings.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next piece of what is sent. */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) return END;
    try {
      const pieces: Uint8Array[] = [];
      while (pieces.length === 0 && !this.#isOver) await this.#step(pieces);
      return pieces.length === 0 ? END : { done: false, value: concatAll(pieces) };
    } catch (error) {
      this.#source.cancel(error);
      this.#end();
      throw error;
    }
  }

  /** Lets go of the source, whatever it is doing. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#source.cancel("Nobody reads the rest");
    this.#end();
    return Promise.resolve(END);
  }

  async #step(pieces: Uint8Array[]): Promise<void> {
    const compressor = this.#compressor ??= await this.#settings.open();
    if (this.#isOver) return compressor.close();
    const bytes = this.#rest ?? await (this.#ahead ?? this.#source.next());
    if (this.#isOver) return;
    this.#rest = undefined;
    this.#ahead = undefined;
    if (bytes === undefined) {
      this.#checkLength();
      await collect(compressor.finish(), pieces);
      return this.#end();
    }
    const slice = bytes.subarray(0, SLICE_BYTES);
    this.#takenBytes += slice.length;
    if (slice.length > 0) await collect(compressor.write(slice), pieces);
    if (slice.length < bytes.length) this.#rest = bytes.subarray(SLICE_BYTES);
    else if (!await this.#hasMore() && !this.#isOver) await collect(compressor.flush(), pieces);
  }

  /** Asks for the next piece, and tells whether it comes without waiting for anything. */
  async #hasMore(): Promise<boolean> {
    if (this.#isOver) return false;
    let isSettled = false;
    const settle = (): void => void (isSettled = true);
    this.#ahead = this.#source.next();
    this.#ahead.then(settle, settle);
    for (let turn = 0; turn < PROMPT_TURNS && !isSettled; turn++) await undefined;
    return isSettled;
  }

  /** The client cannot see any more that a body is shorter than was announced. */
  #checkLength(): void {
    const { announcedBytes } = this.#settings;
    if (announcedBytes === undefined || announcedBytes === this.#takenBytes) return;
    throw bodyLengthMismatch(this.#takenBytes, announcedBytes);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#rest = undefined;
    this.#compressor?.close();
    this.#settings.signal.removeEventListener("abort", this.#onAbort);
    this.#settings.onEnd();
  }
}

/** The error of a body that is coded and has another length than its head would have said. */
export function bodyLengthMismatch(sentBytes: number, announcedBytes: number): HttpStateError {
  return new HttpStateError(
    "ERR_HTTP_BODY_LENGTH_MISMATCH",
    `Cannot send body: ${sentBytes} bytes came where ${announcedBytes} were announced`,
    { state: "body", event: "end" },
  );
}

async function collect(output: AsyncIterable<Uint8Array>, pieces: Uint8Array[]): Promise<void> {
  for await (const piece of output) pieces.push(piece);
}

function concatAll(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  return concatBytes(pieces, pieces.reduce((sum, { length }) => sum + length, 0));
}
