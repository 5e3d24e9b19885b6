import { Child } from "../_support/child.ts";
import {
  type BenchPeer,
  findBun,
  findPeers as findPeersOf,
  findProgram,
} from "../_support/peers.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import type { Route } from "./scenarios.ts";

/** A server implementation that is measured. */
export interface Peer extends BenchPeer {
  /** Routes it knows. */
  readonly routes: readonly Route[];
  /** The command that serves a route. */
  readonly command: string;
  /** Arguments before the route. */
  readonly args: readonly string[];
}

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  /** Its process. */
  readonly pid: number;
  /** Its port on 127.0.0.1. */
  readonly port: number;
}

const ALL_ROUTES: readonly Route[] = ["greet", "large", "upload", "echo"];

function fileOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

function denoPeer(name: string, routes: readonly Route[]): Peer {
  return {
    name,
    version: `deno ${Deno.version.deno}`,
    routes,
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", fileOf(`server_${name}.ts`)],
  };
}

function nodePeer(): Peer {
  const { command, version } = findProgram("node");
  return {
    name: "node",
    version: `node ${version}`,
    routes: ALL_ROUTES,
    command,
    args: [fileOf("server_node.mjs")],
  };
}

function bunPeer(): Peer {
  const { command, version } = findBun();
  return {
    name: "bun",
    version: `bun ${version}`,
    routes: ALL_ROUTES,
    command,
    args: [fileOf("server_bun.mjs")],
  };
}

const PEERS: Record<string, () => Peer> = {
  ours: () => denoPeer("ours", ALL_ROUTES),
  deno: () => denoPeer("deno", ALL_ROUTES),
  node: nodePeer,
  bun: bunPeer,
  bare: () => denoPeer("bare", ["greet", "large"]),
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
export async function startServer(peer: Peer, route: Route): Promise<RunningServer> {
  const child = new Child(`${peer.name} ${route}`, {
    command: peer.command,
    args: [...peer.args, route],
    core: SERVER_CORE,
  });
  try {
    const port = Number(await child.readLine());
    return { pid: child.pid, port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
