import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import { WebSocketPings } from "../../websocket/websocket_pings.ts";

Deno.test("WebSocketPings.resolve() answers all pings up to the one that is repeated", async () => {
  const pings = new WebSocketPings();
  const payloads: Uint8Array[] = [];
  const answers: Promise<number>[] = [];
  for (const nowMs of [10, 20, 30]) {
    payloads.push(pings.nextPayload());
    answers.push(pings.add(nowMs));
  }
  pings.resolve(payloads[1]!, 50);
  assertEquals(await Promise.all(answers.slice(0, 2)), [40, 30]);
  assertEquals(await isSettled(answers[2]!), false);
  pings.resolve(payloads[2]!, 60);
  assertEquals(await answers[2], 30);
});

Deno.test("WebSocketPings.resolve() ignores what is no answer", async () => {
  const pings = new WebSocketPings();
  pings.nextPayload();
  const answer = pings.add(0);
  for (const payload of [[], [1], [0, 0, 0, 9], [0, 0, 0, 1, 0]]) {
    pings.resolve(new Uint8Array(payload), 5);
  }
  assertEquals(await isSettled(answer), false);
  const reason = new Error("gone");
  pings.close(reason);
  assertEquals(await assertRejects(() => answer), reason);
});

Deno.test("WebSocketPings.nextPayload() refuses the ping after the thousandth", () => {
  const pings = new WebSocketPings();
  for (let i = 0; i < 1_000; i++) {
    pings.nextPayload();
    void pings.add(0);
  }
  assertThrows(() => pings.nextPayload(), LimitExceededError);
});
