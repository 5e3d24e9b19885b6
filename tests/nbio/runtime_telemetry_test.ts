import { assertEquals } from "@std/assert";
import { isRuntimeTelemetry } from "../../nbio/runtime_telemetry.ts";

Deno.test("isRuntimeTelemetry() knows the providers of the runtime", () => {
  assertEquals(isRuntimeTelemetry(Deno.telemetry.tracerProvider), true);
  assertEquals(isRuntimeTelemetry(Deno.telemetry.meterProvider), true);
});

Deno.test("isRuntimeTelemetry() knows nobody else's", () => {
  for (const other of [undefined, null, {}, () => {}, "runtime"]) {
    assertEquals(isRuntimeTelemetry(other), false);
  }
});
