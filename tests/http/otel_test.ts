import {
  type Context,
  type Meter,
  type MeterProvider,
  type Span,
  type SpanContext,
  type SpanOptions,
  type TextMapPropagator,
  trace,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { assertEquals, assertThrows } from "@std/assert";
import { otel, type OtelOptions } from "../../http/otel.ts";
import type { Telemetry } from "../../nbio/telemetry.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";

/** Providers that keep what they are told. */
class FakeSdk {
  readonly calls: unknown[][] = [];
  readonly parents: Context[] = [];
  spanContext: SpanContext = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 };

  tracerProvider(): TracerProvider {
    const startSpan = (name: string, options: SpanOptions, parent: Context): Span => {
      this.parents.push(parent);
      this.calls.push(["startSpan", name, options]);
      return this.#span();
    };
    return { getTracer: () => ({ startSpan }) as unknown as Tracer };
  }

  meterProvider(): MeterProvider {
    const make = (kind: string, verb: string) => (name: string, options: unknown) => {
      this.calls.push([kind, name, options]);
      return { [verb]: (...values: unknown[]) => void this.calls.push([verb, ...values]) };
    };
    const meter = {
      createCounter: make("counter", "add"),
      createUpDownCounter: make("upDownCounter", "add"),
      createHistogram: make("histogram", "record"),
    };
    return { getMeter: () => meter as unknown as Meter };
  }

  #span(): Span {
    const note = (verb: string) => (...values: unknown[]) =>
      void this.calls.push([verb, ...values]);
    return {
      spanContext: () => this.spanContext,
      isRecording: () => true,
      updateName: note("updateName"),
      setAttributes: note("setAttributes"),
      recordException: note("recordException"),
      setStatus: note("setStatus"),
      end: note("end"),
    } as unknown as Span;
  }
}

function over(sdk: FakeSdk, options: OtelOptions = {}): Telemetry {
  return otel({
    tracerProvider: sdk.tracerProvider(),
    meterProvider: sdk.meterProvider(),
    ...options,
  });
}

Deno.test("otel() makes instruments with unit, description and buckets", () => {
  const sdk = new FakeSdk();
  const telemetry = over(sdk);
  telemetry.counter("a").add(1);
  telemetry.upDownCounter("b", { unit: "{x}", description: "c" }).add(-1, { d: 1 });
  telemetry.histogram("e", { boundaries: [1, 2] }).record(0.5, { f: undefined, g: true });
  assertEquals(sdk.calls, [
    ["counter", "a", {}],
    ["add", 1, undefined],
    ["upDownCounter", "b", { unit: "{x}", description: "c" }],
    ["add", -1, { d: 1 }],
    ["histogram", "e", { advice: { explicitBucketBoundaries: [1, 2] } }],
    ["record", 0.5, { g: true }],
  ]);
});

Deno.test("otel() hands a span through", () => {
  const sdk = new FakeSdk();
  const span = over(sdk).startSpan("a", { kind: "client", attributes: { b: 1, c: undefined } });
  const error = new TypeError("d");
  span.rename("e");
  span.setAttributes({ f: "g", h: undefined });
  span.fail(error);
  span.fail();
  assertEquals([span.isRecording, span.run(() => 7)], [true, 7]);
  span.end();
  assertEquals(sdk.calls, [
    ["startSpan", "a", { kind: 2, attributes: { b: 1 } }],
    ["updateName", "e"],
    ["setAttributes", { f: "g" }],
    ["recordException", error],
    ["setStatus", { code: 2, message: "TypeError" }],
    ["setStatus", { code: 2 }],
    ["end"],
  ]);
});

