/**
 * OpenTelemetry for servers and clients of this package: spans and measurements by the semantic
 * conventions for HTTP, through `npm:@opentelemetry/api`, and the trace of a request carried on
 * from whoever asks to whoever is asked (W3C Trace Context).
 *
 * It works with any SDK that is registered with that API, and with the one of the runtime:
 * `OTEL_DENO=true deno run ...` needs no other code than this. By itself the runtime sees nothing
 * of servers that are no `Deno.serve`.
 *
 * | span | attributes |
 * | --- | --- |
 * | server, `{method} {route}` | method, scheme, path, query, host and port asked for, client, status, route, sizes |
 * | client, `{method}`, one for each time a request is sent | method, URL, server, status, how often it was sent before, sizes |
 *
 * | measurement | unit |
 * | --- | --- |
 * | `http.server.request.duration`, `http.client.request.duration` | s |
 * | `http.server.active_requests`, `http.client.active_requests` | {request} |
 * | `http.server.request.body.size`, `http.client.request.body.size` | By |
 * | `http.server.response.body.size`, `http.client.response.body.size` | By |
 * | `http.client.open_connections` | {connection} |
 * | `http.client.connection.duration` | s |
 *
 * Names and the attributes of measurements have few values, whatever clients send: routes instead
 * of paths, `_OTHER` instead of invented methods. Credentials in URLs are left out, as are the
 * values of signature parameters. A status from 400 to 499 is an error to a client, but none to a
 * server. A request of a server ends when its response has left; one of a client when the response
 * was read, or given up. What is refused before its head is complete is no request.
 *
 * Permissions: none of its own.
 *
 * @example A server and a client
 * ```ts
 * import { Client, serve } from "@nbio/net/http";
 * import { otel } from "@nbio/net/http/otel";
 * import { assert } from "@std/assert";
 *
 * const telemetry = otel();
 * await using server = serve((ctx) => ctx.text(ctx.headers.get("traceparent") ?? ""), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   telemetry,
 * });
 * const { port } = server.addr as Deno.NetAddr;
 * await using client = new Client({ telemetry });
 * const response = await client.get(`http://127.0.0.1:${port}/`);
 * // Empty as long as no SDK is registered.
 * assert(/^(00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3])?$/.test(await response.text()));
 * ```
 *
 * Errors: none. What an SDK throws is written to the console and changes no answer.
 *
 * @module
 */

import {
  type Attributes,
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  type Meter,
  type MeterProvider,
  type MetricOptions,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { errorType } from "../nbio/error_type.ts";
import { isRuntimeTelemetry } from "../nbio/runtime_telemetry.ts";
import type {
  Telemetry,
  TelemetryAttributes,
  TelemetryInstrumentOptions,
  TelemetrySpan,
  TelemetrySpanOptions,
} from "../nbio/telemetry.ts";
import { formatTraceparent, parseTraceContext } from "./trace_context.ts";

/** Who makes tracers: a `TracerProvider` of `@opentelemetry/api`. */
export interface OtelTracerProvider {
  /** Makes a `Tracer`. */
  getTracer(name: string): object;
}

/** Who makes meters: a `MeterProvider` of `@opentelemetry/api`. */
export interface OtelMeterProvider {
  /** Makes a `Meter`. */
  getMeter(name: string): object;
}

/** How a trace is carried: a `TextMapPropagator` of `@opentelemetry/api`. */
export interface OtelPropagator {
  /** Writes a context into a carrier, by a setter. */
  inject(context: unknown, carrier: unknown, setter: unknown): void;
  /** Gives a context with what a getter reads out of a carrier. */
  extract(context: unknown, carrier: unknown, getter: unknown): unknown;
}

/** Options of {@linkcode otel}. */
export interface OtelOptions {
  /**
   * Who makes tracers.
   *
   * @default the one that is registered
   */
  readonly tracerProvider?: OtelTracerProvider;
  /**
   * Who makes meters.
   *
   * @default the one that is registered when `otel` is called
   */
  readonly meterProvider?: OtelMeterProvider;
  /**
   * How a trace is carried in header fields: `"w3c"` (`traceparent` and `tracestate`) whatever is
   * registered, `"global"` by the propagators that are, or one of the caller's own.
   *
   * @default {"w3c"}
   */
  readonly propagator?:
    | "w3c"
    | "global"
    | OtelPropagator;
  /**
   * How whole numbers are handed over as attributes. The runtime's own SDK takes a `number` for a
   * fraction and a `bigint` for an integer; those from npm know no `bigint`.
   *
   * @default {"auto"} `"bigint"` for the runtime's, `"number"` for others
   */
  readonly integers?: "auto" | "number" | "bigint";
}

const SCOPE = "@nbio/net/http";
const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT };

