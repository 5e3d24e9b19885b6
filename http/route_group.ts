import { consistsOf, TOKEN } from "./char_class.ts";
import type { Middleware } from "./middleware.ts";
import { joinPatterns, parseRoutePattern, RoutePatternError } from "./route_pattern.ts";
import type { RouteParams } from "./route_params.ts";
import { groupExpression, type RouteRegistry, type RouteScope } from "./route_registry.ts";
import type { Context } from "./server_context.ts";
import type { Router } from "./router.ts";
import type { Handler, HandlerResult } from "./server_shared.ts";

/**
 * Answers the requests of a route, whose parameters the compiler knows.
 *
 * @typeParam Pattern Pattern of the route, with the prefixes of its groups.
 */
export type RouteHandler<Pattern extends string> = (
  ctx: Context<RouteParams<Pattern>>,
) => HandlerResult;

/**
 * Adds a route for one method: its pattern, any number of middlewares for it
 * alone, at last its handler. Throws a {@linkcode RoutePatternError} where the pattern is
 * none, and a `TypeError` where an equal pattern has the method already.
 *
 * @typeParam Prefix Pattern in front of all patterns here.
 */
export interface AddRoute<Prefix extends string> {
  <P extends string>(pattern: P, handler: RouteHandler<`${Prefix}${P}`>): void;
  <P extends string>(
    pattern: P,
    middleware: Middleware,
    handler: RouteHandler<`${Prefix}${P}`>,
  ): void;
  <P extends string>(
    pattern: P,
    outer: Middleware,
    inner: Middleware,
    handler: RouteHandler<`${Prefix}${P}`>,
  ): void;
  <P extends string>(
    pattern: P,
    outer: Middleware,
    middle: Middleware,
    inner: Middleware,
    handler: RouteHandler<`${Prefix}${P}`>,
  ): void;
  (pattern: string, ...middlewaresAndHandler: [...Middleware[], Handler]): void;
}

/** A route with all that can be said about it. */
export interface RouteDefinition<Pattern extends string> {
  /**
   * Its method; `*` for all methods without a route of their own.
   *
   * @default {"GET"}
   */
  readonly method?: string;
  /** Where it is. */
  readonly pattern: Pattern;
  /**
   * Name for reverse URLs, not given to another route of the router.
   *
   * @default {undefined} (none)
   */
  readonly name?: string;
  /**
   * Whatever the application wants to know of its routes.
   *
   * @default {undefined}
   */
  readonly metadata?: unknown;
  /**
   * Middlewares of this route alone, from the outermost to the innermost.
   *
   * @default {[]}
   */
  readonly middlewares?: readonly Middleware[];
}

/** What a group needs of its router. */
export interface RouteGroupHost {
  /** Where the routes go. */
  readonly registry: RouteRegistry;
  /** Scopes around the group, its own last. */
  readonly scopes: readonly RouteScope[];
}

/**
 * Routes below a common prefix, with common middlewares; made by `group()`.
 *
 * @typeParam Prefix Pattern in front of all patterns here.
 *
 * @example Parameters of the prefix are typed too
 * ```ts
 * import { Router } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const app = new Router();
 * app.group("/teams/:team{int}", (team) => {
 *   team.get("/", (ctx) => ctx.json({ team: ctx.params.team }));
 *   team.get("/members/:name", (ctx) => ctx.text(`${ctx.params.name} of ${ctx.params.team + 0}`));
 * });
 * assertEquals(await (await app.request("/teams/7/members/ada")).text(), "ada of 7");
 * ```
 */
export class RouteGroup<Prefix extends string> {
  /** Adds a route for GET; it answers HEAD too, unless that has a route of its own. */
  readonly get: AddRoute<Prefix>;
  /** Adds a route for POST. */
  readonly post: AddRoute<Prefix>;
  /** Adds a route for PUT. */
  readonly put: AddRoute<Prefix>;
  /** Adds a route for PATCH. */
  readonly patch: AddRoute<Prefix>;
  /** Adds a route for DELETE. */
  readonly delete: AddRoute<Prefix>;
  /** Adds a route for HEAD. */
  readonly head: AddRoute<Prefix>;
  /** Adds a route for OPTIONS, in the place of the automatic answer. */
  readonly options: AddRoute<Prefix>;
  /** Adds a route for all methods that have none of their own here. */
  readonly all: AddRoute<Prefix>;

