/**
 * A server and a client that tell the runtime's own OpenTelemetry about each other, for
 * `otel_runtime_test.ts`: the client asks `/outer`, whose handler asks `/inner/7`.
 */

import { Client } from "../../http/client.ts";
import { otel } from "../../http/otel.ts";
import { Router } from "../../http/router.ts";
import { serve } from "../../http/serve.ts";

const telemetry = otel();
const router = new Router();
await using client = new Client({ telemetry });
router.get("/inner/:id", (ctx) => ctx.text(`inner ${ctx.headers.get("traceparent")}`));
router.get("/outer", async (ctx) => {
  // A turn of the event loop: the span has to outlive it.
  await new Promise((resolve) => setTimeout(resolve, 1));
  const response = await client.get(`${ctx.headers.get("x-base")}/inner/7?sig=secret`);
  ctx.text(await response.text());
});
await using server = serve(router.handler, { hostname: "127.0.0.1", port: 0, telemetry });
const { port } = server.addr as Deno.NetAddr;
const base = `http://127.0.0.1:${port}`;
const response = await client.get(`${base}/outer`, { headers: { "x-base": base } });
console.log(await response.text());
