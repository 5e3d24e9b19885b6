/**
 * Our client against our server over connections that split, delay, stall, reset and lose, in
 * virtual time: every exchange ends in the right response or in one documented error.
 */

import { assert, assertEquals } from "@std/assert";
import { ClientConnection } from "../../http/client_connection.ts";
import type { ExchangeRequest } from "../../http/client_sender.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { HttpServer } from "../../http/serve.ts";
import type { Handler } from "../../http/server_shared.ts";
import type { AcceptSource } from "../../nbio/accept_source.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { faultTransport } from "../../nbio/testing_fault_transport.ts";
import { randomFaults } from "../../nbio/testing_faults.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";

const SEED_COUNT = 200;
const SEEDS_PER_TEST = 100;
const EXCHANGES = 3;
const MAX_BODY_BYTES = 1_500;

/** Gives one connection, then none. */
class OneConnection implements AcceptSource {
  readonly addr: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 80 };
  readonly #closed = Promise.withResolvers<never>();
  #transport: Transport | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#closed.promise.catch(() => {});
  }

  accept(): Promise<Transport> {
    const transport = this.#transport;
    this.#transport = undefined;
    return transport === undefined ? this.#closed.promise : Promise.resolve(transport);
  }

  close(): void {
    this.#closed.reject(new Deno.errors.BadResource("Listener is closed"));
  }
}

/** Gives back what comes: at once or piece by piece, of known length or not. */
const echo: Handler = async (ctx) => {
  if (ctx.path === "/stream") await ctx.stream(ctx.body.stream);
  else ctx.bytes(await ctx.body.bytes());
};

async function* cut(bytes: Uint8Array, random: SeededRandom): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + random.between(1, 500));
    yield await Promise.resolve(bytes.subarray(at, end));
    at = end;
  }
}

function draw(random: SeededRandom): { request: ExchangeRequest; bytes: Uint8Array } {
  const bytes = random.bytes(random.between(0, MAX_BODY_BYTES));
  const target = random.chance(0.5) ? "/stream" : "/whole";
  const expects = random.chance(0.25);
  const headers = { host: "a", ...expects && { expect: "100-continue" } };
  const request = { method: "POST", target, headers };
  const body = random.chance(0.5) ? bytes : cut(bytes, random);
  return { request: { ...request, body }, bytes };
}

/** Exchanges until one fails or the connection is of no more use. */
async function converse(
  connection: ClientConnection,
  random: SeededRandom,
): Promise<{ error: unknown; completed: number }> {
  let completed = 0;
  try {
    for (; completed < EXCHANGES && connection.isReusable; completed++) {
      const { request, bytes } = draw(random);
      const response = await connection.exchange(request);
      // The server answers early where the request has come to grief on its way.
      const body = await response.bytes();
      if (response.status === 200) assertEquals(body, bytes);
      else assert(response.status >= 400);
      await response.ended;
    }
    return { error: undefined, completed };
  } catch (error) {
    return { error, completed };
  }
}

async function run(seed: number, isHarmless: boolean): Promise<void> {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const [near, far] = memoryPipe({ highWaterMarkBytes: random.between(50, 3_000) });
  const faults = randomFaults(seed, {
    maxBytes: 4_000,
    maxDelayMs: 5,
    ...isHarmless && { ends: [] },
  });
  const client = faultTransport(near, { ...faults, seed, clock });
  const server = new HttpServer(echo, {
    clock,
    listener: new OneConnection(far),
    onError: () => {},
  });
  const wheel = new DeadlineWheel(clock);
  const connection = new ClientConnection(client, { wheel });
  const { error, completed } = await clock.runUntil(converse(connection, random));
  const report = `seed ${seed}: ${error}\n${client.report()}`;
  if (isHarmless) assertEquals([completed, error], [EXCHANGES, undefined], report);
  const isDocumented = error === undefined || error instanceof ConnectionClosedError ||
    error instanceof TimeoutError || error instanceof HttpProtocolError;
  assert(isDocumented, report);
  assertEquals(connection.isReusable, error === undefined && connection.endReason === undefined);
  connection.close();
  assertEquals(wheel.armedCount, 0, report);
  await clock.runUntil(server.shutdown({ graceMs: 0 }));
}

for (const isHarmless of [true, false]) {
  for (let first = 0; first < SEED_COUNT; first += SEEDS_PER_TEST) {
    const kind = isHarmless ? "pieces and delays" : "every fault";
    Deno.test(`our client and our server get along over ${kind}, seeds from ${first}`, async () => {
      for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) await run(seed, isHarmless);
    });
  }
}
