/** The runtime's own clients behind the line protocol of `client_peer.ts`. */

import { runLines } from "./run_lines.ts";

/** What each suite asks for. */
const TASKS: Readonly<Record<string, (task: readonly string[]) => Promise<unknown>>> = {
  async http([url]) {
    const response = await fetch(url!, { redirect: "manual", signal: AbortSignal.timeout(5_000) });
    return `${response.status} ${await response.text()}`;
  },
  async dns([port, name, type]) {
    const nameServer = { ipAddr: "127.0.0.1", port: Number(port) };
    const signal = AbortSignal.timeout(6_000);
    return (await Deno.resolveDns(name!, type as "A", { nameServer, signal })).sort();
  },
  async tls([port, hostname, file]) {
    const caCerts = [await Deno.readTextFile(file!)];
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    using connection = await Deno.startTls(tcp, { hostname: hostname!, caCerts });
    await connection.handshake();
    return "secure";
  },
};

await runLines(TASKS[Deno.args[0]!]!);
