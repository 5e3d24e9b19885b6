import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createWebSocketCompression,
  deflateWishes,
  resolveWebSocketOptions,
} from "../../websocket/websocket_options.ts";

const BOUNDS = [
  "maxMessageBytes",
  "highWaterMarkBytes",
  "maxWaitingSends",
  "silenceTimeoutMs",
  "pongTimeoutMs",
  "closeTimeoutMs",
  "lookAheadTimeoutMs",
  "writeTimeoutMs",
] as const;

for (const name of BOUNDS) {
  Deno.test(`resolveWebSocketOptions() checks ${name}, of which 0 is no bound`, () => {
    assertEquals(resolveWebSocketOptions({ [name]: 7 })[name], 7);
    assertEquals(resolveWebSocketOptions({ [name]: 0 })[name], Infinity);
    for (const value of [-1, 1.5, NaN]) {
      assertThrows(() => resolveWebSocketOptions({ [name]: value }), RangeError);
    }
  });
}

Deno.test("deflateWishes() wants compression only when told to", () => {
  assertEquals(deflateWishes({}), undefined);
  assertEquals(deflateWishes({ compression: false }), undefined);
  assertEquals(deflateWishes({ compression: true }), {});
  assertEquals(deflateWishes({ compression: { serverMaxWindowBits: 9 } })?.serverMaxWindowBits, 9);
});

Deno.test("createWebSocketCompression() makes what was agreed on", async () => {
  assertEquals(await createWebSocketCompression("server", undefined, {}), undefined);
  const parameters = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 12,
    clientMaxWindowBits: 12,
  };
  const made = await createWebSocketCompression("server", parameters, {
    compression: { thresholdBytes: 5 },
  });
  assertEquals(made?.thresholdBytes, 5);
  await assertRejects(
    () => createWebSocketCompression("client", parameters, { compression: { level: 10 } }),
    RangeError,
  );
});
