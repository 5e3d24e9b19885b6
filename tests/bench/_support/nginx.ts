import { freePort } from "../../_support/listening_program.ts";
import { Child } from "./child.ts";
import { findProgram } from "./peers.ts";
import { SERVER_CORE } from "./pinning.ts";

/** How often, and after how many milliseconds, it is looked whether nginx listens. */
const MAX_LOOKS = 250;
const LOOK_INTERVAL_MS = 20;

/** An nginx of one process that runs. */
export interface RunningNginx {
  /** Its process. */
  readonly child: Child;
  /** Its port on 127.0.0.1. */
  readonly port: number;
}

/**
 * Starts nginx on the core of the servers, in the foreground and without a log.
 *
 * @param folder Where its files go; who made it removes it.
 * @param http Directives of the block `http`, in front of the server.
 * @param server Directives of the block `server`, which listens already.
 * @throws {Error} If nginx is not there, or does not listen.
 */
export async function startNginx(
  folder: string,
  { http = "", server }: { readonly http?: string; readonly server: string },
): Promise<RunningNginx> {
  const { command } = findProgram("nginx", "-v");
  const port = freePort();
  const file = `${folder}/nginx.conf`;
  await Deno.writeTextFile(file, configurationOf(folder, port, http, server));
  const args = ["-e", "stderr", "-p", folder, "-c", file];
  const child = new Child("nginx", { command, args, core: SERVER_CORE });
  for (let look = 0; look < MAX_LOOKS; look++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return { child, port };
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
    }
  }
  await child[Symbol.asyncDispose]();
  throw new Error("Cannot go on: nginx does not listen");
}

function configurationOf(folder: string, port: number, http: string, server: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/tmp_${name};`).join("\n  ");
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
  access_log off;
  keepalive_requests 100000000;
  ${temporary}
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`;
}
