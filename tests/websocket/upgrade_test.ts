import { assert, assertEquals, assertRejects } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { Router } from "../../http/router.ts";
import { upgrade } from "../../websocket/upgrade.ts";
import type { WebSocketConnection } from "../../websocket/websocket_connection.ts";
import { eventually } from "../_support/peer.ts";
import { echo, FrameClient, portOf, serveWebSocket } from "../_support/websocket_harness.ts";
import { frame, KEY } from "../_support/websocket_frames.ts";
import { fetch, openWebSocket, originAt, serve } from "../_support/tls_switch.ts";

Deno.test("upgrade() answers the handshake, and what came behind it is the first frame", async () => {
  await using server = serveWebSocket(echo);
  const first = frame({ opcode: 1, payload: "early", key: KEY });
  const { client, head } = await FrameClient.connect(server, "", first);
  using _ = client;
  assert(head.startsWith("HTTP/1.1 101 "));
  assert(/\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i.test(head));
  assertEquals(head.match(/\r\nupgrade:/gi)?.length, 1);
  assertEquals((await client.read()).text, "early");
  await client.send({ opcode: 8, payload: new Uint8Array([0x03, 0xe8]) });
  assertEquals(await client.readClose(), 1000);
  assertEquals(await client.isEnded(), true);
  client[Symbol.dispose]();
  assert(await eventually(() => server.stats().connectionCount === 0));
});

Deno.test("upgrade() takes every frame byte by byte", async () => {
  await using server = serveWebSocket(echo);
  const { client } = await FrameClient.connect(server);
  using _ = client;
  for (const byte of frame({ opcode: 1, payload: "slow", key: KEY })) {
    await client.write(new Uint8Array([byte]));
  }
  assertEquals((await client.read()).text, "slow");
});

const REFUSED = [
  { name: "another origin", fields: "Origin: http://evil.example\r\n", status: 403 },
  { name: "two keys", fields: "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", status: 400 },
  { name: "two versions", fields: "Sec-WebSocket-Version: 8\r\n", status: 426 },
];

for (const { name, fields, status } of REFUSED) {
  Deno.test(`upgrade() refuses ${name} with ${status}`, async () => {
    let error: unknown;
    await using server = serve(async (ctx) => {
      error = await assertRejects(() => upgrade(ctx), HttpError);
      throw error;
    }, { hostname: "127.0.0.1", port: 0, onError: () => {} });
    const { client, head } = await FrameClient.connect(server, fields);
    using _ = client;
    assert(head.startsWith(`HTTP/1.1 ${status} `));
    assert(error instanceof HttpError && error.status === status);
    if (status === 426) assert(/\r\nsec-websocket-version: 13\r\n/i.test(head));
  });
}

