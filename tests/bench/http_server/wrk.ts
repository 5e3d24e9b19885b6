import { LOADER_CORE, pinned } from "../_support/pinning.ts";
import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import type { RunningServer } from "./peers.ts";
import type { Scenario } from "./scenarios.ts";

/** Whether wrk can make this load: here it sends requests without a body. */
export function wrkKnows(scenario: Scenario): boolean {
  return scenario.route === "greet" || scenario.route === "large";
}

/**
 * The same as `visit()`, but with wrk: a load for a time in whole seconds, and the opening of
 * its connections is in the account.
 *
 * @throws {Error} If wrk is missing, or counts an error or a status that is not 2xx.
 */
export async function visitWithWrk(
  server: RunningServer,
  scenario: Scenario,
  visitMs: number,
): Promise<number> {
  const { command, args } = pinned("wrk", wrkArguments(server, scenario, visitMs), LOADER_CORE);
  const before = cpuSnapshot(server.pid);
  const { stdout } = await new Deno.Command(command, { args: [...args] }).output();
  const spent = cpuMicroseconds(before, cpuSnapshot(server.pid));
  const text = new TextDecoder().decode(stdout);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (!(requests > 0) || text.includes("Socket errors") || text.includes("Non-2xx")) {
    throw new Error(`Cannot use what wrk did with ${scenario.name}: ${text.slice(-300)}`);
  }
  return spent / requests;
}

function wrkArguments(server: RunningServer, scenario: Scenario, visitMs: number): string[] {
  const seconds = Math.max(1, Math.round(visitMs / 1_000));
  const args = ["-t1", `-c${scenario.connections}`, `-d${seconds}s`];
  for (const [name, value] of scenario.fields) args.push("-H", `${name}: ${value}`);
  if (scenario.pipelined > 1) {
    args.push("-s", new URL("pipelined.lua", import.meta.url).pathname);
  }
  args.push(`http://127.0.0.1:${server.port}/`);
  if (scenario.pipelined > 1) args.push("--", String(scenario.pipelined));
  return args;
}
