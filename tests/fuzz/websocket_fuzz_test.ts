import { assertEquals, assertGreater } from "@std/assert";
import { fuzzWebSocket } from "./websocket_fuzz.ts";

const COUNT = 3_000;

Deno.test("the WebSocket core gives events or documented errors for 3,000 inputs", () => {
  // Another seed every day, the same one all day: new inputs, but no flicker.
  const seed = Math.floor(Date.now() / 86_400_000);
  const { refusedCount, closedCount, messageCount } = fuzzWebSocket({ seed, count: COUNT });
  // All kinds have to come up, or the fuzzer tests nothing.
  assertGreater(refusedCount, COUNT / 5);
  assertGreater(closedCount, COUNT / 20);
  assertGreater(messageCount, COUNT / 2);
});

Deno.test("fuzzWebSocket() makes the same of the same seed", () => {
  assertEquals(fuzzWebSocket({ seed: 7, count: 200 }), fuzzWebSocket({ seed: 7, count: 200 }));
});
