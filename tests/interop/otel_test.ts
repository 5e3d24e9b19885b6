import { createRequire } from "node:module";
import { assert, assertEquals } from "@std/assert";
import { Client, Router, serve } from "@nbio/net/http";
import { otel, type OtelOptions } from "@nbio/net/http/otel";
import { context, type ContextManager } from "@opentelemetry/api";
import { npmPeer } from "../_support/peer.ts";

const peers = ["sdk-trace-base", "sdk-metrics", "context-async-hooks"]
  .map((name) => npmPeer(`@opentelemetry/${name}`));
const ignore = peers.some((peer) => peer === undefined);

/** A finished span of the SDK, as far as we look. */
interface FinishedSpan {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly status: { readonly code: number };
  readonly events: readonly { readonly name: string }[];
  readonly parentSpanContext?: { readonly spanId: string };
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

interface Metric {
  readonly descriptor: { readonly name: string; readonly unit: string };
  readonly dataPoints: readonly {
    readonly attributes: Record<string, unknown>;
    readonly value: number & {
      readonly count: number;
      readonly sum: number;
      readonly buckets: { readonly boundaries: readonly number[] };
    };
  }[];
}

/** What these packages give; their own types are not there in a checkout. */
interface SdkModules {
  readonly InMemorySpanExporter: new () => { getFinishedSpans(): FinishedSpan[] };
  readonly SimpleSpanProcessor: new (exporter: unknown) => unknown;
  readonly BasicTracerProvider: new (
    options: unknown,
  ) => NonNullable<OtelOptions["tracerProvider"]> & { shutdown(): Promise<void> };
  readonly InMemoryMetricExporter: new (temporality: number) => {
    getMetrics(): { scopeMetrics: { metrics: Metric[] }[] }[];
  };
  readonly PeriodicExportingMetricReader: new (options: unknown) => unknown;
  readonly MeterProvider: new (
    options: unknown,
  ) => NonNullable<OtelOptions["meterProvider"]> & {
    forceFlush(): Promise<void>;
    shutdown(): Promise<void>;
  };
  readonly AsyncLocalStorageContextManager: new () => ContextManager;
}

/** The SDK from npm, all of it in memory. */
class Sdk implements AsyncDisposable {
  readonly options: OtelOptions;
  readonly #spans: { getFinishedSpans(): FinishedSpan[] };
  readonly #metrics: InstanceType<SdkModules["InMemoryMetricExporter"]>;
  readonly #tracers: InstanceType<SdkModules["BasicTracerProvider"]>;
  readonly #meters: InstanceType<SdkModules["MeterProvider"]>;

  constructor() {
    const modules = Object.assign({}, ...peers.map((peer) => createRequire(`${peer}/`)(peer!)));
    const sdk: SdkModules = modules;
    this.#spans = new sdk.InMemorySpanExporter();
    this.#tracers = new sdk.BasicTracerProvider({
      spanProcessors: [new sdk.SimpleSpanProcessor(this.#spans)],
    });
    this.#metrics = new sdk.InMemoryMetricExporter(1);
    this.#meters = new sdk.MeterProvider({
      readers: [
        new sdk.PeriodicExportingMetricReader({
          exporter: this.#metrics,
          exportIntervalMillis: 3_600_000,
          exportTimeoutMillis: 30_000,
        }),
      ],
    });
    context.setGlobalContextManager(new sdk.AsyncLocalStorageContextManager().enable());
    this.options = { tracerProvider: this.#tracers, meterProvider: this.#meters };
  }

  get spans(): FinishedSpan[] {
    return this.#spans.getFinishedSpans();
  }

  async metrics(): Promise<Map<string, Metric>> {
    await this.#meters.forceFlush();
    const metrics = this.#metrics.getMetrics().at(-1)!.scopeMetrics.flatMap((one) => one.metrics);
    return new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    context.disable();
    await this.#tracers.shutdown();
    await this.#meters.shutdown();
  }
}

Deno.test({
  name: "the SDK from npm sees one trace across client, server, client and server",
  ignore,
  async fn() {
    await using sdk = new Sdk();
    const telemetry = otel(sdk.options);
    const router = new Router();
    {
      await using client = new Client({ telemetry });
      router.get("/leaf/:id{int}", (ctx) => ctx.json({ id: ctx.params.id }));
      router.get("/root", async (ctx) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const response = await client.get(`${ctx.headers.get("x-base")}/leaf/7`);
        ctx.text(await response.text());
      });
      await using server = serve(router.handler, { hostname: "127.0.0.1", port: 0, telemetry });
      const base = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
      const response = await client.get(`${base}/root`, {
        headers: { "x-base": base, "tracestate": "mine=1" },
      });
      assertEquals(await response.json(), { id: 7 });
    }
    const byName = (name: string): FinishedSpan => sdk.spans.find((span) => span.name === name)!;
    const root = byName("GET /root");
    const leaf = byName("GET /leaf/:id{int}");
    const [inner, outer] = sdk.spans.filter(({ kind }) => kind === 2);
    assertEquals(leaf.parentSpanContext?.spanId, inner!.spanContext().spanId);
    assertEquals(inner!.parentSpanContext?.spanId, root.spanContext().spanId);
    assertEquals(root.parentSpanContext?.spanId, outer!.spanContext().spanId);
    assertEquals(new Set(sdk.spans.map((span) => span.spanContext().traceId)).size, 1);
    // Numbers, where the runtime wants a bigint: this SDK drops those.
    assertEquals(leaf.attributes["http.response.status_code"], 200);
    assertEquals(leaf.attributes["http.response.body.size"], 8);
  },
});

Deno.test({
  name: "the SDK from npm takes the measurements, and statuses by the side they are on",
  ignore,
  async fn() {
    await using sdk = new Sdk();
    const telemetry = otel(sdk.options);
    await using client = new Client({ telemetry, retry: false });
    await using server = serve((ctx) => {
      if (ctx.path === "/broken") throw new TypeError("broken");
      ctx.status = ctx.path === "/missing" ? 404 : 204;
    }, { hostname: "127.0.0.1", port: 0, telemetry, onError: () => {} });
    const base = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
    for (const path of ["/", "/missing", "/broken"]) {
      await (await client.get(base + path)).discard();
    }
    const statuses = (kind: number): unknown[] =>
      sdk.spans.filter((span) => span.kind === kind).map(({ status }) => status.code);
    assertEquals([statuses(1), statuses(2)], [[0, 0, 2], [0, 2, 2]]);
    const broken = sdk.spans.find(({ kind, status }) => kind === 1 && status.code === 2)!;
    assertEquals(broken.attributes["error.type"], "TypeError");
    assertEquals(broken.events.map(({ name }) => name), ["exception"]);

    const metrics = await sdk.metrics();
    const duration = metrics.get("http.server.request.duration")!;
    assertEquals([duration.descriptor.unit, duration.dataPoints.length], ["s", 3]);
    const [point] = duration.dataPoints;
    assertEquals(point!.value.buckets.boundaries.slice(0, 2), [0.005, 0.01]);
    assertEquals(point!.value.count, 1);
    assert(point!.value.sum < 5);
    const active = metrics.get("http.server.active_requests")!;
    assertEquals(active.dataPoints.map(({ value }) => Number(value)), [0]);
    const connections = metrics.get("http.client.open_connections")!;
    const states = connections.dataPoints.map(({ attributes, value }) => [
      attributes["http.connection.state"],
      Number(value),
    ]);
    assertEquals(states, [["active", 0], ["idle", 1]]);
  },
});
