import { HttpStateError } from "./errors.ts";
import type { OutgoingResponse } from "./outgoing_response.ts";

/**
 * Takes over a web-standard `Response` that a handler returned.
 *
 * @param response The answer to fill.
 * @param web What the handler returned.
 * @throws {HttpStateError} If something was answered already.
 * @throws {TypeError} If it is no Response, or its body was used.
 */
export function adoptResponse(response: OutgoingResponse, web: Response): void {
  checkResponse(web);
  if (response.isAnswered || response.committed) {
    throw new HttpStateError(
      "ERR_HTTP_ALREADY_ANSWERED",
      "Cannot answer with the returned Response: the context was answered already",
      { state: "answered", event: "return" },
    );
  }
  response.setStatus(web.status, web.statusText || undefined);
  for (const [name, value] of web.headers) {
    // What fetch() brought from elsewhere tells how it came, not how it goes on.
    if (name !== "transfer-encoding") response.headers.append(name, value);
  }
  response.body = web.body ?? undefined;
}

/**
 * Checks what a handler returned; the compiler sees to it only where there are types.
 *
 * @param web What the handler returned.
 * @throws {TypeError} If it is no Response, or its body was used.
 */
export function checkResponse(web: Response): void {
  // Not by class: libraries bring Responses of their own.
  if (typeof web?.status !== "number" || typeof web.headers?.get !== "function") {
    throw new TypeError("Cannot answer with what was returned: expected a Response or nothing");
  }
  if (web.bodyUsed || web.body?.locked) {
    throw new TypeError("Cannot answer with the returned Response: its body was used already");
  }
}
