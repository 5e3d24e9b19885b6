import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { serve } from "../../http/serve.ts";
import { noTelemetry } from "../../nbio/telemetry.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { dial } from "../../websocket/dial.ts";
import { upgrade } from "../../websocket/upgrade.ts";
import { resolveWebSocketOptions } from "../../websocket/websocket_options.ts";
import { webSocketTelemetry } from "../../websocket/websocket_telemetry.ts";
import { FakeTelemetry } from "../_support/fake_telemetry.ts";
import { eventually } from "../_support/peer.ts";
import { webSocketEnd } from "../_support/websocket_ends.ts";

const CONNECTIONS = "websocket.connections";
const DURATION = "websocket.connection.duration";
const MESSAGES = "websocket.messages";
const SERVER = { "websocket.role": "server" };

Deno.test("WebSocketTelemetry counts connections, messages and time", async () => {
  const telemetry = new FakeTelemetry();
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [near, far] = memoryPipe();
  const server = webSocketEnd("server", near, { telemetry, wheel });
  const client = webSocketEnd("client", far, { wheel });
  assertEquals(Object.values(telemetry.sumsOf(CONNECTIONS)), [1]);
  void client.send("a");
  await server.readMessage();
  const writer = await client.openMessage({ type: "text" });
  await writer.write("b");
  await writer.write("c");
  await writer.close();
  const streamed = await server.readMessageStream();
  for await (const _ of streamed!.readable) { /* read to its end */ }
  void server.send(new Uint8Array(3));
  await client.readMessage();
  const answer = await server.openMessage();
  await answer.write(new Uint8Array(1));
  await answer.close();
  clock.advance(2_000);
  void client.close(4_001);
  await server.readMessage();
  await server.closed;
  await settle();
  assertEquals(telemetry.sumsOf(MESSAGES), {
    [JSON.stringify({ ...SERVER, "websocket.direction": "received" })]: 2,
    [JSON.stringify({ ...SERVER, "websocket.direction": "sent" })]: 2,
  });
  assertEquals(telemetry.sumsOf(CONNECTIONS), {});
  // A code of the application's own is no label.
  assertEquals(telemetry.measured[DURATION], [
    { value: 2, attributes: { ...SERVER, "websocket.close.clean": true } },
  ]);
  await client.closed;
});

Deno.test("WebSocketTelemetry tells how a connection ended that was cut", async () => {
  const telemetry = new FakeTelemetry();
  const [near, far] = memoryPipe();
  const wheel = new DeadlineWheel(new ManualClock());
  const server = webSocketEnd("server", near, { telemetry, wheel });
  far.close();
  await assertRejects(() => server.readMessage());
  await server.closed;
  await settle();
  assertEquals(telemetry.attributesOf(DURATION), [
    { ...SERVER, "websocket.close.code": 1006, "websocket.close.clean": false },
  ]);
});

Deno.test("WebSocketTelemetry sees both ends over a socket", async () => {
  const telemetry = new FakeTelemetry();
  await using server = serve(async (ctx) => {
    await using ws = await upgrade(ctx, { telemetry });
    for await (const message of ws) await ws.send(message.data);
  }, { hostname: "127.0.0.1", port: 0, telemetry });
  const { port } = server.addr as Deno.NetAddr;
  const ws = await dial(`ws://127.0.0.1:${port}/`, { telemetry });
  await ws.send("a");
  await ws.readMessage();
  assertEquals(Object.values(telemetry.sumsOf(CONNECTIONS)), [1, 1]);
  await ws.close();
  await eventually(() => Object.keys(telemetry.sumsOf(CONNECTIONS)).length === 0);
  assertEquals(Object.values(telemetry.sumsOf(MESSAGES)), [1, 1, 1, 1]);
  assertEquals(telemetry.spans[0]!.attributes["http.response.status_code"], 101);
});

Deno.test("webSocketTelemetry() makes instruments once", () => {
  const telemetry = new FakeTelemetry();
  const first = resolveWebSocketOptions({ telemetry });
  assertStrictEquals(resolveWebSocketOptions({ telemetry }), first);
  assertStrictEquals(webSocketTelemetry(telemetry), first.telemetry);
  assertEquals(webSocketTelemetry(noTelemetry), undefined);
  assertEquals(webSocketTelemetry(undefined), undefined);
});
