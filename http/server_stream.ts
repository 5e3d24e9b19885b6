/** What a response is streamed from. */
export type StreamSource =
  | ReadableStream<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>;

const encoder = new TextEncoder();

/** The next piece, or the end. */
interface Pull {
  readonly done?: boolean;
  readonly value?: unknown;
}

/**
 * Pulls a streamed body piece by piece, and lets go of its source at any time:
 * also while that has nothing to say.
 */
export class ServerStream {
  readonly #pull: () => Promise<Pull>;
  readonly #stop: (reason: unknown) => void;
  #reject: ((reason: unknown) => void) | undefined;
  #isOver = false;

  /**
   * @param source Where the pieces come from.
   * @throws {TypeError} If it can not be read: somebody else reads it, or it is
   * none.
   */
  constructor(source: StreamSource) {
    if (source instanceof ReadableStream) {
      const reader = source.getReader();
      this.#pull = () => reader.read();
      this.#stop = (reason) => void reader.cancel(reason).catch(() => {});
    } else {
      const iterator = source[Symbol.asyncIterator]();
      // Of an application's own it may give its pieces at once, as `for await` allows.
      this.#pull = () => Promise.resolve(iterator.next());
      // A generator that waits for something ends when it has got that.
      this.#stop = () => void stopIterator(iterator);
    }
  }

  /**
   * Waits for the next piece.
   *
   * @returns Its bytes; `undefined` at the end.
   * @throws {TypeError} If it is neither bytes nor text. Whatever the source
   * fails with, or {@linkcode ServerStream.cancel} was given, otherwise.
   */
  async next(): Promise<Uint8Array | undefined> {
    const { done, value } = await new Promise<Pull>(
      (resolve, reject) => {
        this.#reject = reject;
        this.#pull().then(resolve, reject);
      },
    );
    if (!done) return bytesOf(value);
    this.#isOver = true;
    return undefined;
  }

  /** Lets go of the source, if it is not at its end. */
  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reject?.(reason);
    this.#stop(reason);
  }
}

/**
 * Tells an iterator that no more is wanted. One of an application's own may answer
 * at once, or throw: where a client has left, nobody is there to be told.
 */
async function stopIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // What was asked for has been done, or never will be.
  }
}

/**
 * Lets go of a source that nobody will read.
 *
 * @param body Whatever was answered with.
 * @param reason Why.
 */
export function dropBody(body: unknown, reason: unknown): void {
  if (typeof body !== "object" || body === null || body instanceof Uint8Array) return;
  try {
    new ServerStream(body as StreamSource).cancel(reason);
  } catch {
    // Somebody else reads it.
  }
}

/**
 * The bytes of a piece of a body.
 *
 * @param piece Bytes, or text that is sent as UTF-8.
 * @throws {TypeError} If it is neither: its length would not be its size.
 */
export function bytesOf(piece: unknown): Uint8Array {
  if (typeof piece === "string") return encoder.encode(piece);
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError(`Cannot send a piece of the body: it is ${typeof piece}, not bytes or text`);
}
