import { resolveBound } from "./limits.ts";
import type { ErrorHandler } from "./middleware.ts";
import { runRequest } from "./request_runner.ts";
import { RouteGroup } from "./route_group.ts";
import type { RoutePathOptions } from "./route_path.ts";
import type { RouteParamInfo } from "./route_pattern.ts";
import { type RouteRecord, RouteRegistry, type RouteScope } from "./route_registry.ts";
import { RouteTable, type RouteTableOptions } from "./route_table.ts";
import { formatRouteUrl, type RouteQuery } from "./route_url.ts";
import type { RouteParamValues } from "./server_context.ts";
import type { ServeOptions } from "./server_options.ts";
import type { Handler } from "./server_shared.ts";

/** Options of {@linkcode Router}. */
export interface RouterOptions extends RoutePathOptions {
  /**
   * Longest text, in characters, that a regular expression of a route is tried
   * on: a segment, or the path for {@linkcode Router.regexp}. What is longer does
   * not match. 0 or Infinity for no bound. It bounds the time of common expressions;
   * one that repeats what repeats, such as `(a+)+b`, takes years for 50 characters
   * and must not be used.
   *
   * @default {1024}
   */
  readonly maxExpressionLength?: number;
}

/** A route of a router, as data. */
export interface RouteInfo {
  /** Its method; `*` for all methods without a route of their own. */
  readonly method: string;
  /** Its pattern with all prefixes; the text of its expression for a `regexp` route. */
  readonly pattern: string;
  /** Its parameters in order. */
  readonly params: readonly RouteParamInfo[];
  /** Its name, if it has one. */
  readonly name: string | undefined;
  /** What it was given. */
  readonly metadata: unknown;
}

const DEFAULT_MAX_EXPRESSION_LENGTH = 1024;

/**
 * Chooses the handler by method and path.
 *
 * A pattern has segments behind slashes, each of them
 *
 * - literal text, `/users`, as it reads or percent-encoded; a backslash takes the
 *   meaning from `: * { } ? # \`;
 * - a parameter, `/:name`, which takes one segment that is not empty;
 * - a typed parameter, `/:id{int}`: `int` and `float` give numbers, `uuid`, `hex`
 *   or a regular expression for the whole segment, `/:year{\d{4}}`, text;
 * - an optional parameter, `/:id?`, without which its slash goes too;
 * - at the end a wildcard, `/*path`: the rest of the path, which may be empty.
 *
 * Where several patterns match, the most specific one wins at the first segment
 * in which they differ, whatever the order of lines: literal text, then `uuid`,
 * `int`, `float`, `hex`, then expressions, then plain parameters, then wildcards.
 * Where it lacks the method, the next one is asked.
 *
 * Paths are compared, and parameters given, percent-decoded: in one pass, and
 * never `%2F`, `%25` and `%00`, which stay. See {@linkcode RoutePathOptions} for
 * dots and slashes.
 *
 * A path whose routes lack the method is answered 405 with `Allow`, OPTIONS
 * without a route 204 with `Allow`, HEAD by the route for GET. What handlers and
 * middlewares throw becomes an answer: see {@linkcode Router.onError}.
 *
 * Routes may be added at any time. They are compiled at the next request.
 *
 * @example Routes and middleware
 * ```ts
 * import { Router, serve } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const app = new Router();
 * app.get("/", (ctx) => ctx.text("hello"));
 * app.get("/users/:id{int}", (ctx) => ctx.json({ id: ctx.params.id }));
 * app.use(async (ctx, next) => {
 *   await next();
 *   ctx.set("x-status", String(ctx.status));
 * });
 *
 * await using server = serve(app.handler, { hostname: "127.0.0.1", port: 0 });
 * const { port } = server.addr as Deno.NetAddr;
 * const response = await fetch(`http://127.0.0.1:${port}/users/7`);
 * assertEquals(await response.json(), { id: 7 });
 * assertEquals(response.headers.get("x-status"), "200");
 * assertEquals((await app.request("/users/x")).status, 404);
 * ```
 */
export class Router extends RouteGroup<""> {
  /** Answers requests by the routes: what `serve` takes. */
  readonly handler: Handler;

  readonly #registry: RouteRegistry;
  readonly #scope: RouteScope;
  readonly #options: Omit<RouteTableOptions, "notFound">;
  readonly #compiled: { table: RouteTable | undefined };
  #notFound: Handler | undefined;

