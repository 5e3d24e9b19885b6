import { encodeBase64Url } from "@std/encoding/base64url";
import { type Clock, systemClock } from "../nbio/clock.ts";
import { evaluateConditions, type Validators } from "./conditional_request.ts";
import { parseHttpDate } from "./date_parser.ts";
import { formatEntityTag, parseEntityTag } from "./entity_tag.ts";
import { HttpError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";
import type { Middleware } from "./middleware.ts";
import type { OutgoingResponse } from "./outgoing_response.ts";
import type { Context } from "./server_context.ts";
import { dropBody } from "./server_stream.ts";

/** Options of {@linkcode etag}. */
export interface EtagOptions {
  /**
   * Whether to make weak tags: for content that may differ in bytes that do not matter. Ranges of
   * it cannot be asked for.
   *
   * @default {false}
   */
  readonly isWeak?: boolean;
  /**
   * Longest body that gets a tag, in bytes, a whole number; 0 and Infinity for no bound.
   *
   * @default {1048576}
   */
  readonly maxBytes?: number;
  /**
   * Where dates without a century are seen from.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

const DEFAULT_MAX_BYTES = 1024 * 1024;
/** 144 bits of a SHA-256: nobody finds two bodies with the same. */
const TAG_BYTES = 18;
/** RFC 9110 section 15.4.5: a 304 tells about the copy the client has, not of content. */
const CONTENT_FIELDS = ["content-type", "content-length", "content-encoding", "content-language"];

const encoder = new TextEncoder();

/**
 * Gives answers an entity tag, and answers 304 to a client that has the same already, or 412 where
 * it wanted another. It looks at answers with 200 to GET and HEAD: text and bytes get a tag made of
 * their content, whatever brings a tag or a `Last-Modified` of its own keeps that.
 *
 * It saves sending, not making the answer.
 *
 * @param options What kind of tags.
 * @returns The middleware.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example Asking again
 * ```ts
 * import { etag, Router } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const app = new Router();
 * app.use(etag());
 * app.get("/", (ctx) => ctx.text("hello"));
 *
 * const { headers } = await app.request("/");
 * const again = await app.request("/", {
 *   headers: { "if-none-match": headers.get("etag")! },
 * });
 * assertEquals(again.status, 304);
 * ```
 */
export function etag(options: EtagOptions = {}): Middleware {
  const { isWeak = false, clock = systemClock } = options;
  const maxBytes = resolveBound("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES);
  return async (ctx, next) => {
    await next();
    const response = ctx.response as OutgoingResponse;
    if (response.committed || response.isHandedOver || response.status !== 200) return;
    if (ctx.method !== "GET" && ctx.method !== "HEAD") return;
    const { headers } = response;
    if (!headers.has("etag")) {
      const bytes = wholeOf(response.body, maxBytes);
      if (bytes !== undefined) headers.set("etag", await makeTag(bytes, isWeak));
    }
    applyConditions(ctx, response, clock.wallNow());
  };
}

/** A body that is at hand and short enough; none of it is content, too. */
function wholeOf(
  body: OutgoingResponse["body"],
  maxBytes: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (typeof body === "string") {
    if (body.length > maxBytes) return undefined;
    const bytes = encoder.encode(body);
    return bytes.length <= maxBytes ? bytes : undefined;
  }
  if (!(body instanceof Uint8Array) || body.length > maxBytes) return undefined;
  return body as Uint8Array<ArrayBuffer>;
}

async function makeTag(bytes: Uint8Array<ArrayBuffer>, isWeak: boolean): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return formatEntityTag({ value: encodeBase64Url(digest.subarray(0, TAG_BYTES)), isWeak });
}

/** @throws {HttpError} With 412, if the client wanted another version. */
function applyConditions(ctx: Context, response: OutgoingResponse, nowMs: number): void {
  const { headers } = response;
  const request = { method: ctx.method, headers: ctx.headers, nowMs };
  const outcome = evaluateConditions(request, validatorsOf(headers, nowMs));
  if (outcome === "proceed") return;
  dropBody(response.body, "Nothing is sent of it");
  if (outcome === "precondition-failed") {
    throw new HttpError(412, "Cannot answer: the content is another than was asked for");
  }
  response.setStatus(304);
  response.body = undefined;
  for (const name of CONTENT_FIELDS) headers.delete(name);
}

function validatorsOf(headers: HeaderList, nowMs: number): Validators {
  const lastModified = headers.get("last-modified");
  return {
    etag: parseEntityTag(headers.get("etag") ?? ""),
    lastModifiedMs: lastModified === undefined ? undefined : parseHttpDate(lastModified, nowMs),
  };
}
