import type { HeaderList } from "./header_list.ts";
import { resolveBound } from "./limits.ts";
import type { Middleware } from "./middleware.ts";
import {
  type BodyRequirement,
  readRequiredBody,
  type RequireBodyOptions,
  type RequiredBodyForms,
  resolveBodyRequirement,
  type StateMiddleware,
} from "./middleware_require_body.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";
import type { SchemaOutput, StandardSchema } from "./standard_schema.ts";
import {
  describeIssue,
  type ValidatedPart,
  ValidationError,
  type ValidationIssue,
} from "./validation_error.ts";

/** Schemas of the parts of a request; a part without one is not looked at. */
export interface ValidateSchemas {
  /** Parameters of the route, as the router gives them. */
  readonly params?: StandardSchema;
  /** Header fields by their names in lower case; several of a name are joined. */
  readonly headers?: StandardSchema;
  /** Parameters of the query: text, or a list where a name comes more than once. */
  readonly query?: StandardSchema;
  /** The body: JSON, unless `body.as` says otherwise. A form is given as a query is. */
  readonly body?: StandardSchema;
}

/** Options of {@linkcode validate}. */
export interface ValidateOptions {
  /**
   * Status for what is not valid, 400 or 422.
   *
   * @default {} 422 for the body, 400 for everything else
   */
  readonly status?: 400 | 422;
  /**
   * Most issues the client is told. 0 or Infinity for no bound.
   *
   * @default {20}
   */
  readonly maxIssues?: number;
  /**
   * Names in query and form that are always given as a list, also where they come
   * once or not at all; at most 100.
   *
   * @default {[]}
   */
  readonly lists?: readonly string[];
  /**
   * How the body is read; see {@linkcode requireBody}.
   *
   * @default {{ as: "json" }}
   */
  readonly body?: RequireBodyOptions<keyof RequiredBodyForms>;
}

/** What the schemas have made of the parts of a request. */
export type Validated<Schemas extends ValidateSchemas> = {
  readonly [Part in keyof Schemas]: SchemaOutput<Schemas[Part]>;
};

interface ValidationRules {
  readonly schemas: ValidateSchemas;
  readonly status: number | undefined;
  readonly maxIssues: number;
  readonly lists: readonly string[];
  readonly body: BodyRequirement;
}

const MAX_LISTS = 100;
/** What the head tells comes first: a request it condemns has its body never read. */
const HEAD_PARTS = ["params", "headers", "query"] as const;

/**
 * Lets requests through whose parts have the form that schemas ask for: those of
 * zod, valibot, arktype or any other library with the Standard Schema interface.
 * What the schemas made of the parts is in `ctx.state` under the `key` of the
 * middleware, with its type.
 *
 * Other requests are answered with problem details (RFC 9457) that name the issues:
 * a {@linkcode ValidationError} is thrown. A body that cannot even be read is
 * answered as by {@linkcode requireBody}.
 *
 * @typeParam Schemas The schemas.
 * @param schemas What the parts must be.
 * @param options How they are read and refused.
 * @returns The middleware, with the key of the values.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A query with a number
 * ```ts
 * import { compose, serve, type StandardSchema, validate } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * // As libraries make them; here by hand.
 * const query: StandardSchema<unknown, { page: number }> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate(value) {
 *       const page = Number((value as { page?: string }).page ?? 1);
 *       if (Number.isInteger(page)) return { value: { page } };
 *       return { issues: [{ message: "Expected a whole number", path: ["page"] }] };
 *     },
 *   },
 * };
 *
 * const valid = validate({ query });
 * const handler = compose([valid], (ctx) => ctx.json(ctx.state.require(valid.key).query.page + 1));
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * assertEquals(await (await fetch(`http://127.0.0.1:${port}/?page=2`)).json(), 3);
 * const refused = await fetch(`http://127.0.0.1:${port}/?page=two`);
 * assertEquals(refused.status, 400);
 * assertEquals((await refused.json()).errors, [
 *   { in: "query", pointer: "/page", detail: "Expected a whole number" },
 * ]);
 * ```
 */
