import { assertEquals, assertThrows } from "@std/assert";
import {
  checkTime,
  type HttpLimits,
  resolveBound,
  resolveLimits,
  resolveTime,
} from "../../http/limits.ts";

const DEFAULTS: Required<HttpLimits> = {
  maxRequestLineBytes: 8192,
  maxHeaderBytes: 32_768,
  maxHeaderCount: 128,
  maxChunkLineBytes: 4096,
  maxChunkOverheadBytes: 16_384,
  maxTrailerBytes: 8192,
  maxTrailerCount: 64,
};

Deno.test("resolveLimits() gives the defaults of the documentation", () => {
  assertEquals(resolveLimits(), DEFAULTS);
  assertEquals(resolveLimits({}), DEFAULTS);
});

for (const name of Object.keys(DEFAULTS) as (keyof HttpLimits)[]) {
  Deno.test(`resolveLimits() sets ${name} and nothing else`, () => {
    for (
      const [value, expected] of [[1, 1], [7, 7], [2 ** 53 - 1, 2 ** 53 - 1], [0, Infinity], [
        Infinity,
        Infinity,
      ]]
    ) {
      assertEquals(resolveLimits({ [name]: value }), { ...DEFAULTS, [name]: expected });
    }
  });

  Deno.test(`resolveLimits() refuses a ${name} that is no bound`, () => {
    for (const value of [-1, -Infinity, NaN, 0.5, 1.5, 2 ** 53, "5" as unknown as number]) {
      assertThrows(() => resolveLimits({ [name]: value }), RangeError);
    }
  });
}

Deno.test("resolveBound() takes 0 and Infinity for none", () => {
  assertEquals(resolveBound("a", 0), Infinity);
  assertEquals(resolveBound("a", -0), Infinity);
  assertEquals(resolveBound("a", Infinity), Infinity);
  assertEquals(resolveBound("a", 3), 3);
});

Deno.test("resolveBound() refuses what is no whole number of at least 0", () => {
  for (const value of [-1, 0.1, NaN, -Infinity]) {
    assertThrows(() => resolveBound("maxBodyBytes", value), RangeError, "maxBodyBytes");
  }
});

Deno.test("checkTime() and resolveTime() take any time of at least 0", () => {
  for (const timeMs of [0, 0.5, 1, 30_000, Infinity]) assertEquals(checkTime("a", timeMs), timeMs);
  assertEquals([0, 0.5, Infinity].map((timeMs) => resolveTime("a", timeMs)), [
    Infinity,
    0.5,
    Infinity,
  ]);
  for (const timeMs of [-1, -Infinity, NaN]) {
    assertThrows(() => checkTime("a", timeMs), RangeError);
    assertThrows(() => resolveTime("a", timeMs), RangeError);
  }
});
