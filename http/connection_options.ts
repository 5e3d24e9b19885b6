// This module is sans-I/O.

import {
  type HttpLenience,
  type HttpLimits,
  resolveBound,
  type ResolvedHttpLimits,
  resolveLimits,
} from "./limits.ts";

/** The side of a connection that a core plays. */
export type HttpRole = "client" | "server";

/** Options of {@linkcode HttpConnection}. */
export interface HttpConnectionOptions {
  /** The side this core plays. */
  readonly role: HttpRole;
  /**
   * Bounds on what the peer may send.
   *
   * @default {{}}
   */
  readonly limits?: HttpLimits;
  /**
   * Rules to relax.
   *
   * @default {{}}
   */
  readonly lenience?: HttpLenience;
  /**
   * Client: requests that may wait for their response at a time, 0 for no
   * bound. On a server pipelined requests wait as bytes, under
   * `maxBufferedBytes`.
   *
   * @default {32}
   */
  readonly maxPipelinedRequests?: number;
  /**
   * Client: informational responses in front of one final response, 0 for no
   * bound.
   *
   * @default {64}
   */
  readonly maxInformationalResponses?: number;
  /**
   * Bytes received that may wait to be parsed, 0 for no bound. The default is
   * 64 KiB, one large read, more than the limits allow for a head or a trailer
   * section.
   *
   * @default {106502} with the default limits
   */
  readonly maxBufferedBytes?: number;
}

/** Options with every value set: what the inside works with. */
export type ResolvedConnectionOptions =
  & Required<Omit<HttpConnectionOptions, "limits">>
  & { readonly limits: ResolvedHttpLimits };

const DEFAULT_PIPELINED_REQUESTS = 32;
const DEFAULT_INFORMATIONAL_RESPONSES = 64;
/** As much as one read from a socket gives. */
const READ_BYTES = 64 * 1024;
/** Line ends around a request line and behind the fields. */
const LINE_END_BYTES = 6;

/**
 * Fills in the defaults and checks the values.
 *
 * @param options What the caller set.
 * @returns Every option, bounds Infinity where switched off.
 * @throws {RangeError} If a bound is negative, NaN or not whole.
 * @throws {TypeError} If the role is none.
 */
export function resolveConnectionOptions(
  options: HttpConnectionOptions,
): ResolvedConnectionOptions {
  const { role, lenience = {} } = options;
  if (role !== "client" && role !== "server") {
    throw new TypeError(`Cannot create connection: role ${String(role)} is not client or server`);
  }
  const limits = resolveLimits(options.limits);
  const bounds = {
    maxPipelinedRequests: options.maxPipelinedRequests ?? DEFAULT_PIPELINED_REQUESTS,
    maxInformationalResponses: options.maxInformationalResponses ??
      DEFAULT_INFORMATIONAL_RESPONSES,
    maxBufferedBytes: options.maxBufferedBytes ?? defaultBufferedBytes(limits),
  };
  return {
    role,
    limits,
    lenience,
    maxPipelinedRequests: resolveBound("maxPipelinedRequests", bounds.maxPipelinedRequests),
    maxInformationalResponses: resolveBound(
      "maxInformationalResponses",
      bounds.maxInformationalResponses,
    ),
    maxBufferedBytes: resolveBound("maxBufferedBytes", bounds.maxBufferedBytes),
  };
}

/** The largest head or trailer section, and one read behind it. */
function defaultBufferedBytes(limits: ResolvedHttpLimits): number {
  const head = limits.maxRequestLineBytes + limits.maxHeaderBytes;
  return READ_BYTES + LINE_END_BYTES + Math.max(head, limits.maxTrailerBytes);
}
