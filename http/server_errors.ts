import { escapeHtml } from "./escape_html.ts";
import { NetError, TimeoutError } from "../nbio/errors.ts";
import { HttpError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { negotiateType } from "./negotiation.ts";
import { ContentType, type OutgoingResponse } from "./outgoing_response.ts";
import { isProblemSource, problemOf } from "./problem_details.ts";
import { isRequestFault } from "./request_fault.ts";
import { reasonPhrase } from "./status.ts";

const TEXT = new ContentType("text/plain; charset=utf-8");
const HTML = new ContentType("text/html; charset=utf-8");
const PROBLEM = new ContentType("application/problem+json");
const LOWEST_SERVER_ERROR = 500;

/** Where the client does not mind, an error is a line of text. */
const OFFERS = ["text/plain", "application/problem+json", "application/json", "text/html"] as const;
/** Whoever made problem details wants them read. */
const PROBLEM_OFFERS = [
  "application/problem+json",
  "application/json",
  "text/html",
  "text/plain",
] as const;

/**
 * The status an error is answered with: its own, or 500. What an error of ours hints
 * at holds only if it is about the request: one that the handler got from an upstream
 * must not blame the client.
 *
 * @param error What was thrown.
 */
export function statusOf(error: unknown): number {
  if (typeof error !== "object" || error === null) return LOWEST_SERVER_ERROR;
  const isHinting = !(error instanceof NetError) || isRequestFault(error);
  if (error instanceof TimeoutError) return error.phase === "body" && isHinting ? 408 : 503;
  const { status, statusHint } = error as { status?: unknown; statusHint?: unknown };
  const own = status ?? (isHinting ? statusHint : undefined);
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
 * What a client says it would like to read, for an answer that tells of an error.
 *
 * @param ctx The request; one that is over says nothing.
 */
export function readAccept(ctx: { readonly headers: HeaderList }): string | undefined {
  try {
    return ctx.headers.get("accept");
  } catch {
    return undefined;
  }
}

/**
 * Makes a response that tells of an error: the status, and its message only
 * where that was meant for the client. It is text, a page or problem details (RFC
 * 9457), as the client likes.
 *
 * @param response Response to fill; what it held is dropped.
 * @param error What was thrown.
 * @param accept Value of the request's `Accept`, where it is known.
 */
export function answerError(response: OutgoingResponse, error: unknown, accept?: string): void {
  response.reset();
  const status = statusOf(error);
  response.setStatus(status);
  const message = messageOf(error, status);
  let hasType = false;
  if (error instanceof HttpError) {
    for (const [name, value] of error.headers) {
      response.headers.append(name, value);
      hasType ||= name.toLowerCase() === "content-type";
    }
  }
  // An error that says what its message is: then it is the body as it is.
  if (hasType) response.answer(message, undefined);
  else render(response, { status, message, error }, accept);
}

/**
 * Answers what no handler answered. Header fields that were set stay: those of
 * a cross-origin policy, say, hold for this answer too.
 *
 * @param response Response without an answer.
 * @param accept Value of the request's `Accept`, where it is known.
 */
export function answerNotFound(response: OutgoingResponse, accept?: string): void {
  response.setStatus(404);
  render(response, { status: 404, message: reasonPhrase(404), error: undefined }, accept);
}

/** What there is to tell. */
interface Told {
  readonly status: number;
  readonly message: string;
  readonly error: unknown;
}

function render(response: OutgoingResponse, told: Told, accept: string | undefined): void {
  const isProblem = isProblemSource(told.error);
  const type = chooseType(isProblem, accept);
  // Where the usual was chosen a cache may keep it for everybody: it suits all.
  const isUsual = type === (isProblem ? PROBLEM_OFFERS[0] : OFFERS[0]);
  if (!isUsual) response.headers.append("vary", "Accept");
  if (type === "text/plain") response.answer(told.message, TEXT);
  else if (type === "text/html") response.answer(formatPage(told), HTML);
  else response.answer(JSON.stringify(problemFor(told)), PROBLEM);
}

/** RFC 9110 section 12.5.1 lets a server answer with what it has if nothing suits. */
function chooseType(isProblem: boolean, accept: string | undefined): string {
  const offers = isProblem ? PROBLEM_OFFERS : OFFERS;
  if (accept === undefined || accept === "*/*") return offers[0];
  const type = negotiateType(accept, offers) ?? offers[0];
  // Who reads JSON reads problem details, and few ask for them by name.
  return type === "application/json" ? "application/problem+json" : type;
}

/** An error of the server's tells nothing unless it was exposed, whatever it has to say. */
function problemFor({ status, message, error }: Told): Record<string, unknown> {
  return isProblemSource(error) && error.expose ? error.toProblem() : problemOf(status, message);
}

function formatPage(told: Told): string {
  const { status, message } = told;
  const { title } = problemFor(told);
  const heading = escapeHtml(`${status} ${title}`);
  const text = message === title ? "" : `<p>${escapeHtml(message)}</p>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${heading}</title>
</head>
<body>
<h1>${heading}</h1>
${text}</body>
</html>
`;
}

function messageOf(error: unknown, status: number): string {
  const isMeant = error instanceof HttpError
    ? error.expose
    : error instanceof NetError && status < LOWEST_SERVER_ERROR;
  const message = isMeant ? (error as Error).message : "";
  return message || reasonPhrase(status) || `Status ${status}`;
}
