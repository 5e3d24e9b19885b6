import { Resolver } from "../../dns/resolver.ts";
import { Client } from "../../http/client.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { dial } from "../../websocket/dial.ts";
import { CA_CERT } from "../_support/tls_server.ts";
import { isSame } from "./http_plan.ts";
import { failureOf } from "./outcomes.ts";
import { check } from "./simulation_error.ts";
import { SOAK_ADDRESS } from "./soak_name_server.ts";
import { faultyConnect, SoakServers } from "./soak_server.ts";

const MAX_BODY_BYTES = 20_000;
const MAX_MESSAGE_COUNT = 20;
const NAME_COUNT = 500;
const CANCEL_SHARE = 0.02;
const PATIENCE_MS = 5_000;
/** How long the servers may take to see that everybody has left. */
const LEAVE_TURNS = 100;
const LEAVE_TURN_MS = 50;
/** Connections are made anew now and then: some of them meet a fault. */
const MAX_REQUESTS_PER_CONNECTION = 20;

/** How a soak is run. */
export interface SoakOptions {
  /** For how long, in milliseconds. */
  readonly durationMs: number;
  /** Tasks at a time, of each kind. */
  readonly concurrency: number;
  /** Seed of what is asked. */
  readonly seed: number;
  /** How often memory is looked at, in milliseconds. */
  readonly lookMs: number;
  /** Told of each look. */
  readonly onLook?: (look: SoakLook) => void;
}

/** What was seen at a time. */
export interface SoakLook {
  /** Milliseconds since the beginning. */
  readonly atMs: number;
  /** Bytes of the heap in use, garbage collected where `gc` is there. */
  readonly heapBytes: number;
  /** Bytes that the process has of the system. */
  readonly rssBytes: number;
  /** Operations that have ended. */
  readonly endedCount: number;
}

/** What came of a soak. */
export interface SoakResult {
  /** Operations that were begun. */
  readonly begunCount: number;
  /** How often each outcome was. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly looks: readonly SoakLook[];
  /** Connections of the servers that were open after all. */
  readonly leftCount: number;
}

