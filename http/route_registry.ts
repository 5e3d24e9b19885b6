import type { ErrorHandler, Middleware } from "./middleware.ts";
import {
  type ExpandOptions,
  expandPattern,
  joinPatterns,
  literalPath,
  parseRoutePattern,
  type RouteParamInfo,
  type RoutePattern,
  shapeOf,
} from "./route_pattern.ts";
import type { Handler } from "./server_shared.ts";

/** What a router, or a group within it, puts around its routes. */
export interface RouteScope {
  /** From the outermost to the innermost. */
  readonly middlewares: Middleware[];
  /** Makes the answers to errors, unless a scope further in does. */
  onError?: ErrorHandler;
}

/** A route as it was registered. */
export interface RouteRecord {
  /** The method; `undefined` for all without a route of their own. */
  readonly method: string | undefined;
  /** Where it is; an expression where a pattern cannot say it. */
  readonly pattern: RoutePattern | RouteExpression;
  /** What is around it, from the outermost to the innermost. */
  readonly scopes: readonly RouteScope[];
  /** Middlewares of the route alone. */
  readonly middlewares: readonly Middleware[];
  /** Answers the requests. */
  readonly handler: Handler;
  /** Name for reverse URLs. */
  readonly name: string | undefined;
  /** Whatever the application said. */
  readonly metadata: unknown;
}

/** A route that is a regular expression for the whole path. */
export interface RouteExpression {
  /** As it was written, behind the prefixes of routers that mounted it. */
  readonly source: string;
  /** For the whole path. */
  readonly expression: RegExp;
  /** Its named groups. */
  readonly params: readonly RouteParamInfo[];
}

/** Where a router was mounted. */
interface Mount {
  readonly registry: RouteRegistry;
  readonly prefix: string;
  readonly scopes: readonly RouteScope[];
}

/** Flags that do not change what "the whole path" means. */
const FLAGS = /^[iuvs]*$/;
/** Names of groups, not of look-behinds. */
const GROUP_NAME = /\\.|\(\?<([A-Za-z_$][\w$]*)>/g;

/**
 * The routes of a router and of the routers mounted in it, in order of their
 * registration. A route that cannot be is refused before anything has changed.
 */
export class RouteRegistry {
  readonly #records: RouteRecord[] = [];
  readonly #shapes: Set<string> = new Set();
  readonly #named: Map<string, RouteRecord> = new Map();
  readonly #mounts: Mount[] = [];
  readonly #onChange: () => void;
  readonly #expansion: ExpandOptions;

  /**
   * @param onChange Called after every change.
   * @param expansion When two patterns are equal.
   */
  constructor(onChange: () => void, expansion: ExpandOptions) {
    this.#onChange = onChange;
    this.#expansion = expansion;
  }

  /** The routes so far. */
  get records(): readonly RouteRecord[] {
    return this.#records;
  }

  /** The route of a name. */
  find(name: string): RouteRecord | undefined {
    return this.#named.get(name);
  }

  /**
   * Adds a route, here and wherever this router is mounted.
   *
   * @throws {TypeError} If an equal pattern has the method, or the name is taken.
   */
  add(record: RouteRecord): void {
    const added = [...this.#withMounts(record)];
    for (const [registry, own] of added) registry.#check(own);
    for (const [registry, own] of added) registry.#put(own);
  }

  /** Adds the routes of another router below a prefix, those to come included. */
  mount(prefix: string, scopes: readonly RouteScope[], child: RouteRegistry): void {
    if (this.#isWithin(child)) {
      throw new TypeError("Cannot mount router: it would contain itself");
    }
    const mount: Mount = { registry: this, prefix, scopes };
    const seen = child.#records.flatMap((record) => [...this.#withMounts(moved(record, mount))]);
    for (const [registry, own] of seen) registry.#check(own);
    for (const [registry, own] of seen) registry.#put(own);
    child.#mounts.push(mount);
    this.#changed();
  }

  /** Notes that a scope has changed. */
  touch(): void {
    this.#changed();
  }

  *#withMounts(record: RouteRecord): Iterable<[RouteRegistry, RouteRecord]> {
    yield [this, record];
    for (const mount of this.#mounts) {
      yield* mount.registry.#withMounts(moved(record, mount));
    }
  }

  #isWithin(other: RouteRegistry): boolean {
    return this === other || this.#mounts.some(({ registry }) => registry.#isWithin(other));
  }

  #check({ method, pattern, name }: RouteRecord): void {
    if (name !== undefined && this.#named.has(name)) {
      throw new TypeError(`Cannot add route ${pattern.source}: the name "${name}" is taken`);
    }
    if (this.#shapesOf(method, pattern).some((shape) => this.#shapes.has(shape))) {
      throw new TypeError(
        `Cannot add route ${method ?? "*"} ${pattern.source}: an equal pattern has that method`,
      );
    }
  }

  #put(record: RouteRecord): void {
    const { method, pattern, name } = record;
    for (const shape of this.#shapesOf(method, pattern)) this.#shapes.add(shape);
    if (name !== undefined) this.#named.set(name, record);
    this.#records.push(record);
    this.#onChange();
  }

  /** Two expressions cannot be told to be equal: the first one wins. */
  #shapesOf(method: string | undefined, pattern: RoutePattern | RouteExpression): string[] {
    if ("expression" in pattern) return [];
    const variants = expandPattern(pattern, this.#expansion);
    return variants.map((segments) => `${method ?? ""} ${shapeOf(segments)}`);
  }

  #changed(): void {
    this.#onChange();
    for (const { registry } of this.#mounts) registry.#changed();
  }
}

function moved(record: RouteRecord, { prefix, scopes }: Mount): RouteRecord {
  const pattern = "expression" in record.pattern
    ? prefixExpression(prefix, record.pattern)
    : parseRoutePattern(joinPatterns(prefix, record.pattern.source));
  return { ...record, pattern, scopes: [...scopes, ...record.scopes] };
}

/**
 * Makes a route of a regular expression.
 *
 * @param expression What the whole path has to match.
 * @throws {TypeError} If it has a flag other than `i`, `s`, `u`, `v`.
 */
export function toRouteExpression(expression: RegExp): RouteExpression {
  const { source, flags } = expression;
  if (!FLAGS.test(flags)) {
    throw new TypeError(`Cannot add route ${expression}: expected no flags but i, s, u, v`);
  }
  return makeExpression(source, flags);
}

function makeExpression(source: string, flags: string): RouteExpression {
  const names = new Set<string>();
  for (const [, name] of source.matchAll(GROUP_NAME)) {
    if (name !== undefined) names.add(name);
  }
  const params = [...names].map((name) => ({ name, type: "expression", optional: true } as const));
  return { source, expression: new RegExp(`^(?:${source})$`, flags), params };
}

/** A prefix without parameters, in front of an expression. */
function prefixExpression(
  prefix: string,
  { source, expression }: RouteExpression,
): RouteExpression {
  const text = literalPath(parseRoutePattern(prefix).segments);
  if (text === undefined) {
    throw new TypeError(
      `Cannot add route /${source}/ below ${prefix}: an expression needs a prefix without parameters`,
    );
  }
  const escaped = text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return makeExpression(`${escaped}(?:${source})`, expression.flags);
}

/** An expression of a route within a group. */
export function groupExpression(prefix: string, expression: RegExp): RouteExpression {
  const own = toRouteExpression(expression);
  return prefix === "" ? own : prefixExpression(prefix, own);
}
