import { assert, assertEquals, assertThrows } from "@std/assert";
import { createApp } from "../../examples/metrics.ts";
import { MetricsRegistry } from "../../examples/metrics_registry.ts";
import { serve } from "../../http/serve.ts";
import { type Family, parseExposition } from "../_support/exposition.ts";
import { hasCommand } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";

/** Asks a running example for some things, then for its metrics. */
async function scrape(): Promise<string> {
  const { router, registry, watch } = createApp();
  await using server = serve(router.handler, {
    hostname: "127.0.0.1",
    port: 0,
    telemetry: registry,
  });
  watch(server);
  const base = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(base + path, init);
    const text = await response.text();
    return new Response(text, response);
  };
  await ask("/hello/ada");
  await ask("/hello/bob%22");
  await ask("/echo", { method: "POST", body: "x".repeat(1_500) });
  await ask("/missing");
  await ask("/hello/eve", { method: "PROPFIND" });
  const answer = await ask("/metrics");
  assertEquals(
    answer.headers.get("content-type"),
    "text/plain; version=0.0.4; charset=utf-8",
  );
  return await answer.text();
}

function valueOf(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const [, family] = [...families].find(([key]) => name.startsWith(key))!;
  return family.samples.find((sample) =>
    sample.name === name &&
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  )?.value;
}

Deno.test("examples/metrics.ts shows requests, connections and bytes", async () => {
  const families = parseExposition(await scrape());
  const duration = "http_server_request_duration_seconds";
  const hello = { http_request_method: "GET", http_route: "/hello/:name" };
  assertEquals(valueOf(families, `${duration}_count`, hello), 2);
  assertEquals(valueOf(families, `${duration}_bucket`, { ...hello, le: "10" }), 2);
  assertEquals(valueOf(families, `${duration}_count`, { http_response_status_code: "404" }), 1);
  assertEquals(valueOf(families, `${duration}_count`, { http_request_method: "_OTHER" }), 1);
  const size = "http_server_request_body_size_bytes";
  const echo = { http_route: "/echo" };
  assertEquals(valueOf(families, `${size}_sum`, echo), 1_500);
  assertEquals(valueOf(families, `${size}_bucket`, { ...echo, le: "1024" }), 0);
  assertEquals(valueOf(families, `${size}_bucket`, { ...echo, le: "8192" }), 1);
  // The one that asks for the metrics is under way.
  assertEquals(valueOf(families, "http_server_active_requests", { http_request_method: "GET" }), 1);
  assertEquals(valueOf(families, "app_greetings_total"), 2);
  assert(valueOf(families, "server_connections_open")! >= 1);
  assert(valueOf(families, "server_connections_accepted_total")! >= 1);
  assert(valueOf(families, "process_resident_memory_bytes")! > 1_000_000);
});

Deno.test("examples/metrics.ts shows no path and no name that a client has made up", async () => {
  const text = await scrape();
  for (const word of ["ada", "bob", "missing", "PROPFIND"]) {
    assertEquals(text.includes(word), false);
  }
});

const promtool = hasCommand("promtool");
Deno.test({
  name: "promtool finds no fault in what examples/metrics.ts shows",
  ignore: !promtool,
  async fn() {
    const { code, text, stderr } = await runPeer("promtool", ["check", "metrics"], {
      stdin: await scrape(),
    });
    assertEquals([code, text, stderr], [0, "", ""]);
  },
});

Deno.test("MetricsRegistry escapes labels and descriptions", () => {
  const registry = new MetricsRegistry();
  registry.counter("a.b-c", { description: 'one\n"two"\\', unit: "By" }).add(2, {
    "d.e": 'x"y\\z\nw,v="u"}',
    "f": true,
    "g": undefined,
  });
  const text = registry.expose();
  assertEquals(parseExposition(text).get("a_b_c_bytes_total")!.samples, [
    { name: "a_b_c_bytes_total", labels: { d_e: 'x"y\\z\nw,v="u"}', f: "true" }, value: 2 },
  ]);
  assert(text.startsWith('# HELP a_b_c_bytes_total one\\n"two"\\\\\n'));
});

Deno.test("MetricsRegistry puts a value on a boundary below it", () => {
  const registry = new MetricsRegistry();
  const histogram = registry.histogram("a", { boundaries: [1, 2] });
  for (const value of [0, 1, 1.5, 2, 2.5]) histogram.record(value);
  const counts = parseExposition(registry.expose()).get("a")!.samples.map(({ value }) => value);
  assertEquals(counts, [2, 4, 5, 7, 5]);
});

Deno.test("MetricsRegistry lets a gauge go down", () => {
  const registry = new MetricsRegistry();
  const gauge = registry.upDownCounter("a");
  gauge.add(3);
  gauge.add(-5);
  assertEquals(parseExposition(registry.expose()).get("a")!.samples[0]!.value, -2);
});

Deno.test("MetricsRegistry is bounded in series and in metrics", () => {
  const registry = new MetricsRegistry({ maxSeries: 2, maxMetrics: 1 });
  const counter = registry.counter("a");
  for (const id of [1, 2, 3, 4, 1]) counter.add(1, { id });
  const { samples } = parseExposition(registry.expose()).get("a_total")!;
  assertEquals(samples.map(({ labels, value }) => [labels, value]), [
    [{ id: "1" }, 2],
    [{ id: "2" }, 1],
    [{ overflow: "true" }, 2],
  ]);
  assertThrows(() => registry.counter("b"), RangeError);
  assertEquals(registry.counter("a") !== undefined, true);
});

Deno.test("MetricsRegistry keeps one kind for a name", () => {
  const registry = new MetricsRegistry();
  registry.upDownCounter("a");
  assertThrows(() => registry.histogram("a"), RangeError);
});

for (const maxSeries of [0, 1.5, NaN, Infinity]) {
  Deno.test(`MetricsRegistry throws on a bound of ${maxSeries}`, () => {
    assertThrows(() => new MetricsRegistry({ maxSeries }), RangeError);
    assertThrows(() => new MetricsRegistry({ maxMetrics: maxSeries }), RangeError);
  });
}

const MALFORMED: Readonly<Record<string, string>> = {
  "a line without an end": "# TYPE a counter\na 1",
  "a sample without a type": "a 1\n",
  "a type twice": "# TYPE a counter\n# TYPE a counter\n",
  "a bad label": '# TYPE a counter\na{b="c" d="e"} 1\n',
  "a series twice": "# TYPE a counter\na 1\na 1\n",
  "a histogram without its end": '# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
  "buckets that shrink":
    '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
};

for (const [name, text] of Object.entries(MALFORMED)) {
  Deno.test(`parseExposition() throws on ${name}`, () => {
    assertThrows(() => parseExposition(text));
  });
}