  /**
   * Makes a router without routes.
   *
   * @param options How paths are read.
   * @throws {RangeError} If an option has none of its values.
   */
  constructor(options: RouterOptions = {}) {
    const resolved = resolveRouterOptions(options);
    const scope: RouteScope = { middlewares: [] };
    const compiled: { table: RouteTable | undefined } = { table: undefined };
    const registry = new RouteRegistry(() => compiled.table = undefined, {
      ignoresTrailingSlash: resolved.trailingSlash === "ignore",
    });
    super("", { registry, scopes: [scope] });
    this.#registry = registry;
    this.#scope = scope;
    this.#options = resolved;
    this.#compiled = compiled;
    this.handler = (ctx) => (compiled.table ?? this.#compile()).handle(ctx);
  }

  #compile(): RouteTable {
    return this.#compiled.table = new RouteTable(this.#registry.records, this.#scope, {
      ...this.#options,
      notFound: this.#notFound,
    });
  }

  /**
   * Sets what answers a request that no route matches. What it leaves open is
   * answered 404; another status is its own to set.
   *
   * @param handler Answers the requests.
   */
  notFound(handler: Handler): void {
    this.#notFound = handler;
    this.#registry.touch();
  }

  /**
   * Sets what makes the answer to errors of handlers and middlewares, and to
   * those of the router: 405, and 400 for a path that cannot be read.
   *
   * @param handler Called when the error has been answered as it would be
   * without it, unless the head had left; it may change that answer or give
   * another one. An error of its own is answered 500.
   *
   * @example Errors as JSON
   * ```ts
   * import { HttpError, Router } from "@nbio/net/http";
   * import { assertEquals } from "@std/assert";
   *
   * const app = new Router();
   * app.onError((error, ctx) => {
   *   const message = error instanceof HttpError && error.expose ? error.message : "failed";
   *   ctx.json({ message });
   * });
   * app.get("/", () => {
   *   throw new HttpError(409, "try again");
   * });
   * const response = await app.request("/");
   * assertEquals([response.status, await response.json()], [409, { message: "try again" }]);
   * ```
   */
  onError(handler: ErrorHandler): void {
    this.#scope.onError = handler;
    this.#registry.touch();
  }

  /**
   * The URL of a named route.
   *
   * @param name Name of the route.
   * @param params A value for each parameter; optional ones may be left out.
   * @param query Names and values to put behind a `?`.
   * @returns An absolute path, with its query if there is one.
   * @throws {TypeError} If there is no such route or it is an expression, or the
   * parameters do not fit: see {@linkcode formatRouteUrl}.
   */
  url(name: string, params: RouteParamValues = {}, query: RouteQuery = {}): string {
    const pattern = this.#registry.find(name)?.pattern;
    if (pattern === undefined || "expression" in pattern) {
      throw new TypeError(`Cannot make URL: there is no route of the name "${name}"`);
    }
    return formatRouteUrl(pattern, params, query);
  }

  /** All routes in order of their registration, those of mounted routers included. */
  routes(): RouteInfo[] {
    return this.#registry.records.map(toInfo);
  }

  /**
   * Sends a request to this router without a socket: see
   * {@linkcode runRequest}.
   *
   * @param input A path with its query, sent as it is; a URL; or a `Request`.
   * @param init Method, header fields, body and signal, as for `fetch`.
   * @param options Options of the server that there is none of.
   * @returns The answer.
   * @throws {ConnectionClosedError} If the connection was cut instead of answered.
   */
  request(
    input: string | URL | Request,
    init: RequestInit = {},
    options: ServeOptions = {},
  ): Promise<Response> {
    return runRequest(this.handler, input, init, options);
  }
}

function toInfo({ method, pattern, name, metadata }: RouteRecord): RouteInfo {
  return { method: method ?? "*", pattern: pattern.source, params: pattern.params, name, metadata };
}

const DOT_SEGMENTS: readonly string[] = ["reject", "resolve", "keep"];
const DUPLICATE_SLASHES: readonly string[] = ["keep", "merge", "redirect"];
const TRAILING_SLASH: readonly string[] = ["strict", "ignore", "redirect"];

function resolveRouterOptions(options: RouterOptions): Omit<RouteTableOptions, "notFound"> {
  const { dotSegments = "reject", duplicateSlashes = "keep", trailingSlash = "strict" } = options;
  checkChoice("dotSegments", dotSegments, DOT_SEGMENTS);
  checkChoice("duplicateSlashes", duplicateSlashes, DUPLICATE_SLASHES);
  checkChoice("trailingSlash", trailingSlash, TRAILING_SLASH);
  const maxExpressionLength = resolveBound(
    "maxExpressionLength",
    options.maxExpressionLength ?? DEFAULT_MAX_EXPRESSION_LENGTH,
  );
  return { dotSegments, duplicateSlashes, trailingSlash, maxExpressionLength };
}

function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new RangeError(`Cannot create router: ${name} "${value}" is none of ${choices.join(", ")}`);
}
