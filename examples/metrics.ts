/**
 * A server that counts its requests, connections and bytes, and shows them at `/metrics` in the
 * text format of Prometheus.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1:8000 examples/metrics.ts
 * curl http://127.0.0.1:8000/hello/ada
 * curl http://127.0.0.1:8000/metrics
 * ```
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 8000, 0 for any).
 *
 * What is counted comes from the server by itself: its option `telemetry` takes whatever counts.
 * The labels are methods, statuses and patterns of routes, of which there are few; `/metrics` is
 * for whoever may see them, so put it behind something that knows who that is.
 */

import { type HttpServer, Router, serve } from "@nbio/net/http";
import { shutdownSignal } from "@nbio/net/nbio";
import { MetricsRegistry } from "./metrics_registry.ts";

/** Media type of the format. */
const TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

/** What {@linkcode createApp} gives. */
export interface MetricsApp {
  /** The routes. */
  readonly router: Router;
  /** What counts; for the option `telemetry` of the server. */
  readonly registry: MetricsRegistry;
  /** Adds what the server knows about itself. */
  watch(server: HttpServer): void;
}

/** An application with something to count, and a page that tells. */
export function createApp(): MetricsApp {
  const registry = new MetricsRegistry();
  const router = new Router();
  const greetings = registry.counter("app.greetings", { description: "Greetings said." });
  router.get("/hello/:name", (ctx) => {
    // Who was greeted is no label: there may be any number of them.
    greetings.add(1);
    ctx.text(`Hello ${ctx.params.name}!\n`);
  });
  router.post("/echo", async (ctx) => ctx.bytes(await ctx.body.bytes()));
  router.get("/metrics", (ctx) => {
    ctx.set("content-type", TEXT_FORMAT);
    ctx.text(registry.expose());
  });
  return { router, registry, watch: (server) => watchServer(registry, server) };
}

function watchServer(registry: MetricsRegistry, server: HttpServer): void {
  registry.watch("server.connections.open", "gauge", () => server.stats().connectionCount, {
    description: "Connections open now.",
  });
  registry.watch("server.connections.accepted", "counter", () => server.stats().acceptedCount, {
    description: "Connections accepted so far.",
  });
  registry.watch("server.protocol.errors", "counter", () => server.stats().protocolErrorCount, {
    description: "Connections closed over a broken rule, a limit or a late head.",
  });
  registry.watch("process.resident.memory", "gauge", () => Deno.memoryUsage().rss, {
    description: "Memory of the process.",
    unit: "By",
  });
}

/** Value of `--name=value`. */
function argumentOf(name: string): string | undefined {
  const prefix = `--${name}=`;
  return Deno.args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length);
}

async function main(): Promise<void> {
  const { router, registry, watch } = createApp();
  const server = serve(router.handler, {
    hostname: argumentOf("hostname") ?? "127.0.0.1",
    port: Number(argumentOf("port") ?? 8_000),
    telemetry: registry,
    onListen: (addr) => {
      const { hostname, port } = addr as Deno.NetAddr;
      console.log(`Listening on http://${hostname}:${port}/`);
    },
  });
  watch(server);
  await shutdownSignal();
  await server.shutdown({ graceMs: 5_000 });
}

if (import.meta.main) await main();
