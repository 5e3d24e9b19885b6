import type { HttpLoad } from "./http_load.ts";
import { cpuMicroseconds, cpuSnapshot } from "./process_stats.ts";

/** Share of a visit that is asked before the account is opened: the caches are someone else's. */
const WARM_UP_SHARE = 0.2;

/** Microseconds of CPU, of all threads of a process, that each of so many requests costs. */
export async function visitHttp(pid: number, load: HttpLoad, count: number): Promise<number> {
  await load.run(Math.ceil(count * WARM_UP_SHARE));
  const before = cpuSnapshot(pid);
  const answered = await load.run(count);
  return cpuMicroseconds(before, cpuSnapshot(pid)) / answered;
}
