/**
 * A program for `many_connections.ts`: opens connections to a port of 127.0.0.1, sends one message
 * over each and reads its echo, keeps them all open, and prints how many echoes were right. At a
 * line of its input it closes them all, says so and ends.
 *
 * Arguments: the port, how many.
 */

import { LineReader } from "../bench/_support/line_reader.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";

/** Connections opened at a time: less than a listener holds that it has not accepted. */
const MAX_OPENING = 128;
const MESSAGE_BYTES = 32;

/** Opens a connection; gives it back if the echo of its message, which no other has, is right. */
async function open(port: number, index: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const message = new TextEncoder().encode(String(index).padStart(MESSAGE_BYTES, "."));
  await sendAll(conn, message);
  const answer = new Uint8Array(MESSAGE_BYTES);
  await recvExactly(conn, answer);
  if (answer.some((byte, at) => byte !== message[at])) throw new Error(`Wrong echo of ${index}`);
  return conn;
}

async function main(port: number, connectionCount: number): Promise<void> {
  const opened: Deno.TcpConn[] = [];
  let nextIndex = 0;
  const openInTurn = async (): Promise<void> => {
    while (nextIndex < connectionCount) opened.push(await open(port, nextIndex++));
  };
  await Promise.all(Array.from({ length: MAX_OPENING }, openInTurn));
  console.log(opened.length);
  const input = new LineReader(Deno.stdin.readable);
  await input.next();
  for (const conn of opened) conn.close();
  console.log("closed");
  await input.cancel();
}

if (import.meta.main) await main(Number(Deno.args[0]), Number(Deno.args[1]));
