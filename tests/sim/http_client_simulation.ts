/**
 * The whole client against the whole server over simulated connections that split, delay, stall,
 * reset and lose, in virtual time: requests of every kind at once, on few connections.
 *
 * Held is: every call ends in its own response, whole, or in one documented error; what may not be
 * sent twice comes to a handler at most once; bounds are kept; nothing is left behind.
 *
 * `deno run tests/sim/http_client_simulation.ts [--seed 0] [--count 1000]`
 */

import { Client } from "../../http/client.ts";
import type { ClientBody } from "../../http/client_request_body.ts";
import type { RequestOptions } from "../../http/client_settings.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { HttpServer } from "../../http/serve.ts";
import type { Context } from "../../http/server_context.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { faultTransport } from "../../nbio/testing_fault_transport.ts";
import { type FaultEnd, randomFaults } from "../../nbio/testing_faults.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { WatchedTransport } from "../_support/cancelling.ts";
import { MemorySource } from "../_support/memory_source.ts";
import { numberOption } from "../fuzz/number_option.ts";

const MAX_CALLS = 12;
const MAX_BODY_BYTES = 2_000;
const HOSTS = ["a.test", "b.test"] as const;
const METHODS = ["GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE"] as const;
const SENT_ONCE: readonly string[] = ["POST", "PATCH"];
const WITHOUT_BODY: readonly string[] = ["GET", "HEAD", "DELETE"];
const STATUSES = ["200", "200", "200", "204", "304", "404", "500"] as const;
const WRITE_TIMEOUT_MS = 30_000;
/** A wheel may be late by this much, and a tick takes note of what was armed. */
const LATE_MS = 200;
/** How our server answers what it cannot read. */
const REFUSALS: readonly number[] = [400, 408];
const NO_CONTENT: readonly string[] = ["204", "304"];

/** What came of a run. */
export interface SimulationResult {
  /** Calls that ended in their response. */
  readonly answeredCount: number;
  /** Calls that ended in an error. */
  readonly failedCount: number;
  /** Connections that were made. */
  readonly connectionCount: number;
}

/** How connections behave. */
export interface SimulationOptions {
  /** Seed of everything. */
  readonly seed: number;
  /** Whether connections only split and delay, so that every call succeeds. */
  readonly isHarmless: boolean;
}

/** One call that is going to be made. */
interface CallPlan {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly status: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly body: ClientBody | undefined;
  readonly startMs: number;
  /** When the caller loses patience; `undefined` for never. */
  readonly cancelAfterMs: number | undefined;
  readonly isRead: "bytes" | "pieces" | "dropped";
  readonly expectContinue: boolean;
}

function planCall(random: SeededRandom, index: number): CallPlan {
  const method = random.pick(METHODS);
  const status = random.pick(STATUSES);
  const kind = random.pick(["whole", "streamed", "early"]);
  const isEmpty = WITHOUT_BODY.includes(method);
  const bytes = isEmpty ? new Uint8Array(0) : random.bytes(random.length(MAX_BODY_BYTES));
  const id = `${index}-${random.int(1_000_000)}`;
  const query = `id=${id}&status=${status}&extra=${random.length(1_500)}`;
  return {
    id,
    method,
    url: `http://${random.pick(HOSTS)}/${kind}?${query}`,
    status,
    bytes,
    body: isEmpty ? undefined : random.chance(0.5) ? bytes : pieces(bytes, random.fork()),
    startMs: random.int(300),
    cancelAfterMs: random.chance(0.1) ? random.int(200) : undefined,
    isRead: random.weighted([["bytes", 6], ["pieces", 3], ["dropped", 1]]),
    expectContinue: random.chance(0.15),
  };
}

/** A body that can be read once only. */
async function* pieces(bytes: Uint8Array, random: SeededRandom): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + random.between(1, 500));
    yield await Promise.resolve(bytes.subarray(at, end));
    at = end;
  }
}

/** What belongs behind the echoed body of a response. */
function extraBytes(id: string, count: number): Uint8Array<ArrayBuffer> {
  return new SeededRandom(Number(id.split("-")[1])).bytes(count);
}

