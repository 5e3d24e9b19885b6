import type { Budget } from "../_support/budget.ts";
import { GREETING, HOST_COUNT, LARGE_BYTES } from "./payloads.ts";

/** One way to use a client. */
export interface Scenario {
  /** Short name, also for `--only`. */
  readonly name: string;
  /** Requests under way at a time. */
  readonly concurrency: number;
  /** Hosts they go to, in turn. */
  readonly hostCount: number;
  /** Path that is asked for. */
  readonly path: string;
  /** Bytes that are sent; 0 for a GET. */
  readonly uploadBytes: number;
  /** What must come back: a length, or as text the length of what was sent. */
  readonly expected: number;
}

const SMALL = { hostCount: 1, path: "/", uploadBytes: 0, expected: GREETING.length } as const;

/** All scenarios, in the order of the visits. */
export const SCENARIOS: readonly Scenario[] = [
  { ...SMALL, name: "small", concurrency: 50 },
  { ...SMALL, name: "one-host", concurrency: HOST_COUNT },
  { ...SMALL, name: "many-hosts", concurrency: HOST_COUNT, hostCount: HOST_COUNT },
  { ...SMALL, name: "download", concurrency: 10, path: "/large", expected: LARGE_BYTES },
  { ...SMALL, name: "upload", concurrency: 10, uploadBytes: LARGE_BYTES, expected: LARGE_BYTES },
];

function versus(peer: string, name: string, scenario: string, max: number): Budget[] {
  return ["client", "pool", "connection"].map((ours) => ({
    name: `${name}: ${ours} against ${peer}`,
    of: `${scenario}/${ours}`,
    over: `${scenario}/${peer}`,
    max,
  }));
}

/** What is promised of our client's CPU time per request. */
export const BUDGETS: readonly Budget[] = [
  ...versus("fetch", "small GET", "small", 0.4),
  ...versus("undici", "small GET", "small", 0.6),
  ...versus("bun", "small GET", "small", 0.9),
  ...versus("fetch", "1 MiB download", "download", 1),
  ...versus("fetch", "1 MiB upload", "upload", 1),
  ...["client", "pool"].map((ours) => ({
    name: `${HOST_COUNT} hosts against one: ${ours}`,
    of: `many-hosts/${ours}`,
    over: `one-host/${ours}`,
    max: 1.3,
  })),
];
