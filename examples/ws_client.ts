/**
 * A WebSocket client for the terminal: sends the lines it reads, and shows what comes.
 *
 * ```sh
 * deno run --allow-net examples/ws_client.ts ws://localhost:9001/
 * deno run --allow-net examples/ws_client.ts --echo ws://localhost:9001/
 * ```
 *
 * A line `/ping` pings, `/close 4000 reason` closes; the end of the input closes, too.
 *
 * Options: `--echo` sends back what comes instead of reading lines, for test servers;
 * `--compression` offers permessage-deflate; `--max-message-bytes` (default 16777216, 0 for no
 * bound); `--subprotocol NAME` and `--header "Name: value"`, any number of times;
 * `--max-redirects` (default 0).
 */

import { parseArgs } from "node:util";
import { dial, type WebSocketConnection } from "@nbio/net/websocket";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "echo": { type: "boolean", default: false },
    "compression": { type: "boolean", default: false },
    "max-message-bytes": { type: "string", default: "16777216" },
    "max-redirects": { type: "string", default: "0" },
    "subprotocol": { type: "string", multiple: true, default: [] },
    "header": { type: "string", multiple: true, default: [] },
  },
});

/** Sends back what comes, as it came. */
async function echo(ws: WebSocketConnection): Promise<void> {
  for await (const { data } of ws) await ws.send(data);
}

/** Shows what comes. */
async function show(ws: WebSocketConnection): Promise<void> {
  for await (const message of ws) {
    console.log(message.type === "text" ? `< ${message.data}` : `< [${message.data.toHex()}]`);
  }
}

/** Does what the lines of the terminal say. */
async function sendLines(ws: WebSocketConnection): Promise<void> {
  let rest = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) await obey(ws, line);
  }
  await ws.close();
}

async function obey(ws: WebSocketConnection, line: string): Promise<void> {
  const close = /^\/close(?: (\d+)(?: (.*))?)?$/.exec(line);
  if (close !== null) {
    await ws.close(Number(close[1] ?? 1000), close[2]);
  } else if (line === "/ping") {
    const milliseconds = await ws.ping();
    console.log(`pong after ${milliseconds.toFixed(1)} ms`);
  } else {
    await ws.send(line);
  }
}

const headers = values.header.map((line): [string, string] => {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
});
const ws = await dial(positionals[0] ?? "ws://localhost:9001/", {
  compression: values.compression,
  maxMessageBytes: Number(values["max-message-bytes"]),
  maxRedirects: Number(values["max-redirects"]),
  subprotocols: values.subprotocol,
  headers,
});
if (!values.echo) {
  console.log(`connected${ws.extensions === "" ? "" : `, ${ws.extensions}`}`);
  sendLines(ws).catch((error) => console.error(String(error)));
}
try {
  await (values.echo ? echo(ws) : show(ws));
} catch (error) {
  console.error(String(error));
}
// What is still waiting for a line must not keep the program.
const { code, reason, clean, by } = await ws.closed;
if (!values.echo) console.log(`closed by ${by}: ${code} ${reason}${clean ? "" : " (not clean)"}`);
Deno.exit(clean ? 0 : 1);
