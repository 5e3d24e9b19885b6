/**
 * Fuzzing of the WebSocket core.
 *
 * Every input is frames of all kinds, mostly legal ones, some spoilt. It goes
 * through a core whole and cut, copied and read in place, and has to tell the same
 * each time: events, a documented error, and what the core answers. Every input
 * has a number, and with the seed the number makes it again.
 */

import { LimitExceededError } from "../../nbio/errors.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { frame, join } from "../_support/websocket_frames.ts";
import { RunLengthDeflater, RunLengthInflater } from "../_support/websocket_run_length.ts";
import { count, type FuzzRun, type FuzzTarget, outcomeOf, type Outcomes } from "./fuzz_target.ts";
import { cut, formatInput, randomOf } from "./mutation.ts";

/** What came of it. */
export interface WebSocketFuzzResult {
  /** Inputs that ended in a documented error. */
  readonly refusedCount: number;
  /** Inputs that ended with a Close frame. */
  readonly closedCount: number;
  /** Messages of all inputs. */
  readonly messageCount: number;
  /** Inputs by how they ended. */
  readonly outcomes: Outcomes;
}

interface Setup {
  readonly role: "client" | "server";
  readonly maxMessageBytes: number;
  readonly isCompressed: boolean;
  readonly deliversPieces: boolean;
}

const MAX_FRAMES = 8;
const LENGTHS = [0, 1, 2, 3, 7, 125, 126, 127, 200, 65_535, 65_536, 70_000];
const TEXTS = ["", "a", "é", "€uro", "😀", "\ufffd", "plain ASCII that is a bit longer"];
/** More steps for an input, and for each of its bytes, than a core has reason for. */
const MAX_STEPS = 1_000;
const STEPS_PER_BYTE = 4;

function createSetup(random: SeededRandom): Setup {
  return {
    role: random.pick(["client", "server"]),
    maxMessageBytes: random.pick([10, 300, 100_000, 100_000]),
    isCompressed: random.chance(0.3),
    deliversPieces: random.chance(0.2),
  };
}

function createPayload(random: SeededRandom, isText: boolean): Uint8Array {
  if (!isText) return random.bytes(random.chance(0.02) ? random.pick(LENGTHS) : random.int(40));
  const text = Array.from({ length: random.int(6) }, () => random.pick(TEXTS)).join("");
  return new TextEncoder().encode(text);
}

/** Frames that are legal in their order, unless chance says otherwise. */
function createInput(random: SeededRandom, setup: Setup): Uint8Array<ArrayBuffer> {
  const frames: Uint8Array[] = [];
  let open = 0;
  for (let count = 1 + random.int(MAX_FRAMES); count > 0; count--) {
    const isControl = random.chance(0.2);
    const isFinal = isControl || random.chance(0.6);
    const opcode = isControl
      ? random.pick([8, 9, 9, 10])
      : random.chance(0.95)
      ? (open === 0 ? random.pick([1, 2]) : 0)
      : random.int(16);
    const kind = opcode === 0 ? open : opcode;
    const payload = opcode === 8
      ? new Uint8Array([3, 232 + random.int(16), ...createPayload(random, true).slice(0, 20)])
      : isControl
      ? random.bytes(random.int(126))
      : createPayload(random, kind === 1);
    const isMasked = (setup.role === "server") === random.chance(0.98);
    const reserved = random.chance(0.02)
      ? random.int(8)
      : setup.isCompressed && (opcode === 1 || opcode === 2) && random.chance(0.5)
      ? 4
      : 0;
    frames.push(frame({
      opcode,
      payload,
      isFinal,
      reserved,
      key: isMasked ? [...random.bytes(4)] : undefined,
      ...random.chance(0.02) && { lengthBits: random.pick([16, 64]) },
    }));
    if (!isControl) open = isFinal ? 0 : kind;
  }
  const bytes = join(...frames);
  if (random.chance(0.15)) bytes[random.int(bytes.length)]! ^= 1 << random.int(8);
  if (random.chance(0.05)) return random.bytes(random.int(64));
  return random.chance(0.1) ? bytes.slice(0, random.int(bytes.length + 1)) : bytes;
}

/** What a core makes of chunks, in a form that does not depend on how they were cut. */
class Run {
  text = "";
  messageCount = 0;
  ending: "more" | "refused" | "closed" = "more";
  outcome = "accepted";
  readonly #core: WebSocketCore;
  #stepsLeft: number;

