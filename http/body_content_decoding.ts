import { LimitExceededError } from "../nbio/errors.ts";
import {
  type CodingEngine,
  createEngine,
  type EngineFormat,
  trailingBytes,
  truncatedCoding,
} from "./_coding_engine.ts";
import type { BodySource } from "./body_incoming.ts";
import { type ContentCoding, parseContentCodings } from "./content_coding.ts";
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

const DEFAULT_MAX_CODINGS = 5;
const DEFAULT_MAX_RATIO = 1_000;
/** Below it a high ratio is harmless: long runs of the same are common. */
const RATIO_FREE_BYTES = 10 * 1024 * 1024;
/** Frames of zstd in one piece of the input that get an engine of their own. */
const MAX_FRAMES = 1_000;
/** RFC 1950 section 2.2: compression method 8, and a head that 31 divides. */
const ZLIB_METHOD = 8;
const ZLIB_HEAD_BYTES = 2;
const ZLIB_CHECK = 31;

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
    const budget = new DecodingBudget(maxBytes, maxRatio);
    let pieces = readSource(source, budget);
    for (const coding of codings.toReversed()) pieces = budget.watch(decode(pieces, coding));
    this.#pieces = pieces;
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

/** Counts what comes in, and what every coding makes of it. */
class DecodingBudget {
  readonly #maxBytes: number;
  readonly #maxRatio: number;
  #takenBytes = 0;

  constructor(maxBytes: number, maxRatio: number) {
    this.#maxBytes = maxBytes;
    this.#maxRatio = maxRatio;
  }

  take(count: number): void {
    this.#takenBytes += count;
    this.#check(this.#takenBytes);
  }

  #check(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    throw new LimitExceededError(`Cannot read body: it exceeds ${this.#maxBytes} bytes`, {
      limit: "maxBodyBytes",
      max: this.#maxBytes,
      statusHint: 413,
    });
  }

  async *watch(pieces: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
    let madeBytes = 0;
    for await (const piece of pieces) {
      madeBytes += piece.length;
      // Also of what lies between two codings: it costs time, though it may come to
      // nothing in the end.
      this.#check(madeBytes);
      if (madeBytes > RATIO_FREE_BYTES && madeBytes > this.#takenBytes * this.#maxRatio) {
        throw new LimitExceededError(
          `Cannot decode body: it becomes more than ${this.#maxRatio} times as large`,
          { limit: "maxDecodingRatio", max: this.#maxRatio, statusHint: 413 },
        );
      }
      yield piece;
    }
  }
}

async function* readSource(
  source: BodySource,
  budget: DecodingBudget,
): AsyncGenerator<Uint8Array, void> {
  while (!source.isBodyDone) {
    const view = source.takeBody();
    if (view === undefined) {
      if (!source.isBodyDone) await source.awaitBody();
      continue;
    }
    if (view.length === 0) continue;
    budget.take(view.length);
    // A copy: an engine works on it while the source reads on.
    yield view.slice();
  }
}

/** Undoes one coding. A body without a byte has none. */
async function* decode(
  input: AsyncGenerator<Uint8Array, void>,
  coding: ContentCoding,
): AsyncGenerator<Uint8Array, void> {
  const pieces = coding === "deflate" ? withHead(input) : input;
  const first = await pieces.next();
  if (first.done === true) return;
  const format = coding === "deflate" ? deflateFormat(first.value) : coding;
  const rest = startingWith(first.value, pieces);
  yield* format === "br" || format === "zstd"
    ? decodeProbing(rest, format)
    : decodePlain(rest, format);
}

/** Codings whose engine tells by itself that its input is cut off. */
async function* decodePlain(
  input: AsyncGenerator<Uint8Array, void>,
  format: EngineFormat,
): AsyncGenerator<Uint8Array, void> {
  const engine = await createEngine(format);
  try {
    for await (const bytes of input) {
      yield* engine.feed(bytes);
      if (engine.unusedBytes > 0) throw trailingBytes();
    }
    yield* engine.finish();
    if (engine.unusedBytes > 0) throw trailingBytes();
  } finally {
    engine.close();
  }
}

/**
 * Codings whose engine takes every end for the right one. So the last byte is kept
 * back and given together with one too many: an engine that is at its end behind
 * the last byte leaves that one alone.
 */
async function* decodeProbing(
  input: AsyncGenerator<Uint8Array, void>,
  format: EngineFormat,
): AsyncGenerator<Uint8Array, void> {
  const engines = new EngineChain(format);
  let last: number | undefined;
  try {
    for await (const bytes of input) {
      const count = last === undefined ? 0 : 1;
      const whole = new Uint8Array(count + bytes.length);
      if (last !== undefined) whole[0] = last;
      whole.set(bytes, count);
      last = whole[whole.length - 1]!;
      yield* engines.feed(whole.subarray(0, -1));
    }
    yield* engines.feed(Uint8Array.of(last!, 0), 1);
  } finally {
    engines.close();
  }
}

/** Frame after frame; only zstd has more than one (RFC 8878 section 3). */
class EngineChain {
  readonly #format: EngineFormat;
  #engine: CodingEngine | undefined;
  #frameCount = 0;

  constructor(format: EngineFormat) {
    this.#format = format;
  }

  /** Decodes; of the input `probeCount` bytes have to be left over at the end. */
  async *feed(input: Uint8Array, probeCount = 0): AsyncGenerator<Uint8Array, void> {
    let bytes = input;
    while (bytes.length > 0) {
      this.#engine ??= await this.#start();
      const before = this.#engine.unusedBytes;
      yield* this.#engine.feed(bytes);
      const unused = this.#engine.unusedBytes - before;
      if (unused === probeCount) return;
      if (unused < probeCount) throw truncatedCoding();
      if (this.#format !== "zstd" || unused === bytes.length) throw trailingBytes();
      bytes = bytes.subarray(bytes.length - unused);
      this.close();
    }
  }

  close(): void {
    this.#engine?.close();
    this.#engine = undefined;
  }

  async #start(): Promise<CodingEngine> {
    if (++this.#frameCount > MAX_FRAMES) throw trailingBytes();
    return await createEngine(this.#format);
  }
}

/** RFC 9110 section 8.4.1.2: deflate is zlib, but some send it bare. */
function deflateFormat(head: Uint8Array): EngineFormat {
  const [method = 0, flags = 0] = head;
  const isZlib = (method & 0x0f) === ZLIB_METHOD && ((method << 8) + flags) % ZLIB_CHECK === 0;
  return isZlib || head.length < ZLIB_HEAD_BYTES ? "deflate" : "deflate-raw";
}

/** The same bytes with at least two in the first piece, if there are as many. */
async function* withHead(
  input: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  let head: Uint8Array | undefined;
  for await (const bytes of input) {
    if (head === undefined || head.length < ZLIB_HEAD_BYTES) {
      head = Uint8Array.of(...head ?? [], ...bytes.subarray(0, ZLIB_HEAD_BYTES));
      if (head.length < ZLIB_HEAD_BYTES) continue;
      yield head;
      yield bytes.subarray(ZLIB_HEAD_BYTES);
    } else {
      yield bytes;
    }
  }
  if (head !== undefined && head.length < ZLIB_HEAD_BYTES) yield head;
}

async function* startingWith(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  yield first;
  yield* rest;
}
