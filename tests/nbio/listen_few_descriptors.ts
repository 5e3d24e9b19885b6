/**
 * A program for `listen_test.ts`: an echo server, run with few file
 * descriptors. It prints its port, then the code of every failure to accept,
 * and ends when its input does.
 */

import { listen } from "../../nbio/listen.ts";
import { sendAll } from "../../nbio/send_all.ts";

const listener = listen({
  hostname: "127.0.0.1",
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
for await (const _ of Deno.stdin.readable);
listener.close();
await listener.drain();