/** A client, a server and what is between them. */
class World {
  readonly clock = new ManualClock();
  readonly wheel: DeadlineWheel = new DeadlineWheel(this.clock);
  readonly client: Client;
  readonly server: HttpServer;
  readonly transports: WatchedTransport[] = [];
  /** How often each call came to a handler. */
  readonly handled = new Map<string, number>();
  readonly #random: SeededRandom;
  readonly #isHarmless: boolean;
  readonly #listener = new MemorySource();
  readonly maxConnectionsPerHost: number;

  constructor({ seed, isHarmless }: SimulationOptions, random: SeededRandom) {
    this.#random = random;
    this.#isHarmless = isHarmless;
    this.maxConnectionsPerHost = random.between(1, 4);
    this.server = new HttpServer((ctx) => this.#answer(ctx), {
      clock: this.clock,
      listener: this.#listener,
      abortOnHalfClose: true,
      onError: () => {},
    });
    const seeds = new SeededRandom(seed ^ 0x5bd1_e995);
    this.client = new Client({
      clock: this.clock,
      wheel: this.wheel,
      maxConnectionsPerHost: this.maxConnectionsPerHost,
      maxConnections: random.between(2, 6),
      maxRequestsPerConnection: random.chance(0.3) ? random.between(1, 3) : Infinity,
      retry: { random: () => random.next() },
      transport: () => this.#connect(seeds.int(2 ** 31)),
    });
  }

  async #connect(seed: number): Promise<Transport> {
    const random = new SeededRandom(seed);
    const [near, far] = memoryPipe({ highWaterMarkBytes: random.between(50, 3_000) });
    const ends: { readonly ends?: readonly FaultEnd[] } = this.#isHarmless ? { ends: [] } : {};
    const faults = randomFaults(seed, { maxBytes: 8_000, maxDelayMs: 5, ...ends });
    const watched = new WatchedTransport(
      faultTransport(near, { ...faults, seed, clock: this.clock }),
    );
    this.transports.push(watched);
    this.#listener.offer(far);
    return await Promise.resolve(watched);
  }

  async #answer(ctx: Context): Promise<void> {
    const id = ctx.query.get("id")!;
    this.handled.set(id, (this.handled.get(id) ?? 0) + 1);
    ctx.status = Number(ctx.query.get("status"));
    ctx.set("x-id", id);
    ctx.set("x-method", ctx.method);
    if (ctx.status === 204 || ctx.status === 304) return;
    const extra = extraBytes(id, Number(ctx.query.get("extra")));
    if (ctx.path === "/early") return ctx.bytes(extra);
    const body = await ctx.body.bytes();
    const whole = new Uint8Array(body.length + extra.length);
    whole.set(body);
    whole.set(extra, body.length);
    if (ctx.path === "/whole") return ctx.bytes(whole);
    ctx.stream(pieces(whole, this.#random.fork()));
  }

  /** Makes a call; gives what it failed with, or the plan where it was refused or cancelled. */
  async call(plan: CallPlan): Promise<unknown> {
    const { method, url, body, expectContinue, cancelAfterMs } = plan;
    await this.#sleep(plan.startMs);
    const abort = new AbortController();
    const timer = cancelAfterMs === undefined
      ? undefined
      : this.clock.setTimer(() => abort.abort(plan), cancelAfterMs);
    const options: RequestOptions = {
      ...body !== undefined && { body, expectContinue },
      ...cancelAfterMs !== undefined && { signal: abort.signal },
    };
    try {
      await using response = await this.client.request(method, url, options);
      const id = response.headers.get("x-id");
      // What came to grief on its way gets the server's own answer.
      if (id === undefined && !this.#isHarmless && REFUSALS.includes(response.status)) return plan;
      check(id === plan.id, `a response of ${id}`, plan);
      check(response.headers.get("x-method") === method, "another method", plan);
      check(String(response.status) === plan.status, `status ${response.status}`, plan);
      if (plan.isRead === "dropped") return undefined;
      const read = plan.isRead === "bytes" ? await response.bytes() : await collect(response);
      check(isSame(read, wantedBody(plan)), `a body of ${read.length} bytes`, plan);
      return undefined;
    } catch (error) {
      if (error instanceof SimulationError) throw error;
      return error;
    } finally {
      if (timer !== undefined) this.clock.clearTimer(timer);
    }
  }

  /** Ends everything, and looks whether something is left. */
  async end(): Promise<void> {
    // A last write that stalls is given up when its time has come.
    const isQuiet = (): boolean => this.client.stats().connections === this.client.stats().idle;
    if (!isQuiet()) await this.clock.advanceAsync(WRITE_TIMEOUT_MS + LATE_MS);
    const { connections, idle, queued, dialing } = this.client.stats();
    check(connections === idle, `${connections - idle} connections still lent`, this.client);
    check(queued === 0 && dialing === 0, "somebody waits", this.client);
    await this.client.close();
    check(this.wheel.armedCount === 0, `${this.wheel.armedCount} deadlines armed`, this.client);
    await this.clock.runUntil(this.server.shutdown({ graceMs: 0 }));
    await settle();
    for (const { closeCount, pendingCount } of this.transports) {
      check(closeCount > 0 && pendingCount === 0, "a connection is left", this.transports);
    }
  }

  #sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(resolve, durationMs));
  }
}

