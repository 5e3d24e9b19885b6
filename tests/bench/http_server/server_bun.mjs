// Serves one route with Bun.serve: `bun server_bun.mjs ROUTE` prints its port.
import process from "node:process";

const GREETING = "Hello, World!";
const large = new Uint8Array(65_536).fill(0x61);

const handlers = {
  greet: () => new Response(GREETING),
  large: () => new Response(large),
  upload: async (request) => new Response(String((await request.bytes()).length)),
  echo: async (request) => Response.json(await request.json()),
};

const server = globalThis.Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: handlers[process.argv[2]],
});
console.log(server.port);