type Read = NonNullable<TelemetrySpanOptions["remote"]>;
type Propagator = Pick<TextMapPropagator, "inject" | "extract">;
type Convert = (attributes: TelemetryAttributes | undefined) => Attributes | undefined;

/**
 * Hands what servers and clients tell to OpenTelemetry.
 *
 * @param options Providers, and how a trace is carried.
 * @returns What `telemetry` of `serve` and `Client` takes; one may be shared by many.
 * @throws {RangeError} If an option has none of its values.
 *
 * @example Counting and tracing nothing, which costs little
 * ```ts
 * import { otel } from "@nbio/net/http/otel";
 * import { assertEquals } from "@std/assert";
 *
 * const telemetry = otel({ propagator: "global" });
 * const span = telemetry.startSpan("work");
 * assertEquals(span.run(() => 7), 7);
 * span.end();
 * ```
 */
export function otel(options: OtelOptions = {}): Telemetry {
  // Types of the API are no part of ours; see the interfaces above.
  const tracers = (options.tracerProvider ?? trace.getTracerProvider()) as TracerProvider;
  const meters = (options.meterProvider ?? metrics.getMeterProvider()) as MeterProvider;
  const propagator = resolvePropagator(options.propagator);
  const attributesOfSpans = converterFor(tracers, options.integers);
  const attributesOfValues = converterFor(meters, options.integers);
  const tracer = tracers.getTracer(SCOPE);
  return {
    ...instruments(meters.getMeter(SCOPE), attributesOfValues),
    startSpan: (name, spanOptions = {}) =>
      startSpan(tracer, name, spanOptions, propagator, attributesOfSpans),
  };
}

function instruments(meter: Meter, convert: Convert): Omit<Telemetry, "startSpan"> {
  return {
    counter: (name, options) => {
      const counter = meter.createCounter(name, metricOptions(options));
      return { add: (delta, attributes) => counter.add(delta, convert(attributes)) };
    },
    upDownCounter: (name, options) => {
      const counter = meter.createUpDownCounter(name, metricOptions(options));
      return { add: (delta, attributes) => counter.add(delta, convert(attributes)) };
    },
    histogram: (name, options) => {
      const histogram = meter.createHistogram(name, metricOptions(options));
      return { record: (value, attributes) => histogram.record(value, convert(attributes)) };
    },
  };
}

/** Without a value type: the runtime's SDK refuses whole numbers as such. */
function metricOptions(options: TelemetryInstrumentOptions = {}): MetricOptions {
  const { description, unit, boundaries } = options;
  return {
    ...description !== undefined && { description },
    ...unit !== undefined && { unit },
    ...boundaries !== undefined && { advice: { explicitBucketBoundaries: [...boundaries] } },
  };
}

function startSpan(
  tracer: Tracer,
  name: string,
  options: TelemetrySpanOptions,
  propagator: Propagator,
  convert: Convert,
): OtelSpan {
  const { kind = "internal", remote } = options;
  const attributes = convert(options.attributes);
  // What a server does for one client is no part of whatever it was started by.
  const parent = remote === undefined
    ? context.active()
    : propagator.extract(ROOT_CONTEXT, remote, READER);
  const span = tracer.startSpan(
    name,
    { kind: KINDS[kind], ...attributes !== undefined && { attributes } },
    parent,
  );
  return new OtelSpan(span, trace.setSpan(parent, span), propagator, convert);
}

