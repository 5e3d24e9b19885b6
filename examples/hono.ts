/**
 * An application of Hono on this server: routes, a stream, events, and what Hono alone cannot do,
 * a WebSocket and an early hint through the context.
 *
 * ```sh
 * deno run --allow-net examples/hono.ts
 * curl http://localhost:8000/hello/you
 * curl -N http://localhost:8000/count
 * curl -N http://localhost:8000/events
 * ```
 *
 * Options: `--port=N` (default 8000, 0 for any). It also runs as it is by
 * `deno run -A http/cli.ts examples/hono.ts`. Any other server takes what it exports, without the
 * WebSocket and the hint; `deno serve` would run the lines at its end too.
 */

import { serve, toHandler } from "@nbio/net/http";
import { upgrade } from "@nbio/net/websocket";
import { type Context, Hono } from "npm:hono@^4";
import { streamSSE } from "npm:hono@^4/streaming";
import type { FetchInfo } from "@nbio/net/http";

const app: Hono<{ Bindings: FetchInfo }> = new Hono<{ Bindings: FetchInfo }>();

app.get("/hello/:name", (c) => c.text(`Hello, ${c.req.param("name")}!\n`));

app.post("/sum", async (c) => {
  const numbers = await c.req.json<number[]>();
  return c.json({ sum: numbers.reduce((sum, number) => sum + number, 0) });
});

/** A stream: nothing is made that the client does not take. */
app.get("/count", (c) => c.body(ReadableStream.from(count()).pipeThrough(new TextEncoderStream())));

async function* count(): AsyncGenerator<string> {
  for (let number = 1; number <= 10; number++) {
    yield `${number}\n`;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

app.get("/events", (c) =>
  streamSSE(c, async (stream) => {
    while (!c.req.raw.signal.aborted) {
      await stream.writeSSE({ event: "time", data: new Date().toISOString() });
      await stream.sleep(1_000);
    }
  }));

/** Sends every message back; `c.env` is what the handler is told beside its request. */
app.get("/echo", async (c) => {
  await using ws = await upgrade(c.env.ctx);
  for await (const { data } of ws) await ws.send(data);
  // The connection is the WebSocket's: this goes nowhere.
  return c.body(null);
});

app.get("/hinted", async (c: Context<{ Bindings: FetchInfo }>) => {
  await c.env.ctx.inform(103, [["link", "</style.css>; rel=preload; as=style"]]);
  return c.html("<link rel=stylesheet href=/style.css><p>Hinted</p>");
});

export default app;

if (import.meta.main) {
  const port = Deno.args.find((arg) => arg.startsWith("--port="))?.slice("--port=".length);
  serve(toHandler((request, info) => app.fetch(request, info)), {
    port: Number(port ?? 8000),
    onListen: (addr) => {
      const { hostname, port } = addr as Deno.NetAddr;
      console.log(`Listening on http://${hostname}:${port}/`);
    },
  });
}
