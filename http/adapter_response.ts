import { type KnownBody, readAtHand, soleType, staticBody } from "./adapter_static_body.ts";
import { HttpStateError } from "./errors.ts";
import { mayHaveBody } from "./framing.ts";
import { ContentType, type OutgoingResponse } from "./outgoing_response.ts";
import { checkResponse } from "./server_adopt.ts";
import type { Context } from "./server_context.ts";
import { dropBody } from "./server_stream.ts";

/** Content types of one application: an application that makes up more pays for each. */
const MAX_TYPES = 64;
const types = new Map<string, ContentType>();

/**
 * Answers with what a fetch handler has returned: at once where it was made of text or bytes, else when
 * it is known whether its body is at hand.
 *
 * @param ctx The request.
 * @param web What the handler returned.
 * @throws {TypeError} If it cannot be sent: no `Response`, one whose body was used,
 * `Response.error()`, or a 101.
 * @throws {HttpStateError} If the context was answered already.
 */
export function answerWith(ctx: Context, web: Response): void | Promise<void> {
  const response = ctx.response as OutgoingResponse;
  if (response.isHandedOver) {
    return dropBody((web as Response | undefined)?.body, "The connection was given away");
  }
  // Before all else: a look at its header fields or body makes the runtime forget it.
  const content = staticBody(web);
  if (content === undefined) checkWeb(web);
  checkUnanswered(response);
  if (content !== undefined) {
    const type = soleType(web);
    if (type === undefined) return fill(ctx, web, content);
    response.setStatus(web.status, web.statusText || undefined);
    return response.answer(content, typeOf(type));
  }
  const { body } = web;
  if (body === null) return fill(ctx, web, undefined);
  if (mayHaveBody(web.status, ctx.method)) return fillLater(ctx, web, body);
  // A source may have nothing to say for long: nobody waits for it. A length of 0 would be a lie.
  if (ctx.method === "HEAD" && mayHaveBody(web.status, "GET")) return fill(ctx, web, body);
  fill(ctx, web, undefined);
  dropBody(body, "Response has no body");
}

async function fillLater(
  ctx: Context,
  web: Response,
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  const body = await readAtHand(stream);
  try {
    fill(ctx, web, body);
  } catch (error) {
    dropBody(body, error);
    throw error;
  }
}

function checkWeb(web: Response): void {
  checkResponse(web);
  if (web.status === 101) {
    throw new TypeError(
      "Cannot answer with a Response of status 101, as Deno.upgradeWebSocket() makes: " +
        "call upgrade(info.ctx) of @nbio/net/websocket, and return any other Response",
    );
  }
  if (web.type === "error") throw new TypeError("Cannot answer with Response.error()");
}

function checkUnanswered(response: OutgoingResponse): void {
  if (response.isAnswered || response.committed) {
    throw new HttpStateError(
      "ERR_HTTP_ALREADY_ANSWERED",
      "Cannot answer with the returned Response: the context was answered already",
      { state: "answered", event: "return" },
    );
  }
}

function fill(ctx: Context, web: Response, body: KnownBody): void {
  const response = ctx.response as OutgoingResponse;
  response.setStatus(web.status, web.statusText || undefined);
  let type: string | undefined;
  web.headers.forEach((value, name) => {
    if (name === "content-type") type = value;
    // What fetch() brought from elsewhere tells how it came, not how it goes on.
    else if (name !== "transfer-encoding") response.headers.append(name, value);
  });
  if (body !== undefined) response.answer(body, type === undefined ? undefined : typeOf(type));
  else if (type !== undefined) response.headers.append("content-type", type);
}

/** Prepared once: an application has few, and they make up most of its heads. */
function typeOf(value: string): ContentType {
  const known = types.get(value);
  if (known !== undefined) return known;
  const type = new ContentType(value);
  if (types.size < MAX_TYPES) types.set(value, type);
  return type;
}
