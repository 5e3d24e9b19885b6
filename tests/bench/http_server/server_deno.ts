// Serves one route with Deno.serve: `deno run -A server_deno.ts ROUTE` prints its port.
import { GREETING, largeBody } from "./payloads.ts";

const large = largeBody();

const handlers: Record<string, (request: Request) => Response | Promise<Response>> = {
  greet: () => new Response(GREETING),
  large: () => new Response(large),
  upload: async (request) => new Response(String((await request.bytes()).length)),
  echo: async (request) => Response.json(await request.json()),
};

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, handlers[Deno.args[0]!]!);