Deno.test("upgrade() asks for an upgrade where there is none", async () => {
  await using server = serveWebSocket(echo);
  using client = Deno.createHttpClient({});
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/`, { client });
  assertEquals([response.status, response.headers.get("upgrade")], [426, "websocket"]);
  await response.body?.cancel();
});

Deno.test("upgrade() chooses a subprotocol and adds fields", async () => {
  const subprotocol = Promise.withResolvers<string>();
  await using server = serveWebSocket(async (ws) => {
    subprotocol.resolve(ws.subprotocol);
    await echo(ws);
  }, { subprotocols: ["b", "a"], headers: [["x-room", "7"]] });
  const { client, head } = await FrameClient.connect(server, "Sec-WebSocket-Protocol: a, b\r\n");
  using _ = client;
  assert(/\r\nsec-websocket-protocol: b\r\n/i.test(head) && /\r\nx-room: 7\r\n/i.test(head));
  assertEquals(await subprotocol.promise, "b");
});

Deno.test("upgrade() compresses only where both ends want it", async () => {
  const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  for (const compression of [false, true]) {
    await using server = serveWebSocket(echo, { compression });
    const { client, head } = await FrameClient.connect(server, offer);
    using _ = client;
    assertEquals(/\r\nsec-websocket-extensions: permessage-deflate/i.test(head), compression);
  }
});

Deno.test("upgrade() checks its options", async () => {
  const errors: unknown[] = [];
  await using server = serve(async (ctx) => {
    for (const options of [{ maxMessageBytes: -1 }, { closeTimeoutMs: NaN }]) {
      errors.push(await assertRejects(() => upgrade(ctx, options)));
    }
  }, { hostname: "127.0.0.1", port: 0 });
  const { client } = await FrameClient.connect(server);
  client[Symbol.dispose]();
  assert(errors.length === 2 && errors.every((error) => error instanceof RangeError));
});

Deno.test("a shutdown of the server says 1001 and waits for the connections", async () => {
  const server = serveWebSocket(echo);
  const { client } = await FrameClient.connect(server);
  using _ = client;
  await client.send({ opcode: 1, payload: "a" });
  await client.read();
  const shutdown = server.shutdown({ graceMs: 5_000 });
  assertEquals(await client.readClose(), 1001);
  await client.send({ opcode: 8, payload: new Uint8Array([0x03, 0xe9]) });
  assertEquals(await client.isEnded(), true);
  client[Symbol.dispose]();
  await shutdown;
});

Deno.test("the built-in client of the runtime talks to upgrade()", async () => {
  const ended = Promise.withResolvers<WebSocketConnection>();
  await using server = serveWebSocket(async (ws) => {
    ended.resolve(ws);
    await echo(ws);
  }, { compression: true });
  const client = openWebSocket(originAt(portOf(server), "ws"));
  const text = "text ".repeat(10_000);
  const answer = Promise.withResolvers<unknown>();
  client.onopen = () => client.send(text);
  client.onmessage = ({ data }) => answer.resolve(data);
  assertEquals(await answer.promise, text);
  const closed = Promise.withResolvers<CloseEvent>();
  client.onclose = closed.resolve;
  client.close(4000, "done");
  assertEquals((await closed.promise).code, 4000);
  const { code, reason, clean, by } = await (await ended.promise).closed;
  assertEquals([code, reason, clean, by], [4000, "done", true, "remote"]);
});

Deno.test("a flood that nobody takes back is not held", async () => {
  let most = 0;
  await using server = serveWebSocket(async (ws) => {
    try {
      for await (const { data } of ws) {
        const sent = ws.send(data);
        most = Math.max(most, ws.bufferedAmount);
        await sent;
      }
    } catch {
      // The client leaves in the middle.
    }
    await ws.close();
  });
  const { client } = await FrameClient.connect(server);
  const chunk = frame({ opcode: 2, payload: new Uint8Array(100_000), key: KEY });
  let isBlocked = false;
  // Until both directions are full.
  const flood = (async () => {
    for (let i = 0; i < 2_000; i++) await client.write(chunk);
  })().catch(() => isBlocked = true);
  await eventually(() => most > 65_536);
  client[Symbol.dispose]();
  await flood;
  assert(isBlocked && most < 400_000);
});

Deno.test("a message without an end is answered with 1009, which a flooding client can read", async () => {
  const ended = Promise.withResolvers<number>();
  await using server = serveWebSocket(async (ws) => {
    await ws.readMessage().catch(() => {});
    ended.resolve((await ws.closed).code);
  });
  const { client } = await FrameClient.connect(server);
  using _ = client;
  let isOver = false;
  const flood = (async () => {
    const payload = new Uint8Array(60_000);
    await client.send({ opcode: 2, payload, isFinal: false });
    const fragment = frame({ opcode: 0, payload, isFinal: false, key: KEY });
    while (!isOver) await client.write(fragment);
  })();
  assertEquals(await client.readClose(), 1009);
  isOver = true;
  await flood;
  client[Symbol.dispose]();
  assertEquals(await ended.promise, 1009);
});

Deno.test("upgrade() takes the context of a route with parameters", async () => {
  const app = new Router();
  app.get("/rooms/:id{int}", async (ctx) => {
    await using ws = await upgrade(ctx);
    await ws.send(`room ${ctx.params.id}`);
  });
  await using server = serve(app.handler, { hostname: "127.0.0.1", port: 0 });
  const client = openWebSocket(`${originAt(portOf(server), "ws")}/rooms/7`);
  const message = new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
  const closed = new Promise<CloseEvent>((resolve) => client.onclose = resolve);
  assertEquals(await message, "room 7");
  assertEquals((await closed).code, 1000);
});
