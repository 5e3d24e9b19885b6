// Echoes with npm's ws: `node server_ws.mjs NODE_MODULES MODE` prints its port.
import { createRequire } from "node:module";
import process from "node:process";

const [modules, mode] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
// Without it ws unmasks in JavaScript, which takes several times as long.
require("bufferutil");
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  perMessageDeflate: mode === "deflate",
});
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  // The loader closes where it pleases.
  socket.on("error", () => {});
});
