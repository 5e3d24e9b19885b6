// This module is sans-I/O.

/**
 * Names a value that is kept with a request, and says its type. Two keys are
 * never the same, whatever their names: what a middleware keeps under a key of
 * its own, nobody overwrites by accident.
 *
 * @typeParam T Type of the value.
 *
 * @example A value from a middleware to a handler
 * ```ts
 * import { type Middleware, Router, StateKey } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const USER = new StateKey<{ name: string }>("user");
 * const authenticate: Middleware = (ctx, next) => {
 *   ctx.state.set(USER, { name: "ada" });
 *   return next();
 * };
 *
 * const app = new Router();
 * app.use(authenticate);
 * app.get("/me", (ctx) => ctx.text(ctx.state.require(USER).name));
 * assertEquals(await (await app.request("/me")).text(), "ada");
 * ```
 */
export class StateKey<T> {
  /** What error messages call the value. */
  readonly name: string;
  /** Keeps keys of different types apart for the compiler; never set. */
  declare readonly valueType?: T;

  /**
   * Makes a key that is equal to no other.
   *
   * @param name What error messages call the value.
   */
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * What middlewares and the handler keep with one request: `ctx.state`.
 *
 * @example Keeping and reading
 * ```ts
 * import { RequestState, StateKey } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const COUNT = new StateKey<number>("count");
 * const state = new RequestState();
 * state.set(COUNT, 3);
 * assertEquals(state.require(COUNT), 3);
 * ```
 */
export class RequestState {
  readonly #values: Map<StateKey<unknown>, unknown> = new Map();

  /**
   * The value of a key.
   *
   * @param key The key.
   * @returns The value, or `undefined` where none was set.
   */
  get<T>(key: StateKey<T>): T | undefined {
    return this.#values.get(key) as T | undefined;
  }

  /**
   * The value of a key that must have been set, by a middleware further out.
   *
   * @param key The key.
   * @returns The value.
   * @throws {TypeError} If none was set.
   */
  require<T>(key: StateKey<T>): T {
    if (this.#values.has(key)) return this.#values.get(key) as T;
    throw new TypeError(`Cannot read state: nothing has set "${key.name}" for this request`);
  }

  /**
   * Sets the value of a key.
   *
   * @param key The key.
   * @param value The value.
   */
  set<T>(key: StateKey<T>, value: T): void {
    this.#values.set(key, value);
  }

  /**
   * Whether a key has a value.
   *
   * @param key The key.
   */
  has(key: StateKey<unknown>): boolean {
    return this.#values.has(key);
  }

  /**
   * Forgets the value of a key.
   *
   * @param key The key.
   */
  delete(key: StateKey<unknown>): void {
    this.#values.delete(key);
  }
}
