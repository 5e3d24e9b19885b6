import { checkFieldName } from "./field_text.ts";
import type { Middleware } from "./middleware.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";

/** Options of {@linkcode requestId}. */
export interface RequestIdOptions {
  /**
   * Name of the field, in the answer and where an id is taken over.
   *
   * @default {"x-request-id"}
   */
  readonly field?: string;
  /**
   * Whether an id that came with the request is taken over. Only behind a proxy
   * that sets it: a client could give many requests one id, or one that is
   * somebody else's.
   *
   * @default {false}
   */
  readonly acceptIncoming?: boolean;
  /**
   * Characters of an id that is taken over, 1 to 1,024. A longer one is
   * replaced, and so is one with anything but letters, digits and `-._~+/=:@`.
   *
   * @default {128}
   */
  readonly maxLength?: number;
  /**
   * Makes an id: text that can stand in a header field.
   *
   * @default {crypto.randomUUID}
   */
  readonly generate?: (ctx: Context) => string;
}

/** The id of a request, set by {@linkcode requestId}. */
export const REQUEST_ID: StateKey<string> = new StateKey("request id");

const HIGHEST_MAX_LENGTH = 1024;
const SAFE_TEXT = /^[A-Za-z0-9\-._~+/=:@]+$/;

/**
 * Gives every request an id: in `ctx.state` under {@linkcode REQUEST_ID}, where
 * {@linkcode logger} finds it, and in a field of the answer, errors included.
 *
 * @param options Where ids come from.
 * @returns The middleware.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example An id that the client can quote
 * ```ts
 * import { compose, REQUEST_ID, requestId, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = compose([requestId()], (ctx) => ctx.text(ctx.state.require(REQUEST_ID)));
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assertEquals(await response.text(), response.headers.get("x-request-id"));
 * ```
 */
export function requestId(options: RequestIdOptions = {}): Middleware {
  const { field = "x-request-id", acceptIncoming = false, maxLength = 128 } = options;
  const { generate = (): string => crypto.randomUUID() } = options;
  checkOptions(field, maxLength);
  return async (ctx, next) => {
    const id = (acceptIncoming ? incomingId(ctx, field, maxLength) : undefined) ?? generate(ctx);
    ctx.set(field, id);
    ctx.state.set(REQUEST_ID, id);
    await next();
    // Again: an error drops what was set before it, and a Response that came
    // from another server brings that one's id.
    if (!ctx.response.committed) ctx.set(field, id);
  };
}

function incomingId(ctx: Context, field: string, maxLength: number): string | undefined {
  const [id, ...others] = ctx.headers.getAll(field);
  if (id === undefined || others.length > 0) return undefined;
  return id.length <= maxLength && SAFE_TEXT.test(id) ? id : undefined;
}

function checkOptions(field: string, maxLength: number): void {
  if (!(Number.isInteger(maxLength) && maxLength >= 1 && maxLength <= HIGHEST_MAX_LENGTH)) {
    throw new RangeError(
      `Cannot use option maxLength: ${maxLength} is not an integer from 1 to ${HIGHEST_MAX_LENGTH}`,
    );
  }
  try {
    checkFieldName(field);
  } catch (cause) {
    throw new RangeError("Cannot use option field: it is no field name", { cause });
  }
}
