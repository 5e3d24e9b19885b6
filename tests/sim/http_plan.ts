import type { SeededRandom } from "../../nbio/testing_random.ts";

const METHODS = ["GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE"] as const;
const WITH_BODY: readonly string[] = ["POST", "PUT", "PATCH"];
/** Methods that must not come to a handler twice. */
const SENT_ONCE: readonly string[] = ["POST", "PATCH"];
const EMPTY_STATUSES: readonly number[] = [204, 304];

/** What a handler does with a request. */
export type PlanKind = "echo" | "pipe" | "early" | "slow";

/** One request that is going to be made, and what belongs to it. */
export interface HttpPlan {
  readonly id: string;
  readonly method: string;
  readonly kind: PlanKind;
  /** Name and port of the server it is for. */
  readonly authority: string;
  readonly status: number;
  readonly upload: Uint8Array<ArrayBuffer>;
  /** Bytes the server adds to what it echoes. */
  readonly extraCount: number;
  /** How long the handler thinks. */
  readonly waitMs: number;
}

/** Draws a request; uploads tend to the limit of the server. */
export function drawPlan(
  random: SeededRandom,
  index: string,
  authorities: readonly string[],
  maxBodyBytes: number,
): HttpPlan {
  const method = random.pick(METHODS);
  const atLimit = maxBodyBytes + random.between(-1, 1);
  const uploadCount = random.weighted([[random.length(maxBodyBytes), 4], [atLimit, 2], [0, 1]]);
  return {
    id: `${index}-${random.int(1_000_000)}`,
    method,
    kind: random.pick(["echo", "pipe", "early", "slow"]),
    authority: random.pick(authorities),
    status: random.weighted([[200, 8], [204, 1], [304, 1], [404, 1], [500, 1]]),
    upload: random.bytes(WITH_BODY.includes(method) ? uploadCount : 0),
    extraCount: random.int(2) * random.length(3_000),
    waitMs: random.length(400),
  };
}

/** The target of a plan in origin form. */
export function targetOf({ id, kind, status, extraCount, waitMs }: HttpPlan): string {
  return `/${kind}?id=${id}&status=${status}&extra=${extraCount}&wait=${waitMs}`;
}

/** Whether a plan may come to a handler once at most. */
export function isSentOnce({ method }: HttpPlan): boolean {
  return SENT_ONCE.includes(method);
}

/** Whether a plan is answered while its body comes. */
export function isPiped({ kind, status }: HttpPlan): boolean {
  return kind === "pipe" && status === 200;
}

/** Whether the server has to refuse the body of a plan: one that it reads into memory. */
export function isTooLarge(plan: HttpPlan, maxBodyBytes: number): boolean {
  return plan.kind !== "early" && !isPiped(plan) && plan.upload.length > maxBodyBytes;
}

/** Bytes that belong to an id. */
export function extraBytes(id: string, count: number): Uint8Array<ArrayBuffer> {
  let state = Number(id.split("-")[1]) | 1;
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    state = Math.imul(state, 0x0019_660d) + 0x3c6e_f35f | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The body of the right answer to a plan. */
export function wantedBody({ id, method, kind, status, upload, extraCount }: HttpPlan): Uint8Array {
  if (method === "HEAD" || EMPTY_STATUSES.includes(status)) return new Uint8Array(0);
  const extra = extraBytes(id, extraCount);
  return kind === "early" ? extra : joinBytes([upload, extra]);
}

/** All bytes in one piece. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Whether two arrays hold the same. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
