// A client on ws: `node ws_client.mjs FOLDER URL OPTIONS` sends messages of all sizes, whole and in
// fragments, to an echo server and prints as JSON what came of it. FOLDER is where ws is installed.

import { createRequire } from "node:module";

const [folder, url, options] = process.argv.slice(2);
const { WebSocket } = createRequire(`${folder}/package.json`)(folder);
const sizes = [0, 1, 125, 126, 1_000, 65_535, 65_536, 300_000];
const sent = sizes.flatMap((size) => [
  "é".repeat(size),
  Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 31) & 0xff)),
]);

const ws = new WebSocket(url, JSON.parse(options));
let rightCount = 0;
let pong = false;
let next = 0;
ws.on("open", () => {
  for (const data of sent) ws.send(data);
  ws.send("in ", { fin: false });
  ws.ping("ping");
  ws.send("fragments", { fin: true });
});
ws.on("pong", (data) => pong = data.toString() === "ping");
ws.on("message", (data, isBinary) => {
  const expected = next < sent.length ? sent[next] : "in fragments";
  next++;
  if (isBinary === (typeof expected !== "string") && data.equals(Buffer.from(expected))) {
    rightCount++;
  }
  if (next > sent.length) ws.close(4000, "done");
});
ws.on("error", (error) => console.error(error));
ws.on("close", (code, reason) => {
  const isCompressed = ws.extensions.includes("permessage-deflate");
  console.log(JSON.stringify({ rightCount, pong, code, reason: reason.toString(), isCompressed }));
});
