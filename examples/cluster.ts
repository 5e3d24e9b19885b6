/**
 * A server on several cores: this module is the supervisor, and all of its workers.
 *
 * ```sh
 * deno run --allow-net --allow-run --allow-env=NODE_V8_COVERAGE examples/cluster.ts
 * for i in $(seq 8); do curl http://localhost:8000/; done
 * kill -HUP $(pgrep -of examples/cluster.ts)
 * ```
 *
 * Every answer tells the worker it comes from. SIGHUP replaces the workers one by one, without a
 * pause, by what the module is by then. Kill one of them, and another takes its place. Ctrl-C lets
 * requests under way finish; a second one does not.
 *
 * `/health` is for who stands in front: 503 from a worker that is about to stop.
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 8000), `--workers` (default one for
 * each core), `--threads` (threads of one process, instead of processes), `--drain-ms` (default
 * 500). Linux.
 */

import { type Handler, serve } from "@nbio/net/http";
import { prefork, type PreforkEvent, type PreforkWorker, preforkWorker } from "@nbio/net/nbio";
import { parseArgs } from "node:util";

function readOptions(args: string[]) {
  return parseArgs({
    args,
    options: {
      "hostname": { type: "string", default: "127.0.0.1" },
      "port": { type: "string", default: "8000" },
      "workers": { type: "string" },
      "threads": { type: "boolean", default: false },
      "drain-ms": { type: "string", default: "500" },
    },
  }).values;
}

function createHandler(worker: PreforkWorker): Handler {
  return (ctx) => {
    if (ctx.path === "/health") {
      ctx.status = worker.isStopping ? 503 : 200;
      return ctx.text(worker.isStopping ? "stopping\n" : "ready\n");
    }
    ctx.text(`worker ${worker.index}, the ${worker.id}. that was started, process ${Deno.pid}\n`);
  };
}

/** What a worker does. */
function runWorker(worker: PreforkWorker): void {
  const { hostname, port } = readOptions([...worker.args]);
  serve(createHandler(worker), { hostname, port: Number(port), worker });
}

/** What the supervisor does. */
async function runSupervisor(args: string[]): Promise<void> {
  const { hostname, port, workers, threads, "drain-ms": drainMs } = readOptions(args);
  const cluster = prefork({
    module: import.meta.url,
    args,
    mode: threads ? "threads" : "processes",
    permissions: [`--allow-net=${hostname}:${port}`],
    drainMs: Number(drainMs),
    onEvent: log,
    ...workers !== undefined && { workers: Number(workers) },
  });
  const restart = (): void => void cluster.restart().catch((error) => console.error(error.message));
  Deno.addSignalListener("SIGHUP", restart);
  cluster.ready.then(() => console.log(`Listening on http://${hostname}:${port}/`), () => {});
  await cluster.finished;
  Deno.removeSignalListener("SIGHUP", restart);
}

function log(event: PreforkEvent): void {
  const about = "worker" in event ? ` worker ${event.worker.index} (${event.worker.id})` : "";
  const how = event.type === "exit" ? ` ${event.exit.signal ?? event.exit.code}` : "";
  console.log(`${event.type}${about}${how}`);
}

const worker = preforkWorker();
if (worker !== undefined) runWorker(worker);
else if (import.meta.main) await runSupervisor(Deno.args);
