/**
 * Runs the WebSocket cases against any echo server, or any client that echoes:
 *
 * ```sh
 * deno run -A tests/conformance/websocket_main.ts --host 127.0.0.1 --port 9001
 * deno run -A tests/conformance/websocket_main.ts --listen 9002 -- COMMAND ARGUMENT...
 * ```
 *
 * As a server it starts the command for each case, with the URL as last argument; without a command
 * it waits for clients, one case for each connection. `--path` is what a server is asked for,
 * `--short` sends less of what is much, `--filter 6.4` takes only the cases whose numbers begin so.
 * `--jobs` (default 2) says how many run at a time, `--timeout` (default 60) how many seconds each
 * may take. Exit code 1 if a case failed or was not strict.
 */

import { parseArgs } from "node:util";
import { FULL_SCALE, SHORT_SCALE } from "./websocket_case.ts";
import { runClientSuite } from "./websocket_client_suite.ts";
import type { Verdict, WebSocketCaseResult } from "./websocket_run_case.ts";
import { runServerSuite } from "./websocket_server_suite.ts";
import { websocketCases } from "./websocket_suite.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string" },
    listen: { type: "string" },
    path: { type: "string", default: "/" },
    short: { type: "boolean", default: false },
    filter: { type: "string", default: "" },
    jobs: { type: "string", default: "2" },
    timeout: { type: "string", default: "60" },
  },
});
if ((values.port === undefined) === (values.listen === undefined)) {
  console.error("usage: websocket_main.ts --host H --port P | --listen P -- COMMAND ARGUMENT...");
  Deno.exit(2);
}

const cases = websocketCases(values.short ? SHORT_SCALE : FULL_SCALE).filter(({ id }) =>
  `${id}.`.startsWith(values.filter === "" ? "" : `${values.filter}.`)
);
const jobs = Number(values.jobs);
const timeoutMs = Number(values.timeout) * 1000;

/** Starts the client as often as there are cases, several at a time. */
async function startClients(url: string): Promise<void> {
  const [command, ...args] = positionals;
  if (command === undefined) return;
  let started = 0;
  const work = async (): Promise<void> => {
    while (started++ < cases.length) {
      const program = new Deno.Command(command, {
        args: [...args, url],
        ...{ stdin: "null", stdout: "null", stderr: "null" } as const,
      });
      await program.output();
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

async function run(): Promise<WebSocketCaseResult[]> {
  if (values.listen === undefined) {
    const address = { hostname: values.host, port: Number(values.port) };
    return await runServerSuite(address, {
      ...{ cases, timeoutMs },
      ...{ path: values.path, concurrency: jobs },
    });
  }
  const listener = Deno.listen({ hostname: values.host, port: Number(values.listen) });
  const url = `ws://${values.host}:${listener.addr.port}/`;
  console.log(`Waiting on ${url}`);
  const running = runClientSuite(listener, { cases, timeoutMs });
  await startClients(url);
  return await running;
}

/** One line for each group. */
function show(results: readonly WebSocketCaseResult[]): void {
  const verdicts: Verdict[] = ["ok", "non-strict", "informational", "unimplemented", "failed"];
  const groups = Object.groupBy(results, ({ id }) => id.split(".")[0]!);
  console.log(["group", ...verdicts].map((word) => word.padStart(14)).join(""));
  for (const [group, list] of [...Object.entries(groups), ["all", results] as const]) {
    const counts = verdicts.map((verdict) =>
      (list ?? []).filter((result) => result.verdict === verdict).length
    );
    console.log([group, ...counts].map((cell) => String(cell).padStart(14)).join(""));
  }
}

const results = await run();
for (const { id, name, verdict, detail } of results) {
  if (verdict !== "ok") console.log(`${verdict.padEnd(14)} ${id}  ${name}: ${detail}`);
}
show(results);
const isPassed = results.every(({ verdict }) => verdict === "ok" || verdict === "informational");
Deno.exit(isPassed ? 0 : 1);
