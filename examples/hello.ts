/**
 * The smallest server.
 *
 *     deno run --allow-net examples/hello.ts
 *     curl http://localhost:8000/
 */
import { serve } from "@nbio/net/http";

serve((ctx) => ctx.text("Hello, World!\n"), {
  onListen: (addr) => {
    const { hostname, port } = addr as Deno.NetAddr;
    console.log(`Listening on http://${hostname}:${port}/`);
  },
});
