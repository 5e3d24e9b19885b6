/**
 * Bench of `WebSocketCore` in memory: a server that echoes what one read brought,
 * against the least that any server has to do for it (find the frames, unmask,
 * make a message, write it back; no checks, no states, no limits). Gives messages
 * per second and the ratio of both, from one run.
 *
 * ```sh
 * deno run tests/bench/websocket/core_bench.ts
 * ```
 */

import { WebSocketCore } from "../../../websocket/connection.ts";
import { FrameEncoder } from "../../../websocket/frame_encoder.ts";
import { applyMask } from "../../../websocket/mask.ts";

const READ_BYTES = 65_536;
const MIN_MS = 300;
const REPETITIONS = 5;
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const ENCODER = new TextEncoder();

/** What is echoed cannot be left out: its size is printed. */
let sink = 0;

/** Handles what one read brought. */
type Echo = (read: Uint8Array<ArrayBuffer>) => void;

/** As many masked frames as one read brings, and how many that is. */
function framesOf(opcode: number, size: number): { wire: Uint8Array<ArrayBuffer>; count: number } {
  const encoder = new FrameEncoder({ randomMaskKey: () => 0x37fa_213d });
  const count = Math.max(1, Math.floor(READ_BYTES / (size + 8)));
  const payload = new Uint8Array(size).fill(0x61);
  for (let index = 0; index < count; index++) encoder.writeFrame(opcode, payload);
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = encoder.take()) !== undefined;) chunks.push(chunk.slice());
  const wire = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    wire.set(chunk, at);
    at += chunk.length;
  }
  return { wire, count };
}

function echoByCore(): Echo {
  const core = new WebSocketCore({ role: "server" });
  return (read) => {
    for (let at = 0; at < read.length;) {
      const space = core.writable();
      const count = Math.min(space.length, read.length - at);
      space.set(at === 0 && count === read.length ? read : read.subarray(at, at + count));
      core.commit(count, 0);
      at += count;
      for (let event; (event = core.nextEvent()) !== undefined;) {
        if (event.type === "text") core.sendText(event.data);
        else if (event.type === "binary") core.sendBinary(event.data);
      }
      for (let output; (output = core.takeOutput()) !== undefined;) sink += output.length;
    }
  };
}

function echoBarely(): Echo {
  const input = new Uint8Array(2 * READ_BYTES);
  const output = new Uint8Array(2 * READ_BYTES);
  return (read) => {
    input.set(read);
    let written = 0;
    for (let at = 0; at < read.length;) {
      const opcode = input[at]! & 15;
      let length = input[at + 1]! & 127;
      at += 2;
      if (length === 126) {
        length = input[at]! << 8 | input[at + 1]!;
        at += 2;
      } else if (length === 127) {
        length = input[at + 4]! * 2 ** 24 +
          (input[at + 5]! << 16 | input[at + 6]! << 8 | input[at + 7]!);
        at += 8;
      }
      const key = input[at]! << 24 | input[at + 1]! << 16 | input[at + 2]! << 8 | input[at + 3]!;
      at += 4;
      applyMask(input, at, at + length, key);
      const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
      output[written] = 0x80 | opcode;
      if (opcode === 1) {
        const text = DECODER.decode(input.subarray(at, at + length));
        ENCODER.encodeInto(text, output.subarray(written + headBytes));
      } else {
        output.set(input.slice(at, at + length), written + headBytes);
      }
      written += headBytes + length;
      at += length;
    }
    sink += output.subarray(0, written).length;
  };
}

/** Messages per second: the fastest of several runs, which is the least disturbed. */
function measure(echo: Echo, wire: Uint8Array<ArrayBuffer>, count: number): number {
  let best = 0;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const startMs = performance.now();
    let rounds = 0;
    let passedMs = 0;
    while (passedMs < MIN_MS) {
      for (let round = 0; round < 16; round++) echo(wire);
      rounds += 16;
      passedMs = performance.now() - startMs;
    }
    best = Math.max(best, rounds * count / passedMs * 1_000);
  }
  return best;
}

if (import.meta.main) {
  for (const [kind, opcode] of [["text", 1], ["binary", 2]] as const) {
    for (const size of [64, 1_024, 65_536]) {
      const { wire, count } = framesOf(opcode, size);
      const ours = measure(echoByCore(), wire, count);
      const bare = measure(echoBarely(), wire, count);
      console.log(
        `${kind.padEnd(6)} ${String(size).padStart(6)} B: ${
          (ours / 1_000).toFixed(0).padStart(6)
        }` +
          ` k messages/s, ${
            (bare / 1_000).toFixed(0).padStart(6)
          } k for the least there is to do,` +
          ` ratio of cost ${(bare / ours).toFixed(2)}`,
      );
    }
  }
  console.log(`(sink ${sink})`);
}
