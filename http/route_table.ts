import { HttpError } from "./errors.ts";
import { compose, type Middleware } from "./middleware.ts";
import { canonicalPath, encodePath, type RoutePathOptions } from "./route_path.ts";
import { expandPattern, literalPath, type RoutePattern } from "./route_pattern.ts";
import type { RouteRecord, RouteScope } from "./route_registry.ts";
import { RouteTrie } from "./route_trie.ts";
import type { Context } from "./server_context.ts";
import type { Handler, HandlerResult } from "./server_shared.ts";

/** How a table reads paths, and what it does about those it does not know. */
export interface RouteTableOptions extends Required<RoutePathOptions> {
  /** Longest text that an expression is tried on. */
  readonly maxExpressionLength: number;
  /** Answers what no route matches. */
  readonly notFound: Handler | undefined;
}

/** A route with everything around its handler. */
interface CompiledRoute {
  readonly method: string | undefined;
  /** Text of its pattern. */
  readonly source: string;
  readonly scopes: readonly RouteScope[];
  readonly handler: Handler;
}

/** A route whose pattern is an expression. */
interface ExpressionRoute extends CompiledRoute {
  readonly expression: RegExp;
}

const PERMANENT_REDIRECT = 308;
/** The order of `Allow`; what else there is comes behind, by name. */
const METHOD_ORDER = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * The routes of a router, compiled: every route is one function with all its
 * middlewares, found by method and path.
 */
export class RouteTable {
  readonly #trie: RouteTrie<CompiledRoute>;
  /** Patterns without parameters, by method and path as sent: the shortest way. */
  readonly #direct: Map<string, Map<string, CompiledRoute>> = new Map();
  readonly #expressions: ExpressionRoute[] = [];
  readonly #methods: Set<string> = new Set();
  readonly #options: RouteTableOptions;
  readonly #ignoresTrailingSlash: boolean;
  /** Whether there is more around some routes than around all answers. */
  readonly #hasGroups: boolean;
  readonly #answer: Handler = (ctx) => this.#answerUnrouted(ctx);
  readonly #fallback: Handler;

