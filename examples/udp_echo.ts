/**
 * A UDP echo server: sends every datagram back to where it came from.
 *
 * ```sh
 * deno run --allow-net examples/udp_echo.ts --port=7000
 * nc -u 127.0.0.1 7000
 * ```
 *
 * Anybody can forge a source, so whoever answers strangers can be made to send
 * to a third one: good for trying things out, not for the open Internet.
 *
 * Options: `--hostname` (an address, default 127.0.0.1), `--port` (default 7000,
 * 0 for any).
 */

import { bindUdp } from "@nbio/net/nbio";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    "hostname": { type: "string", default: "127.0.0.1" },
    "port": { type: "string", default: "7000" },
  },
});

const socket = await bindUdp({ hostname: values.hostname, port: Number(values.port) });
const { hostname, port } = socket.localAddr;
console.log(`Echoing on ${hostname}:${port}`);

for await (const { bytes, from } of socket) {
  try {
    await socket.send(bytes, from);
  } catch (error) {
    // One that cannot be answered, as from a forged source, must not end the rest.
    console.error(`Cannot echo to ${from.hostname}:${from.port}:`, error);
  }
}
