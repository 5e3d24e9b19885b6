/** Every side-by-side there is: what it shows, which issue promised it, and how it is started. */

/** How long, and how often, is measured. */
export interface Pace {
  /** Times that every cell is visited. */
  readonly rounds: number;
  /** Length of a visit, where 1 is the usual one: a second, or so many requests. */
  readonly seconds: number;
}

/** A benchmark that can be run alone as well. */
export interface Suite {
  /** Its name for `--only`; what is in front of a slash stands for all that share it. */
  readonly name: string;
  /** What is compared. */
  readonly claim: string;
  /** Issue whose budgets it holds; `undefined` where nothing was promised. */
  readonly issue: number | undefined;
  /** What the figures are. */
  readonly unit: string;
  /** Its file, from this folder. */
  readonly file: string;
  /** Flags of the runtime. @default [] */
  readonly flags?: readonly string[];
  /** Its arguments. */
  args(pace: Pace): string[];
}

const CPU_PER_REQUEST = "µs of CPU per request";

/** Arguments of a benchmark whose visits take some milliseconds. */
function visits(usualMs: number): Suite["args"] {
  return ({ rounds, seconds }) => [
    ...["--rounds", String(rounds)],
    ...["--visit-ms", String(scaled(usualMs, seconds))],
  ];
}

/** Arguments of a benchmark whose visits are so many operations. */
function counts(option: string, usual: number): Suite["args"] {
  return ({ rounds, seconds }) => [
    ...["--rounds", String(rounds)],
    ...[`--${option}`, String(scaled(usual, seconds))],
  ];
}

function scaled(usual: number, seconds: number): number {
  return Math.max(1, Math.round(usual * seconds));
}

function roundsOnly({ rounds }: Pace): string[] {
  return ["--rounds", String(rounds)];
}

/** Memory is measured once, by the number of connections that the budgets speak of. */
function noArgs(): string[] {
  return [];
}

