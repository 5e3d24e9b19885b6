// A client on node's `http`: `node node_http_client.mjs PORT SCENARIO` prints its outcome as JSON.

import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

const [port, scenario] = [Number(process.argv[2]), process.argv[3]];
const hostname = "127.0.0.1";
const sample = Buffer.from(
  Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
);

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** One exchange; `send` writes the body and ends the request. */
function exchange(path, options = {}, send = (request) => request.end()) {
  return new Promise((resolve, reject) => {
    const events = [];
    const request = http.request({ hostname, port, path, ...options }, async (response) => {
      try {
        const body = await collect(response);
        resolve({ status: response.statusCode, body, trailers: response.trailers, events });
      } catch (error) {
        reject(error);
      }
    });
    request.on("error", reject);
    request.on("continue", () => events.push("continue"));
    send(request);
  });
}

const scenarios = {
  async "keep-alive"() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set();
    for (let count = 0; count < 50; count++) {
      const { body } = await exchange(`/${count}`, { agent });
      const { url, port } = JSON.parse(body.toString());
      if (url !== `/${count}`) throw new Error(`answer to ${url} in place ${count}`);
      ports.add(port);
    }
    agent.destroy();
    return { connectionCount: ports.size };
  },

  async "parallel"() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    const wanted = sha256(sample.subarray(0, 20_000));
    const answers = await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          exchange("/upload", { agent, method: "POST" }, (request) => {
            request.end(sample.subarray(0, 20_000));
          }),
      ),
    );
    agent.destroy();
    return { rightCount: answers.filter(({ body }) => body.toString() === wanted).length };
  },

  async "pipelining"() {
    const socket = net.connect(port, hostname);
    let text = "";
    for (let count = 0; count < 100; count++) {
      text += `GET /query?${count} HTTP/1.1\r\nHost: a\r\n\r\n`;
    }
    socket.write(text);
    socket.end("GET /query?last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const received = (await collect(socket)).toString();
    const answers = [...received.matchAll(/\r\n\r\n\?(\w+?)(?=HTTP|$)/g)].map((match) => match[1]);
    return { answers: answers.join(" ") };
  },

  async "chunked with trailers"() {
    const headers = { "transfer-encoding": "chunked", trailer: "x-sent" };
    const result = await exchange("/relay", { method: "POST", headers }, (request) => {
      for (let start = 0; start < sample.length; start += 100_000) {
        request.write(sample.subarray(start, start + 100_000));
      }
      request.addTrailers({ "x-sent": "all" });
      request.end();
    });
    return { isSame: result.body.equals(sample), trailers: result.trailers };
  },

  async "100-continue"() {
    const options = { method: "POST", headers: { expect: "100-continue" } };
    const { status, body, events } = await exchange("/upload", options, (request) => {
      request.flushHeaders();
      request.on("continue", () => request.end(sample));
    });
    return { status, isSame: body.toString() === sha256(sample), events };
  },

  async "refused expectation"() {
    const headers = { expect: "100-continue", "content-length": sample.length };
    const { status, events } = await exchange("/refuse", { method: "POST", headers }, (request) => {
      request.flushHeaders();
      request.on("response", () => request.destroy());
    });
    return { status, events };
  },

  async "abort in mid-upload"() {
    const headers = { "content-length": sample.length };
    const request = http.request({ hostname, port, path: "/upload", method: "POST", headers });
    request.on("error", () => {});
    request.write(sample.subarray(0, 300_000), () => request.destroy());
    await new Promise((resolve) => request.on("close", resolve));
    return {};
  },

  async "reset while the handler waits"() {
    const socket = net.connect(port, hostname);
    socket.write("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "data");
    socket.resetAndDestroy();
    return {};
  },

  async "abort in mid-download"() {
    const request = http.get({ hostname, port, path: "/endless" });
    const [response] = await once(request, "response");
    await once(response, "data");
    response.destroy();
    await once(request, "close");
    return {};
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
