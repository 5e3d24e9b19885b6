/**
 * An echo server in a process of its own, so that its memory can be watched from outside. Its
 * argument is `writeTimeoutMs`. It prints its port, and for each connection that ends the code, 1006
 * where no Close frame came.
 */

import { serve } from "@nbio/net/http";
import { upgrade } from "@nbio/net/websocket";

const server = serve(async (ctx) => {
  const ws = await upgrade(ctx, { compression: true, writeTimeoutMs: Number(Deno.args[0]) });
  try {
    for await (const { data } of ws) await ws.send(data);
  } catch {
    // The code says it.
  }
  console.log((await ws.closed).code);
}, { hostname: "127.0.0.1", port: 0 });
console.log((server.addr as Deno.NetAddr).port);
