import { assert, assertEquals } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import type { WebSocketEvent } from "../../websocket/events.ts";
import { RunLengthDeflater, RunLengthInflater } from "../_support/websocket_run_length.ts";

const SEED_COUNT = 60;
const MAX_TURNS = 100_000;

/** Chunks from one end to the other, cut and held up as chance will have it. */
class Wire {
  #bytes: number[] = [];
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /** Takes one chunk of what a core wants to write. */
  fill(core: WebSocketCore): void {
    const output = core.takeOutput();
    if (output !== undefined) { for (const byte of output) this.#bytes.push(byte); }
  }

  /** Gives some of it to the other core, by copy or in place. */
  deliver(core: WebSocketCore, nowMs: number): void {
    const wanted = this.#random.length(20_000);
    if (this.#random.chance(0.5)) {
      core.receive(new Uint8Array(this.#bytes.splice(0, wanted)), nowMs);
      return;
    }
    const space = core.writable();
    const part = this.#bytes.splice(0, Math.min(space.length, wanted));
    space.set(part);
    core.commit(part.length, nowMs);
  }
}

/** One end: sends a plan, and writes down what comes. */
class Peer {
  readonly core: WebSocketCore;
  readonly sent: string[] = [];
  readonly received: string[] = [];
  close: WebSocketEvent | undefined;
  readonly #random: SeededRandom;
  /** What is left of a message in fragments. */
  #fragments: (string | Uint8Array)[] = [];

  constructor(core: WebSocketCore, random: SeededRandom) {
    this.core = core;
    this.#random = random;
  }

  /** Sends something, mostly. */
  act(): void {
    const random = this.#random;
    if (this.core.state !== "open" || this.core.isWriterBehind) return;
    if (random.chance(0.1)) return this.core.sendPing(random.bytes(random.int(126)));
    if (this.#fragments.length > 0) {
      const fragment = this.#fragments.shift()!;
      return this.core.sendFragment(fragment, this.#fragments.length === 0);
    }
    const length = random.length(random.chance(0.05) ? 50_000 : 300);
    const isText = random.chance(0.5);
    const data = isText ? random.pick(["a", "é", "😀"]).repeat(length) : random.bytes(length);
    this.sent.push(describe(data));
    if (random.chance(0.7)) {
      if (typeof data === "string") this.core.sendText(data);
      else this.core.sendBinary(data);
      return;
    }
    const cut = random.int(data.length + 1);
    this.#fragments = [data.slice(0, cut), data.slice(0, 0), data.slice(cut)];
  }

  /** Reads what there is. */
  pull(): void {
    for (let event; this.close === undefined && (event = this.core.nextEvent()) !== undefined;) {
      if (event.type === "close") this.close = event;
      if (event.type === "text" || event.type === "binary") {
        this.received.push(describe(event.data));
      }
    }
  }
}

function describe(data: string | Uint8Array): string {
  if (typeof data === "string") return `text ${data.length} ${data.slice(0, 40)}`;
  return `binary ${data.length} ${data.reduce((sum, byte) => (sum * 31 + byte) | 0, 0)}`;
}

function createPair(random: SeededRandom): { client: Peer; server: Peer } {
  const compressions = random.chance(0.5) ? [undefined, undefined] : [0, 1].map(() => ({
    inflater: new RunLengthInflater(),
    deflater: new RunLengthDeflater(),
    thresholdBytes: random.int(300),
  }));
  const core = (role: "client" | "server", index: number): WebSocketCore => {
    const compression = compressions[index];
    return new WebSocketCore({
      role,
      ...role === "client" && { randomMaskKey: () => random.int(2 ** 32) },
      ...compression !== undefined && { compression },
    });
  };
  return {
    client: new Peer(core("client", 0), random.fork()),
    server: new Peer(core("server", 1), random.fork()),
  };
}

for (const closer of ["client", "server", "both"] as const) {
  Deno.test(`client and server cores understand each other, whoever closes: ${closer}`, () => {
    for (let seed = 0; seed < SEED_COUNT; seed++) {
      const random = new SeededRandom(seed);
      const { client, server } = createPair(random);
      const up = new Wire(random);
      const down = new Wire(random);
      let turn = 0;
      for (; !(client.core.mustDisconnect && server.core.mustDisconnect); turn++) {
        assert(turn < MAX_TURNS, `no end with seed ${seed}`);
        if (turn === 200) {
          if (closer !== "server") client.core.close(1000, "enough", turn);
          if (closer !== "client") server.core.close(1001, "enough", turn);
        }
        for (const peer of [client, server]) if (random.chance(0.4)) peer.act();
        if (random.chance(0.7)) up.fill(client.core);
        if (random.chance(0.7)) down.fill(server.core);
        if (random.chance(0.7)) up.deliver(server.core, turn);
        if (random.chance(0.7)) down.deliver(client.core, turn);
        for (const peer of [client, server]) if (random.chance(0.7)) peer.pull();
        // The server ends the stream when all it had to say is out.
        const isServerDone = server.core.mustDisconnect && server.core.queuedBytes === 0;
        if (isServerDone && down.isEmpty && client.close !== undefined) client.core.receiveEnd();
      }
      check(client, server, closer);
      check(server, client, closer);
    }
  });
}

/** Everything in order; all of it unless one end closed before it had read the rest. */
function check(from: Peer, to: Peer, closer: string): void {
  assertEquals(to.received, from.sent.slice(0, to.received.length));
  assert(to.close?.type === "close");
  assertEquals(to.close.clean, true);
  if (closer === "both") assertEquals(to.close.by, "local");
  else if (to.close.by === "remote") assert(to.received.length >= from.sent.length - 1);
}
