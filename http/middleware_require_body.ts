import type { FormOptions } from "./body_form.ts";
import { HttpError } from "./errors.ts";
import { resolveBound } from "./limits.ts";
import { isMediaRange, matchesMediaRange } from "./media_range.ts";
import type { Middleware } from "./middleware.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";

/** What {@linkcode requireBody} gives for each of its forms. */
export interface RequiredBodyForms {
  /** The bytes as they came. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Text in the charset of the content type, else UTF-8. */
  readonly text: string;
  /** The value of the JSON text; it has not been looked at yet. */
  readonly json: unknown;
  /** Text for fields, a `File` for each file. */
  readonly form: FormData;
}

/**
 * Options of {@linkcode requireBody}. Bounds and decoding are those of
 * {@linkcode IncomingBody}; those of forms hold for forms only.
 */
export interface RequireBodyOptions<Form extends keyof RequiredBodyForms = "json">
  extends FormOptions {
  /**
   * What the body is read as.
   *
   * @default {"json"}
   */
  readonly as?: Form;
  /**
   * Content types that are accepted: `image/png`, `text/*`, `application/*+json`.
   * `*\/*` accepts everything, also a body without a type.
   *
   * @default {} `application/json` and `application/*+json` for json, `text/*`
   * for text, `application/x-www-form-urlencoded` and `multipart/form-data` for
   * form, `*\/*` for bytes
   */
  readonly type?: string | readonly string[];
  /**
   * Whether a body without Content-Length is refused with 411.
   *
   * @default {false}
   */
  readonly requireLength?: boolean;
  /**
   * Whether an empty body is accepted, whatever its type: as no bytes, no text, a
   * form without fields, `undefined` for JSON. Else it is refused with 400.
   *
   * @default {false}
   */
  readonly allowEmpty?: boolean;
}

/**
 * A middleware that sets a value for every request it lets through.
 *
 * @typeParam T Type of the value.
 */
export interface StateMiddleware<T> extends Middleware {
  /** Where in `ctx.state` the value is. */
  readonly key: StateKey<T>;
}

/** {@linkcode RequireBodyOptions} as requests are measured by them. */
export interface BodyRequirement {
  readonly as: keyof RequiredBodyForms;
  readonly types: readonly string[];
  readonly bounds: FormOptions;
  readonly requireLength: boolean;
  readonly allowEmpty: boolean;
}

const DEFAULT_TYPES: Readonly<Record<keyof RequiredBodyForms, readonly string[]>> = {
  bytes: ["*/*"],
  text: ["text/*"],
  json: ["application/json", "application/*+json"],
  form: ["application/x-www-form-urlencoded", "multipart/form-data"],
};

/**
 * Reads the body before the handler, or refuses the request: 415 for a type or
 * coding that is not wanted, 411 and 413 for its length, 400 for what cannot be
 * read or is not there. The value is in `ctx.state` under the `key` of the
 * middleware, with its type.
 *
 * What the head tells is refused before a byte of the body is read, and before
 * a client that waits for `100 Continue` sends it.
 *
 * @typeParam Form What the body is read as.
 * @param options What is accepted.
 * @returns The middleware, with the key of the value.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A form
 * ```ts
 * import { compose, requireBody, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const form = requireBody({ as: "form", maxBytes: 10_000 });
 * const handler = compose([form], (ctx) => {
 *   ctx.text(String(ctx.state.require(form.key).get("name")));
 * });
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const post = (body: BodyInit) =>
 *   fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
 *
 * assertEquals(await (await post(new URLSearchParams({ name: "ada" }))).text(), "ada");
 * const refused = await post("name=ada");
 * await refused.body?.cancel();
 * assertEquals(refused.status, 415);
 * ```
 */
export function requireBody<Form extends keyof RequiredBodyForms = "json">(
  options: RequireBodyOptions<Form> = {},
): StateMiddleware<RequiredBodyForms[Form]> {
  const requirement = resolveBodyRequirement(options);
  const key = new StateKey<RequiredBodyForms[Form]>(`body as ${requirement.as}`);
  const middleware: Middleware = async (ctx, next) => {
    ctx.state.set(key, await readRequiredBody(ctx, requirement) as RequiredBodyForms[Form]);
    await next();
  };
  return Object.assign(middleware, { key });
}

/**
 * Fills in the defaults and checks the values.
 *
 * @throws {RangeError} If an option is out of its range.
 */
export function resolveBodyRequirement(
  options: RequireBodyOptions<keyof RequiredBodyForms>,
): BodyRequirement {
  const { as = "json", type, requireLength = false, allowEmpty = false, ...bounds } = options;
  if (!Object.hasOwn(DEFAULT_TYPES, as)) {
    throw new RangeError(`Cannot use option as: ${JSON.stringify(as)} is none of its forms`);
  }
  const types = type === undefined ? DEFAULT_TYPES[as] : [type].flat();
  for (const range of types) {
    if (isMediaRange(range)) continue;
    throw new RangeError(`Cannot use option type: ${JSON.stringify(range)} is no media type`);
  }
  for (const [name, value] of Object.entries(bounds)) {
    if (typeof value === "number") resolveBound(name, value);
  }
  return {
    as,
    types: types.map((range) => range.toLowerCase()),
    bounds,
    requireLength,
    allowEmpty,
  };
}

/**
 * Reads the body of a request that meets a requirement.
 *
 * @throws {HttpError} If it does not meet it.
 * @throws {LimitExceededError} If the body is too large.
 */
export async function readRequiredBody(
  ctx: Context,
  requirement: BodyRequirement,
): Promise<unknown> {
  const { length } = ctx.body;
  if (length === 0) return emptyBody(requirement);
  checkType(ctx, requirement);
  if (length === undefined && requirement.requireLength) {
    throw new HttpError(411, "Cannot accept a body without Content-Length");
  }
  const { as, bounds } = requirement;
  const value: RequiredBodyForms[keyof RequiredBodyForms] = await ctx.body[as](bounds);
  return isEmptyBody(as, value) ? emptyBody(requirement) : value;
}

function isEmptyBody(as: keyof RequiredBodyForms, value: unknown): boolean {
  if (value instanceof FormData) return value.keys().next().done === true;
  // Of JSON no text is empty, but a string may be.
  return as !== "json" && (value as string | Uint8Array).length === 0;
}

function emptyBody({ as, allowEmpty }: BodyRequirement): unknown {
  if (!allowEmpty) throw new HttpError(400, "Cannot accept an empty body");
  if (as === "json") return undefined;
  if (as === "text") return "";
  return as === "form" ? new FormData() : new Uint8Array(0);
}

function checkType(ctx: Context, { types }: BodyRequirement): void {
  const type = ctx.headers.get("content-type");
  if (types.some((range) => matchesMediaRange(range, type))) return;
  throw new HttpError(415, "Cannot accept the content type", {
    // RFC 9110 section 15.5.16: tells what would have been accepted.
    headers: [["accept", types.join(", ")]],
  });
}
