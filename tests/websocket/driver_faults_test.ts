/**
 * Both ends of a WebSocket over connections that split, delay, stall, reset and lose, in virtual
 * time: everything that waits settles, nothing is left behind, and what arrives is what was sent.
 */

import { assert, assertEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { faultTransport } from "../../nbio/testing_fault_transport.ts";
import { randomFaults } from "../../nbio/testing_faults.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import type { WebSocketRole } from "../../websocket/connection_options.ts";
import { loadDeflateEngine } from "../../websocket/deflate_engine.ts";
import { WebSocketStateError } from "../../websocket/errors.ts";
import type { WebSocketConnection } from "../../websocket/websocket_connection.ts";
import type { WebSocketClosure } from "../../websocket/websocket_lifetime.ts";
import { WatchedTransport } from "../_support/cancelling.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { webSocketEnd } from "../_support/websocket_ends.ts";

const SEED_COUNT = 500;
const SEEDS_PER_TEST = 100;
const MESSAGES = 6;
const MAX_MESSAGE_BYTES = 1_500;
const HIGH_WATER_BYTES = 1_000;
const PARAMETERS = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 12,
  clientMaxWindowBits: 12,
};

/** Who says goodbye, when all was said. */
type Closer = WebSocketRole | "both";

const engine = await loadDeflateEngine();

/** One end, and all that happens to it. */
class End {
  readonly ws: WebSocketConnection;
  readonly transport: WatchedTransport;
  readonly sent: string[] = [];
  readonly received: string[] = [];
  readonly errors: unknown[] = [];
  readonly signal = new CountedSignal();
  readonly #role: WebSocketRole;
  readonly #random: SeededRandom;
  readonly #complete = Promise.withResolvers<void>();

  constructor(
    role: WebSocketRole,
    transport: Transport,
    wheel: DeadlineWheel,
    random: SeededRandom,
    { isCompressed = false, onCall = () => {} }: {
      readonly isCompressed?: boolean;
      readonly onCall?: () => void;
    } = {},
  ) {
    this.#role = role;
    this.#random = random;
    this.transport = new WatchedTransport(transport, onCall);
    const options = { wheel, highWaterMarkBytes: HIGH_WATER_BYTES, signal: this.signal.signal };
    this.ws = webSocketEnd(role, this.transport, options, {
      compression: isCompressed ? engine.createCompression(role, PARAMETERS) : undefined,
      randomMaskKey: () => random.int(2 ** 32),
    });
  }

  /** Says all there is to say, hears the other out, and maybe closes. */
  async run(closer: Closer): Promise<WebSocketClosure> {
    const reading = this.#read();
    await Promise.all(this.#speak());
    await Promise.race([this.#complete.promise, reading]);
    if (closer === "both" || closer === this.#role) {
      await this.#note(this.ws.close(this.#role === "client" ? 4001 : 4002, "done"));
    }
    await reading;
    return await this.ws.closed;
  }

  async #read(): Promise<void> {
    try {
      for await (const { type, data } of this.ws) {
        this.received.push(`${type} ${type === "text" ? data : new TextDecoder().decode(data)}`);
        if (this.received.length === MESSAGES) this.#complete.resolve();
      }
    } catch (error) {
      this.errors.push(error);
      // Whoever reads after the end is told the same, or that this is the end.
      await this.#note(this.ws.close());
    }
  }

  /** Sends everything at once: the order has to be that of the calls. */
  #speak(): Promise<void>[] {
    const all: Promise<void>[] = [];
    for (let index = 0; index < MESSAGES; index++) {
      const length = this.#random.length(MAX_MESSAGE_BYTES);
      const text = `${this.#role} ${index} `.padEnd(length, "é€");
      const isText = this.#random.chance(0.5);
      this.sent.push(`${isText ? "text" : "binary"} ${text}`);
      all.push(this.#note(this.#sendOne(text, isText)));
      if (this.#random.chance(0.3)) all.push(this.#note(this.ws.ping()));
    }
    return all;
  }

  #sendOne(text: string, isText: boolean): Promise<void> {
    const data = isText ? text : new TextEncoder().encode(text);
    return this.#random.chance(0.5) ? this.ws.send(data) : this.#sendFragments(data);
  }

  async #sendFragments(data: string | Uint8Array): Promise<void> {
    const size = this.#random.between(1, MAX_MESSAGE_BYTES);
    const type = typeof data === "string" ? "text" : "binary";
    const message = await this.ws.openMessage({ type });
    for (let at = 0; at < data.length; at += size) await message.write(data.slice(at, at + size));
    await message.close();
  }

  async #note(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.errors.push(error);
    }
  }

  /** Nothing waits, nothing is open, nobody listens. */
  checkOver(): void {
    assert(this.transport.closeCount > 0);
    assertEquals(this.transport.pendingCount, 0);
    assertEquals(this.signal.listenerCount, 0);
  }
}

function isDocumented(error: unknown): boolean {
  return error instanceof ConnectionClosedError || error instanceof TimeoutError ||
    error instanceof WebSocketStateError;
}

