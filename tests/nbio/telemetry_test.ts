import { assertEquals } from "@std/assert";
import { noTelemetry } from "../../nbio/telemetry.ts";

Deno.test("noTelemetry does nothing, and runs what is to be run", () => {
  noTelemetry.counter("a").add(1);
  noTelemetry.upDownCounter("a").add(-1, { b: 1 });
  noTelemetry.histogram("a", { unit: "s" }).record(1);
  const span = noTelemetry.startSpan("a", { remote: () => "x" });
  const injected: string[] = [];
  span.inject((name) => injected.push(name));
  span.rename("b");
  span.setAttributes({ c: true });
  span.fail(new Error("a"));
  span.end();
  assertEquals([span.run(() => 7), span.isRecording, injected], [7, false, []]);
});

Deno.test("noTelemetry makes the same things again, and none of its own", () => {
  assertEquals(noTelemetry.startSpan("a"), noTelemetry.startSpan("b"));
  assertEquals(noTelemetry.counter("a"), noTelemetry.upDownCounter("b"));
});
