import { CompressedBody, type CompressedBodySettings } from "./compressed_body.ts";
import { CompressedWriter } from "./compressed_writer.ts";
import {
  CompressionEngine,
  type CompressionLevels,
  MAX_WHOLE_BYTES,
} from "./compression_engine.ts";
import {
  addVary,
  isCompressibleType,
  markCoded,
  mayBeCompressed,
  weakenNotModified,
} from "./compression_rules.ts";
import type { ContentCoding } from "./content_coding.ts";
import { resolveBound } from "./limits.ts";
import type { Middleware } from "./middleware.ts";
import { rankEncodings } from "./negotiation.ts";
import type { BodyCoder, OutgoingResponse } from "./outgoing_response.ts";
import type { Context } from "./server_context.ts";
import type { StreamSource } from "./server_stream.ts";

export type { CompressionLevels } from "./compression_engine.ts";

/** Options of {@linkcode compress}. */
export interface CompressOptions {
  /**
   * Codings to use, the best first: the order decides where the client does not mind.
   *
   * @default {["zstd", "br", "gzip", "deflate"]}
   */
  readonly codings?: readonly ContentCoding[];
  /**
   * How hard each coding tries: gzip and deflate 1 to 9, br 0 to 11, zstd 1 to 19. The time it
   * takes grows much faster than its effect: 10 KiB of JSON become 2.6 KiB in 15 microseconds with
   * gzip 1, 1.7 KiB in 60 with gzip 6, 1.6 KiB in 20 with zstd 2 and in 160 with br 4.
   *
   * @default {{ br: 4, zstd: 2, gzip: 1, deflate: 1 }}
   */
  readonly levels?: Partial<CompressionLevels>;
  /**
   * Bodies of fewer bytes are sent as they are, where their length is known; a whole number of at
   * least 0.
   *
   * @default {1024}
   */
  readonly minBytes?: number;
  /**
   * Streams that are compressed at the same time, a whole number; 0 and Infinity for no bound. Each
   * takes 0.1 to 0.5 MiB, with br up to 1.5; what comes beyond them is sent as it is.
   *
   * @default {256}
   */
  readonly maxStreams?: number;
  /**
   * Which media types to compress.
   *
   * @default {isCompressibleType}
   */
  readonly isCompressible?: (type: string) => boolean;
  /**
   * Answers to be left alone. A page that shows a secret together with something that the client
   * sent lets whoever watches the length of many answers guess the secret (BREACH): say so here,
   * or mask the secret anew in every answer.
   *
   * @default undefined (none)
   */
  readonly skip?: ((ctx: Context) => boolean) | undefined;
}

const DEFAULT_CODINGS: readonly ContentCoding[] = ["zstd", "br", "gzip", "deflate"];
const DEFAULT_LEVELS: CompressionLevels = { br: 4, zstd: 2, gzip: 1, deflate: 1 };
const DEFAULT_MIN_BYTES = 1024;
const DEFAULT_MAX_STREAMS = 256;
/** Lowest and highest level of each coding. */
const LEVEL_RANGES: Readonly<Record<ContentCoding, readonly [number, number]>> = {
  br: [0, 11],
  zstd: [1, 19],
  gzip: [1, 9],
  deflate: [1, 9],
};
/** What clients accept comes in few forms: so many are remembered, if they are no longer. */
const MAX_REMEMBERED = 64;
const MAX_REMEMBERED_LENGTH = 128;
const EVENT_STREAM = /^text\/event-stream\b/i;

const encoder = new TextEncoder();

/**
 * Compresses answers in the coding that the client likes best (RFC 9110 section 12.5.3): text,
 * bytes, streams, and what is written by `ctx.writer()` or follows `ctx.flush()`. What a stream or
 * a writer gives is sent at once, also compressed.
 *
 * An answer is left alone if it is small, of a type that is compressed itself or of none, a part
 * (206), coded already, or says `no-transform`; what holds counts when its head leaves, so whoever
 * writes it by `ctx.writer` has set its type before. `Vary: Accept-Encoding` stands on all of them, compressed or not. An answer that is
 * compressed has a weak `ETag` and no `Content-Length` but that of what is sent.
 *
 * It belongs around {@linkcode etag}.
 *
 * @param options What to compress, and how.
 * @returns The middleware.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example JSON
 * ```ts
 * import { compose, compress, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const items = Array.from({ length: 500 }, (_, id) => ({ id }));
 * const handler = compose([compress()], (ctx) => ctx.json(items));
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(response.headers.get("vary"), "Accept-Encoding");
 * assertEquals(await response.json(), items);
 * ```
 */
