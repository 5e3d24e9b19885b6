// What README's comparison says of Node.js and its packages, as one line of JSON.

import http from "node:http";
import net from "node:net";
import dns from "node:dns/promises";
import { createRequire } from "node:module";

const LOCAL = "127.0.0.1";
const [packages, dnsPort] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const { WebSocket, WebSocketServer } = require("ws");
const undici = require("undici");
const facts = {};

/** Everything a server sends until it closes. */
function talk(port, request) {
  return new Promise((resolve) => {
    let answer = "";
    const socket = net.connect(port, LOCAL, () => socket.write(request, "latin1"));
    socket.on("data", (data) => answer += data.toString("latin1"));
    socket.on("close", () => resolve(answer));
    socket.on("error", () => {});
  });
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, LOCAL, () => resolve(server.address().port)));
}

async function describeHttp() {
  let seen;
  const server = http.createServer((request, response) => {
    seen = request;
    let size = 0;
    request.on("data", (data) => size += data.length);
    request.on("end", () => {
      response.writeEarlyHints({ link: "</a>; rel=preload" });
      response.end(`${size}`);
    });
  });
  const port = await listening(server);
  const ask = (head, body = "") => talk(port, `${head}Connection: close\r\n\r\n${body}`);
  const early = await ask("GET / HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\n");
  facts.earlyHints = early.startsWith("HTTP/1.1 103 ");
  facts.rawHeaders = seen.rawHeaders.slice(2, 8).join();
  await ask(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n",
    "3\r\nabc\r\n0\r\nx-late: 1\r\n\r\n",
  );
  facts.requestTrailers = seen.trailers["x-late"] === "1";
  facts.bareLf = (await talk(port, "GET / HTTP/1.1\nHost: a\n\n")).slice(9, 12);
  facts.noHost = (await ask("GET / HTTP/1.1\r\n")).slice(9, 12);
  facts.twoHosts = (await ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n")).includes(
    "HTTP/1.1 200 ",
  );
  const size = 17 * 1024 * 1024;
  const large = await ask(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n`,
    "x".repeat(size),
  );
  facts.largeBody = large.endsWith(`${size}`);
  facts.headTimeoutMs = server.headersTimeout;
  facts.maxConnections = server.maxConnections || 0;
  server.close();
}

async function describeUndici() {
  const requests = [];
  const server = net.createServer((socket) =>
    socket.on("data", (data) => {
      requests.push(String(data));
      socket.write(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: s=1\r\n" +
          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n",
      );
    })
  );
  const url = `http://${LOCAL}:${await listening(server)}/`;
  const dispatcher = new undici.Agent();
  const info = [];
  const headers = ["X-B", "1", "x-a", "2", "X-B", "3"];
  const options = { dispatcher, headers, onInfo: ({ statusCode }) => info.push(statusCode) };
  const { body, trailers } = await undici.request(url, options);
  await body.text();
  await (await undici.request(url, { dispatcher })).body.text();
  facts.informational = info.join();
  facts.responseTrailers = trailers["x-late"] === "1";
  facts.sentFields = requests[0].split("\r\n").filter((line) => /^x-/i.test(line)).join();
  facts.cookies = requests.some((request) => /^cookie:/im.test(request));
  facts.proxies = typeof undici.ProxyAgent;
  await dispatcher.destroy();
  server.close();
}

async function describeWs() {
  const server = new WebSocketServer({ port: 0, host: LOCAL });
  await new Promise((resolve) => server.on("listening", resolve));
  const answer = await talk(
    server.address().port,
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
      "Origin: http://evil.example\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n" +
      "\x88\x80\0\0\0\0",
  );
  facts.anyOrigin = answer.startsWith("HTTP/1.1 101 ");
  facts.compressesUnasked = /^sec-websocket-extensions:/im.test(answer);
  facts.maxPayload = server.options.maxPayload;
  facts.pause = typeof WebSocket.prototype.pause;
  server.close();
}

async function describeDns() {
  const resolver = new dns.Resolver();
  resolver.setServers([`${LOCAL}:${dnsPort}`]);
  const [address] = await resolver.resolve4("www.example", { ttl: true });
  facts.addressTtl = typeof address.ttl;
  const codeOf = (name) => resolver.resolve4(name).then(() => "", ({ code }) => code);
  facts.absence = [await codeOf("none.example"), await codeOf("empty.example")].join();
}

await describeHttp();
await describeUndici();
await describeWs();
await describeDns();
console.log(JSON.stringify(facts));