/**
 * Runs HTTP, WebSocket and DNS over real sockets, in the clear and over TLS, with faults, and holds
 * that each operation ends in its own answer or in a documented error.
 *
 * @param options How long.
 * @returns What came of it.
 * @throws {SimulationError} If an answer is wrong, or an error is not documented.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  await using servers = await SoakServers.start(options.seed);
  const run = new Soak(servers, options);
  await run.run();
  // The far ends of what was closed just now take a moment.
  for (let turn = 0; turn < LEAVE_TURNS && servers.connectionCount > 0; turn++) {
    await sleep(LEAVE_TURN_MS);
  }
  const { begunCount, outcomes, looks } = run;
  return { begunCount, outcomes, looks, leftCount: servers.connectionCount };
}

class Soak {
  begunCount = 0;
  readonly outcomes: Record<string, number> = {};
  readonly looks: SoakLook[] = [];
  readonly #servers: SoakServers;
  readonly #options: SoakOptions;
  readonly #random: SeededRandom;
  readonly #beginMs = performance.now();
  #endedCount = 0;

  constructor(servers: SoakServers, options: SoakOptions) {
    this.#servers = servers;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<void> {
    const { plain, secure, names } = this.#servers;
    const portOf = ({ addr }: { readonly addr: Deno.Addr }): number => (addr as Deno.NetAddr).port;
    const [near, far] = [`127.0.0.1:${portOf(plain)}`, `localhost:${portOf(secure)}`];
    const tls = { caCerts: [CA_CERT] };
    const connect = faultyConnect(this.#random.fork());
    const bounds = {
      firstByteTimeoutMs: 3_000,
      bodyTimeoutMs: 2_000,
      writeTimeoutMs: 2_000,
      maxConnectionsPerHost: 8,
      maxRequestsPerConnection: MAX_REQUESTS_PER_CONNECTION,
    };
    await using client = new Client({ ...bounds, connect });
    await using secured = new Client({ ...bounds, tls });
    await using resolver = new Resolver({
      servers: [names.address],
      hosts: false,
      timeoutMs: 500,
      attempts: 2,
      cache: { maxEntryCount: NAME_COUNT / 2 },
    });
    const looking = this.#look();
    await Promise.all(
      Array.from({ length: this.#options.concurrency }, () => [
        this.#repeat("http", (random) => exchange(client, `http://${near}`, random)),
        this.#repeat("https", (random) => exchange(secured, `https://${far}`, random)),
        this.#repeat("ws", (random) => talk(`ws://${near}/socket`, random, { connect })),
        this.#repeat("wss", (random) => talk(`wss://${far}/socket`, random, { tls })),
        this.#repeat("dns", (random) => ask(resolver, random)),
      ]).flat(),
    );
    await looking;
  }

  get #isOver(): boolean {
    return performance.now() - this.#beginMs >= this.#options.durationMs;
  }

  async #repeat(kind: string, operate: (random: SeededRandom) => Promise<string>): Promise<void> {
    const random = this.#random.fork();
    while (!this.#isOver) {
      this.begunCount++;
      const outcome = `${kind} ${await operate(random).catch(failureOf)}`;
      this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
      this.#endedCount++;
    }
  }

  async #look(): Promise<void> {
    const { gc } = globalThis as { gc?: () => void };
    const { lookMs, onLook } = this.#options;
    while (!this.#isOver) {
      gc?.();
      const { heapUsed, rss } = Deno.memoryUsage();
      const atMs = performance.now() - this.#beginMs;
      const look = { atMs, heapBytes: heapUsed, rssBytes: rss, endedCount: this.#endedCount };
      this.looks.push(look);
      onLook?.(look);
      await sleep(lookMs);
    }
  }
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

async function exchange(client: Client, base: string, random: SeededRandom): Promise<string> {
  const id = `${random.int(1_000_000)}`;
  const body = random.bytes(random.chance(0.1) ? random.length(MAX_BODY_BYTES) : random.int(300));
  const abort = new AbortController();
  const reason = new Error("The caller lost patience");
  const isCancelled = random.chance(CANCEL_SHARE);
  const timer = isCancelled ? setTimeout(() => abort.abort(reason), random.int(5)) : undefined;
  try {
    const options = { body, idempotent: true, ...isCancelled && { signal: abort.signal } };
    const response = await client.post(`${base}/?id=${id}`, options);
    const bytes = await response.bytes();
    // What came to grief on its way gets the server's own answer.
    if (response.status === 400 || response.status === 408) return `${response.status}`;
    check(response.headers.get("x-id") === id, "a response of another request", response.status);
    check(isSame(bytes, body), `a body of ${bytes.length} bytes in place of ${body.length}`);
    return "answered";
  } catch (error) {
    if (error === reason) return "cancelled";
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function talk(
  url: string,
  random: SeededRandom,
  options: Parameters<typeof dial>[1],
): Promise<string> {
  const abort = new AbortController();
  const reason = new Error("The caller lost patience");
  // A link that gives one byte at a time is slow, and no fault.
  const timer = setTimeout(() => abort.abort(reason), PATIENCE_MS);
  try {
    return await converse(url, random, { ...options, signal: abort.signal });
  } catch (error) {
    if (error === reason) return "cancelled";
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function converse(
  url: string,
  random: SeededRandom,
  options: Parameters<typeof dial>[1],
): Promise<string> {
  const timeouts = { silenceTimeoutMs: 3_000, pongTimeoutMs: 2_000, closeTimeoutMs: 2_000 };
  const socket = await dial(url, { ...timeouts, handshakeTimeoutMs: 5_000, ...options });
  try {
    for (let count = random.int(MAX_MESSAGE_COUNT); count >= 0; count--) {
      const message = random.bytes(random.length(4_000));
      await socket.send(message);
      const echo = await socket.readMessage();
      if (echo === undefined) return "ended";
      const isRight = echo.type === "binary" && isSame(echo.data, message);
      check(isRight, `an echo of ${echo.data.length} bytes for ${message.length}`);
    }
    const { code } = await socket.close();
    return `closed ${code}`;
  } finally {
    await socket.close().catch(() => {});
  }
}

async function ask(resolver: Resolver, random: SeededRandom): Promise<string> {
  const name = `n${random.int(NAME_COUNT)}.soak.example.`;
  const records = await resolver.resolve(name, "A", { useCache: random.chance(0.8) });
  check(
    records.length === 1 && records[0]!.data.address === SOAK_ADDRESS,
    "another answer",
    records,
  );
  return "answered";
}