export function compress(options: CompressOptions = {}): Middleware {
  const compressor = new Compressor(options);
  return async (ctx, next) => {
    const response = ctx.response as OutgoingResponse;
    // Ahead of the handler, which may commit the head.
    addVary(response.headers);
    const outer = response.codeBody;
    response.codeBody = () => compressor.code(ctx) ?? outer?.();
    await next();
    response.codeBody = outer;
    if (response.committed || response.isHandedOver) return;
    // Only where something has to be waited for: every turn costs.
    const applied = compressor.apply(ctx);
    if (applied !== undefined) await applied;
  };
}

/** The middleware with its options checked. */
class Compressor {
  readonly #codings: readonly ContentCoding[];
  readonly #levels: CompressionLevels;
  readonly #minBytes: number;
  readonly #maxStreams: number;
  readonly #isCompressible: (type: string) => boolean;
  readonly #skip: ((ctx: Context) => boolean) | undefined;
  readonly #choices = new Map<string, Choice | undefined>();
  #engine: CompressionEngine | undefined;
  #loading: Promise<CompressionEngine> | undefined;
  #streamCount = 0;

  constructor(options: CompressOptions) {
    const { codings = DEFAULT_CODINGS, minBytes = DEFAULT_MIN_BYTES } = options;
    this.#codings = checkCodings(codings);
    this.#levels = resolveLevels(options.levels);
    if (!Number.isSafeInteger(minBytes) || minBytes < 0) {
      throw new RangeError(`Cannot use option minBytes: ${minBytes} is no whole number`);
    }
    this.#minBytes = minBytes;
    this.#maxStreams = resolveBound("maxStreams", options.maxStreams ?? DEFAULT_MAX_STREAMS);
    this.#isCompressible = options.isCompressible ?? isCompressibleType;
    this.#skip = options.skip;
  }

