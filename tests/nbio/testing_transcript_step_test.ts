import { assertEquals } from "@std/assert";
import { bytesOfStep, type TranscriptStep } from "../../nbio/testing_transcript_step.ts";

for (
  const [name, step, expected] of [
    ["text", { type: "send", bytes: "aé" }, [0x61, 0xc3, 0xa9]],
    ["bytes", { type: "expect", bytes: new Uint8Array([1, 2]) }, [1, 2]],
    ["pieces", {
      type: "send",
      bytes: [new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2])],
    }, [1, 2]],
    ["no pieces", { type: "send", bytes: [] }, []],
    ["none", { type: "expect-end" }, []],
  ] as [string, TranscriptStep, number[]][]
) {
  Deno.test(`bytesOfStep() of ${name}`, () => {
    assertEquals([...bytesOfStep(step)], expected);
  });
}

Deno.test("bytesOfStep() gives a copy", () => {
  const bytes = new Uint8Array([1]);
  bytesOfStep({ type: "expect", bytes })[0] = 9;
  assertEquals(bytes[0], 1);
});
