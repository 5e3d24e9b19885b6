/**
 * The servers that may be installed, for each suite of servers. They answer as `http_target.ts` does,
 * or echo messages; nginx has no such application, and stands in front of ours.
 */

import { whileListening } from "../_support/listening_program.ts";
import { type Peer, startPeer } from "../_support/peer.ts";
import type { RawAddress } from "../_support/raw_client.ts";
import { startTarget } from "./http_target.ts";

/** The suites of servers. */
export type ServerSuiteName = "http-server" | "websocket-server";

/** A server under test. */
export interface ServerPeer {
  readonly name: string;
  /** Runs the work while the server listens. */
  readonly whileRunning: (work: (address: RawAddress) => Promise<void>) => Promise<void>;
}

/** A suite takes no longer with anybody. */
const RUN_TIMEOUT_MS = 600_000;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
/** Debian's has its packages, and need not be the first one on the path. */
const PYTHONS = ["python3", "/usr/bin/python3"];

function pathOf(file: string): string {
  return new URL(`./peers/${file}`, import.meta.url).pathname;
}

/** A program that prints the port it has chosen. */
function program(name: string, command: string, args: readonly string[]): ServerPeer {
  return {
    name,
    async whileRunning(work) {
      await using peer = startPeer(command, args, RUN_TIMEOUT_MS);
      const [, port] = await peer.ready(/^Listening on (\d+)$/);
      await work({ hostname: "127.0.0.1", port: Number(port) });
    },
  };
}

function runtime(suite: string): ServerPeer {
  const flags = ["run", "-A", "--no-check", "--config", CONFIG];
  return program("deno", Deno.execPath(), [...flags, pathOf("runtime_server.ts"), suite]);
}

/** nginx as a proxy of our target: what comes through has been judged by both. */
const NGINX: ServerPeer = {
  name: "nginx",
  async whileRunning(work) {
    await using target = startTarget();
    const start = async ({ port, folder }: { port: number; folder: string }): Promise<Peer> => {
      const text = nginxConfiguration(folder, port, target.address.port);
      await Deno.writeTextFile(`${folder}/nginx.conf`, text);
      const args = ["-e", "stderr", "-p", folder, "-c", `${folder}/nginx.conf`];
      return startPeer("nginx", args, RUN_TIMEOUT_MS);
    };
    await whileListening(start, ({ port }) => work({ hostname: "127.0.0.1", port }));
  },
};

function nginxConfiguration(folder: string, port: number, upstreamPort: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr emerg;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary}
  client_max_body_size 16m;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${upstreamPort};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
    }
  }
}
`;
}

async function runs(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const silence = { stdin: "null", stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, { args: [...args], ...silence }).output()).success;
  } catch {
    return false;
  }
}

/** Where the package ws is: as the interop gate has installed it, or in its cache. */
async function findWs(): Promise<string | undefined> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const folder = Deno.env.get("NBIO_NPM_PEERS") ??
    `${Deno.env.get("NBIO_CACHE") ?? `${cache}/nbio`}/npm-peers`;
  const path = `${folder}/node_modules/ws`;
  const isThere = await Deno.stat(`${path}/package.json`).then(() => true, () => false);
  return isThere ? path : undefined;
}

/** The other servers for a suite, those that are installed. */
export async function installedServers(suite: ServerSuiteName): Promise<ServerPeer[]> {
  const mode = suite === "http-server" ? "http" : "websocket";
  const peers = [runtime(mode)];
  const hasNode = await runs("node", ["--version"]);
  if (suite === "http-server") {
    if (hasNode) peers.push(program("node", "node", [pathOf("node_server.mjs"), mode]));
    if (await runs("nginx", ["-v"])) peers.push(NGINX);
  } else {
    const folder = hasNode ? await findWs() : undefined;
    const args = [pathOf("node_server.mjs"), mode];
    if (folder !== undefined) peers.push(program("ws", "node", [...args, folder]));
  }
  const probe = suite === "http-server" ? "import http.server" : "import websockets";
  for (const python of PYTHONS) {
    if (!await runs(python, ["-c", probe])) continue;
    peers.push(program("python", python, [pathOf("python_server.py"), mode]));
    break;
  }
  return peers;
}
