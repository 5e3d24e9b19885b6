// Broadcasts with a loop over responses of `node:http`, spoken to as server_ours.ts is.
import { createServer } from "node:http";
import { broadcastOnDemand } from "./demand.mjs";

const clients = new Set();
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  clients.add(response);
  response.on("close", () => clients.delete(response));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
await broadcastOnDemand((id, data) => {
  const text = `id: ${id}\ndata: ${data}\n\n`;
  for (const response of clients) response.write(text);
  return clients.size;
});
