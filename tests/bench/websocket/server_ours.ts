// Echoes with this package: `deno run -A server_ours.ts MODE` prints its port.
import { serve } from "@nbio/net/http";
import { upgrade } from "@nbio/net/websocket";

const compression = Deno.args[0] === "deflate";

const server = serve(async (ctx) => {
  await using ws = await upgrade(ctx, { compression });
  try {
    for await (const { data } of ws) await ws.send(data);
  } catch {
    // The loader closes where it pleases.
  }
}, { port: 0, hostname: "127.0.0.1" });
console.log((server.addr as Deno.NetAddr).port);
