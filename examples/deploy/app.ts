/**
 * A server made to be deployed: behind a proxy that it believes, with checks for whoever starts,
 * watches and stops it.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1:8001 examples/deploy/app.ts --port=8001
 * curl http://127.0.0.1:8001/readyz
 * ```
 *
 * `/healthz` is 200 as long as the process answers: restart what does not. `/readyz` is 200 as long
 * as it wants work: send none to what says 503.
 *
 * On SIGTERM or SIGINT it drains: `/readyz` turns to 503 while everything else is still served,
 * until every proxy has seen it and sends nothing more. Then it takes no connections, finishes what
 * is under way, and ends. So nothing is lost in a rolling restart. A second signal ends it at once.
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 8001, 0 for any), `--trust` (address
 * or range of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; repeatable,
 * default 127.0.0.1), `--drain-ms` (default 2000: at least twice the interval of the proxy's
 * checks), `--grace-ms` (default 10000, for requests under way).
 *
 * It needs `--allow-net` of its address, nothing else. Around it in this folder: a `Dockerfile`,
 * configurations of nginx and haproxy, and a unit of systemd.
 */

import {
  clientAddr,
  clientScheme,
  compose,
  type Context,
  type Handler,
  Router,
  serve,
  trustedProxy,
} from "@nbio/net/http";
import { shutdownSignal } from "@nbio/net/nbio";
import { upgrade } from "@nbio/net/websocket";
import { parseArgs } from "node:util";

/** What the checks want to know of a program. */
export interface DeployedState {
  /** Whether it is about to stop. */
  readonly isDraining: boolean;
}

/**
 * The application.
 *
 * @param name Tells instances apart.
 * @param trusted The proxies in front.
 * @param state What it is at.
 */
export function createApp(name: string, trusted: readonly string[], state: DeployedState): Handler {
  const app = new Router();
  app.get("/", (ctx) => ctx.text(`${name}: ${clientScheme(ctx)} from ${clientAddr(ctx)}\n`));
  app.post("/bytes", countBytes);
  app.get("/echo", echo);
  // The checks come from the proxies themselves: nobody else has to be able to ask.
  app.get("/healthz", (ctx) => ctx.text("alive\n"));
  app.get("/readyz", (ctx) => {
    ctx.status = state.isDraining ? 503 : 200;
    return ctx.text(state.isDraining ? "draining\n" : "ready\n");
  });
  return compose([trustedProxy(trusted)], app.handler);
}

/** Takes a body of any size, and keeps nothing of it. */
async function countBytes(ctx: Context): Promise<void> {
  let count = 0;
  for await (const chunk of ctx.body) count += chunk.length;
  ctx.json({ count });
}

async function echo(ctx: Context): Promise<void> {
  await using ws = await upgrade(ctx);
  try {
    for await (const { data } of ws) await ws.send(data);
  } catch {
    // The client left: `ws.closed` has the code.
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "hostname": { type: "string", default: "127.0.0.1" },
      "port": { type: "string", default: "8001" },
      "trust": { type: "string", multiple: true, default: ["127.0.0.1"] },
      "drain-ms": { type: "string", default: "2000" },
      "grace-ms": { type: "string", default: "10000" },
    },
  });
  const state = { isDraining: false };
  const server = serve(createApp(`process ${Deno.pid}`, values.trust, state), {
    hostname: values.hostname,
    port: Number(values.port),
    onListen: (addr) => {
      const { hostname, port } = addr as Deno.NetAddr;
      console.log(`Listening on http://${hostname}:${port}/`);
    },
  });
  await shutdownSignal();
  state.isDraining = true;
  console.log("Draining");
  await new Promise((resolve) => setTimeout(resolve, Number(values["drain-ms"])));
  await server.shutdown({ graceMs: Number(values["grace-ms"]) });
}

if (import.meta.main) await main();
