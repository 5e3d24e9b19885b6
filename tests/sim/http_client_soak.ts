/**
 * The client for a long time: many requests at once, of which one in a hundred meets a fault.
 *
 * Held is: every request ends in its one response, bodies intact by hash in both directions, or in
 * the error that its fault is documented to be; connections stay within the limit, seen from both
 * ends; memory is flat.
 *
 * `deno run -A --v8-flags=--expose-gc tests/sim/http_client_soak.ts [--count 1000000]
 * [--concurrency 200] [--seed 0]`
 */

import { createHash } from "node:crypto";
import {
  Client,
  type ClientResponse,
  HttpProtocolError,
  type RequestOptions,
} from "@nbio/net/http";
import { ConnectionClosedError, TimeoutError } from "@nbio/net/nbio";
import { SeededRandom } from "@nbio/net/nbio/testing";
import { Child } from "../bench/_support/child.ts";
import { numberOption } from "../fuzz/number_option.ts";
import { MAX_PATTERN_BYTES, patternBytes } from "./http_client_soak_pattern.ts";

/** How the soak is run. */
export interface SoakOptions {
  /** Requests in all. */
  readonly count: number;
  /** Requests at a time. */
  readonly concurrency: number;
  /** Seed of what is asked. */
  readonly seed: number;
  /** Told now and then how far it is. */
  readonly onProgress?: (text: string) => void;
}

/** What came of it. */
export interface SoakResult {
  /** How often each outcome came: `"answered"`, or an error. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Most connections at a time, as the server has counted them: one that we have just closed too. */
  readonly maxConnectionCount: number;
  /** Bytes in use once garbage is collected, at each tenth of the way; empty without `gc`. */
  readonly heapBytes: readonly number[];
  /** Bytes that the process had of the system, likewise. */
  readonly rssBytes: readonly number[];
}

/** What a fault comes to: a response, or an error of a class and, where it has one, a phase. */
const FAULTS: Readonly<Record<string, (error: unknown) => boolean>> = {
  "leaves": (error) => error instanceof ConnectionClosedError,
  "garbage": (error) => error instanceof HttpProtocolError,
  "cut": (error) => isTruncated(error),
  "cut-chunk": (error) => isTruncated(error),
  "bad-chunk": (error) => error instanceof HttpProtocolError,
  "both": (error) => error instanceof HttpProtocolError,
  "silent": (error) => error instanceof TimeoutError && error.phase === "first-byte",
  "stalls": (error) => error instanceof TimeoutError && error.phase === "body",
  "extra": (error) => error === undefined,
  "close": (error) => error === undefined,
  "cancel": (error) => error === undefined || error === CANCELLED,
};
const FAULT_NAMES = Object.keys(FAULTS);
const FAULT_SHARE = 0.01;
const CANCELLED = { text: "cancelled" };
const SLOW_MS = 1_000;
const LOOK_COUNT = 10;
/** By how much memory may differ between the halves of a run. */
const MAX_GROWTH = 1.3;

