/**
 * {@linkcode resolvePreforkOptions}: defaults filled in, values checked.
 *
 * @module
 */

import { MAX_TIMER_MS } from "./_timer_limit.ts";
import { systemClock } from "./clock.ts";
import type { PreforkEvent } from "./prefork_event.ts";
import type { PreforkOptions, PreforkRestartOptions } from "./prefork_options.ts";

/** {@linkcode PreforkOptions} as the inside works with them. */
export type ResolvedPreforkOptions =
  & Required<Omit<PreforkOptions, "restart" | "permissions" | "onEvent" | "signal" | "module">>
  & {
    readonly module: string;
    readonly restart: Required<PreforkRestartOptions>;
    readonly permissions: readonly string[] | undefined;
    readonly onEvent: ((event: PreforkEvent) => void) | undefined;
    readonly signal: AbortSignal | undefined;
  };

const MAX_WORKERS = 1_024;
/** Two of them still fit into a timer. */
const MAX_PAUSE_MS = 1e9;

/**
 * Fills in the defaults and checks the values.
 *
 * @param options What the caller gave.
 * @returns All of it.
 * @throws {RangeError} If a number is out of its range, or `mode` is none.
 * @throws {TypeError} If `module` is no absolute URL.
 */
export function resolvePreforkOptions(options: PreforkOptions): ResolvedPreforkOptions {
  const workers = options.workers ?? Math.min(navigator.hardwareConcurrency, MAX_WORKERS);
  check("workers", workers, Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS);
  const mode = options.mode ?? "processes";
  check("mode", mode, mode === "processes" || mode === "threads");
  const { readyTimeoutMs = 30_000, drainMs = 500, graceMs = 10_000 } = options;
  check("readyTimeoutMs", readyTimeoutMs, readyTimeoutMs > 0 && readyTimeoutMs <= MAX_TIMER_MS);
  check("drainMs", drainMs, drainMs >= 0 && drainMs <= MAX_PAUSE_MS);
  check("graceMs", graceMs, graceMs >= 0 && graceMs <= MAX_PAUSE_MS);
  return {
    module: readModule(options.module),
    workers,
    mode,
    args: [...options.args ?? []],
    permissions: options.permissions,
    denoArgs: options.denoArgs ?? [],
    env: options.env ?? {},
    restart: resolveRestart(options.restart ?? {}, workers),
    readyTimeoutMs,
    drainMs,
    graceMs,
    handleSignals: options.handleSignals ?? true,
    onEvent: options.onEvent,
    signal: options.signal,
    clock: options.clock ?? systemClock,
  };
}

function resolveRestart(
  { max, windowMs = 60_000, backoffMs = 100 }: PreforkRestartOptions,
  workers: number,
): Required<PreforkRestartOptions> {
  const count = max ?? 5 * workers;
  check("restart.max", count, count === Infinity || (Number.isSafeInteger(count) && count >= 0));
  check("restart.windowMs", windowMs, windowMs > 0 && windowMs <= MAX_TIMER_MS);
  check("restart.backoffMs", backoffMs, backoffMs >= 0 && backoffMs <= MAX_TIMER_MS);
  return { max: count, windowMs, backoffMs };
}

function readModule(module: string | URL): string {
  const url = module instanceof URL ? module : URL.parse(module);
  if (url !== null) return url.href;
  throw new TypeError(
    `Cannot prefork: module is "${module}", expected an absolute URL such as import.meta.url`,
  );
}

function check(name: string, value: unknown, isValid: boolean): void {
  if (!isValid) throw new RangeError(`Cannot prefork: ${name} ${value} is out of its range`);
}
