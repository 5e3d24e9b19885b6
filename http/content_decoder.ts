import { LimitExceededError } from "../nbio/errors.ts";
import {
  type CodingEngine,
  createEngine,
  type EngineFormat,
  trailingBytes,
  truncatedCoding,
} from "./_coding_engine.ts";
import type { ContentCoding } from "./content_coding.ts";

/** Content codings of one body where nothing else is said. */
export const DEFAULT_MAX_CODINGS = 5;
/** How many times as large as what came a body may become where nothing else is said. */
export const DEFAULT_MAX_RATIO = 1_000;
/** Below it a high ratio is harmless: long runs of the same are common. */
const RATIO_FREE_BYTES = 10 * 1024 * 1024;
/** Frames of zstd in one piece of the input that get an engine of their own. */
const MAX_FRAMES = 1_000;
/** RFC 1950 section 2.2: compression method 8, and a head that 31 divides. */
const ZLIB_METHOD = 8;
const ZLIB_HEAD_BYTES = 2;
const ZLIB_CHECK = 31;

/** What a {@linkcode DecodingBudget} allows, and how its errors name that. */
export interface DecodingBounds {
  /** Most bytes of the decoded content; Infinity for no bound. */
  readonly maxBytes: number;
  /**
   * Most bytes of what comes, and of what lies between two codings: they cost time,
   * though they may come to nothing in the end.
   */
  readonly maxCodedBytes: number;
  /** How many times as large as what came anything may become; Infinity for no bound. */
  readonly maxRatio: number;
  /** Name of the option behind `maxBytes`. */
  readonly limit: string;
  /** The status of an error, where one fits. */
  readonly statusHint?: number;
}

/** Counts what comes in, and what every coding makes of it. */
class DecodingBudget {
  readonly #bounds: DecodingBounds;
  #takenBytes = 0;

  constructor(bounds: DecodingBounds) {
    this.#bounds = bounds;
  }

  /** What comes. Pieces without a byte are left out: they say nothing, not even that there is one. */
  async *take(pieces: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
    for await (const piece of pieces) {
      if (piece.length === 0) continue;
      this.#takenBytes += piece.length;
      this.#check(this.#takenBytes, this.#bounds.maxCodedBytes);
      yield piece;
    }
  }

  /** What a coding made of it. */
  async *watch(
    pieces: AsyncGenerator<Uint8Array, void>,
    maxBytes: number,
  ): AsyncGenerator<Uint8Array, void> {
    const { maxRatio } = this.#bounds;
    let madeBytes = 0;
    for await (const piece of pieces) {
      madeBytes += piece.length;
      this.#check(madeBytes, maxBytes);
      if (madeBytes > RATIO_FREE_BYTES && madeBytes > this.#takenBytes * maxRatio) {
        throw this.#exceeded("maxDecodingRatio", maxRatio, `${maxRatio} times what came`);
      }
      yield piece;
    }
  }

  #check(bytes: number, max: number): void {
    if (bytes <= max) return;
    const { limit, maxBytes } = this.#bounds;
    throw this.#exceeded(limit, maxBytes, `${maxBytes} bytes`);
  }

  #exceeded(limit: string, max: number, what: string): LimitExceededError {
    const { statusHint } = this.#bounds;
    return new LimitExceededError(`Cannot decode body: it exceeds ${what}`, {
      limit,
      max,
      ...statusHint !== undefined && { statusHint },
    });
  }
}

/**
 * Undoes the content codings of a body, the last one first (RFC 9110 section 8.4).
 * It takes as much as it is asked for.
 *
 * @param pieces The body as it comes. An engine works on a piece until the next is
 * asked for: it must not change before.
 * @param codings Its codings, in the order in which they were applied.
 * @param bounds How much it may be.
 * @returns The content, piece by piece, in memory that is not used again.
 * @throws {HttpProtocolError} If a coding is malformed, or cut.
 * @throws {LimitExceededError} If a bound is passed.
 */
export function decodeContent(
  pieces: AsyncGenerator<Uint8Array, void>,
  codings: readonly ContentCoding[],
  bounds: DecodingBounds,
): AsyncGenerator<Uint8Array, void> {
  const budget = new DecodingBudget(bounds);
  let decoded = budget.take(pieces);
  for (const [index, coding] of codings.toReversed().entries()) {
    const isLast = index === codings.length - 1;
    const maxBytes = isLast ? bounds.maxBytes : bounds.maxCodedBytes;
    decoded = budget.watch(decode(decoded, coding), maxBytes);
  }
  return decoded;
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
  try {
    yield first;
    yield* rest;
  } finally {
    // Whoever ends at the first has not begun with the rest.
    await rest.return();
  }
}
