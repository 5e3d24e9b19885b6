// Serves one route with this package: `deno run -A server_ours.ts ROUTE` prints its port.
import { type Handler, serve } from "@nbio/net/http";
import { GREETING, largeBody } from "./payloads.ts";

const large = largeBody();

const handlers: Record<string, Handler> = {
  greet: (ctx) => ctx.text(GREETING),
  large: (ctx) => ctx.bytes(large),
  upload: async (ctx) => ctx.text(String((await ctx.body.bytes()).length)),
  echo: async (ctx) => ctx.json(await ctx.body.json()),
};

const server = serve(handlers[Deno.args[0]!]!, { port: 0, hostname: "127.0.0.1" });
console.log((server.addr as Deno.NetAddr).port);
