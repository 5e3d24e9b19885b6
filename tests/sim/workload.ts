/** What can go on in a simulated world. */
export const WORKLOADS = ["dns", "http", "raw", "websocket"] as const;

/** One of them. */
export type Workload = typeof WORKLOADS[number];
