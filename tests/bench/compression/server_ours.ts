// Serves JSON with `compress()`: `deno run -A server_ours.ts` prints its port.
import { compose } from "../../../http/middleware.ts";
import { compress } from "../../../http/middleware_compress.ts";
import { serve } from "../../../http/serve.ts";
import { rowsOfTenKib } from "./payload.ts";

const rows = rowsOfTenKib();
const server = serve(compose([compress()], (ctx) => ctx.json(rows)), {
  port: 0,
  hostname: "127.0.0.1",
});
console.log((server.addr as Deno.NetAddr).port);
