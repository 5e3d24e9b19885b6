/**
 * A TCP echo server: sends back what it gets, until the client ends its side.
 *
 * ```sh
 * deno run --allow-net examples/echo_tcp.ts --port=7000
 * nc 127.0.0.1 7000
 * ```
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 7000, 0 for any).
 */

import { lingeringClose, listen, sendAll, type Transport } from "@nbio/net/nbio";

async function echo(transport: Transport): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
      // Reading goes on when the peer has taken the echo: that is the
      // back-pressure which keeps memory flat.
      await sendAll(transport, buffer.subarray(0, byteCount));
    }
  } catch {
    // The peer left in the middle; lingeringClose() tidies up.
  }
  await lingeringClose(transport);
}

/** Value of `--name=value` or `--name value`. */
function option(name: string): string | undefined {
  for (const [index, arg] of Deno.args.entries()) {
    if (arg === `--${name}`) return Deno.args[index + 1];
    if (arg.startsWith(`--${name}=`)) return arg.slice(name.length + 3);
  }
  return undefined;
}

const listener = listen({
  hostname: option("hostname") ?? "127.0.0.1",
  port: Number(option("port") ?? 7_000),
});
const { hostname, port } = listener.addr as Deno.NetAddr;
console.log(`Echoing on ${hostname}:${port}`);
await listener.serve(echo);
