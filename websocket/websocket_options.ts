import { resolveBound } from "../http/limits.ts";
import { deadlines, type DeadlineWheel } from "../nbio/deadline_wheel.ts";
import type { Telemetry } from "../nbio/telemetry.ts";
import type { WebSocketCompression } from "./compression.ts";
import type { WebSocketRole } from "./connection_options.ts";
import { type DeflateEngine, type DeflateOptions, loadDeflateEngine } from "./deflate_engine.ts";
import type { DeflateNegotiationOptions, DeflateParameters } from "./extension_negotiation.ts";
import { type WebSocketMonitor, webSocketTelemetry } from "./websocket_telemetry.ts";

/** What to agree on of permessage-deflate, and how to compress then. */
export interface WebSocketCompressionOptions
  extends DeflateNegotiationOptions, Omit<DeflateOptions, "maxMessageBytes"> {
  /**
   * Does the work.
   *
   * @default the engine that all connections share, see {@linkcode loadDeflateEngine}
   */
  readonly engine?: DeflateEngine;
}

/** Options of a {@linkcode WebSocketConnection}, whichever end it is. */
export interface WebSocketOptions {
  /**
   * Whether to agree on permessage-deflate (RFC 7692), and how. It costs memory for every
   * connection that uses it.
   *
   * @default {false}
   */
  readonly compression?: boolean | WebSocketCompressionOptions;
  /**
   * Longest message to receive, in bytes, inflated; a whole number, 0 for no bound. One that is
   * read as a stream may be longer.
   *
   * @default {1048576}
   */
  readonly maxMessageBytes?: number;
  /**
   * While more than this many bytes wait to be written, `send()` waits, and only the latest ping is
   * answered. A whole number, 0 for no bound.
   *
   * @default {65536}
   */
  readonly highWaterMarkBytes?: number;
  /**
   * Calls that may wait for a message in fragments to end, 0 for no bound.
   *
   * @default {10000}
   */
  readonly maxWaitingSends?: number;
  /**
   * Silence of the peer after which it is pinged, in milliseconds; a whole number, 0 for never.
   * Silence counts only while somebody reads.
   *
   * @default {20000}
   */
  readonly silenceTimeoutMs?: number;
  /**
   * How long after such a ping the peer may stay silent, in milliseconds; a whole number, 0 for no
   * bound.
   *
   * @default {20000}
   */
  readonly pongTimeoutMs?: number;
  /**
   * How long the closing handshake may take, in milliseconds, and once more what is left to do
   * behind it; a whole number, 0 for no bound.
   *
   * @default {5000}
   */
  readonly closeTimeoutMs?: number;
  /**
   * How long a message that has come may wait for a reader before it is looked at all the same, in
   * milliseconds; a whole number, 0 for no bound.
   *
   * @default {5000}
   */
  readonly lookAheadTimeoutMs?: number;
  /**
   * How long a write may take without progress, in milliseconds; a whole number, 0 for no bound.
   *
   * @default {30000}
   */
  readonly writeTimeoutMs?: number;
  /**
   * Drops the connection when aborted, without a Close frame: what waits rejects with the signal's
   * reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
  /**
   * Where the deadlines wait.
   *
   * @default {deadlines}
   */
  readonly wheel?: DeadlineWheel;
  /**
   * Who counts connections and messages.
   *
   * @default {undefined} (nobody)
   */
  readonly telemetry?: Telemetry;
}

/** Options with every value set: what the inside works with. */
export type ResolvedWebSocketOptions =
  & Required<Omit<WebSocketOptions, "signal" | "compression" | "telemetry">>
  & {
    readonly signal: AbortSignal | undefined;
    readonly telemetry: WebSocketMonitor | undefined;
  };

const DEFAULTS = {
  maxMessageBytes: 1_048_576,
  highWaterMarkBytes: 65_536,
  maxWaitingSends: 10_000,
  silenceTimeoutMs: 20_000,
  pongTimeoutMs: 20_000,
  closeTimeoutMs: 5_000,
  lookAheadTimeoutMs: 5_000,
  writeTimeoutMs: 30_000,
};

/**
 * Fills in the defaults and checks the values.
 *
 * @param options What the caller set.
 * @returns Every option, Infinity where a bound is switched off.
 * @throws {RangeError} If a number is negative, NaN or not whole.
 */
export function resolveWebSocketOptions(options: WebSocketOptions): ResolvedWebSocketOptions {
  const bounds = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    bounds[name] = resolveBound(name, options[name] ?? DEFAULTS[name]);
  }
  const { signal, wheel = deadlines } = options;
  const telemetry = webSocketTelemetry(options.telemetry);
  const resolved = { ...bounds, signal, wheel, telemetry };
  return share(resolved);
}

/** What the last connection was made with. Never with a signal, which would be kept alive. */
let shared: ResolvedWebSocketOptions | undefined;

/** The connections of a server are made alike: they need not keep the same thing each. */
function share(resolved: ResolvedWebSocketOptions): ResolvedWebSocketOptions {
  if (resolved.signal !== undefined) return resolved;
  const names = Object.keys(resolved) as (keyof ResolvedWebSocketOptions)[];
  const known = shared;
  if (known !== undefined && names.every((name) => known[name] === resolved[name])) return known;
  return shared = resolved;
}

/**
 * What of permessage-deflate to negotiate.
 *
 * @param options What the caller set.
 * @returns The wishes; `undefined` for no compression.
 */
export function deflateWishes(options: WebSocketOptions): DeflateNegotiationOptions | undefined {
  const { compression = false } = options;
  if (compression === false) return undefined;
  return compression === true ? {} : compression;
}

/**
 * Makes what a connection needs to compress as was agreed.
 *
 * @param role Which end this is.
 * @param parameters What was agreed on; `undefined` for nothing.
 * @param options How.
 * @returns The two halves; `undefined` for no compression.
 * @throws {RangeError} If an option is out of its range.
 */
export async function createWebSocketCompression(
  role: WebSocketRole,
  parameters: DeflateParameters | undefined,
  options: WebSocketOptions,
): Promise<WebSocketCompression | undefined> {
  if (parameters === undefined) return undefined;
  const { compression, maxMessageBytes = DEFAULTS.maxMessageBytes } = options;
  const wishes = typeof compression === "object" ? compression : {};
  const engine = wishes.engine ?? await loadDeflateEngine();
  return engine.createCompression(role, parameters, { ...wishes, maxMessageBytes });
}
