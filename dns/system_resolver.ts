/**
 * {@linkcode systemResolver}: the resolver of the process.
 *
 * @module
 */

import { Resolver } from "./resolver.ts";

let shared: Resolver | undefined;

/**
 * Gives the resolver that all of the process may share, with the settings of the system: one cache,
 * one set of sockets. Sockets it does not use are closed by themselves, so it need not be closed.
 *
 * Permissions: as for {@linkcode Resolver} without `servers`.
 *
 * @returns The same one each time; a new one if somebody has closed it.
 *
 * @example The same one each time
 * ```ts
 * import { systemResolver } from "@nbio/net/dns";
 * import { assertEquals, assertStrictEquals } from "@std/assert";
 *
 * assertStrictEquals(systemResolver(), systemResolver());
 * assertEquals(await systemResolver().lookup("localhost", { family: 4 }), ["127.0.0.1"]);
 * ```
 */
export function systemResolver(): Resolver {
  if (shared === undefined || shared.isClosed) shared = new Resolver();
  return shared;
}