export function validate<const Schemas extends ValidateSchemas>(
  schemas: Schemas,
  options: ValidateOptions = {},
): StateMiddleware<Validated<Schemas>> {
  const rules = resolveRules(schemas, options);
  const key = new StateKey<Validated<Schemas>>("validated parts");
  const middleware: Middleware = async (ctx, next) => {
    ctx.state.set(key, await validateParts(ctx, rules) as Validated<Schemas>);
    await next();
  };
  return Object.assign(middleware, { key });
}

async function validateParts(
  ctx: Context,
  rules: ValidationRules,
): Promise<Record<string, unknown>> {
  const parts = new ValidatedParts(rules.maxIssues);
  for (const part of HEAD_PARTS) {
    const schema = rules.schemas[part];
    if (schema !== undefined) await parts.add(part, schema, readPart(ctx, part, rules));
  }
  const { status } = rules;
  if (parts.issues.length > 0) throw new ValidationError(status ?? 400, parts.issues);
  if (rules.schemas.body !== undefined) {
    const body = await readRequiredBody(ctx, rules.body);
    const value = body instanceof FormData ? groupPairs(body, rules.lists) : body;
    await parts.add("body", rules.schemas.body, value);
  }
  if (parts.issues.length > 0) throw new ValidationError(status ?? 422, parts.issues);
  return parts.values;
}

/** What has become of the parts so far. */
class ValidatedParts {
  readonly values: Record<string, unknown> = {};
  readonly issues: ValidationIssue[] = [];
  readonly #maxIssues: number;

  constructor(maxIssues: number) {
    this.#maxIssues = maxIssues;
  }

  async add(part: ValidatedPart, schema: StandardSchema, value: unknown): Promise<void> {
    const result = await schema["~standard"].validate(value);
    if (result.issues === undefined) {
      this.values[part] = result.value;
      return;
    }
    // Every item of a long list may have one.
    for (const issue of result.issues) {
      if (this.issues.length >= this.#maxIssues) return;
      this.issues.push(describeIssue(part, issue));
    }
    if (result.issues.length > 0) return;
    this.issues.push({ in: part, pointer: "", detail: "Value is not valid" });
  }
}

function readPart(
  ctx: Context,
  part: typeof HEAD_PARTS[number],
  rules: ValidationRules,
): unknown {
  if (part === "params") return ctx.params;
  return part === "headers" ? groupFields(ctx.headers) : groupPairs(ctx.query, rules.lists);
}

/** An object without a prototype: `__proto__` is a name like any other. */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function groupFields(headers: HeaderList): Record<string, string> {
  const fields = emptyRecord<string>();
  for (const name of headers.names()) {
    const lower = name.toLowerCase();
    fields[lower] ??= headers.get(lower)!;
  }
  return fields;
}

function groupPairs<T>(
  pairs: Iterable<[name: string, value: T]>,
  lists: readonly string[],
): Record<string, T | T[]> {
  const groups = new Map<string, T[]>(lists.map((name) => [name, []]));
  for (const [name, value] of pairs) {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  const record = emptyRecord<T | T[]>();
  for (const [name, values] of groups) {
    record[name] = values.length === 1 && !lists.includes(name) ? values[0]! : values;
  }
  return record;
}

function resolveRules(schemas: ValidateSchemas, options: ValidateOptions): ValidationRules {
  const { status, maxIssues = 20, lists = [], body = {} } = options;
  if (status !== undefined && status !== 400 && status !== 422) {
    throw new RangeError(`Cannot use option status: ${status} is neither 400 nor 422`);
  }
  if (lists.length > MAX_LISTS) {
    throw new RangeError(`Cannot use option lists: ${lists.length} exceed ${MAX_LISTS}`);
  }
  return {
    schemas,
    status,
    maxIssues: resolveBound("maxIssues", maxIssues),
    lists,
    body: resolveBodyRequirement(body),
  };
}