class OtelSpan implements TelemetrySpan {
  readonly #span: Span;
  readonly #context: Context;
  readonly #propagator: Propagator;
  readonly #convert: Convert;

  constructor(span: Span, own: Context, propagator: Propagator, convert: Convert) {
    this.#span = span;
    this.#context = own;
    this.#propagator = propagator;
    this.#convert = convert;
  }

  get isRecording(): boolean {
    return this.#span.isRecording();
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  setAttributes(attributes: TelemetryAttributes): void {
    this.#span.setAttributes(this.#convert(attributes)!);
  }

  fail(error?: unknown): void {
    if (error instanceof Error) this.#span.recordException(error);
    // What a status says speaks for itself.
    this.#span.setStatus({
      code: SpanStatusCode.ERROR,
      ...error !== undefined && { message: errorType(error) },
    });
  }

  run<T>(callback: () => T): T {
    return context.with(this.#context, callback);
  }

  inject(set: (name: string, value: string) => void): void {
    this.#propagator.inject(this.#context, set, WRITER);
  }

  end(): void {
    this.#span.end();
  }
}

const READER = {
  get: (read: Read, name: string): string | undefined => read(name),
  // What is asked for by name need not be listed.
  keys: (): string[] => [],
};

const WRITER = {
  set: (write: (name: string, value: string) => void, name: string, value: string): void =>
    write(name, value),
};

/** W3C Trace Context, with no SDK needed for it. */
const W3C: Propagator = {
  inject(own, carrier, setter) {
    const spanContext = trace.getSpanContext(own);
    if (spanContext === undefined || !isSpanContextValid(spanContext)) return;
    const { traceId, spanId, traceFlags: flags, traceState } = spanContext;
    setter.set(carrier, "traceparent", formatTraceparent({ traceId, spanId, flags }));
    const state = traceState?.serialize();
    if (state !== undefined && state !== "") setter.set(carrier, "tracestate", state);
  },
  extract(own, carrier, getter) {
    const read = (name: string): string | undefined => getter.get(carrier, name)?.toString();
    const traceparent = read("traceparent");
    if (traceparent === undefined) return own;
    const found = parseTraceContext(traceparent, read("tracestate"));
    if (found === undefined) return own;
    const { traceId, spanId, flags: traceFlags, state } = found;
    return trace.setSpanContext(own, {
      traceId,
      spanId,
      traceFlags,
      isRemote: true,
      ...state !== undefined && { traceState: createTraceState(state) },
    });
  },
};

function resolvePropagator(propagator: OtelOptions["propagator"] = "w3c"): Propagator {
  if (typeof propagator === "object") return propagator as Propagator;
  if (propagator === "w3c") return W3C;
  if (propagator === "global") return propagation;
  throw new RangeError(`Cannot use option propagator: expected w3c, global or a propagator`);
}

/** What a provider takes for attributes. */
function converterFor(provider: object, integers: OtelOptions["integers"] = "auto"): Convert {
  if (!["auto", "number", "bigint"].includes(integers)) {
    throw new RangeError(`Cannot use option integers: expected auto, number or bigint`);
  }
  const { getDelegate } = provider as { getDelegate?: () => unknown };
  const actual = getDelegate?.call(provider) ?? provider;
  const asBigInt = integers === "auto" ? isRuntimeTelemetry(actual) : integers === "bigint";
  return (attributes) => attributes === undefined ? undefined : convert(attributes, asBigInt);
}

/** Without what is `undefined`, which SDKs warn of. */
function convert(attributes: TelemetryAttributes, asBigInt: boolean): Attributes {
  const converted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    converted[name] = asBigInt && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  return converted as Attributes;
}
