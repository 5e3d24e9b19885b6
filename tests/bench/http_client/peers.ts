import { Child } from "../_support/child.ts";
import { versionOf } from "../_support/machine.ts";
import { exists, installPeer } from "../_support/npm_peer.ts";
import { LOADER_CORE, SERVER_CORE } from "../_support/pinning.ts";

const BUN_VERSION = "1.4.5";
const UNDICI_VERSION = "7.16.0";

/** A client that is measured. */
export interface Peer {
  /** Short name, also for `--peers`. */
  readonly name: string;
  /** What runs it: name and version. */
  readonly version: string;
  /** The command that runs it. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Scenarios it knows. @default undefined (all) */
  readonly scenarios?: readonly string[];
}

function fileOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

function denoPeer(name: string, file: string, scenarios?: readonly string[]): Peer {
  return {
    name,
    version: `deno ${Deno.version.deno}`,
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", fileOf(file)],
    ...scenarios !== undefined && { scenarios },
  };
}

function undiciPeer(): Peer {
  const modules = installPeer("undici", UNDICI_VERSION);
  return {
    name: "undici",
    version: `undici ${UNDICI_VERSION} on node ${versionOf("node")}`,
    command: "node",
    args: [fileOf("client_undici.mjs"), modules],
  };
}

/**
 * The package `bun` brings its program as optional dependencies, one for each platform. A script
 * moves the right one to where the package wants it, but npm may have been told to run none.
 */
function bunPeer(): Peer {
  const modules = installPeer("bun", BUN_VERSION);
  const candidates = [`${modules}/bun/bin/bun.exe`];
  if (exists(`${modules}/@oven`)) {
    for (const { name } of Deno.readDirSync(`${modules}/@oven`)) {
      candidates.push(`${modules}/@oven/${name}/bin/bun`);
    }
  }
  const command = candidates.find((path) => exists(path) && versionOf(path) === BUN_VERSION);
  if (command === undefined) throw new Error("Cannot find Bun: npm installed no program for here");
  return {
    name: "bun",
    version: `bun ${BUN_VERSION}`,
    command,
    args: [fileOf("client_fetch.mjs")],
  };
}

const PEERS: Record<string, () => Peer> = {
  client: () => denoPeer("client", "client_ours.ts"),
  pool: () => denoPeer("pool", "client_pool.ts"),
  connection: () => denoPeer("connection", "client_connection.ts"),
  fetch: () => denoPeer("fetch", "client_fetch.mjs"),
  undici: undiciPeer,
  bun: bunPeer,
  bare: () => denoPeer("bare", "client_bare.ts", ["small"]),
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

/** Starts a client on its core. */
export function startClient(peer: Peer): Child {
  return new Child(peer.name, { command: peer.command, args: peer.args, core: LOADER_CORE });
}

/** Starts the server that all clients ask, on its core. */
export function startServer(): Child {
  const args = ["run", "-A", "--no-check", fileOf("server.ts")];
  return new Child("server", { command: Deno.execPath(), args, core: SERVER_CORE });
}
