/**
 * A program for `udp_process_test.ts`.
 *
 * - `hold STEP...`: binds a socket, takes the steps `ref`, `unref` and `receive`, and prints what it
 *   received. It runs for as long as the socket keeps it alive.
 * - `permit ADDRESS PORT`: binds the address and sends to its port; prints what came of both.
 */

import { bindUdp } from "../../nbio/udp.ts";

async function hold(steps: readonly string[]): Promise<void> {
  const socket = await bindUdp({ hostname: "127.0.0.1" });
  console.log(`port ${socket.localAddr.port}`);
  for (const step of steps) {
    if (step === "ref") socket.ref();
    else if (step === "unref") socket.unref();
    else console.log(`received ${(await socket.receive()).bytes.length}`);
  }
  // The process does not wait for this unless the socket makes it wait.
  socket.receive().then(({ bytes }) => {
    console.log(`last ${bytes.length}`);
    socket.close();
  });
}

/** The name of the error that a promise rejects with, `ok` if it does not. */
function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "ok", (error) => error.constructor.name);
}

async function permit(hostname: string, port: number): Promise<void> {
  const binding = bindUdp({ hostname });
  const bound = await outcome(binding);
  console.log(`bind ${bound}`);
  if (bound !== "ok") return;
  const socket = await binding;
  console.log(`send ${await outcome(socket.send(new Uint8Array(1), {
    transport: "udp",
    hostname,
    port,
  }))}`);
  socket.close();
}

const [action, ...args] = Deno.args;
if (action === "hold") await hold(args);
else await permit(args[0]!, Number(args[1]));
