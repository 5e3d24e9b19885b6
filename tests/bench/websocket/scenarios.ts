import type { Budget } from "../_support/budget.ts";
import { deflateMessages } from "./deflate_frames.ts";
import { FrameRing } from "./frame_ring.ts";

/** What a server process does with permessage-deflate. */
export type Mode = "plain" | "deflate";

/** What the messages of a load are; the server sends them back as they came. */
export type Kind = "text" | "binary";

/** One way to load a server. */
export interface Scenario {
  /** Short name, also for `--scenario`. */
  readonly name: string;
  /** Whether messages are compressed. */
  readonly mode: Mode;
  /** Open connections. */
  readonly connections: number;
  /** Messages that each of them always has in flight. */
  readonly inFlight: number;
  /** Length of a message, uncompressed. */
  readonly messageBytes: number;
  /** Most CPU per message of ours, as a ratio to that of a peer, by the peer's name. */
  readonly budgets: Readonly<Record<string, number>>;
}

const KIBIBYTE = 1_024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;

/** Frames in a ring of short ones, and most bytes that a ring of long ones has. */
const MAX_RING_FRAMES = 64;
const MAX_RING_BYTES = 128 * KIBIBYTE;

/** All scenarios, in the order of the visits. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...{ name: "64b", mode: "plain", connections: 50, inFlight: 1, messageBytes: 64 },
    budgets: { deno: 0.85, ws: 0.75 },
  },
  {
    ...{ name: "64b-32", mode: "plain", connections: 50, inFlight: 32, messageBytes: 64 },
    budgets: { deno: 0.12 },
  },
  {
    ...{ name: "1kib-8", mode: "plain", connections: 50, inFlight: 8, messageBytes: KIBIBYTE },
    budgets: { deno: 0.33 },
  },
  {
    ...{ name: "64kib", mode: "plain", connections: 10, inFlight: 1 },
    ...{ messageBytes: 64 * KIBIBYTE, budgets: { deno: 1, ws: 1 } },
  },
  {
    ...{ name: "1mib", mode: "plain", connections: 4, inFlight: 1 },
    ...{ messageBytes: MEBIBYTE, budgets: { deno: 1, ws: 1 } },
  },
  {
    ...{ name: "deflate", mode: "deflate", connections: 50, inFlight: 8, messageBytes: KIBIBYTE },
    budgets: { ws: 0.8 },
  },
];

/** What is promised of our server's CPU time per message. */
export const BUDGETS: readonly Budget[] = SCENARIOS.flatMap(({ name, budgets }) =>
  Object.entries(budgets).map(([peer, max]) => ({
    name: `${name} against ${peer}`,
    of: `${name}/ours`,
    over: `${name}/${peer}`,
    max,
  }))
);

/**
 * The messages of a scenario: lines of a log in JSON, so that they can be compressed about as well
 * as what is sent in earnest, no two of one ring alike.
 */
export function messagesOf({ messageBytes }: Scenario): Uint8Array<ArrayBuffer>[] {
  const count = Math.floor(MAX_RING_BYTES / messageBytes);
  const messages: Uint8Array<ArrayBuffer>[] = [];
  for (let index = 0; index < Math.min(MAX_RING_FRAMES, Math.max(1, count)); index++) {
    messages.push(logOf(index, messageBytes));
  }
  return messages;
}

function logOf(seed: number, length: number): Uint8Array<ArrayBuffer> {
  let text = "";
  let chance = seed + 1;
  while (text.length < length) {
    // xorshift32: the same messages in every run.
    chance ^= chance << 13;
    chance ^= chance >>> 17;
    chance ^= chance << 5;
    const id = (chance >>> 0).toString(36);
    text += `{"id":"${id}","type":"trade","price":${chance >>> 12},"at":"2026-01-0${
      1 + seed % 9
    }"},`;
  }
  return new TextEncoder().encode(text.slice(0, length));
}

/** The frames that a client sends in a scenario, with a window of that many bits if compressed. */
export function framesOf(scenario: Scenario, kind: Kind, windowBits: number): FrameRing {
  const { mode, inFlight } = scenario;
  const messages = messagesOf(scenario);
  const payloads = mode === "deflate" ? deflateMessages(messages, windowBits) : messages;
  const reserved = mode === "deflate" ? 4 : 0;
  return new FrameRing(payloads, { opcode: kind === "text" ? 1 : 2, reserved, inFlight });
}