/** All of them, in the order in which they run. */
export const SUITES: readonly Suite[] = [
  {
    name: "nbio/deadlines",
    claim: "re-arming the deadlines of 10,000 connections, against setTimeout",
    ...{ issue: 2, unit: "ns of CPU per re-arm", file: "nbio/deadline_wheel.ts" },
    args: counts("turns", 100),
  },
  {
    name: "nbio/copy",
    claim: "copying between two sockets, against pipeTo",
    ...{ issue: 3, unit: "s of CPU per GiB", file: "nbio/copy.ts" },
    args: counts("mib", 512),
  },
  {
    name: "nbio/send-file",
    claim: "sending a file, against pipeTo",
    ...{ issue: undefined, unit: "ms of CPU per GiB", file: "nbio/send_file.ts" },
    args: counts("mib", 256),
  },
  {
    name: "nbio/udp",
    claim: "echoing datagrams, against bare node:dgram and listenDatagram",
    ...{ issue: 3, unit: "µs of CPU per echo", file: "nbio/udp_echo.ts" },
    args: visits(300),
  },
  {
    name: "parsers",
    claim: "heads, chunked bodies, cookies and forms, against npm and the platform",
    ...{ issue: undefined, unit: "ns of CPU per sample", file: "parsers/main.ts" },
    args: visits(100),
  },
  {
    name: "http-server/requests",
    claim: "the server, against Deno.serve, node and Bun",
    ...{ issue: 2, unit: CPU_PER_REQUEST, file: "http_server/main.ts" },
    args: visits(1_000),
  },
  {
    name: "http-server/memory",
    claim: "memory of idle connections",
    ...{ issue: 2, unit: "KiB per connection", file: "http_server/idle_memory.ts" },
    args: noArgs,
  },
  {
    name: "router/match",
    claim: "matching a route, against find-my-way and others",
    ...{ issue: 4, unit: "ns of CPU per match", file: "router/main.ts" },
    args: visits(100),
  },
  {
    name: "router/json",
    claim: "JSON through router and middlewares, against hono",
    ...{ issue: 4, unit: CPU_PER_REQUEST, file: "router/http_main.ts" },
    args: counts("requests", 20_000),
  },
  {
    name: "multipart",
    claim: "uploads as multipart, against Request.formData()",
    ...{ issue: 4, unit: "µs of CPU per upload", file: "multipart/main.ts" },
    args: counts("uploads", 10),
  },
  {
    name: "websocket/messages",
    claim: "WebSocket echo, against Deno, ws and Bun",
    ...{ issue: 5, unit: "µs of CPU per message", file: "websocket/main.ts" },
    args: ({ rounds, seconds }) => ["--rounds", String(rounds), "--seconds", String(seconds)],
  },
  {
    name: "websocket/memory",
    claim: "memory of idle WebSockets",
    ...{ issue: 5, unit: "KiB per connection", file: "websocket/idle_memory.ts" },
    args: noArgs,
  },
  {
    name: "dns/codec",
    claim: "messages of DNS, against dns-packet",
    ...{ issue: 6, unit: "ns of CPU per message", file: "dns/main.ts" },
    args: visits(100),
  },
  {
    name: "dns/zone",
    claim: "reading a zone, against ldns-read-zone",
    ...{ issue: 6, unit: "s per zone", file: "dns/zone.ts" },
    args: counts("lines", 1_000_000),
  },
  {
    name: "dns/resolver",
    claim: "questions to a local server, against Deno.resolveDns",
    ...{ issue: 7, unit: "µs per question", file: "dns/resolver.ts" },
    args: visits(200),
  },
  {
    name: "dns/resolver-unstable",
    claim: "the same with the datagrams of --unstable-net",
    ...{ issue: 7, unit: "µs per question", file: "dns/resolver.ts" },
    flags: ["--unstable-net"],
    args: visits(200),
  },
  {
    name: "http-client",
    claim: "the client, against fetch, undici and Bun",
    ...{ issue: 8, unit: CPU_PER_REQUEST, file: "http_client/main.ts" },
    args: visits(1_000),
  },
  {
    name: "certificates",
    claim: "reading certificates, against node:crypto and @peculiar/x509",
    ...{ issue: 9, unit: "µs per certificate", file: "tls/x509.ts" },
    args: visits(100),
  },
  {
    name: "tls",
    claim: "TLS, kept and new connections and a large transfer, against bare loops",
    ...{ issue: 10, unit: "µs per exchange, connection or MiB", file: "tls/main.ts" },
    args: roundsOnly,
  },
  {
    name: "static",
    claim: "files, against Deno.serve and nginx",
    ...{ issue: 11, unit: CPU_PER_REQUEST, file: "static/main.ts" },
    args: counts("requests", 1_000),
  },
  {
    name: "compression",
    claim: "10 KiB of JSON compressed, against the runtime's own",
    ...{ issue: 11, unit: CPU_PER_REQUEST, file: "compression/main.ts" },
    args: counts("count", 3_000),
  },
  {
    name: "sse",
    claim: "events to 1,000 clients, against a loop in node",
    ...{ issue: 11, unit: "µs of CPU per event and client", file: "sse/main.ts" },
    args: counts("events", 50),
  },
  {
    name: "adapter",
    claim: "an application of hono by the adapter, against Deno.serve",
    ...{ issue: 11, unit: CPU_PER_REQUEST, file: "adapter/main.ts" },
    args: counts("requests", 20_000),
  },
  {
    name: "prefork",
    claim: "two workers, against one",
    ...{ issue: 11, unit: "answers per second", file: "prefork/main.ts" },
    args: (pace) => [...visits(1_000)(pace), "--only", "rate"],
  },
  {
    name: "proxy",
    claim: "proxied requests, against a loop in node, fetch and nginx",
    ...{ issue: undefined, unit: CPU_PER_REQUEST, file: "proxy/main.ts" },
    args: counts("requests", 5_000),
  },
];

/**
 * The suites of some names; `dns` stands for all of `dns/...`.
 *
 * @throws {RangeError} If there is none of a name.
 */
export function suitesOf(names: readonly string[]): Suite[] {
  const chosen = new Set<Suite>();
  for (const wanted of names) {
    const found = SUITES.filter(({ name }) => name === wanted || name.startsWith(`${wanted}/`));
    if (found.length === 0) {
      const known = SUITES.map(({ name }) => name).join(", ");
      throw new RangeError(`Cannot use --only ${wanted}: known are ${known}`);
    }
    for (const suite of found) chosen.add(suite);
  }
  return SUITES.filter((suite) => chosen.has(suite));
}