class SimulationError extends Error {}

function check(holds: boolean, problem: string, seen: unknown): void {
  if (!holds) throw new SimulationError(`There is ${problem}: ${Deno.inspect(seen)}`);
}

function wantedBody({ id, method, url, status, bytes }: CallPlan): Uint8Array {
  if (method === "HEAD" || NO_CONTENT.includes(status)) return new Uint8Array(0);
  const { pathname, searchParams } = new URL(url);
  const extra = extraBytes(id, Number(searchParams.get("extra")));
  return pathname === "/early" ? extra : new Uint8Array([...bytes, ...extra]);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return new Uint8Array(all);
}

function isDocumented(error: unknown): boolean {
  return error instanceof ConnectionClosedError || error instanceof TimeoutError ||
    error instanceof HttpProtocolError || error instanceof ConnectError;
}

function checkOutcome(world: World, plan: CallPlan, error: unknown, isHarmless: boolean): void {
  const count = world.handled.get(plan.id) ?? 0;
  const isOnce = count <= 1 || !SENT_ONCE.includes(plan.method);
  check(isOnce, `a request that was handled ${count} times`, plan);
  if (error === undefined) return check(count > 0, "a response to nothing", plan);
  if (error === plan) return;
  check(isDocumented(error), `an undocumented error: ${Deno.inspect(error)}`, plan);
  check(!isHarmless, `a failure without a fault: ${Deno.inspect(error)}`, plan);
}

/**
 * Runs one world to its end.
 *
 * @throws {Error} If something does not hold; the message has the seed.
 */
export async function simulateClient(options: SimulationOptions): Promise<SimulationResult> {
  const random = new SeededRandom(options.seed);
  const world = new World(options, random);
  const plans = Array.from(
    { length: random.between(1, MAX_CALLS) },
    (_, index) => planCall(random.fork(), index),
  );
  try {
    const errors = await world.clock.runUntil(Promise.all(plans.map((plan) => world.call(plan))));
    plans.forEach((plan, index) => checkOutcome(world, plan, errors[index], options.isHarmless));
    await world.end();
    const failedCount = errors.filter((error) => error !== undefined).length;
    return {
      answeredCount: errors.length - failedCount,
      failedCount,
      connectionCount: world.transports.length,
    };
  } catch (cause) {
    throw new Error(`Failed with ${JSON.stringify(options)}: ${cause}`, { cause });
  }
}

async function main(): Promise<void> {
  const first = numberOption("seed", 0);
  const count = numberOption("count", 1_000);
  const sum = { answeredCount: 0, failedCount: 0, connectionCount: 0 };
  for (let seed = first; seed < first + count; seed++) {
    for (const isHarmless of [true, false]) {
      const result = await simulateClient({ seed, isHarmless });
      sum.answeredCount += result.answeredCount;
      sum.failedCount += result.failedCount;
      sum.connectionCount += result.connectionCount;
    }
  }
  console.log(`${count} seeds from ${first}:`, sum);
}

if (import.meta.main) await main();
