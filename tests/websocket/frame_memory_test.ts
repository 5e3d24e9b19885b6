import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { frameMemory, keepFrameMemory } from "../../websocket/frame_memory.ts";

/** Takes all that others have left behind. */
function drain(byteCount: number): void {
  for (let count = 0; count < 100; count++) frameMemory(byteCount);
}

Deno.test("frameMemory() has room for as much as was asked for", () => {
  for (const byteCount of [0, 1, 512, 513, 16_384, 16_385, 65_550, 131_086, 262_145, 1_000_000]) {
    assert(frameMemory(byteCount).length >= byteCount);
  }
});

Deno.test("frameMemory() gives what was kept last, for short frames and for long ones", () => {
  for (const byteCount of [512, 65_550]) {
    const first = frameMemory(byteCount);
    const second = frameMemory(byteCount);
    keepFrameMemory(first);
    keepFrameMemory(second);
    assertStrictEquals(frameMemory(byteCount), second);
    assertStrictEquals(frameMemory(byteCount), first);
    assert(frameMemory(byteCount) !== first);
  }
});

Deno.test("frameMemory() gives no large memory to a short frame", () => {
  drain(512);
  keepFrameMemory(frameMemory(65_550));
  assert(frameMemory(512).length <= 16_384);
});

Deno.test("frameMemory() serves frames of unlike lengths with the same memory", () => {
  drain(65_550);
  const memory = frameMemory(65_550);
  keepFrameMemory(memory);
  assertStrictEquals(frameMemory(100_000), memory);
});

Deno.test("keepFrameMemory() keeps no more than its bounds", () => {
  for (
    const [byteCount, maxCount] of [[512, 64], [65_550, 4], [262_144, 4], [262_145, 0]] as const
  ) {
    drain(byteCount);
    const given = new Set<Uint8Array>();
    for (let count = 0; count < 100; count++) given.add(new Uint8Array(byteCount));
    for (const memory of given) keepFrameMemory(memory as Uint8Array<ArrayBuffer>);
    let kept = 0;
    for (let count = 0; count < 100; count++) if (given.has(frameMemory(byteCount))) kept++;
    assertEquals(kept, maxCount);
  }
});
