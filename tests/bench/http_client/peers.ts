import { Child } from "../_support/child.ts";
import { installPeer } from "../_support/npm_peer.ts";
import {
  type BenchPeer,
  findBun,
  findPeers as findPeersOf,
  findProgram,
} from "../_support/peers.ts";
import { LOADER_CORE, SERVER_CORE } from "../_support/pinning.ts";

const UNDICI_VERSION = "7.16.0";

/** A client that is measured. */
export interface Peer extends BenchPeer {
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
  const { command, version } = findProgram("node");
  const modules = installPeer("undici", UNDICI_VERSION);
  return {
    name: "undici",
    version: `undici ${UNDICI_VERSION} on node ${version}`,
    command,
    args: [fileOf("client_undici.mjs"), modules],
  };
}

function bunPeer(): Peer {
  const { command, version } = findBun();
  return { name: "bun", version: `bun ${version}`, command, args: [fileOf("client_fetch.mjs")] };
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
  return findPeersOf(PEERS, names);
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
