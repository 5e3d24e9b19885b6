// The server of node for a client under test: `node http_client_node_peer.mjs OPTIONS` prints the
// port of the server, that of another origin, and that of a third that tells and does what it is
// asked about the first. OPTIONS are those of http.createServer as JSON, with `cert` and `key` (PEM)
// for TLS, `keepAliveTimeoutMs`, and `isHinted` false for a server that does not tell its idle time.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import process from "node:process";

const { cert, key, keepAliveTimeoutMs = 5_000, isHinted = true, ...options } = JSON.parse(
  process.argv[2] ?? "{}",
);
const sockets = new Set();
const seen = { connections: 0, requests: 0, continues: 0 };

/** Bytes that differ along their way. */
function sample(length) {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

async function describe(request, response) {
  const { method, url, rawHeaders, httpVersion } = request;
  const hash = createHash("sha256");
  let byteCount = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    byteCount += chunk.length;
  }
  const trailers = request.rawTrailers;
  const sha256 = hash.digest("hex");
  response.end(
    JSON.stringify({ method, url, rawHeaders, httpVersion, sha256, byteCount, trailers }),
  );
}

const ROUTES = {
  "/hello": (_request, response) => response.end("hello"),
  "/describe": describe,
  "/bytes"(_request, response, query) {
    const body = sample(Number(query.get("length")));
    response.setHeader("content-length", body.length);
    response.end(body);
  },
  "/echo": (request, response) => request.pipe(response),
  async "/chunked"(_request, response, query) {
    response.writeHead(200, { trailer: "x-last" });
    for (let index = 0; index < Number(query.get("count")); index++) {
      response.write(`${index} `);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    response.addTrailers({ "x-last": "of all" });
    response.end();
  },
  "/hints"(_request, response) {
    response.writeProcessing();
    response.writeEarlyHints({ link: ["</a.css>; rel=preload", "</b.js>; rel=preload"] });
    response.end("hinted");
  },
  // While the body is still on its way; node reads and drops the rest of it.
  "/early": (_request, response) => response.writeHead(413).end("too much"),
  "/early-close"(_request, response) {
    response.writeHead(413, { connection: "close" }).end("too much");
  },
  "/empty": (_request, response) => response.writeHead(204).end(),
  "/unchanged": (_request, response) => response.writeHead(304, { etag: '"1"' }).end(),
  "/old"({ socket }) {
    socket.end("HTTP/1.0 200 OK\r\nX-Old: yes\r\n\r\nuntil the end");
  },
  "/cut"({ socket }, response) {
    response.writeHead(200, { "content-length": "1000" });
    response.write("only this", () => socket.destroy());
  },
  "/reset"({ socket: { remotePort } }) {
    for (const socket of sockets) if (socket.remotePort === remotePort) socket.resetAndDestroy();
  },
  "/redirect"(request, response, query) {
    request.resume();
    response.writeHead(Number(query.get("status")), { location: query.get("to") }).end();
  },
  "/login"(_request, response) {
    response.setHeader("set-cookie", [
      "sid=1; Path=/; HttpOnly; SameSite=Lax",
      "theme=dark; Path=/deep; Max-Age=60",
      "gone=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "secret=1; Secure; Path=/",
      "__Host-id=2; Secure; Path=/",
      "foreign=1; Domain=example.com",
    ]);
    response.end();
  },
};

async function answer(request, response) {
  seen.requests++;
  const { pathname, searchParams } = new URL(request.url, "http://a");
  if (!isHinted) response.setHeader("connection", "keep-alive");
  const route = ROUTES[pathname.startsWith("/deep/") ? "/describe" : pathname];
  if (route === undefined) return response.writeHead(404).end("not found");
  await route(request, response, searchParams);
}

function control(request, response) {
  if (request.url === "/reset-idle") { for (const socket of sockets) socket.resetAndDestroy(); }
  if (request.url === "/close-idle") servers[0].closeIdleConnections();
  response.end(JSON.stringify(seen));
}

function start(listener, serverOptions) {
  const server = cert === undefined
    ? createServer(serverOptions, listener)
    : createSecureServer({ ...serverOptions, cert, key }, listener);
  server.on("checkContinue", (request, response) => {
    if (request.url === "/refuse") return response.writeHead(417).end("no");
    seen.continues++;
    response.writeContinue();
    listener(request, response);
  });
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.listen({ host: "127.0.0.1", port: 0, backlog: 1_024 });
  return server;
}

const servers = [start(answer, options), start(answer, {}), start(control, {})];
// Below TLS: only there a connection can be reset.
servers[0].on("connection", (socket) => {
  seen.connections++;
  sockets.add(socket);
  socket.on("error", () => {});
  socket.on("close", () => sockets.delete(socket));
});
await Promise.all(servers.map((server) => once(server, "listening")));
console.log(`Listening on ${servers.map((server) => server.address().port).join(" ")}`);
