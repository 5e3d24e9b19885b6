import { assertEquals, assertRejects } from "@std/assert";
import { AdapterInfo } from "../../http/adapter_info.ts";

import type { Context } from "../../http/server_context.ts";
import { OutgoingResponse } from "../../http/outgoing_response.ts";
import { turn } from "../_support/server_harness.ts";

/** An info whose request is in the hands of the test. */
function create() {
  const response = new OutgoingResponse();
  const controller = new AbortController();
  const remoteAddr: Deno.Addr = { transport: "tcp", hostname: "192.0.2.1", port: 1 };
  const ctx = { response, signal: controller.signal, remoteAddr } as unknown as Context;
  return { info: new AdapterInfo(ctx), response, controller, ctx, remoteAddr };
}

Deno.test("AdapterInfo shows context and address", () => {
  const { info, ctx, remoteAddr } = create();
  assertEquals([info.ctx === ctx, info.remoteAddr === remoteAddr], [true, true]);
});

Deno.test("AdapterInfo watches only what somebody wants to know", () => {
  const { info, response } = create();
  assertEquals(response.onSettled, undefined);
  const { completed } = info;
  assertEquals([typeof response.onSettled, info.completed === completed], ["function", true]);
});

Deno.test("AdapterInfo.completed resolves when the response is settled, once", async () => {
  const { info, response } = create();
  let isDone = false;
  void info.completed.then(() => isDone = true);
  await turn();
  assertEquals(isDone, false);
  response.settle(undefined);
  response.settle(new Error("late"));
  assertEquals(await info.completed, undefined);
  assertEquals(response.onSettled, undefined);
});

Deno.test("AdapterInfo.completed rejects with what kept the response from being sent", async () => {
  const { info, response } = create();
  const reason = new Error("gone");
  const { completed } = info;
  response.settle(reason);
  assertEquals(await assertRejects(() => completed), reason);
});

Deno.test("AdapterInfo.completed that fails is no fault of who does not wait for it", async () => {
  const { info, response } = create();
  void info.completed;
  response.settle(new Error("gone"));
  await turn();
});

Deno.test("AdapterInfo.completed asked for late tells how it ended", async () => {
  const gone = create();
  gone.controller.abort(new Error("gone"));
  const { reason } = gone.controller.signal;
  assertEquals(await assertRejects(() => gone.info.completed), reason);
  const handed = create();
  handed.response.handOver(101);
  assertEquals(await handed.info.completed, undefined);
});
