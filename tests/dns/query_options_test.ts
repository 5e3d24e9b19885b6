import { assertEquals, assertThrows } from "@std/assert";
import { ServerMemory } from "../../dns/dns_server.ts";
import { type QueryMachineOptions, resolveQueryOptions } from "../../dns/query_options.ts";

const server = { address: "192.0.2.1", port: 53 };
const BASE: QueryMachineOptions = {
  servers: [server],
  memory: new ServerMemory(),
  randomUint16: () => 0,
  random: () => 0,
};

Deno.test("resolveQueryOptions() fills in what resolv.conf has by default", () => {
  const { timeoutMs, attempts, rotate, useTcp, edns, cookies, use0x20, maxStrayCount } =
    resolveQueryOptions(BASE);
  assertEquals([timeoutMs, attempts, rotate, useTcp], [5_000, 2, false, false]);
  assertEquals([edns, cookies, use0x20, maxStrayCount], [1_232, true, false, 1_000]);
});

const RIGHT: readonly Partial<QueryMachineOptions>[] = [
  { timeoutMs: 1 },
  { timeoutMs: 2 ** 31 - 1 },
  { attempts: 1 },
  { attempts: 16 },
  { edns: false },
  { edns: 512 },
  { edns: 65_535 },
  { maxStrayCount: 1 },
  { maxStrayCount: Infinity },
  { servers: new Array(32).fill(server) },
  { servers: [{ ...server, port: 0 }, { ...server, port: 65_535 }] },
];

const WRONG: readonly Partial<QueryMachineOptions>[] = [
  { timeoutMs: 0 },
  { timeoutMs: 1.5 },
  { timeoutMs: 2 ** 31 },
  { attempts: 0 },
  { attempts: 17 },
  { edns: 511 },
  { edns: 65_536 },
  { edns: false, dnssecOk: true },
  { maxStrayCount: 0 },
  { maxStrayCount: NaN },
  { servers: [] },
  { servers: new Array(33).fill(server) },
  { servers: [{ ...server, port: -1 }] },
  { servers: [{ ...server, port: 65_536 }] },
  { ednsOptions: new Array(33).fill({ type: "nsid", bytes: new Uint8Array(0) }) },
];

Deno.test("resolveQueryOptions() takes what is at the limits", () => {
  for (const options of RIGHT) resolveQueryOptions({ ...BASE, ...options });
});

Deno.test("resolveQueryOptions() refuses what is beyond them", () => {
  for (const options of WRONG) {
    assertThrows(() => resolveQueryOptions({ ...BASE, ...options }), RangeError);
  }
});
