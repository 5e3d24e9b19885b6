// Servers on Node: `node node_server.mjs http` answers as `http_target.ts` does, `node node_server.mjs
// websocket FOLDER` echoes on the package ws, which is installed in FOLDER. Prints its port.

import { createServer } from "node:http";
import { createRequire } from "node:module";

const ALLOW = "GET, HEAD, POST, OPTIONS";

function answer(request, response) {
  const { url, method, headers } = request;
  const path = url.split("?")[0];
  if (path.startsWith("/target")) return response.end(url);
  if (path.startsWith("/field/")) {
    return response.end(headers[path.slice(7).toLowerCase()] ?? "missing");
  }
  if (path.startsWith("/status/")) return response.writeHead(Number(path.slice(8))).end();
  switch (path) {
    case "/unread":
      return response.end("unread");
    case "/stream":
      response.write("str");
      return response.end("eam");
    case "/close":
      return response.setHeader("connection", "close").end("close");
    case "/echo":
      return response.end(echoFields(request.rawHeaders));
    case "/cookie":
      return response.end((headers.cookie ?? "").split("; ").join("\n"));
    case "/count":
      return readBody(request, (body) => response.end(`${body.length}`));
  }
  if (method === "GET" || method === "HEAD") return response.end("OK");
  if (method === "OPTIONS") {
    return response.writeHead(url === "*" ? 200 : 204, { allow: ALLOW }).end();
  }
  if (method === "DELETE" || method === "TRACE") {
    return response.writeHead(405, { allow: ALLOW }).end();
  }
  return readBody(request, (body) => response.end(body));
}

function echoFields(raw) {
  let text = "";
  for (let at = 0; at < raw.length; at += 2) text += `${raw[at].toLowerCase()}: ${raw[at + 1]}\n`;
  return text;
}

function readBody(request, use) {
  const pieces = [];
  request.on("error", () => {});
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => use(Buffer.concat(pieces)));
}

function tell(server) {
  console.log(`Listening on ${server.address().port}`);
}

const [suite, folder] = process.argv.slice(2);
if (suite === "websocket") {
  const { WebSocketServer } = createRequire(`${folder}/package.json`)(folder);
  const limits = { maxPayload: 16 * 1024 * 1024, perMessageDeflate: { threshold: 0 } };
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...limits });
  server.on("listening", () => tell(server));
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
} else {
  const server = createServer(answer);
  server.on("connect", (_request, socket) => {
    socket.end(`HTTP/1.1 405 Method Not Allowed\r\nAllow: ${ALLOW}\r\nContent-Length: 0\r\n\r\n`);
  });
  server.listen(0, "127.0.0.1", () => tell(server));
}
