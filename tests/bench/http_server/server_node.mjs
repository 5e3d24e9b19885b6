// Serves one route with node:http: `node server_node.mjs ROUTE` prints its port.
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import process from "node:process";

const GREETING = "Hello, World!";
const TEXT = "text/plain; charset=utf-8";
const large = Buffer.alloc(65_536, 0x61);

function send(response, type, body) {
  const length = Buffer.byteLength(body);
  response.writeHead(200, { "content-type": type, "content-length": length });
  response.end(body);
}

function collect(request, then) {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => then(Buffer.concat(chunks)));
}

const handlers = {
  greet: (_request, response) => send(response, TEXT, GREETING),
  large: (_request, response) => send(response, "application/octet-stream", large),
  upload: (request, response) =>
    collect(request, (body) => send(response, TEXT, String(body.length))),
  echo: (request, response) =>
    collect(request, (body) => {
      send(response, "application/json", JSON.stringify(JSON.parse(body.toString())));
    }),
};

const server = createServer(handlers[process.argv[2]]);
// The default of 5 s would end the idle connections while their memory is measured.
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
