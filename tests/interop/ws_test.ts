import { serve } from "@nbio/net/http";
import { upgrade, type WebSocketCompressionOptions } from "@nbio/net/websocket";
import { assert, assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, npmPeer, runPeer, startPeer } from "../_support/peer.ts";
import { exchangeAll } from "./ws_exchange.ts";

const ws = npmPeer("ws");
const ignore = !interopEnabled || !hasCommand("node") || ws === undefined;
const CLIENT = new URL("./ws_client.mjs", import.meta.url).pathname;
const SERVER = new URL("./ws_server.mjs", import.meta.url).pathname;

/** What both ends want of compression. */
interface Wishes {
  readonly name: string;
  readonly ours: boolean | WebSocketCompressionOptions;
  readonly theirs: boolean | Readonly<Record<string, unknown>>;
}

const WISHES: readonly Wishes[] = [
  { name: "without compression", ours: false, theirs: false },
  { name: "with compression", ours: true, theirs: true },
  ...[9, 10, 11, 12, 13, 14, 15].map((bits): Wishes => ({
    name: `with windows of ${bits} bits`,
    ours: { serverMaxWindowBits: bits, clientMaxWindowBits: bits },
    theirs: { serverMaxWindowBits: bits, clientMaxWindowBits: bits },
  })),
  {
    name: "without takeover",
    ours: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    theirs: { serverNoContextTakeover: true, clientNoContextTakeover: true },
  },
];

for (const { name, ours, theirs } of WISHES) {
  Deno.test({
    name: `ws as a client, ${name}`,
    ignore,
    async fn() {
      await using server = serve(async (ctx) => {
        await using connection = await upgrade(ctx, { compression: ours });
        for await (const { data } of connection) await connection.send(data);
      }, { hostname: "127.0.0.1", port: 0 });
      const url = `ws://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
      const options = JSON.stringify({ perMessageDeflate: theirs });
      const { code, text, stderr } = await runPeer("node", [CLIENT, ws!, url, options]);
      assertEquals(code, 0, stderr);
      const isCompressed = theirs !== false;
      // The answer to a Close repeats its code alone (RFC 6455 section 5.5.1).
      const expected = { rightCount: 17, pong: true, code: 4000, reason: "", isCompressed };
      assertEquals(JSON.parse(text), expected);
      assert(await eventually(() => server.stats().connectionCount === 0));
    },
  });

  Deno.test({
    name: `ws as a server, ${name}`,
    ignore,
    async fn() {
      const options = JSON.stringify({ perMessageDeflate: theirs });
      await using peer = startPeer("node", [SERVER, ws!, options]);
      const [, port] = await peer.ready(/^Listening on (\d+)$/);
      assertEquals(await exchangeAll(`ws://127.0.0.1:${port}/`, ours), ours !== false);
    },
  });
}

Deno.test("the server of the runtime talks to dial(), with and without compression", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  for (const compression of [false, true]) {
    await exchangeAll(`ws://127.0.0.1:${server.addr.port}/`, compression);
  }
});

Deno.test("the client of the runtime talks to upgrade(), with and without compression", async () => {
  for (const compression of [false, true]) {
    await using server = serve(async (ctx) => {
      await using connection = await upgrade(ctx, { compression });
      for await (const { data } of connection) await connection.send(data);
    }, { hostname: "127.0.0.1", port: 0 });
    const client = new WebSocket(`ws://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`);
    client.binaryType = "arraybuffer";
    await new Promise((resolve) => client.onopen = resolve);
    for (const size of [0, 1, 126, 65_536, 300_000]) {
      const answer = new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
      client.send("é".repeat(size));
      assertEquals(await answer, "é".repeat(size));
    }
    const closed = new Promise<CloseEvent>((resolve) => client.onclose = resolve);
    client.close(4000, "done");
    assertEquals((await closed).wasClean, true);
    assert(await eventually(() => server.stats().connectionCount === 0));
  }
});
