import { assertEquals, assertThrows } from "@std/assert";
import { resolveCoreOptions } from "../../websocket/connection_options.ts";
import { RunLengthDeflater, RunLengthInflater } from "../_support/websocket_run_length.ts";

const NUMBERS = [
  ["maxMessageBytes", 1_048_576],
  ["maxBufferedBytes", 1_048_576],
  ["highWaterMarkBytes", 65_536],
  ["silenceTimeoutMs", 20_000],
  ["pongTimeoutMs", 20_000],
  ["closeTimeoutMs", 5_000],
  ["lookAheadTimeoutMs", 5_000],
] as const;

for (const [name, fallback] of NUMBERS) {
  Deno.test(`resolveCoreOptions() has a default for ${name}, and 0 switches it off`, () => {
    assertEquals(resolveCoreOptions({ role: "server" })[name], fallback);
    assertEquals(resolveCoreOptions({ role: "server", [name]: 7 })[name], 7);
    for (const off of [0, Infinity]) {
      assertEquals(resolveCoreOptions({ role: "server", [name]: off })[name], Infinity);
    }
  });

  Deno.test(`resolveCoreOptions() throws on a bad ${name}`, () => {
    for (const value of [-1, NaN, 1.5, -Infinity, 2 ** 53]) {
      assertThrows(() => resolveCoreOptions({ role: "server", [name]: value }), RangeError);
    }
  });
}

Deno.test("resolveCoreOptions() throws on a role that is none, and on a key that is not its", () => {
  const randomMaskKey = () => 1;
  assertThrows(() => resolveCoreOptions({ role: "peer" as "server" }), TypeError);
  assertThrows(() => resolveCoreOptions({ role: "client" }), TypeError);
  assertThrows(() => resolveCoreOptions({ role: "server", randomMaskKey }), TypeError);
  assertEquals(resolveCoreOptions({ role: "client", randomMaskKey }).randomMaskKey, randomMaskKey);
});

Deno.test("resolveCoreOptions() fills in and checks the threshold of compression", () => {
  const engines = { inflater: new RunLengthInflater(), deflater: new RunLengthDeflater() };
  const resolve = (thresholdBytes?: number) =>
    resolveCoreOptions({
      role: "server",
      compression: { ...engines, ...thresholdBytes !== undefined && { thresholdBytes } },
    }).compression?.thresholdBytes;
  assertEquals([resolve(), resolve(0), resolve(9)], [128, 0, 9]);
  for (const value of [-1, NaN, 1.5, Infinity]) assertThrows(() => resolve(value), RangeError);
  assertEquals(resolveCoreOptions({ role: "server" }).compression, undefined);
});
