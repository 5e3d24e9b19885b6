/**
 * Bench of `DeflateEngine` against streams of `node:zlib` with a flush behind every message, which
 * is how WebSocket libraries use it. Prints CPU per message, the ratio of the two, and what is left
 * of a message.
 *
 * ```sh
 * deno run tests/bench/websocket/deflate_bench.ts
 * ```
 *
 * The first table is the memory of a context each way. The last doubles the size of a message and
 * fails if the largest costs more than twice per byte what the smallest does.
 */

import process from "node:process";
import zlib from "node:zlib";
import type { Deflater, Inflater } from "../../../websocket/compression.ts";
import { DeflateEngine } from "../../../websocket/deflate_engine.ts";

const REPETITIONS = 5;
const MAX_FACTOR = 2;
const MESSAGES = 64;
const WINDOW_BITS = 12;
const MEM_LEVEL = 5;
const LEVEL = 6;
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const PARAMETERS = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: WINDOW_BITS,
  clientMaxWindowBits: WINDOW_BITS,
};

/** What comes out cannot be left out: its length is printed. */
let sink = 0;

/** Something like JSON, another one for each index. */
function makeMessage(length: number, index: number): Uint8Array<ArrayBuffer> {
  const words = "alpha beta gamma delta price volume symbol time user message status ok".split(" ");
  let state = index + 1;
  let text = "{";
  while (text.length < length) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0;
    text += `"${words[(state >>> 10) % words.length]}":${(state >>> 8) % 100_000},`;
  }
  return new TextEncoder().encode(text.slice(0, length));
}

type Run = (messages: readonly Uint8Array[], count: number) => void | Promise<void>;

function ourDeflate(deflater: Deflater): Run {
  return (messages, count) => {
    for (let n = 0; n < count; n++) sink += deflater.deflate(messages[n % MESSAGES]!, true).length;
  };
}

function ourInflate(inflater: Inflater): Run {
  const take = (piece: Uint8Array): void => {
    sink += piece.length;
  };
  return (messages, count) => {
    for (let n = 0; n < count; n++) inflater.inflate(messages[n % MESSAGES]!, true, take);
  };
}

/** A stream, a write, a flush, and the output by events. */
function streamRun(stream: zlib.DeflateRaw | zlib.InflateRaw, tail: Uint8Array | undefined): Run {
  stream.on("data", (piece: Uint8Array) => sink += piece.length);
  return async (messages, count) => {
    for (let n = 0; n < count; n++) {
      stream.write(messages[n % MESSAGES]!);
      if (tail !== undefined) stream.write(tail);
      await new Promise<void>((resolve) => stream.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
    }
  };
}

/** Microseconds of CPU per message: the fewest of several runs, which is the least disturbed. */
async function measure(run: Run, messages: readonly Uint8Array[], count: number): Promise<number> {
  await run(messages, Math.min(count, MESSAGES));
  let bestMicros = Infinity;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const start = process.cpuUsage();
    await run(messages, count);
    const { user, system } = process.cpuUsage(start);
    bestMicros = Math.min(bestMicros, user + system);
  }
  return bestMicros / count;
}

const engine = await DeflateEngine.load();
const options = { level: LEVEL, memLevel: MEM_LEVEL };

function print(name: string, size: number, ours: number, theirs: number, rest: string): void {
  const figures = `${ours.toFixed(2).padStart(9)} us, ${theirs.toFixed(2).padStart(9)} us`;
  console.log(
    `${name} ${String(size).padStart(6)} B: ${figures} (x ${(ours / theirs).toFixed(2)})${rest}`,
  );
}

// First: what the rest gives back would serve here.
console.log("Memory of a connection that has sent, or taken, one message of 1 KiB");
// The larger last: what it gives back would serve the smaller.
for (const name of ["inflate", "deflate"] as const) {
  const many = await DeflateEngine.load({ maxDeflateContexts: 0 });
  const message = makeMessage(1_024, 1);
  const probe = many.createCompression("server", PARAMETERS, options);
  const wire = probe.deflater.deflate(message, true).slice();
  const count = 500;
  const before = Deno.memoryUsage().rss;
  const peers = Array.from({ length: count }, () => {
    const peer = many.createCompression("client", PARAMETERS, options);
    if (name === "deflate") peer.deflater.deflate(message, true);
    else peer.inflater.inflate(wire, true, (piece) => sink += piece.length);
    return peer;
  });
  const kib = (Deno.memoryUsage().rss - before) / count / 1_024;
  console.log(`${name}: ${kib.toFixed(1)} KiB of RSS each`);
  for (const { deflater, inflater } of [...peers, probe]) {
    deflater.close();
    inflater.close();
  }
  many.close();
}

console.log("CPU per message, engine and stream");
for (const [size, count] of [[64, 8_000], [1_024, 4_000], [65_536, 100]] as const) {
  const messages = Array.from({ length: MESSAGES }, (_, index) => makeMessage(size, index));
  const server = engine.createCompression("server", PARAMETERS, options);
  const client = engine.createCompression("client", PARAMETERS, options);
  const zlibOptions = { windowBits: WINDOW_BITS, level: LEVEL, memLevel: MEM_LEVEL };
  const deflate = zlib.createDeflateRaw(zlibOptions);
  const inflate = zlib.createInflateRaw({ windowBits: WINDOW_BITS });

  const before = sink;
  await ourDeflate(server.deflater)(messages, MESSAGES);
  const rest = ` ${((sink - before) / MESSAGES / size * 100).toFixed(0)} % left`;
  const deflateOurs = await measure(ourDeflate(server.deflater), messages, count);
  const deflateTheirs = await measure(streamRun(deflate, undefined), messages, count);
  print("deflate", size, deflateOurs, deflateTheirs, rest);

  // Messages that stand alone, as they come again and again.
  const lone = { ...PARAMETERS, serverNoContextTakeover: true };
  const sender = engine.createCompression("server", lone, options);
  const wires = messages.map((message) => sender.deflater.deflate(message, true).slice());
  const inflateOurs = await measure(ourInflate(client.inflater), wires, count);
  const inflateTheirs = await measure(streamRun(inflate, TAIL), wires, count);
  print("inflate", size, inflateOurs, inflateTheirs, "");

  for (const { deflater, inflater } of [server, client, sender]) {
    deflater.close();
    inflater.close();
  }
  deflate.close();
  inflate.close();
}

console.log("CPU per KiB of one message of n, 2n, 4n bytes");
for (const name of ["deflate", "inflate"] as const) {
  const perKib: number[] = [];
  for (const size of [256 * 1_024, 512 * 1_024, 1_024 * 1_024]) {
    const peer = engine.createCompression("server", PARAMETERS, options);
    const message = makeMessage(size, 1);
    const wire = peer.deflater.deflate(message, true).slice();
    const run = name === "deflate" ? ourDeflate(peer.deflater) : ourInflate(peer.inflater);
    const messages = new Array(MESSAGES).fill(name === "deflate" ? message : wire);
    perKib.push(await measure((all) => run(all, 4), messages, 4) / (size / 1_024));
    peer.deflater.close();
    peer.inflater.close();
  }
  console.log(`${name}: ${perKib.map((us) => `${us.toFixed(2).padStart(7)} us`).join("")}`);
  if (perKib[2]! > MAX_FACTOR * perKib[0]!) {
    console.error(`${name} is not linear`);
    Deno.exitCode = 1;
  }
}

engine.close();
console.log(`(sink ${sink})`);
