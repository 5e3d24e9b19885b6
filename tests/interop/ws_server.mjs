// An echo server on ws: `node ws_server.mjs FOLDER OPTIONS` prints its port. FOLDER is where ws is
// installed.

import { createRequire } from "node:module";

const [folder, options] = process.argv.slice(2);
const { WebSocketServer } = createRequire(`${folder}/package.json`)(folder);
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...JSON.parse(options) });
server.on("listening", () => console.log(`Listening on ${server.address().port}`));
server.on("connection", (ws) => {
  ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
});
