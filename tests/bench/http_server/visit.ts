import { cpuMicroseconds, cpuSnapshot } from "../_support/process_stats.ts";
import type { Loader, LoadResult } from "./loader.ts";
import type { RunningServer } from "./peers.ts";
import type { Scenario } from "./scenarios.ts";

/** Share of a visit that is sent before the account is opened: the caches are someone else's. */
const WARM_UP_SHARE = 0.1;

/** A run must last as long before its pace is believed. */
const MIN_CALIBRATION_MS = 300;

/** Requests that no visit goes beyond. */
const MAX_REQUESTS = 2_000_000;

/**
 * Warms a server up and finds out how many requests of a scenario it answers in `visitMs`.
 * Every visit then sends the same number.
 */
export async function calibrate(
  loader: Loader,
  server: RunningServer,
  scenario: Scenario,
  visitMs: number,
): Promise<number> {
  await loader.open(scenario.name, server.port, scenario.connections);
  const floor = scenario.connections * scenario.pipelined;
  let count = floor;
  let result: LoadResult = await loader.run(count);
  while (result.elapsedMs < MIN_CALIBRATION_MS && count < MAX_REQUESTS) {
    count *= 2;
    result = await loader.run(count);
  }
  await loader.close();
  const wanted = Math.round((result.requests / result.elapsedMs) * visitMs);
  return Math.min(MAX_REQUESTS, Math.max(floor, wanted));
}

/** Microseconds of CPU that the server spent on each of `count` requests. */
export async function visit(
  loader: Loader,
  server: RunningServer,
  scenario: Scenario,
  count: number,
): Promise<number> {
  await loader.open(scenario.name, server.port, scenario.connections);
  await loader.run(Math.ceil(count * WARM_UP_SHARE));
  const before = cpuSnapshot(server.pid);
  const { requests } = await loader.run(count);
  const spent = cpuMicroseconds(before, cpuSnapshot(server.pid));
  await loader.ask();
  await loader.close();
  return spent / requests;
}