  readonly #prefix: string;
  readonly #host: RouteGroupHost;
  readonly #scope: RouteScope;

  /**
   * Groups are made by `group()`.
   *
   * @param prefix Pattern in front of all patterns here.
   * @param host What the group needs of its router.
   */
  constructor(prefix: Prefix, host: RouteGroupHost) {
    checkPrefix(prefix);
    this.#prefix = prefix;
    this.#host = host;
    this.#scope = host.scopes.at(-1)!;
    this.get = this.#adder("GET");
    this.post = this.#adder("POST");
    this.put = this.#adder("PUT");
    this.patch = this.#adder("PATCH");
    this.delete = this.#adder("DELETE");
    this.head = this.#adder("HEAD");
    this.options = this.#adder("OPTIONS");
    this.all = this.#adder("*");
  }

  /**
   * Adds a route for a method.
   *
   * @param method The method, in upper case as a rule: case matters.
   * @param pattern Where it is.
   * @param middlewaresAndHandler Middlewares of the route, at last its handler.
   * @throws {RoutePatternError} If the pattern is none.
   * @throws {TypeError} If the method is none, or an equal pattern has it.
   */
  on(
    method: string,
    pattern: string,
    ...middlewaresAndHandler: [...Middleware[], Handler]
  ): void {
    const middlewares = middlewaresAndHandler.slice(0, -1) as Middleware[];
    const handler = middlewaresAndHandler.at(-1) as Handler;
    this.#add({ method, pattern, middlewares }, handler);
  }

  /**
   * Adds a route with a name or metadata.
   *
   * @param definition Method, pattern and what else is to be said.
   * @param handler Answers its requests.
   * @throws {RoutePatternError} If the pattern is none.
   * @throws {TypeError} If the method is none, an equal pattern has it, or the
   * name is taken.
   *
   * @example A named route
   * ```ts
   * import { Router } from "@nbio/net/http";
   * import { assertEquals } from "@std/assert";
   *
   * const app = new Router();
   * app.route({ pattern: "/users/:id{int}", name: "user", metadata: { auth: true } }, (ctx) => {
   *   ctx.text(`user ${ctx.params.id.toFixed()}`);
   * });
   * assertEquals(app.url("user", { id: 7 }), "/users/7");
   * ```
   */
  route<P extends string>(
    definition: RouteDefinition<P>,
    handler: RouteHandler<`${Prefix}${P}`>,
  ): void {
    this.#add(definition, handler as Handler);
  }

