// This module is sans-I/O.

import { resolveBound } from "../http/limits.ts";
import type { WebSocketCompression } from "./compression.ts";

/** The side of a connection that a core plays. */
export type WebSocketRole = "client" | "server";

/** Options of {@linkcode WebSocketCore}. */
export interface WebSocketCoreOptions {
  /** The side this core plays. */
  readonly role: WebSocketRole;
  /**
   * Client: gives the key of one frame, 32 unpredictable bits as a number. A
   * client needs it, a server must not have it (RFC 6455 section 5.3).
   *
   * @default {undefined}
   */
  readonly randomMaskKey?: () => number;
  /**
   * The permessage-deflate the two ends have agreed on.
   *
   * @default {undefined}
   */
  readonly compression?: WebSocketCompression;
  /**
   * Longest message to receive, in bytes, inflated; a whole number, 0 for no
   * bound. A message in pieces may be longer: it is not held.
   *
   * @default {1048576}
   */
  readonly maxMessageBytes?: number;
  /**
   * Bytes that {@linkcode WebSocketCore.receive} may leave waiting to be looked
   * at; a whole number, 0 for no bound.
   *
   * @default {1048576}
   */
  readonly maxBufferedBytes?: number;
  /**
   * The writer is behind while more than this many bytes wait to be written: only
   * the latest ping is answered then. A whole number, 0 for no bound.
   *
   * @default {65536}
   */
  readonly highWaterMarkBytes?: number;
  /**
   * Silence of the peer after which it is pinged, in milliseconds; a whole
   * number, 0 for never.
   *
   * @default {20000}
   */
  readonly silenceTimeoutMs?: number;
  /**
   * How long after such a ping the peer may stay silent, in milliseconds; a whole
   * number, 0 for no bound.
   *
   * @default {20000}
   */
  readonly pongTimeoutMs?: number;
  /**
   * How long the closing handshake may take, in milliseconds; a whole number, 0
   * for no bound.
   *
   * @default {5000}
   */
  readonly closeTimeoutMs?: number;
  /**
   * How long what has come may wait for the caller before its first message is
   * looked at all the same, in milliseconds; a whole number, 0 for no bound.
   *
   * @default {5000}
   */
  readonly lookAheadTimeoutMs?: number;
}

/** Options with every value set: what the inside works with. */
export type ResolvedCoreOptions =
  & Required<Omit<WebSocketCoreOptions, "randomMaskKey" | "compression">>
  & {
    readonly randomMaskKey: (() => number) | undefined;
    readonly compression: Required<WebSocketCompression> | undefined;
  };

const DEFAULTS = {
  maxMessageBytes: 1_048_576,
  maxBufferedBytes: 1_048_576,
  highWaterMarkBytes: 65_536,
  silenceTimeoutMs: 20_000,
  pongTimeoutMs: 20_000,
  closeTimeoutMs: 5_000,
  lookAheadTimeoutMs: 5_000,
};
const DEFAULT_THRESHOLD_BYTES = 128;

/**
 * Fills in the defaults and checks the values.
 *
 * @param options What the caller set.
 * @returns Every option, Infinity where one is switched off.
 * @throws {RangeError} If a number is negative, NaN or not whole.
 * @throws {TypeError} If the role is none, or the key does not go with it.
 */
export function resolveCoreOptions(options: WebSocketCoreOptions): ResolvedCoreOptions {
  const { role, randomMaskKey } = options;
  if (role !== "client" && role !== "server") {
    throw new TypeError(`Cannot create core: role ${String(role)} is not client or server`);
  }
  if ((randomMaskKey === undefined) === (role === "client")) {
    const rule = role === "client" ? "a client needs" : "a server does without";
    throw new TypeError(`Cannot create core: ${rule} randomMaskKey`);
  }
  const bounds = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    bounds[name] = resolveBound(name, options[name] ?? DEFAULTS[name]);
  }
  return { role, randomMaskKey, compression: resolveCompression(options.compression), ...bounds };
}

function resolveCompression(
  compression: WebSocketCompression | undefined,
): Required<WebSocketCompression> | undefined {
  if (compression === undefined) return undefined;
  const { inflater, deflater, thresholdBytes = DEFAULT_THRESHOLD_BYTES } = compression;
  if (!Number.isSafeInteger(thresholdBytes) || thresholdBytes < 0) {
    throw new RangeError(
      `Cannot use option thresholdBytes: ${thresholdBytes} is not a whole number of at least 0`,
    );
  }
  return { inflater, deflater, thresholdBytes };
}
