import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { resolveLimits } from "../../http/limits.ts";
import { resolveServerOptions, type ServeOptions } from "../../http/server_options.ts";
import { systemClock } from "../../nbio/clock.ts";

Deno.test("resolveServerOptions() fills in the defaults", () => {
  const { onError: _, clock, ...resolved } = resolveServerOptions({});
  assertStrictEquals(clock, systemClock);
  assertEquals(resolved, {
    limits: resolveLimits(),
    lenience: {},
    timeouts: {
      headTimeoutMs: 15_000,
      idleTimeoutMs: 65_000,
      keepAliveHintTimeoutMs: 60_000,
      bodyTimeoutMs: 30_000,
      writeTimeoutMs: 30_000,
      handlerTimeoutMs: 0,
      lingerTimeoutMs: 500,
      minHeadBytesPerSecond: 0,
      minBodyBytesPerSecond: 0,
      minRateGraceMs: 5_000,
    },
    maxConnectionsPerAddress: Infinity,
    maxBodyBytes: 16 * 1024 * 1024,
    decodeBodies: false,
    maxDrainBytes: 256 * 1024,
    maxPipelinedRequests: 32,
    maxRequestsPerConnection: Infinity,
    abortOnHalfClose: false,
    onConnect: undefined,
    telemetry: undefined,
  });
});

const BOUNDS = [
  "maxConnectionsPerAddress",
  "maxBodyBytes",
  "maxDrainBytes",
  "maxPipelinedRequests",
  "maxRequestsPerConnection",
] as const;
const TIMEOUTS = [
  "headTimeoutMs",
  "idleTimeoutMs",
  "keepAliveHintTimeoutMs",
  "bodyTimeoutMs",
  "writeTimeoutMs",
  "handlerTimeoutMs",
  "lingerTimeoutMs",
  "minHeadBytesPerSecond",
  "minBodyBytesPerSecond",
] as const;

for (const name of BOUNDS) {
  Deno.test(`resolveServerOptions() takes ${name}, 0 and Infinity for none`, () => {
    for (const [value, resolved] of [[1, 1], [0, Infinity], [Infinity, Infinity]] as const) {
      assertEquals(resolveServerOptions({ [name]: value })[name], resolved);
    }
    for (const value of [-1, NaN, 0.5, -Infinity]) {
      assertThrows(() => resolveServerOptions({ [name]: value }), RangeError);
    }
  });
}

for (const name of TIMEOUTS) {
  Deno.test(`resolveServerOptions() takes ${name}, also fractions, 0 and Infinity`, () => {
    for (const value of [0, 0.5, 1, Infinity]) {
      assertEquals(resolveServerOptions({ [name]: value }).timeouts[name], value);
    }
    for (const value of [-1, NaN, -Infinity]) {
      assertThrows(() => resolveServerOptions({ [name]: value }), RangeError);
    }
  });
}

for (
  const [options, hintMs] of [
    [{ idleTimeoutMs: 10_000 }, 5_000],
    [{ idleTimeoutMs: 3_000 }, 0],
    [{ idleTimeoutMs: 600_000 }, 60_000],
    [{ idleTimeoutMs: 0 }, 60_000],
    [{ idleTimeoutMs: Infinity }, 60_000],
    [{ idleTimeoutMs: 10_000, keepAliveHintTimeoutMs: 9_000 }, 9_000],
  ] as [ServeOptions, number][]
) {
  Deno.test(`resolveServerOptions() tells clients ${hintMs} ms for ${JSON.stringify(options)}`, () => {
    assertEquals(resolveServerOptions(options).timeouts.keepAliveHintTimeoutMs, hintMs);
  });
}

Deno.test("resolveServerOptions() plumbs limits, lenience and callbacks through", () => {
  const onError = () => {};
  const lenience = { allowBareLf: true };
  const options = {
    maxHeaderBytes: 100,
    maxHeaderCount: 0,
    lenience,
    onError,
    abortOnHalfClose: true,
  };
  const resolved = resolveServerOptions(options);
  assertEquals(resolved.limits, resolveLimits({ maxHeaderBytes: 100, maxHeaderCount: 0 }));
  assertStrictEquals(resolved.lenience, lenience);
  assertStrictEquals(resolved.onError, onError);
  assertEquals(resolved.abortOnHalfClose, true);
  assertThrows(() => resolveServerOptions({ maxHeaderBytes: -1 }), RangeError);
});

Deno.test("resolveServerOptions() takes a minRateGraceMs of a second and more", () => {
  for (const minRateGraceMs of [1_000, 1_500.5, 60_000, Infinity]) {
    assertEquals(resolveServerOptions({ minRateGraceMs }).timeouts.minRateGraceMs, minRateGraceMs);
  }
  for (const minRateGraceMs of [0, 999, -1, NaN]) {
    assertThrows(() => resolveServerOptions({ minRateGraceMs }), RangeError);
  }
});
