import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import { WebSocketPings } from "../../websocket/websocket_pings.ts";

function make(): { pings: WebSocketPings; clock: ManualClock } {
  const clock = new ManualClock();
  return { pings: new WebSocketPings(new DeadlineWheel(clock)), clock };
}

Deno.test("WebSocketPings.onPong() answers all pings up to the one that is repeated", async () => {
  const { pings, clock } = make();
  const payloads: Uint8Array[] = [];
  const answers: Promise<number>[] = [];
  for (let i = 0; i < 3; i++) {
    clock.advance(10);
    payloads.push(pings.nextPayload());
    answers.push(pings.add());
  }
  clock.advance(20);
  pings.onPong(payloads[1]!);
  assertEquals(await Promise.all(answers.slice(0, 2)), [40, 30]);
  assertEquals(await isSettled(answers[2]!), false);
  clock.advance(10);
  pings.onPong(payloads[2]!);
  assertEquals(await answers[2], 30);
});

Deno.test("WebSocketPings.onPong() ignores what is no answer", async () => {
  const { pings } = make();
  pings.onPong(new Uint8Array(4));
  pings.nextPayload();
  const answer = pings.add();
  for (const payload of [[], [1], [0, 0, 0, 9], [0, 0, 0, 1, 0]]) {
    pings.onPong(new Uint8Array(payload));
  }
  assertEquals(await isSettled(answer), false);
  const reason = new Error("gone");
  pings.close(reason);
  assertEquals(await assertRejects(() => answer), reason);
});

Deno.test("WebSocketPings.nextPayload() refuses the ping after the thousandth", () => {
  const { pings } = make();
  for (let i = 0; i < 1_000; i++) {
    pings.nextPayload();
    void pings.add();
  }
  assertThrows(() => pings.nextPayload(), LimitExceededError);
});
