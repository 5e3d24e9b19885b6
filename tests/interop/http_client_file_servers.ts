/** Programs that serve the files of `www`, each with its own habits of framing and compressing. */

import { hasCommand } from "../_support/interop.ts";
import type { ListeningProgram } from "../_support/listening_program.ts";
import { type Peer, startPeer } from "../_support/peer.ts";

/** A program that serves files. */
export interface FileServer {
  readonly name: string;
  /** Whether it is there. */
  readonly isPresent: boolean;
  /** Codings that it has for `page.txt`, if that is all that is asked for. */
  readonly codings: readonly string[];
  /** Whether it knows ranges and entity tags. */
  readonly hasRanges: boolean;
  /** Whether it keeps connections. */
  readonly isKeeping: boolean;
  /** Writes what it needs into the folder, beside `www`, and starts it. */
  readonly start: (program: ListeningProgram) => Peer | Promise<Peer>;
}

const RUN_TIMEOUT_MS = 60_000;

/** What every nginx of a test has in front of its servers. */
export function nginxPreamble(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
  return `
user root;
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log /dev/stdout warn;
events { worker_connections 1024; }
http {
  access_log off;
  types { text/plain txt; application/octet-stream bin; }
  ${temporary}`;
}

/** Starts nginx with a configuration. */
export async function startNginx(folder: string, configuration: string): Promise<Peer> {
  const path = `${folder}/nginx.conf`;
  await Deno.writeTextFile(path, configuration);
  return startPeer("nginx", ["-p", folder, "-c", path, "-e", "/dev/stdout"], RUN_TIMEOUT_MS);
}

const NGINX: FileServer = {
  name: "nginx",
  isPresent: hasCommand("nginx"),
  codings: ["gzip"],
  hasRanges: true,
  isKeeping: true,
  start: async ({ folder, port }) =>
    await startNginx(
      folder,
      `master_process off;
${nginxPreamble(folder)}
  server {
    listen 127.0.0.1:${port} backlog=1024;
    root ${folder}/www;
    gzip on;
    gzip_types text/plain;
    gzip_min_length 100;
  }
}`,
    ),
};

const MODULES = "/usr/lib/apache2/modules";

/** With -X it is one process. It does not serve as root, and takes another user where it could. */
async function startApache({ folder, port }: ListeningProgram): Promise<Peer> {
  const path = `${folder}/apache.conf`;
  const modules = ["mpm_event", "authz_core", "dir", "mime", "filter", "deflate", "brotli"];
  await Deno.writeTextFile(
    path,
    `${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join("\n")}
ServerRoot ${folder}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
ListenBacklog 1024
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
TypesConfig /dev/null
AddType text/plain .txt
DocumentRoot ${folder}/www
KeepAlive On
KeepAliveTimeout 10
MaxKeepAliveRequests 20
BrotliAlterETag NoChange
DeflateAlterETag NoChange
AddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/plain
User nobody
Group nogroup
`,
  );
  return startPeer("apache2", ["-X", "-f", path], RUN_TIMEOUT_MS);
}

const APACHE: FileServer = {
  name: "apache2",
  isPresent: hasCommand("apache2"),
  codings: ["gzip", "br"],
  hasRanges: true,
  isKeeping: true,
  start: startApache,
};

const CADDY: FileServer = {
  name: "caddy",
  isPresent: hasCommand("caddy"),
  codings: ["gzip", "zstd"],
  hasRanges: true,
  isKeeping: true,
  start: async ({ folder, port }) => {
    const path = `${folder}/Caddyfile`;
    await Deno.writeTextFile(
      path,
      `{
  admin off
  log {
    output discard
  }
  auto_https off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  root * ${folder}/www
  encode zstd gzip
  file_server
}
`,
    );
    // It keeps notes of its own.
    const places = [`XDG_CONFIG_HOME=${folder}`, `XDG_DATA_HOME=${folder}`];
    const args = ["caddy", "run", "--config", path, "--adapter", "caddyfile"];
    return startPeer("env", [...places, ...args], RUN_TIMEOUT_MS);
  },
};

const PYTHON = new URL("./http_client_python_peer.py", import.meta.url).pathname;
const hasPython = hasCommand("python3");

/** Python in a version of HTTP. */
function pythonServer(version: "1.0" | "1.1"): FileServer {
  return {
    name: `python http.server in HTTP/${version}`,
    isPresent: hasPython,
    codings: [],
    hasRanges: false,
    isKeeping: version === "1.1",
    start: ({ folder, port }) =>
      startPeer("python3", [PYTHON, `${port}`, version, `${folder}/www`], RUN_TIMEOUT_MS),
  };
}

const EXAMPLE = new URL("../../examples/static_server.ts", import.meta.url).pathname;

/** Of compressed files it has what lies beside the plain ones. */
const OURS: FileServer = {
  name: "our own server",
  isPresent: true,
  codings: ["gzip"],
  hasRanges: true,
  isKeeping: true,
  start: ({ folder, port }) => {
    const permissions = [`--allow-net=127.0.0.1:${port}`, `--allow-read=${folder}`];
    const args = [`${folder}/www`, `--port=${port}`, "--quiet"];
    return startPeer(Deno.execPath(), ["run", ...permissions, EXAMPLE, ...args], RUN_TIMEOUT_MS);
  },
};

/** All of them. */
export const FILE_SERVERS: readonly FileServer[] = [
  NGINX,
  APACHE,
  CADDY,
  pythonServer("1.0"),
  pythonServer("1.1"),
  OURS,
];
