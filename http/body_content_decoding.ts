import type { BodySource } from "./body_incoming.ts";
import { type ContentCoding, parseContentCodings } from "./content_coding.ts";
import { decodeContent, DEFAULT_MAX_CODINGS, DEFAULT_MAX_RATIO } from "./content_decoder.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";

/** Options of decoding a body by its Content-Encoding. */
export interface BodyDecodingOptions {
  /**
   * Whether gzip, deflate, br and zstd are undone. Where they are not, `text`,
   * `json`, `form` and `multipart` refuse an encoded body with 415, and the other
   * readers give it as it came.
   *
   * @default {false}
   */
  readonly decode?: boolean;
  /**
   * Content codings of one body, one inside the other. 0 or Infinity for no bound.
   *
   * @default {5}
   */
  readonly maxContentCodings?: number;
  /**
   * How many times as large as what came the decoded body may become, beyond its
   * first 10 MiB; more is refused with 413. 0 or Infinity for no bound.
   *
   * @default {1000}
   */
  readonly maxDecodingRatio?: number;
}

/**
 * A body with its content codings undone, the last one first (RFC 9110 section
 * 8.4). It takes from the body as much as it is asked for.
 */
export class DecodedBodySource implements BodySource {
  readonly bodyLength: undefined;
  readonly #source: BodySource;
  readonly #pieces: AsyncGenerator<Uint8Array, void>;
  #piece: Uint8Array | undefined;
  #isDone = false;

  /**
   * @param source The body as it comes.
   * @param codings Its codings, in the order in which they were applied.
   * @param maxBytes Most bytes to take of it.
   * @param maxRatio How much larger it may become.
   */
  constructor(
    source: BodySource,
    codings: readonly ContentCoding[],
    maxBytes: number,
    maxRatio: number,
  ) {
    this.bodyLength = undefined;
    this.#source = source;
    this.#pieces = decodeContent(readSource(source), codings, {
      maxBytes,
      maxCodedBytes: maxBytes,
      maxRatio,
      limit: "maxBodyBytes",
      statusHint: 413,
    });
  }

  get bodyType(): string | undefined {
    return this.#source.bodyType;
  }

  get bodyTrailers(): HeaderList | undefined {
    return this.#source.bodyTrailers;
  }

  get isBodyDone(): boolean {
    return this.#isDone && this.#piece === undefined;
  }

  peekBody(): number {
    return 0;
  }

  takeBody(): Uint8Array | undefined {
    const piece = this.#piece;
    this.#piece = undefined;
    return piece;
  }

  async awaitBody(): Promise<void> {
    const { value, done } = await this.#pieces.next();
    if (done === true) this.#isDone = true;
    else this.#piece = value;
  }

  async readBodyInto(_destination: Uint8Array): Promise<number> {
    await this.awaitBody();
    return 0;
  }

  releaseBody(): void {
    this.#isDone = true;
    // One that waits for the client ends when that has come or failed.
    this.#pieces.return().catch(() => {});
  }
}

/**
 * The source of the decoded body, if it has a coding.
 *
 * @param source The body as it comes.
 * @param maxBytes Most bytes to take of it.
 * @param options Bounds of decoding.
 * @throws {HttpError} With 415 if a coding is unknown.
 * @throws {LimitExceededError} If it has too many codings.
 */
export function decodeSource(
  source: BodySource,
  maxBytes: number,
  options: BodyDecodingOptions,
): BodySource {
  const { maxContentCodings = DEFAULT_MAX_CODINGS, maxDecodingRatio = DEFAULT_MAX_RATIO } = options;
  const maxCodings = resolveBound("maxContentCodings", maxContentCodings);
  const maxRatio = resolveBound("maxDecodingRatio", maxDecodingRatio);
  const codings = parseContentCodings(source.bodyCoding, maxCodings);
  if (codings.length === 0) return source;
  return new DecodedBodySource(source, codings, maxBytes, maxRatio);
}

async function* readSource(source: BodySource): AsyncGenerator<Uint8Array, void> {
  while (!source.isBodyDone) {
    const view = source.takeBody();
    if (view === undefined) {
      if (!source.isBodyDone) await source.awaitBody();
      continue;
    }
    if (view.length === 0) continue;
    // A copy: an engine works on it while the source reads on.
    yield view.slice();
  }
}
