/**
 * A program for `bind_reuse_port_test.ts`: listens on a port of 127.0.0.1 that it shares, or says
 * why it cannot. To every connection it sends its name, one byte.
 *
 * Arguments: the name; the port, 0 for any; `listen` or `bind` for the function to do it with. It
 * prints its port and what connections come from, or the name of the error, and ends when its input
 * does.
 */

import { bindReusePort } from "../../nbio/bind_reuse_port.ts";
import { listen } from "../../nbio/listen.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { TransportListener } from "../../nbio/transport_listener.ts";

const [name = "", port = "0", way = "bind"] = Deno.args;

/** Whether it is the runtime's own listener that connections come from. */
let isRuntimes = true;

async function open(): Promise<TransportListener> {
  const address = { hostname: "127.0.0.1", port: Number(port) };
  if (way === "listen") return listen({ ...address, reusePort: true });
  const source = await bindReusePort(address);
  isRuntimes = Symbol.asyncIterator in source;
  return listen({ listener: source });
}

async function main(): Promise<void> {
  await using listener = await open();
  listener.serve(async (transport) => {
    await sendAll(transport, new TextEncoder().encode(name));
    transport.close();
  });
  console.log((listener.addr as Deno.NetAddr).port);
  console.log(isRuntimes ? "Deno.Listener" : "node:net");
  for await (const _ of Deno.stdin.readable);
}

try {
  await main();
} catch (error) {
  console.log((error as Error).name);
}
