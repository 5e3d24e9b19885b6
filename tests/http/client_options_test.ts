import { assertEquals, assertThrows } from "@std/assert";
import { type ExchangeTimeouts, resolveExchangeTimeouts } from "../../http/client_options.ts";

const NAMES = [
  "writeTimeoutMs",
  "continueTimeoutMs",
  "firstByteTimeoutMs",
  "bodyTimeoutMs",
] as const;

Deno.test("resolveExchangeTimeouts() fills in what was not given", () => {
  assertEquals(resolveExchangeTimeouts({}), {
    writeTimeoutMs: 30_000,
    continueTimeoutMs: 1_000,
    firstByteTimeoutMs: 60_000,
    bodyTimeoutMs: 30_000,
  });
});

for (const name of NAMES) {
  Deno.test(`resolveExchangeTimeouts() takes ${name} from 0 to Infinity, and nothing else`, () => {
    for (const value of [0, 0.5, 1, Infinity]) {
      const options: ExchangeTimeouts = { [name]: value };
      assertEquals(resolveExchangeTimeouts(options), {
        ...resolveExchangeTimeouts({}),
        [name]: value,
      });
    }
    for (const value of [-1, NaN, -Infinity]) {
      assertThrows(() => resolveExchangeTimeouts({ [name]: value }), RangeError);
    }
  });
}