for (
  const [integers, given] of [["auto", 200], ["number", 200], ["bigint", 200n]] as const
) {
  Deno.test(`otel() hands whole numbers over as ${integers} says`, () => {
    const sdk = new FakeSdk();
    const telemetry = over(sdk, { integers });
    telemetry.startSpan("a", { attributes: { b: 200, c: 0.5, d: "e" } });
    telemetry.histogram("f").record(200, { b: 200, c: 0.5 });
    assertEquals(sdk.calls, [
      ["startSpan", "a", { kind: 0, attributes: { b: given, c: 0.5, d: "e" } }],
      ["histogram", "f", {}],
      ["record", 200, { b: given, c: 0.5 }],
    ]);
  });
}

/** Where a span begins that is started for a request with certain fields. */
function parentOf(
  fields: Record<string, string>,
  options: OtelOptions = {},
): SpanContext | undefined {
  const sdk = new FakeSdk();
  over(sdk, options).startSpan("a", { kind: "server", remote: (name) => fields[name] });
  return trace.getSpanContext(sdk.parents[0]!);
}

Deno.test("otel() goes on with the trace of a request", () => {
  const parent = parentOf({
    traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`,
    tracestate: "a=1, b=2",
  })!;
  assertEquals([parent.traceId, parent.spanId, parent.traceFlags], [TRACE_ID, SPAN_ID, 1]);
  assertEquals([parent.isRemote, parent.traceState?.serialize()], [true, "a=1,b=2"]);
});

Deno.test("otel() begins a trace of its own where the fields are malformed", () => {
  for (const traceparent of ["", "00-x", `ff-${TRACE_ID}-${SPAN_ID}-01`]) {
    assertEquals(parentOf({ traceparent, tracestate: "a=1" }), undefined);
  }
  assertEquals(parentOf({}), undefined);
  const parent = parentOf({ traceparent: `00-${TRACE_ID}-${SPAN_ID}-00`, tracestate: "=" })!;
  assertEquals([parent.traceFlags, parent.traceState], [0, undefined]);
});

Deno.test("otel() writes traceparent and tracestate", () => {
  const sdk = new FakeSdk();
  const remote: Record<string, string> = {
    traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`,
    tracestate: "a=1",
  };
  const telemetry = over(sdk);
  telemetry.startSpan("a", { remote: (name) => remote[name] });
  const { traceState } = trace.getSpanContext(sdk.parents[0]!)!;
  sdk.spanContext = { ...sdk.spanContext, ...traceState !== undefined && { traceState } };
  const written: Record<string, string> = {};
  telemetry.startSpan("b").inject((name, value) => written[name] = value);
  assertEquals(written, remote);
});

Deno.test("otel() writes nothing of a span that nobody can go on with", () => {
  const sdk = new FakeSdk();
  sdk.spanContext = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 };
  const written: string[] = [];
  over(sdk).startSpan("a").inject((name) => written.push(name));
  assertEquals(written, []);
});

Deno.test("otel() takes another propagator", () => {
  const sdk = new FakeSdk();
  const written: string[] = [];
  const propagator: Pick<TextMapPropagator, "inject" | "extract"> = {
    inject: (_context, carrier, setter) => setter.set(carrier, "b3", "0"),
    extract: (context, carrier, getter) => {
      written.push(`${getter.get(carrier, "b3")}`, ...getter.keys(carrier));
      return context;
    },
  };
  const span = over(sdk, { propagator }).startSpan("a", { remote: (name) => `read ${name}` });
  span.inject((name, value) => written.push(name, value));
  assertEquals(written, ["read b3", "b3", "0"]);
});

Deno.test("otel() works where no SDK is registered", () => {
  const telemetry = otel({ propagator: "global" });
  telemetry.counter("a").add(1);
  const span = telemetry.startSpan("a", { remote: () => undefined });
  assertEquals([span.isRecording, span.run(() => 7)], [false, 7]);
  span.end();
});

Deno.test("otel() throws on options that are none", () => {
  assertThrows(() => otel({ propagator: "b3" as "w3c" }), RangeError);
  assertThrows(() => otel({ integers: "float" as "auto" }), RangeError);
});
