import type { Context } from "../../http/server_context.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import type { Transport } from "../../nbio/transport.ts";
import { dial } from "../../websocket/dial.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import { upgrade } from "../../websocket/upgrade.ts";
import type { WebSocketConnection } from "../../websocket/websocket_connection.ts";
import type { WebSocketMessage } from "../../websocket/websocket_message.ts";
import type { WebSocketOptions } from "../../websocket/websocket_options.ts";
import { HttpError } from "../../http/errors.ts";
import { frameTap } from "./frame_tap.ts";
import { isSame } from "./http_plan.ts";
import { HttpService } from "./http_service.ts";
import type { NameServers } from "./name_servers.ts";
import { failureOf } from "./outcomes.ts";
import { check } from "./simulation_error.ts";
import { StreamEnd } from "./stream_connection.ts";
import type { World, WorldHost } from "./world.ts";

const PORT = 80;
const MAX_CLIENT_COUNT = 4;
const MAX_MESSAGE_COUNT = 12;
/** What pings and pongs may add to what is queued. */
const CONTROL_BYTES = 256;
const TOO_LARGE = 1009;
const NORMAL = 1000;
/** Sizes at which the length of a frame takes another form. */
const EDGES = [0, 1, 125, 126, 127] as const;

/** What a client sends: text where it is one, so that both kinds come back as they were. */
type Payload = string | Uint8Array<ArrayBuffer>;

/** A server that echoes messages, and clients: some flood it, some read slowly, some go too far. */
export class WebSocketWorkload {
  readonly #world: World;
  readonly #names: NameServers;
  readonly #random: SeededRandom;
  readonly #host: WorldHost;
  readonly #maxMessageBytes: number;
  readonly #highWaterMarkBytes: number;
  readonly #options: WebSocketOptions;

