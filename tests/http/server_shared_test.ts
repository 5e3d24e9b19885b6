import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { resolveServerOptions, type ServeOptions } from "../../http/server_options.ts";
import { ServerShared } from "../../http/server_shared.ts";
import { systemClock } from "../../nbio/clock.ts";
import { deadlines } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { TICK_MS, WALL_START_MS } from "../_support/server_harness.ts";

function makeShared(options: ServeOptions = {}): ServerShared {
  return new ServerShared(() => {}, resolveServerOptions(options));
}

Deno.test("ServerShared uses the wheel of the process on the system's clock", () => {
  assertStrictEquals(makeShared().wheel, deadlines);
  assertStrictEquals(makeShared({ clock: systemClock }).wheel, deadlines);
  assert(makeShared({ clock: new ManualClock() }).wheel !== deadlines);
});

Deno.test("ServerShared makes the Date line once per second", () => {
  const clock = new ManualClock({ wallStartMs: WALL_START_MS + 400 });
  const shared = makeShared({ clock });
  assertEquals(clock.pendingCount, 0);
  const line = shared.dateLine;
  assertEquals(textOf(line), "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  assertEquals(textOf(shared.plainTail), `\r\n${textOf(line)}\r\n`);
  clock.advance(599);
  assertStrictEquals(shared.dateLine, line);
  clock.advance(1 + TICK_MS);
  assertEquals(textOf(shared.dateLine), "date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  assertEquals(textOf(shared.plainTail).slice(2, -2), textOf(shared.dateLine));
  clock.advance(60_000);
  assertEquals(clock.pendingCount, 0);
  assertEquals(textOf(shared.dateLine), "date: Sun, 06 Nov 1994 08:50:38 GMT\r\n");
  shared.close();
  assertEquals(clock.pendingCount, 0);
});

Deno.test("ServerShared makes the Keep-Alive line from the hint, in whole seconds", () => {
  for (
    const [hintMs, line] of [
      [undefined, "keep-alive: timeout=60\r\n"],
      [5_999, "keep-alive: timeout=5\r\n"],
      [999, ""],
      [0, ""],
      [Infinity, ""],
    ] as const
  ) {
    const options = hintMs === undefined ? {} : { keepAliveHintTimeoutMs: hintMs };
    assertEquals(textOf(makeShared(options).keepAliveLine), line);
  }
});

Deno.test("ServerShared lends output buffers and takes them back empty, but not large ones", () => {
  const shared = makeShared();
  const output = shared.takeOutput();
  output.writeText("used");
  shared.giveOutput(output);
  assertStrictEquals(shared.takeOutput(), output);
  assertEquals(output.length, 0);
  output.writeBytes(new Uint8Array(128 * 1024 + 1));
  shared.giveOutput(output);
  assert(shared.takeOutput() !== output);
});

Deno.test("ServerShared keeps a bounded number of buffers and readers", () => {
  const shared = makeShared();
  const outputs = Array.from({ length: 300 }, () => shared.takeOutput());
  const readers = Array.from({ length: 300 }, () => shared.takeReader());
  assertEquals([new Set(outputs).size, new Set(readers).size], [300, 300]);
  for (const output of outputs) shared.giveOutput(output);
  for (const reader of readers) shared.giveReader(reader);
  const known = new Set<unknown>([...outputs, ...readers]);
  const again = Array.from({ length: 300 }, () => [shared.takeOutput(), shared.takeReader()]);
  const keptCount = again.filter(([output]) => known.has(output)).length;
  assert(keptCount > 0 && keptCount < 300, `${keptCount}`);
  assertEquals(again.filter(([, reader]) => known.has(reader)).length, keptCount);
});
