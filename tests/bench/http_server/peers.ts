import { Child } from "../_support/child.ts";
import { versionOf } from "../_support/machine.ts";
import { exists, installPeer } from "../_support/npm_peer.ts";
import { SERVER_CORE } from "../_support/pinning.ts";
import type { Route } from "./scenarios.ts";

/** The Bun that is compared with. */
const BUN_VERSION = "1.4.5";

/** A server implementation that is measured. */
export interface Peer {
  /** Short name, also for `--peers`. */
  readonly name: string;
  /** What runs the server: name and version. */
  readonly version: string;
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
  const version = versionOf("node");
  if (version === "unknown") throw new Error("Cannot find node: it is not on the path");
  return {
    name: "node",
    version: `node ${version}`,
    routes: ALL_ROUTES,
    command: "node",
    args: [fileOf("server_node.mjs")],
  };
}

function bunPeer(): Peer {
  const command = bunExecutable(installPeer("bun", BUN_VERSION));
  return {
    name: "bun",
    version: `bun ${versionOf(command)}`,
    routes: ALL_ROUTES,
    command,
    args: [fileOf("server_bun.mjs")],
  };
}

/**
 * The package `bun` brings its program as optional dependencies, one for each platform. A script
 * moves the right one to where the package wants it, but npm may have been told to run none.
 */
function bunExecutable(modules: string): string {
  const candidates = [`${modules}/bun/bin/bun.exe`];
  if (exists(`${modules}/@oven`)) {
    for (const { name } of Deno.readDirSync(`${modules}/@oven`)) {
      candidates.push(`${modules}/@oven/${name}/bin/bun`);
    }
  }
  const executable = candidates.find((path) => exists(path) && versionOf(path) === BUN_VERSION);
  if (executable === undefined) {
    throw new Error("Cannot find Bun: npm installed no program that runs here");
  }
  return executable;
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
  const peers: Peer[] = [];
  for (const name of names) {
    const find = PEERS[name];
    if (find === undefined) {
      throw new RangeError(`Cannot find peer "${name}": known are ${PEER_NAMES.join(", ")}`);
    }
    try {
      peers.push(find());
    } catch (error) {
      console.error(`Without ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return peers;
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