  /**
   * Adds a route whose path no pattern can say. Such routes are tried in the
   * order in which they were added, after all patterns. The named groups of the
   * expression are the parameters.
   *
   * @param method The method; `*` for all.
   * @param expression What the whole canonical path behind the prefix matches,
   * with no flags but `i`, `s`, `u`, `v`.
   * @param middlewaresAndHandler Middlewares of the route, at last its handler.
   * @throws {TypeError} If the method is none, the expression has other flags,
   * or the prefix has parameters.
   */
  regexp(
    method: string,
    expression: RegExp,
    ...middlewaresAndHandler: [...Middleware[], Handler]
  ): void {
    const middlewares = middlewaresAndHandler.slice(0, -1) as Middleware[];
    const handler = middlewaresAndHandler.at(-1) as Handler;
    checkFunctions([...middlewares, handler]);
    this.#host.registry.add({
      method: toMethod(method),
      pattern: groupExpression(this.#prefix, expression),
      scopes: this.#host.scopes,
      middlewares,
      handler,
      name: undefined,
      metadata: undefined,
    });
  }

  /**
   * Adds middlewares around the routes of this group, also those that were added
   * before: the order of lines does not matter. They are around 405 and the
   * automatic answer to OPTIONS too where all routes of the path are in the group, so
   * that {@linkcode cors} answers preflights. On a router they are around every
   * answer, also 404.
   *
   * @param middlewares From the outermost to the innermost; behind those that
   * were added before.
   * @throws {TypeError} If one of them is no function.
   */
  use(...middlewares: Middleware[]): void {
    checkFunctions(
      middlewares,
      "Cannot use middleware: expected functions; group() takes a prefix",
    );
    this.#scope.middlewares.push(...middlewares);
    this.#host.registry.touch();
  }

  /**
   * Adds routes below a prefix.
   *
   * @param prefix Pattern in front of theirs, without a wildcard or a slash at
   * its end. The pattern `/` in the group is the prefix itself.
   * @param define Adds them.
   * @throws {RoutePatternError} If the prefix is none.
   */
  group<P extends string>(prefix: P, define: (group: RouteGroup<`${Prefix}${P}`>) => void): void {
    const whole = `${this.#prefix}${prefix}` as `${Prefix}${P}`;
    const scopes = [...this.#host.scopes, { middlewares: [] }];
    define(new RouteGroup(whole, { registry: this.#host.registry, scopes }));
  }

  /**
   * Adds the routes of another router below a prefix, those that are added to it
   * later included, with its middlewares and its hook for errors around them.
   * They are routes like those of this router: by the same rules one of them
   * wins, how paths are read is for this router to say, and so is what is
   * answered where no route matches. Names of routes are common to both.
   *
   * @param prefix Pattern in front of theirs, without a wildcard or a slash at
   * its end.
   * @param router The other router.
   * @throws {RoutePatternError} If the prefix is none.
   * @throws {TypeError} If a route or name of it is here already, or it contains
   * this router.
   */
  mount(prefix: string, router: Router): void;
  /**
   * Lets a handler answer all that is at and below a prefix and has no route of
   * its own. It sees the whole path; what is behind the prefix is the parameter
   * `path`, which is missing at the prefix itself.
   *
   * @param prefix Pattern in front, without a wildcard or a slash at its end.
   * @param handler Answers the requests.
   * @throws {RoutePatternError} If the prefix is none.
   * @throws {TypeError} If an equal pattern is here already.
   */
  mount(prefix: string, handler: Handler): void;
  mount(prefix: string, mounted: Router | Handler): void {
    const whole = this.#prefix + prefix;
    checkPrefix(whole);
    if (typeof mounted === "function") return this.on("*", `${prefix}/*path?`, mounted);
    if (!(#host in mounted)) {
      throw new TypeError("Cannot mount: expected a router, or a function that answers requests");
    }
    const { registry, scopes } = this.#host;
    registry.mount(whole, scopes, mounted.#host.registry);
  }

  #adder(method: string): AddRoute<Prefix> {
    return (pattern: string, ...middlewaresAndHandler: unknown[]): void => {
      this.on(method, pattern, ...middlewaresAndHandler as [...Middleware[], Handler]);
    };
  }

  #add(definition: RouteDefinition<string>, handler: Handler): void {
    const { method = "GET", pattern, name, metadata, middlewares = [] } = definition;
    checkFunctions([...middlewares, handler]);
    this.#host.registry.add({
      method: toMethod(method),
      pattern: parseRoutePattern(joinPatterns(this.#prefix, pattern)),
      scopes: this.#host.scopes,
      middlewares: [...middlewares],
      handler,
      name,
      metadata,
    });
  }
}

function toMethod(method: string): string | undefined {
  if (method === "*") return undefined;
  if (consistsOf(method, TOKEN)) return method;
  throw new TypeError(`Cannot add route: ${JSON.stringify(method)} is no method`);
}

/** Found where it was written, and not at the first request. */
function checkFunctions(
  functions: readonly unknown[],
  message = "Cannot add route: expected functions, at last a handler",
): void {
  if (functions.length > 0 && functions.every((each) => typeof each === "function")) return;
  throw new TypeError(message);
}

function checkPrefix(prefix: string): void {
  const { segments } = parseRoutePattern(prefix);
  const last = segments.at(-1);
  if (last === undefined) return;
  if (last.kind === "literal" ? last.text === "" : last.type === "path") {
    throw new RoutePatternError(prefix, prefix.length, "a prefix ends with a segment");
  }
}
