import { assertEquals, assertThrows } from "@std/assert";
import { resolveSseOptions } from "../../http/sse_options.ts";
import { deadlines } from "../../nbio/deadline_wheel.ts";

Deno.test("resolveSseOptions() fills in the defaults", () => {
  assertEquals(resolveSseOptions({}), {
    beatMs: 7_500,
    retryMs: undefined,
    maxQueuedEvents: 1_000,
    maxQueuedBytes: 1_048_576,
    overflow: "drop-client",
    wheel: deadlines,
  });
});

for (const heartbeatIntervalMs of [0, Infinity]) {
  Deno.test(`resolveSseOptions() takes a heartbeat of ${heartbeatIntervalMs} for none`, () => {
    assertEquals(resolveSseOptions({ heartbeatIntervalMs }).beatMs, 0);
  });
}

for (
  const [name, options] of [
    ["a negative interval", { heartbeatIntervalMs: -1 }],
    ["an interval that is none", { heartbeatIntervalMs: NaN }],
    ["a broken retry", { retryMs: 0.5 }],
    ["a negative count", { maxQueuedEvents: -1 }],
    ["a broken number of bytes", { maxQueuedBytes: 1.5 }],
    ["an unknown policy", { overflow: "block" as "drop-client" }],
  ] as const
) {
  Deno.test(`resolveSseOptions() throws on ${name}`, () => {
    assertThrows(() => resolveSseOptions(options), RangeError);
  });
}
