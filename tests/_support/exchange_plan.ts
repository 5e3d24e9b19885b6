/**
 * What a client and a server are going to do on one connection, made up from a
 * seed: the script for a test of one core against the other.
 */

import type { SeededRandom } from "../../nbio/testing_random.ts";

/** How the end of a body is announced. */
export type BodyKind =
  /** By `bodyLength`. */
  | "length"
  /** By a Content-Length field. */
  | "field"
  /** By neither: chunks, or the end of the connection. */
  | "open";

/** One body, cut as it is sent. */
export interface BodyPlan {
  readonly kind: BodyKind;
  readonly pieces: readonly Uint8Array[];
  readonly bytes: Uint8Array;
  readonly trailers: readonly (readonly [string, string])[];
}

/** One request with its response. */
export interface ExchangePlan {
  readonly method: string;
  readonly target: string;
  /** `undefined` for a request without a body. */
  readonly requestBody: BodyPlan | undefined;
  readonly expectsContinue: boolean;
  /** Whether the server answers an `Expect` at once, without a 100. */
  readonly isRefused: boolean;
  /** Whether the server answers as soon as it sees the head. */
  readonly isEarly: boolean;
  readonly informationalCount: number;
  readonly status: number;
  readonly responseBody: BodyPlan;
  /** Which side says that this exchange is the last. */
  readonly closedBy: "client" | "server" | undefined;
}

/** A whole connection. */
export interface ConnectionPlan {
  /** 0 where everything is HTTP/1.0. */
  readonly minorVersion: 0 | 1;
  /** How many requests the client sends ahead. */
  readonly depth: number;
  readonly exchanges: readonly ExchangePlan[];
}

const METHODS = ["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "X-ODD"] as const;
const STATUSES = [200, 200, 200, 201, 204, 206, 304, 404, 500] as const;
const KINDS = ["length", "field", "open"] as const;
const MAX_EXCHANGES = 6;
const MAX_DEPTH = 4;
const MAX_BODY_BYTES = 2_000;

/** Makes a plan up. */
export function planConnection(random: SeededRandom): ConnectionPlan {
  const minorVersion = random.int(4) === 0 ? 0 : 1;
  const count = 1 + random.int(MAX_EXCHANGES);
  const exchanges: ExchangePlan[] = [];
  for (let index = 0; index < count; index++) {
    exchanges.push(planExchange(random, minorVersion, index, index === count - 1));
  }
  return { minorVersion, depth: 1 + random.int(MAX_DEPTH), exchanges };
}

function planExchange(
  random: SeededRandom,
  minorVersion: 0 | 1,
  index: number,
  isLast: boolean,
): ExchangePlan {
  const isHttp11 = minorVersion === 1;
  const method = random.pick(METHODS);
  const hasBody = method !== "GET" && random.int(3) > 0;
  // HTTP/1.0 has no chunks: a request names its length, and so does every
  // response but the last.
  const requestBody = hasBody ? planBody(random, isHttp11, isHttp11) : undefined;
  const responseBody = planBody(random, isHttp11 || isLast, isHttp11);
  const mayExpect = requestBody !== undefined && isHttp11 && !isSurelyEmpty(requestBody);
  const expectsContinue = mayExpect && random.int(3) === 0;
  const isRefused = expectsContinue && isLast && random.int(2) === 0;
  return {
    method,
    target: `/${index}?${random.int(1000)}`,
    requestBody,
    expectsContinue,
    isRefused,
    isEarly: !expectsContinue && random.int(4) === 0,
    informationalCount: isHttp11 ? random.int(3) : 0,
    status: random.pick(STATUSES),
    responseBody,
    closedBy: isLast ? random.pick(["client", "server", undefined]) : undefined,
  };
}

/** An expectation counts only where content follows. */
function isSurelyEmpty({ kind, bytes }: BodyPlan): boolean {
  return kind !== "open" && bytes.length === 0;
}

function planBody(random: SeededRandom, mayBeOpen: boolean, mayHaveTrailers: boolean): BodyPlan {
  const kind = mayBeOpen ? random.pick(KINDS) : random.pick(["length", "field"] as const);
  const bytes = random.bytes(random.int(4) === 0 ? 0 : random.int(MAX_BODY_BYTES));
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = Math.min(bytes.length, start + random.int(700));
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  const trailers: [string, string][] = [];
  if (kind === "open" && mayHaveTrailers) {
    for (let left = random.int(3); left > 0; left--) {
      trailers.push(["X-Sum", String(random.int(9))]);
    }
  }
  return { kind, pieces, bytes, trailers };
}

/** Whether a response has no body whatever the server sends. */
export function isBodiless({ method, status }: ExchangePlan): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}