  constructor(world: World, names: NameServers, random: SeededRandom) {
    this.#world = world;
    this.#names = names;
    this.#random = random;
    this.#host = names.host("ws.sim");
    this.#maxMessageBytes = random.between(200, 2_000);
    this.#highWaterMarkBytes = random.pick([16, 1_024, 65_536]);
    this.#options = {
      wheel: world.wheel,
      maxMessageBytes: this.#maxMessageBytes,
      highWaterMarkBytes: this.#highWaterMarkBytes,
      ...!world.isCalm && {
        silenceTimeoutMs: 3_000,
        pongTimeoutMs: 2_000,
        closeTimeoutMs: 2_000,
        writeTimeoutMs: 3_000,
      },
    };
    const handler = (ctx: Context): Promise<void> => this.#echo(ctx);
    world.run(new HttpService(world, { host: this.#host, port: PORT, handler }, {}));
  }

  /** Runs all clients. */
  async run(): Promise<void> {
    const count = this.#random.between(1, MAX_CLIENT_COUNT);
    await Promise.all(Array.from({ length: count }, async (_, index) => {
      const random = this.#random.fork();
      await this.#world.sleep(random.int(500));
      await this.#world.operation(`socket ${index}`, () => this.#talk(random, index));
    }));
  }

  /** The server: what comes goes back, whole or piece by piece. */
  async #echo(ctx: Context): Promise<void> {
    let socket: WebSocketConnection;
    try {
      socket = await upgrade(ctx, this.#options);
    } catch (error) {
      if (!(error instanceof HttpError) && !ctx.signal.aborted) failureOf(error);
      throw error;
    }
    const operation = this.#world.ledger.begin("echo");
    try {
      for await (const message of socket) await socket.send(payloadOf(message));
    } catch (error) {
      this.#world.catch(note(error));
    }
    const { code, clean } = await socket.closed;
    operation.end(`closed ${code}${clean ? "" : " unclean"}`);
  }

  async #talk(random: SeededRandom, index: number): Promise<string> {
    const host = this.#world.host(`wsclient${index}`);
    const socket = await dial("ws://ws.sim/", {
      ...this.#options,
      family: 4,
      clock: this.#world.clock,
      resolver: this.#names.resolver(host),
      connect: async (address, bounds) => tapped(this.#world, await host.connect(address, bounds)),
    });
    const closures: number[] = [];
    const closed = socket.closed.then(({ code }) => closures.push(code));
    const goesTooFar = random.chance(0.2);
    try {
      const outcome = goesTooFar
        ? await this.#goTooFar(socket, random)
        : await this.#exchange(socket, random);
      return outcome;
    } catch (error) {
      if (this.#world.isCalm) throw error;
      return failureOf(error);
    } finally {
      await socket.close().catch(() => {});
      await closed;
      check(closures.length === 1, `${closures.length} ends of one socket`);
    }
  }

  /** All messages come back, in order, whoever is slow. */
  async #exchange(socket: WebSocketConnection, random: SeededRandom): Promise<string> {
    const payloads = Array.from(
      { length: random.between(1, MAX_MESSAGE_COUNT) },
      () => this.#drawPayload(random),
    );
    const isSlow = random.chance(0.3);
    const reading = this.#readAll(socket, payloads, isSlow ? random.fork() : undefined);
    const writing = this.#writeAll(socket, payloads, random.fork());
    // It counts from the next read on, and there may be none: then the end of the socket ends it.
    const pinged = random.chance(0.5)
      ? socket.ping().then(() => "answered", failureOf)
      : Promise.resolve("none");
    const outcomes = await Promise.allSettled([reading, writing]);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    const { code, clean, by } = await socket.close(NORMAL, "done");
    await pinged;
    const isRight = code === NORMAL && clean && by === "local";
    check(isRight || !this.#world.isCalm, `a close with ${code}, ${clean}, ${by}`);
    return `echoed, ${code}`;
  }

  async #readAll(
    socket: WebSocketConnection,
    payloads: readonly Payload[],
    slow: SeededRandom | undefined,
  ): Promise<void> {
    for (const payload of payloads) {
      if (slow !== undefined) await this.#world.sleep(slow.length(400));
      const message = await socket.readMessage();
      // Whoever ends in good order may do so between two messages.
      if (message === undefined && !this.#world.isCalm) return;
      check(message !== undefined, "an end in place of a message");
      const echo = payloadOf(message);
      const isRight = typeof echo === "string" || typeof payload === "string"
        ? echo === payload
        : isSame(echo, payload);
      check(isRight, `an echo of ${echo.length} for ${payload.length}`);
    }
  }

  async #writeAll(
    socket: WebSocketConnection,
    payloads: readonly Payload[],
    random: SeededRandom,
  ): Promise<void> {
    const isFlood = random.chance(0.5);
    const sent: Promise<void>[] = [];
    for (const payload of payloads) {
      const isPieces = typeof payload !== "string" && random.chance(0.3);
      const sending = isPieces ? sendPieces(socket, payload, random.fork()) : socket.send(payload);
      // Told below, to whoever waits for all of them.
      sending.catch(() => {});
      sent.push(sending);
      if (isFlood) continue;
      await sending;
      const { bufferedAmount } = socket;
      check(
        bufferedAmount <= this.#highWaterMarkBytes + CONTROL_BYTES,
        `${bufferedAmount} bytes queued`,
      );
    }
    await Promise.all(sent);
  }

  /** One byte more than the server takes: it says so. */
  async #goTooFar(socket: WebSocketConnection, random: SeededRandom): Promise<string> {
    await socket.send(random.bytes(this.#maxMessageBytes));
    const back = await socket.readMessage();
    check(back !== undefined || !this.#world.isCalm, "an end in place of a message");
    await socket.send(random.bytes(this.#maxMessageBytes + 1)).catch(failureOf);
    const more = await socket.readMessage();
    check(more === undefined, "an echo of what is too large");
    const { code } = await socket.closed;
    check(code === TOO_LARGE || !this.#world.isCalm, `a close with ${code}`);
    return `closed, ${code}`;
  }

  #drawPayload(random: SeededRandom): Payload {
    const max = this.#maxMessageBytes;
    const length = random.weighted([
      [random.length(max), 4],
      [max, 1],
      [random.pick(EDGES), 2],
    ]);
    if (random.chance(0.5)) return random.bytes(length);
    return "é".repeat(length >>> 1) + "e".repeat(length & 1);
  }
}

async function sendPieces(
  socket: WebSocketConnection,
  payload: Uint8Array,
  random: SeededRandom,
): Promise<void> {
  const writer = await socket.openMessage({ type: "binary" });
  for (let at = 0; at < payload.length;) {
    const end = Math.min(payload.length, at + random.length(400));
    await writer.write(payload.subarray(at, end));
    at = end;
  }
  await writer.close();
}

function payloadOf(message: WebSocketMessage): Payload {
  return message.type === "text" ? message.data : message.data.slice();
}

/** Has what an end writes, and what is written to it, looked at. */
function tapped(world: World, transport: Transport): Transport {
  check(transport instanceof StreamEnd, "a connection of another network");
  transport.tap = frameTap("client", (error) => world.catch(error));
  transport.peer.tap = frameTap("server", (error) => world.catch(error));
  return transport;
}

/** An error of the network is none of ours; a message that is too large is no surprise here. */
function note(error: unknown): unknown {
  if (error instanceof WebSocketProtocolError) return undefined;
  try {
    failureOf(error);
    return undefined;
  } catch (found) {
    return found;
  }
}
