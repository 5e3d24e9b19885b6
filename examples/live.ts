/**
 * A dashboard of the server it comes from: requests, connections and memory as charts that move, by
 * server-sent events.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1:8000 examples/live.ts
 * ```
 *
 * Then open http://127.0.0.1:8000/, and give it something to show:
 *
 * ```sh
 * while :; do curl -s http://127.0.0.1:8000/work >/dev/null; done
 * curl -N --compressed http://127.0.0.1:8000/events
 * ```
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 8000, 0 for any). A page that was
 * away comes back by itself and gets what it has missed, for the last two minutes.
 */

import {
  compress,
  etag,
  type HttpServer,
  Router,
  secureHeaders,
  serve,
  SseBroadcaster,
} from "@nbio/net/http";
import { shutdownSignal } from "@nbio/net/nbio";
import page from "./live_page.html" with { type: "text" };
import styles from "./live_page.css" with { type: "text" };
import script from "./live_page.js" with { type: "text" };

/** What the page draws, once a second. */
interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Requests answered per second. */
  readonly requestRate: number;
  /** Connections open now. */
  readonly connectionCount: number;
  /** Bytes the process takes. */
  readonly residentBytes: number;
  /** Bytes of living objects, and of dead ones that were not collected yet. */
  readonly heapBytes: number;
}

/** Two minutes. */
const SAMPLE_COUNT = 120;
const INTERVAL_MS = 1_000;

/** Looks at a server once a second and tells everybody who listens. */
class Monitor implements Disposable {
  readonly news: SseBroadcaster = new SseBroadcaster({
    historyCount: SAMPLE_COUNT,
    maxClients: 1_000,
    maxQueuedEvents: 30,
    overflow: "drop-oldest",
    retryMs: 2_000,
  });
  readonly #server: HttpServer;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #samples: Sample[] = [];
  #lastCount = 0;
  #lastMs = performance.now();

  constructor(server: HttpServer) {
    this.#server = server;
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
    this.#look();
  }

  /** What a page begins with. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.news.close();
  }

  #look(): void {
    const { requestCount, connectionCount } = this.#server.stats();
    const { rss, heapUsed } = Deno.memoryUsage();
    const nowMs = performance.now();
    const seconds = Math.max(nowMs - this.#lastMs, 1) / 1_000;
    const sample: Sample = {
      at: Date.now(),
      requestRate: Math.round((requestCount - this.#lastCount) / seconds),
      connectionCount,
      residentBytes: rss,
      heapBytes: heapUsed,
    };
    this.#lastCount = requestCount;
    this.#lastMs = nowMs;
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLE_COUNT) this.#samples.shift();
    this.news.publish({
      id: `${sample.at}`,
      event: "sample",
      data: JSON.stringify(sample),
    });
  }
}

function createApp(monitor: () => Monitor): Router {
  const app = new Router();
  app.use(secureHeaders());
  app.use(compress());
  app.use(etag());
  app.get("/", (ctx) => ctx.html(page));
  app.get("/page.css", (ctx) => {
    ctx.set("content-type", "text/css; charset=utf-8");
    ctx.text(styles);
  });
  app.get("/page.js", (ctx) => {
    ctx.set("content-type", "text/javascript; charset=utf-8");
    ctx.text(script);
  });
  app.get("/events", (ctx) => {
    const { news, samples } = monitor();
    const stream = news.subscribe(ctx);
    // Who comes back gets what it has missed from the broadcaster.
    if (stream.lastEventId !== undefined) return;
    stream.send({
      id: `${samples.at(-1)?.at ?? ""}`,
      event: "history",
      data: JSON.stringify(samples),
    });
  });
  app.get("/work", (ctx) => ctx.json({ sum: Array.from({ length: 1_000 }, Math.random) }));
  return app;
}

/** Value of `--name=value`. */
function argumentOf(name: string): string | undefined {
  const prefix = `--${name}=`;
  return Deno.args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length);
}

async function main(): Promise<void> {
  const app = createApp(() => monitor);
  const server = serve(app.handler, {
    hostname: argumentOf("hostname") ?? "127.0.0.1",
    port: Number(argumentOf("port") ?? 8000),
    onListen: (addr) => {
      const { hostname, port } = addr as Deno.NetAddr;
      console.log(`Listening on http://${hostname}:${port}/`);
    },
  });
  const monitor = new Monitor(server);
  await shutdownSignal();
  // Streams have no end of their own.
  monitor[Symbol.dispose]();
  await server.shutdown({ graceMs: 5_000 });
}

if (import.meta.main) await main();