  /** Compresses an answer if it should be; a promise where that has to be waited for. */
  apply(ctx: Context): Promise<void> | undefined {
    const choice = this.#decide(ctx);
    if (choice === undefined) return;
    if (this.#engine !== undefined) return this.#compress(this.#engine, ctx, choice);
    return this.#load().then((engine) => this.#compress(engine, ctx, choice));
  }

  /** Makes the head of an answer say that its body will be compressed, if that should be. */
  code(ctx: Context): BodyCoder | undefined {
    const response = ctx.response as OutgoingResponse;
    // Refused when it is written, and what is answered instead is not coded.
    if (response.headers.has("transfer-encoding")) return undefined;
    const choice = this.#decide(ctx);
    if (choice === undefined || this.#streamCount >= this.#maxStreams) return undefined;
    const announcedBytes = response.declaredLength();
    const writer = new CompressedWriter(this.#settings(ctx, choice.coding, announcedBytes));
    this.#begin(response, choice.coding);
    return writer;
  }

  /** The coding of an answer, if it should be compressed; what the head says in any case. */
  #decide(ctx: Context): Choice | undefined {
    const response = ctx.response as OutgoingResponse;
    const { status, headers } = response;
    addVary(headers);
    if (status === 304) weakenNotModified(headers, ctx.headers.get("if-none-match"));
    if (!mayBeCompressed({ method: ctx.method, status, headers })) return undefined;
    const type = headers.get("content-type");
    if (type === undefined || !this.#isCompressible(type)) return undefined;
    if (this.#skip?.(ctx) === true) return undefined;
    const choice = this.#choose(ctx.headers.get("accept-encoding"));
    return choice === undefined || this.#isSmall(response, choice) ? undefined : choice;
  }

  async #load(): Promise<CompressionEngine> {
    this.#loading ??= CompressionEngine.load(this.#levels);
    return this.#engine = await this.#loading;
  }

  /** Whether there is too little of it, as far as that is known without looking at it. */
  #isSmall(response: OutgoingResponse, { isForced }: Choice): boolean {
    const { body } = response;
    const minBytes = isForced ? 1 : this.#minBytes;
    // A character has three bytes at most.
    if (typeof body === "string") return body.length * 3 < minBytes;
    const length = body instanceof Uint8Array ? body.length : response.declaredLength();
    return length !== undefined && length < minBytes;
  }

  #compress(engine: CompressionEngine, ctx: Context, choice: Choice): undefined {
    // What `ctx.stream` would do to a body that is answered with already is to drop it.
    const response = ctx.response as OutgoingResponse;
    const { body } = response;
    if (typeof body === "string" || body instanceof Uint8Array) {
      const bytes = typeof body === "string" ? encoder.encode(body) : body;
      if (bytes.length > MAX_WHOLE_BYTES) this.#stream(ctx, choice.coding, onePiece(bytes));
      else this.#compressWhole(engine, response, choice, bytes);
    } else if (body !== undefined) {
      this.#stream(ctx, choice.coding, body, response.declaredLength());
    } else if (ctx.method === "HEAD" && response.declaredLength() !== undefined) {
      // What a GET would be answered with: its length is known, but not that of its coding.
      markCoded(response.headers, choice.coding);
      response.body = nothing();
    }
  }

  #compressWhole(
    engine: CompressionEngine,
    response: OutgoingResponse,
    { coding, isForced }: Choice,
    bytes: Uint8Array,
  ): void {
    if (!isForced && bytes.length < this.#minBytes) return;
    const compressed = engine.compress(coding, bytes);
    if (!isForced && compressed.length >= bytes.length) return;
    response.body = compressed;
    markCoded(response.headers, coding);
  }

  #stream(
    ctx: Context,
    coding: ContentCoding,
    source: StreamSource,
    announcedBytes?: number,
  ): void {
    if (this.#streamCount >= this.#maxStreams) return;
    const response = ctx.response as OutgoingResponse;
    response.body = new CompressedBody(source, this.#settings(ctx, coding, announcedBytes));
    this.#begin(response, coding);
  }

  #settings(
    ctx: Context,
    coding: ContentCoding,
    announcedBytes: number | undefined,
  ): CompressedBodySettings {
    const isSmall = EVENT_STREAM.test(ctx.response.headers.get("content-type") ?? "");
    return {
      open: () =>
        this.#engine?.stream(coding, isSmall) ??
          this.#load().then((engine) => engine.stream(coding, isSmall)),
      announcedBytes,
      signal: ctx.signal,
      onEnd: () => this.#streamCount--,
    };
  }

  /** Counts a stream, and has the head tell of it. */
  #begin(response: OutgoingResponse, coding: ContentCoding): void {
    this.#streamCount++;
    markCoded(response.headers, coding);
  }

  #choose(accepted: string | undefined): Choice | undefined {
    if (accepted === undefined || accepted === "") return undefined;
    if (this.#choices.has(accepted)) return this.#choices.get(accepted);
    const choice = choose(accepted, this.#codings);
    if (accepted.length <= MAX_REMEMBERED_LENGTH) {
      if (this.#choices.size >= MAX_REMEMBERED) this.#choices.clear();
      this.#choices.set(accepted, choice);
    }
    return choice;
  }
}

/** What the client would like. */
interface Choice {
  /** The coding. */
  readonly coding: ContentCoding;
  /** Whether it takes nothing that is not coded. */
  readonly isForced: boolean;
}

/** @returns The choice; `undefined` for no coding. */
function choose(accepted: string, codings: readonly ContentCoding[]): Choice | undefined {
  const ranked = rankEncodings(accepted, [...codings, "identity"]);
  const [best] = ranked;
  if (best === undefined || best === "identity") return undefined;
  return { coding: best as ContentCoding, isForced: !ranked.includes("identity") };
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}

function checkCodings(codings: readonly ContentCoding[]): readonly ContentCoding[] {
  for (const coding of codings) {
    if (Object.hasOwn(LEVEL_RANGES, coding)) continue;
    throw new RangeError(`Cannot use option codings: ${JSON.stringify(coding)} is unknown`);
  }
  return [...codings];
}

function resolveLevels(levels: Partial<CompressionLevels> = {}): CompressionLevels {
  const resolved = { ...DEFAULT_LEVELS, ...levels };
  for (const [coding, [min, max]] of Object.entries(LEVEL_RANGES)) {
    const level = resolved[coding as ContentCoding];
    if (Number.isInteger(level) && level >= min && level <= max) continue;
    throw new RangeError(`Cannot use level ${level} of ${coding}: expected ${min} to ${max}`);
  }
  return resolved;
}
