// Runs hono by the adapter: `deno run -A server_ours.ts NODE_MODULES` prints its port.
import { serve } from "../../../http/serve.ts";
import { toHandler } from "../../../http/to_handler.ts";
import { makeApp } from "./app.ts";

const server = serve(toHandler(await makeApp(Deno.args[0]!)), {
  port: 0,
  hostname: "127.0.0.1",
  // Connections wait while the other server has its turns.
  idleTimeoutMs: 0,
});
console.log((server.addr as Deno.NetAddr).port);
