/** Our clients behind the line protocol of `client_peer.ts`; the argument is the suite. */

import { Resolver } from "@nbio/net/dns";
import { Client } from "@nbio/net/http";
import { connectTls, defaultTlsProvider, nodeProvider } from "@nbio/net/tls";
import { runLines } from "./run_lines.ts";

const http = new Client({ totalTimeoutMs: 5_000 });

/** What each suite asks for. */
const TASKS: Readonly<Record<string, (task: readonly string[]) => Promise<unknown>>> = {
  async http([url]) {
    const response = await http.get(url!);
    return `${response.status} ${await response.text()}`;
  },
  async dns([port, name, type]) {
    const server = { address: "127.0.0.1", port: Number(port) };
    await using resolver = new Resolver({
      servers: [server],
      timeoutMs: 400,
      attempts: 2,
      cache: false,
      hosts: false,
      specialNames: false,
    });
    const records = await resolver.resolve(name!, type as "A" | "AAAA");
    return records.map(({ data }) => data.address).sort();
  },
  tls: (task) => secure(task, defaultTlsProvider),
  "tls-node": (task) => secure(task, nodeProvider),
};

async function secure(
  [port, hostname, file]: readonly string[],
  provider: typeof defaultTlsProvider,
): Promise<string> {
  const connection = await connectTls({
    hostname: "127.0.0.1",
    port: Number(port),
    tls: { hostname: hostname!, caCerts: [await Deno.readTextFile(file!)] },
    provider,
  });
  connection.close();
  return "secure";
}

await runLines(TASKS[Deno.args[0]!]!);
