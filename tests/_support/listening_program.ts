/** Programs that serve at a port they are told, with a folder of their own. */

import { delay } from "@std/async/delay";
import type { Peer } from "./peer.ts";

/** Where a program is, and what it has. */
export interface ListeningProgram {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** The folder. */
  readonly folder: string;
}

/**
 * Runs the work while a program listens. The folder is gone afterwards.
 *
 * @param start Writes what the program needs into the folder, and starts it at the port.
 * @param work What the program is there for.
 */
export async function whileListening(
  start: (program: ListeningProgram) => Peer | Promise<Peer>,
  work: (program: ListeningProgram) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nbio_program_" });
  try {
    // A program that changes its user still has to see its files.
    await Deno.chmod(folder, 0o755);
    const program = { port: freePort(), folder };
    await using _peer = await start(program);
    await listening(program.port);
    await work(program);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Few programs can be told to choose a port and to say which: one that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * Waits until somebody takes connections at a port of 127.0.0.1.
 *
 * @throws {Deno.errors.ConnectionRefused} If nobody does in time.
 */
async function listening(port: number, timeoutMs = 15_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await delay(5);
  }
}
