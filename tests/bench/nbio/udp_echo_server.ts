// Echoes datagrams in one of several ways: `deno run -A udp_echo_server.ts WAY` prints its port.
import { createSocket } from "node:dgram";
import { bindUdp } from "@nbio/net/nbio";

const HOSTNAME = "127.0.0.1";

/** One way to echo; it gives the port. */
type Way = () => number | Promise<number>;

/** `node:dgram` as its documentation shows it: nobody learns of a send that failed. */
async function bareNode(): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(0, HOSTNAME, resolve));
  return socket.address().port;
}

/** The same with a callback, by which a caller learns of a send that failed, as ours does. */
async function checkedNode(): Promise<number> {
  const socket = createSocket("udp4");
  const onSent = (error: Error | null): void => {
    if (error) throw error;
  };
  socket.on("message", (message, from) => socket.send(message, from.port, from.address, onSent));
  await new Promise<void>((resolve) => socket.bind(0, HOSTNAME, resolve));
  return socket.address().port;
}

/** `Deno.listenDatagram`, which needs `--unstable-net`. */
function bareDeno(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: HOSTNAME, port: 0 });
  (async () => {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const [bytes, from] = await socket.receive(buffer);
      await socket.send(bytes, from);
    }
  })();
  return (socket.addr as Deno.NetAddr).port;
}

async function ours(): Promise<number> {
  const socket = await bindUdp({ hostname: HOSTNAME });
  (async () => {
    for (;;) {
      const { bytes, from } = await socket.receive();
      await socket.send(bytes, from);
    }
  })();
  return socket.localAddr.port;
}

async function iterated(): Promise<number> {
  const socket = await bindUdp({ hostname: HOSTNAME });
  (async () => {
    for await (const { bytes, from } of socket) await socket.send(bytes, from);
  })();
  return socket.localAddr.port;
}

const WAYS: Record<string, Way> = { bareNode, checkedNode, bareDeno, ours, iterated };

console.log(await WAYS[Deno.args[0]!]!());
