import type { Clock } from "../nbio/clock.ts";
import { NetError } from "../nbio/errors.ts";
import type { Client } from "./client.ts";
import type { ClientBody } from "./client_request_body.ts";
import type { ClientResponse } from "./client_response.ts";
import type { RequestOptions } from "./client_settings.ts";
import type { HeaderInit } from "./header_list.ts";

/** What `client.fetch` takes of a `RequestInit`. */
export type FetchInit = RequestInit;

/** Methods that `fetch` takes in any case. */
const NORMALISED_METHODS: readonly string[] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
/** Statuses of which a `Response` has no body. */
const NULL_BODY_STATUSES: readonly number[] = [101, 103, 204, 205, 304];
/** Bytes of the body of a `Request` that are looked at for its end. */
const MAX_PEEKED_BYTES = 64 * 1024;

/**
 * `fetch` on a client.
 *
 * @param client Who asks.
 * @param clock Where a turn of the event loop comes from.
 * @param input Where to, or a request.
 * @param init What else.
 * @throws {TypeError} For whatever fails but the signal; the cause is what failed.
 * @throws {Error} The reason of the signal.
 */
export async function clientFetch(
  client: Client,
  clock: Clock,
  input: string | URL | Request,
  init: FetchInit = {},
): Promise<Response> {
  const signal = init.signal === undefined && input instanceof Request ? input.signal : init.signal;
  try {
    const { method, url, options } = await requestOf(input, init, signal ?? undefined, clock);
    const response = await client.request(method, url, options);
    return webResponse(response, method);
  } catch (error) {
    throw failure(error, signal ?? undefined);
  }
}

/** What a request is, in the terms of a client. */
async function requestOf(
  input: string | URL | Request,
  init: FetchInit,
  signal: AbortSignal | undefined,
  clock: Clock,
): Promise<{ method: string; url: string | URL; options: RequestOptions }> {
  signal?.throwIfAborted();
  const request = input instanceof Request ? input : undefined;
  const method = normaliseMethod(init.method ?? request?.method ?? "GET");
  const headers = init.headers ?? request?.headers;
  const redirect = init.redirect ?? request?.redirect;
  const body = init.body === undefined ? await bodyOf(request, clock) : init.body;
  if (body !== undefined && body !== null && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`Cannot fetch: a ${method} request has no body`);
  }
  const options: RequestOptions = {
    ...headers !== undefined && { headers: headers as HeaderInit },
    ...redirect !== undefined && { redirect },
    ...body !== undefined && body !== null && { body: sentBody(body) },
    ...signal !== undefined && { signal },
  };
  return { method, url: request?.url ?? input as string | URL, options };
}

function normaliseMethod(method: string): string {
  const upper = method.toUpperCase();
  return NORMALISED_METHODS.includes(upper) ? upper : method;
}

/** A body of the web as one of ours. */
function sentBody(body: BodyInit | ClientBody): ClientBody {
  if (!ArrayBuffer.isView(body)) return body as ClientBody;
  return new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength);
}

/**
 * The body of a `Request`, which hides what it was made of. Where all of it is there
 * at once it is sent as bytes: with its length, and again if need be.
 */
async function bodyOf(request: Request | undefined, clock: Clock): Promise<ClientBody | undefined> {
  if (request === undefined) return undefined;
  if (request.bodyUsed) throw new TypeError("Cannot fetch: the body of the request was read");
  const { body } = request;
  if (body === null) return undefined;
  const reader = body.getReader();
  const turn = Promise.withResolvers<undefined>();
  const timer = clock.setTimer(() => turn.resolve(undefined), 0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  let reading = reader.read();
  for (;;) {
    const result = await Promise.race([reading, turn.promise]);
    if (result === undefined || length > MAX_PEEKED_BYTES) break;
    if (result.done) {
      clock.clearTimer(timer);
      return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes();
    }
    chunks.push(result.value);
    length += result.value.length;
    reading = reader.read();
  }
  clock.clearTimer(timer);
  return continued(chunks, reading, reader);
}

/** What was read of a stream, and the rest of it. */
async function* continued(
  chunks: readonly Uint8Array[],
  reading: Promise<ReadableStreamReadResult<Uint8Array>>,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* chunks;
    for (let next = reading;; next = reader.read()) {
      const { value, done } = await next;
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** A response of ours as one of the web. */
function webResponse(response: ClientResponse, method: string): Response {
  const { status, statusText, handover } = response;
  if (handover !== undefined) {
    handover.transport.close();
    throw new TypeError("Cannot fetch: the server has changed the protocol");
  }
  if (status > 599) {
    response.close();
    throw new TypeError(`Cannot fetch: the status is ${status}, expected 200 to 599`);
  }
  const headers = new Headers();
  response.headers.forEach((name, value) => headers.append(name, value));
  const hasBody = method !== "HEAD" && !NULL_BODY_STATUSES.includes(status);
  if (!hasBody) response.close();
  const web = new Response(hasBody ? response.stream : null, { status, statusText, headers });
  // A constructor leaves these empty.
  Object.defineProperties(web, {
    url: { value: response.url },
    redirected: { value: response.redirects.length > 0 },
    type: { value: "basic" },
  });
  return web;
}

/** What `fetch` would fail with. */
function failure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted && error === signal.reason) return error;
  if (error instanceof TypeError) return error;
  const message = error instanceof NetError ? error.message : "Cannot fetch: the request failed";
  return new TypeError(message, { cause: error });
}
