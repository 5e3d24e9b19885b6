/**
 * A TCP proxy: connects every client to one other address and carries bytes
 * both ways.
 *
 * ```sh
 * deno run --allow-net examples/tcp_proxy.ts --listen=127.0.0.1:7001 --to=example.com:80
 * curl --header "Host: example.com" http://127.0.0.1:7001/
 * ```
 *
 * An end is carried as bytes are: if one side ends its direction, the other side
 * reads the end and can still answer (half-close). A side that reads slowly
 * slows down the side that writes, and memory stays flat.
 *
 * Options: `--listen` (default 127.0.0.1:7001, port 0 for any), `--to`
 * (required), `--idle-ms` (default 300000: a connection on which nothing moves
 * for so long is closed).
 */

import { closeQuietly, copy, deadlines, dial, listen, type Transport } from "@nbio/net/nbio";
import { parseArgs } from "node:util";

interface Address {
  readonly hostname: string;
  readonly port: number;
}

async function carry(client: Transport, to: Address, idleTimeoutMs: number): Promise<void> {
  const server = await dial({ ...to, connectTimeoutMs: 10_000 });
  const silence = new AbortController();
  // One deadline for both directions: a long download is silent the other way.
  const idle = deadlines.create(() => silence.abort(new Error("nothing moved for too long")));
  const options = {
    closeWrite: true,
    signal: silence.signal,
    onProgress: (): void => idle.arm(idleTimeoutMs),
  };
  idle.arm(idleTimeoutMs);
  // A direction that fails closes both connections, and so ends the other one.
  const directions = [copy(client, server, options), copy(server, client, options)];
  try {
    await Promise.all(directions);
  } finally {
    await Promise.allSettled(directions);
    idle.cancel();
    closeQuietly(client);
    closeQuietly(server);
  }
}

/** `host:port`, with an IPv6 address in brackets. */
function parseAddress(option: string, text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(text);
  if (match === null) throw new TypeError(`Cannot use --${option}=${text}: expected host:port`);
  return { hostname: match[1] ?? match[2]!, port: Number(match[3]) };
}

const { values } = parseArgs({
  options: {
    "listen": { type: "string", default: "127.0.0.1:7001" },
    "to": { type: "string", default: "" },
    "idle-ms": { type: "string", default: "300000" },
  },
});
const to = parseAddress("to", values.to);
const idleTimeoutMs = Number(values["idle-ms"]);

const listener = listen({
  ...parseAddress("listen", values.listen),
  // The connection of the client is closed by then.
  onError: (error) => console.error(`A connection failed: ${error}`),
});
const { hostname, port } = listener.addr as Deno.NetAddr;
console.log(`Proxying on ${hostname}:${port}`);
await listener.serve((client) => carry(client, to, idleTimeoutMs));
