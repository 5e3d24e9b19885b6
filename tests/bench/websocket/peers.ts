import { Child } from "../_support/child.ts";
import { installPeer } from "../_support/npm_peer.ts";
import {
  type BenchPeer,
  findBun,
  findPeers as findPeersOf,
  findProgram,
} from "../_support/peers.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import type { Mode } from "./scenarios.ts";

/** The ws that is compared with, and the native code for unmasking that it uses if it is there. */
const WS_VERSION = "8.23.0";
const BUFFERUTIL_VERSION = "4.1.0";

/** A server implementation that is measured. */
export interface Peer extends BenchPeer {
  /** What it can do. */
  readonly modes: readonly Mode[];
  /** The command that serves, to be followed by the mode. */
  readonly command: readonly [program: string, ...args: string[]];
}

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  /** Its process. */
  readonly pid: number;
  /** Its port on 127.0.0.1. */
  readonly port: number;
}

const ALL_MODES: readonly Mode[] = ["plain", "deflate"];

function fileOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

function ofDeno(name: string, modes: readonly Mode[]): Peer {
  const command = [
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    fileOf(`server_${name}.ts`),
  ] as const;
  return { name, version: `deno ${Deno.version.deno}`, modes, command: [...command] };
}

function ofNode(): Peer {
  const { command, version } = findProgram("node");
  const modules = installPeer("ws", WS_VERSION);
  const native = installPeer("bufferutil", BUFFERUTIL_VERSION);
  return {
    name: "ws",
    version: `ws ${WS_VERSION}, node ${version}`,
    modes: ALL_MODES,
    // `env` becomes the program, as `taskset` does.
    command: ["env", `NODE_PATH=${native}`, command, fileOf("server_ws.mjs"), modules],
  };
}

function ofBun(): Peer {
  const { command, version } = findBun();
  const name = "bun";
  return {
    ...{ name, version: `bun ${version}`, modes: ALL_MODES },
    command: [command, fileOf("server_bun.mjs")],
  };
}

const PEERS: Readonly<Record<string, () => Peer>> = {
  ours: () => ofDeno("ours", ALL_MODES),
  // It agrees to no extension.
  deno: () => ofDeno("deno", ["plain"]),
  ws: ofNode,
  bun: ofBun,
  bare: () => ofDeno("bare", ["plain"]),
};

/** Names of all peers. */
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

/**
 * Finds or installs peers. One that is missing here is left out with a word on stderr.
 *
 * @throws {RangeError} If there is no peer of that name.
 */
export function findPeers(names: readonly string[]): Peer[] {
  return findPeersOf(PEERS, names);
}

/** Starts a peer on its core and waits until it listens. */
export async function startServer({ name, command }: Peer, mode: Mode): Promise<RunningServer> {
  await using stack = new AsyncDisposableStack();
  const [program, ...args] = command;
  const child = stack.use(
    new Child(`${name} ${mode}`, { command: program, args: [...args, mode], core: SERVER_CORE }),
  );
  const port = Number(await child.readLine());
  const running = stack.move();
  return { pid: child.pid, port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
