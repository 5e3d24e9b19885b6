/**
 * A worker of the bench, at a port of 127.0.0.1: answers `/index` with its index, all else with
 * eight bytes. Arguments: the port; microseconds of computing for each answer.
 */

import { serve } from "@nbio/net/http";
import { preforkWorker } from "../../../nbio/prefork_worker.ts";

const worker = preforkWorker()!;
const [port, computeUs] = worker.args.map(Number);

/** Stands for what an application does. */
function compute(): void {
  const endMs = performance.now() + computeUs! / 1_000;
  while (performance.now() < endMs);
}

serve((ctx) => {
  if (computeUs! > 0) compute();
  ctx.text(ctx.path === "/index" ? String(worker.index) : "answered");
}, { hostname: "127.0.0.1", port: port!, worker });
