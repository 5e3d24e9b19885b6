/**
 * DEFLATE for WebSocket connections: the only file of this module that loads `node:zlib`, and only
 * when it is asked to.
 *
 * @module
 */

import { resolveBound } from "../http/limits.ts";
import type { Zlib } from "../http/zlib_handle.ts";
import { ContextDeflater } from "./_context_deflater.ts";
import { ContextInflater } from "./_context_inflater.ts";
import { type ContextKind, ContextPool } from "./_context_pool.ts";
import { OneShotDeflater } from "./_one_shot_deflater.ts";
import { OneShotInflater } from "./_one_shot_inflater.ts";
import { CONTEXT_CHUNK_SIZE, hasZlibContexts, ZlibContext } from "./_zlib_context.ts";
import type { Deflater, Inflater, WebSocketCompression } from "./compression.ts";
import type { DeflateParameters } from "./extension_negotiation.ts";

/** Options of {@linkcode DeflateEngine.load}. */
export interface DeflateEngineOptions {
  /**
   * Contexts that all connections together compress with, a whole number; 0 and Infinity for no
   * bound. With Deno each takes about 160 KiB. With more connections than that, one that is silent
   * for long gives its context to another, and compresses its next message without regard to those
   * before.
   *
   * @default {256}
   */
  readonly maxDeflateContexts?: number;
  /**
   * Whether to use only what `node:zlib` documents, which takes more time and compresses less. It
   * is what an engine does by itself where it has to.
   *
   * @default {false}
   */
  readonly useDocumentedOnly?: boolean;
}

/** How the messages of one connection are compressed. */
export interface DeflateOptions {
  /**
   * Effort, 0 (none) to 9 (most).
   *
   * @default {6}
   */
  readonly level?: number;
  /**
   * Size of the tables, 1 to 9: memory against speed and effect. Deno takes the same memory for
   * all of them.
   *
   * @default {5}
   */
  readonly memLevel?: number;
  /**
   * Messages of fewer bytes are sent as they are, a whole number of at least 0.
   *
   * @default {128} if messages may refer to those before, else 1024
   */
  readonly thresholdBytes?: number;
  /**
   * Bytes that may come out of one message, a whole number; 0 and Infinity for no bound. It is the
   * reader that counts them; an engine needs to know only where all of a message comes out at
   * once, see {@linkcode DeflateEngineOptions.useDocumentedOnly}.
   *
   * @default {1048576}
   */
  readonly maxMessageBytes?: number;
}

/** Output is handed on in pieces of this size. */
const OUTPUT_BYTES = 64 * 1024;
/** A compressed message of up to so many bytes is inflated by one call. */
const INPUT_BYTES = 4 * 1024;
const DEFAULT_CONTEXTS = 256;
const DEFAULT_LEVEL = 6;
const DEFAULT_MEM_LEVEL = 5;
const DEFAULT_MESSAGE_BYTES = 1024 * 1024;
const THRESHOLD_WITH_TAKEOVER = 128;
const THRESHOLD_WITHOUT_TAKEOVER = 1024;
/**
 * zlib cannot compress with a window of 256 bytes, but with its 512 it never refers back further
 * than 250: it keeps 262 bytes for looking ahead.
 */
const MIN_DEFLATE_WINDOW_BITS = 9;

/**
 * Compresses and decompresses the messages of any number of connections. Everything happens within
 * the call, and the same buffers serve all of them: see {@linkcode Inflater} and {@linkcode Deflater} for
 * how long what comes out is valid.
 *
 * A connection takes memory when its first compressed message comes or leaves, and gives it back
 * when it closes: for what comes, a window of the size agreed on and about 10 KiB; for what leaves,
 * see {@linkcode DeflateEngineOptions.maxDeflateContexts}.
 *
 * @example There and back
 * ```ts
 * import { DeflateEngine } from "@nbio/net/websocket";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const engine = await DeflateEngine.load();
 * const parameters = {
 *   serverNoContextTakeover: false,
 *   clientNoContextTakeover: false,
 *   serverMaxWindowBits: 12,
 *   clientMaxWindowBits: 15,
 * };
 * const server = engine.createCompression("server", parameters);
 * const client = engine.createCompression("client", parameters);
 *
 * const message = new TextEncoder().encode("well ".repeat(100));
 * const sent = server.deflater.deflate(message, true);
 * assert(sent.length < 20);
 * client.inflater.inflate(sent, true, (piece) => assertEquals(piece, message));
 *
 * for (const { inflater, deflater } of [server, client]) {
 *   inflater.close();
 *   deflater.close();
 * }
 * engine.close();
 * ```
 */
export class DeflateEngine {
  readonly #zlib: Zlib;
  readonly #hasContexts: boolean;
  readonly #pool: ContextPool;
  /** What was asked for so far: there are no more than 7 x 10 x 9 of one and 8 of the other. */
  readonly #kinds = new Map<string, ContextKind>();
  readonly #inflateInput = new Uint8Array(INPUT_BYTES);
  readonly #inflateOutput = new Uint8Array(OUTPUT_BYTES);
  readonly #deflateOutput = new Uint8Array(OUTPUT_BYTES);

  private constructor(zlib: Zlib, maxContexts: number, useDocumentedOnly: boolean) {
    this.#zlib = zlib;
    this.#hasContexts = !useDocumentedOnly && hasZlibContexts(zlib);
    this.#pool = new ContextPool(maxContexts);
  }