function isTruncated(error: unknown): boolean {
  return error instanceof HttpProtocolError && error.code === "ERR_HTTP_TRUNCATED_MESSAGE";
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function check(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}

class Soak {
  readonly #client: Client;
  readonly #base: string;
  readonly #random: SeededRandom;
  readonly #options: SoakOptions;
  readonly outcomes: Record<string, number> = {};
  readonly heapBytes: number[] = [];
  readonly rssBytes: number[] = [];
  #begun = 0;

  constructor(base: string, options: SoakOptions) {
    this.#base = base;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#client = new Client({
      maxConnectionsPerHost: Math.ceil(options.concurrency / 2),
      firstByteTimeoutMs: SLOW_MS * 5,
      bodyTimeoutMs: SLOW_MS * 5,
    });
  }

  async run(): Promise<void> {
    await using client = this.#client;
    await Promise.all(Array.from({ length: this.#options.concurrency }, () => this.#work()));
    const { connections, idle, queued, dialing } = client.stats();
    check(connections === idle && queued + dialing === 0, "Something is under way in the end");
  }

  async #work(): Promise<void> {
    const { count } = this.#options;
    while (this.#begun < count) {
      const id = this.#begun++;
      if (id % Math.ceil(count / LOOK_COUNT) === 0) this.#look(id);
      const fault = this.#random.chance(FAULT_SHARE) ? this.#random.pick(FAULT_NAMES) : undefined;
      const error = await this.#askOnce(id, fault);
      const isRight = fault === undefined ? error === undefined : FAULTS[fault]!(error);
      check(isRight, `Request ${id} with fault ${fault} came to ${Deno.inspect(error)}`);
      const outcome = error === undefined
        ? "answered"
        : error instanceof Error
        ? `${fault}: ${error.constructor.name}`
        : "cancelled";
      this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    }
  }

  /** What a request failed with; `undefined` where it was answered. */
  async #askOnce(id: number, fault: string | undefined): Promise<unknown> {
    const random = this.#random;
    const size = random.chance(0.02) ? random.int(MAX_PATTERN_BYTES) : random.int(400);
    const body = random.chance(0.3) ? patternBytes(id, random.int(2_000)) : undefined;
    const isChunked = random.chance(0.2);
    const query = `id=${id}&size=${size}${isChunked ? "&chunked=1" : ""}`;
    const url = `${this.#base}/?${query}${fault === undefined ? "" : `&fault=${fault}`}`;
    const abort = new AbortController();
    const isSlow = fault === "silent" || fault === "stalls";
    const options: RequestOptions = {
      ...body !== undefined && { body },
      ...fault === "cancel" && { signal: abort.signal },
      ...isSlow && { firstByteTimeoutMs: SLOW_MS, bodyTimeoutMs: SLOW_MS, retry: false },
    };
    const timer = fault === "cancel"
      ? setTimeout(() => abort.abort(CANCELLED), random.int(5))
      : undefined;
    let response: ClientResponse;
    let bytes: Uint8Array;
    try {
      response = body === undefined && fault === undefined
        ? await this.#client.get(url)
        : await this.#client.request(body === undefined ? "GET" : "POST", url, options);
      bytes = await response.bytes();
    } catch (error) {
      return error;
    } finally {
      clearTimeout(timer);
    }
    if (fault === "extra") return undefined;
    const { headers } = response;
    check(headers.get("x-id") === String(id), `Request ${id} got another's response`);
    check(bytes.length === size, `Request ${id} got ${bytes.length} bytes of ${size}`);
    check(headers.get("x-sent") === hash(bytes), `The body that came for ${id} is damaged`);
    const sent = hash(body ?? new Uint8Array(0));
    check(headers.get("x-received") === sent, `The body that was sent for ${id} is damaged`);
    return undefined;
  }

  #look(id: number): void {
    const { connections } = this.#client.stats();
    const max = Math.ceil(this.#options.concurrency / 2);
    check(connections <= max, `There are ${connections} connections`);
    const { gc } = globalThis as { gc?: () => void };
    gc?.();
    const { heapUsed, rss } = Deno.memoryUsage();
    if (gc !== undefined) this.heapBytes.push(heapUsed);
    this.rssBytes.push(rss);
    const megabytes = (count: number): string => (count / 2 ** 20).toFixed(1);
    this.#options.onProgress?.(
      `${id} of ${this.#options.count}: ${connections} connections, ` +
        `heap ${megabytes(heapUsed)} MiB, resident ${megabytes(rss)} MiB`,
    );
  }
}

/**
 * Runs the soak to its end.
 *
 * @throws {Error} If a request comes to what it should not, or a limit is passed.
 */
export async function soakClient(options: SoakOptions): Promise<SoakResult> {
  const script = new URL("./http_client_soak_server.ts", import.meta.url).pathname;
  const args = ["run", "--no-check", "--allow-net", script];
  await using server = new Child("server", { command: Deno.execPath(), args });
  const base = `http://127.0.0.1:${await server.readLine()}`;
  const soak = new Soak(base, options);
  await soak.run();
  await using client = new Client();
  const { maxConnectionCount } = await (await client.get(`${base}/stats`)).json<
    { maxConnectionCount: number }
  >();
  const { outcomes, heapBytes, rssBytes } = soak;
  return { outcomes, maxConnectionCount, heapBytes, rssBytes };
}

async function main(): Promise<void> {
  const result = await soakClient({
    count: numberOption("count", 1_000_000),
    concurrency: numberOption("concurrency", 200),
    seed: numberOption("seed", 0),
    onProgress: (text) => console.log(text),
  });
  console.log(result.outcomes);
  console.log(`at most ${result.maxConnectionCount} connections at the server`);
  checkFlat(result.heapBytes, "in use");
  checkFlat(result.rssBytes, "resident");
}

/** Holds the middle of what was seen late to that of what was seen early, the first look left out. */
function checkFlat(bytes: readonly number[], name: string): void {
  const seen = bytes.slice(1);
  const half = Math.floor(seen.length / 2);
  const [early, late] = [seen.slice(0, half), seen.slice(-half)].map((part) =>
    part.toSorted((one, other) => one - other)[half >> 1]!
  );
  check(half === 0 || late! < early! * MAX_GROWTH, `Bytes ${name} grew from ${early} to ${late}`);
}

if (import.meta.main) await main();
