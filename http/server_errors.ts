import { NetError, TimeoutError } from "../nbio/errors.ts";
import { HttpError } from "./errors.ts";
import { ContentType, type OutgoingResponse } from "./outgoing_response.ts";
import { reasonPhrase } from "./status.ts";

const TEXT = new ContentType("text/plain; charset=utf-8");
const LOWEST_SERVER_ERROR = 500;

/**
 * The status an error is answered with: its own, or 500.
 *
 * @param error What was thrown.
 */
export function statusOf(error: unknown): number {
  if (error instanceof TimeoutError) return error.phase === "body" ? 408 : 503;
  if (typeof error !== "object" || error === null) return LOWEST_SERVER_ERROR;
  const { status, statusHint } = error as { status?: unknown; statusHint?: unknown };
  const own = status ?? statusHint;
  return Number.isInteger(own) && own as number >= 400 && own as number <= 599
    ? own as number
    : LOWEST_SERVER_ERROR;
}

/** Whether an error is the server's fault, and so worth a report. */
export function isServerError(error: unknown): boolean {
  return statusOf(error) >= LOWEST_SERVER_ERROR &&
    !(error instanceof HttpError && error.status !== LOWEST_SERVER_ERROR);
}

/**
 * Makes a response that tells of an error: the status, and its message only
 * where that was meant for the client.
 *
 * @param response Response to fill; what it held is dropped.
 * @param error What was thrown.
 */
export function answerError(response: OutgoingResponse, error: unknown): void {
  response.reset();
  const status = statusOf(error);
  response.setStatus(status);
  if (error instanceof HttpError) {
    for (const [name, value] of error.headers) response.headers.append(name, value);
  }
  response.answer(messageOf(error, status), TEXT);
}

/**
 * Answers what no handler answered. Header fields that were set stay: those of
 * a cross-origin policy, say, hold for this answer too.
 *
 * @param response Response without an answer.
 */
export function answerNotFound(response: OutgoingResponse): void {
  response.setStatus(404);
  response.answer(reasonPhrase(404), TEXT);
}

function messageOf(error: unknown, status: number): string {
  const isMeant = error instanceof HttpError
    ? error.expose
    : error instanceof NetError && status < LOWEST_SERVER_ERROR;
  const message = isMeant ? (error as Error).message : "";
  return message || reasonPhrase(status) || `Status ${status}`;
}
