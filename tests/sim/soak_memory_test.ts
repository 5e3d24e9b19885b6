import { assertEquals, assertThrows } from "@std/assert";
import type { SoakLook } from "./soak.ts";
import { memoryTrend } from "./soak_memory.ts";

const MEBIBYTE = 2 ** 20;

function looks(heap: (index: number) => number): SoakLook[] {
  return Array.from({ length: 40 }, (_, index) => ({
    atMs: index,
    heapBytes: heap(index) * MEBIBYTE,
    rssBytes: 0,
    endedCount: index,
  }));
}

for (
  const [name, heap, isFlat] of [
    ["what stays", () => 20, true],
    ["what grows in the first quarter", (index: number) => Math.min(index, 5) * 10, true],
    ["what grows by 8 MiB", (index: number) => index < 20 ? 20 : 28, true],
    ["what grows by 9 MiB", (index: number) => index < 20 ? 20 : 29, false],
    ["what grows by 5 %", (index: number) => index < 20 ? 1_000 : 1_050, true],
    ["what grows by 6 %", (index: number) => index < 20 ? 1_000 : 1_060, false],
    ["one look that is high", (index: number) => index === 39 ? 200 : 20, true],
  ] as const
) {
  Deno.test(`memoryTrend() says ${isFlat} of ${name}`, () => {
    assertEquals(memoryTrend(looks(heap), (look) => look.heapBytes).isFlat, isFlat);
  });
}

Deno.test("memoryTrend() throws on too few looks", () => {
  assertThrows(() => memoryTrend([], (look) => look.rssBytes), RangeError);
});