  /**
   * Loads `node:zlib` and makes an engine.
   *
   * @param options How many contexts there may be.
   * @returns The engine.
   * @throws {RangeError} If an option is out of its range.
   */
  static async load(options: DeflateEngineOptions = {}): Promise<DeflateEngine> {
    const { maxDeflateContexts = DEFAULT_CONTEXTS, useDocumentedOnly = false } = options;
    const maxCount = resolveBound("maxDeflateContexts", maxDeflateContexts);
    const { default: zlib } = await import("node:zlib");
    return new DeflateEngine(zlib, maxCount, useDocumentedOnly);
  }

  /**
   * How many contexts there are to compress with, idle ones included. They are shared by the
   * connections.
   */
  get deflateContextCount(): number {
    return this.#pool.count;
  }

  /**
   * Makes what one connection needs.
   *
   * @param role Which end of the connection this is.
   * @param parameters What was agreed on.
   * @param options How to compress.
   * @returns The two halves, both to be closed with the connection.
   * @throws {RangeError} If an option or a window is out of its range.
   */
  createCompression(
    role: "client" | "server",
    parameters: DeflateParameters,
    options: DeflateOptions = {},
  ): Required<WebSocketCompression> {
    const { serverMaxWindowBits, clientMaxWindowBits } = parameters;
    const { serverNoContextTakeover, clientNoContextTakeover } = parameters;
    const isServer = role === "server";
    const noContextTakeover = isServer ? serverNoContextTakeover : clientNoContextTakeover;
    const thresholdBytes = options.thresholdBytes ??
      (noContextTakeover ? THRESHOLD_WITHOUT_TAKEOVER : THRESHOLD_WITH_TAKEOVER);
    checkRange("thresholdBytes", thresholdBytes, 0, Number.MAX_SAFE_INTEGER);
    return {
      deflater: this.#createDeflater(
        isServer ? serverMaxWindowBits : clientMaxWindowBits,
        noContextTakeover,
        options,
      ),
      inflater: this.#createInflater(
        isServer ? clientMaxWindowBits : serverMaxWindowBits,
        isServer ? clientNoContextTakeover : serverNoContextTakeover,
        options,
      ),
      thresholdBytes,
    };
  }

  /** Frees what no connection holds. Connections still open go on. */
  close(): void {
    this.#pool.close();
  }

  #createDeflater(
    maxWindowBits: number,
    noContextTakeover: boolean,
    options: DeflateOptions,
  ): Deflater {
    const { level = DEFAULT_LEVEL, memLevel = DEFAULT_MEM_LEVEL } = options;
    checkRange("level", level, 0, 9);
    checkRange("memLevel", memLevel, 1, 9);
    checkRange("window bits", maxWindowBits, 8, 15);
    const windowBits = Math.max(maxWindowBits, MIN_DEFLATE_WINDOW_BITS);
    if (!this.#hasContexts) return new OneShotDeflater(this.#zlib, { windowBits, level, memLevel });
    const zlibOptions = { windowBits, level, memLevel, chunkSize: CONTEXT_CHUNK_SIZE };
    const kind = this.#internKind(
      `deflate ${windowBits} ${level} ${memLevel}`,
      () => new ZlibContext(this.#zlib.createDeflateRaw(zlibOptions)),
    );
    return new ContextDeflater({
      pool: this.#pool,
      kind,
      noContextTakeover,
      output: this.#deflateOutput,
    });
  }

  #createInflater(
    windowBits: number,
    noContextTakeover: boolean,
    options: DeflateOptions,
  ): Inflater {
    const maxMessageBytes = resolveBound(
      "maxMessageBytes",
      options.maxMessageBytes ?? DEFAULT_MESSAGE_BYTES,
    );
    checkRange("window bits", windowBits, 8, 15);
    if (!this.#hasContexts) {
      const settings = { windowBits, noContextTakeover, maxMessageBytes };
      return new OneShotInflater(this.#zlib, settings);
    }
    const zlibOptions = { windowBits, chunkSize: CONTEXT_CHUNK_SIZE };
    const kind = this.#internKind(
      `inflate ${windowBits}`,
      () => new ZlibContext(this.#zlib.createInflateRaw(zlibOptions)),
    );
    return new ContextInflater({
      kind,
      noContextTakeover,
      input: this.#inflateInput,
      output: this.#inflateOutput,
    });
  }

  #internKind(name: string, create: () => ZlibContext): ContextKind {
    let kind = this.#kinds.get(name);
    if (kind === undefined) this.#kinds.set(name, kind = { create });
    return kind;
  }
}

/** What {@linkcode loadDeflateEngine} has made. */
let shared: Promise<DeflateEngine> | undefined;

/**
 * The engine that all connections of this program share which do not bring one along. It is made
 * by the first call and never closed.
 *
 * @returns Always the same engine.
 *
 * @example One for all
 * ```ts
 * import { loadDeflateEngine } from "@nbio/net/websocket";
 * import { assertStrictEquals } from "@std/assert";
 *
 * assertStrictEquals(await loadDeflateEngine(), await loadDeflateEngine());
 * ```
 */
export function loadDeflateEngine(): Promise<DeflateEngine> {
  return shared ??= DeflateEngine.load();
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`Cannot use ${name} ${value}: expected an integer from ${min} to ${max}`);
}