  /**
   * @param records The routes.
   * @param scope What is around all answers.
   * @param options How paths are read.
   */
  constructor(records: readonly RouteRecord[], scope: RouteScope, options: RouteTableOptions) {
    const { maxExpressionLength, trailingSlash } = options;
    this.#options = options;
    this.#ignoresTrailingSlash = trailingSlash === "ignore";
    this.#trie = new RouteTrie({
      maxExpressionLength,
      ignoresTrailingSlash: this.#ignoresTrailingSlash,
    });
    this.#hasGroups = records.some(({ scopes }) => scopes.length > 1);
    for (const record of records) this.#add(record);
    this.#addDirectHeads();
    this.#fallback = compose(scope.middlewares, this.#answer, scope);
  }

  /**
   * Finds the route of a request and runs it.
   *
   * @param ctx The request.
   */
  handle(ctx: Context): HandlerResult {
    const { method, url } = ctx;
    const query = url.indexOf("?");
    // An absolute-form target begins with a scheme.
    const path = query < 0 ? url : url.slice(0, query);
    const direct = this.#direct.get(method)?.get(path);
    if (direct === undefined) return this.#handleByTrie(ctx, method, path);
    ctx.enterRoute(direct.source);
    return direct.handler(ctx);
  }

  #handleByTrie(ctx: Context, method: string, path: string): HandlerResult {
    const trie = this.#trie;
    if (!trie.scan(path, path.length) && !this.#scanCanonical(ctx)) return this.#fallback(ctx);
    const entry = trie.match(method);
    if (entry === undefined) return this.#handleByExpression(ctx, method);
    const { source, handler } = entry.value;
    ctx.enterRoute(source, entry.isStatic ? undefined : trie.params(entry));
    return handler(ctx);
  }

  /** Whether a path that is not plain can be looked up; if not, it is answered with why. */
  #scanCanonical(ctx: Context): boolean {
    const path = ctx.path;
    if (this.#options.duplicateSlashes === "redirect" && path.includes("//")) return false;
    let canonical: string;
    try {
      canonical = canonicalPath(path, this.#options);
    } catch {
      return false;
    }
    this.#trie.scan(canonical, canonical.length);
    return true;
  }

  #handleByExpression(ctx: Context, method: string): HandlerResult {
    if (this.#expressions.length === 0) return this.#handleUnrouted(ctx);
    // An absolute-form target has no place in the trie.
    const path = canonicalPath(ctx.path, this.#options);
    for (const route of this.#expressions) {
      if (!answers(route.method, method)) continue;
      const match = this.#execute(route.expression, path);
      if (match === null) continue;
      ctx.enterRoute(route.source, match.groups && { ...match.groups });
      return route.handler(ctx);
    }
    return this.#handleUnrouted(ctx);
  }

  /**
   * Answers for a path that has no route, or none for the method. In the second
   * case what is around all of its routes is around the answer as well: a
   * preflight for a route in a group is for the cross-origin policy of the group.
   */
  #handleUnrouted(ctx: Context): HandlerResult {
    if (!this.#hasGroups || ctx.url === "*") return this.#fallback(ctx);
    const scopes = this.#scopesAround(canonicalPath(ctx.path, this.#options));
    if (scopes.length <= 1) return this.#fallback(ctx);
    return composeScopes(scopes, [], this.#answer)(ctx);
  }

  /** The scopes that all routes of a path are in. */
  #scopesAround(canonical: string): readonly RouteScope[] {
    this.#trie.scan(canonical, canonical.length);
    const routes = [...this.#trie.values(), ...this.#expressionsOf(canonical)];
    const [first = [], ...others] = routes.map(({ scopes }) => scopes);
    const end = first.findIndex((scope, index) => others.some((other) => other[index] !== scope));
    return end < 0 ? first : first.slice(0, end);
  }

  #expressionsOf(canonical: string): ExpressionRoute[] {
    return this.#expressions.filter(({ expression }) =>
      this.#execute(expression, canonical) !== null
    );
  }

  #execute(expression: RegExp, path: string): RegExpExecArray | null {
    return path.length > this.#options.maxExpressionLength ? null : expression.exec(path);
  }

  /** What no route answers: a redirect, the methods there are, or 404. */
  #answerUnrouted(ctx: Context): HandlerResult {
    if (ctx.url === "*") return answerMethods(ctx, this.#methods);
    const path = ctx.path;
    // Rejects what cannot be read, also where a redirect would be due.
    const canonical = canonicalPath(path, this.#options);
    const methods = this.#methodsOf(canonical);
    const { duplicateSlashes, trailingSlash } = this.#options;
    if (duplicateSlashes === "redirect" && path.includes("//") && methods.size > 0) {
      return redirect(ctx, canonical);
    }
    if (methods.size > 0) {
      if (ctx.method === "OPTIONS") return answerMethods(ctx, methods);
      throw new HttpError(405, "", { headers: [["allow", formatAllow(methods)]] });
    }
    if (trailingSlash === "redirect" && canonical !== "/") {
      const other = canonical.endsWith("/") ? canonical.slice(0, -1) : `${canonical}/`;
      if (this.#methodsOf(other).size > 0) return redirect(ctx, other);
    }
    return this.#options.notFound?.(ctx);
  }

  #methodsOf(canonical: string): Set<string> {
    this.#trie.scan(canonical, canonical.length);
    const methods = this.#trie.methods();
    for (const { method } of this.#expressionsOf(canonical)) methods.add(method ?? "*");
    return methods;
  }

  #add(record: RouteRecord): void {
    const { method, pattern, scopes, middlewares } = record;
    const { source } = pattern;
    const handler = composeScopes(scopes, middlewares, record.handler);
    const route: CompiledRoute = { method, source, scopes, handler };
    if (method !== undefined) this.#methods.add(method);
    if ("expression" in pattern) {
      this.#expressions.push({ ...route, expression: pattern.expression });
      return;
    }
    this.#trie.add(pattern, method, route);
    if (method !== undefined) this.#addDirect(pattern, method, route);
  }

  #addDirect(pattern: RoutePattern, method: string, route: CompiledRoute): void {
    const paths = this.#direct.get(method) ?? new Map();
    this.#direct.set(method, paths);
    const options = { ignoresTrailingSlash: this.#ignoresTrailingSlash };
    for (const segments of expandPattern(pattern, options)) {
      const path = literalPath(segments);
      // With parameters, although none is in this path: they are set.
      if (path === undefined || pattern.params.length > 0) continue;
      // What is not plain may be read as something else.
      if (this.#trie.scan(path, path.length)) paths.set(path, route);
    }
  }

  #addDirectHeads(): void {
    const heads = this.#direct.get("HEAD");
    this.#direct.set("HEAD", new Map([...this.#direct.get("GET") ?? [], ...heads ?? []]));
  }
}

function composeScopes(
  scopes: readonly RouteScope[],
  middlewares: readonly Middleware[],
  handler: Handler,
): Handler {
  const onError = scopes.findLast((scope) => scope.onError !== undefined)?.onError;
  const around = scopes.flatMap((scope) => scope.middlewares);
  return compose([...around, ...middlewares], handler, { onError });
}

/** RFC 9110 section 9.3.2: who answers GET can answer HEAD. */
function answers(own: string | undefined, method: string): boolean {
  return own === undefined || own === method || (own === "GET" && method === "HEAD");
}

/** RFC 9110 section 10.2.1: the methods, those included that are answered without a route. */
function formatAllow(methods: ReadonlySet<string>): string {
  const all = new Set(methods).add("OPTIONS");
  if (all.has("GET")) all.add("HEAD");
  const known = METHOD_ORDER.filter((method) => all.delete(method));
  return [...known, ...[...all].sort()].join(", ");
}

function answerMethods(ctx: Context, methods: ReadonlySet<string>): void {
  ctx.status = 204;
  ctx.set("allow", formatAllow(methods));
}

function redirect(ctx: Context, canonical: string): void {
  ctx.redirect(encodePath(canonical) + ctx.search, PERMANENT_REDIRECT);
}