  constructor(setup: Setup, inputBytes: number) {
    this.#stepsLeft = MAX_STEPS + inputBytes * STEPS_PER_BYTE;
    const { role, maxMessageBytes } = setup;
    this.#core = new WebSocketCore({
      role,
      maxMessageBytes,
      ...role === "client" && { randomMaskKey: () => 0x0102_0304 },
      ...setup.isCompressed && {
        compression: {
          inflater: new RunLengthInflater(),
          deflater: new RunLengthDeflater(),
          thresholdBytes: 0,
        },
      },
    });
    this.#core.deliversPieces = setup.deliversPieces;
  }

  copied(chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      this.#core.receive(chunk);
      this.#pull();
    }
    return this.#end();
  }

  inPlace(chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) {
        this.#step();
        const space = this.#core.writable();
        const part = chunk.subarray(at, at + space.length);
        space.set(part);
        this.#core.commit(part.length);
        at += part.length;
        this.#pull();
      }
    }
    return this.#end();
  }

  #step(): void {
    if (this.#stepsLeft-- <= 0) throw new Error("No end: too many steps");
  }

  #pull(): void {
    if (this.ending !== "more") return;
    try {
      for (let event; (event = this.#core.nextEvent()) !== undefined;) {
        this.#step();
        if (event.type === "close") {
          this.ending = "closed";
          this.text += `\nclose ${event.code} ${event.reason} ${event.clean}`;
          return;
        }
        if (event.type === "piece") {
          this.text += textOf(event.data) + (event.isFinal ? `\nend of ${event.kind}` : "");
          continue;
        }
        if (event.type === "text" || event.type === "binary") this.messageCount++;
        const data = typeof event.data === "string" ? event.data : textOf(event.data);
        // Pieces are cut as the input is: what stands between them may come earlier or later.
        if (!this.#core.deliversPieces) this.text += `\n${event.type} ${data}`;
      }
    } catch (error) {
      this.ending = "refused";
      this.outcome = outcomeOf(error, [WebSocketProtocolError, LimitExceededError]);
      if (error instanceof WebSocketProtocolError) this.text += `\nrefused ${error.code}`;
      else if (error instanceof LimitExceededError) this.text += `\nrefused ${error.limit}`;
      else throw error;
    }
  }

  #end(): this {
    if (this.#core.heldBytes > 1 << 20) throw new Error(`Holds ${this.#core.heldBytes} bytes`);
    for (let output; (output = this.#core.takeOutput()) !== undefined;) {
      this.#step();
      this.text += `\nwrites ${textOf(output)}`;
    }
    this.text += `\n${this.#core.state} ${this.#core.mustDisconnect}`;
    return this;
  }
}

/**
 * Fuzzes the core.
 *
 * @throws {Error} If it throws what it must not, does not end, holds too much, or
 * tells something else when its input is cut or read in place; the message says how
 * to see it again.
 */
export function fuzzWebSocket(options: FuzzRun): WebSocketFuzzResult {
  const { seed, first = 0 } = options;
  const outcomes: Record<string, number> = {};
  let refusedCount = 0;
  let closedCount = 0;
  let messageCount = 0;
  for (let number = first; number < first + options.count; number++) {
    const random = randomOf(seed, number);
    const setup = createSetup(random);
    const input = createInput(random, setup);
    try {
      const whole = new Run(setup, input.length).copied([input]);
      const chunks = cut(input, random);
      for (
        const run of [
          new Run(setup, input.length).copied(chunks),
          new Run(setup, input.length).inPlace(chunks),
        ]
      ) {
        if (withoutPieces(run.text, setup) !== withoutPieces(whole.text, setup)) {
          throw new Error(`Cut: ${run.text}\nwhole: ${whole.text}`);
        }
      }
      if (whole.ending === "refused") refusedCount++;
      if (whole.ending === "closed") closedCount++;
      messageCount += whole.messageCount;
      count(outcomes, whole.outcome);
    } catch (cause) {
      const shown = formatInput(input.subarray(0, 4_096));
      throw new Error(
        `Failed (seed ${seed}, number ${number}) ${JSON.stringify(setup)} on ${shown}: ${cause}`,
        { cause },
      );
    }
  }
  return { refusedCount, closedCount, messageCount, outcomes };
}

/** Of a refused message in pieces, more or less was given before; all else is the same. */
function withoutPieces(text: string, { deliversPieces }: Setup): string {
  return deliversPieces && text.includes("\nrefused")
    ? text.slice(text.indexOf("\nrefused"))
    : text;
}

/** The core as a target. Its inputs are made and not kept: what to replay is the first hundred. */
export const FRAME_TARGET: FuzzTarget = {
  name: "websocket/frames",
  drives: ["websocket/frame_decoder.ts", "websocket/message_reader.ts", "websocket/connection.ts"],
  fuzz: (run) => fuzzWebSocket(run).outcomes,
  replay: () => fuzzWebSocket({ seed: 1, count: 100 }).outcomes,
};
