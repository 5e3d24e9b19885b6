// Uses examples/json_api.ts through node:http and prints what it saw as JSON.
//
//   node json_api_node_client.mjs PORT

import { createHash } from "node:crypto";
import { Agent, request } from "node:http";

const [port] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let cookie = "";

/** One request; `body` is a list of chunks, `trailers` come behind them. */
function call(method, path, { headers = {}, body = [], trailers } = {}) {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, agent, method, path };
    const sent = request({ ...options, headers: { ...headers, ...cookie && { cookie } } });
    let early;
    sent.on("information", ({ statusCode }) => early = statusCode);
    sent.on("error", reject);
    sent.on("response", async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      const [line] = response.headers["set-cookie"] ?? [];
      if (line !== undefined) cookie = line.split(";")[0];
      const { statusCode: status, trailers } = response;
      resolve({ status, early, trailers, body: Buffer.concat(chunks) });
    });
    for (const chunk of body) sent.write(chunk);
    if (trailers !== undefined) sent.addTrailers(trailers);
    sent.end();
  });
}

/** Sends the body when it is asked for. */
function callAndWait(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { cookie, "expect": "100-continue", "content-length": body.length };
    const sent = request({ host: "127.0.0.1", port, agent, method, path, headers });
    sent.on("continue", () => sent.end(body));
    sent.on("error", reject);
    sent.on("response", (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode }));
      sent.destroy();
    });
    sent.flushHeaders();
  });
}

const digestOf = (bytes) => createHash("sha256").update(bytes).digest("base64");

function formOf(files) {
  const parts = files.flatMap(([name, bytes]) => [
    `--xyz\r\nContent-Disposition: form-data; name="files"; filename="${name}"\r\n\r\n`,
    bytes,
    "\r\n",
  ]);
  return Buffer.concat([...parts, "--xyz--\r\n"].map((part) => Buffer.from(part)));
}

const large = Buffer.alloc(1 << 20, "0123456789abcdefghijklm");
const seen = {};
seen.before = (await call("GET", "/api/me")).status;
seen.login = (await call("POST", "/api/login", {
  headers: { "content-type": "application/json" },
  body: [JSON.stringify({ name: "ada", password: "lovelace" })],
})).status;
seen.form = (await call("POST", "/api/files", {
  headers: { "content-type": "multipart/form-data; boundary=xyz" },
  body: [formOf([["large.bin", large], ["größe.txt", "small"]])],
})).status;
const { files } = JSON.parse((await call("GET", "/api/files?order=size")).body);
seen.names = files.map(({ name }) => name);
const download = await call("GET", files[0].url, { headers: { te: "trailers" } });
seen.isSame = download.body.equals(large);
seen.trailer = download.trailers["content-digest"] === `sha-256=:${digestOf(large)}:`;
seen.early = (await call("GET", "/")).early;
for (const [key, digest] of [["trailerUpload", digestOf(large)], ["wrongTrailerUpload", "AAAA"]]) {
  seen[key] = (await call("PUT", "/api/files/a", {
    headers: { "transfer-encoding": "chunked", "trailer": "content-digest" },
    body: [large.subarray(0, 100), large.subarray(100)],
    trailers: { "content-digest": `sha-256=:${digest}:` },
  })).status;
}
seen.tooLarge = (await callAndWait("PUT", "/api/files/a", Buffer.alloc(3 << 20))).status;
seen.logout = (await call("POST", "/api/logout")).status;
seen.after = (await call("GET", "/api/me")).status;
agent.destroy();
console.log(JSON.stringify(seen));
