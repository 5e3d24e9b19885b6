/**
 * A program for the tests of `prefork()`: a worker where it is one, else a supervisor of itself,
 * for tests that end or signal it.
 *
 * Arguments of the worker: the port of 127.0.0.1 it serves at, and what else it does, of
 *
 * - `silent`: never gets ready;
 * - `broken=FILE`: ends with 3 at once if there is such a file;
 * - `stuck`: never ends by itself;
 * - `print`: writes its index to the standard output and error.
 *
 * The supervisor takes its options as JSON before those, and prints `ready` and then the process
 * ids of its workers.
 *
 * `/` tells index, id and process id; `/slow` does so after 300 ms; `/exit` ends the worker with
 * 9; `/throw` by an error; `/permissions` tells which it has.
 */

import { delay } from "@std/async/delay";
import { serve } from "../../http/serve.ts";
import type { Handler } from "../../http/server_shared.ts";
import { prefork } from "../../nbio/prefork.ts";
import type { PreforkOptions } from "../../nbio/prefork_options.ts";
import { type PreforkWorker, preforkWorker } from "../../nbio/prefork_worker.ts";

const KINDS = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

function createHandler(worker: PreforkWorker): Handler {
  const me = `${worker.index} ${worker.id} ${Deno.pid}`;
  return async (ctx) => {
    switch (ctx.path) {
      case "/slow":
        await delay(300);
        return ctx.text(me);
      case "/exit":
        return Deno.exit(9);
      case "/throw":
        queueMicrotask(() => {
          throw new Error("On purpose");
        });
        return ctx.text(me);
      case "/permissions": {
        const granted = KINDS.filter((name) => {
          const descriptor = { name } as Deno.PermissionDescriptor;
          return Deno.permissions.querySync(descriptor).state === "granted";
        });
        return ctx.text(`${granted} ${Deno.env.get("NBIO_PREFORK")}`);
      }
      default:
        return ctx.text(me);
    }
  };
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function work(worker: PreforkWorker): void {
  const [port, ...ways] = worker.args;
  for (const way of ways) {
    const broken = way.split("broken=")[1];
    if (broken !== undefined && exists(broken)) Deno.exit(3);
    if (way === "stuck") setInterval(() => {}, 1_000);
    if (way === "print") {
      console.log(`out ${worker.index}`);
      console.error(`err ${worker.index}`);
    }
  }
  if (ways.includes("silent")) return;
  serve(createHandler(worker), { hostname: "127.0.0.1", port: Number(port), worker });
}

async function supervise([json = "{}", ...args]: string[]): Promise<void> {
  const options = JSON.parse(json) as PreforkOptions;
  const cluster = prefork({ ...options, module: import.meta.url, args });
  await cluster.ready;
  console.log(`ready ${cluster.workers().map(({ pid }) => pid).join(" ")}`);
  await cluster.finished;
  console.log("finished");
}

const worker = preforkWorker();
if (worker !== undefined) work(worker);
else if (import.meta.main) await supervise(Deno.args);
