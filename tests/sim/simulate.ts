/**
 * {@linkcode simulate}: a world in virtual time, from one seed.
 *
 * - the world: `world` (time, chance, hosts), `stream_network` and below it `stream_listener`,
 *   `stream_connection`, `stream_direction`, `link_conditions`; datagrams are those of
 *   `SimulatedNetwork`
 * - actors: `name_service` and `name_zone`, `http_service` with the handlers of `http_origin`,
 *   `http_gateway` and `raw_server`
 * - workloads: `dns_workload`, `http_workload` with `http_plan`, `raw_workload`,
 *   `websocket_workload`; `storm` brings the faults
 * - checkers: `ledger` (one outcome for each operation), `outcomes` (documented errors only),
 *   `frame_tap` (what goes over the wire), and what each workload holds of its answers
 * - `main` runs many seeds, `mutants_main` shows that they find mistakes
 */

import { SeededRandom } from "../../nbio/testing_random.ts";
import { loadSha1 } from "../../websocket/websocket_sha1.ts";
import { askNames } from "./dns_workload.ts";
import { HttpWorkload } from "./http_workload.ts";
import { RawWorkload } from "./raw_workload.ts";
import { WebSocketWorkload } from "./websocket_workload.ts";
import { NameServers } from "./name_servers.ts";
import { storm } from "./storm.ts";
import { type Workload, WORKLOADS } from "./workload.ts";
import { World } from "./world.ts";

/** Which run it is. */
export interface SimulateOptions {
  /** Where all chance comes from, 0 to 2^32 - 1. */
  readonly seed: number;
  /** What goes on; drawn by the seed otherwise. */
  readonly workload?: Workload;
}

/** What came of a run. */
export interface SimulateResult {
  /** How many operations there were. */
  readonly operationCount: number;
  /** How often each outcome was. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The same for two runs only if the same happened at the same times. */
  readonly digest: number;
  /** How long it took in virtual time, in milliseconds. */
  readonly virtualMs: number;
}

/**
 * Builds a world from a seed, lets it run, and holds everything there is to hold.
 *
 * @param options The seed.
 * @returns What came of it.
 * @throws {Error} If something does not hold; the message has the seed and what happened last.
 */
export async function simulate(options: SimulateOptions): Promise<SimulateResult> {
  // What is loaded at first use takes real time: it would come at another moment in a second run.
  await loadSha1();
  const random = new SeededRandom(options.seed ^ 0x5bd1_e995);
  const isCalm = random.chance(0.5);
  const world = new World(options.seed, isCalm);
  try {
    const names = new NameServers(world);
    // All at once are dear: most worlds have one thing going on.
    const drawn = random.chance(0.05) ? WORKLOADS : [random.pick(WORKLOADS)];
    const workloads = options.workload === undefined ? drawn : [options.workload];
    const work = workloads.map((workload) => begin(workload, world, names, random.fork()));
    if (!isCalm) work.push(storm(world, random.fork()));
    await world.runToEnd(Promise.all(work));
    const { count, outcomes, digest } = world.ledger;
    return { operationCount: count, outcomes, digest, virtualMs: world.clock.now() };
  } catch (cause) {
    const { seed, workload } = options;
    const more = workload === undefined ? "" : ` --workload ${workload}`;
    const again = `Again: deno run -A tests/sim/main.ts --count 1 --seed ${seed}${more}`;
    const text = `Failed with ${JSON.stringify(options)}: ${cause}`;
    throw new Error([text, world.ledger.report(), again].join("\n"), { cause });
  }
}

function begin(
  workload: Workload,
  world: World,
  names: NameServers,
  random: SeededRandom,
): Promise<void> {
  switch (workload) {
    case "dns":
      return askNames(world, names, random);
    case "raw":
      return new RawWorkload(world, names, random).run();
    case "websocket":
      return new WebSocketWorkload(world, names, random).run();
    case "http":
      return new HttpWorkload(world, names, random).run();
  }
}
