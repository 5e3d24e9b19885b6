// Runs hono under Deno.serve: `deno run -A server_deno.ts NODE_MODULES` prints its port.
import { makeApp } from "./app.ts";

const app = await makeApp(Deno.args[0]!);
Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, app.fetch);
