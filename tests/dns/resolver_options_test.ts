import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { DnsCache } from "../../dns/dns_cache.ts";
import { resolveResolverOptions, type ResolverOptions } from "../../dns/resolver_options.ts";

Deno.test("resolveResolverOptions() gives servers a port", () => {
  const { servers } = resolveResolverOptions({
    servers: ["192.0.2.1", { address: "fe80::1%eth0", port: 5_353 }],
    port: 54,
  });
  assertEquals(servers, [
    { address: "192.0.2.1", port: 54 },
    { address: "fe80::1%eth0", port: 5_353 },
  ]);
});

Deno.test("resolveResolverOptions() takes a cache, options for one, or none", () => {
  const cache = new DnsCache();
  assertStrictEquals(resolveResolverOptions({ cache }).cache, cache);
  assertEquals(resolveResolverOptions({ cache: false }).cache, undefined);
  assertEquals(resolveResolverOptions({ cache: { maxEntryCount: 1 } }).cache?.entryCount, 0);
});

Deno.test("resolveResolverOptions() asks nobody of the system for an exchange", () => {
  const { servers, cookies } = resolveResolverOptions({ exchange: () => Promise.reject() });
  assertEquals([servers?.length, cookies], [1, false]);
});

const WRONG: Readonly<Record<string, ResolverOptions>> = {
  "no servers": { servers: [] },
  "too many servers": { servers: Array.from({ length: 33 }, () => "192.0.2.1") },
  "port 0": { servers: ["192.0.2.1"], port: 0 },
  "port 65536": { servers: [{ address: "192.0.2.1", port: 65_536 }] },
  "ndots 16": { ndots: 16 },
  "timeoutMs 0": { timeoutMs: 0 },
  "timeoutMs 2^31": { timeoutMs: 2 ** 31 },
  "attempts 0": { attempts: 0 },
  "attempts 17": { attempts: 17 },
  "edns 511": { edns: 511 },
  "edns 65536": { edns: 65_536 },
  "maxAliasCount -1": { maxAliasCount: -1 },
  "maxAliasCount 256": { maxAliasCount: 256 },
  "staleDelayMs -1": { staleDelayMs: -1 },
  "maxConcurrentQueries 0": { maxConcurrentQueries: 0 },
  "a cache of -1": { cache: { maxEntryCount: -1 } },
};

for (const [name, options] of Object.entries(WRONG)) {
  Deno.test(`resolveResolverOptions() refuses ${name}`, () => {
    assertThrows(() => resolveResolverOptions(options), RangeError);
  });
}

Deno.test("resolveResolverOptions() refuses a server that is no address", () => {
  for (const address of ["", "localhost", "192.0.2", "[::1]"]) {
    assertThrows(() => resolveResolverOptions({ servers: [address] }), TypeError);
  }
});
