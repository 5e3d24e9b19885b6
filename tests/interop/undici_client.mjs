// A client on undici: `node undici_client.mjs FOLDER PORT SCENARIO` prints its outcome as JSON.
// FOLDER is where undici is installed.

import { createRequire } from "node:module";
import { Readable } from "node:stream";

const [folder, port, scenario] = process.argv.slice(2);
const { Client } = createRequire(`${folder}/package.json`)(folder);
const origin = `http://127.0.0.1:${port}`;
const sample = Buffer.from(
  Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
);

const scenarios = {
  async "pipelining"(client) {
    const answers = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const { statusCode, body } = await client.request({
          path: `/query?${index}`,
          method: "GET",
        });
        return statusCode === 200 && await body.text() === `?${index}`;
      }),
    );
    return { rightCount: answers.filter(Boolean).length };
  },

  async "pipelined uploads"(client) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const sent = sample.subarray(index * 100, index * 100 + 5_000);
        const { body } = await client.request({
          path: "/echo",
          method: "PUT",
          body: sent,
          idempotent: true,
        });
        return sent.equals(Buffer.from(await body.arrayBuffer()));
      }),
    );
    return { rightCount: answers.filter(Boolean).length };
  },

  async "streams both ways"(client) {
    const source = Readable.from([sample.subarray(0, 7), sample.subarray(7)]);
    const { body, trailers } = await client.request({
      path: "/relay",
      method: "POST",
      body: source,
    });
    const received = Buffer.from(await body.arrayBuffer());
    return { isSame: received.equals(sample), byteCount: trailers["x-byte-count"] };
  },

  async "aborts a response"(client) {
    const controller = new AbortController();
    const { body } = await client.request({
      path: "/endless",
      method: "GET",
      signal: controller.signal,
    });
    try {
      for await (const _chunk of body) controller.abort();
    } catch (error) {
      return { name: error.name };
    }
  },
};

const client = new Client(origin, { pipelining: 10 });
console.log(JSON.stringify(await scenarios[scenario](client)));
await client.destroy();
