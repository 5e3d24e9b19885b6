/**
 * {@linkcode systemResolver}: names to addresses as the system does it.
 *
 * @module
 */

import type { HostResolver, LookupOptions } from "./host_resolver.ts";
import { toSystemError } from "./system_error.ts";

/**
 * The resolver of the system (`getaddrinfo`): hosts file, DNS, and whatever
 * else this machine is set up for. Permission: `--allow-net` for the name,
 * without a port; a grant of `example.com:443` does not do.
 *
 * - `localhost` and the names below it are asked for as `localhost`, for both
 *   families at once: so the hosts file answers, and nothing leaves this machine
 *   (RFC 6761 section 6.3).
 * - The system does not tell a name that does not exist from one without
 *   addresses of the family asked for: both reject with `Deno.errors.NotFound`.
 * - It cannot be interrupted either. An abort rejects at once, but the system
 *   goes on until it has an answer or its own time is up, and keeps the process
 *   alive so long.
 *
 * Errors are those of the system: `Deno.errors.NotFound`, or
 * `Deno.errors.NotCapable` without permission.
 *
 * @example The addresses of this machine
 * ```ts
 * import { systemResolver } from "@nbio/net/nbio";
 * import { assert } from "@std/assert";
 *
 * const addresses = await systemResolver.lookup("localhost", { family: 4 });
 * assert(addresses.includes("127.0.0.1"));
 * ```
 */
export const systemResolver: HostResolver = { lookup };

/** RFC 6761 section 6.3: every name below `localhost` is the loopback interface. */
const LOCALHOST = /(^|\.)localhost\.?$/i;

async function lookup(host: string, options: LookupOptions = {}): Promise<readonly string[]> {
  const { family, signal } = options;
  if (family !== undefined && family !== 4 && family !== 6) {
    throw new RangeError(`Cannot look up host: family is ${family}, expected 4 or 6`);
  }
  signal?.throwIfAborted();
  // Loaded at first use: who never looks up a name need not pay for it.
  const { default: dns } = await import("node:dns");
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
  const onAbort = (): void => reject(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const isWanted = (found: { readonly family: number }): boolean =>
    family === undefined || found.family === family;
  // Asked for one family only, a system whose hosts file has just the other goes on to DNS.
  const isLocal = LOCALHOST.test(host);
  const query = { all: true, family: isLocal ? 0 : family ?? 0, verbatim: true } as const;
  try {
    dns.lookup(isLocal ? "localhost" : host, query, (error, found) => {
      if (error) reject(toSystemError(error));
      else resolve(found.filter(isWanted).map(({ address }) => address));
    });
    return await promise;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