/** What arrived is what was sent, as far as it came. */
function checkReceived(from: End, to: End): void {
  assertEquals(to.received, from.sent.slice(0, to.received.length));
}

interface Conversation {
  readonly closer: Closer;
  readonly client: End;
  readonly server: End;
  readonly clock: ManualClock;
  readonly wheel: DeadlineWheel;
  readonly report: () => string;
}

/** More places than there are to be aborted at. */
const MAX_PLACES = 2_000;

/** Microtasks after which to abort: then the ends wait for a timer. */
const MAX_TURNS = 400;

/**
 * A conversation without faults in which the signal of one end is aborted.
 *
 * @returns Whether it was aborted before it was over.
 */
async function checkAbort(
  role: WebSocketRole,
  plan: (abort: () => void) => (() => void) | undefined,
): Promise<boolean> {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [near, far] = memoryPipe({ highWaterMarkBytes: 500 });
  const random = new SeededRandom(7);
  const reason = { text: "not even an Error" };
  let isAborted = false;
  const onCall = plan(() => {
    isAborted = true;
    aborted.signal.abort(reason);
  });
  const options = (own: WebSocketRole) => own === role && onCall !== undefined ? { onCall } : {};
  const client = new End("client", near, wheel, random.fork(), options("client"));
  const server = new End("server", far, wheel, random.fork(), options("server"));
  const [aborted, other] = role === "client" ? [client, server] : [server, client];
  const runs = Promise.all([aborted.run(role), other.run(role)]);
  const [{ code, clean }] = await clock.runUntil(runs);
  await settle();
  for (const end of [aborted, other]) end.checkOver();
  assertEquals(wheel.armedCount, 0);
  for (const error of other.errors) assert(isDocumented(error), `${error}`);
  if (code === 1006) {
    assertEquals([isAborted, clean], [true, false]);
    for (const error of aborted.errors) assertEquals(error, reason);
    return true;
  }
  assertEquals([aborted.errors, clean], [[], true]);
  return isAborted;
}

for (const role of ["client", "server"] as const) {
  Deno.test(`an abort of the ${role} at any call of its transport leaves nothing behind`, async () => {
    let place = 0;
    while (
      place < MAX_PLACES && await checkAbort(role, (abort) => {
        let count = 0;
        return () => void (count++ === place && abort());
      })
    ) place++;
    assert(place > 50 && place < MAX_PLACES, `${place} places`);
  });

  Deno.test(`an abort of the ${role} after any turn leaves nothing behind`, async () => {
    for (let place = 0; place < MAX_TURNS; place++) {
      await checkAbort(role, (abort) => {
        let turn = 0;
        const step = (): void => turn++ === place ? abort() : queueMicrotask(step);
        queueMicrotask(step);
        return undefined;
      });
    }
  });
}

function converse(seed: number, isHarmless: boolean): Conversation {
  const random = new SeededRandom(seed);
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const highWaterMarkBytes = random.between(50, 3_000);
  const [near, far] = memoryPipe({ highWaterMarkBytes });
  const ends = isHarmless ? { ends: [] } : {};
  const bounds = { maxBytes: 6_000, maxDelayMs: 5, ...ends };
  const upper = faultTransport(near, { ...randomFaults(2 * seed, bounds), clock });
  const lower = faultTransport(far, { ...randomFaults(2 * seed + 1, bounds), clock });
  const isCompressed = random.chance(0.3);
  const closer = random.pick(["client", "server", "both"] as const);
  return {
    ...{ closer, clock, wheel },
    client: new End("client", upper, wheel, random.fork(), { isCompressed }),
    server: new End("server", lower, wheel, random.fork(), { isCompressed }),
    report: () => `seed ${seed}, ${closer} closes\n${upper.report()}\n${lower.report()}`,
  };
}

async function check(seed: number, isHarmless: boolean): Promise<void> {
  const conversation = converse(seed, isHarmless);
  try {
    await checkConversation(conversation, isHarmless);
  } catch (error) {
    throw new Error(conversation.report(), { cause: error });
  }
}

async function checkConversation(
  { closer, client, server, clock, wheel }: Conversation,
  isHarmless: boolean,
): Promise<void> {
  const runs = Promise.all([client.run(closer), server.run(closer)]);
  const closures = await clock.runUntil(runs);
  await settle();
  for (const end of [client, server]) {
    end.checkOver();
    for (const error of end.errors) assert(isDocumented(error), `${error}`);
  }
  checkReceived(client, server);
  checkReceived(server, client);
  assertEquals(wheel.armedCount, 0);
  if (!isHarmless) return;
  assertEquals([client.received.length, server.received.length], [MESSAGES, MESSAGES]);
  for (const { clean, code } of closures) {
    assertEquals([clean, code === 4001 || code === 4002], [true, true]);
  }
}

for (const isHarmless of [true, false]) {
  for (let first = 0; first < SEED_COUNT; first += SEEDS_PER_TEST) {
    const kind = isHarmless ? "pieces and delays" : "every fault";
    Deno.test(`both ends come to an end over ${kind}, seeds from ${first}`, async () => {
      for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
        await check(seed, isHarmless);
      }
    });
  }
}
