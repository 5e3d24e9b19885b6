/**
 * A program for tests: an echo server, run with few file descriptors. It prints its port, then the
 * code of every failure to accept, and for every line of its input how many connections it has. It
 * ends when its input does.
 *
 * With the argument `bind` it listens by `bindReusePort()`, within bounds that leave it some.
 */

import { LineReader } from "../bench/_support/line_reader.ts";
import { bindReusePort } from "../../nbio/bind_reuse_port.ts";
import { listen, type ListenOptions } from "../../nbio/listen.ts";
import { sendAll } from "../../nbio/send_all.ts";

// The runtime sets its signals up within its first second, and panics if there is no descriptor
// left for them by then. A listener for a signal makes it do so now.
const onSignal = (): void => {};
Deno.addSignalListener("SIGUSR2", onSignal);
Deno.removeSignalListener("SIGUSR2", onSignal);

const HERE = { hostname: "127.0.0.1" } as const;
const where: ListenOptions = Deno.args[0] === "bind"
  ? { listener: await bindReusePort({ ...HERE, maxPendingConnections: 8 }), maxConnections: 8 }
  : HERE;
const listener = listen({
  ...where,
  onAcceptError: (error) => console.log((error as { code?: string }).code ?? error),
});
console.log((listener.addr as Deno.NetAddr).port);
listener.serve(async (transport) => {
  const buffer = new Uint8Array(64);
  for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
    await sendAll(transport, buffer.subarray(0, byteCount));
  }
  transport.close();
});
const input = new LineReader(Deno.stdin.readable);
while (await input.next() !== undefined) console.log(listener.stats().activeCount);
listener.close();
await listener.drain();
