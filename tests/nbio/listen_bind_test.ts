import { assertEquals, assertThrows } from "@std/assert";
import {
  bindAddresses,
  bindTcp,
  canReusePort,
  checkListenAddress,
  resolveTcpAddress,
} from "../../nbio/listen_bind.ts";
import type { ListenAddress } from "../../nbio/listen_address.ts";

const VALID: readonly ListenAddress[] = [
  {},
  { port: 0 },
  { port: 65_535, hostname: "::1" },
  { maxPendingConnections: 1 },
  { maxPendingConnections: 65_535, reusePort: true },
  { path: "/nowhere" },
];

const OUT_OF_RANGE: readonly ListenAddress[] = [
  { port: -1 },
  { port: 65_536 },
  { port: 1.5 },
  { port: NaN },
  { port: Infinity },
  { maxPendingConnections: 0 },
  { maxPendingConnections: 65_536 },
  { maxPendingConnections: NaN },
  { path: "/nowhere", port: -1 },
];

const CONTRADICTORY: readonly ListenAddress[] = [
  { path: "/nowhere", port: 0 },
  { path: "/nowhere", hostname: "127.0.0.1" },
  { path: "/nowhere", reusePort: false },
  { path: "/nowhere", maxPendingConnections: 1 },
];

for (const address of VALID) {
  Deno.test(`checkListenAddress() takes ${JSON.stringify(address)}`, () => {
    checkListenAddress(address);
  });
}

for (const address of OUT_OF_RANGE) {
  Deno.test(`checkListenAddress() throws a RangeError on ${Deno.inspect(address)}`, () => {
    assertThrows(() => checkListenAddress(address), RangeError);
  });
}

for (const address of CONTRADICTORY) {
  Deno.test(`checkListenAddress() throws a TypeError on ${JSON.stringify(address)}`, () => {
    assertThrows(() => checkListenAddress(address), TypeError);
  });
}

Deno.test("resolveTcpAddress() fills in the defaults", () => {
  const given = { hostname: "::1", port: 5, maxPendingConnections: 7 };
  assertEquals(resolveTcpAddress(given), given);
  assertEquals(resolveTcpAddress({}), {
    hostname: "0.0.0.0",
    port: 0,
    maxPendingConnections: 511,
  });
});

Deno.test("bindAddresses() gives one source per address, in their order", () => {
  const addresses = [{ hostname: "127.0.0.1" }, { hostname: "::1" }];
  const sources = bindAddresses(addresses);
  assertEquals(sources.map(({ addr }) => (addr as Deno.NetAddr).hostname), ["127.0.0.1", "::1"]);
  for (const source of sources) source.close();
});

Deno.test("bindAddresses() closes what it has bound when the next cannot be", () => {
  const taken = bindTcp(resolveTcpAddress({ hostname: "127.0.0.1" }));
  const { port } = taken.addr as Deno.NetAddr;
  // The resource sanitizer would miss the first.
  const addresses = [{ hostname: "127.0.0.1" }, { hostname: "127.0.0.1", port }];
  assertThrows(() => bindAddresses(addresses), Deno.errors.AddrInUse);
  taken.close();
});

Deno.test("bindAddresses() with reusePort throws where Deno.listen cannot share a port", {
  // With the flag there is nothing to refuse; bind_reuse_port_test.ts has both.
  ignore: canReusePort(),
}, () => {
  const addresses = [{ hostname: "127.0.0.1" }, { hostname: "127.0.0.1", reusePort: true }];
  assertThrows(() => bindAddresses(addresses), Deno.errors.NotSupported);
});
