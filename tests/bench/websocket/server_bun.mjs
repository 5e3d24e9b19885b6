// Echoes with Bun.serve: `bun server_bun.mjs MODE` prints its port.
import process from "node:process";

const server = globalThis.Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, server) =>
    server.upgrade(request) ? undefined : new Response("", { status: 426 }),
  websocket: {
    perMessageDeflate: process.argv[2] === "deflate" &&
      { compress: "dedicated", decompress: "dedicated" },
    message: (socket, message) => void socket.send(message, process.argv[2] === "deflate"),
  },
});
console.log(server.port);
