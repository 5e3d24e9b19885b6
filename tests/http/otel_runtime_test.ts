import { assert, assertEquals } from "@std/assert";
import { serve } from "../../http/serve.ts";
import { runPeer } from "../_support/peer.ts";

const APP = new URL("./otel_runtime_app.ts", import.meta.url).pathname;

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
}

interface Keyed {
  readonly attributes: readonly { readonly key: string; readonly value: Value }[];
}

interface ExportedSpan extends Keyed {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
}

interface ExportedMetric {
  readonly name: string;
  readonly unit: string;
  readonly histogram?: {
    readonly dataPoints: readonly (Keyed & { readonly explicitBounds: readonly number[] })[];
  };
}

/** A request to a collector, as far as we look. */
interface Batch {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly ExportedMetric[] }[];
  }[];
}

/** What the runtime sends to a collector of ours while a program runs. */
async function exported(): Promise<
  { output: string; spans: ExportedSpan[]; metrics: ExportedMetric[] }
> {
  const spans: ExportedSpan[] = [];
  const metrics: ExportedMetric[] = [];
  await using collector = serve(async (ctx) => {
    const batch = await ctx.body.json() as Batch;
    for (const { scopeSpans } of batch.resourceSpans ?? []) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    for (const { scopeMetrics } of batch.resourceMetrics ?? []) {
      for (const scope of scopeMetrics) metrics.push(...scope.metrics);
    }
    ctx.json({});
  }, { hostname: "127.0.0.1", port: 0 });
  const { port } = collector.addr as Deno.NetAddr;
  const { code, text, stderr } = await runPeer(Deno.execPath(), ["run", "-A", APP], {
    env: {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    },
  });
  assertEquals(code, 0, stderr);
  return { output: text, spans, metrics };
}

function valueOf({ attributes }: Keyed, name: string): Value | undefined {
  return attributes.find(({ key }) => key === name)?.value;
}

Deno.test({
  name: "otel() tells the runtime's own SDK, across client and server",
  // The collector and the program need a network and a process.
  async fn() {
    const { output, spans, metrics } = await exported();
    const outerServer = spans.find(({ name, kind }) => name === "GET /outer" && kind === 2)!;
    const innerServer = spans.find(({ name }) => name === "GET /inner/:id")!;
    const clients = spans.filter(({ kind }) => kind === 3);
    const outerClient = clients.find((span) => span.spanId === outerServer.parentSpanId)!;
    const innerClient = clients.find((span) => span.spanId === innerServer.parentSpanId)!;
    assertEquals(spans.length, 4);
    assertEquals([outerClient.name, innerClient.parentSpanId], ["GET", outerServer.spanId]);
    assertEquals(new Set(spans.map(({ traceId }) => traceId)).size, 1);
    assertEquals(output.trim(), `inner 00-${innerServer.traceId}-${innerClient.spanId}-01`);

    // Whole numbers arrive as such, not as fractions.
    assertEquals(valueOf(innerServer, "http.response.status_code"), { intValue: "200" });
    assertEquals(valueOf(innerServer, "http.route"), { stringValue: "/inner/:id" });
    assertEquals(valueOf(innerServer, "url.query"), { stringValue: "sig=REDACTED" });
    assert(valueOf(innerClient, "url.full")!.stringValue!.endsWith("/inner/7?sig=REDACTED"));

    const duration = metrics.findLast(({ name }) => name === "http.server.request.duration")!;
    const [point] = duration.histogram!.dataPoints;
    assertEquals([duration.unit, point!.explicitBounds.length], ["s", 14]);
    assertEquals(valueOf(point!, "http.response.status_code"), { intValue: "200" });
    const names = new Set(metrics.map(({ name }) => name));
    assertEquals(names.has("http.client.request.duration"), true);
    assertEquals(names.has("http.server.active_requests"), true);
  },
});
