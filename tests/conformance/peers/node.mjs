// Node's clients behind the line protocol of `client_peer.ts`; the argument is the suite.

import { readFileSync } from "node:fs";
import { get } from "node:http";
import { Resolver } from "node:dns/promises";
import { createInterface } from "node:readline";
import { connect } from "node:tls";

const TASKS = {
  async fetch([url]) {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5_000) });
    return `${response.status} ${await response.text()}`;
  },
  http: ([url]) =>
    new Promise((resolve, reject) => {
      const request = get(url, { signal: AbortSignal.timeout(5_000) }, (response) => {
        let body = "";
        response.setEncoding("latin1");
        response.on("data", (text) => body += text);
        response.on("error", reject);
        response.on("end", () => resolve(`${response.statusCode} ${body}`));
      });
      request.on("error", reject);
    }),
  async dns([port, name, type]) {
    const resolver = new Resolver({ timeout: 1_000, tries: 2 });
    resolver.setServers([`127.0.0.1:${port}`]);
    return (await resolver.resolve(name, type)).sort();
  },
  tls: ([port, servername, file]) =>
    new Promise((resolve, reject) => {
      const ca = readFileSync(file);
      const socket = connect({ host: "127.0.0.1", port: Number(port), servername, ca }, () => {
        socket.destroy();
        resolve("secure");
      });
      socket.on("error", reject);
    }),
};

const run = TASKS[process.argv[2]];
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await run(line.split(" ")).then(
    (ok) => ({ ok }),
    (error) => ({ error: `${error}` }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
