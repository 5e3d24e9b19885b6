/**
 * The smallest server.
 *
 * ```sh
 * deno run --allow-net examples/hello.ts
 * curl http://localhost:8000/
 * ```
 *
 * Options: `--port=N` (default 8000, 0 for any).
 */

import { serve } from "@nbio/net/http";

const port = Deno.args.find((arg) => arg.startsWith("--port="))?.slice("--port=".length);

serve((ctx) => ctx.text("Hello, World!\n"), {
  port: Number(port ?? 8000),
  onListen: (addr) => {
    const { hostname, port } = addr as Deno.NetAddr;
    console.log(`Listening on http://${hostname}:${port}/`);
  },
});
