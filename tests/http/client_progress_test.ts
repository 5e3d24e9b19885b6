import { assertEquals, assertThrows } from "@std/assert";
import { type ClientProgress, ProgressMeter } from "../../http/client_progress.ts";

Deno.test("ProgressMeter tells of every piece, and of no empty one", () => {
  const told: ClientProgress[] = [];
  const meter = new ProgressMeter((progress) => told.push(progress), 5);
  for (const byteCount of [2, 0, 3]) meter.add(byteCount);
  assertEquals(told, [{ bytes: 2, totalBytes: 5 }, { bytes: 5, totalBytes: 5 }]);
});

Deno.test("ProgressMeter passes on what its listener throws", () => {
  const meter = new ProgressMeter(() => {
    throw new EvalError("stop");
  }, undefined);
  assertThrows(() => meter.add(1), EvalError);
});
